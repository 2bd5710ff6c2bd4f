/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lints: what is amiss in a recording although nothing hangs. Each lint is one entry of
 * the table in table.c, with a limit that an option sets, and looks either at one episode
 * of a task at a time (polls.c, queue.c), or at all of them together (wakes.c, ticks.c,
 * workers.c). What exceeds its limit is a case; cases of one kind of tasks at one place
 * are one finding.
 *
 *	lints__new(j, limits, &l);
 *	lints__episode(l, e);			for each: see join/episodes.h
 *	join__run(j);
 *	lints__finish(l);
 *	findings = lints__findings(l, &nr);
 *
 * A lint must not know how a recording is read, nor what a finding looks like when shown.
 */
#ifndef DWELL_LINT_H
#define DWELL_LINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "join/episodes.h"
#include "join/lookup.h"

/*
 * All lints: X(ID, name, option, its argument, help), which says the limit that it has
 * without the option. Those of polls come first.
 */
#define LINTS(X)								\
	X(NEVER_YIELDED, "never yielded", "never-yielded", "TIME",		\
	  "a poll is on a CPU for longer (1s)")					\
	X(BLOCKING_CALL, "blocking call", "blocking-call", "TIME",		\
	  "a thread sleeps for longer inside a poll (10ms)")			\
	X(LONG_POLL, "long poll", "long-poll", "TIME",				\
	  "a poll is on a CPU, or asleep now and then, for longer (10ms)")	\
	X(LOST_DRIVER, "lost driver", "lost-driver", "TIME",			\
	  "I/O or a timer is due, and nobody acts upon it for longer (100ms)")	\
	X(QUEUE_DELAY, "starved task", "queue-delay", "TIME",			\
	  "a task is woken and not polled for longer (100ms)")			\
	X(TIMER_LATE, "timer late by its own task", "timer-late", "TIME",	\
	  "a tick of an interval is later, since its task did something else (100ms)") \
	X(BURST, "burst of an interval", "burst", "N",				\
	  "so many ticks of an interval, of 50 ms and more, are made up for at once (3)")		\
	X(SELF_WAKE, "self-wakes", "self-wake", "PERCENT",			\
	  "a task wakes itself at a larger share of at least 1,000 wakes (50)") \
	X(UNBALANCED, "unbalanced workers", "unbalanced", "N",			\
	  "a busy worker of at least 3 has more than N times the mean of polls (2)")

enum lint_id {
#define LINT_ID(id, name, option, arg, help)	LINT_##id,
	LINTS(LINT_ID)
#undef LINT_ID
	LINT_NR
};

enum lint_unit {
	LINT_TIME,		/* ns */
	LINT_PERCENT,
	LINT_TIMES,		/* a whole number */
};

#define LINT_OFF	UINT64_MAX	/* a limit that nothing exceeds */

/*
 * Something that exceeded a limit. What it is about is put into words at the end, when
 * all names are known.
 */
struct lint_case {
	uint8_t			lint;		/* enum lint_id */
	uint64_t		place;		/* equal: the same place, for this kind of tasks */
	struct charged		of;		/* the task; chain and branch of the wait */
	uint64_t		ns;		/* how long, or another amount; > the limit */
	uint64_t		from, to;	/* when */
	uint64_t		begun;		/* when the poll began, or the wait */
	uint32_t		tid;		/* the thread that polled; 0: not known */
	struct detail		detail;		/* BLOCKING_CALL: the sleep; else who is to blame */
	uint8_t			part;		/* enum part: LOST_DRIVER: the longest one */
	struct episode_place	before, after;	/* of a poll: the waits around it */
	uint64_t		more;		/* ticks of a BURST; own wakes; polls of a worker */
	uint64_t		all;		/* all wakes; the mean of polls */
};

struct lint {
	const char	*name;		/* of findings: "long poll" */
	const char	*option;	/* "long-poll" */
	uint64_t	 limit;		/* unless an option sets another */
	uint8_t		 unit;		/* enum lint_unit */
	bool		 cause;		/* it may be the cause of others: see lints__findings() */
	/*
	 * Does @e exceed @limit? Then *@out is filled in, all but .lint, which is the
	 * caller's. A pure function. NULL: the lint looks at all episodes together.
	 */
	bool		 (*episode)(const struct episode *e, uint64_t limit, struct lint_case *out);
};

/* Indexed by enum lint_id. */
extern const struct lint lints[LINT_NR];

/* Somebody or something that has a part in a finding. */
struct lint_party {
	const char		*role;		/* "polls", "blocks", "victim", … */
	const char		*task;		/* name; NULL: no task */
	uint64_t		 id;		/* address of its header; 0: no task */
	struct join_place	 place;
	char			*text;		/* what it does there */
};

#define LINT_PARTIES	4

struct lint_finding {
	const struct lint	*lint;
	char			*text;		/* a sentence without its full stop */
	uint64_t		 ns;		/* the worst case */
	uint64_t		 from, to;	/* when that was, ns of CLOCK_MONOTONIC */
	uint64_t		 count;		/* of cases */
	uint64_t		 total_ns;	/* of all cases */
	struct lint_party	 parties[LINT_PARTIES];
	size_t			 nr_parties;
};

struct lints;

/* @limits, LINT_NR of them, are copied; @j must outlive it. 0 or -ENOMEM. */
int lints__new(struct join *j, const uint64_t *limits, struct lints **out);
/* An episode of a task; those of one task in order. 0 or -ENOMEM. */
int lints__episode(struct lints *l, const struct episode *e);
/* Called once, after join__run(). 0 or -ENOMEM. */
int lints__finish(struct lints *l);
/*
 * The findings, the worst first: the longest; what may be the cause of others goes before
 * those unless they are more than twice as long. Valid until lints__free().
 */
const struct lint_finding *lints__findings(const struct lints *l, size_t *nr);
void lints__free(struct lints *l);

#endif /* DWELL_LINT_H */
