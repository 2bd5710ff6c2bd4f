/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where time is charged: a site is a task kind, an await chain and the branch
 * of it that fired. Many sites may make one await point, as the user sees it.
 *
 * It knows the shape of chains; it must not know of tasks or time.
 */
#ifndef DWELL_JOIN_SITE_H
#define DWELL_JOIN_SITE_H

#include <stdbool.h>
#include <stdint.h>

#include "join/hist.h"
#include "join/join.h"
#include "join/names.h"
#include "trace/trace.h"

#define NO_CHAIN	0u
#define NO_BRANCH	0xffffu		/* not known which branch fired, or no chain */
#define BRANCH_FORK	0x8000u		/* with a node: one of those below it, not known which */
#define UNKNOWN_KIND	0xffffffffu	/* a task that was never polled in the recording */

/* A node without children that is being waited for. */
struct chain_leaf {
	uint16_t	node;
	uint8_t		kind;		/* enum trace_node_kind */
	uint8_t		key;		/* enum walk_key_kind */
	uint8_t		key_index;	/* 0xff: it has none */
};

/* Leaves that may have a bit of their own. */
#define SHAPE_MAX_COMPARED	64

/* What the join needs to know of a chain at each wake. */
struct shape {
	const struct trace_chain	*chain;		/* NULL: not in the file */
	uint16_t			*end;		/* node after each node's subtree */
	uint16_t			*waiting;	/* leaves waited for in each subtree */
	uint32_t			 nr_leaves;
	bool				 blind;		/* what it waits for is not all known */
	struct chain_leaf		 leaves[];
};

/* What is shown as one line of the report. */
struct point {
	const char	*task, *function, *file, *path, *leaf;
	uint32_t	 line;
	bool		 foreign;		/* not in the program's own sources */
	uint64_t	 count, woken_in_poll, open, ready_ns;
	uint64_t	 self_wakes, spin;	/* see join.h */
	struct hist	 await, ready, total;	/* total: both, from Pending to the next poll */
};

struct site {
	uint32_t	kind, chain;
	uint16_t	branch;		/* node of the leaf; or see BRANCH_FORK, NO_BRANCH */
	uint32_t	point;
};

struct sites;

struct sites *sites__new(const struct trace_reader *r, struct names *names);
void sites__free(struct sites *s);
/*
 * Never NULL but for lack of memory, which sites__err() tells at the end: an unknown
 * chain has no leaves and is blind.
 */
const struct shape *sites__shape(struct sites *s, uint32_t chain);
/* 0 or -ENOMEM: what was said without a shape is not right. */
int sites__err(const struct sites *s);
/* Index of the site, or -ENOMEM. */
int64_t sites__get(struct sites *s, uint32_t kind, uint32_t chain, uint16_t branch);
const struct site *sites__site(const struct sites *s, uint32_t index);
struct point *sites__point(struct sites *s, uint32_t index);
uint32_t sites__nr_points(const struct sites *s);

#define SITE_FRAMES_MAX	(1024 + 2)	/* nodes of a chain, and one more */

/* What a task waits for: a chain and the keys of its leaves. */
struct wait {
	uint32_t	 chain;
	uint32_t	 nr_keys;
	const struct walk_keys	*keys;
};

/*
 * Of several futures at once, the one that was polled with effect between @was
 * and @is: the node of its leaf in @was, among those that wait for a call of
 * their waker. @not_these has a bit for each leaf of @was that cannot have been it.
 * NO_BRANCH: none, or more than one, or there are too many leaves.
 */
uint16_t sites__advanced(struct sites *s, const struct wait *was, const struct wait *is,
			 uint64_t not_these);
/* Neither a descriptor nor a timer: somebody must call the waker. */
static inline bool chain_leaf__called(const struct chain_leaf *l)
{
	return l->key != WALK_KEY_IO && l->key != WALK_KEY_DEADLINE;
}

/* Is the kind that of a root, a future that block_on polls? */
bool sites__root(const struct sites *s, uint32_t kind);
/* A spawn_blocking job: it may run a whole runtime inside its one poll. */
bool sites__blocking(const struct sites *s, uint32_t kind);
/* Is a dyn Future all that tells what a task of this kind is? */
bool sites__boxed(const struct sites *s, uint32_t kind);
/*
 * The kind of a task of boxed @kind that waits at @chain: one of its own for each name.
 * @kind itself: the chain does not tell. -ENOMEM.
 */
int64_t sites__unboxed(struct sites *s, uint32_t kind, uint32_t chain);
/* Nothing tells when a task of this kind is spawned. */
bool sites__unseen_spawns(const struct sites *s, uint32_t kind);
/* What the runtime calls the scheduler of such tasks; "": not known. */
const char *sites__scheduler(const struct sites *s, uint32_t kind);
/* The frame of a task kind's name. NULL: no memory. */
const char *sites__task_name(struct sites *s, uint32_t kind);
/* "task X" or "blocking job X", after @prefix. NULL: no memory. */
const char *sites__task_detail(struct sites *s, const char *prefix, uint32_t kind);
/* The frames of a site's chain, outermost first. Their number, or -ENOMEM. */
int sites__frames(struct sites *s, uint32_t chain, uint16_t branch, struct join_frame *out);

#endif /* DWELL_JOIN_SITE_H */
