/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writes the tasks that exist into the recording, although no event shows them: at
 * attach, all that are at rest or in a poll; after a loss, again those in the runtime's
 * lists, because their events may be lost; and for each descriptor, the tasks whose
 * wakers are registered with it.
 *
 * It works in steps, and the rings are emptied in between: reading a million tasks
 * takes seconds. It must not know how the runtime's memory is read (alive.h,
 * under_way.h).
 */
#ifndef DWELL_RECORD_ROSTER_H
#define DWELL_RECORD_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"
#include "record/attach.h"
#include "inspect/process.h"
#include "trace/trace.h"

struct roster;

struct roster_opts {
	const struct image	*img;
	const struct process	*target;
	struct attach		*attach;
	struct trace_writer	*trace;
	const uint32_t		*kinds;		/* from function of the image to id of task kind */
	uint64_t		 attach_ts;	/* ns of CLOCK_MONOTONIC */
	bool			 fresh;		/* it was launched: there are no tasks yet */
};

/* 0 or negative errno. *@opts is copied; what it points to must outlive the roster. */
int roster__new(const struct roster_opts *opts, struct roster **out);
/*
 * Write what can be read quickly, polls in progress, and find the lists. Call it when
 * the registrations made before attach are known. 0 or negative errno.
 */
int roster__start(struct roster *r);
/*
 * Continue until @until (ns of CLOCK_MONOTONIC). 1: there is more to do; 0: done;
 * negative errno.
 */
int roster__step(struct roster *r, uint64_t until);
/* No list is known yet, so it would help to get the first event soon. */
bool roster__waits(const struct roster *r);
/* An event at @ts is about @task, which may lead to a list. 0 or negative errno. */
int roster__offer(struct roster *r, uint64_t task, uint64_t ts);
/* Events have been lost: read the lists again, soon. */
void roster__lost(struct roster *r);
/* Has any poll been seen, in progress or by an event? */
bool roster__polled(const struct roster *r);
/*
 * At the end: write who waits at which descriptor, and notes about what is not known. 0
 * or negative errno.
 */
int roster__finish(struct roster *r);
/* @r may be NULL. */
void roster__free(struct roster *r);

#endif /* DWELL_RECORD_ROSTER_H */
