/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What time is charged to. An account is a kind of task, a chain that it waits at, and
 * the branch of the chain that ended the wait. Several accounts may make up one await
 * point, as the user sees it.
 *
 * This file knows the shapes of chains; it must not know tasks or time.
 */
#ifndef DWELL_JOIN_ACCOUNT_H
#define DWELL_JOIN_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "join/hist.h"
#include "join/join.h"
#include "join/frame_names.h"
#include "trace/trace.h"

#define NO_CHAIN	0u
#define NO_BRANCH	0xffffu		/* no chain, or not known which branch ended the wait */
#define BRANCH_FORK	0x8000u		/* set in a node: one below that node, not known which */
#define UNKNOWN_KIND	0xffffffffu	/* of a task that was never polled in the recording */

/* A leaf: a pending node without pending children. */
struct chain_leaf {
	uint16_t	node;
	uint8_t		kind;		/* enum trace_node_kind */
	uint8_t		key;		/* enum walk_key_kind */
	uint8_t		key_index;	/* 0xff: none */
	uint8_t		idle;		/* enum trace_node_idle */
};

/* Larger chains are not compared: each leaf needs a bit of a uint64_t. */
#define SHAPE_MAX_COMPARED	64

/* A chain, parsed for the questions that are asked at each wake. */
struct shape {
	const struct trace_chain	*chain;		/* NULL: not in the file */
	/* for each node, the node after its subtree */
	uint16_t			*end;
	/* for each node, the number of leaves in its subtree */
	uint16_t			*waiting;
	uint32_t			 nr_leaves;
	/* not everything that it waits for is known */
	bool				 blind;
	struct chain_leaf		 leaves[];
};

/*
 * Goes on from *@node to its only child that is pending. False: none is, or several are, and
 * *@node stays.
 */
bool shape__go_on(const struct shape *sh, uint32_t *node);

/* An await point: one entry of the report. */
struct point {
	const char	*task, *function, *file, *path, *leaf;
	uint32_t	 line;
	bool		 foreign;		/* in the sources of a dependency or of std */
	uint64_t	 count, woken_in_poll, open, ready_ns;
	uint64_t	 self_wakes, spin;	/* see join.h */
	struct hist	 await, ready, total;	/* total: await + ready of each wait */
};

struct account {
	uint32_t	kind, chain;
	/* node of the leaf, or BRANCH_FORK or NO_BRANCH, see above */
	uint16_t	branch;
	uint32_t	point;
	/*
	 * If the point is in a dependency: the innermost awaits of the program's own,
	 * "f (x.rs:1) < g (x.rs:2)"; NULL: there is none.
	 */
	const char	*caller;
};

struct accounts;

struct accounts *accounts__new(const struct trace_reader *r, struct frame_names *names);
void accounts__free(struct accounts *s);
/*
 * The shape of @chain. An unknown chain has a shape without leaves, which is blind.
 * NULL: no memory, which accounts__err() reports at the end.
 */
const struct shape *accounts__shape(struct accounts *s, uint32_t chain);
/* 0, or -ENOMEM if a shape was missing: the results are wrong then. */
int accounts__err(const struct accounts *s);
/* Index of the account, which is created if it is new; or -ENOMEM. */
int64_t accounts__get(struct accounts *s, uint32_t kind, uint32_t chain, uint16_t branch);
const struct account *accounts__account(const struct accounts *s, uint32_t index);
struct point *accounts__point(struct accounts *s, uint32_t index);
uint32_t accounts__nr_points(const struct accounts *s);

#define ACCOUNT_FRAMES_MAX	(1024 + 2)	/* the nodes of a chain, and one for its branches */

/* The chain that a task waits at, and the keys of its leaves. */
struct wait {
	uint32_t	 chain;
	uint32_t	 nr_keys;
	const struct walk_keys	*keys;
};

/* The innermost node that contains nodes @first and @last, with BRANCH_FORK if it is neither. */
uint16_t shape__common(const struct shape *sh, uint32_t first, uint32_t last);
/*
 * Which of several pending futures made progress in the poll between waits @was and
 * @is: the node in @was of the only leaf that waits for a call of its waker and is
 * missing or changed in @is (NULL: the task has completed, or what it waits for now is not
 * known). @not_these has a bit for each leaf of @was that is ruled out. If there are several
 * such leaves: the innermost node that contains them, with BRANCH_FORK. NO_BRANCH: that is
 * the first node with several pending futures, no leaf is left, or there are too many to
 * compare.
 */
uint16_t accounts__advanced(struct accounts *s, const struct wait *was, const struct wait *is,
			    uint64_t not_these);
/* Does the leaf wait for a call of its waker, rather than for the driver, or a timer? */
static inline bool chain_leaf__called(const struct chain_leaf *l)
{
	return l->key != WALK_KEY_IO && l->key != WALK_KEY_DEADLINE &&
	       l->key != WALK_KEY_OPERATION;
}

/* Is the kind a root, a future that block_on polls? */
bool accounts__root(const struct accounts *s, uint32_t kind);
/*
 * Is a dyn Future all that tasks of this kind are? Then only a chain tells what such a task
 * holds.
 */
bool accounts__boxed(const struct accounts *s, uint32_t kind);
/*
 * The kind of a task of boxed @kind that waits at @chain: one kind for each future that
 * is held. @kind itself: the chain does not tell. Or -ENOMEM.
 */
int64_t accounts__unboxed(struct accounts *s, uint32_t kind, uint32_t chain);
/* Is the kind a spawn_blocking job? Such a job may run a whole runtime inside its one poll. */
bool accounts__blocking(const struct accounts *s, uint32_t kind);
/* Do tasks of this kind start without an event, because no probe sees their spawn? */
bool accounts__unseen_spawns(const struct accounts *s, uint32_t kind);
/* The runtime's name for the scheduler of this kind of tasks; "": not known. */
const char *accounts__scheduler(const struct accounts *s, uint32_t kind);
/* The frame name of task kind @kind. NULL: no memory. */
const char *accounts__task_name(struct accounts *s, uint32_t kind);
/* @prefix followed by "task X" or "blocking job X". NULL: no memory. */
const char *accounts__task_detail(struct accounts *s, const char *prefix, uint32_t kind);
/*
 * "by task X after f (x.rs:1)": the innermost await of the program that the task had waited
 * at, in @chain. Without it if @chain is NO_CHAIN or has none. NULL: no memory.
 */
const char *accounts__waker_detail(struct accounts *s, uint32_t kind, uint32_t chain);
/*
 * Writes the frames of chain @chain to @out, outermost first. Returns their number, or
 * -ENOMEM.
 */
int accounts__frames(struct accounts *s, uint32_t chain, uint16_t branch, struct join_frame *out);

#endif /* DWELL_JOIN_ACCOUNT_H */
