// SPDX-License-Identifier: GPL-2.0
/* Where polls return to, from the code of the whole program. See poll_ends.h. */
#include "image/poll_ends.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash_table.h"
#include "image/returns.h"
#include "image/symbols_of.h"

struct search {
	struct model		*m;
	const struct binary	*b;
	struct site_finder	*sites;
	struct boundaries	*boundaries;
	/* returns that are in the model, by their contents */
	struct hash_table	 known;
};

/* The entry for @r; its value is the number + 1 in the model, 0 if new. NULL: no memory. */
static struct hash_slot *find_known(struct search *s, const struct image_return *r)
{
	uint64_t key = r->ret ^ (r->site.vaddr - r->ret) << 32;

	for (;; key++) {
		struct hash_slot *known = hash_table__at(&s->known, key);
		const struct image_return *have;

		if (!known || !known->value)
			return known;
		have = model__at(s->m, MODEL_RETURNS, known->value - 1);
		if (have->ret == r->ret && have->site.vaddr == r->site.vaddr)
			return known;
	}
}

static void add_return(void *ctx, const struct image_return *r)
{
	struct search *s = ctx;
	struct hash_slot *known = find_known(s, r);
	uint32_t at;

	if (!known)
		s->m->err = -ENOMEM;
	if (!known || known->value)
		return;
	at = model__add(s->m, MODEL_RETURNS, 1);
	if (at == WALK_NONE)
		return;
	*(struct image_return *)model__at(s->m, MODEL_RETURNS, at) = *r;
	known->value = at + 1;
}

static void found_return(void *ctx, uint64_t ret)
{
	struct search *s = ctx;

	returns__of(s->sites, s->boundaries, ret, add_return, s);
}

/*
 * Finds calls of a function that jumps on to a task's poll function. In unoptimised
 * code it calls instead of jumping; then its own call is found.
 */
static void found_through(void *ctx, const struct symbol *sym, const char *generics)
{
	struct search *s = ctx;

	(void)generics;
	if (!site_finder__indirect_calls(s->sites, sym->vaddr, sym->vaddr + sym->size,
					 found_return, s))
		site_finder__calls_of(s->sites, sym->vaddr, found_return, s);
}

/* The same for each of @paths, which are separated by '|'. */
static void find_through(struct search *s, const char *paths)
{
	for (; *paths; paths += *paths == '|') {
		size_t len = strcspn(paths, "|");
		char *path = strndup(paths, len);

		if (path)
			symbols__of(s->b, path, found_through, s);
		else
			s->m->err = -ENOMEM;
		free(path);
		paths += len;
	}
}

/*
 * Reads the offset that layout @name of the runtime has in this program; *@out is
 * unchanged if it is not known.
 */
static void offset_of(const struct search *s, const struct runtime *rt, uint32_t first,
		      const char *name, uint32_t *out)
{
	for (uint32_t i = 0; i < rt->nr_layouts; i++) {
		const struct image_path *p = model__at(s->m, MODEL_LAYOUTS, first + i);

		if (!strcmp(rt->layouts[i].name, name) && p->ok && !p->nr_hops)
			*out = p->off[0];
	}
}

/* Finds calls through tasks' vtables. The runtime may be inlined into any function. */
static void find_table_calls(struct search *s, const struct table_call *call)
{
	for (size_t i = 0; i < s->b->nr_syms; i++) {
		const struct symbol *sym = &s->b->syms[i];
		uint64_t end = sym->vaddr + sym->size;

		if (site_finder__maybe_table_call(s->sites, sym->vaddr, end, call))
			site_finder__table_calls(s->sites, sym->vaddr, end, call, found_return, s);
	}
}

void poll_ends__find(struct model *m, const struct binary *b, struct site_finder *sites,
		     struct boundaries *bs)
{
	struct search s = { .m = m, .b = b, .sites = sites, .boundaries = bs };
	uint32_t first = 0;

	for (unsigned int r = 0; runtimes[r]; first += runtimes[r++]->nr_layouts) {
		const struct runtime *rt = runtimes[r];
		/* a wrong site does no harm, and a missing one is found at run time */
		struct table_call call = { rt->usual_vtable_off, rt->usual_poll_off };

		if (!model__has_polls(m, r))
			continue;
		if (rt->poll_through)
			find_through(&s, rt->poll_through);
		offset_of(&s, rt, first, "header.vtable", &call.vtable_off);
		offset_of(&s, rt, first, "vtable.poll", &call.fn_off);
		if (call.vtable_off || call.fn_off)
			find_table_calls(&s, &call);
	}
	hash_table__clear(&s.known);
	if (boundaries__err(bs))
		m->err = boundaries__err(bs);
}
