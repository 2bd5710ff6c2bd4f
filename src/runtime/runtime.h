/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A runtime adapter: what one async runtime calls its parts, as data.
 *
 * The image model reads these tables to know which functions are poll
 * functions, wakers and so on, where a task's future lies, and what its leaf
 * futures wait for. Names are matched against paths as DWARF and demangled
 * symbols spell them, generics cut off ("tokio::runtime::task::raw::poll").
 * No offset is stated here: layouts come from the target's DWARF.
 */
#ifndef DWELL_RUNTIME_H
#define DWELL_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "walk.h"

/* What a probed function means. Append only: it is in the cache. */
enum runtime_fn_role {
	RUNTIME_FN_POLL		= 0,	/* polls a task: one function per task type */
	RUNTIME_FN_WAKE		= 1,	/* wakes a task */
	RUNTIME_FN_NEW		= 2,	/* a task enters the runtime */
	RUNTIME_FN_DROP		= 3,	/* a task's memory is freed; not all frees need pass here */
	/*
	 * A task's life ends: it completed or was cancelled. Its memory may be
	 * freed before the function returns, or live on for its handles; wakes
	 * and polls without effect may still come as long as it does.
	 */
	RUNTIME_FN_END		= 4,
	/* The code that polls a root, a future that block_on was given: see runtime_root. */
	RUNTIME_FN_ROOT		= 5,
	/*
	 * Whoever blocks on a root calls it when the root is Pending: to sleep, or to do
	 * something else meanwhile. It takes no task.
	 */
	RUNTIME_FN_PARK		= 6,
	/*
	 * Wakes a root, or copies a waker of one; the argument is the waker's data. For
	 * roots whose thread does other things while they are Pending. Of others, which
	 * sleep until they are woken, the kernel tells.
	 */
	RUNTIME_FN_ROOT_WAKE	= 7,
	RUNTIME_FN_ROOT_CLONE	= 8,
	RUNTIME_FN_NR
};

struct runtime_fn {
	enum runtime_fn_role	 role;
	const char		*path;	/* without generics */
	uint8_t			 arg;	/* which argument holds the task, 0 = rdi, 1 = rsi, … */
	bool			 inlined;	/* copies inlined into others are probed too */
};

/*
 * A function that polls a future, of any of its generic types, until that is done, and
 * has it in its frame, or a pinned reference to it: block_on. What it is inlined into
 * has the root as well.
 */
struct runtime_root {
	const char	*path;		/* as runtime_fn.path; {impl}, {closure}: of any number */
	bool		 shares;	/* in between it polls tasks, from the same frame */
	/* It polls nothing itself: what it calls does, and it has the reference meanwhile. */
	bool		 holds;
};

/* A leaf future, or a wrapper whose inside needs a word. */
struct runtime_leaf {
	/*
	 * Path without generics; an env type by "fn path::{async_fn_env#0}", a
	 * PollFn by its closure: "fn path::{async_fn#0}::{closure_env#0}" (the
	 * type of member "f"). A component {impl} stands for any {impl#N}.
	 */
	const char	*type;
	/*
	 * WALK_KEY_IO that does not resolve (or has neither path nor search):
	 * the driver wakes it, one cannot tell by what. Not a known leaf then,
	 * but one that is not looked through.
	 */
	enum walk_key_kind key;
	uint8_t		 dir;		/* WALK_KEY_IO: enum walk_dir; 0: read it at dir_path */
	/*
	 * Dotted member names from the leaf to the key. '*' dereferences
	 * (a reference, Box, NonNull, raw pointer); an Arc or Rc is a pointer
	 * to its inner block: "*.data"; a Box or reference of a slice leads to
	 * its first element. Newtype levels may be left out: a name, and the
	 * pointer for a '*', is searched through structs of one non-empty
	 * member and through enums of which one variant has members; of others a
	 * variant has to be named.
	 * Several alternatives, for different versions, are parted by '|'.
	 */
	const char	*key_path;
	const char	*dir_path;
	uint16_t	 dir_read, dir_write;	/* bits of what is there that mean it */
	/* The number at the path's end is the key; else its address, or what is in a pointer. */
	bool		 by_value;
	/*
	 * Generic leaves such as Read<'_, R>: if true and key_path does not
	 * resolve, search the type breadth first (members, references, Arc,
	 * at most 3 dereferences) for io_type. The nearest counts, unless there
	 * are two as near: a type seen before must not hide a second way.
	 */
	bool		 search_io;
};

/* A wrapper with a main future and side ones (tokio's Timeout). */
struct runtime_wrapper {
	const char	*type;
	const char	*main;		/* member followed */
	const char	*side;		/* member that may end the wait instead, or NULL */
};

/*
 * A layout that the recorder needs to walk the runtime's own structures
 * through the target's memory. Resolved to offsets by the image model;
 * the result has the same index.
 */
struct runtime_layout {
	const char	*name;		/* e.g. "owned.shards" */
	const char	*type;
	const char	*path;		/* as runtime_leaf.key_path */
};

/* What stands for a layout where the runtime has nothing of the kind. */
#define RUNTIME_NO_LAYOUT	0xffff

/* A kind of scheduler, and how to get from its shared part A to its lists of tasks. */
struct runtime_list {
	/* As image_fn.scheduler has it, or a path that it is below; "": whatever has another. */
	const char	*scheduler;
	/*
	 * Layouts, whose paths start at a structure that holds an Arc of A: what counts
	 * is from off[1] on. Either all tasks are in one list, whose first task is at
	 * head, or there are nr_shards lists, the first at what shards points to, each
	 * as long as the size of shard, each with its first task at the last offset of
	 * shard_head. sharded false: there is head alone.
	 */
	bool		sharded;
	uint16_t	shards, nr_shards, shard_head, shard, head;
};

/*
 * How the runtime's tasks are found in memory: indices of its layouts. From a task's
 * header H:
 *
 *	V = *(H + header_vtable)
 *	A = *(H + *(V + vtable_scheduler))
 *	next of its list at H + *(V + vtable_trailer) + trailer_next, 0 at its end
 *
 * Without trailer_next each list is of one task, or of none: then there are as many.
 */
struct runtime_tasks {
	uint16_t			 header_vtable;
	uint16_t			 vtable_poll;		/* address of its poll function */
	/* offsets, there or one hop on */
	uint16_t			 vtable_trailer, vtable_scheduler;
	uint16_t			 trailer_next;
	const struct runtime_list	*lists;
	size_t				 nr_lists;
	/*
	 * In a thread's context: the runtime that it belongs to, two words, one of
	 * which is A of one kind or the other, or none.
	 */
	uint16_t			 context;
	/*
	 * Where threads have no such context, those that run tasks have a pointer into A on
	 * their stacks: from a structure that holds an Arc of A, where that leads.
	 */
	uint16_t			 on_stack;
};

/*
 * Who waits in an object of the reactor, which is known to the kernel by its address:
 * indices of layouts. A waker is its data pointer, a task's header if its vtable is the
 * runtime's, and its vtable pointer, 0 for none.
 */
struct runtime_reactor {
	uint16_t	reader, reader_vtable;		/* of poll_read and the like */
	uint16_t	writer, writer_vtable;
	uint16_t	waiters;	/* pointer to the first of a list, 0: none; of each … */
	uint16_t	waiter_next, waiter_waker, waiter_vtable, waiter_interest;
	uint16_t	interest_read, interest_write;	/* bits of that */
};

struct runtime {
	const char			*name;		/* "tokio" */
	/* Frames below "crate::" are the runtime's; several crates are parted by '|'. */
	const char			*crate;
	const struct runtime_fn		*fns;		/* nr_fns */
	size_t				 nr_fns;
	const struct runtime_root	*roots;		/* nr_roots */
	size_t				 nr_roots;
	/*
	 * The task's allocation: a generic type, which has the same parameters as the
	 * poll function, and the way to the future. NULL: it has no tasks, only roots.
	 */
	const char			*cell_type;	/* "tokio::runtime::task::core::Cell" */
	const char			*future_param;	/* the future's parameter: "T" */
	const char			*scheduler_param; /* who schedules it: "S" */
	uint32_t			 scheduler_nr;	/* its place among them; the future is 0 */
	/* Either an enum that the future is in, … */
	const char			*stage_path;	/* to the enum: "core.stage" */
	const char			*stage_variant;	/* "Running" */
	/*
	 * … or the allocation has no type, and cell_type is a structure of pointers to
	 * its parts: these members, in the order in which the parts lie, each aligned, as
	 * in C. Parted by ','; those that lie in the same place, as in a union, by '|'.
	 */
	const char			*cell_parts;	/* "header,schedule,future|output" */
	const char			*cell_future;	/* "future" */
	/*
	 * The word of a task's header that tells its state: where it is unless
	 * layouts[status_layout] says otherwise, and what its bits mean.
	 */
	struct walk_status		 status;
	size_t				 status_layout;
	/* A blocking job is told by its scheduler, or by its future; NULL: not by that. */
	const char			*blocking_scheduler;
	const char			*blocking_future;
	/*
	 * Parameter of the job's future, which is what it runs; or its number, "#0" is the
	 * first: a coroutine has its parameters in its name only.
	 */
	const char			*job_param;
	/*
	 * The module whose blocking jobs are the runtime's own workers, at its
	 * start and when one is handed over to another thread: the poll of such
	 * a job lasts as long as the worker, and polls tasks. Or NULL.
	 */
	const char			*worker_jobs;
	/*
	 * Functions that nothing but a worker's job comes to, its loop and what
	 * the loop calls, parted by '|': they tell the job where no name does. Or NULL.
	 */
	const char			*worker_loop;
	const char			*io_type;	/* the reactor's per-fd object */
	/* Where that has the number that the driver knows it by; NULL: by its address. */
	const char			*io_key;
	const char			*io_handle;	/* who waits for an fd has one; or NULL */
	/* In the mangled name of the thread-local variable with a thread's context; or NULL. */
	const char			*context_symbol;
	/*
	 * A function of the runtime that does nothing but jump to a task's poll
	 * function, where it has not been inlined: its calls are returned to.
	 */
	const char			*poll_through;
	/*
	 * Where a task's header has its table in most versions, and the table the poll
	 * function: a hint for probe sites. Both 0: none.
	 */
	uint32_t			 usual_vtable_off, usual_poll_off;
	/* Each task's table has the function that new ones come by: none is unseen. */
	bool				 spawns_in_table;
	/* What is not recorded, for the user; or NULL. */
	const char			*not_covered;
	const struct runtime_tasks	*tasks;		/* NULL: they are not found in memory */
	const struct runtime_reactor	*reactor;	/* NULL: no such objects */
	const struct runtime_leaf	*leaves;
	size_t				 nr_leaves;
	const struct runtime_wrapper	*wrappers;
	size_t				 nr_wrappers;
	/* Of these, those that it puts around each task: no frame. Parted by '|'; or NULL. */
	const char			*hidden;
	/* A future that waits for nothing, never: a wrapper with it as its main one has a side. */
	const char			*never;
	const struct runtime_layout	*layouts;
	size_t				 nr_layouts;
};

/* All adapters, in order of preference; ends with a null pointer. */
extern const struct runtime *const runtimes[];
extern const struct runtime runtime_tokio, runtime_async_task;
/* executors.c */
extern const struct runtime runtime_futures, runtime_pollster, runtime_async_io;

/*
 * All of what the adapters of @list (which ends with a null pointer), libraries.c and
 * others.c say that a model depends on, as a number: another one if any of it changes.
 */
uint64_t runtimes__digest(const struct runtime *const *list);

/* A runtime without an adapter, by a path that begins the names of functions of it. */
struct runtime_other {
	const char	*name;		/* as its users know it */
	const char	*path;		/* "glib::main_context" */
};

/* Ends with a null name. */
extern const struct runtime_other other_runtimes[];

/* Leaves that any runtime may poll, of libraries: libraries.c. */
extern const struct runtime_leaf library_leaves[];
extern const size_t nr_library_leaves;
/*
 * Crates whose futures are put around another one and say nothing of it: a task is named
 * by what they hold. Parted by '|'.
 */
extern const char library_adapters[];

#endif /* DWELL_RUNTIME_H */
