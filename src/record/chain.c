/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From tokens to nodes. The number of a variant's arcs tells how many
 * subtrees follow, so one recursive descent reads the list; where it ends
 * early, the walk was cut and the missing subtrees become gaps.
 */
#include <string.h>

#include "record/chain.h"

struct resolve {
	const struct image		*img;
	const struct image_type		*types;
	const struct image_variant	*variants;
	const struct walk_variant	*walk_variants;
	const struct walk_type		*walk_types;
	const struct walk_leaf		*leaves;
	size_t				 nr_types, nr_variants, nr_leaves;
	const uint32_t			*tokens;
	unsigned int			 at, nr;
	struct trace_node		*nodes;
	uint32_t			 nr_nodes;
	uint8_t				 nr_keys;
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

/* Same rule as walk_step() in bpf/walk.bpf.h: a leaf's key is read if it has a decoder. */
static void leaf_key(struct resolve *r, struct trace_node *n, const struct walk_type *t)
{
	if (t->leaf == WALK_NONE || t->leaf >= r->nr_leaves || r->nr_keys >= WALK_MAX_KEYS)
		return;
	n->key = r->leaves[t->leaf].key;
	n->key_index = r->nr_keys++;
}

/*
 * The subtree at the next token. Returns how many nodes it put at its top: one,
 * but for what has no frame of its own (tuples, pointers), whose children take
 * its place.
 */
static unsigned int subtree(struct resolve *r)
{
	const struct image_variant *v;
	const struct walk_variant *wv;
	const struct image_type *type;
	struct trace_node *n = NULL;
	unsigned int i, arcs, nr = 0;
	uint32_t token, at;
	uint8_t kind;

	if (r->at >= r->nr)
		return add(r, TRACE_NODE_GAP, gap_name(WALK_GAP_DEPTH)) ? 1 : 0;
	token = r->tokens[r->at++];
	if (token == WALK_ABSENT)
		return add(r, TRACE_NODE_DONE, "") ? 1 : 0;
	if (WALK_IS_GAP(token) || token >= r->nr_variants)
		return add(r, TRACE_NODE_GAP, gap_name(token)) ? 1 : 0;
	v = &r->variants[token];
	wv = &r->walk_variants[token];
	if (v->type >= r->nr_types)
		return add(r, TRACE_NODE_GAP, gap_name(WALK_GAP_LAYOUT)) ? 1 : 0;
	type = &r->types[v->type];
	arcs = wv->nr_arcs > WALK_MAX_BRANCHES ? WALK_MAX_BRANCHES : wv->nr_arcs;

	if (wv->flags & WALK_VARIANT_DONE)
		kind = TRACE_NODE_DONE;
	else if (type->kind == IMAGE_TYPE_FN)
		kind = TRACE_NODE_AWAIT;
	else if (arcs)
		kind = TRACE_NODE_WRAPPER;
	else
		kind = type->kind == IMAGE_TYPE_LEAF ? TRACE_NODE_LEAF : TRACE_NODE_OPAQUE;
	if (type->kind != IMAGE_TYPE_TRANSPARENT || !arcs) {
		n = add(r, kind, image__str(r->img, type->shortname));
		if (!n)
			return 0;
		n->runtime_own = type->runtime_own;
		n->descriptor = type->descriptor;
		if (kind == TRACE_NODE_AWAIT) {
			n->line = v->line;
			n->file = image__str(r->img, v->file);
			n->path = image__str(r->img, v->path);
		}
		if (!arcs && kind != TRACE_NODE_DONE)
			leaf_key(r, n, &r->walk_types[v->type]);
	}
	at = r->nr_nodes - 1;
	for (i = 0; i < arcs; i++)
		nr += subtree(r);
	if (!n)
		return nr;
	r->nodes[at].nr_children = (uint8_t)nr;
	return 1;
}

uint32_t chain_resolve(const struct image *img, const uint32_t *tokens, unsigned int nr,
		       struct trace_node *nodes)
{
	struct resolve r = { .img = img, .tokens = tokens, .nr = nr, .nodes = nodes };
	size_t unused;

	r.types = image__types(img, &r.nr_types);
	r.variants = image__variants(img, &r.nr_variants);
	r.walk_types = image__walk_types(img, &unused);
	r.walk_variants = image__walk_variants(img, &unused);
	r.leaves = image__walk_leaves(img, &r.nr_leaves);
	subtree(&r);
	return r.nr_nodes;
}
