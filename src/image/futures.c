// SPDX-License-Identifier: GPL-2.0
/*
 * The explorer: from the type of a future to the tables of the walk. See futures.h. It
 * must not know functions, probes or files.
 *
 * A type is searched for futures by value, and through Pin, Box, &mut and enums. A
 * coroutine waits for its __awaitee only; a combinator or a hand-written future may
 * wait for every future in it.
 */
#include "image/futures.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash_table.h"
#include "image/descriptors.h"
#include "image/holders.h"
#include "image/leaf_keys.h"

#define MAX_ARCS	64	/* of one variant; the walk follows WALK_MAX_BRANCHES */
#define MAX_RANGE	4096	/* between a discriminant's smallest and largest value */
#define MAX_VARIANTS	70000
#define MAX_NEWTYPES	12	/* levels; a malformed structure may contain itself */

struct pending {
	struct die	die;
	uint32_t	type;
};

struct arc_list {
	struct walk_arc	v[MAX_ARCS];
	size_t		nr;
};

struct futures {
	struct model		*m;
	const struct types	*ts;
	struct rust_names	*names;
	struct awaits		*awaits;
	struct line_files	*lines;
	struct holders		*holders;
	struct descriptors	*descriptors;
	struct hash_table	 known;		/* index + 1, by type */
	struct pending		*todo;
	size_t			 nr_todo, cap_todo, done;
};

/* Sets of futures in a list of shared nodes; the set is polled as one future. */
static const struct container {
	const char	*type, *head, *next, *item;
} containers[] = {
	{ "futures_util::stream::futures_unordered::FuturesUnordered", "head_all", "next_all",
	  "future" },	/* futures-util 0.3, stream/futures_unordered/{mod,task}.rs */
};

/* ---- arcs ---- */

static void add_arc(struct arc_list *list, uint32_t type, uint64_t off, enum walk_arc_mode mode)
{
	if (type == WALK_NONE && mode != WALK_ARC_DYN)
		return;
	if (list->nr == MAX_ARCS || off > UINT32_MAX)
		return;
	list->v[list->nr++] = (struct walk_arc){ .type = type, .off = (uint32_t)off,
						 .mode = (uint8_t)mode };
}

/* Adds arcs to as many elements as the walk follows, and one for the rest. */
static void add_elements(struct arc_list *list, struct walk_arc arc)
{
	list->nr = 0;
	for (unsigned int i = 0; i < WALK_MAX_BRANCHES; i++) {
		arc.index = (uint8_t)(i < WALK_MAX_BRANCHES - 1 ? i : i | WALK_ARC_REST);
		list->v[list->nr++] = arc;
	}
}

/* Adds arcs to the futures in a value of type @d at offset @off. */
static void futures__collect(struct futures *f, const struct die *d, uint64_t off,
			     unsigned int depth, bool captures, struct arc_list *out)
{
	struct member_iter it = { 0 };
	uint64_t data, other;
	struct type_variants vs;
	struct type_member m;
	struct die to;
	bool dyn;

	if (!holders__holds(f->holders, d, depth, captures))
		return;
	if (d->ab->tag == DW_TAG_pointer_type) {
		struct die further;

		if (!type__pointee(f->ts, d, &to))
			return;
		if (captures && to.ab->tag == DW_TAG_pointer_type && !*type__name(&to) &&
		    type__pointee(f->ts, &to, &further))
			add_arc(out, futures__add(f, &further), off, WALK_ARC_PTR2);
		else
			add_arc(out, futures__add(f, &to), off, WALK_ARC_PTR);
		return;
	}
	if (holders__is_future(f->holders, d)) {
		add_arc(out, futures__add(f, d), off, WALK_ARC_INLINE);
		return;
	}
	if (type__fat_pointer(f->ts, d, &dyn, &data, &other, &to)) {
		if (dyn)
			add_arc(out, WALK_NONE, off + data, WALK_ARC_DYN);
		else if (!out->nr)
			/* its own list, with as many arcs as may be followed */
			add_elements(out, (struct walk_arc){
				.type = futures__add(f, &to), .off = (uint32_t)(off + data),
				.mode = WALK_ARC_SLICE, .item = (uint32_t)type__size(&to) });
		return;
	}
	if (type__variants(f->ts, d, &vs)) {
		add_arc(out, futures__add(f, d), off, WALK_ARC_INLINE);
		return;
	}
	while (type__next_member(f->ts, d, &it, &m))
		futures__collect(f, &m.type, off + m.off, depth + 1, captures, out);
}

/* ---- variants ---- */

static void put_variant(struct futures *f, uint32_t at, uint32_t type, const char *name,
			const struct arc_list *arcs, uint8_t flags)
{
	struct image_variant *iv = model__at(f->m, MODEL_VARIANTS, at);
	struct walk_variant *wv = model__at(f->m, MODEL_WALK_VARIANTS, at);
	size_t nr = arcs ? arcs->nr : 0;

	iv->type = type;
	wv->flags = flags;
	wv->arc_type = WALK_NONE;
	wv->nr_arcs = (uint8_t)(nr < 255 ? nr : 255);
	if (nr == 1) {
		wv->arc_type = arcs->v[0].type;
		wv->arc_off = arcs->v[0].off;
		wv->arc_mode = arcs->v[0].mode;
	} else if (nr) {
		uint32_t first = model__add(f->m, MODEL_WALK_ARCS, nr);

		if (first == WALK_NONE)
			return;
		memcpy(model__at(f->m, MODEL_WALK_ARCS, first), arcs->v, nr * sizeof(arcs->v[0]));
		wv = model__at(f->m, MODEL_WALK_VARIANTS, at);
		wv->first_arc = first;
	}
	iv->name = model__str(f->m, name);
}

/* Adds @nr variants of @type in a row, all of them holes. Returns the index of the first. */
static uint32_t add_variants(struct futures *f, uint32_t type, size_t nr)
{
	uint32_t first = model__add(f->m, MODEL_WALK_VARIANTS, nr);

	if (first == WALK_NONE || model__add(f->m, MODEL_VARIANTS, nr) != first)
		return WALK_NONE;
	for (size_t i = 0; i < nr; i++)
		put_variant(f, first + (uint32_t)i, type, NULL, NULL, WALK_VARIANT_HOLE);
	return first;
}

static void single_variant(struct futures *f, uint32_t type, const struct arc_list *arcs)
{
	uint32_t first = add_variants(f, type, 1);
	struct walk_type *wt;

	if (first == WALK_NONE)
		return;
	put_variant(f, first, type, NULL, arcs, 0);
	wt = model__at(f->m, MODEL_WALK_TYPES, type);
	wt->first_variant = first;
	wt->nr_variants = 1;
}

/*
 * Sets the discriminant of the type at @d, and adds a row of variants for its values.
 * False: the walk cannot read a discriminant of this kind; @why says why.
 */
static bool discriminant(struct futures *f, const struct type_variants *vs, uint32_t type,
			 const char **why)
{
	uint64_t lo = ~0ull, hi = 0, defaults = 0, nr = 0;
	struct member_iter it = { 0 };
	struct type_variant v;
	struct walk_type *wt;
	uint32_t first;

	while (type__next_variant(f->ts, vs, &it, &v)) {
		if (++nr > MAX_VARIANTS)
			break;
		if (!v.has_value) {
			defaults++;
			continue;
		}
		lo = v.value < lo ? v.value : lo;
		hi = v.value > hi ? v.value : hi;
	}
	/* rust#104625: then the value does not tell which variant it is */
	if (defaults > 1 && vs->width) {
		*why = "several variants share one value of the discriminant";
		return false;
	}
	if (!nr || nr > MAX_VARIANTS) {
		*why = "its variants are not described";
		return false;
	}
	if (lo > hi) {
		lo = 0;
		hi = 0;
		if (!vs->width || defaults == nr)
			hi = 0;
	}
	if (hi - lo >= MAX_RANGE) {
		*why = "its discriminant's values lie too far apart";
		return false;
	}
	wt = model__at(f->m, MODEL_WALK_TYPES, type);
	if (vs->width && (vs->off > wt->size || wt->size - vs->off < vs->width)) {
		*why = "its discriminant lies outside of it";
		return false;
	}
	first = add_variants(f, type, (size_t)(hi - lo + 1 + (defaults ? 1 : 0)));
	if (first == WALK_NONE)
		return false;
	wt = model__at(f->m, MODEL_WALK_TYPES, type);
	wt->disc_off = (uint32_t)vs->off;
	wt->disc_width = (uint8_t)vs->width;
	wt->disc_base = lo;
	wt->first_variant = first;
	wt->nr_variants = nr == defaults ? 0 : (uint32_t)(hi - lo + 1);
	wt->default_variant = defaults ? first + (uint32_t)(hi - lo + 1) : WALK_NONE;
	if (!vs->width) {
		/* if there is no value, only one variant is possible: put it first */
		wt->first_variant = defaults ? wt->default_variant : first;
		wt->nr_variants = 1;
	}
	return true;
}

/* The index of variant @v in the row. */
static uint32_t variant_index(const struct futures *f, uint32_t type, const struct type_variant *v)
{
	const struct walk_type *wt = model__at(f->m, MODEL_WALK_TYPES, type);

	if (!v->has_value || !wt->disc_width)
		return wt->default_variant != WALK_NONE ? wt->default_variant : wt->first_variant;
	return wt->first_variant + (uint32_t)(v->value - wt->disc_base);
}

/* Values in the range that no variant has belong to the default variant. */
static void fill_holes(struct futures *f, uint32_t type)
{
	const struct walk_type *wt = model__at(f->m, MODEL_WALK_TYPES, type);

	if (wt->default_variant == WALK_NONE)
		return;
	for (uint32_t i = 0; i < wt->nr_variants; i++) {
		struct walk_variant *v = model__at(f->m, MODEL_WALK_VARIANTS,
						   wt->first_variant + i);

		if (!(v->flags & WALK_VARIANT_HOLE))
			continue;
		*v = *(struct walk_variant *)model__at(f->m, MODEL_WALK_VARIANTS,
						       wt->default_variant);
		*(struct image_variant *)model__at(f->m, MODEL_VARIANTS, wt->first_variant + i) =
			*(struct image_variant *)model__at(f->m, MODEL_VARIANTS,
							   wt->default_variant);
	}
}

static void unknown_layout(struct futures *f, uint32_t type, const char *why)
{
	const struct image_type *t = model__at(f->m, MODEL_TYPES, type);
	struct walk_type *wt = model__at(f->m, MODEL_WALK_TYPES, type);
	char *name = strdup(model__text(f->m, t->name));

	if (!name)
		f->m->err = -ENOMEM;
	/* an offset beyond any task: the walk ends there in a gap */
	wt->disc_width = 1;
	wt->disc_off = INT32_MAX;
	model__note(f->m, "%s: layout unknown: %s", name ? name : "", why);
	free(name);
}

/* ---- kinds of types ---- */

static struct image_type *futures__type(const struct futures *f, uint32_t type)
{
	return model__at(f->m, MODEL_TYPES, type);
}

/*
 * "{async block web.rs:112}": what an async block or closure is told by from others in
 * the same function. Its first state is declared where its source begins.
 */
static void note_begin(struct futures *f, const struct die *d, uint32_t type,
		       const struct die *unresumed)
{
	char *text = name__block(type__name(d), awaits__position(f->awaits, unresumed));
	image_str begin = model__str(f->m, text);

	futures__type(f, type)->begin = begin;
	free(text);
}

static void explore_coroutine(struct futures *f, const struct die *d, uint32_t type)
{
	struct await_point *points = NULL;
	uint32_t *at = NULL;
	struct member_iter it = { 0 };
	const char *why = "no states";
	struct type_variants vs;
	struct type_variant v;
	size_t nr = 0, cap = 0, cap_at = 0;

	if (!type__variants(f->ts, d, &vs) || !discriminant(f, &vs, type, &why)) {
		unknown_layout(f, type, why);
		return;
	}
	while (type__next_variant(f->ts, &vs, &it, &v)) {
		const char *name = type__name(&v.payload.type);
		uint32_t i = variant_index(f, type, &v);
		struct arc_list arcs = { .nr = 0 };
		struct type_member awaitee;
		bool suspended = !strncmp(name, "Suspend", 7);

		if (!strcmp(name, "Unresumed"))
			note_begin(f, d, type, &v.payload.die);
		if (!strcmp(name, "Returned"))	/* declared where its source ends */
			futures__type(f, type)->last_line =
				awaits__position(f->awaits, &v.payload.die).line;
		if (!suspended) {
			/* not begun, or completed: it awaits nothing */
			put_variant(f, i, type, name, NULL, WALK_VARIANT_DONE);
			continue;
		}
		if (array__room(&points, &cap, nr, sizeof(*points)) ||
		    array__room(&at, &cap_at, nr, sizeof(*at))) {
			f->m->err = -ENOMEM;
			break;
		}
		at[nr] = i;
		points[nr].member = v.payload.die;
		points[nr].has_awaitee = type__member(f->ts, &v.payload.type, "__awaitee",
						      &awaitee);
		if (points[nr].has_awaitee) {
			points[nr].awaitee = awaitee.type;
			if (holders__holds(f->holders, &awaitee.type, 0, false))
				futures__collect(f, &awaitee.type, awaitee.off, 0, false, &arcs);
			else
				/* it is awaited, so it is a future, whatever its type */
				add_arc(&arcs, futures__add(f, &awaitee.type), awaitee.off,
					WALK_ARC_INLINE);
		}
		put_variant(f, i, type, name, &arcs, 0);
		nr++;
	}
	awaits__locate(f->awaits, d, points, nr);
	for (size_t i = 0; i < nr; i++) {
		const char *base = points[i].path ? strrchr(points[i].path, '/') : NULL;
		image_str path = model__str(f->m, points[i].path);
		image_str file = model__str(f->m, base ? base + 1 : points[i].path);
		struct image_variant *iv = model__at(f->m, MODEL_VARIANTS, at[i]);

		iv->line = points[i].line;
		iv->path = path;
		iv->file = file;
	}
	free(points);
	free(at);
}

static void explore_enum(struct futures *f, const struct type_variants *vs, uint32_t type)
{
	const char *why = "";
	struct member_iter it = { 0 };
	struct type_variant v;

	if (!discriminant(f, vs, type, &why)) {
		unknown_layout(f, type, why);
		return;
	}
	while (type__next_variant(f->ts, vs, &it, &v)) {
		struct arc_list arcs = { .nr = 0 };

		futures__collect(f, &v.payload.type, v.payload.off, 0, false, &arcs);
		put_variant(f, variant_index(f, type, &v), type, v.payload.name, &arcs,
			    arcs.nr ? 0 : WALK_VARIANT_DONE);
	}
	fill_holes(f, type);
}

/*
 * A leaf of a runtime that reads or writes what it holds, which is no object of the reactor: it
 * polls the futures that this has, as tokio's File has its job. False: there are none.
 */
static bool explore_held(struct futures *f, const struct runtime_leaf *l, const struct die *d,
			 uint32_t type)
{
	struct arc_list arcs = { .nr = 0 };
	struct member_iter it = { 0 };
	struct type_member m;

	while (type__next_member(f->ts, d, &it, &m))
		if (!l->data || !m.name || strcmp(m.name, l->data))
			futures__collect(f, &m.type, m.off, 1, true, &arcs);
	if (!arcs.nr)
		return false;
	single_variant(f, type, &arcs);
	futures__type(f, type)->kind = IMAGE_TYPE_WRAPPER;
	return true;
}

static bool explore_leaf(struct futures *f, const struct die *d, uint32_t type)
{
	const struct runtime_leaf *l;
	struct type_member closure;
	struct image_path node;
	struct die of = *d;
	uint32_t at;

	l = leaf_keys__find(f->m, f->ts, d, &at);
	/* what a PollFn waits for depends on its closure */
	if (!l && holders__is_poll_fn(f->ts, d) && type__member(f->ts, d, "f", &closure)) {
		l = leaf_keys__find(f->m, f->ts, &closure.type, &at);
		of = closure.type;
	}
	if (!l)
		return false;
	if (at == WALK_NONE && l->search_io && explore_held(f, l, &of, type))
		return true;
	if (l->queue_node && type__path(f->ts, &of, l->queue_node, &node, NULL) && !node.nr_hops)
		futures__type(f, type)->node_off = node.off[0];
	futures__type(f, type)->ended_by = l->ended_by;
	futures__type(f, type)->idle = l->idle;
	((struct walk_type *)model__at(f->m, MODEL_WALK_TYPES, type))->leaf = at;
	single_variant(f, type, NULL);
	/*
	 * Without a key, the descriptor is found by whose waker is registered with it, and of an
	 * operation it is only known that the driver ends the wait.
	 */
	if ((l->key == WALK_KEY_IO || l->key == WALK_KEY_OPERATION) && at == WALK_NONE) {
		futures__type(f, type)->kind = IMAGE_TYPE_OPAQUE;
		((struct walk_type *)model__at(f->m, MODEL_WALK_TYPES, type))->flags |=
			WALK_TYPE_OPAQUE;
	} else {
		futures__type(f, type)->kind = IMAGE_TYPE_LEAF;
	}
	futures__type(f, type)->leaf_key = (uint8_t)(at == WALK_NONE ? WALK_KEY_NONE : l->key);
	return true;
}

static bool is_never(const struct futures *f, const struct die *d)
{
	for (unsigned int r = 0; runtimes[r]; r++)
		if (runtimes[r]->never && type__is(f->ts, d, runtimes[r]->never))
			return true;
	return false;
}

/* Adds an arc to what an Arc at @off shares, through its block of counters. */
static void add_shared(struct futures *f, const struct die *d, uint64_t off, struct arc_list *out)
{
	struct image_path block;
	struct die to;

	if (type__named(d, "Arc<") && type__path(f->ts, d, "*", &block, &to) &&
	    block.nr_hops == 1 && !block.off[1])
		add_arc(out, futures__add(f, &to), off + block.off[0], WALK_ARC_PTR);
}

static bool explore_wrapper(struct futures *f, const struct die *d, uint32_t type)
{
	const struct runtime_wrapper *w = holders__wrapper(f->ts, d);
	struct arc_list arcs = { .nr = 0 };
	struct type_member m;

	if (!w || !type__member(f->ts, d, w->main, &m))
		return false;
	if (!w->side || !is_never(f, &m.type)) {
		futures__collect(f, &m.type, m.off, 0, false, &arcs);
		if (!arcs.nr)
			add_shared(f, &m.type, m.off, &arcs);
		if (!arcs.nr)
			add_arc(&arcs, futures__add(f, &m.type), m.off, WALK_ARC_INLINE);
	}
	if (w->side && type__member(f->ts, d, w->side, &m))
		futures__collect(f, &m.type, m.off, 0, false, &arcs);
	single_variant(f, type, &arcs);
	futures__type(f, type)->kind = holders__is_hidden(w) ? IMAGE_TYPE_TRANSPARENT :
							       IMAGE_TYPE_WRAPPER;
	return true;
}

static bool explore_container(struct futures *f, const struct die *d, uint32_t type)
{
	struct arc_list arcs = { .nr = 0 };
	struct image_path head, next, item;
	struct die node, unused, future;
	const struct container *c = NULL;
	struct type_member m;

	for (size_t i = 0; i < sizeof(containers) / sizeof(containers[0]); i++)
		if (type__is(f->ts, d, containers[i].type))
			c = &containers[i];
	if (!c)
		return false;
	if (!type__path(f->ts, d, c->head, &head, &unused) || head.nr_hops)
		return false;
	/* AtomicPtr<Task<Fut>>, Arc<Task<Fut>>: the type of a node is their parameter */
	if (!type__member(f->ts, d, c->head, &m) || !type__param(f->ts, &m.type, "T", &node) ||
	    !type__path(f->ts, &node, c->next, &next, NULL) || next.nr_hops ||
	    next.off[0] > UINT16_MAX || !type__path(f->ts, &node, c->item, &item, &future) ||
	    item.nr_hops)
		return false;
	/* UnsafeCell<Option<Fut>>: go to the Option */
	for (int i = 0; i < MAX_NEWTYPES; i++) {
		if (type__variants(f->ts, &future, &(struct type_variants){ 0 }) ||
		    !type__only_member(f->ts, &future, &m) ||
		    holders__is_future(f->holders, &future))
			break;
		item.off[0] += (uint32_t)m.off;
		future = m.type;
	}
	add_elements(&arcs, (struct walk_arc){
		.type = futures__add(f, &future), .off = head.off[0], .mode = WALK_ARC_LIST,
		.next = (uint16_t)next.off[0], .item = item.off[0] });
	single_variant(f, type, &arcs);
	futures__type(f, type)->kind = IMAGE_TYPE_WRAPPER;
	return true;
}

/* A combinator or a hand-written future: it may poll every future in it. */
static void explore_struct(struct futures *f, const struct die *d, uint32_t type, bool transparent)
{
	bool captures = name__is_closure(type__name(d)) || holders__is_poll_fn(f->ts, d);
	struct arc_list arcs = { .nr = 0 };
	struct member_iter it = { 0 };
	struct type_member m;

	if (d->ab->tag == DW_TAG_pointer_type || type__named(d, "Pin<") || transparent) {
		futures__collect(f, d, 0, 0, captures, &arcs);
	} else {
		while (type__next_member(f->ts, d, &it, &m))
			futures__collect(f, &m.type, m.off, 1, captures, &arcs);
	}
	single_variant(f, type, arcs.nr ? &arcs : NULL);
	if (!arcs.nr) {
		struct walk_type *wt = model__at(f->m, MODEL_WALK_TYPES, type);

		futures__type(f, type)->kind = IMAGE_TYPE_OPAQUE;
		wt->flags |= WALK_TYPE_OPAQUE;
	} else {
		futures__type(f, type)->kind = transparent ? IMAGE_TYPE_TRANSPARENT :
							     IMAGE_TYPE_WRAPPER;
	}
}

static void explore_kind(struct futures *f, const struct die *d, uint32_t type)
{
	bool transparent = !holders__is_future(f->holders, d);
	struct type_variants vs;

	if (name__is_coroutine(type__name(d))) {
		futures__type(f, type)->kind = IMAGE_TYPE_FN;
		explore_coroutine(f, d, type);
		return;
	}
	if (explore_leaf(f, d, type) || explore_wrapper(f, d, type) ||
	    explore_container(f, d, type))
		return;
	if (type__variants(f->ts, d, &vs)) {
		futures__type(f, type)->kind = transparent ? IMAGE_TYPE_TRANSPARENT :
							     IMAGE_TYPE_WRAPPER;
		explore_enum(f, &vs, type);
		return;
	}
	explore_struct(f, d, type, transparent);
}

static bool runtime_own(const char *name)
{
	for (unsigned int r = 0; runtimes[r]; r++)
		if (name__is_below_any(name, runtimes[r]->crate))
			return true;
	return name__is_below(name, "core") || name__is_below(name, "std") ||
	       name__is_below(name, "alloc");
}

/* A PollFn that polls no future: it is named by its closure. */
static void name_poll_fn(struct futures *f, const struct die *d, uint32_t type)
{
	struct type_member closure;
	image_str shortname;
	char *name, *brief;

	if (!holders__is_poll_fn(f->ts, d) || !type__member(f->ts, d, "f", &closure) ||
	    !name__is_closure(type__name(&closure.type)))
		return;
	name = rust_names__type(f->names, &closure.type);
	brief = name ? name__closure_frame(name, runtime_own(name)) : NULL;
	shortname = brief ? model__str(f->m, brief) : 0;
	if (shortname)
		futures__type(f, type)->shortname = shortname;
	else
		f->m->err = -ENOMEM;
	free(brief);
	free(name);
}

static void futures__explore_one(struct futures *f, const struct die *d, uint32_t type)
{
	uint8_t kind;

	explore_kind(f, d, type);
	kind = futures__type(f, type)->kind;
	if (kind == IMAGE_TYPE_LEAF || kind == IMAGE_TYPE_OPAQUE)
		name_poll_fn(f, d, type);
	if (kind == IMAGE_TYPE_WRAPPER || kind == IMAGE_TYPE_OPAQUE)
		futures__type(f, type)->descriptor = (uint8_t)descriptors__of(f->descriptors, d);
}

/* ---- the list of types ---- */

uint32_t futures__add(struct futures *f, const struct die *d)
{
	struct hash_slot *known = hash_table__at(&f->known, type__key(f->ts, d));
	struct image_type *t;
	struct walk_type *wt;
	image_str long_str, short_str;
	char *name, *brief;
	uint32_t type;
	bool own;

	if (!known) {
		f->m->err = -ENOMEM;
		return WALK_NONE;
	}
	if (known->value)
		return (uint32_t)known->value - 1;
	if (array__room(&f->todo, &f->cap_todo, f->nr_todo, sizeof(*f->todo)))
		goto nomem;
	type = model__add(f->m, MODEL_WALK_TYPES, 1);
	if (type == WALK_NONE || model__add(f->m, MODEL_TYPES, 1) != type)
		goto nomem;
	known->value = type + 1;
	f->todo[f->nr_todo++] = (struct pending){ *d, type };

	name = rust_names__type(f->names, d);
	own = name && runtime_own(name);
	brief = name ? name__frame(name, name__is_coroutine(type__name(d)), own) : NULL;
	if (!brief) {
		free(name);
		goto nomem;
	}
	long_str = model__str(f->m, name);
	short_str = model__str(f->m, brief);
	free(name);
	free(brief);
	t = model__at(f->m, MODEL_TYPES, type);
	t->name = long_str;
	t->shortname = short_str;
	t->runtime_own = own;
	t->node_off = WALK_NONE;
	wt = model__at(f->m, MODEL_WALK_TYPES, type);
	wt->size = (uint32_t)type__size(d);
	wt->leaf = WALK_NONE;
	wt->default_variant = WALK_NONE;
	return type;
nomem:
	f->m->err = -ENOMEM;
	return WALK_NONE;
}

int futures__explore(struct futures *f)
{
	bool noted = false;

	while (f->done < f->nr_todo && !f->m->err) {
		struct pending p = f->todo[f->done++];

		if (f->ts->di->steps > HOLDERS_MAX_STEPS) {
			unknown_layout(f, p.type, "the debug information is too large");
			if (!noted)
				f->m->torn = noted = true;
			continue;
		}
		futures__explore_one(f, &p.die, p.type);
	}
	return f->m->err;
}

char *futures__closure(const struct futures *f, const struct die *env)
{
	return name__block(type__name(env), awaits__closure(f->awaits, env));
}

struct holders *futures__holders(struct futures *f)
{
	return f->holders;
}

const struct die *futures__die(const struct futures *f, uint32_t type)
{
	return &f->todo[type].die;
}

struct futures *futures__new(struct model *m, const struct types *ts, struct rust_names *names,
			     struct awaits *awaits, struct line_files *lines)
{
	struct futures *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	*f = (struct futures){ .m = m, .ts = ts, .names = names, .awaits = awaits,
			       .lines = lines };
	f->holders = holders__new(ts);
	f->descriptors = f->holders ? descriptors__new(ts, f->holders) : NULL;
	if (!f->descriptors) {
		futures__free(f);
		return NULL;
	}
	return f;
}

void futures__free(struct futures *f)
{
	if (!f)
		return;
	descriptors__free(f->descriptors);
	holders__free(f->holders);
	hash_table__clear(&f->known);
	free(f->todo);
	free(f);
}
