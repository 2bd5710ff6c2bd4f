/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where in the program threads sleep in a poll. The kernel stack of a sleep says what is
 * waited for, but not for which line of the source. So the recorder looks now and then
 * for threads that have slept in a poll for a while, and reads their stacks from
 * outside. It costs the target nothing; sleeps that are over before the next look keep
 * their kernel stack only.
 *
 * It must not know what a task is.
 */
#ifndef DWELL_RECORD_SLEEPERS_H
#define DWELL_RECORD_SLEEPERS_H

#include <stdint.h>

#include "inspect/process.h"
#include "record/user_stacks.h"
#include "trace/trace.h"

struct dwell_bpf;
struct sleepers;

struct sleepers_opts {
	const struct process	*target;
	struct dwell_bpf	*skel;
	struct trace_writer	*trace;
	struct user_stacks	*stacks;	/* of the recording */
};

/* NULL: no memory. *@opts is copied; what it points to must outlive the object. */
struct sleepers *sleepers__new(const struct sleepers_opts *opts);
/* NULL is fine. */
void sleepers__free(struct sleepers *s);
/* Look, if it is time and somebody may have gone to sleep. 0 or negative errno. */
int sleepers__look(struct sleepers *s);

#endif /* DWELL_RECORD_SLEEPERS_H */
