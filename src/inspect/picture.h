/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The picture of a process at one moment: its tasks and roots, what each awaits, what each
 * has meanwhile (guards, senders, futures that nobody polls), and its threads. Everything is
 * read from outside, while the process goes on: what is in the picture was read twice, and
 * was the same.
 *
 * It must not know what follows from it.
 */
#ifndef DWELL_INSPECT_PICTURE_H
#define DWELL_INSPECT_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "image/image.h"
#include "inspect/process.h"

enum picture_state {
	PICTURE_IDLE		= 0,	/* it waits to be woken */
	PICTURE_READY		= 1,	/* woken, in a queue of the runtime */
	PICTURE_POLLED		= 2,	/* a thread polls it */
	PICTURE_MOVING		= 3,	/* it changed whenever it was looked at */
};

/* Where a task that is ready waits to be polled. */
enum picture_queue {
	PICTURE_QUEUE_UNKNOWN	= 0,
	PICTURE_QUEUE_SLOT	= 1,	/* a worker polls it next, and only that worker does */
	PICTURE_QUEUE_LOCAL	= 2,	/* of a worker; others may take it */
	PICTURE_QUEUE_SHARED	= 3,	/* of all workers */
};

/* A future that was visited. */
struct picture_frame {
	uint64_t	addr;
	uint32_t	type, variant;	/* in the image's tables */
	/* the await point (a variant) that has it without awaiting it; WALK_NONE: awaited */
	uint32_t	kept_at;
	uint32_t	part;		/* the variable there, as one of the image's parts */
};

/* A leaf that a task waits for, or would if it polled the future that it is in. */
struct picture_wait {
	uint32_t	task;
	uint32_t	frame;		/* of the leaf */
	struct walk_key	key;
	bool		unpolled;	/* the task has the future and does not await it */
	/* of a semaphore; node 0: not one */
	uint64_t	node;		/* in the queue */
	bool		queued;		/* it asked, … */
	uint64_t	wants;		/* … for so many permits, … */
	uint64_t	needs;		/* … and still lacks these; 0: granted */
};

/* A handle that a task has. */
struct picture_handle {
	uint32_t	task;
	uint32_t	handle;		/* its type, in the image's table */
	uint32_t	frame;		/* the future that it is in */
	uint32_t	part;		/* the variable, as one of the image's parts */
	uint64_t	addr;		/* where it is */
	uint64_t	object, size;	/* what it belongs to */
	uint64_t	amount;		/* permits that it holds */
	/*
	 * It is in a message that the task has not received: the handle of its receiver. WALK_NONE:
	 * it is in none.
	 */
	uint32_t	via;
	bool		unpolled;	/* the future is not awaited */
	/*
	 * It was there when the task was last suspended. A thread polls the task since then,
	 * and may have moved or dropped it.
	 */
	bool		polled;
	/*
	 * Set by the user: a thread without tasks has it, too, so that the task in whose variable
	 * it was found may have moved it there.
	 */
	bool		elsewhere;
};

struct picture_task {
	uint64_t		id;		/* address */
	uint32_t		fn;		/* poll function or root, in the image's table */
	enum picture_state	state;
	bool			root;
	bool			shares;		/* a root whose thread polls tasks, too */
	uint32_t		tid;		/* the thread that polls or blocks on it; or 0 */
	enum picture_queue	queue;		/* if it is READY */
	uint32_t		queue_tid;	/* the worker's thread; 0: none */
	struct walk_chain	chain;		/* if it is IDLE or READY */
	uint64_t		ts;		/* when that was read, ns of CLOCK_MONOTONIC */
	/* ranges of the picture's lists */
	uint32_t		frames, nr_frames;
	uint32_t		waits, nr_waits;
	uint32_t		handles, nr_handles;
};

struct picture_thread {
	uint32_t		tid;
	char			name[32];
	char			state;		/* as in /proc: R, S, D, T, … */
	uint64_t		switches;	/* times that it gave up its CPU, or lost it */
	/*
	 * Set by the user: it was asleep at the same place whenever it was looked at; and it
	 * has not run in between.
	 */
	bool			asleep, still;
	/*
	 * Set by the user: the looks in which it was not asleep there, of which this may be
	 * one; then its registers are those of the look before.
	 */
	uint8_t			missed;
	bool			missing;
	int64_t			syscall;	/* number; -1: none, or it runs */
	uint64_t		args[6];
	struct raw_thread_regs	regs;
	/* the polls and roots that it is in, innermost last: indices of tasks */
	uint32_t		polls[RAW_UNDER_WAY];
	uint32_t		nr_polls;
	bool			moving;		/* its stack changed while it was read */
	bool			worker;		/* it has a worker of a runtime */
	uint32_t		blocks_in;	/* polls around that root */
	/* the root that it blocks on inside; WALK_NONE: none */
	uint32_t		blocks_on;
};

/* A runtime's pool of threads for blocking jobs. */
struct picture_pool {
	uint64_t	id;		/* address of the scheduler that it belongs to */
	uint64_t	threads, idle;	/* that there are; that have no job */
	uint64_t	queued;		/* jobs that no thread has taken */
	uint64_t	limit;		/* the most threads that there may be */
	/* no thread is idle, no more may be started, and jobs wait; … */
	bool		full;
	bool		always;		/* … in each picture; set by the user */
};

struct picture {
	const struct image	*img;
	const struct process	*target;
	uint64_t		 bias;
	uint64_t		 ts;		/* ns of CLOCK_MONOTONIC, when it was begun */
	struct picture_task	*tasks;
	struct picture_frame	*frames;
	struct picture_wait	*waits;
	struct picture_handle	*handles;
	struct picture_thread	*threads;
	struct picture_pool	*pools;
	size_t			 nr_tasks, nr_frames, nr_waits, nr_handles, nr_threads, nr_pools;
	size_t			 cap_tasks, cap_frames, cap_waits, cap_handles, cap_threads;
	size_t			 cap_pools;
	bool			 incomplete;	/* not all tasks could be found in time */
	unsigned int		 untold;	/* threads with a poll of an unknown task */
	bool			 still;		/* set by the user: threads' still is known */
};

/* Reads the registers of all threads: calls @each with a struct raw_thread_regs. */
struct picture_registers {
	int	(*each)(void *of, int (*each)(void *ctx, const void *regs), void *ctx);
	void	*of;
};

/*
 * Take a picture. @img, @target must outlive it. @bias: run-time minus link-time address.
 * 0, or negative errno (-ENOMEM; those of @regs); free it in either case.
 */
int picture__take(struct picture *p, const struct image *img, const struct process *target,
		  uint64_t bias, const struct picture_registers *regs);
/* Free what it contains; not @p itself. */
void picture__free(struct picture *p);

/*
 * The waiters of the semaphore at @addr, first in line first, as addresses of nodes: at most
 * @max are stored. Returns how many; negative: it cannot be read, or changes.
 */
ssize_t picture__queue(const struct picture *p, unsigned int runtime, uint64_t addr,
		       uint64_t *nodes, size_t max);
/*
 * The tasks of the set at @addr, as addresses: at most @max are stored. Returns how many;
 * negative: it cannot be read, or changes.
 */
ssize_t picture__set(const struct picture *p, unsigned int runtime, uint64_t addr, uint64_t *tasks,
		     size_t max);
/* Permits that are free in it; false: it cannot be read. */
bool picture__permits(const struct picture *p, unsigned int runtime, uint64_t addr, uint64_t *free,
		      bool *closed);

#endif /* DWELL_INSPECT_PICTURE_H */
