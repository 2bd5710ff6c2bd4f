/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the source of a wait did meanwhile: the task that ended the wait, or whose end it is
 * for. A sink that divides each such wait by the intervals of its source, and the waits of
 * that one in turn, and adds the pieces up by their stacks. Private to src/join.
 *
 * The pieces of a wait add up to the wait. Time of which it is not known what the source did
 * is a piece, too: see follow__why().
 */
#ifndef DWELL_JOIN_FOLLOW_H
#define DWELL_JOIN_FOLLOW_H

#include "join/timeline.h"

/* Why a stack ends. */
enum follow_end {
	FOLLOW_ON	= 0,	/* it is a task's time */
	FOLLOW_UNBORN,		/* before the first event of the source */
	FOLLOW_FORGOTTEN,	/* too long ago: see TASK_HISTORY_MAX */
	FOLLOW_OVER,		/* the source has ended: the end of a poll is left to do */
	FOLLOW_UNKNOWN,		/* not passed on: a poll that goes on for too long, say */
	FOLLOW_DEEPER,		/* more sources of sources than are to be followed */
	FOLLOW_CYCLE,		/* the source is the task itself, or one above it */
	FOLLOW_PIECES,		/* the pieces would be more than can be looked at */
	FOLLOW_STACKS,		/* there are too many different stacks: too many to divide, too */
	FOLLOW_END_NR
};

/* A frame: "[follow: cycle]". */
const char *follow__why(enum follow_end end);

/* A stack: the path from a root to this node. */
struct follow_node {
	uint32_t	 parent;	/* index + 1; 0: a wait, whose key is a sum's */
	uint8_t		 end;		/* enum follow_end; key: of FOLLOW_ON only */
	struct sum_key	 key;
	uint64_t	 ns;		/* in exactly this stack; 0 for a wait */
};

struct follow;

/*
 * What join__follow() does, @depth sources deep, from 1 to JOIN_FOLLOW_DEPTH_MAX, with @max
 * intervals: see task_histories__new(). 0 or -ENOMEM.
 */
int follow__begin(struct join *j, uint32_t max, unsigned int depth);
/* Divide all waits that are left, and check them. After the last interval. 0 or -ENOMEM. */
int follow__finish(struct join *j);
/*
 * Check that what is below each wait adds up to it; if not, it is told as time that is not
 * conserved. 0 or -ENOMEM.
 */
int follow__check(struct join *j);
/* The stacks, *@nr of them; parents come before their children. */
const struct follow_node *follow__nodes(const struct follow *f, size_t *nr);
/*
 * For each entry of j->sums.sums, how much of its time is in stacks of follow__nodes(). The
 * caller frees it. NULL: no memory.
 */
uint64_t *follow__taken(const struct join *j);
/* @f may be NULL. */
void follow__free(struct follow *f);

#endif /* DWELL_JOIN_FOLLOW_H */
