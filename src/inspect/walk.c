// SPDX-License-Identifier: GPL-2.0
/*
 * The await-chain walk from outside. See walk.h. walk_step.h has the walk itself; this
 * file has the functions that it requires.
 */
#include "inspect/walk.h"

#include <stdlib.h>
#include <string.h>

struct walker {
	const struct process		*target;
	uint64_t			 bias;
	const struct walk_type		*types;
	const struct walk_variant	*variants;
	const struct walk_arc		*arcs;
	const struct walk_leaf		*leaves;
	struct image_vtable		*vtables;	/* sorted by vaddr */
	size_t				 nr_types, nr_variants, nr_arcs, nr_leaves, nr_vtables;
	walker_visit			*visit;		/* NULL: nobody wants to know */
	void				*ctx;
};

struct walk_state {
	struct walk_chain		 chain;
	struct walk_way			 way;
	const struct walker		*of;
	uint64_t			 base;		/* of the window */
	size_t				 len;
	const uint8_t			*win;
	bool				 far;
};

/* ---- the functions that walk_step.h requires ---- */

static int walk_read(struct walk_state *w, __u64 addr, __u32 width, __u64 *val)
{
	uint64_t off = addr - w->base;

	*val = 0;
	if (off <= w->len && width <= w->len - off) {
		memcpy(val, w->win + off, width);
		return 0;
	}
	w->far = true;
	return process__read(w->of->target, addr, val, width);
}

static int walk_decide(struct walk_state *w, __u64 addr, __u32 width, __u64 first, __u64 nr,
		       __u64 *val)
{
	(void)first;
	(void)nr;
	return walk_read(w, addr, width, val);
}

static int walk_pointer(struct walk_state *w, __u64 addr, __u32 len, __u64 *to)
{
	(void)len;
	return walk_read(w, addr, 8, to);
}

static void walk_nearby(struct walk_state *w, __u64 addr, __u64 at, __u32 width, __u64 limit)
{
	(void)w;
	(void)addr;
	(void)at;
	(void)width;
	(void)limit;
}

static const struct walk_type *walk_type_at(struct walk_state *w, __u32 i)
{
	return i < w->of->nr_types ? &w->of->types[i] : NULL;
}

static const struct walk_variant *walk_variant_at(struct walk_state *w, __u32 i)
{
	return i < w->of->nr_variants ? &w->of->variants[i] : NULL;
}

static const struct walk_arc *walk_arc_at(struct walk_state *w, __u32 i)
{
	return i < w->of->nr_arcs ? &w->of->arcs[i] : NULL;
}

static const struct walk_leaf *walk_leaf_at(struct walk_state *w, __u32 i)
{
	return i < w->of->nr_leaves ? &w->of->leaves[i] : NULL;
}

static int by_vaddr(const void *a, const void *b)
{
	const struct image_vtable *x = a, *y = b;

	return x->vaddr < y->vaddr ? -1 : x->vaddr > y->vaddr;
}

static __u32 walk_vtable_at(struct walk_state *w, __u64 addr)
{
	const struct image_vtable key = { .vaddr = addr - w->of->bias };
	const struct image_vtable *v = bsearch(&key, w->of->vtables, w->of->nr_vtables,
					       sizeof(key), by_vaddr);

	return v ? v->type : WALK_NONE;
}

static void walk_key_push(struct walk_state *w, __u64 addr, __u32 leaf)
{
	(void)w;
	(void)addr;
	(void)leaf;
}

static void walk_visit(struct walk_state *w, __u64 addr, __u32 type, __u32 variant)
{
	if (w->of->visit)
		w->of->visit(w->of->ctx, addr, type, variant);
}

static void walk_begin(struct walk_state *w)
{
	w->far = false;
}

static void walk_stray(struct walk_state *w)
{
	(void)w;
}

#define WALK_FN static
#include "walk_step.h"

/* ---- the walker ---- */

struct walker *walker__new(const struct image *img, const struct process *target, uint64_t bias)
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

void walker__on_visit(struct walker *w, walker_visit *visit, void *ctx)
{
	w->visit = visit;
	w->ctx = ctx;
}

uint32_t walker__vtable(const struct walker *w, uint64_t addr)
{
	return walk_vtable_at(&(struct walk_state){ .of = w }, addr);
}

void walker__future(struct walker *w, uint32_t type, uint64_t addr, struct walk_answer *out)
{
	const struct walk_cell cell = { .root_type = type, .size = type < w->nr_types ?
								   w->types[type].size : 0 };

	walker__task(w, &cell, addr, NULL, 0, out);
}

void walker__task(struct walker *from, const struct walk_cell *cell, uint64_t task,
		  const void *window, size_t len, struct walk_answer *out)
{
	struct walk_state w;

	w.of = from;
	w.base = task;
	w.win = window;
	w.len = len;
	w.far = false;
	walk_task(&w, task, cell, false);
	out->chain = w.chain;
	out->far = w.far;
}
