/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where in the program threads sleep in a poll whose stacks were not captured when they went
 * to sleep (see user_stacks.h): they slept already when the recording began, the stack is
 * deeper than what is copied, or there was no room for it. The recorder looks now and then
 * for such threads and reads their stacks from outside. It costs the target nothing; such
 * sleeps that are over before the next look keep their kernel stack only.
 *
 * It must not know what a task is.
 */
#ifndef DWELL_RECORD_SLEEPERS_H
#define DWELL_RECORD_SLEEPERS_H

#include "record/user_stacks.h"
#include "trace/trace.h"

struct dwell_bpf;
struct sleepers;

struct sleepers_opts {
	struct user_stacks	*stacks;
	struct dwell_bpf	*skel;
	struct trace_writer	*trace;
};

/* NULL: no memory. *@opts is copied; what it points to must outlive the object. */
struct sleepers *sleepers__new(const struct sleepers_opts *opts);
/* NULL is fine. */
void sleepers__free(struct sleepers *s);
/* Look, if it is time and somebody may have gone to sleep. 0 or negative errno. */
int sleepers__look(struct sleepers *s);

#endif /* DWELL_RECORD_SLEEPERS_H */
