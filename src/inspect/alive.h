/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tasks that are alive though no event has told of them: found through the
 * runtime's own lists in the target's memory. At attach that is all there is to
 * know of tasks at rest; after a loss, what has become of those that moved meanwhile.
 *
 * A list is reached from the context that the runtime keeps in its threads, and
 * from any task in it; a task from the reactor object that it waits in, or from
 * an event about it. Memory changes while it is read: what is taken for a task
 * must have a task's vtable, and what is read of it must be the same twice.
 *
 * A list may be long, and memory may be hostile: lists are gone through in steps
 * that end when the caller says, each task is met once, and none after ALIVE_PASS_NS.
 */
#ifndef DWELL_INSPECT_ALIVE_H
#define DWELL_INSPECT_ALIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"
#include "inspect/walk.h"
#include "inspect/process.h"
#include "trace/event.h"

#define ALIVE_PASS_NS	10000000000ull	/* for one pass through all lists */

struct alive;

struct alive_task {
	uint64_t		task;
	uint64_t		ts;	/* before it was read, ns of CLOCK_MONOTONIC */
	uint32_t		fn;	/* its poll function in the image */
	enum trace_task_state	state;
	bool			known;	/* the state; else only that it is there */
	struct walk_chain	chain;	/* of an idle one */
};

/* Called with each task found, once a pass. Negative: stop, and return that. */
typedef int (*alive_found)(void *ctx, const struct alive_task *task);

/* NULL: no memory, or the runtime's layout is not known in this binary. */
struct alive *alive__new(const struct image *img, const struct process *target, uint64_t bias,
			 alive_found found, void *ctx);
void alive__free(struct alive *a);

/*
 * Lists to go through: those of the runtime to which the thread belongs whose thread
 * pointer is @fs, or whose stack begins at @sp (not looked for beyond @until, ns of
 * CLOCK_MONOTONIC); those of tasks that wait in the reactor object at @token; the one that
 * the task at @header is in. New ones join the pass that is going on, or begin one.
 * 0 or negative errno.
 */
int alive__thread(struct alive *a, uint64_t fs, uint64_t until);
int alive__stack(struct alive *a, uint64_t sp, uint64_t until);
int alive__token(struct alive *a, uint64_t token);
int alive__task(struct alive *a, uint64_t header);

/* Go through all known lists once more, from their beginnings. */
int alive__again(struct alive *a);
/*
 * Go on, by a few tasks at least, until it is @until (ns of CLOCK_MONOTONIC) or
 * all has been met. 1: there is more; 0: the pass is complete; negative errno, or
 * what found() returned.
 */
int alive__step(struct alive *a, uint64_t until);
/*
 * Has the last pass been cut short, by time or by the number of tasks; or are there
 * more lists than are gone through, or could not be looked for in time?
 */
bool alive__cut(const struct alive *a);

/* Whether the threads' contexts can be read in this binary: they lead to all tasks. */
bool alive__knows_threads(const struct alive *a);
/* Lists known. */
size_t alive__nr_lists(const struct alive *a);

/*
 * The task at @header if it is one that is being polled now: its poll function in
 * the image. False: it is no task, or is not being polled.
 */
bool alive__polled(const struct alive *a, uint64_t header, uint32_t *fn);

/*
 * Who waits in the reactor object at @token: calls @each with the task and with 1
 * for reading, 2 for writing, 3 for either. 0 or what @each returned.
 */
int alive__waiters(const struct alive *a, uint64_t token,
		   int (*each)(void *ctx, uint64_t task, unsigned int dir), void *ctx);

#endif /* DWELL_INSPECT_ALIVE_H */
