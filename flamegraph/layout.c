// SPDX-License-Identifier: GPL-2.0
/*
 * The order of siblings: deeper code first, by weight, the heaviest first, then by
 * name; then the parent's own time, in the fixed order of the segments, so that colours
 * have the same order everywhere. In a difference, what is gone comes last. There is no
 * recursion, because the input decides the depth of a stack.
 */
#include "flamegraph/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A child that will become a box, with everything that its order depends on. */
struct candidate {
	uint64_t	 ns;
	const char	*name;
	uint32_t	 name_len;
	uint32_t	 node;
	uint8_t		 rank;		/* 0, or 1 + the segment, for a segment frame */
};

struct walk {
	const struct flamegraph	*fg;
	struct layout		*l;
	uint64_t		*total;		/* of each node, including its children */
	uint64_t		*before;	/* the same, before */
	uint32_t		*below;		/* number of nodes in each subtree */
	/* of each node: the nearest segment at or above it */
	uint8_t			*segment;
	uint64_t		 threshold;	/* ns of the narrowest box */
	struct candidate	*candidates;
	uint32_t		 cap_candidates;
	struct box		*pending;	/* a stack; the next box is on top */
	uint32_t		 nr_pending, cap_pending;
};

static int compare_candidates(const void *pa, const void *pb)
{
	const struct candidate *a = pa, *b = pb;
	uint32_t len;
	int c;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->ns != b->ns)
		return a->ns > b->ns ? -1 : 1;
	len = a->name_len < b->name_len ? a->name_len : b->name_len;
	c = memcmp(a->name, b->name, len);
	if (c)
		return c;
	return a->name_len < b->name_len ? -1 : a->name_len > b->name_len;
}

static int walk__sum(struct walk *w)
{
	const struct flamegraph *fg = w->fg;
	const struct tree_node *n;

	w->total = malloc(fg->nr_nodes * sizeof(*w->total));
	w->before = malloc(fg->nr_nodes * sizeof(*w->before));
	w->below = malloc(fg->nr_nodes * sizeof(*w->below));
	w->segment = malloc(fg->nr_nodes * sizeof(*w->segment));
	if (!w->total || !w->before || !w->below || !w->segment)
		return -ENOMEM;
	/* Children have larger numbers than their parents. */
	w->segment[TREE_ROOT] = JOIN_SEGMENT_NR;
	for (uint32_t i = 0; i < fg->nr_nodes; i++) {
		n = &fg->nodes[i];
		w->total[i] = n->self;
		w->before[i] = n->before;
		/* what was only before has its place below "[gone]" */
		w->below[i] = !fg->is_difference || n->self;
		if (n->kind == JOIN_FRAME_SEGMENT || n->kind == JOIN_FRAME_FOLLOWED)
			w->segment[i] =
				tree_segment__by_name(name_table__text(&fg->names, n->name));
		else if (i != TREE_ROOT)
			w->segment[i] = w->segment[n->parent];
	}
	for (uint32_t i = fg->nr_nodes - 1; i > 0; i--) {
		w->total[fg->nodes[i].parent] += w->total[i];
		/* a frame that leads to others is there, if they are */
		if (w->below[i] && !fg->nodes[i].self && fg->is_difference)
			w->below[i]++;
		w->below[fg->nodes[i].parent] += w->below[i];
		/* what is gone counts where it was, already */
		if (i != fg->gone)
			w->before[fg->nodes[i].parent] += w->before[i];
	}
	return 0;
}

static int walk__push(struct walk *w, const struct box *box)
{
	struct box *more;
	uint32_t cap;

	if (w->nr_pending == w->cap_pending) {
		cap = w->cap_pending ? w->cap_pending * 2 : 256;
		more = realloc(w->pending, cap * sizeof(*more));
		if (!more)
			return -ENOMEM;
		w->pending = more;
		w->cap_pending = cap;
	}
	w->pending[w->nr_pending++] = *box;
	return 0;
}

static bool is_gone(const struct flamegraph *fg, uint32_t node)
{
	return node != TREE_NONE && node == fg->gone;
}

static int walk__candidate(struct walk *w, uint32_t nr, uint32_t node)
{
	const struct tree_node *n = &w->fg->nodes[node];
	struct candidate *c;
	uint32_t cap;

	if (nr == w->cap_candidates) {
		cap = w->cap_candidates ? w->cap_candidates * 2 : 256;
		c = realloc(w->candidates, cap * sizeof(*c));
		if (!c)
			return -ENOMEM;
		w->candidates = c;
		w->cap_candidates = cap;
	}
	c = &w->candidates[nr];
	c->ns = w->total[node];
	c->name = name_table__text(&w->fg->names, n->name);
	c->name_len = w->fg->names.list[n->name].len;
	c->node = node;
	c->rank = n->kind == JOIN_FRAME_SEGMENT || n->kind == JOIN_FRAME_FOLLOWED ?
		  1 + w->segment[node] : is_gone(w->fg, node) ? UINT8_MAX : 0;
	return 0;
}

/* Pushes the boxes of @parent's children on the stack, the last one first. */
static int walk__children(struct walk *w, const struct box *parent)
{
	const struct tree_node *nodes = w->fg->nodes;
	struct box sliver = { .node = parent->node, .depth = parent->depth + 1,
			      .parent_ns = parent->ns, .gone = parent->gone };
	uint64_t wide_ns = 0, hidden = 0;
	uint32_t nr = 0;
	int err;

	for (uint32_t c = nodes[parent->node].first_child; c != TREE_NONE;
	     c = nodes[c].next_sibling) {
		if (!w->total[c])
			continue;
		if (w->total[c] < w->threshold) {
			sliver.segment = !sliver.ns || sliver.segment == w->segment[c] ?
						 w->segment[c] : JOIN_SEGMENT_NR;
			sliver.ns += w->total[c];
			sliver.before += w->before[c];
			hidden += w->below[c];
			continue;
		}
		err = walk__candidate(w, nr, c);
		if (err)
			return err;
		wide_ns += w->total[c];
		nr++;
	}
	w->l->hidden += hidden;
	if (sliver.ns >= w->threshold && hidden) {
		sliver.start = parent->start + wide_ns;
		sliver.hidden = hidden;
		err = walk__push(w, &sliver);
		if (err)
			return err;
		w->l->slivers++;
	} else {
		w->l->undrawn += hidden;
	}
	if (nr > 1)
		qsort(w->candidates, nr, sizeof(*w->candidates), compare_candidates);
	while (nr--) {
		const struct candidate *c = &w->candidates[nr];
		struct box box = { .node = c->node, .depth = parent->depth + 1,
				   .segment = w->segment[c->node], .ns = c->ns,
				   .parent_ns = parent->ns, .before = w->before[c->node],
				   .gone = parent->gone || is_gone(w->fg, c->node) };

		wide_ns -= c->ns;
		box.start = parent->start + wide_ns;
		err = walk__push(w, &box);
		if (err)
			return err;
	}
	return 0;
}

static int layout__append(struct layout *l, const struct box *box)
{
	struct box *more;
	uint32_t cap;

	if (l->nr == l->cap) {
		cap = l->cap ? l->cap * 2 : 1024;
		more = realloc(l->boxes, cap * sizeof(*more));
		if (!more)
			return -ENOMEM;
		l->boxes = more;
		l->cap = cap;
	}
	l->boxes[l->nr++] = *box;
	if (box->depth >= l->depth)
		l->depth = box->depth + 1;
	return 0;
}

int layout__make(struct layout *l, const struct flamegraph *fg, uint64_t width, uint64_t minwidth)
{
	struct box box = { .node = TREE_ROOT, .segment = JOIN_SEGMENT_NR, .ns = fg->total,
			   .parent_ns = fg->total, .before = fg->before };
	struct walk w = { .fg = fg, .l = l };
	int err;

	memset(l, 0, sizeof(*l));
	w.threshold = ((unsigned __int128)fg->total * minwidth + width - 1) / width;
	err = walk__sum(&w);
	if (!err)
		err = walk__push(&w, &box);
	while (!err && w.nr_pending) {
		box = w.pending[--w.nr_pending];
		err = layout__append(l, &box);
		if (!err && !box.hidden)
			err = walk__children(&w, &box);
	}
	free(w.total);
	free(w.before);
	free(w.below);
	free(w.segment);
	free(w.candidates);
	free(w.pending);
	if (err)
		layout__free(l);
	return err;
}

void layout__free(struct layout *l)
{
	free(l->boxes);
	memset(l, 0, sizeof(*l));
}
