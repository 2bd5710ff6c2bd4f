// SPDX-License-Identifier: GPL-2.0
/* Finds the types of tasks in the debug information. See cells.h. */
#include "image/cells.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bisect.h"
#include "image/wanted.h"

#define MAX_NEWTYPES	12	/* levels; a malformed structure may contain itself */

static uint64_t mix(uint64_t a, uint64_t b)
{
	a = (a ^ b) * 0x9e3779b97f4a7c15ull;
	return a ^ a >> 29;
}

/* Also works for types that the index does not list (pointers, for example). */
uint64_t cells__type_key(const struct types *ts, const struct die *d)
{
	const struct scan_type *t = scan__type_at(ts->sc, d->p);
	uint64_t h = 1;

	if (t)
		return t->hash;
	for (const char *s = type__name(d); *s; s++)
		h = mix(h, (unsigned char)*s);
	return h;
}

uint64_t cells__key(const struct types *ts, const struct die *t, const struct die *s)
{
	/* they may be the same */
	return mix(mix(1, cells__type_key(ts, t)), cells__type_key(ts, s));
}

static int cell__cmp(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->die < y->die ? -1 : x->die > y->die;
}

int cells__find(struct cells *cs, const struct types *ts, const struct runtime *rt)
{
	const struct scan *sc = ts->sc;
	const char *word = rt->cell_type ? wanted__last_word(rt->cell_type) : "";
	size_t len = strlen(word);

	cs->nr = 0;
	if (!rt->cell_type)
		return 0;
	for (size_t i = 0; i < sc->nr_types; i++) {
		const struct scan_type *t = &sc->types[i];
		struct die d, future, scheduler;

		if (strncmp(t->name, word, len) || t->name[len] != '<' || t->declaration ||
		    t->empty || !die__at_addr(ts->di, t->die, &d) ||
		    !type__is(ts, &d, rt->cell_type) ||
		    !type__param(ts, &d, rt->future_param, &future) ||
		    !type__param(ts, &d, rt->scheduler_param, &scheduler))
			continue;
		if (array__room(&cs->list, &cs->cap, cs->nr, sizeof(*cs->list)))
			return -ENOMEM;
		cs->list[cs->nr++] = (struct cell){ .key = cells__key(ts, &future, &scheduler),
						    .die = t->die };
	}
	if (cs->nr)
		qsort(cs->list, cs->nr, sizeof(*cs->list), cell__cmp);
	return 0;
}

void cells__free(struct cells *cs)
{
	free(cs->list);
	*cs = (struct cells){ .list = NULL };
}

struct cell *cells__get(const struct cells *cs, uint64_t key)
{
	size_t lo = BISECT(cs->nr, k, cs->list[k].key < key);
	return lo < cs->nr && cs->list[lo].key == key ? &cs->list[lo] : NULL;
}

/* Layout of a cell whose future is in a variant of an enum in the cell at @d. */
static bool layout_of_stage(const struct types *ts, const struct runtime *rt, const struct die *d,
			    struct walk_cell *out)
{
	struct type_member payload = { 0 }, inner;
	struct member_iter it = { 0 };
	struct image_path path;
	struct type_variants vs;
	struct type_variant v;
	struct die stage;
	bool found = false;
	int levels = 0;

	if (!type__path(ts, d, rt->stage_path, &path, &stage) || path.nr_hops)
		return false;
	/* through the UnsafeCell and the CoreStage around it */
	while (!type__variants(ts, &stage, &vs)) {
		if (++levels > MAX_NEWTYPES || !type__only_member(ts, &stage, &inner))
			return false;
		path.off[0] += (uint32_t)inner.off;
		stage = inner.type;
	}
	while (type__next_variant(ts, &vs, &it, &v)) {
		if (!v.payload.name || strcmp(v.payload.name, rt->stage_variant))
			continue;
		payload = v.payload;
		found = true;
		/*
		 * a niche: the variant stands for "any other value", which cannot be
		 * compared
		 */
		out->stage_width = v.has_value ? (uint8_t)vs.width : 0;
		out->stage_running = v.value;
	}
	if (!found || !type__only_member(ts, &payload.type, &inner))
		return false;
	out->size = (uint32_t)type__size(d);
	out->stage_off = path.off[0] + (uint32_t)vs.off;
	out->future_off = path.off[0] + (uint32_t)(payload.off + inner.off);
	/* both must lie in the cell */
	return (uint64_t)out->stage_off + out->stage_width <= out->size &&
	       type__size(&inner.type) <= out->size &&
	       out->future_off <= out->size - type__size(&inner.type);
}

/* Layout of a cell whose future shares its place with its result, in a union. */
static bool layout_of_union(const struct types *ts, const struct runtime *rt, const struct die *d,
			    struct walk_cell *out)
{
	struct image_path path;
	struct die end;

	if (!type__path(ts, d, rt->stage_path, &path, &end) || path.nr_hops)
		return false;
	out->size = (uint32_t)type__size(d);
	out->future_off = path.off[0];
	return out->future_off <= out->size && type__size(&end) <= out->size - out->future_off;
}

/* Where the next part of an allocation begins, and its size so far. */
struct extent {
	uint64_t	at, end, align;
};

static uint64_t align_up(uint64_t v, uint64_t align)
{
	return align ? (v + align - 1) / align * align : v;
}

/*
 * Adds the part that several members of @d point to; their names are the @len bytes at
 * @names, separated by '|'.
 */
static bool add_part(const struct types *ts, const struct die *d, const char *names, size_t len,
		     struct extent *e)
{
	uint64_t size = 0, align = 1;

	for (size_t at = 0, n; at < len; at += n + 1) {
		struct type_member m;
		char name[32];
		struct die to;

		for (n = 0; at + n < len && names[at + n] != '|';)
			n++;
		snprintf(name, sizeof(name), "%.*s", (int)n, names + at);
		if (!type__member(ts, d, name, &m) || !type__pointee(ts, &m.type, &to) ||
		    !type__resolve(ts, &to) || type__size(&to) > UINT32_MAX ||
		    type__align(&to) > UINT32_MAX)
			return false;
		size = type__size(&to) > size ? type__size(&to) : size;
		align = type__align(&to) > align ? type__align(&to) : align;
	}
	e->at = align_up(e->end, align);
	e->end = e->at + size;
	e->align = align > e->align ? align : e->align;
	return e->end <= UINT32_MAX;
}

/* Is @name one of the names, separated by '|', in the @len bytes at @names? */
static bool is_among(const char *name, const char *names, size_t len)
{
	size_t n = strlen(name);

	for (size_t at = 0; at + n <= len; at++)
		if (!strncmp(names + at, name, n) && (at + n == len || names[at + n] == '|') &&
		    (!at || names[at - 1] == '|'))
			return true;
	return false;
}

/* Layout of an allocation whose parts follow each other; @d has pointers to the parts. */
static bool layout_of_parts(const struct types *ts, const struct runtime *rt, const struct die *d,
			    struct walk_cell *out)
{
	struct extent e = { .align = 1 };
	bool found = false;

	for (const char *p = rt->cell_parts; *p;) {
		size_t len = strcspn(p, ",");

		if (!add_part(ts, d, p, len, &e))
			return false;
		if (is_among(rt->cell_future, p, len)) {
			out->future_off = (uint32_t)e.at;
			found = true;
		}
		p += len + (p[len] == ',');
	}
	out->size = (uint32_t)align_up(e.end, e.align);
	return found;
}

bool cell__layout(const struct types *ts, const struct runtime *rt, const struct die *d,
		  struct walk_cell *out)
{
	if (rt->cell_parts)
		return layout_of_parts(ts, rt, d, out);
	return (rt->stage_variant ? layout_of_stage : layout_of_union)(ts, rt, d, out);
}
