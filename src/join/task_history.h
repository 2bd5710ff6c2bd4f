/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each task did lately, as history.h does it for threads: a sink that keeps the last
 * intervals of all tasks together, in order of time for each life. A wait for a task is
 * divided by what that task did. It costs memory for each interval, so it is only added
 * where it is needed:
 *
 *	h = task_histories__new(TASK_HISTORY_MAX);
 *	join__add_sink(j, task_histories__sink(h));
 *
 * A life is found by its number, whoever has its address by now, as long as one of its
 * intervals is kept.
 */
#ifndef DWELL_JOIN_TASK_HISTORY_H
#define DWELL_JOIN_TASK_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "join/sink.h"

#define TASK_HISTORY_MAX	(1u << 19)	/* intervals of all tasks: 64 MiB */

struct task_histories;

/* Why it is not known what a life did. */
enum task_known {
	TASK_KNOWN = 0,
	TASK_UNBORN,		/* it had not begun */
	TASK_FORGOTTEN,		/* it is too long ago */
	TASK_OVER,		/* it had ended */
	TASK_UNTOLD,		/* not passed on yet */
};

/* A piece of a division. */
struct task_past {
	/* if it is not known: JOIN_UNATTRIBUTED, PART_HISTORY */
	struct task_interval	iv;
	uint8_t			known;	/* enum task_known */
	/* of the life piece.source, when @iv was passed on: where it was by then; 0: not known */
	uint64_t		mark;
};

/*
 * @max, a power of two of at least 8: so many intervals are kept. NULL: no memory. The caller
 * frees it with task_histories__free() after the join has run.
 */
struct task_histories *task_histories__new(uint32_t max);
/* The sink to pass to join__add_sink(); part of @h. */
struct sink *task_histories__sink(struct task_histories *h);
/* What the sink does: keep @iv. 0 or -ENOMEM. */
int task_histories__add(struct task_histories *h, const struct task_interval *iv);
/* What the sink does with moments: note that a life has ended. */
void task_histories__note(struct task_histories *h, const struct task_moment *m);
/*
 * Intervals have numbers in the order in which they are passed on. Sets the first that is kept,
 * and the one that the next will get. When as many as may be are kept, the next one makes it
 * forget the oldest quarter.
 */
void task_histories__range(const struct task_histories *h, uint64_t *first, uint64_t *next);
/* The source of interval @number, which is kept: see struct piece. */
uint32_t task_histories__source(const struct task_histories *h, uint64_t number);
/* Interval @number, which is kept. */
struct task_past task_histories__get(const struct task_histories *h, uint64_t number);
/*
 * Divide [@from, @to) by the intervals of @life, and call @piece for each piece, the latest
 * first. It begins to look at @mark, which makes it fast if that is near; 0: not known.
 */
void task_histories__divide(const struct task_histories *h, uint64_t life, uint64_t mark,
			    uint64_t from, uint64_t to,
			    void (*piece)(void *arg, const struct task_past *p), void *arg);
/* @h may be NULL. */
void task_histories__free(struct task_histories *h);

#endif /* DWELL_JOIN_TASK_HISTORY_H */
