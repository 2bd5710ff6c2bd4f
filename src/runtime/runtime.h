/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A runtime adapter: the names of the parts of one async runtime, as data.
 *
 * The image model reads these tables to find out which functions are poll functions,
 * wakers and so on, where a task's future lies, and what its leaf futures wait for.
 * Names are compared with paths as in DWARF and demangled symbols, without generics
 * ("tokio::runtime::task::raw::poll"). Offsets are not in the tables: layouts come from
 * the target's DWARF.
 */
#ifndef DWELL_RUNTIME_H
#define DWELL_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "walk.h"

/* What a probed function does. Append only: cached models contain it. */
enum runtime_fn_role {
	RUNTIME_FN_POLL		= 0,	/* polls a task: one function per task type */
	RUNTIME_FN_WAKE		= 1,	/* wakes a task */
	RUNTIME_FN_NEW		= 2,	/* a task enters the runtime */
	RUNTIME_FN_DROP		= 3,	/* frees a task's memory; not every free comes through it */
	/*
	 * Ends a task's life: it has completed or been cancelled. Its memory may be
	 * freed before the function returns, or may live on because of handles; as long
	 * as it does, wakes and polls without effect are possible.
	 */
	RUNTIME_FN_END		= 4,
	/* Polls a root, a future that was passed to block_on: see runtime_root. */
	RUNTIME_FN_ROOT		= 5,
	/*
	 * Called in block_on when the root is Pending, to sleep or to do other work
	 * meanwhile. It takes no task.
	 */
	RUNTIME_FN_PARK		= 6,
	/*
	 * Wakes a root, or clones its waker; the argument is the waker's data. Only
	 * needed if the root's thread does other work while the root is Pending. A
	 * thread that sleeps until its root is woken is woken by the kernel, which
	 * shows it.
	 */
	RUNTIME_FN_ROOT_WAKE	= 7,
	RUNTIME_FN_ROOT_CLONE	= 8,
	/*
	 * Puts a blocking job into the pool's queue. It may be called with other jobs too: of
	 * those whose poll function has no probe, nothing is recorded.
	 */
	RUNTIME_FN_JOB		= 9,
	RUNTIME_FN_NR
};

struct runtime_fn {
	enum runtime_fn_role	 role;
	const char		*path;	/* without generics */
	uint8_t			 arg;	/* the argument that is the task: 0 = rdi, 1 = rsi, … */
	bool			 inlined;	/* also probe copies inlined into other functions */
};

/*
 * A function that polls a future of one of its generic types until it is done, and has
 * the future or a pinned reference to it in its frame: block_on. If it is inlined into
 * another function, that one has the root in its frame.
 */
struct runtime_root {
	/* as in runtime_fn.path; {impl} and {closure} match any number */
	const char	*path;
	bool		 shares;	/* between the polls it polls tasks, from the same frame */
	/*
	 * True: it does not poll, but a function that it calls does, and it has the
	 * reference during that call.
	 */
	bool		 holds;
	const char	*param;		/* the generic parameter that is the root; NULL: any */
};

/* The sides of a resource; a set of them is a sum. */
enum runtime_side {
	RUNTIME_SIDE_HOLDS	= 1,	/* has a lock, a permit: others get it when it is dropped */
	RUNTIME_SIDE_SENDS	= 2,	/* may send a value, or close by being dropped */
	RUNTIME_SIDE_RECEIVES	= 4,	/* takes values out, or closes by being dropped */
	/* Of a leaf only. */
	RUNTIME_SIDE_WAKES	= 8,	/* by whom: see runtime_handle.wakes_path */
	RUNTIME_SIDE_TASKS	= 16,	/* the tasks of a set: see runtime_set */
};

/* What a connection whose streams share windows (HTTP/2) tells of itself and of a stream. */
enum runtime_window {
	/* of the connection */
	RUNTIME_WINDOW_RECV	= 0,	/* bytes that the peer may still send */
	RUNTIME_WINDOW_HELD,		/* that it has sent and nobody has given back */
	RUNTIME_WINDOW_SEND,		/* that the peer still takes */
	/* of a stream */
	RUNTIME_STREAM_ID,
	RUNTIME_STREAM_RECV,		/* as above, but of this stream alone */
	RUNTIME_STREAM_HELD,
	RUNTIME_STREAM_SEND,
	RUNTIME_STREAM_READER,		/* not 0: a task waits for data … */
	RUNTIME_STREAM_WRITER,		/* … or for room, or did so when it was polled last */
	RUNTIME_WINDOW_NR
};

#define RUNTIME_WINDOW_STREAM	RUNTIME_STREAM_ID	/* the first that is of a stream */

/*
 * How to find the stream of a handle, as paths without dereferences. Without index, id, …: the
 * value is a part of what reads and writes the connection, and changes whenever that does so.
 */
struct runtime_stream {
	const char	*handle;	/* runtime_handle.type */
	const char	*index;		/* in the handle: its number among the streams … */
	const char	*id;		/* … and its identifier */
	const char	*streams;	/* in the connection: a Vec of entries */
	/* by enum runtime_window: in the connection, or in an entry */
	const char	*windows[RUNTIME_WINDOW_NR];
};

/* A value whose owner is on one side of a resource: a guard, a permit, a sender. */
struct runtime_handle {
	const char	*type;		/* without generics */
	uint8_t		 side;		/* enum runtime_side */
	/*
	 * As in runtime_leaf.key_path: to the object that it belongs to. Whoever waits for
	 * an address in that object waits for this resource.
	 */
	const char	*object_path;
	const char	*amount_path;	/* to the number of permits that it holds; NULL: one */
	/* from the object, to the number of such handles that exist; NULL: see only */
	const char	*count_path;
	bool		 only;		/* there is at most one at a time */
	/*
	 * From the object to the member where the other side waits until it is woken through
	 * such a handle; NULL: it does not wait like that.
	 */
	const char	*wakes_path;
};

/*
 * The messages in a channel, in a list of blocks, as paths without dereferences but the one of
 * `first'. All are in the object that a receiver belongs to, or in a block.
 */
struct runtime_messages {
	const char	*first;		/* to the first block */
	const char	*number;	/* of the message that is received next; they are counted */
	const char	*block_number;	/* of the block's first message */
	const char	*block_next;	/* the next block; null: there is none */
	const char	*block_ready;	/* a word with a bit for each message that is there */
	const char	*block_messages;	/* an array of them */
};

/*
 * Leaves that a task waits in when it has nothing to do: such a wait is no fault of anybody.
 * Append only: cached models contain it.
 */
enum runtime_idle {
	RUNTIME_IDLE_NOT	= 0,
	RUNTIME_IDLE_QUEUE	= 1,	/* for work: a message, a value that is sent to many */
	RUNTIME_IDLE_TICK	= 2,	/* of an interval */
	RUNTIME_IDLE_SIGNAL	= 3,	/* to the process */
	RUNTIME_IDLE_TASKS	= 4,	/* the end of tasks, which have time of their own */
	/* Idle only beside another such leaf: what a shutdown is often told by. */
	RUNTIME_IDLE_BESIDE	= 5,
};

/* A leaf future, or a wrapper whose contents need an explanation. */
struct runtime_leaf {
	/*
	 * Path without generics. The type of an async fn: "fn path::{async_fn_env#0}";
	 * a PollFn by its closure, the type of member "f": "fn
	 * path::{async_fn#0}::{closure_env#0}". A component {impl} matches any
	 * {impl#N}.
	 */
	const char	*type;
	/*
	 * WALK_KEY_IO or _OPERATION whose path is not found in this binary (or that has
	 * neither path nor search): the driver wakes it, for an unknown reason. Then it is
	 * not a known leaf, but one whose inside is not known.
	 */
	enum walk_key_kind key;
	/* WALK_KEY_IO: enum walk_dir; 0: read from dir_path. WALK_KEY_OPERATION: 0 if not known */
	uint8_t		 dir;
	uint8_t		 add;		/* by_value: what is added to the number to get the key */
	/*
	 * Member names, separated by dots, from the leaf to the key. '*' dereferences
	 * (a reference, Box, NonNull, raw pointer). An Arc or Rc points to its inner
	 * block: "*.data". A Box or reference of a slice leads to its first element.
	 * Newtype levels may be omitted: a name, and the pointer for a '*', is searched
	 * for through structs with one non-empty member and through enums with one
	 * variant that has members; for other enums the variant must be named. If it is
	 * behind the last '*', the enum must have that variant, or there is no key.
	 * Alternatives for different versions are separated by '|'.
	 */
	const char	*key_path;
	const char	*dir_path;
	/* search_io: from io_type to the key, as in key_path; NULL: see runtime.io_key */
	const char	*io_path;
	/* search_io: the member that it carries, and does not poll, whatever type that is */
	const char	*data;
	/* bits of the value there that mean reading, writing */
	uint16_t	 dir_read, dir_write;
	/*
	 * True: the key is the number at the end of the path. False: its address, or
	 * the pointer stored there.
	 */
	bool		 by_value;
	/*
	 * For generic leaves such as Read<'_, R>. True: if key_path is not found,
	 * search the type breadth-first (through members, references and Arcs, with at
	 * most 3 dereferences) for io_type. The nearest one is used, unless two are
	 * equally near. (The search does not skip types that it has seen, which could
	 * hide the second one.)
	 */
	bool		 search_io;
	/* sides of the resource that can end the wait; 0: not known, or anything */
	uint8_t		 ended_by;
	uint8_t		 idle;		/* enum runtime_idle */
	/* member that the resource's queue of waiters links, or NULL */
	const char	*queue_node;
};

/* A wrapper with a main future and side futures (tokio's Timeout). */
struct runtime_wrapper {
	const char	*type;
	const char	*main;		/* member that is followed */
	const char	*side;		/* member that may end the wait instead, or NULL */
};

/*
 * A layout that the recorder needs to follow the runtime's own structures in the
 * target's memory. The image model resolves it to offsets, in a table with the same
 * index.
 */
struct runtime_layout {
	const char	*name;		/* e.g. "owned.shards" */
	/* without generics; of a generic type, the path must not depend on the parameters */
	const char	*type;
	const char	*path;		/* as in runtime_leaf.key_path */
};

/* In place of a layout that the runtime does not have. */
#define RUNTIME_NO_LAYOUT	0xffff

/* A kind of scheduler, and the way from its shared part A to its lists of tasks. */
struct runtime_list {
	/*
	 * As in image_fn.scheduler, or the path of a module that contains it; "": all
	 * others.
	 */
	const char	*scheduler;
	/*
	 * Layouts whose paths begin at a structure that holds an Arc of A; only off[1]
	 * and later offsets are used. sharded false: all tasks are in one list, whose
	 * first task is at head. sharded true: there are nr_shards lists; shards points
	 * to the first one, the size of layout shard is their distance, and the last
	 * offset of shard_head is that of the first task in each.
	 */
	bool		sharded;
	uint16_t	shards, nr_shards, shard_head, shard, head;
	/*
	 * Nothing that can be reached leads to these lists, or (head is RUNTIME_NO_LAYOUT) the
	 * runtime has none: the heap is searched for tasks.
	 */
	bool		searched;
};

/*
 * The pool of threads for blocking jobs of a kind of scheduler, as paths that begin where those
 * of runtime_list do: numbers of threads, of those without a job, of jobs in the queue, and
 * the most threads that there may be.
 */
struct runtime_pool {
	const char	*scheduler;	/* as in runtime_list */
	uint16_t	 threads, idle, queued, limit;
};

/*
 * How to find the runtime's tasks in memory, as indices of its layouts. From a task's
 * header H:
 *
 *	V = *(H + header_vtable)
 *	A = *(H + *(V + vtable_scheduler))
 *	next task of its list: *(H + *(V + vtable_trailer) + trailer_next), 0 at the end
 *
 * Without trailer_next each list contains at most one task; there are then as many
 * lists.
 */
struct runtime_tasks {
	uint16_t			 header_vtable;
	uint16_t			 vtable_poll;		/* address of its poll function */
	/* offsets stored there, or one dereference further */
	uint16_t			 vtable_trailer, vtable_scheduler;
	uint16_t			 trailer_next;
	const struct runtime_list	*lists;
	size_t				 nr_lists;
	/*
	 * In a thread's context: the runtime that the thread belongs to, in two words,
	 * one of which is A of one of the kinds; or none.
	 */
	uint16_t			 context;
	/*
	 * For runtimes whose threads have no such context: threads that run tasks have
	 * a pointer into A on their stacks. The layout, from a structure that holds an
	 * Arc of A, is where the pointer points.
	 */
	uint16_t			 on_stack;
	/*
	 * What a search finds is no task, but a rest of one, if its state word has none of the
	 * bits of held, or not all of those of whole. 0: not needed.
	 */
	uint64_t			 held, whole;
};

/*
 * Members of struct runtime_tasks of a runtime that has no list of its tasks within reach: the
 * heap is searched for addresses of their vtables. @header_vtable, @vtable_poll: layouts.
 */
extern const struct runtime_list runtime_searched[1];

#define RUNTIME_TASKS_SEARCHED(header_vtable_, vtable_poll_) \
	.header_vtable		= (header_vtable_), \
	.vtable_poll		= (vtable_poll_), \
	.vtable_trailer		= RUNTIME_NO_LAYOUT, \
	.vtable_scheduler	= RUNTIME_NO_LAYOUT, \
	.trailer_next		= RUNTIME_NO_LAYOUT, \
	.lists			= runtime_searched, \
	.nr_lists		= 1, \
	.context		= RUNTIME_NO_LAYOUT, \
	.on_stack		= RUNTIME_NO_LAYOUT

/*
 * The tasks that wait in an object of the reactor, whose address is the kernel's token,
 * as indices of layouts. A waker is two words: a data pointer, which is a task's header
 * if the vtable is the runtime's, and a vtable pointer, 0 for none.
 */
struct runtime_reactor {
	/* the waker of poll_read and similar functions */
	uint16_t	reader, reader_vtable;
	uint16_t	writer, writer_vtable;
	uint16_t	waiters;	/* pointer to the first of a list of waiters, 0: none */
	uint16_t	waiter_next, waiter_waker, waiter_vtable, waiter_interest;
	uint16_t	interest_read, interest_write;	/* bits in a waiter's interest */
};

/*
 * What permits are taken from, in turn: what most locks and bounded channels of a runtime
 * are made of. Indices of layouts; those of the waiter and of the queue lead to numbers or
 * pointers in the structure itself.
 */
struct runtime_semaphore {
	const char	*type;		/* the leaf that waits for permits */
	uint16_t	permits;	/* in the semaphore: the number that is free … */
	uint8_t		shift;		/* … shifted by so many bits, … */
	uint8_t		closed;		/* … and the bits that say that it is closed */
	uint16_t	first;		/* in the semaphore: the waiter that is next; 0: none */
	uint16_t	waiter_needs;	/* in a waiter: the permits that it still lacks */
	uint16_t	waiter_next;	/* in a waiter: the one behind it; 0: none */
	uint16_t	wants;		/* in the leaf: the permits that it asks for */
	uint16_t	queued;		/* in the leaf: it is or was in the queue */
};

/*
 * Where tasks that are ready wait to be polled, as indices of layouts. Those of a worker begin
 * at its thread's context (see runtime_tasks.context), and lead nowhere if the thread is none;
 * a queue of its own is a ring of pointers to headers, whose head may have another number in
 * its upper half.
 */
struct runtime_queues {
	const char	*scheduler;	/* as in runtime_list: the kind whose workers these are */
	uint16_t	slot;		/* the task that the worker polls next; 0: none */
	uint16_t	head, tail, ring;
	uint32_t	ring_size;	/* entries, a power of two */
	/* of the scheduler, from where runtime_list's paths begin: the first; 0: none */
	uint16_t	shared;
	uint16_t	next;		/* in a task's header: the next one; 0: none */
};

/*
 * A set of tasks, any of which ends the wait for it: two linked lists of entries. Indices of
 * layouts; lists, idle and notified begin at a structure that holds the pointer to the lists,
 * which the wait's key is the address of.
 */
struct runtime_set {
	uint16_t	lists;		/* where the pointer leads … */
	uint16_t	idle, notified;	/* … and the first entry of each list; 0: none */
	uint16_t	next;		/* in an entry: the next one; 0: none */
	uint16_t	task;		/* in an entry: the task's header */
};

struct runtime {
	const char			*name;		/* "tokio" */
	/*
	 * Frames whose path begins with this crate belong to the runtime. Several
	 * crates are separated by '|'.
	 */
	const char			*crate;
	const struct runtime_fn		*fns;		/* nr_fns */
	size_t				 nr_fns;
	const struct runtime_root	*roots;		/* nr_roots */
	size_t				 nr_roots;
	/*
	 * The generic type of a task's allocation, which has the same parameters as the
	 * poll function, and the path to the future. NULL: there are no tasks, only
	 * roots.
	 */
	const char			*cell_type;	/* "tokio::runtime::task::core::Cell" */
	const char			*future_param;	/* the parameter that is the future: "T" */
	/* the parameter that schedules it: "S"; future_param if there is none */
	const char			*scheduler_param;
	/* its index among the parameters; the future is 0 */
	uint32_t			 scheduler_nr;
	/* Either: the future is in an enum, … */
	const char			*stage_path;	/* path to the enum: "core.stage" */
	/* "Running"; NULL: stage_path leads to a union of the future and its result */
	const char			*stage_variant;
	/*
	 * … or: the allocation has no type, and cell_type is a structure of pointers to
	 * its parts. These are the pointer members, in the order of the parts, each of
	 * which is aligned as in C. Parts are separated by ','; parts that share one
	 * place, as in a union, by '|'.
	 */
	const char			*cell_parts;	/* "header,schedule,future|output" */
	const char			*cell_future;	/* "future" */
	/*
	 * The state word in a task's header, and the meaning of its bits. Its offset is
	 * overridden by layouts[status_layout], if there is one.
	 */
	struct walk_status		 status;
	size_t				 status_layout;
	/*
	 * A blocking job is recognised by this scheduler, or by its future below; NULL:
	 * not by that.
	 */
	const char			*blocking_scheduler;
	const char			*blocking_future;
	/*
	 * The generic parameter of the job's future that is the job; or its index, "#0"
	 * for the first, for a coroutine, which has its parameters only in its name.
	 */
	const char			*job_param;
	/*
	 * The module of those blocking jobs that are the runtime's own workers, started
	 * with the runtime or when a worker is handed to another thread. The poll of
	 * such a job lasts as long as the worker, and polls tasks. Or NULL.
	 */
	const char			*worker_jobs;
	/*
	 * Functions that only a worker's job calls, directly or indirectly (its loop,
	 * and what the loop calls), separated by '|'. The job is recognised by them if
	 * it has no name. Or NULL.
	 */
	const char			*worker_loop;
	/*
	 * Functions that hand the thread's worker to another thread and then call the
	 * program, which may block there, separated by '|'. Or NULL.
	 */
	const char			*gives_way;
	const char			*io_type;	/* the reactor's object for a descriptor */
	/*
	 * Where that object has the number that the driver identifies it by; NULL: by
	 * its address.
	 */
	const char			*io_key;
	/* type of the handle to it that a waiting future holds; or NULL */
	const char			*io_handle;
	/*
	 * Part of the mangled name of the thread-local variable with a thread's
	 * context; or NULL.
	 */
	const char			*context_symbol;
	/*
	 * Functions of the runtime that only jump to a task's poll function, separated by '|'.
	 * If one is not inlined, polls return to its callers.
	 */
	const char			*poll_through;
	/*
	 * In most versions, the offset of the vtable pointer in a task's header, and of
	 * the poll function in the vtable: a hint for probe sites. Both 0: none.
	 */
	uint32_t			 usual_vtable_off, usual_poll_off;
	/*
	 * Each task's vtable contains the function that gets new tasks, so every spawn
	 * is seen.
	 */
	bool				 spawns_in_table;
	/* What is not recorded, as a note for the user; or NULL. */
	const char			*not_covered;
	const struct runtime_tasks	*tasks;		/* NULL: tasks cannot be found in memory */
	const struct runtime_reactor	*reactor;	/* NULL: it has no such objects */
	const struct runtime_pool	*pools;		/* nr_pools */
	size_t				 nr_pools;
	const struct runtime_semaphore	*semaphore;	/* NULL: not described */
	const struct runtime_set	*set;		/* NULL: not described */
	const struct runtime_queues	*queues;	/* NULL: not described */
	const struct runtime_leaf	*leaves;
	size_t				 nr_leaves;
	const struct runtime_handle	*handles;
	size_t				 nr_handles;
	const struct runtime_messages	*messages;	/* or NULL */
	const struct runtime_wrapper	*wrappers;
	size_t				 nr_wrappers;
	/*
	 * Those wrappers that the runtime puts around each task; they make no frame.
	 * Separated by '|'; or NULL.
	 */
	const char			*hidden;
	/*
	 * A future that never completes. If it is a wrapper's main future, only the
	 * side future matters.
	 */
	const char			*never;
	const struct runtime_layout	*layouts;
	size_t				 nr_layouts;
};

/* All adapters, in order of preference; NULL ends the list. */
extern const struct runtime *const runtimes[];
extern const struct runtime runtime_tokio, runtime_async_task;
/* defined in executors.c */
extern const struct runtime runtime_futures, runtime_pollster, runtime_async_io;
extern const struct runtime runtime_tokio_uring, runtime_monoio, runtime_glommio;
extern const struct runtime runtime_compio;

/*
 * A number for everything in the adapters of @list (NULL ends it), libraries.c and
 * others.c that a model depends on. It changes when any of that changes.
 */
uint64_t runtimes__digest(const struct runtime *const *list);

/* A runtime without an adapter, and the beginning of the paths of its functions. */
struct runtime_other {
	const char	*name;		/* its usual name */
	const char	*path;		/* "glib::main_context" */
};

/* A NULL name ends the list. */
extern const struct runtime_other other_runtimes[];

/* Leaves in libraries, which any runtime may poll: see libraries.c. */
extern const struct runtime_leaf library_leaves[];
extern const size_t nr_library_leaves;
/* Wrappers in libraries. */
extern const struct runtime_wrapper library_wrappers[];
extern const size_t nr_library_wrappers;
/* Handles in libraries, of locks that a thread waits for. */
extern const struct runtime_handle library_handles[];
extern const size_t nr_library_handles;
extern const struct runtime_stream library_streams[];
extern const size_t nr_library_streams;
/*
 * Branches of join!, by their types without generics; NULL ends the list. They hold a future,
 * its result, or nothing: one that is done waits for nothing.
 */
extern const char *const library_branches[];
/*
 * Crates whose futures are put around another one and say nothing of it: a task is named
 * by what they hold. Parted by '|'.
 */
extern const char library_adapters[];

#endif /* DWELL_RUNTIME_H */
