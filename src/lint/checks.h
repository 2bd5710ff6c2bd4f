/* SPDX-License-Identifier: GPL-2.0 */
/* The lints themselves, for table.c and lints.c. Private to src/lint. */
#ifndef DWELL_LINT_CHECKS_H
#define DWELL_LINT_CHECKS_H

#include "base/hash_table.h"
#include "lint/lint.h"

/* ---- polls.c, queue.c: see struct lint ---- */

bool lint__never_yielded(const struct episode *e, uint64_t limit, struct lint_case *out);
bool lint__blocking_call(const struct episode *e, uint64_t limit, struct lint_case *out);
bool lint__long_poll(const struct episode *e, uint64_t limit, struct lint_case *out);
bool lint__lost_driver(const struct episode *e, uint64_t limit, struct lint_case *out);
bool lint__queue_delay(const struct episode *e, uint64_t limit, struct lint_case *out);

/* The case that is @e, for a lint to fill in the rest. */
struct lint_case lint_case__of(const struct episode *e, uint64_t ns);

/* ---- wakes.c: the wakes of one task ---- */

#define WAKES_MIN	1000	/* fewer tell nothing */

struct wakes {
	struct charged	last;		/* where it last woke itself */
	uint64_t	all, own, from, to;
};

/* Did the task of wait @e wake itself in its poll, or yield? */
bool wakes__own(const struct episode *e);
void wakes__episode(struct wakes *w, const struct episode *e);
/* The case of a task that has ended; false: it does not exceed @limit percent. */
bool wakes__case(const struct wakes *w, uint64_t limit, struct lint_case *out);

/* ---- ticks.c: the deadlines of intervals ---- */

#define TICK_TIMERS	4	/* of one task that are followed */
#define BURST_LATE	50000000	/* ns; ticks of a shorter time are no burst to speak of */

/* A timer that a task waits for at one place, again and again. */
struct ticking {
	uint32_t	point;		/* see struct join_deadline */
	uint32_t	regular;	/* how often in a row the next one was a period later */
	uint64_t	period;		/* ns */
	uint64_t	deadline;	/* the last one waited for */
	uint64_t	until;		/* when the last wait for it ended */
};

struct ticks {
	struct ticking	timers[TICK_TIMERS];
	unsigned int	nr;
};

/* What became of the ticks between two deadlines. */
struct tick_news {
	uint64_t	due;		/* the first tick that was not waited for */
	uint64_t	late;		/* ns from then until the timer was looked at, at most */
	uint64_t	missed;		/* ticks that were made up for, or skipped, at once */
	uint64_t	period;
	bool		own;		/* its task did something else when it was due */
};

/*
 * A task waits since @from, until @to, for the deadlines @d; it was polled since @polled
 * before. True: one of them is an interval that was late; *@out tells how.
 */
bool ticks__wait(struct ticks *t, const struct join_deadline *d, size_t nr, uint64_t polled,
		 uint64_t from, uint64_t to, struct tick_news *out);

/* Is one of the deadlines that of an interval, as far as is known? */
bool ticks__waits_for_interval(const struct ticks *t, const struct join_deadline *d, size_t nr);

/* ---- workers.c: threads that poll ---- */

struct worker {
	uint32_t	tid;
	bool		works;		/* polled tasks that are neither jobs nor roots */
	uint64_t	polls, busy_ns;
};

struct workers {
	struct worker		*list;
	size_t			 nr, cap;
	struct hash_table	 known;		/* index + 1 by tid */
};

/* A poll: @works as in struct worker. 0 or -ENOMEM. */
int workers__episode(struct workers *w, const struct episode *e, bool works);
/* Does @tid poll tasks, or does no thread at all? */
bool workers__has(const struct workers *w, uint32_t tid);
/* The busiest if it has more than @limit times the mean of polls in @wall_ns; else NULL. */
const struct worker *workers__busiest(const struct workers *w, uint64_t wall_ns, uint64_t limit,
				      uint64_t *mean);
void workers__clear(struct workers *w);

#endif /* DWELL_LINT_CHECKS_H */
