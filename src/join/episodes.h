/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The life of each task as episodes, one after the other: it waits (until it is polled), it
 * is polled, it waits … A sink that puts them together from intervals and moments, and
 * passes each on once, when all its time is known. It keeps only the episodes that are
 * not complete, which are one or two of a task; what is done with them is the caller's.
 *
 *	static int episode(void *ctx, const struct episode *e) { … }
 *
 *	s = episodes__new(episode, ctx);
 *	join__add_sink(j, episodes__sink(s));
 *
 * The episodes of a life have no gaps between them and do not overlap.
 */
#ifndef DWELL_JOIN_EPISODES_H
#define DWELL_JOIN_EPISODES_H

#include <stdbool.h>
#include <stdint.h>

#include "join/join.h"
#include "join/kinds.h"
#include "join/pieces.h"
#include "join/sink.h"

#define EPISODE_PARTS	32	/* of one episode that are kept apart */

enum episode_kind {
	EPISODE_UNKNOWN,	/* not known what the task did */
	EPISODE_WAIT,		/* from Pending, or from its spawn, until it is polled */
	EPISODE_POLL,
};

/* A chain with the branch of it that ended the wait: see account.h. */
struct episode_place {
	uint32_t	chain;		/* NO_CHAIN: none */
	uint16_t	branch;
};

struct episode {
	uint8_t			what;		/* enum episode_kind */
	bool			first, last;	/* of its life */
	bool			begin_unseen;	/* it began earlier than @from */
	bool			spawned;	/* WAIT: for its first poll */
	/* last: enum task_end */
	uint8_t			end;
	uint8_t			nr_keys;
	/* whose; chain and branch are those of a WAIT */
	struct charged		of;
	uint64_t		from, to;	/* ns of CLOCK_MONOTONIC */
	/* when it was first woken; 0: it was not. WAIT: @from if in the poll before */
	uint64_t		woken;
	struct actor		waker;		/* if woken; WAIT, spawned: who spawned it */
	/* the thread that polls it; WAIT: in the poll that ends the wait; 0: not known */
	uint32_t		tid;
	struct episode_place	before, after;	/* POLL: the waits around it */
	struct walk_keys	keys;		/* WAIT: of the chain's leaves */
	uint64_t		segments[JOIN_SEGMENT_NR];	/* add up to to - from */
	/*
	 * What the time was, of equal pieces the sum; piece.from is the first one's; of
	 * periods asleep in a poll, that of the longest. Behind
	 * EPISODE_PARTS - 1 of them others are one DETAIL_OTHERS.
	 */
	struct pieces		parts;
};

struct episodes;

/*
 * @episode is called for each complete episode, those of a life in order of time. What it
 * is passed is valid during the call. 0, or a negative errno, which ends the join. NULL:
 * no memory. Free it with episodes__free() after the join has run.
 */
struct episodes *episodes__new(int (*episode)(void *ctx, const struct episode *e), void *ctx);
struct sink *episodes__sink(struct episodes *s);
void episodes__free(struct episodes *s);

/* The sum of the parts of @e that are of @segment and @part. */
uint64_t episode__part(const struct episode *e, enum join_segment segment, enum part part);

#endif /* DWELL_JOIN_EPISODES_H */
