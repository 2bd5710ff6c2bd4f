/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tasks that are there, written into the recording without an event of theirs:
 * at attach all that are at rest or in a poll; after a loss once more those in the
 * runtime's lists, since what became of them is among what was lost; and for each
 * descriptor whose waker waits there.
 *
 * It works in steps, between which the rings are emptied: a million tasks take
 * seconds. It must not know how the runtime's memory is read (alive.h, under_way.h).
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
	const uint32_t		*kinds;		/* image function → id of its kind of task */
	uint64_t		 attach_ts;	/* ns of CLOCK_MONOTONIC */
	bool			 fresh;		/* launched: there are no tasks yet */
};

/* 0 or negative errno. *@opts is copied; what it points to must outlive the roster. */
int roster__new(const struct roster_opts *opts, struct roster **out);
/*
 * Write what is quickly told, polls under way, and find the lists. Call it when the
 * registrations made before attach are known. 0 or negative errno.
 */
int roster__start(struct roster *r);
/* Go on until @until (ns of CLOCK_MONOTONIC). 1: there is more to do; 0; negative errno. */
int roster__step(struct roster *r, uint64_t until);
/* It would help to see the first event soon: no list is known yet. */
bool roster__waits(const struct roster *r);
/* An event at @ts is about @task, which may lead to a list. 0 or negative errno. */
int roster__offer(struct roster *r, uint64_t task, uint64_t ts);
/* Events have been lost: look once more, soon. */
void roster__lost(struct roster *r);
/* Whether a poll was seen at all: one that was under way, or the task of an event. */
bool roster__polled(const struct roster *r);
/* At the end: who waits at which descriptor, and what could not be told. 0 or negative errno. */
int roster__finish(struct roster *r);
/* NULL is fine. */
void roster__free(struct roster *r);

#endif /* DWELL_RECORD_ROSTER_H */
