/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one recording contributes to a comparison: its costs, each an amount of time of one
 * kind at one place, and how much work was done meanwhile. Where one recording has to stand
 * for repeats, all is kept for windows of time, too.
 *
 *	profile__new(names, windows, &p);
 *	join__add_sink(j, profile__sink(p));	before join__run(j)
 *	join__run(j);
 *	profile__finish(p, j, reader);
 *
 * Memory depends on how many places there are, not on how long was recorded.
 */
#ifndef DWELL_DIFF_PROFILE_H
#define DWELL_DIFF_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "join/frame_names.h"
#include "join/join.h"
#include "join/sink.h"

#define PROFILE_WINDOWS	32	/* at most; a power of two */

/* What a cost is. The first six are times, in ns; the others are counted. */
enum cost_kind {
	COST_AWAIT,		/* Pending, at a place, in a part; but see COST_READY */
	/*
	 * It could go on, and waits for a worker: woken or spawned and not polled, or what it waits
	 * for is there and no worker has looked yet, which is no matter of what it awaits. By what
	 * the worker did.
	 */
	COST_READY,
	COST_RUNNING,
	COST_PREEMPTED,
	COST_BLOCKED,		/* asleep inside a poll or job, at a place */
	COST_UNATTRIBUTED,
	COST_TIMES,
	COST_WAITS = COST_TIMES,	/* waits that ended, at a place */
	COST_POLLS,		/* of a kind of tasks */
	COST_TASKS,		/* of a kind, that have ended */
	COST_KINDS
};

/* Where and what. Texts are the names' and equal if their pointers are; "": none. */
struct cost_key {
	const char	*task;
	const char	*function;
	const char	*path;		/* from its crate on, as in struct join_point */
	const char	*what;		/* await: the leaf; blocked: in what, in words */
	const char	*part;		/* await: of the segment, and who woke; ready: see there */
	uint32_t	 line;
	uint8_t		 kind;		/* enum cost_kind */
	uint8_t		 idle;		/* time in which the task had nothing to do */
};

struct cost {
	struct cost_key	 key;
	uint64_t	 amount;			/* ns or count, of the whole recording */
	uint64_t	 window[PROFILE_WINDOWS];	/* adds up to it, if there are windows */
};

/* Facts that tell whether recordings may be compared, and how they differ. */
struct profile_facts {
	const char	*path;		/* of the file; the caller's */
	const char	*comm, *build_id, *tier, *kernel, *machine;
	uint32_t	 pid;
	uint64_t	 attach_ts, realtime_ns;	/* when it begins, on both clocks */
	uint32_t	 nr_cpus;
	uint32_t	 nr_workers;	/* threads that polled tasks */
	uint64_t	 wall_ns;
	uint64_t	 tasks, events;
	uint64_t	 lost;		/* events and the like, of all causes */
	uint64_t	 task_ns, unattributed_ns, idle_ns;
	uint64_t	 target_cpu_ns, dwell_cpu_ns;
	bool		 torn;		/* the file ends early */
	bool		 waits;		/* there is an await */
};

struct profile {
	struct profile_facts	 facts;
	struct cost		*costs;
	size_t			 nr, room;
	uint64_t		 requests;	/* waits for a request that ended */
	uint64_t		 request_window[PROFILE_WINDOWS];
	uint32_t		 nr_windows;	/* in use; 0: it has none */
	uint64_t		 window_ns;
	struct profile_taker	*taker;		/* while it is being collected */
};

/* @names must outlive the profile. @windows: see above. 0 or -ENOMEM. */
int profile__new(struct frame_names *names, bool windows, struct profile **out);
/* The sink to add to the join of the recording, which is @j. */
struct sink *profile__sink(struct profile *p, struct join *j);
/* After join__run(). 0 or -ENOMEM. */
int profile__finish(struct profile *p, const struct trace_reader *r);
void profile__free(struct profile *p);

#endif /* DWELL_DIFF_PROFILE_H */
