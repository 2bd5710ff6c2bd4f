/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tokio, as data: what its functions do, where a task's future lies, what its leaf
 * futures wait for, and the way through its own structures.
 *
 * It must not know offsets, DWARF or probes: it contains names only, which the image
 * model looks up in the target. Names are those of tokio 1.30 to 1.54. Each was
 * resolved in programs built with 1.30, 1.35, 1.40, 1.47, 1.49, 1.53 and 1.54; where a
 * key can be found in another way too, it was compared with that in the running
 * program. Where versions differ, the newest is first. File names in comments are
 * relative to tokio's src/.
 */
#include "runtime/runtime.h"
#include "runtime/tokio.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* io/interest.rs; further bits are above */
#define INTEREST_READ	1
#define INTEREST_WRITE	2

/* task/state.rs: the count of references */
#define REFERENCES	(~0ull << 6)

#define TASK	"tokio::runtime::task::"
#define MT	"tokio::runtime::scheduler::multi_thread::"
#define CT	"tokio::runtime::scheduler::current_thread::"
#define IO	"tokio::runtime::io::"

static const struct runtime_fn fns[] = {
	/* In the vtable of tasks, so each task type has one in every profile. */
	{ RUNTIME_FN_POLL, TASK "raw::poll", 0, false },
	/* In the RawWakerVTable (before 1.23 generic, with one for each task type). */
	{ RUNTIME_FN_WAKE, TASK "waker::wake_by_val", 0, false },
	{ RUNTIME_FN_WAKE, TASK "waker::wake_by_ref", 0, false },
	/*
	 * Arguments: &self, Task, Notified; both latter are the header. Inlined if the
	 * program spawns only one type of task. LocalSet has no function that takes the
	 * header.
	 */
	{ RUNTIME_FN_NEW, TASK "list::OwnedTasks::bind_inner", 1, true },
	/*
	 * Arguments: &self, Task (the header and a bool, in two registers). The runtime's own
	 * workers, which are nobody's tasks, go through it as well. Where it is not found, a
	 * job's life begins with its only poll.
	 */
	{ RUNTIME_FN_JOB, "tokio::runtime::blocking::pool::Spawner::spawn_task", 1, true },
	/*
	 * Completed or cancelled: called by raw::poll and by raw::shutdown, so it is a
	 * function of its own. It frees the task if nothing else refers to it.
	 */
	{ RUNTIME_FN_END, TASK "harness::Harness::complete", 0, false },
	/*
	 * Only frees through the vtable, as from a waker's drop: Harness::dealloc is
	 * inlined into complete() and drop_join_handle_slow(). Of 221 tasks of the
	 * workload `pipeline', two (fat LTO) to four came here.
	 */
	{ RUNTIME_FN_DROP, TASK "raw::dealloc", 0, false },
	/* runtime/park.rs, runtime/scheduler/current_thread/mod.rs; not generic */
	{ RUNTIME_FN_PARK, "tokio::runtime::park::CachedParkThread::park", 0, false },
	{ RUNTIME_FN_PARK, CT "Context::park", 0, false },
	{ RUNTIME_FN_PARK, CT "Context::park_yield", 0, false },
	{ RUNTIME_FN_PARK, CT "Context::park_internal", 0, false },
	/* util/wake.rs; generic, but only the current_thread Handle has a waker of its own */
	{ RUNTIME_FN_ROOT_WAKE, "tokio::util::wake::wake_arc_raw", 0, false },
	{ RUNTIME_FN_ROOT_WAKE, "tokio::util::wake::wake_by_ref_arc_raw", 0, false },
	{ RUNTIME_FN_ROOT_CLONE, "tokio::util::wake::clone_arc_raw", 0, false },
};

/*
 * Runtime::block_on, Handle::block_on and LocalSet::block_on, on any runtime and
 * thread, and everything else that blocks until a future is done, end up in these.
 */
static const struct runtime_root roots[] = {
	{ "tokio::runtime::park::CachedParkThread::block_on", false, false, NULL },
	/* CoreGuard::block_on passes it to the function that sets the thread's context */
	{ CT "{impl}::block_on::{closure#0}", true, false, NULL },
	{ CT "CoreGuard::block_on", true, true, NULL },
};

/*
 * What a future of io/util waits for depends on what it holds: TcpStream,
 * BufReader<OwnedReadHalf>, …
 */
#define IO_UTIL(module, name, direction) \
	{ .type = "tokio::io::util::" module "::" name, .key = WALK_KEY_IO, \
	  .dir = (direction), .search_io = true }
#define SINK(name) \
	{ .type = "futures_util::sink::" name, .key = WALK_KEY_IO, .dir = 2, .search_io = true, \
	  .data = "item" }
#define READ_INT(name)	IO_UTIL("read_int", name, 1), IO_UTIL("read_int", name "Le", 1)
#define WRITE_INT(name)	IO_UTIL("write_int", name, 2), IO_UTIL("write_int", name "Le", 2)

/*
 * The closure of a PollFn in an async fn. A capture is named by its expression
 * (_ref__self__chan), which does not matter if it is the only one: a path may begin
 * with '*'.
 */
#define POLL_FN(function)	function "::{async_fn#0}::{closure_env#0}"

/*
 * From a reference to any type that holds one Registration (in its PollEvented, or a
 * stream).
 */
#define REGISTERED	"*.registration.shared.*.data"

static const struct runtime_leaf leaves[] = {
	/*
	 * time/sleep.rs; the deadline was in TimerEntry before 1.53, and is in an enum
	 * since 1.49
	 */
	{ .type = "tokio::time::sleep::Sleep", .key = WALK_KEY_DEADLINE,
	  .key_path = "deadline|entry.deadline" },
	{ .type = POLL_FN("tokio::time::interval::{impl}::tick"), .key = WALK_KEY_DEADLINE,
	  .key_path = "*.delay.*.deadline|*.delay.*.entry.deadline",
	  .idle = RUNTIME_IDLE_TICK },

	/* sync/: the address of the resource is its identity */
	{ .type = "tokio::sync::batch_semaphore::Acquire", .key = WALK_KEY_ADDRESS,
	  .key_path = "semaphore.*",
	  .ended_by = RUNTIME_SIDE_HOLDS | RUNTIME_SIDE_RECEIVES, .queue_node = "node" },
	{ .type = "tokio::sync::notify::Notified", .key = WALK_KEY_ADDRESS,
	  .key_path = "notify.*", .ended_by = RUNTIME_SIDE_WAKES,
	  .idle = RUNTIME_IDLE_BESIDE },
	{ .type = "tokio::sync::notify::OwnedNotified", .key = WALK_KEY_ADDRESS,
	  .key_path = "notify.*.data", .ended_by = RUNTIME_SIDE_WAKES,
	  .idle = RUNTIME_IDLE_BESIDE },
	{ .type = "tokio::sync::broadcast::Recv", .key = WALK_KEY_ADDRESS,
	  .key_path = "receiver.*.shared.*.data",
	  .ended_by = RUNTIME_SIDE_SENDS,
	  .idle = RUNTIME_IDLE_QUEUE },
	{ .type = "tokio::sync::oneshot::Receiver", .key = WALK_KEY_ADDRESS,
	  .key_path = "inner.*.data",
	  .ended_by = RUNTIME_SIDE_SENDS },
	{ .type = POLL_FN("tokio::sync::oneshot::{impl}::closed"), .key = WALK_KEY_ADDRESS,
	  .key_path = "*.inner.*.data",
	  .ended_by = RUNTIME_SIDE_RECEIVES },
	{ .type = POLL_FN("tokio::sync::mpsc::bounded::{impl}::recv"), .key = WALK_KEY_ADDRESS,
	  .key_path = "*.inner.*.data",
	  .ended_by = RUNTIME_SIDE_SENDS,
	  .idle = RUNTIME_IDLE_QUEUE },
	{ .type = POLL_FN("tokio::sync::mpsc::unbounded::{impl}::recv"), .key = WALK_KEY_ADDRESS,
	  .key_path = "*.inner.*.data",
	  .ended_by = RUNTIME_SIDE_SENDS,
	  .idle = RUNTIME_IDLE_QUEUE },
	{ .type = POLL_FN("tokio::sync::mpsc::bounded::{impl}::recv_many"),
	  .key = WALK_KEY_ADDRESS, .key_path = "_ref__self__chan.*.inner.*.data",
	  .ended_by = RUNTIME_SIDE_SENDS,
	  .idle = RUNTIME_IDLE_QUEUE },
	{ .type = POLL_FN("tokio::sync::mpsc::unbounded::{impl}::recv_many"),
	  .key = WALK_KEY_ADDRESS, .key_path = "_ref__self__chan.*.inner.*.data",
	  .ended_by = RUNTIME_SIDE_SENDS,
	  .idle = RUNTIME_IDLE_QUEUE },

	/* task/ */
	{ .type = TASK "join::JoinHandle", .key = WALK_KEY_TASK, .key_path = "raw.*",
	  .idle = RUNTIME_IDLE_TASKS },
	{ .type = POLL_FN("tokio::task::join_set::{impl}::join_next"), .key = WALK_KEY_ADDRESS,
	  .key_path = "*.inner.lists.*.data", .ended_by = RUNTIME_SIDE_TASKS,
	  .idle = RUNTIME_IDLE_TASKS },
	{ .type = POLL_FN("tokio::task::join_set::{impl}::join_next_with_id"),
	  .key = WALK_KEY_ADDRESS, .key_path = "*.inner.lists.*.data",
	  .ended_by = RUNTIME_SIDE_TASKS,
	  .idle = RUNTIME_IDLE_TASKS },
	{ .type = POLL_FN("tokio::task::yield_now::yield_now"), .key = WALK_KEY_YIELD },
	{ .type = "tokio::task::yield_now::yield_now::{async_fn#0}::YieldNow",	/* still in 1.49 */
	  .key = WALK_KEY_YIELD },
	{ .type = POLL_FN("tokio::task::coop::consume_budget::consume_budget"),
	  .key = WALK_KEY_YIELD },
	{ .type = POLL_FN("tokio::task::consume_budget::consume_budget"),	/* before 1.44 */
	  .key = WALK_KEY_YIELD },
	/* A set of tasks; each of them is recorded as a task. */
	{ .type = "tokio::task::local::LocalSet" },

	/* runtime/io/scheduled_io.rs; accept, readable, recv_from, AsyncFd, … wait in it */
	{ .type = IO "scheduled_io::Readiness", .key = WALK_KEY_IO,
	  .key_path = "scheduled_io.*", .dir_path = "waiter.interest",
	  .dir_read = INTEREST_READ, .dir_write = INTEREST_WRITE },
	{ .type = POLL_FN("tokio::net::tcp::stream::{impl}::connect_mio"), .key = WALK_KEY_IO,
	  .dir = 2, .key_path = REGISTERED },
	{ .type = POLL_FN("tokio::net::unix::stream::{impl}::connect_mio"), .key = WALK_KEY_IO,
	  .dir = 2, .key_path = REGISTERED },
	{ .type = POLL_FN("tokio::net::unix::stream::{impl}::connect_addr"), .key = WALK_KEY_IO,
	  .dir = 2, .key_path = REGISTERED },
	{ .type = POLL_FN("tokio::net::tcp::split::{impl}::peek"), .key = WALK_KEY_IO,
	  .dir = 1, .search_io = true },
	{ .type = POLL_FN("tokio::net::tcp::split_owned::{impl}::peek"), .key = WALK_KEY_IO,
	  .dir = 1, .search_io = true },

	/*
	 * tokio-tungstenite's lib.rs, handshake.rs. What is registered with the socket is a waker
	 * of the crate's own (compat.rs: WakerProxy), which calls who reads and who writes.
	 */
	{ .type = "tokio_tungstenite::WebSocketStream", .key = WALK_KEY_IO, .dir = 1,
	  .search_io = true },
	{ .type = "tokio_tungstenite::handshake::MidHandshake", .key = WALK_KEY_IO,
	  .search_io = true },
	/* futures-util's sink/{feed,flush,close}.rs: they wait for room in what the sink holds */
	SINK("feed::Feed"), SINK("flush::Flush"), SINK("close::Close"),

	IO_UTIL("read", "Read", 1),
	IO_UTIL("read_buf", "ReadBuf", 1),
	IO_UTIL("read_exact", "ReadExact", 1),
	IO_UTIL("read_to_end", "ReadToEnd", 1),
	IO_UTIL("read_to_string", "ReadToString", 1),
	IO_UTIL("read_line", "ReadLine", 1),
	IO_UTIL("read_until", "ReadUntil", 1),
	IO_UTIL("fill_buf", "FillBuf", 1),
	IO_UTIL("lines", POLL_FN("{impl}::next_line"), 1),
	IO_UTIL("split", POLL_FN("{impl}::next_segment"), 1),
	IO_UTIL("read_int", "ReadU8", 1),
	IO_UTIL("read_int", "ReadI8", 1),
	READ_INT("ReadU16"), READ_INT("ReadU32"), READ_INT("ReadU64"), READ_INT("ReadU128"),
	READ_INT("ReadI16"), READ_INT("ReadI32"), READ_INT("ReadI64"), READ_INT("ReadI128"),
	READ_INT("ReadF32"), READ_INT("ReadF64"),
	IO_UTIL("write", "Write", 2),
	IO_UTIL("write_buf", "WriteBuf", 2),
	IO_UTIL("write_vectored", "WriteVectored", 2),
	IO_UTIL("write_all", "WriteAll", 2),
	IO_UTIL("write_all_buf", "WriteAllBuf", 2),
	IO_UTIL("flush", "Flush", 2),
	IO_UTIL("shutdown", "Shutdown", 2),
	IO_UTIL("write_int", "WriteU8", 2),
	IO_UTIL("write_int", "WriteI8", 2),
	WRITE_INT("WriteU16"), WRITE_INT("WriteU32"), WRITE_INT("WriteU64"),
	WRITE_INT("WriteU128"), WRITE_INT("WriteI16"), WRITE_INT("WriteI32"),
	WRITE_INT("WriteI64"), WRITE_INT("WriteI128"),
	WRITE_INT("WriteF32"), WRITE_INT("WriteF64"),
	/* They wait for a reader or a writer: the descriptor is found by the task's waker. */
	{ .type = "tokio::io::util::copy::Copy", .key = WALK_KEY_IO },
	{ .type = "tokio::io::util::copy_buf::CopyBuf", .key = WALK_KEY_IO },
	{ .type = POLL_FN("tokio::io::util::copy_bidirectional::copy_bidirectional_impl"),
	  .key = WALK_KEY_IO },
	{ .type = POLL_FN("tokio::io::util::copy_bidirectional::copy_bidirectional"),
	  .key = WALK_KEY_IO },					/* <= 1.35 */

	/* process/unix/: a pidfd in epoll (1.36); without pidfds, SIGCHLD */
	{ .type = "tokio::process::imp::pidfd_reaper::PidfdReaper", .key = WALK_KEY_IO, .dir = 1,
	  .key_path = "inner.pidfd.registration.shared.*.data" },
	/* Woken by the driver because of a signal; not known by which descriptor. */
	{ .type = "tokio::process::imp::reap::Reaper", .key = WALK_KEY_IO },
	{ .type = POLL_FN("tokio::signal::{impl}::recv"), .key = WALK_KEY_IO,
	  .idle = RUNTIME_IDLE_SIGNAL },
	/*
	 * runtime/driver/op.rs: io_uring (unstable), one ring for all workers. The index in the
	 * driver's slab is the operation's user_data, and is there once it has been polled.
	 */
	{ .type = "tokio::runtime::driver::op::Op", .key = WALK_KEY_OPERATION,
	  .key_path = "state.Polled.__0", .by_value = true },
};

#define HOLDS	RUNTIME_SIDE_HOLDS
#define SENDS	RUNTIME_SIDE_SENDS
#define RECEIVES RUNTIME_SIDE_RECEIVES

/* sync/: guards and permits, and the ends of channels */
static const struct runtime_handle handles[] = {
	{ "tokio::sync::semaphore::SemaphorePermit", HOLDS, "sem.*", "permits", NULL, false, NULL },
	{ "tokio::sync::semaphore::OwnedSemaphorePermit", HOLDS,
	  "sem.*.data", "permits", NULL, false, NULL },
	{ "tokio::sync::mutex::MutexGuard", HOLDS, "lock.*.s", NULL, NULL, true, NULL },
	{ "tokio::sync::mutex::OwnedMutexGuard", HOLDS, "lock.*.data.s", NULL, NULL, true, NULL },
	{ "tokio::sync::mutex::MappedMutexGuard", HOLDS, "s.*", NULL, NULL, true, NULL },
	{ "tokio::sync::mutex::OwnedMappedMutexGuard", HOLDS, "lock.*.data.s", NULL, NULL, true, NULL },
	{ "tokio::sync::rwlock::read_guard::RwLockReadGuard", HOLDS, "s.*", NULL, NULL, false, NULL },
	{ "tokio::sync::rwlock::write_guard::RwLockWriteGuard", HOLDS,
	  "s.*", "permits_acquired", NULL, true, NULL },
	{ "tokio::sync::rwlock::write_guard_mapped::RwLockMappedWriteGuard", HOLDS, "s.*",
	  "permits_acquired", NULL, true, NULL },
	{ "tokio::sync::rwlock::owned_read_guard::OwnedRwLockReadGuard", HOLDS, "lock.*.data.s",
	  NULL, NULL, false, NULL },
	{ "tokio::sync::rwlock::owned_write_guard::OwnedRwLockWriteGuard", HOLDS, "lock.*.data.s",
	  "permits_acquired", NULL, true, NULL },
	{ "tokio::sync::rwlock::owned_write_guard_mapped::OwnedRwLockMappedWriteGuard", HOLDS,
	  "lock.*.data.s", "permits_acquired", NULL, true, NULL },
	{ "tokio::sync::mpsc::bounded::Permit", HOLDS, "chan.*.inner.*.data", NULL, NULL, false, NULL },
	{ "tokio::sync::mpsc::bounded::OwnedPermit", HOLDS,
	  "chan.inner.*.data", NULL, NULL, false, NULL },
	{ "tokio::sync::mpsc::bounded::Sender", SENDS,
	  "chan.inner.*.data", NULL, "tx_count", false, NULL },
	{ "tokio::sync::mpsc::unbounded::UnboundedSender", SENDS,
	  "chan.inner.*.data", NULL, "tx_count", false, NULL },
	{ "tokio::sync::mpsc::bounded::Receiver", RECEIVES, "chan.inner.*.data", NULL, NULL, true,
	  "notify_rx_closed" },
	{ "tokio::sync::mpsc::unbounded::UnboundedReceiver", RECEIVES,
	  "chan.inner.*.data", NULL, NULL, true, "notify_rx_closed" },
	/* net/, process/: descriptors whose object of the reactor they own */
	{ "tokio::net::tcp::listener::TcpListener", HOLDS, "io.registration.shared.*.data", NULL,
	  NULL, true, NULL },
	{ "tokio::net::unix::listener::UnixListener", HOLDS, "io.registration.shared.*.data", NULL,
	  NULL, true, NULL },
	{ "tokio::process::ChildStdin", HOLDS,
	  "inner.inner.registration.shared.*.data|inner.registration.shared.*.data", NULL, NULL,
	  true, NULL },
	{ "tokio::sync::oneshot::Sender", SENDS, "inner.*.data", NULL, NULL, true, NULL },
	{ "tokio::sync::oneshot::Receiver", RECEIVES, "inner.*.data", NULL, NULL, true, NULL },
	{ "tokio::sync::watch::Sender", SENDS, "shared.*.data", NULL, "ref_count_tx", false,
	  "notify_rx" },
	{ "tokio::sync::watch::Receiver", RECEIVES, "shared.*.data", NULL, "ref_count_rx", false,
	  "notify_tx" },
	{ "tokio::sync::broadcast::Sender", SENDS, "shared.*.data", NULL, "num_tx", false, NULL },
	{ "tokio::sync::broadcast::Receiver", RECEIVES, "shared.*.data", NULL, NULL, false, NULL },
};

/* sync/mpsc/{chan,list,block}.rs */
static const struct runtime_messages messages = {
	.first		= "rx_fields.list.head.*",
	.number		= "rx_fields.list.index",
	.block_number	= "header.start_index|start_index",
	.block_next	= "header.next|next",
	.block_ready	= "header.ready_slots|ready_slots",
	.block_messages	= "values",
};

static const struct runtime_wrapper wrappers[] = {
	/* time/timeout.rs; since 1.54 delay is an Option: None if the time is too long */
	{ "tokio::time::timeout::Timeout", "value", "delay" },
	/*
	 * They hold, besides the future, something that looks like a future, or a value
	 * of a user's type.
	 */
	{ "tokio::task::local::RunUntil", "future", NULL },
	{ "tokio::task::task_local::TaskLocalFuture", "future", NULL },
	{ "tokio::task::coop::unconstrained::Unconstrained", "inner", NULL },
	{ "tokio::task::unconstrained::Unconstrained", "inner", NULL },		/* before 1.44 */
	{ "tokio::task::coop::Coop", "fut", NULL },
	{ "tokio::process::ChildDropGuard", "inner", NULL },
	{ "tokio::util::trace::InstrumentedAsyncOp", "inner", NULL },		/* unstable tracing */
	{ TASK "trace::Root", "future", NULL },				/* unstable taskdump */
};

/*
 * Mutexes are tokio's wrapper of std's mutex or, with feature parking_lot, of
 * lock_api's; the value is called "data" in both. So it is in the inner block of an
 * Arc.
 */
#define MT_OWNED	"handle.*.data.shared.owned."
#define CT_OWNED	"handle.*.data.shared.owned."

#define CONTEXT		"tokio::runtime::context::Context"
#define CORE		"scheduler.inner.*.MultiThread.core.value.*."
#define SET		"tokio::util::idle_notified_set::"
#define POOL		"handle.*.data.blocking_spawner.inner.*.data."

static const struct runtime_layout layouts[TOKIO_LAYOUT_NR] = {
	[TOKIO_IO_READER] = { "io.reader", IO "scheduled_io::ScheduledIo",
			      "waiters.data.reader.data" },
	[TOKIO_IO_READER_VT] = { "io.reader.vtable", IO "scheduled_io::ScheduledIo",
				 "waiters.data.reader.vtable" },
	[TOKIO_IO_WRITER] = { "io.writer", IO "scheduled_io::ScheduledIo",
			      "waiters.data.writer.data" },
	[TOKIO_IO_WRITER_VT] = { "io.writer.vtable", IO "scheduled_io::ScheduledIo",
				 "waiters.data.writer.vtable" },
	[TOKIO_IO_WAITERS] = { "io.waiters", IO "scheduled_io::ScheduledIo",
			       "waiters.data.list.head" },
	[TOKIO_IO_WAITER_NEXT] = { "waiter.next", IO "scheduled_io::Waiter", "pointers.next" },
	[TOKIO_IO_WAITER_WAKER] = { "waiter.waker", IO "scheduled_io::Waiter", "waker.data" },
	[TOKIO_IO_WAITER_WAKER_VT] = { "waiter.waker.vtable", IO "scheduled_io::Waiter",
				       "waker.vtable" },
	[TOKIO_IO_WAITER_INTEREST] = { "waiter.interest", IO "scheduled_io::Waiter", "interest" },

	[TOKIO_HEADER_STATE] = { "header.state", TASK "core::Header", "state" },
	[TOKIO_HEADER_VTABLE] = { "header.vtable", TASK "core::Header", "vtable" },
	[TOKIO_HEADER_OWNER] = { "header.owner", TASK "core::Header", "owner_id" },
	[TOKIO_VTABLE_POLL] = { "vtable.poll", TASK "raw::Vtable", "poll" },
	[TOKIO_VTABLE_TRAILER] = { "vtable.trailer", TASK "raw::Vtable", "trailer_offset" },
	[TOKIO_VTABLE_SCHEDULER] = { "vtable.scheduler", TASK "raw::Vtable", "scheduler_offset" },
	[TOKIO_VTABLE_ID] = { "vtable.id", TASK "raw::Vtable", "id_offset" },
	[TOKIO_TRAILER_NEXT] = { "trailer.next", TASK "core::Trailer", "owned.next" },
	[TOKIO_TRAILER_WAKER] = { "trailer.waker", TASK "core::Trailer", "waker.data" },

	/* runtime/task/list.rs, util/sharded_list.rs (1.35); before that, one Mutex<list> */
	[TOKIO_MT_SHARDS] = { "multi_thread.shards", MT "worker::Worker",
			      MT_OWNED "list.lists.data_ptr" },
	[TOKIO_MT_NR_SHARDS] = { "multi_thread.nr_shards", MT "worker::Worker",
				 MT_OWNED "list.lists.length" },
	[TOKIO_MT_SHARD_HEAD] = { "multi_thread.shard.head", MT "worker::Worker",
				  MT_OWNED "list.lists.*.data.head" },
	[TOKIO_MT_SHARD] = { "multi_thread.shard", MT "worker::Worker", MT_OWNED "list.lists.*" },
	[TOKIO_MT_HEAD] = { "multi_thread.head", MT "worker::Worker",
			    MT_OWNED "inner.data.list.list.head" },
	[TOKIO_CT_SHARDS] = { "current_thread.shards", CT "Context",
			      CT_OWNED "list.lists.data_ptr" },
	[TOKIO_CT_NR_SHARDS] = { "current_thread.nr_shards", CT "Context",
				 CT_OWNED "list.lists.length" },
	[TOKIO_CT_SHARD_HEAD] = { "current_thread.shard.head", CT "Context",
				  CT_OWNED "list.lists.*.data.head" },
	[TOKIO_CT_SHARD] = { "current_thread.shard", CT "Context", CT_OWNED "list.lists.*" },
	[TOKIO_CT_HEAD] = { "current_thread.head", CT "Context",
			    CT_OWNED "inner.data.list.list.head" },
	/* runtime/context.rs: a RefCell of an Option of an enum of Arcs */
	[TOKIO_CONTEXT_HANDLE] = { "context.handle", CONTEXT,
				   "current.handle.value|handle.value" },
	[TOKIO_MT_POOL_THREADS] = { "multi_thread.pool.threads", MT "worker::Worker",
		POOL "metrics.num_threads" },
	[TOKIO_MT_POOL_IDLE] = { "multi_thread.pool.idle", MT "worker::Worker",
		POOL "metrics.num_idle_threads" },
	[TOKIO_MT_POOL_QUEUED] = { "multi_thread.pool.queued", MT "worker::Worker",
		POOL "metrics.queue_depth" },
	[TOKIO_MT_POOL_LIMIT] = { "multi_thread.pool.limit", MT "worker::Worker",
		POOL "thread_cap" },
	[TOKIO_CT_POOL_THREADS] = { "current_thread.pool.threads", CT "Context",
		POOL "metrics.num_threads" },
	[TOKIO_CT_POOL_IDLE] = { "current_thread.pool.idle", CT "Context",
		POOL "metrics.num_idle_threads" },
	[TOKIO_CT_POOL_QUEUED] = { "current_thread.pool.queued", CT "Context",
		POOL "metrics.queue_depth" },
	[TOKIO_CT_POOL_LIMIT] = { "current_thread.pool.limit", CT "Context",
		POOL "thread_cap" },
	/* New waiters are put at the head; the tail gets permits first. */
	[TOKIO_SEM_PERMITS] = { "semaphore.permits", "tokio::sync::batch_semaphore::Semaphore",
				"permits" },
	[TOKIO_SEM_FIRST] = { "semaphore.first", "tokio::sync::batch_semaphore::Semaphore",
			      "waiters.data.queue.tail" },
	[TOKIO_SEM_WAITER_STATE] = { "semaphore.waiter.state",
				     "tokio::sync::batch_semaphore::Waiter", "state" },
	[TOKIO_SEM_WAITER_NEXT] = { "semaphore.waiter.next",
				    "tokio::sync::batch_semaphore::Waiter", "pointers.prev" },
	[TOKIO_ACQUIRE_PERMITS] = { "acquire.permits", "tokio::sync::batch_semaphore::Acquire",
				    "num_permits" },
	[TOKIO_ACQUIRE_QUEUED] = { "acquire.queued", "tokio::sync::batch_semaphore::Acquire",
				   "queued" },
	[TOKIO_SET_LISTS] = { "set.lists", SET "IdleNotifiedSet", "lists.*.data" },
	[TOKIO_SET_IDLE] = { "set.idle", SET "IdleNotifiedSet", "lists.*.data.data.idle.head" },
	[TOKIO_SET_NOTIFIED] = { "set.notified", SET "IdleNotifiedSet",
				 "lists.*.data.data.notified.head" },
	[TOKIO_SET_NEXT] = { "set.next", SET "ListEntry", "pointers.next" },
	[TOKIO_SET_TASK] = { "set.task", SET "ListEntry", "value.raw" },
	/* a Scoped pointer to an enum of contexts, in that the RefCell of the worker's core */
	[TOKIO_WORKER_SLOT] = { "worker.slot", CONTEXT, CORE "lifo_slot.raw" },
	[TOKIO_WORKER_HEAD] = { "worker.head", CONTEXT, CORE "run_queue.inner.*.data.head" },
	[TOKIO_WORKER_TAIL] = { "worker.tail", CONTEXT, CORE "run_queue.inner.*.data.tail" },
	[TOKIO_WORKER_RING] = { "worker.ring", CONTEXT, CORE "run_queue.inner.*.data.buffer" },
	[TOKIO_MT_INJECT] = { "multi_thread.inject", MT "worker::Worker",
			      "handle.*.data.shared.synced.data.inject.head|"	/* <= 1.53 */
			      "handle.*.data.shared.inject.synced.data.head" },
	[TOKIO_HEADER_QUEUE_NEXT] = { "header.queue_next", TASK "core::Header", "queue_next" },
	[TOKIO_LOCAL_HEAD] = { "local.head", "tokio::task::local::Context",
			       "shared.*.data.local_state.owned.inner.list.head" },
};

static const struct runtime_list lists[] = {
	{ "multi_thread", true, TOKIO_MT_SHARDS, TOKIO_MT_NR_SHARDS, TOKIO_MT_SHARD_HEAD,
	  TOKIO_MT_SHARD, TOKIO_MT_HEAD, false },
	{ "current_thread", true, TOKIO_CT_SHARDS, TOKIO_CT_NR_SHARDS, TOKIO_CT_SHARD_HEAD,
	  TOKIO_CT_SHARD, TOKIO_CT_HEAD, false },
	/* a LocalSet */
	{ "", false, 0, 0, 0, 0, TOKIO_LOCAL_HEAD, true },
};

/* Tasks of spawn_blocking are in no list. */
static const struct runtime_tasks tasks = {
	.header_vtable		= TOKIO_HEADER_VTABLE,
	.vtable_poll		= TOKIO_VTABLE_POLL,
	.vtable_trailer		= TOKIO_VTABLE_TRAILER,
	.vtable_scheduler	= TOKIO_VTABLE_SCHEDULER,
	.trailer_next		= TOKIO_TRAILER_NEXT,
	.lists			= lists,
	.nr_lists		= ARRAY_SIZE(lists),
	.context		= TOKIO_CONTEXT_HANDLE,
	.on_stack		= RUNTIME_NO_LAYOUT,
	.held			= REFERENCES,
};

static const struct runtime_pool pools[] = {
	{ "multi_thread", TOKIO_MT_POOL_THREADS, TOKIO_MT_POOL_IDLE, TOKIO_MT_POOL_QUEUED,
	  TOKIO_MT_POOL_LIMIT },
	{ "current_thread", TOKIO_CT_POOL_THREADS, TOKIO_CT_POOL_IDLE, TOKIO_CT_POOL_QUEUED,
	  TOKIO_CT_POOL_LIMIT },
};

static const struct runtime_reactor reactor = {
	.reader			= TOKIO_IO_READER,
	.reader_vtable		= TOKIO_IO_READER_VT,
	.writer			= TOKIO_IO_WRITER,
	.writer_vtable		= TOKIO_IO_WRITER_VT,
	.waiters		= TOKIO_IO_WAITERS,
	.waiter_next		= TOKIO_IO_WAITER_NEXT,
	.waiter_waker		= TOKIO_IO_WAITER_WAKER,
	.waiter_vtable		= TOKIO_IO_WAITER_WAKER_VT,
	.waiter_interest	= TOKIO_IO_WAITER_INTEREST,
	.interest_read		= INTEREST_READ,
	.interest_write		= INTEREST_WRITE,
};

/* Semaphore::PERMIT_SHIFT and CLOSED */
static const struct runtime_semaphore semaphore = {
	.type			= "tokio::sync::batch_semaphore::Acquire",
	.permits		= TOKIO_SEM_PERMITS,
	.shift			= 1,
	.closed			= 1,
	.first			= TOKIO_SEM_FIRST,
	.waiter_needs		= TOKIO_SEM_WAITER_STATE,
	.waiter_next		= TOKIO_SEM_WAITER_NEXT,
	.wants			= TOKIO_ACQUIRE_PERMITS,
	.queued			= TOKIO_ACQUIRE_QUEUED,
};

/* LOCAL_QUEUE_CAPACITY */
static const struct runtime_queues queues = {
	.scheduler		= "multi_thread",
	.slot			= TOKIO_WORKER_SLOT,
	.head			= TOKIO_WORKER_HEAD,
	.tail			= TOKIO_WORKER_TAIL,
	.ring			= TOKIO_WORKER_RING,
	.ring_size		= 256,
	.shared			= TOKIO_MT_INJECT,
	.next			= TOKIO_HEADER_QUEUE_NEXT,
};

static const struct runtime_set set = {
	.lists			= TOKIO_SET_LISTS,
	.idle			= TOKIO_SET_IDLE,
	.notified		= TOKIO_SET_NOTIFIED,
	.next			= TOKIO_SET_NEXT,
	.task			= TOKIO_SET_TASK,
};

const struct runtime runtime_tokio = {
	.name			= "tokio",
	.crate			= "tokio",
	.fns			= fns,
	.nr_fns			= ARRAY_SIZE(fns),
	.roots			= roots,
	.nr_roots		= ARRAY_SIZE(roots),
	.cell_type		= TASK "core::Cell",
	.future_param		= "T",
	.scheduler_param	= "S",
	.scheduler_nr		= 1,
	.stage_path		= "core.stage",
	.stage_variant		= "Running",
	/* task/state.rs, unchanged since 1.0; the first word of a task */
	.status			= { .off = 0, .width = 8, .running = 1, .complete = 2,
				    .notified = 4 },
	.status_layout		= TOKIO_HEADER_STATE,
	.blocking_scheduler	= "tokio::runtime::blocking::schedule::BlockingSchedule",
	.job_param		= "T",
	/* {multi_thread,multi_thread_alt}/worker.rs: launch, block_in_place, maybe_move_runtime */
	.worker_jobs		= "tokio::runtime::scheduler",
	.worker_loop		= MT "worker::run|" MT "worker::Context::run|"
				  MT "worker::Context::run_task",
	.gives_way		= MT "worker::block_in_place|tokio::task::blocking::block_in_place",
	.io_type		= IO "scheduled_io::ScheduledIo",
	.io_handle		= IO "registration::Registration",
	.context_symbol		= "5tokio7runtime7context7CONTEXT",	/* context.rs since 1.22 */
	.poll_through		= TASK "raw::RawTask::poll",
	.usual_vtable_off	= 16,	/* task/core.rs since 1.21 */
	.tasks			= &tasks,
	.reactor		= &reactor,
	.pools			= pools,
	.nr_pools		= ARRAY_SIZE(pools),
	.semaphore		= &semaphore,
	.set			= &set,
	.queues			= &queues,
	.leaves			= leaves,
	.nr_leaves		= ARRAY_SIZE(leaves),
	.handles		= handles,
	.nr_handles		= ARRAY_SIZE(handles),
	.messages		= &messages,
	.wrappers		= wrappers,
	.nr_wrappers		= ARRAY_SIZE(wrappers),
	.layouts		= layouts,
	.nr_layouts		= ARRAY_SIZE(layouts),
};
