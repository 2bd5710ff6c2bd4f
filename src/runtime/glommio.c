// SPDX-License-Identifier: GPL-2.0
/*
 * glommio, as data: an executor for each thread, with three rings of io_uring (for latency, for
 * files that poll, and for all else), one of which the thread waits in. Its tasks are derived
 * from those of async-task, and never leave their thread; what block_on runs is one of them.
 *
 * An operation belongs to a Source, which has a number among all those of the executor, whichever
 * ring it is for. It has that number from when it is queued until its completion has been found,
 * and is submitted when all tasks have been polled. The user_data is the number plus one.
 *
 * Names are those of glommio 0.9; file names in comments are relative to its src/.
 */
#include "runtime/runtime.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define TASK	"glommio::task::"
#define RAW	TASK "raw::RawTask::"

/* task/state.rs; another bit is the handle's, and the others are never set */
#define SCHEDULED	(1 << 0)
#define RUNNING		(1 << 1)
#define COMPLETED	(1 << 2)
#define CLOSED		(1 << 3)
#define NO_STATE	0xe0

static const struct runtime_fn fns[] = {
	/* In the vtable of tasks: task/raw.rs */
	{ RUNTIME_FN_POLL, RAW "run", 0, false },
	/*
	 * Called for a new task, unless that is run at once; by a waker; by the poll of a task that
	 * was woken meanwhile; and for a task that is cancelled.
	 */
	{ RUNTIME_FN_NEW, RAW "schedule", 0, false },
	/* When a task that waits to be polled is dropped; elsewhere it is inlined. */
	{ RUNTIME_FN_END, RAW "drop_future", 0, false },
	/* In the RawWakerVTable, of which each task type has one. */
	{ RUNTIME_FN_WAKE, RAW "wake", 0, false },
	{ RUNTIME_FN_WAKE, RAW "wake_by_ref", 0, false },
};

/* sys/source.rs: from a Source to its number, which it has while it is in a ring or its queue */
#define NUMBER		"inner.*.value.value.enqueued.Some.id"

/*
 * What a future of a library waits for depends on what it holds: a TcpStream, a BufReader of one,
 * … A stream polls the descriptor, by one Source to read and another one to write.
 */
#define HELD(path, source, direction) \
	{ .type = path, .key = WALK_KEY_OPERATION, .dir = (direction), .search_io = true, \
	  .io_path = source ".Some." NUMBER, .by_value = true, .add = 1 }
#define READS(path)	HELD(path, "source_rx", WALK_DIR_READ)
#define WRITES(path)	HELD(path, "source_tx", WALK_DIR_WRITE)

static const struct runtime_leaf leaves[] = {
	/* sys/source.rs: all operations but those of streams wait here */
	{ .type = "glommio::sys::source::{impl}::collect_rw::{async_fn#0}::{closure_env#0}",
	  .key = WALK_KEY_OPERATION, .key_path = "*." NUMBER "|*.*." NUMBER, .by_value = true,
	  .add = 1 },

	/* timer/timer_impl.rs */
	{ .type = "glommio::timer::timer_impl::Timer", .key = WALK_KEY_DEADLINE,
	  .key_path = "inner.*.value.value.when" },
	/* task/join_handle.rs */
	{ .type = TASK "join_handle::JoinHandle", .key = WALK_KEY_TASK, .key_path = "raw_task.*" },

	/* sync/{semaphore,rwlock}.rs */
	{ .type = "glommio::sync::semaphore::Waiter", .key = WALK_KEY_ADDRESS,
	  .key_path = "semaphore.*", .ended_by = RUNTIME_SIDE_HOLDS },
	{ .type = "glommio::sync::rwlock::Waiter", .key = WALK_KEY_ADDRESS, .key_path = "rw.*",
	  .ended_by = RUNTIME_SIDE_HOLDS },
	/* channels/local_channel.rs: to send or to receive */
	{ .type = "glommio::channels::local_channel::Waiter", .key = WALK_KEY_ADDRESS,
	  .key_path = "channel.*.state.*.value" },

	/* futures-lite 1 and 2: io.rs */
	READS("futures_lite::io::ReadFuture"), READS("futures_lite::io::ReadVectoredFuture"),
	READS("futures_lite::io::ReadToEndFuture"), READS("futures_lite::io::ReadToStringFuture"),
	READS("futures_lite::io::ReadExactFuture"), READS("futures_lite::io::ReadUntilFuture"),
	READS("futures_lite::io::ReadLineFuture"), READS("futures_lite::io::FillBuf"),
	WRITES("futures_lite::io::WriteFuture"), WRITES("futures_lite::io::WriteVectoredFuture"),
	WRITES("futures_lite::io::WriteAllFuture"), WRITES("futures_lite::io::FlushFuture"),
	WRITES("futures_lite::io::CloseFuture"),

	/* futures-util 0.3: io/ */
	READS("futures_util::io::read::Read"), READS("futures_util::io::read_vectored::ReadVectored"),
	READS("futures_util::io::read_exact::ReadExact"),
	READS("futures_util::io::read_to_end::ReadToEnd"),
	READS("futures_util::io::read_to_string::ReadToString"),
	READS("futures_util::io::read_until::ReadUntil"),
	READS("futures_util::io::read_line::ReadLine"),
	READS("futures_util::io::fill_buf::FillBuf"),
	WRITES("futures_util::io::write::Write"), WRITES("futures_util::io::write_all::WriteAll"),
	WRITES("futures_util::io::write_vectored::WriteVectored"),
	WRITES("futures_util::io::flush::Flush"), WRITES("futures_util::io::close::Close"),
};

/* timer/timer_impl.rs */
static const struct runtime_wrapper wrappers[] = {
	{ "glommio::timer::timer_impl::Timeout", "future", "timeout" },
};

enum { HEADER_STATE, HEADER_VTABLE, VTABLE_POLL, LAYOUT_NR };

static const struct runtime_layout layouts[LAYOUT_NR] = {
	[HEADER_STATE] = { "header.state", TASK "header::Header", "state" },
	[HEADER_VTABLE] = { "header.vtable", TASK "header::Header", "vtable" },
	[VTABLE_POLL] = { "vtable.poll", TASK "raw::TaskVTable", "run" },
};

/* What is woken is in a queue of its executor; nothing has a list of all. */
static const struct runtime_tasks tasks = {
	RUNTIME_TASKS_SEARCHED(HEADER_VTABLE, VTABLE_POLL),
};

const struct runtime runtime_glommio = {
	.name			= "glommio",
	.crate			= "glommio",
	.fns			= fns,
	.nr_fns			= ARRAY_SIZE(fns),
	/* task/raw.rs: RawTask<F, R, S> consists of pointers to the parts */
	.cell_type		= TASK "raw::RawTask",
	.future_param		= "F",
	.scheduler_param	= "S",
	.scheduler_nr		= 2,
	.cell_parts		= "header,schedule,future|output",
	.cell_future		= "future",
	/* Not in the first two words of a freed task, which the allocator overwrites. */
	.status			= { .off = 34, .width = 1, .running = RUNNING,
				    .complete = COMPLETED | CLOSED, .notified = SCHEDULED,
				    .cancelled = CLOSED, .completed = COMPLETED,
				    .freed = NO_STATE,
				    .not_new = RUNNING | COMPLETED | CLOSED },
	.status_layout		= HEADER_STATE,
	/* net/stream.rs */
	.io_type		= "glommio::net::stream::NonBufferedStream",
	.poll_through		= TASK "task_impl::Task::run|" TASK "task_impl::Task::run_right_away",
	.usual_vtable_off	= 24,
	.usual_poll_off		= 0x28,
	.tasks			= &tasks,
	.leaves			= leaves,
	.nr_leaves		= ARRAY_SIZE(leaves),
	.wrappers		= wrappers,
	.nr_wrappers		= ARRAY_SIZE(wrappers),
	.layouts		= layouts,
	.nr_layouts		= ARRAY_SIZE(layouts),
};
