/* SPDX-License-Identifier: GPL-2.0 */
/*
 * async-task, as data: the tasks of smol, of async-std and of executors made with
 * async-task, and what they wait for in async-io, their reactor.
 *
 * It must not know offsets, DWARF or probes: it contains names only, which the image
 * model looks up in the target. Names are those of async-task 4.4 to 4.7,
 * async-executor 1.13 and 1.14, async-global-executor 2.4, async-io 2, blocking 1.6 and
 * 1.7, smol 2 and async-std 1.13. File names in comments are relative to the crates'
 * src/.
 */
#include "runtime/runtime.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define RAW	"async_task::raw::RawTask::"

/* async-task: state.rs; the bits above them count references */
#define SCHEDULED	(1 << 0)
#define RUNNING		(1 << 1)
#define COMPLETED	(1 << 2)
#define CLOSED		(1 << 3)
/*
 * Bits of a reference count that no task reaches. In a freed task, the allocator has
 * overwritten the state word, or it is unchanged: completed.
 */
#define TOO_MANY	(0xffffffull << 40)

static const struct runtime_fn fns[] = {
	/*
	 * A task's vtable contains their addresses, so each is a function of its own in
	 * every profile.
	 */
	{ RUNTIME_FN_POLL, RAW "run", 0, false },
	/*
	 * Called by Runnable::schedule with a new task; also by a waker without
	 * captures, by the poll of a task that was woken during the poll, and by the
	 * last waker of a closed task.
	 */
	{ RUNTIME_FN_NEW, RAW "schedule", 0, false },
	/*
	 * Called when a Runnable is dropped. A completed task is dropped by its poll;
	 * whoever awaits it may free its memory before that poll returns.
	 */
	{ RUNTIME_FN_END, RAW "drop_future", 0, false },
	/* In the RawWakerVTable, of which each task type has one; equal ones are merged. */
	{ RUNTIME_FN_WAKE, RAW "wake", 0, false },
	{ RUNTIME_FN_WAKE, RAW "wake_by_ref", 0, false },
};

/*
 * What such a library future waits for depends on what it holds: TcpStream,
 * BufReader<UnixStream>, …
 */
#define HELD(path, direction) \
	{ .type = path, .key = WALK_KEY_IO, .dir = (direction), .search_io = true }
#define LITE(name, direction)	HELD("futures_lite::io::" name, direction)
#define STD(module, name, direction)	HELD("async_std::io::" module "::" name, direction)

/* async-io: reactor.rs */
#define READY(name, handle, direction) \
	{ .type = "async_io::reactor::" name, .key = WALK_KEY_IO, .dir = (direction), \
	  .key_path = handle ".source.*.data.key", .by_value = true }

static const struct runtime_leaf leaves[] = {
	/* async-io: lib.rs; None if the timer never fires */
	{ .type = "async_io::Timer", .key = WALK_KEY_DEADLINE, .key_path = "when" },
	READY("Readable", "handle.*", WALK_DIR_READ),
	READY("ReadableOwned", "handle.*.data", WALK_DIR_READ),
	READY("Writable", "handle.*", WALK_DIR_WRITE),
	READY("WritableOwned", "handle.*.data", WALK_DIR_WRITE),

	/* async-task: task.rs, fallible.rs; points to the task's header */
	{ .type = "async_task::task::Task", .key = WALK_KEY_TASK, .key_path = "ptr.*" },
	{ .type = "async_task::task::FallibleTask", .key = WALK_KEY_TASK, .key_path = "ptr.*" },

	/* futures-lite: io.rs */
	LITE("ReadFuture", WALK_DIR_READ), LITE("ReadVectoredFuture", WALK_DIR_READ),
	LITE("ReadToEndFuture", WALK_DIR_READ), LITE("ReadToStringFuture", WALK_DIR_READ),
	LITE("ReadExactFuture", WALK_DIR_READ), LITE("ReadUntilFuture", WALK_DIR_READ),
	LITE("ReadLineFuture", WALK_DIR_READ), LITE("FillBuf", WALK_DIR_READ),
	LITE("WriteFuture", WALK_DIR_WRITE), LITE("WriteVectoredFuture", WALK_DIR_WRITE),
	LITE("WriteAllFuture", WALK_DIR_WRITE), LITE("FlushFuture", WALK_DIR_WRITE),
	LITE("CloseFuture", WALK_DIR_WRITE),

	/* async-std: io/{read,buf_read,write}/ */
	STD("read::read", "ReadFuture", WALK_DIR_READ),
	STD("read::read_vectored", "ReadVectoredFuture", WALK_DIR_READ),
	STD("read::read_exact", "ReadExactFuture", WALK_DIR_READ),
	STD("read::read_to_end", "ReadToEndFuture", WALK_DIR_READ),
	STD("read::read_to_string", "ReadToStringFuture", WALK_DIR_READ),
	STD("buf_read::read_line", "ReadLineFuture", WALK_DIR_READ),
	STD("buf_read::read_until", "ReadUntilFuture", WALK_DIR_READ),
	STD("write::write", "WriteFuture", WALK_DIR_WRITE),
	STD("write::write_vectored", "WriteVectoredFuture", WALK_DIR_WRITE),
	STD("write::write_all", "WriteAllFuture", WALK_DIR_WRITE),
	STD("write::write_fmt", "WriteFmtFuture", WALK_DIR_WRITE),
	STD("write::flush", "FlushFuture", WALK_DIR_WRITE),

	/* They yield: they wake themselves at once. */
	{ .type = "futures_lite::future::YieldNow", .key = WALK_KEY_YIELD },
	{ .type = "async_std::task::yield_now::YieldNow", .key = WALK_KEY_YIELD },
};

static const struct runtime_wrapper wrappers[] = {
	/* async-executor: lib.rs; async-task: runnable.rs, spawn_local */
	{ "async_executor::AsyncCallOnDrop", "future", NULL },
	{ "async_task::runnable::{impl}::spawn_local::Checked", "inner", NULL },
	/* async-std: task/builder.rs, future/timeout.rs, io/timeout.rs */
	{ "async_std::task::builder::SupportTaskLocals", "future", NULL },
	{ "async_std::future::timeout::TimeoutFuture", "future", "delay" },
	{ "async_std::io::timeout::Timeout", "future", "timeout" },
};

enum {
	HEADER_STATE, HEADER_VTABLE, VTABLE_POLL, VTABLE_SCHEDULER,
	STATE_DATA, ACTIVE_ENTRIES, ACTIVE_NR, ACTIVE_ENTRY, ACTIVE_TASK, LAYOUT_NR
};

/* async-executor: the closure that schedules tasks has an Arc of this */
#define STATE	"alloc::sync::Arc<async_executor::State, alloc::alloc::Global>"
#define ENTRY	"slab::Entry<core::task::wake::Waker>"

static const struct runtime_layout layouts[LAYOUT_NR] = {
	[HEADER_STATE] = { "header.state", "async_task::header::Header<()>", "state" },
	[HEADER_VTABLE] = { "header.vtable", "async_task::header::Header<()>", "vtable" },
	[VTABLE_POLL] = { "vtable.poll", "async_task::raw::TaskVTable", "run" },
	/* what schedules a task is stored in the task */
	[VTABLE_SCHEDULER] = { "vtable.scheduler", "async_task::raw::TaskVTable",
			       "layout_info.*.offset_s" },
	/* threads that run tasks have a reference to it: Runner, Ticker */
	[STATE_DATA] = { "state", STATE, "*.data" },
	/* Mutex<Slab<Waker>>: a task is in it until it has completed or been dropped */
	[ACTIVE_ENTRIES] = { "active.entries", STATE, "*.data.active.data.entries.buf.ptr" },
	[ACTIVE_NR] = { "active.nr", STATE, "*.data.active.data.entries.len" },
	[ACTIVE_ENTRY] = { "active.entry", ENTRY, "" },
	[ACTIVE_TASK] = { "active.task", ENTRY, "Occupied.data" },
};

static const struct runtime_list lists[] = {
	{ "async_executor", true, ACTIVE_ENTRIES, ACTIVE_NR, ACTIVE_TASK, ACTIVE_ENTRY,
	  RUNTIME_NO_LAYOUT, false },
};

/* Jobs of the blocking crate, and tasks of hand-written executors, are in no list. */
static const struct runtime_tasks tasks = {
	.header_vtable		= HEADER_VTABLE,
	.vtable_poll		= VTABLE_POLL,
	.vtable_trailer		= RUNTIME_NO_LAYOUT,
	.vtable_scheduler	= VTABLE_SCHEDULER,
	.trailer_next		= RUNTIME_NO_LAYOUT,
	.lists			= lists,
	.nr_lists		= ARRAY_SIZE(lists),
	.context		= RUNTIME_NO_LAYOUT,
	.on_stack		= STATE_DATA,
};

const struct runtime runtime_async_task = {
	.name			= "async-task",
	.crate			= "async_task|async_executor|async_global_executor|async_io|"
				  "async_std|blocking|smol|futures_lite|async_lock|"
				  "async_channel|event_listener|event_listener_strategy",
	.fns			= fns,
	.nr_fns			= ARRAY_SIZE(fns),
	/* raw.rs: RawTask<F, T, S, M> consists of pointers to the parts */
	.cell_type		= "async_task::raw::RawTask",
	.future_param		= "F",
	.scheduler_param	= "S",
	.scheduler_nr		= 2,
	.cell_parts		= "header,schedule,future|output",
	.cell_future		= "future",
	.status			= { .off = 8, .width = 8, .running = RUNNING,
				    .complete = COMPLETED | CLOSED, .notified = SCHEDULED,
				    .cancelled = CLOSED, .completed = COMPLETED | TOO_MANY,
				    .freed = TOO_MANY,
				    .not_new = RUNNING | COMPLETED | CLOSED },
	.status_layout		= HEADER_STATE,
	/* blocking: lib.rs; other futures that run there may wait */
	.blocking_future	= "blocking::unblock::{async_block_env#0}",
	.job_param		= "#1",
	.io_type		= "async_io::reactor::Source",
	.io_key			= "key",
	.io_handle		= "async_io::Async",
	.poll_through		= "async_task::runnable::Runnable::run",
	.usual_vtable_off	= 0,
	.usual_poll_off		= 0x28,	/* raw.rs, 4.0 to 4.7 */
	.spawns_in_table	= true,
	.tasks			= &tasks,
	.leaves			= leaves,
	.nr_leaves		= ARRAY_SIZE(leaves),
	.wrappers		= wrappers,
	.nr_wrappers		= ARRAY_SIZE(wrappers),
	.hidden			= "async_executor::AsyncCallOnDrop|"
				  "async_std::task::builder::SupportTaskLocals",
	/* async-std: task/sleep.rs, a timeout around a future that never completes */
	.never			= "async_std::future::pending::pending::{async_fn_env#0}",
	.layouts		= layouts,
	.nr_layouts		= ARRAY_SIZE(layouts),
};
