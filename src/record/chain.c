/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the tokens of a chain to its nodes. The number of a variant's arcs tells how
 * many subtrees follow, so a recursive descent reads the list. If it ends early, the
 * walk was truncated, and the missing subtrees become gaps. Which types are silent, and
 * where the walk had to stop, follows from the same rules as in the walk: see walk.h.
 */
#include <stdbool.h>
#include <string.h>

#include "record/chain.h"

struct resolve {
	const struct image		*img;
	const struct image_type		*types;
	const struct image_variant	*variants;
	const struct walk_variant	*walk_variants;
	const struct walk_type		*walk_types;
	const struct walk_leaf		*leaves;
	size_t				 nr_types, nr_variants, nr_arcs, nr_leaves;
	const struct walk_arc		*walk_arcs;
	const uint32_t			*tokens;
	unsigned int			 at, nr;
	unsigned int			 steps, todo;	/* counted as in the walk */
	bool				 truncated, ended;
	struct trace_node		*nodes;
	uint32_t			 nr_nodes;
	uint8_t				 nr_keys;
	image_str			 task;		/* see chain_resolve() */
};

static const char *gap_name(uint32_t token)
{
	switch (token) {
	case WALK_GAP_FAULT:	return "memory could not be read";
	case WALK_GAP_DEPTH:	return "chain too deep";
	case WALK_GAP_VTABLE:	return "dyn Future of unknown type";
	case WALK_GAP_STATE:	return "state without a variant";
	case WALK_GAP_LAYOUT:	return "layout unknown";
	case WALK_GAP_STAGE:	return "no running future in the task";
	case WALK_GAP_MOVED:	return "polled elsewhere meanwhile";
	case WALK_GAP_NULL:	return "null pointer";
	case WALK_GAP_MORE:	return "more futures than are followed";
	}
	return "unknown";
}

static struct trace_node *add(struct resolve *r, uint8_t kind, const char *name)
{
	struct trace_node *n;

	if (r->nr_nodes >= CHAIN_MAX_NODES)
		return NULL;
	n = &r->nodes[r->nr_nodes++];
	memset(n, 0, sizeof(*n));
	n->kind = kind;
	n->name = name;
	n->file = n->path = "";
	n->key_index = 0xff;
	return n;
}

/*
 * As in walk_step() in bpf/walk_step.h: a leaf has a key if it has an entry in the leaf
 * table.
 */
static void leaf_key(struct resolve *r, struct trace_node *n, const struct walk_type *t)
{
	if (t->leaf == WALK_NONE || t->leaf >= r->nr_leaves || r->nr_keys >= WALK_MAX_KEYS)
		return;
	n->key = r->leaves[t->leaf].key;
	n->key_index = r->nr_keys++;
}

/* What an arc leads to, as far as it decides whether there is a token. */
struct arc_end {
	uint32_t	type;		/* if the arc is inline */
	uint8_t		mode;		/* enum walk_arc_mode */
};

static struct arc_end arc_end(const struct resolve *r, const struct walk_variant *v,
			      unsigned int i)
{
	const struct walk_arc *a;

	if (v->nr_arcs == 1)
		return (struct arc_end){ v->arc_type, v->arc_mode };
	if (v->first_arc + i >= r->nr_arcs)
		return (struct arc_end){ WALK_NONE, WALK_ARC_PTR };
	a = &r->walk_arcs[v->first_arc + i];
	return (struct arc_end){ a->type, a->mode };
}

/* The variant at @end, if it has no token; WALK_NONE: it has one. */
static uint32_t silent(const struct resolve *r, struct arc_end end)
{
	const struct walk_type *t;

	if (end.mode != WALK_ARC_INLINE || end.type >= r->nr_types)
		return WALK_NONE;
	t = &r->walk_types[end.type];
	if (t->first_variant >= r->nr_variants ||
	    !walk_silent(t, &r->walk_variants[t->first_variant], end.mode))
		return WALK_NONE;
	return t->first_variant;
}

/* The next token, or the variant without one; WALK_GAP_DEPTH if the walk has ended. */
static uint32_t next_token(struct resolve *r, struct arc_end end)
{
	uint32_t variant;

	if (r->ended)
		return WALK_GAP_DEPTH;
	r->todo--;
	if (r->truncated || r->at >= WALK_MAX_TOKENS - 1 || r->steps++ >= WALK_MAX_STEPS) {
		r->ended = true;
		return WALK_GAP_DEPTH;
	}
	variant = silent(r, end);
	if (variant != WALK_NONE)
		return variant;
	return r->at < r->nr ? r->tokens[r->at++] : WALK_GAP_DEPTH;
}

static unsigned int gap(struct resolve *r, uint32_t token)
{
	return add(r, TRACE_NODE_GAP, gap_name(token)) ? 1 : 0;
}

/*
 * A node for variant @token, whose type has @arcs arcs; NULL: it makes no node, or
 * there is no room.
 */
static struct trace_node *variant_node(struct resolve *r, uint32_t token, unsigned int arcs)
{
	const struct image_variant *v = &r->variants[token];
	const struct image_type *type = &r->types[v->type];
	struct trace_node *n;
	uint8_t kind;

	if (r->walk_variants[token].flags & WALK_VARIANT_DONE)
		kind = TRACE_NODE_DONE;
	else if (type->kind == IMAGE_TYPE_FN)
		kind = TRACE_NODE_AWAIT;
	else if (arcs)
		kind = TRACE_NODE_WRAPPER;
	else
		kind = type->kind == IMAGE_TYPE_LEAF ? TRACE_NODE_LEAF : TRACE_NODE_OPAQUE;
	if (type->kind == IMAGE_TYPE_TRANSPARENT && arcs)
		return NULL;
	n = add(r, kind, image__str(r->img, type->shortname));
	if (!n)
		return NULL;
	n->runtime_own = type->runtime_own;
	n->descriptor = type->descriptor;
	n->idle = type->idle;
	if (kind == TRACE_NODE_AWAIT) {
		n->line = v->line;
		n->file = image__str(r->img, v->file);
		n->path = image__str(r->img, v->path);
	}
	if (!arcs && kind != TRACE_NODE_DONE)
		leaf_key(r, n, &r->walk_types[v->type]);
	return n;
}

/*
 * Reads the next subtree, which is at the end of an arc. Returns the number of its
 * topmost nodes: one, except for a type without a frame (tuple, pointer), in whose
 * place its children stand.
 */
static unsigned int subtree(struct resolve *r, struct arc_end end)
{
	uint32_t token = next_token(r, end), at;
	const struct walk_variant *wv;
	unsigned int arcs, nr = 0;
	struct trace_node *n;

	if (token == WALK_ABSENT)
		return add(r, TRACE_NODE_DONE, "") ? 1 : 0;
	if (WALK_IS_GAP(token) || token >= r->nr_variants)
		return gap(r, token);
	if (r->variants[token].type >= r->nr_types)
		return gap(r, WALK_GAP_LAYOUT);
	if (end.mode == WALK_ARC_DYN && !r->task)
		r->task = r->types[r->variants[token].type].task;
	wv = &r->walk_variants[token];
	arcs = wv->nr_arcs > WALK_MAX_BRANCHES ? WALK_MAX_BRANCHES : wv->nr_arcs;
	r->truncated = r->todo + arcs > WALK_MAX_TODO;
	r->todo += arcs;
	n = variant_node(r, token, arcs);
	at = r->nr_nodes - 1;
	for (unsigned int i = 0; i < arcs; i++)
		nr += subtree(r, arc_end(r, wv, i));
	if (!n)
		return nr;
	r->nodes[at].nr_children = (uint8_t)nr;
	return 1;
}

uint32_t chain_resolve(const struct image *img, const uint32_t *tokens, unsigned int nr,
		       struct trace_node *nodes, const char **task)
{
	struct resolve r = { .img = img, .tokens = tokens, .nr = nr, .nodes = nodes, .todo = 1 };
	size_t unused;

	r.types = image__types(img, &r.nr_types);
	r.variants = image__variants(img, &r.nr_variants);
	r.walk_types = image__walk_types(img, &unused);
	r.walk_variants = image__walk_variants(img, &unused);
	r.leaves = image__walk_leaves(img, &r.nr_leaves);
	r.walk_arcs = image__walk_arcs(img, &r.nr_arcs);
	subtree(&r, (struct arc_end){ WALK_NONE, WALK_ARC_PTR });
	if (task)
		*task = r.task ? image__str(img, r.task) : "";
	return r.nr_nodes;
}
