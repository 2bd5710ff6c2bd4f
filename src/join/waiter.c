/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which future of a chain waits for a descriptor whose token is the key of no leaf. See
 * waiter.h.
 *
 * May a node wait for the descriptor?
 *
 *	an async function	never; only what it awaits may
 *	a known leaf		perhaps, if it has no key, or is an I/O leaf whose key was
 *				not read; never, if it is a lock, channel, timer, join
 *				handle or yield
 *	a gap			perhaps
 *	any other future	by its type (enum trace_node_descriptor): yes if the type
 *				holds a descriptor, never if it holds none; if that is not
 *				known, perhaps, but only if it contains no other future
 *
 * Nodes with "yes" are taken first, then those with "perhaps". If there is neither, the
 * result is the innermost future that contains other futures and may hold a descriptor,
 * unless an async function lies below it; else the innermost async function: whatever
 * waits, it does so at this await.
 */
#include "join/waiter.h"

enum waits { WAITS_NEVER, WAITS_PERHAPS, WAITS };

static enum waits leaf__waits(const struct trace_node *n, const struct chain_leaf *l)
{
	switch (l->kind) {
	case TRACE_NODE_LEAF:
		if (l->key == WALK_KEY_IO)
			return l->key_index == 0xff ? WAITS_PERHAPS : WAITS_NEVER;
		return l->key == WALK_KEY_NONE ? WAITS_PERHAPS : WAITS_NEVER;
	case TRACE_NODE_OPAQUE:
		if (n->kind == TRACE_NODE_AWAIT)
			return WAITS_NEVER;	/* everything that it awaits is done */
		return n->descriptor == TRACE_DESCRIPTOR_OWN  ? WAITS :
		       n->descriptor == TRACE_DESCRIPTOR_NONE ? WAITS_NEVER : WAITS_PERHAPS;
	}
	return WAITS_PERHAPS;
}

/* What several candidate nodes have in common. */
struct common {
	const struct shape	*sh;
	uint32_t		 first, last;	/* in pre-order */
	unsigned int		 nr;
};

static void common__add(struct common *c, uint32_t node)
{
	if (!c->nr || node < c->first)
		c->first = node;
	if (!c->nr || node > c->last)
		c->last = node;
	c->nr++;
}

/* The innermost node that contains all candidates. */
static uint16_t common__node(const struct common *c)
{
	return shape__common(c->sh, c->first, c->nr == 1 ? c->first : c->last);
}

static void add_leaves(struct common *c, enum waits want)
{
	const struct shape *sh = c->sh;

	for (uint32_t i = 0; i < sh->nr_leaves; i++)
		if (leaf__waits(&sh->chain->nodes[sh->leaves[i].node], &sh->leaves[i]) == want)
			common__add(c, sh->leaves[i].node);
}

/* Adds the futures that contain other futures and hold a descriptor themselves. */
static void add_holders(struct common *c)
{
	const struct shape *sh = c->sh;

	for (uint32_t i = 0; i < sh->chain->nr; i++) {
		const struct trace_node *n = &sh->chain->nodes[i];

		if (n->nr_children && sh->waiting[i] && n->kind == TRACE_NODE_WRAPPER &&
		    n->descriptor == TRACE_DESCRIPTOR_OWN)
			common__add(c, i);
	}
}

/*
 * The fallback described at the top of this file, down to the first node with several
 * pending children.
 */
static uint16_t innermost(const struct shape *sh)
{
	uint16_t found = NO_BRANCH;
	uint32_t node = 0;

	if (!sh->chain->nr)
		return NO_BRANCH;
	do {
		const struct trace_node *n = &sh->chain->nodes[node];

		if (n->kind == TRACE_NODE_AWAIT ||
		    (n->kind == TRACE_NODE_WRAPPER && !n->runtime_own &&
		     n->descriptor != TRACE_DESCRIPTOR_NONE))
			found = (uint16_t)node;
	} while (shape__go_on(sh, &node));
	return found;
}

uint16_t waiter__of_descriptor(const struct shape *sh)
{
	struct common c = { .sh = sh };
	uint16_t found;

	if (!sh->chain || !sh->chain->nr)
		return NO_BRANCH;
	add_leaves(&c, WAITS);
	add_holders(&c);
	if (!c.nr)
		add_leaves(&c, WAITS_PERHAPS);
	if (c.nr)
		return common__node(&c);
	found = innermost(sh);
	return found == NO_BRANCH && sh->nr_leaves == 1 ? sh->leaves[0].node : found;
}
