/* SPDX-License-Identifier: GPL-2.0 */
/*
 * monoio, as data: a runtime with a ring of io_uring for each thread, which waits in
 * io_uring_enter and whose tasks never leave their thread. Its tasks look much like tokio's,
 * from which they are derived; but they are in no list, a waker's functions are generic, and
 * a task is only freed behind its poll.
 *
 * Names are those of monoio 0.2; file names in comments are relative to its src/.
 */
#include "runtime/runtime.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define TASK	"monoio::task::"

static const struct runtime_fn fns[] = {
	/* In the vtable of tasks: task/raw.rs */
	{ RUNTIME_FN_POLL, TASK "raw::poll", 0, false },
	/* When nothing refers to it any more, and it has completed or the runtime has ended. */
	{ RUNTIME_FN_DROP, TASK "raw::dealloc", 0, false },
	/* task/waker.rs: in a RawWakerVTable for each task type */
	{ RUNTIME_FN_WAKE, TASK "waker::wake_by_val", 0, false },
	{ RUNTIME_FN_WAKE, TASK "waker::wake_by_ref", 0, false },
	/*
	 * time/driver/mod.rs, driver/uring/mod.rs: implementations of Driver. The waker of a root
	 * only sets a flag of the thread and has no data, so its wakes are not seen.
	 */
	{ RUNTIME_FN_PARK, "monoio::time::driver::{impl}::park", 0, false },
	{ RUNTIME_FN_PARK, "monoio::time::driver::{impl}::submit", 0, false },
	{ RUNTIME_FN_PARK, "monoio::driver::uring::{impl}::park", 0, false },
	{ RUNTIME_FN_PARK, "monoio::driver::uring::{impl}::submit", 0, false },
};

/* runtime.rs: in a closure for the thread's context in one for the driver's */
static const struct runtime_root roots[] = {
	{ "monoio::runtime::{impl}::block_on::{closure}::{closure}", true, false, "F" },
};

static const struct runtime_leaf leaves[] = {
	/* driver/op.rs; the index in the driver's slab is the operation's user_data */
	{ .type = "monoio::driver::op::Op", .key = WALK_KEY_OPERATION, .key_path = "index",
	  .by_value = true },
	/* time/driver/sleep.rs */
	{ .type = "monoio::time::driver::sleep::Sleep", .key = WALK_KEY_DEADLINE,
	  .key_path = "deadline" },
	/* task/join.rs */
	{ .type = TASK "join::JoinHandle", .key = WALK_KEY_TASK, .key_path = "raw.ptr.*" },
};

static const struct runtime_wrapper wrappers[] = {
	{ "monoio::time::timeout::Timeout", "value", "delay" },
};

enum { HEADER_STATE, HEADER_VTABLE, VTABLE_POLL, LAYOUT_NR };

static const struct runtime_layout layouts[LAYOUT_NR] = {
	[HEADER_STATE] = { "header.state", TASK "core::Header", "state" },
	[HEADER_VTABLE] = { "header.vtable", TASK "core::Header", "vtable" },
	[VTABLE_POLL] = { "vtable.poll", TASK "raw::Vtable", "poll" },
};

/* What is woken is in a queue of its thread; nothing has a list of all. */
static const struct runtime_tasks tasks = {
	RUNTIME_TASKS_SEARCHED(HEADER_VTABLE, VTABLE_POLL),
	/* task/state.rs: the count of references */
	.held			= ~0ull << 5,
};

const struct runtime runtime_monoio = {
	.name			= "monoio",
	.crate			= "monoio",
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
	/* task/state.rs */
	.status			= { .off = 0, .width = 8, .running = 1, .complete = 2,
				    .notified = 4 },
	.status_layout		= HEADER_STATE,
	.poll_through		= TASK "raw::RawTask::poll",
	.usual_vtable_off	= 8,
	.tasks			= &tasks,
	.leaves			= leaves,
	.nr_leaves		= ARRAY_SIZE(leaves),
	.wrappers		= wrappers,
	.nr_wrappers		= ARRAY_SIZE(wrappers),
	.layouts		= layouts,
	.nr_layouts		= ARRAY_SIZE(layouts),
};
