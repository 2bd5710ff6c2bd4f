/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Divides waits by what their sources did. See follow.h.
 *
 * A wait is passed on when it ends, often in a poll of its source that goes on: what that one
 * did is passed on when that poll ends. So a wait is kept in the histories of tasks, as all
 * intervals are, and divided when three quarters of these are behind it: by then what its
 * source did is there, or will be too late; and what was before the wait is there still.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash_table.h"
#include "base/sum.h"
#include "join/follow.h"
#include "join/task_history.h"

/* More stacks get no children of their own; one that holds a wait's time has some 64 bytes. */
#define NODES_MAX	(1u << 18)

/*
 * Pieces that may be looked at, in all: so many, and so many more for each interval. Many tasks
 * may wait a long time for one that does much meanwhile.
 */
#define PIECES_AT_FIRST	(1u << 20)
#define PIECES_EACH	16

static const char *const whys[FOLLOW_END_NR] = {
	[FOLLOW_ON]		= "",
	[FOLLOW_UNBORN]		= "[follow: before its first event]",
	[FOLLOW_FORGOTTEN]	= "[follow: no longer known]",
	[FOLLOW_OVER]		= "[follow: ended]",
	[FOLLOW_UNKNOWN]	= "[follow: not known]",
	[FOLLOW_DEEPER]		= "[follow: deeper]",
	[FOLLOW_CYCLE]		= "[follow: cycle]",
	[FOLLOW_PIECES]		= "[follow: too many pieces]",
	[FOLLOW_STACKS]		= "[follow: too many different stacks]",
};

struct follow {
	struct sink		 sink;
	struct accounts		*accounts;	/* the join's */
	struct task_histories	*histories;
	uint32_t		 max;		/* intervals in it */
	unsigned int		 depth;		/* see follow__begin() */
	uint64_t		 divided;	/* intervals before this number are */
	uint64_t		 pieces;	/* that may still be looked at */
	struct follow_node	*nodes;
	uint64_t		*waited;	/* by node: its time that is divided */
	size_t			 nr, cap, cap_waited;
	struct hash_table	 index;		/* index + 1 by content */
	struct charged		 last;		/* if has_last: what last_account is for */
	uint32_t		 last_account;
	bool			 has_last;
	int			 err;
};

const char *follow__why(enum follow_end end)
{
	return whys[end];
}

/* ---- stacks ---- */

static bool node__is(const struct follow_node *n, uint32_t parent, enum follow_end end,
		     const struct sum_key *key)
{
	return n->parent == parent && n->end == end && n->key.account == key->account &&
	       !sum_key__cmp(&n->key, key);
}

static uint64_t node__hash(struct follow *f, uint32_t parent, enum follow_end end,
			   const struct sum_key *k)
{
	const uint64_t content[] = {
		(uint64_t)parent << 32 | k->account,
		(uint64_t)end << 24 | (uint64_t)k->segment << 16 | (uint64_t)k->part << 8 |
		k->detail.kind,
		k->detail.id,
	};

	return hash_table__key(&f->index, (const char *)content, sizeof(content));
}

/* Index + 1 of the node, which is created if it is new. 0: no memory. */
static uint32_t node__get(struct follow *f, uint32_t parent, enum follow_end end,
			  const struct sum_key *key)
{
	static const struct sum_key none;
	struct hash_slot *slot;

	if (end != FOLLOW_ON)
		key = &none;
	for (uint64_t hash = node__hash(f, parent, end, key);; hash++) {
		slot = hash_table__at(&f->index, hash);
		if (!slot)
			return 0;
		if (!slot->value)
			break;
		if (node__is(&f->nodes[slot->value - 1], parent, end, key))
			return (uint32_t)slot->value;
	}
	if (array__room(&f->nodes, &f->cap, f->nr, sizeof(*f->nodes)) ||
	    array__room(&f->waited, &f->cap_waited, f->nr, sizeof(*f->waited)))
		return 0;
	f->nodes[f->nr] = (struct follow_node){ .parent = parent, .end = (uint8_t)end,
						.key = *key };
	f->waited[f->nr] = 0;
	slot->value = ++f->nr;
	return (uint32_t)slot->value;
}

static void add(struct follow *f, uint32_t node, uint64_t ns)
{
	if (node)
		sum__add(&f->nodes[node - 1].ns, ns);
	else
		f->err = -ENOMEM;
}

static void add_end(struct follow *f, uint32_t parent, enum follow_end end, uint64_t ns)
{
	add(f, node__get(f, parent, end, NULL), ns);
}

/* ---- division ---- */

/* The pieces of one wait usually have the account of the one before. */
static int64_t account_of(struct follow *f, const struct charged *of)
{
	int64_t account;

	if (f->has_last && f->last.kind == of->kind && f->last.chain == of->chain &&
	    f->last.branch == of->branch)
		return f->last_account;
	account = accounts__get(f->accounts, of->kind, of->chain, of->branch);
	f->has_last = account >= 0;
	f->last = *of;
	f->last_account = (uint32_t)account;
	return account;
}

/* 0, or -ENOMEM. */
static int key_of(struct follow *f, const struct task_interval *iv, struct sum_key *key)
{
	int64_t account = account_of(f, &iv->of);

	if (account < 0)
		return (int)account;
	*key = (struct sum_key){ .account = (uint32_t)account, .segment = iv->piece.segment,
				 .part = iv->piece.part, .detail = iv->piece.detail };
	return 0;
}

/* A wait that is being divided. */
struct waiting {
	struct follow		*follow;
	const struct waiting	*above;		/* the wait in which its task was followed; NULL */
	uint64_t		 life;		/* of the task that waits */
	uint32_t		 node;
	unsigned int		 depth;
};

static const enum follow_end ends[] = {
	[TASK_KNOWN]		= FOLLOW_ON,
	[TASK_UNBORN]		= FOLLOW_UNBORN,
	[TASK_FORGOTTEN]	= FOLLOW_FORGOTTEN,
	[TASK_OVER]		= FOLLOW_OVER,
	[TASK_UNTOLD]		= FOLLOW_UNKNOWN,
};

static void divide(struct waiting *w, const struct task_past *wait);

/* The source did this meanwhile. */
static void piece(void *arg, const struct task_past *p)
{
	struct waiting *w = arg;
	struct follow *f = w->follow;
	struct waiting below = { .follow = f, .above = w, .life = p->iv.of.life,
				 .depth = w->depth + 1 };
	enum follow_end end = ends[p->known];
	struct sum_key key;

	if (!f->pieces)
		end = FOLLOW_PIECES;
	else
		f->pieces--;
	if (end == FOLLOW_ON && f->nr >= NODES_MAX)
		end = FOLLOW_STACKS;
	if (end != FOLLOW_ON) {
		add_end(f, w->node, end, p->iv.piece.ns);
		return;
	}
	f->err = f->err ? f->err : key_of(f, &p->iv, &key);
	if (f->err)
		return;
	below.node = node__get(f, w->node, FOLLOW_ON, &key);
	if (!p->iv.piece.source)
		add(f, below.node, p->iv.piece.ns);
	else if (below.node)
		divide(&below, p);
	else
		f->err = -ENOMEM;
}

/* Divides @wait, which is @w's, by what its source did. */
static void divide(struct waiting *w, const struct task_past *wait)
{
	const struct piece *p = &wait->iv.piece;

	sum__add(&w->follow->waited[w->node - 1], p->ns);
	for (const struct waiting *above = w; above; above = above->above)
		if (above->life == p->source) {
			add_end(w->follow, w->node, FOLLOW_CYCLE, p->ns);
			return;
		}
	if (w->depth == w->follow->depth) {
		add_end(w->follow, w->node, FOLLOW_DEEPER, p->ns);
		return;
	}
	task_histories__divide(w->follow->histories, p->source, wait->mark, p->from,
			       p->from + p->ns, piece, w);
}

/* Divides the waits among the intervals before number @end. */
static void divide_until(struct follow *f, uint64_t end)
{
	for (; f->divided < end && !f->err; f->divided++) {
		struct waiting w = { .follow = f };
		struct task_past wait;
		struct sum_key key;

		if (!task_histories__source(f->histories, f->divided))
			continue;
		wait = task_histories__get(f->histories, f->divided);
		w.life = wait.iv.of.life;
		f->err = key_of(f, &wait.iv, &key);
		if (f->err)
			return;
		w.node = node__get(f, 0, FOLLOW_ON, &key);
		if (!w.node) {
			f->err = -ENOMEM;
			return;
		}
		divide(&w, &wait);
	}
}

static int interval(struct sink *s, const struct task_interval *iv)
{
	struct follow *f = (struct follow *)s;
	uint64_t first, next;
	int err;

	task_histories__range(f->histories, &first, &next);
	if (next - first == f->max)
		divide_until(f, next - f->max / 4);
	f->pieces += PIECES_EACH;
	err = task_histories__add(f->histories, iv);
	return f->err ? f->err : err;
}

static int moment(struct sink *s, const struct task_moment *m)
{
	task_histories__note(((struct follow *)s)->histories, m);
	return 0;
}

static const struct sink_ops ops = { .placed = true, .interval = interval, .moment = moment };

int follow__begin(struct join *j, uint32_t max, unsigned int depth)
{
	struct follow *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->sink.ops = &ops;
	f->accounts = j->accounts;
	f->pieces = PIECES_AT_FIRST;
	f->divided = 1;
	f->max = max;
	f->depth = depth;
	f->histories = task_histories__new(max);
	if (!f->histories) {
		free(f);
		return -ENOMEM;
	}
	j->follow = f;
	join__add_sink(j, &f->sink);
	return 0;
}

int join__follow(struct join *j, unsigned int depth)
{
	return follow__begin(j, TASK_HISTORY_MAX, depth);
}

unsigned int join__follow_depth(const struct join *j)
{
	return j->follow ? j->follow->depth : 0;
}

/* ---- results ---- */

int follow__finish(struct join *j)
{
	uint64_t first, next;

	if (!j->follow)
		return 0;
	task_histories__range(j->follow->histories, &first, &next);
	divide_until(j->follow, next);
	return j->follow->err ? j->follow->err : follow__check(j);
}

int follow__check(struct join *j)
{
	const struct follow *f = j->follow;
	uint64_t *below = calloc(f->nr + 1, sizeof(*below));

	if (!below)
		return -ENOMEM;
	/* Parents come before their children. */
	for (size_t i = f->nr; i--;) {
		const struct follow_node *n = &f->nodes[i];
		uint64_t all = below[i];

		if (below[i] != f->waited[i] && !j->violations++)
			snprintf(j->why, sizeof(j->why),
				 "time not conserved: below a wait of %llu ns there are %llu ns",
				 (unsigned long long)f->waited[i], (unsigned long long)below[i]);
		sum__add(&all, n->ns);
		if (n->parent)
			sum__add(&below[n->parent - 1], all);
	}
	free(below);
	return 0;
}

const struct follow_node *follow__nodes(const struct follow *f, size_t *nr)
{
	*nr = f ? f->nr : 0;
	return f ? f->nodes : NULL;
}

uint64_t *follow__taken(const struct join *j)
{
	uint64_t *taken = calloc(j->sums.sums.size + 1ul, sizeof(*taken));
	const struct follow *f = j->follow;

	for (size_t i = 0; taken && f && i < f->nr; i++) {
		int64_t at = f->nodes[i].parent ? -1 : sums__index(&j->sums.sums, &f->nodes[i].key);

		if (at >= 0)
			sum__add(&taken[at], f->waited[i]);
	}
	return taken;
}

void follow__free(struct follow *f)
{
	if (!f)
		return;
	task_histories__free(f->histories);
	hash_table__clear(&f->index);
	free(f->nodes);
	free(f->waited);
	free(f);
}
