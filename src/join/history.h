/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a thread did lately: a ring of intervals without holes, so that a wait
 * which this thread ended can be cut by it.
 */
#ifndef DWELL_JOIN_HISTORY_H
#define DWELL_JOIN_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#define HISTORY_MAX	1024	/* intervals; about sixteen rounds of a busy worker's driver */

enum doing {
	DOING_UNKNOWN	= 0,	/* events are missing */
	DOING_RUNTIME	= 1,	/* in no poll */
	DOING_POLL	= 2,	/* polls a task */
	DOING_DRIVER	= 3,	/* waits in its driver */
};

enum on_cpu {
	CPU_ON		= 0,
	CPU_ASLEEP	= 1,
	CPU_RUNNABLE	= 2,	/* waits for a CPU */
};

/* Lasts until the next one begins. */
struct interval {
	uint64_t	ts;
	uint32_t	kind;		/* DOING_POLL: of the task */
	uint8_t		doing;		/* enum doing */
	uint8_t		cpu;		/* enum on_cpu */
};

struct history {
	struct interval	*ring;
	uint32_t	 size;		/* power of two */
	uint32_t	 nr;		/* ever added */
};

/* From @ts on; times never go back. 0 or -ENOMEM. */
int history__add(struct history *h, uint64_t ts, enum doing doing, enum on_cpu cpu, uint32_t kind);
/* What is going on now; DOING_UNKNOWN if nothing was added. */
struct interval history__now(const struct history *h);
/*
 * Cut [@from, @to) and hand over each piece, latest first. What lies before
 * the ring's first interval is one piece of DOING_UNKNOWN.
 */
void history__cut(const struct history *h, uint64_t from, uint64_t to,
		  void (*piece)(void *arg, const struct interval *iv, uint64_t ns), void *arg);
/* Whether intervals were overwritten: what is not known was once, and is no matter of attach. */
bool history__forgot(const struct history *h);
void history__clear(struct history *h);

#endif /* DWELL_JOIN_HISTORY_H */
