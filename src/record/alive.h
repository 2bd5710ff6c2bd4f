/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tasks that are alive when recording begins and at rest, so that no event
 * tells of them: found through the runtime's own lists in the target's memory.
 *
 * A list is reached from the context that the runtime keeps in its threads, and
 * from any task in it; a task from the reactor object that it waits in, or from
 * the first event about it. Memory changes while it is
 * read: what is taken for a task must have a task's vtable, and what is read of
 * it must be the same twice.
 */
#ifndef DWELL_RECORD_ALIVE_H
#define DWELL_RECORD_ALIVE_H

#include <stdint.h>

#include "image/image.h"
#include "record/target.h"
#include "record/walk.h"
#include "trace/event.h"

struct alive;

struct alive_task {
	uint64_t		task;
	uint64_t		ts;	/* before it was read, ns of CLOCK_MONOTONIC */
	uint32_t		fn;	/* its poll function in the image */
	enum trace_task_state	state;
	bool			known;	/* the state; else only that it is there */
	struct walk_answer	walk;	/* of an idle one */
};

/* Called with each task found, once. Negative: stop, and return that. */
typedef int (*alive_found)(void *ctx, const struct alive_task *task);

/* NULL: no memory, or the runtime's layout is not known in this binary. */
struct alive *alive__new(const struct image *img, const struct target *target, uint64_t bias,
			 alive_found found, void *ctx);
void alive__free(struct alive *a);

/* All tasks of the runtime to which the thread belongs whose thread pointer is @fs. */
int alive__thread(struct alive *a, uint64_t fs);
/* Whether the threads' contexts can be read in this binary: they lead to all tasks. */
bool alive__knows_threads(const struct alive *a);
/* Tasks found. */
size_t alive__nr_found(const struct alive *a);
/* All tasks of the lists that those are in that wait in the reactor object at @token. */
int alive__token(struct alive *a, uint64_t token);
/* All tasks of the list that the task at @header is in, if it is one. */
int alive__task(struct alive *a, uint64_t header);

#endif /* DWELL_RECORD_ALIVE_H */
