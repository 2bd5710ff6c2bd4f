/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finds tasks that are alive although no event shows them, through the runtime's own
 * lists in the target's memory. At attach this is the only source for tasks at rest;
 * after a loss, for tasks whose events were lost.
 *
 * A list is reached from the context that the runtime keeps in its threads, or from any
 * task in the list. A task is known from the reactor object that it waits in, or from
 * an event. Where a runtime has no list, or none that can be reached, the heap is searched
 * for what has a task's vtable. The memory changes while it is read: so a task must have a
 * task's vtable, and what is read of it must be equal twice.
 *
 * A list may be long, and memory may be hostile. So lists are read in steps that end
 * when the caller says, each task is visited once, and a pass ends after ALIVE_PASS_NS.
 */
#ifndef DWELL_INSPECT_ALIVE_H
#define DWELL_INSPECT_ALIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"
#include "inspect/walk.h"
#include "inspect/process.h"
#include "trace/event.h"

#define ALIVE_PASS_NS	10000000000ull	/* the most time for a pass through all lists */

struct alive;

struct alive_task {
	uint64_t		task;
	uint64_t		ts;	/* ns of CLOCK_MONOTONIC, before it was read */
	uint32_t		fn;	/* index of its poll function in the image */
	enum trace_task_state	state;
	bool			known;	/* its state is known; else only that it exists */
	struct walk_chain	chain;	/* if it is idle */
};

/* Called once in a pass with each task. Negative: stop, and return this. */
typedef int (*alive_found)(void *ctx, const struct alive_task *task);

/* NULL: no memory, or the runtime's layout in this binary is not known. */
struct alive *alive__new(const struct image *img, const struct process *target, uint64_t bias,
			 alive_found found, void *ctx);
void alive__free(struct alive *a);

/*
 * Add lists to be read: those of the runtime that a thread belongs to, given by its
 * thread pointer @fs or by its stack from @sp on (searched until @until, ns of
 * CLOCK_MONOTONIC); those of tasks that wait in the reactor object at @token; the one
 * that contains the task at @header. New lists join the current pass, or begin one. 0
 * or negative errno.
 */
int alive__thread(struct alive *a, uint64_t fs, uint64_t until);
int alive__stack(struct alive *a, uint64_t sp, uint64_t until);
int alive__token(struct alive *a, uint64_t token);
int alive__task(struct alive *a, uint64_t header);

/*
 * A thread's stack, from @sp (0: not known) to its thread pointer @fs: it is not searched for
 * tasks. Before a pass, all threads are to be told; alive__forget_stacks() before that. 0 or
 * negative errno.
 */
int alive__leave_out(struct alive *a, uint64_t sp, uint64_t fs);
void alive__forget_stacks(struct alive *a);
/* Is the heap searched in each pass? */
bool alive__searches(const struct alive *a);

/* Begin a pass through all known lists. */
int alive__again(struct alive *a);
/*
 * Continue, by a few tasks at least, until @until (ns of CLOCK_MONOTONIC) or until all
 * tasks have been visited. 1: there are more; 0: the pass is complete; or negative
 * errno, or the negative result of found().
 */
int alive__step(struct alive *a, uint64_t until);
/*
 * Was the last pass truncated, by time or by the number of tasks, or were there lists
 * that could not be read or searched for in time?
 */
bool alive__truncated(const struct alive *a);

/* Can the threads' contexts, which lead to all tasks, be read in this binary? */
bool alive__knows_threads(const struct alive *a);
/* The number of known lists. */
size_t alive__nr_lists(const struct alive *a);
/*
 * The scheduler that list @i, less than alive__nr_lists(), is of: the address of its shared
 * part, its kind (runtime_list.scheduler) and the index of its runtime.
 */
uint64_t alive__scheduler(const struct alive *a, size_t i, const char **kind,
			  unsigned int *runtime);

/*
 * What threads have as their runtime although no list with tasks was found there: context
 * @i, less than alive__nr_contexts(). The address may be that of any kind of scheduler, or of
 * something else.
 */
size_t alive__nr_contexts(const struct alive *a);
uint64_t alive__context(const struct alive *a, size_t i, unsigned int *runtime);

/*
 * Is the task at @header being polled now? If so, *@fn is its poll function in the
 * image. False: it is not being polled, or not a task.
 */
bool alive__polled(const struct alive *a, uint64_t header, uint32_t *fn);

/*
 * Finds who waits in the reactor object at @token: calls @each with the task, and 1 for
 * reading, 2 for writing, 3 for either. 0 or the result of @each.
 */
int alive__waiters(const struct alive *a, uint64_t token,
		   int (*each)(void *ctx, uint64_t task, unsigned int dir), void *ctx);

#endif /* DWELL_INSPECT_ALIVE_H */
