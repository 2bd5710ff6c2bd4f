/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the join makes, and who takes it: the time of tasks in intervals, and the ends
 * of their waits. The sums are one sink (sink_sums.c), a task's history another
 * (task_history.c); a sink is one file, and needs no knowledge of events.
 *
 *	static int interval(struct sink *s, const struct task_interval *iv) { … }
 *	static const struct sink_ops ops = { .placed = true, .interval = interval };
 *
 *	join__new(reader, &j);
 *	join__add_sink(j, &(struct sink){ .ops = &ops });
 *	join__run(j);
 */
#ifndef DWELL_JOIN_SINK_H
#define DWELL_JOIN_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "join/part.h"

struct join;
struct sink;

/* Whose time it is: a life of a task, and where it waits or has waited. */
struct charged {
	uint64_t	task;		/* address of its header: another life may have had it */
	uint64_t	life;		/* 1, 2, …: no two lives of a recording have one number */
	uint64_t	born;		/* when this life began */
	uint32_t	kind;		/* UNKNOWN_KIND: of a task that was never polled */
	uint32_t	chain;		/* NO_CHAIN: in no wait */
	uint16_t	branch;		/* as of a site: see site.h */
};

/* Time to be charged. */
struct piece {
	uint8_t		segment;	/* enum join_segment */
	uint8_t		part;		/* enum part */
	struct detail	detail;
	uint64_t	from;		/* its first moment; only if placed: see struct sink_ops */
	uint64_t	ns;		/* how long it lasts */
};

/* The pieces of a life have no holes and do not overlap. */
struct task_interval {
	struct charged	of;
	struct piece	piece;		/* ns > 0 */
};

/* What to note at an await point, besides time. */
enum wait_end {
	WAIT_FINISHED,		/* await duration */
	WAIT_IN_POLL,		/* woken before the poll returned */
	WAIT_OPEN,		/* begin or end not seen */
	WAIT_POLLED,		/* ready duration */
	WAIT_TOTAL,		/* both, of one wait */
	WAIT_SELF_WAKE,		/* no wait at all; instead of a time, how many in succession */
};

struct sink_ops {
	/*
	 * Each interval as it was: from piece.from on, and never two in one. Otherwise
	 * equal pieces of one wait, or of one poll, come as one, which costs less. With
	 * a sink that wants it, all get the intervals so.
	 */
	bool	placed;
	/*
	 * Those of one wait, or of one poll, come in order of time if placed. A wait
	 * may come only after the poll behind it, which told what it was for.
	 * 0 or negative errno, which ends the join.
	 */
	int	(*interval)(struct sink *s, const struct task_interval *iv);
	/* @ns: see enum wait_end. NULL: of no interest. 0 or negative errno. */
	int	(*wait)(struct sink *s, const struct charged *of, enum wait_end wait, uint64_t ns);
};

struct sink {
	const struct sink_ops	*ops;
	struct sink		*next;		/* the join's */
};

/* Before join__run(). @s stays the caller's and must outlive that. */
void join__add_sink(struct join *j, struct sink *s);

#endif /* DWELL_JOIN_SINK_H */
