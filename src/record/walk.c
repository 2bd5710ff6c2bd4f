// SPDX-License-Identifier: GPL-2.0
/*
 * The await-chain walk from outside. See walk.h; what each step does is said
 * in bpf/walk.bpf.h, with which it must agree token for token.
 */
#include "record/walk.h"

#include <stdlib.h>
#include <string.h>

struct walker {
	const struct target		*target;
	uint64_t			 bias;
	const struct walk_type		*types;
	const struct walk_variant	*variants;
	const struct walk_arc		*arcs;
	const struct walk_leaf		*leaves;
	struct image_vtable		*vtables;	/* by vaddr */
	size_t				 nr_types, nr_variants, nr_arcs, nr_leaves, nr_vtables;
};

/* A walk under way. */
struct walk {
	const struct walker		*of;
	uint64_t			 base;		/* of the window */
	size_t				 len;
	const uint8_t			*win;
	unsigned int			 steps, todo;	/* subtrees gone into, and known beside */
	bool				 cut, ended;
	struct walk_answer		*out;
};

static bool read_bytes(struct walk *w, uint64_t addr, void *buf, size_t n)
{
	if (addr >= w->base && addr - w->base <= w->len && n <= w->len - (addr - w->base)) {
		memcpy(buf, w->win + (addr - w->base), n);
		return true;
	}
	w->out->far = true;
	return !target__read(w->of->target, addr, buf, n);
}

static bool read_value(struct walk *w, uint64_t addr, unsigned int width, uint64_t *val)
{
	*val = 0;
	return width <= 8 && read_bytes(w, addr, val, width);
}

static void token(struct walk *w, uint32_t t)
{
	struct walk_answer *a = w->out;

	if (a->nr_tokens == WALK_MAX_TOKENS)
		return;
	a->tokens[a->nr_tokens++] = t;
	a->hash = (a->hash ^ t) * 0x9e3779b97f4a7c15ull;
	a->hash ^= a->hash >> 29;
}

static void leaf_key(struct walk *w, uint64_t addr, uint32_t index)
{
	const struct walk_leaf *leaf;
	uint64_t at = addr, key = 0, v;

	if (index >= w->of->nr_leaves || w->out->nr_keys == WALK_MAX_KEYS)
		return;
	leaf = &w->of->leaves[index];
	for (unsigned int i = 0; i < WALK_MAX_HOPS; i++) {
		at += leaf->hop[i];
		if (i >= leaf->nr_hops)
			break;
		if (!read_value(w, at, 8, &v) || !v)
			goto out;
		at = v;
	}
	key = at;
	if (leaf->key == WALK_KEY_DEADLINE) {
		uint64_t sec, nsec;

		key = 0;
		if (read_value(w, at, 8, &sec) && read_value(w, at + 8, 4, &nsec))
			key = sec * 1000000000ull + nsec;
	} else if (leaf->key == WALK_KEY_IO) {
		uint64_t dir = leaf->dir;

		if (!dir && leaf->dir_width)
			read_value(w, addr + leaf->dir_off, leaf->dir_width, &dir);
		key = (key & ~3ull) | (dir & 3);
	}
out:
	w->out->keys[w->out->nr_keys++] = key;
}

static void visit(struct walk *w, uint64_t addr, uint64_t limit, uint32_t type,
		  unsigned int mode);

static int by_vaddr(const void *a, const void *b)
{
	const struct image_vtable *x = a, *y = b;

	return x->vaddr < y->vaddr ? -1 : x->vaddr > y->vaddr;
}

static uint32_t vtable_type(const struct walk *w, uint64_t vaddr)
{
	const struct image_vtable key = { .vaddr = vaddr };
	const struct image_vtable *v = bsearch(&key, w->of->vtables, w->of->nr_vtables,
					       sizeof(key), by_vaddr);

	return v ? v->type : WALK_NONE;
}

static void visit_whole(struct walk *w, uint64_t addr, uint32_t type)
{
	visit(w, addr, addr + (type < w->of->nr_types ? w->of->types[type].size : 0), type,
	      WALK_ARC_PTR);
}

static void visit_gap(struct walk *w, uint32_t gap)
{
	visit(w, 0, 0, gap, WALK_ARC_PTR);
}

static void follow(struct walk *w, uint64_t at, uint64_t limit, unsigned int mode, uint32_t type)
{
	uint64_t to, vt;

	if (mode == WALK_ARC_INLINE) {
		visit(w, at, limit, type, WALK_ARC_INLINE);
		return;
	}
	if (!read_value(w, at, 8, &to)) {
		visit_gap(w, WALK_GAP_FAULT);
		return;
	}
	if (mode == WALK_ARC_DYN) {
		if (!read_value(w, at + 8, 8, &vt)) {
			visit_gap(w, WALK_GAP_FAULT);
			return;
		}
		type = vtable_type(w, vt - w->of->bias);
		if (type == WALK_NONE) {
			visit_gap(w, WALK_GAP_VTABLE);
			return;
		}
	} else if (mode == WALK_ARC_PTR2 && !read_value(w, to, 8, &to)) {
		visit_gap(w, WALK_GAP_FAULT);
		return;
	}
	if (!to)
		visit_gap(w, WALK_GAP_NULL);
	else
		visit_whole(w, to, type);
}

static void element(struct walk *w, uint64_t addr, const struct walk_arc *a)
{
	uint32_t index = a->index & (WALK_ARC_REST - 1);
	uint64_t at, len;

	if (!read_value(w, addr + a->off, 8, &at))
		goto fault;
	if (a->mode == WALK_ARC_SLICE) {
		if (!read_value(w, addr + a->off + 8, 8, &len))
			goto fault;
		at = index < len ? at + (uint64_t)index * a->item : 0;
	} else {
		for (uint32_t i = 0; i < index && at; i++)
			if (!read_value(w, at + a->next, 8, &at))
				goto fault;
		if (at)
			at += a->item;
	}
	if (!at)
		visit_gap(w, WALK_ABSENT);
	else if (a->index & WALK_ARC_REST)
		visit_gap(w, WALK_GAP_MORE);
	else
		visit_whole(w, at, a->type);
	return;
fault:
	visit_gap(w, WALK_GAP_FAULT);
}

static void visit(struct walk *w, uint64_t addr, uint64_t limit, uint32_t type,
		  unsigned int mode)
{
	const struct walk_variant *v;
	const struct walk_type *t;
	uint32_t index, arcs;

	if (w->ended)
		return;
	w->todo--;
	if (w->cut || w->out->nr_tokens >= WALK_MAX_TOKENS - 1 || w->steps++ >= WALK_MAX_STEPS) {
		token(w, WALK_GAP_DEPTH);
		w->ended = true;
		return;
	}
	if (WALK_IS_GAP(type) || type >= w->of->nr_types) {
		w->out->blind = true;
		token(w, WALK_IS_GAP(type) ? type : WALK_GAP_LAYOUT);
		return;
	}
	t = &w->of->types[type];
	index = t->first_variant;
	if (t->disc_width) {
		uint64_t disc;

		if (addr + t->disc_off + t->disc_width > limit) {
			token(w, WALK_GAP_LAYOUT);
			return;
		}
		if (!read_value(w, addr + t->disc_off, t->disc_width, &disc)) {
			token(w, WALK_GAP_FAULT);
			return;
		}
		disc -= t->disc_base;
		if (disc < t->nr_variants) {
			index += (uint32_t)disc;
		} else if (t->default_variant != WALK_NONE) {
			index = t->default_variant;
		} else {
			token(w, WALK_GAP_STATE);
			return;
		}
	}
	if (index >= w->of->nr_variants || (w->of->variants[index].flags & WALK_VARIANT_HOLE)) {
		token(w, WALK_GAP_STATE);
		return;
	}
	v = &w->of->variants[index];
	if (!walk_silent(t, v, mode))
		token(w, index);
	arcs = v->nr_arcs < WALK_MAX_BRANCHES ? v->nr_arcs : WALK_MAX_BRANCHES;
	w->cut = w->todo + arcs > WALK_MAX_TODO;
	w->todo += arcs;
	if (!v->nr_arcs) {
		if ((t->flags & WALK_TYPE_OPAQUE) || (v->flags & WALK_VARIANT_DONE))
			w->out->blind = true;
		if (t->leaf != WALK_NONE && !(v->flags & WALK_VARIANT_DONE))
			leaf_key(w, addr, t->leaf);
	} else if (v->nr_arcs == 1) {
		follow(w, addr + v->arc_off, limit, v->arc_mode, v->arc_type);
	} else {
		for (uint32_t i = 0; i < arcs; i++) {
			const struct walk_arc *a = &w->of->arcs[v->first_arc + i];

			if (v->first_arc + i >= w->of->nr_arcs)
				break;
			if (a->mode >= WALK_ARC_SLICE)
				element(w, addr, a);
			else
				follow(w, addr + a->off, limit, a->mode, a->type);
		}
	}
}

struct walker *walker__new(const struct image *img, const struct target *target, uint64_t bias)
{
	struct walker *w = calloc(1, sizeof(*w));
	const struct image_vtable *vtables;

	if (!w)
		return NULL;
	w->target = target;
	w->bias = bias;
	w->types = image__walk_types(img, &w->nr_types);
	w->variants = image__walk_variants(img, &w->nr_variants);
	w->arcs = image__walk_arcs(img, &w->nr_arcs);
	w->leaves = image__walk_leaves(img, &w->nr_leaves);
	vtables = image__vtables(img, &w->nr_vtables);
	w->vtables = calloc(w->nr_vtables + 1, sizeof(*w->vtables));
	if (!w->vtables) {
		free(w);
		return NULL;
	}
	memcpy(w->vtables, vtables, w->nr_vtables * sizeof(*vtables));
	qsort(w->vtables, w->nr_vtables, sizeof(*w->vtables), by_vaddr);
	return w;
}

void walker__free(struct walker *w)
{
	if (!w)
		return;
	free(w->vtables);
	free(w);
}

void walker__task(struct walker *from, const struct walk_cell *cell, uint64_t task,
		  const void *window, size_t len, struct walk_answer *out)
{
	struct walk w = { .of = from, .base = task, .len = len, .win = window, .out = out };
	uint64_t stage;

	out->nr_tokens = out->nr_keys = 0;
	out->far = out->blind = false;
	out->hash = 0x51ed270b27b4f3cfull;
	if (cell->root_type == WALK_NONE) {
		token(&w, WALK_GAP_LAYOUT);
		return;
	}
	if (cell->stage_width) {
		if (!read_value(&w, task + cell->stage_off, cell->stage_width, &stage)) {
			token(&w, WALK_GAP_FAULT);
			return;
		}
		if (stage != cell->stage_running) {
			token(&w, WALK_GAP_STAGE);
			return;
		}
	}
	w.todo = 1;
	visit(&w, task + cell->future_off, task + cell->size, cell->root_type, WALK_ARC_PTR);
}
