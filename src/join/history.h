/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a thread did lately: a ring of intervals without gaps. A wait that this thread
 * ended is divided by what the thread did during the wait.
 */
#ifndef DWELL_JOIN_HISTORY_H
#define DWELL_JOIN_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#define HISTORY_MAX	1024	/* intervals; some sixteen rounds of a busy worker's driver */

enum doing {
	DOING_UNKNOWN	= 0,	/* events were lost */
	DOING_RUNTIME	= 1,	/* outside any poll */
	DOING_POLL	= 2,	/* polls a task */
	DOING_DRIVER	= 3,	/* waits in its driver */
};

enum on_cpu {
	CPU_ON		= 0,
	CPU_ASLEEP	= 1,
	CPU_RUNNABLE	= 2,	/* runnable, waits for a CPU */
	CPU_THROTTLED	= 3,	/* runnable, and its cgroup does not allow it to run */
};

/* Lasts until the next interval begins. */
struct interval {
	uint64_t	ts;
	uint32_t	kind;		/* DOING_POLL: kind of the task */
	uint8_t		doing;		/* enum doing */
	uint8_t		cpu;		/* enum on_cpu */
};

struct history {
	struct interval	*ring;
	uint32_t	 size;		/* power of two */
	uint32_t	 nr;		/* added in total */
};

/* A new interval begins at @ts; @ts never decreases. 0 or -ENOMEM. */
int history__add(struct history *h, uint64_t ts, enum doing doing, enum on_cpu cpu, uint32_t kind);
/* The current interval; DOING_UNKNOWN if none was added. */
struct interval history__now(const struct history *h);
/*
 * Divide [@from, @to) by the intervals and call @piece for each piece, the latest
 * first. Time before the ring's first interval is one piece of DOING_UNKNOWN.
 */
void history__divide(const struct history *h, uint64_t from, uint64_t to,
		     void (*piece)(void *arg, const struct interval *iv, uint64_t ns), void *arg);
/* When the first interval that is kept begins; UINT64_MAX: there is none. */
uint64_t history__begin(const struct history *h);
/*
 * Were intervals overwritten? If so, time before the ring's first interval is unknown
 * because it is too long ago; if not, because the recording had not begun or no event
 * of the thread had been seen.
 */
bool history__forgot(const struct history *h);
void history__clear(struct history *h);

#endif /* DWELL_JOIN_HISTORY_H */
