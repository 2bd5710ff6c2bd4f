// SPDX-License-Identifier: GPL-2.0
/*
 * compio, as data: a runtime with a ring of io_uring for each thread, which waits in
 * io_uring_enter. Its tasks never leave their thread. A task's cell has a union of its future and
 * its result, and what runs it learns from the poll's return that it has completed.
 *
 * Names are those of compio-executor 0.1, compio-runtime 0.12 and compio-driver 0.12; file names
 * in comments are relative to these crates' src/.
 */
#include "runtime/runtime.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* compio-executor: task/mod.rs */
#define ALLOC		"compio_executor::task::TaskAlloc::"

/* compio-executor: task/state.rs; references are counted above them */
#define SCHEDULED	(1 << 0)
#define COMPLETED	(1 << 4)
#define NOT_CANCELLED	(1 << 6)
#define REFERENCES	(~0ull << 7)

static const struct runtime_fn fns[] = {
	/* In the vtable of tasks, of which each task type has one. */
	{ RUNTIME_FN_POLL, ALLOC "run_future", 0, false },
	/* Called for a task that is cancelled, and for a result that nobody takes. */
	{ RUNTIME_FN_END, ALLOC "drop_future", 0, false },
	{ RUNTIME_FN_DROP, ALLOC "dealloc", 0, false },
	/* compio-executor: waker.rs */
	{ RUNTIME_FN_WAKE, "compio_executor::task::Task::wake", 0, false },
	{ RUNTIME_FN_WAKE, "compio_executor::task::Task::wake_by_ref", 0, false },
	/*
	 * compio-driver: lib.rs; compio-runtime: lib.rs. The waker of a root only notifies the
	 * driver, so its wakes are not seen.
	 */
	{ RUNTIME_FN_PARK, "compio_driver::Proactor::poll", 0, false },
	{ RUNTIME_FN_PARK, "compio_runtime::Runtime::poll_with", 0, false },
};

/* compio-runtime: lib.rs; in closures for catch_unwind and for the thread's context */
static const struct runtime_root roots[] = {
	{ "compio_runtime::{impl}::block_on_at::{closure}::{closure}", true, false, "F" },
};

static const struct runtime_leaf leaves[] = {
	/* compio-runtime: future/future.rs; a key is the address of the operation, its user_data */
	{ .type = "compio_runtime::future::future::Submit", .key = WALK_KEY_OPERATION,
	  .key_path = "state.Some.Submitted.key", .by_value = true },
	/* compio-runtime: time/{future,runtime}.rs */
	{ .type = "compio_runtime::time::future::TimerFuture", .key = WALK_KEY_DEADLINE,
	  .key_path = "key.deadline" },
	/* compio-executor: join_handle.rs */
	{ .type = "compio_executor::join_handle::JoinHandle", .key = WALK_KEY_TASK,
	  .key_path = "task.Some.*" },
};

enum { HEADER_STATE, HEADER_VTABLE, VTABLE_POLL, LAYOUT_NR };

static const struct runtime_layout layouts[LAYOUT_NR] = {
	[HEADER_STATE] = { "header.state", "compio_executor::task::Header", "state" },
	[HEADER_VTABLE] = { "header.vtable", "compio_executor::task::Header", "vtable" },
	[VTABLE_POLL] = { "vtable.poll", "compio_executor::task::TaskVtable", "run_future" },
};

/* The executor has all in a SlotMap, the way to which is not known. */
static const struct runtime_tasks tasks = {
	RUNTIME_TASKS_SEARCHED(HEADER_VTABLE, VTABLE_POLL),
	.held			= REFERENCES,
	.whole			= NOT_CANCELLED,
};

const struct runtime runtime_compio = {
	.name			= "compio",
	.crate			= "compio_runtime|compio_executor|compio_driver|compio_net|compio_io|"
				  "compio_fs|compio_buf|compio",
	.fns			= fns,
	.nr_fns			= ARRAY_SIZE(fns),
	.roots			= roots,
	.nr_roots		= ARRAY_SIZE(roots),
	.cell_type		= "compio_executor::task::TaskAlloc",
	.future_param		= "F",
	.scheduler_param	= "F",
	.scheduler_nr		= 0,
	.stage_path		= "future",
	.status			= { .width = 8, .returned = 1, .complete = COMPLETED,
				    .notified = SCHEDULED },
	.status_layout		= HEADER_STATE,
	.tasks			= &tasks,
	.leaves			= leaves,
	.nr_leaves		= ARRAY_SIZE(leaves),
	.layouts		= layouts,
	.nr_layouts		= ARRAY_SIZE(layouts),
};
