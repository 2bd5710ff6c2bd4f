/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who waits for whom: from the waits and handles of a picture, which tasks could end each
 * wait, and which tasks therefore wait for ever.
 *
 * It must not know how a picture is taken, nor words.
 */
#ifndef DWELL_WHY_GRAPH_H
#define DWELL_WHY_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/picture.h"

enum graph_reason {
	GRAPH_HANDLE,	/* it has a handle to the resource: a guard, a sender, the receiver */
	GRAPH_AHEAD,	/* it stands before in the queue */
	GRAPH_GRANTED,	/* it has been granted what is waited for, and has not taken it */
	GRAPH_JOINED,	/* it is the task that is joined */
};

/* @to could end wait @wait (an index of the picture) of task @from. */
struct graph_edge {
	uint32_t		from, to;	/* tasks */
	uint32_t		wait;
	enum graph_reason	reason;
	/* HANDLE: index of the handle; AHEAD, GRANTED: of the other wait */
	uint32_t		by;
};

/* What is known of a wait. */
struct graph_wait {
	uint32_t	edges, nr_edges;	/* a range */
	bool		closed;			/* no other than the edges' tasks can end it */
	bool		many;			/* … there are more than can be told */
	/* of a semaphore: the place in the queue, from 0; WALK_NONE: not in the queue */
	uint32_t	place;
	bool		granted;		/* it only has to be polled */
};

struct graph {
	const struct picture	*p;
	struct graph_wait	*waits;		/* one for each of the picture's */
	struct graph_edge	*edges;		/* sorted by wait */
	size_t			 nr_edges, cap_edges;
	/* by task: each of its waits can only be ended by others of these */
	bool			*stuck;
	/* by task: the strongly connected part of stuck tasks; 0: in none, or it is alone */
	uint32_t		*part;
	uint32_t		 nr_parts;	/* they are numbered from 1 */
};

/*
 * @steady, by task: it was the same a moment before; only such tasks can be stuck. 0 or
 * -ENOMEM; free it in either case.
 */
int graph__make(struct graph *g, const struct picture *p, const bool *steady);
void graph__free(struct graph *g);

#endif /* DWELL_WHY_GRAPH_H */
