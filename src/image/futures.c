// SPDX-License-Identifier: GPL-2.0
/*
 * The explorer: from the type of a future to the tables of the walk. See
 * futures.h. It must not know of functions, probes or files.
 *
 * What a type holds is looked for by value, through Pin, Box, &mut and enums.
 * A coroutine waits for its __awaitee and nothing else; a combinator or a
 * future written by hand may wait for every future in it.
 */
#include "image/futures.h"

#include <stdlib.h>
#include <string.h>

#include "image/array.h"

#define MAX_ARCS	64	/* of one variant; the walk follows WALK_MAX_BRANCHES */
#define MAX_HOLDERS	8	/* structs in structs on the way to a future */
#define MAX_RANGE	4096	/* values between the smallest and the largest of a discriminant */
#define MAX_VARIANTS	70000
#define MAX_STEPS	400000000ull	/* entries looked at: a bound for hostile files */

struct known {
	uint64_t	key;
	uint32_t	type;
};

struct pending {
	struct die	die;
	uint32_t	type;
};

struct arc_list {
	struct walk_arc	v[MAX_ARCS];
	size_t		nr;
};

/* What is known of whether a type holds a future; see futures__holds. */
enum holds { HOLDS_UNKNOWN, HOLDS_BUSY, HOLDS_NOT, HOLDS_SOME };

struct memo {
	uint64_t	key;
	enum holds	holds;
};

struct futures {
	struct model		*m;
	const struct types	*ts;
	struct rust_names	*names;
	struct awaits		*awaits;
	struct line_files	*lines;
	struct known		*known;		/* open addressing */
	size_t			 nr_known, known_slots;
	struct memo		*memos;
	size_t			 nr_memos, memo_slots;
	uint64_t		*polled;	/* hashes of types with a poll function, sorted */
	size_t			 nr_polled, cap_polled;
	struct pending		*todo;
	size_t			 nr_todo, cap_todo, done;
};

/* A set of futures, kept in a list of shared nodes: it is polled as one. */
static const struct container {
	const char	*type, *head, *next, *item;
} containers[] = {
	{ "futures_util::stream::futures_unordered::FuturesUnordered", "head_all", "next_all",
	  "future" },	/* futures-util 0.3, stream/futures_unordered/{mod,task}.rs */
};

/* ---- identity ---- */

static uint64_t mix(uint64_t a, uint64_t b)
{
	a = (a ^ b) * 0x9e3779b97f4a7c15ull;
	return a ^ a >> 29;
}

/* Two versions of a crate give one name to different types: their members tell. */
static uint64_t type_key(const struct types *ts, const struct die *d)
{
	const struct scan_type *t = scan__type_at(ts->sc, d->p);
	struct member_iter it = { 0 };
	struct type_variants vs;
	struct type_member m;
	uint64_t h;

	if (!t)
		return mix((uintptr_t)d->p, 0);
	h = mix(mix(1, t->hash), type__size(d));
	while (type__next_member(ts, d, &it, &m))
		h = mix(mix(h, m.off), m.name ? strlen(m.name) : 0);
	if (type__variants(ts, d, &vs))
		h = mix(mix(h, vs.off), vs.width);
	return h ? h : 1;
}

static struct known *futures__slot(struct futures *f, uint64_t key)
{
	size_t i;

	if (2 * f->nr_known >= f->known_slots) {
		size_t slots = f->known_slots ? f->known_slots * 2 : 1024;
		struct known *grown = calloc(slots, sizeof(*grown));

		if (!grown)
			return NULL;
		for (i = 0; i < f->known_slots; i++) {
			size_t at = f->known[i].key & (slots - 1);

			if (!f->known[i].key)
				continue;
			while (grown[at].key)
				at = (at + 1) & (slots - 1);
			grown[at] = f->known[i];
		}
		free(f->known);
		f->known = grown;
		f->known_slots = slots;
	}
	for (i = key & (f->known_slots - 1); f->known[i].key && f->known[i].key != key;)
		i = (i + 1) & (f->known_slots - 1);
	return &f->known[i];
}

/* The answer about @key; a type that is not in the table yet is put there. */
static enum holds *futures__memo(struct futures *f, uint64_t key)
{
	size_t i;

	if (2 * f->nr_memos >= f->memo_slots) {
		size_t slots = f->memo_slots ? f->memo_slots * 2 : 1024;
		struct memo *grown = calloc(slots, sizeof(*grown));

		if (!grown)
			return NULL;
		for (i = 0; i < f->memo_slots; i++) {
			size_t at = f->memos[i].key & (slots - 1);

			if (!f->memos[i].key)
				continue;
			while (grown[at].key)
				at = (at + 1) & (slots - 1);
			grown[at] = f->memos[i];
		}
		free(f->memos);
		f->memos = grown;
		f->memo_slots = slots;
	}
	for (i = key & (f->memo_slots - 1); f->memos[i].key && f->memos[i].key != key;)
		i = (i + 1) & (f->memo_slots - 1);
	if (!f->memos[i].key) {
		f->memos[i].key = key;
		f->nr_memos++;
	}
	return &f->memos[i].holds;
}

/* ---- what is a future ---- */

static int u64_cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool poll_name(const char *name)
{
	size_t len = strcspn(name, "<");

	return (len == 4 && !strncmp(name, "poll", 4)) ||
	       (len == 9 && !strncmp(name, "poll_next", 9)) ||
	       (len == 8 && !strncmp(name, "try_poll", 8));
}

/* The T of fn poll(self: Pin<&mut T>, …). */
static bool polled_type(const struct types *ts, const struct die *fn, struct die *out)
{
	struct type_member m;
	struct die d, type;

	if (!die__child(fn, &d))
		return false;
	while (d.ab->tag != DW_TAG_formal_parameter)
		if (!die__next(ts->di, &d, &d))
			return false;
	return type__of(ts, &d, &type) && type__named(&type, "Pin<&mut ") &&
	       type__only_member(ts, &type, &m) && type__pointee(ts, &m.type, out);
}

static int futures__collect_polled(struct futures *f)
{
	const struct scan *sc = f->ts->sc;
	struct die fn, type;

	for (size_t i = 0; i < sc->nr_fns; i++) {
		const struct scan_type *t;

		if (!poll_name(sc->fns[i].name) ||
		    !die__at_addr(f->ts->di, sc->fns[i].die, &fn) ||
		    !polled_type(f->ts, &fn, &type))
			continue;
		t = scan__type_at(sc, type.p);
		if (!t)
			continue;
		if (array__room(&f->polled, &f->cap_polled, f->nr_polled, sizeof(*f->polled)))
			return -ENOMEM;
		f->polled[f->nr_polled++] = t->hash;
	}
	if (f->nr_polled)
		qsort(f->polled, f->nr_polled, sizeof(*f->polled), u64_cmp);
	return 0;
}

static const struct runtime_leaf *leaf_of(const struct types *ts, const struct die *d,
					  const struct runtime **rt)
{
	for (unsigned int r = 0; runtimes[r]; r++) {
		*rt = runtimes[r];
		for (size_t i = 0; i < (*rt)->nr_leaves; i++)
			if (type__is(ts, d, (*rt)->leaves[i].type))
				return &(*rt)->leaves[i];
	}
	return NULL;
}

static const struct runtime_wrapper *wrapper_of(const struct types *ts, const struct die *d)
{
	for (unsigned int r = 0; runtimes[r]; r++)
		for (size_t i = 0; i < runtimes[r]->nr_wrappers; i++)
			if (type__is(ts, d, runtimes[r]->wrappers[i].type))
				return &runtimes[r]->wrappers[i];
	return NULL;
}

static bool is_coroutine(const struct die *d)
{
	return name__is_coroutine(type__name(d));
}

static bool futures__is_future(const struct futures *f, const struct die *d)
{
	const struct scan_type *t;
	const struct runtime *rt;

	if (d->ab->tag != DW_TAG_structure_type)
		return false;
	if (is_coroutine(d))
		return true;
	/* a pointer is what it points to, an Option what is in it */
	if (type__named(d, "Pin<") || type__named(d, "Option<") ||
	    type__named(d, "alloc::boxed::Box<") || type__named(d, "Arc<") ||
	    type__named(d, "AssertUnwindSafe<") || type__named(d, "&mut "))
		return false;
	t = scan__type_at(f->ts->sc, d->p);
	if (!t)
		return false;
	return (f->nr_polled && bsearch(&t->hash, f->polled, f->nr_polled, sizeof(*f->polled),
					u64_cmp)) ||
	       wrapper_of(f->ts, d) || leaf_of(f->ts, d, &rt);
}

/* A trait object that can be polled: "dyn core::future::future::Future<Output=()>". */
static bool dyn_future(const struct die *target)
{
	const char *name = type__name(target), *dyn = strstr(name, "dyn ");

	return dyn && (strstr(dyn, "Future") || strstr(dyn, "Stream"));
}

/* ---- what a type holds ---- */

static bool futures__holds(struct futures *f, const struct die *d, unsigned int depth,
			   bool captures);

/* May the walk go from a place of type @d, a pointer, to what it points to? */
static bool follows_pointer(struct futures *f, const struct die *d, const struct die *to,
			    unsigned int depth, bool captures)
{
	const char *name = type__name(d);
	bool owned = !strncmp(name, "alloc::boxed::Box<", 18);

	/* what a closure captures by reference has a pointer without a name */
	if (!owned && strncmp(name, "&mut ", 5) && !(captures && (!*name || *name == '&')))
		return false;
	if (futures__is_future(f, to))
		return true;
	if (to->ab->tag == DW_TAG_pointer_type)
		return futures__holds(f, to, depth + 1, captures);
	if (to->ab->tag != DW_TAG_structure_type)
		return false;
	return (owned || captures || type__named(to, "Pin<") || type__named(to, "Option<") ||
		type__named(to, "alloc::boxed::Box<") || type__named(to, "&mut ")) &&
	       futures__holds(f, to, depth + 1, captures);
}

static bool holds_inside(struct futures *f, const struct die *d, unsigned int depth, bool captures)
{
	struct member_iter it = { 0 };
	uint64_t data, other;
	struct type_variants vs;
	struct type_variant v;
	struct type_member m;
	struct die to;
	bool dyn;

	if (type__fat_pointer(f->ts, d, &dyn, &data, &other, &to))
		return dyn ? dyn_future(&to) : type__named(d, "alloc::boxed::Box<") &&
					       futures__holds(f, &to, depth + 1, false);
	if (type__variants(f->ts, d, &vs)) {
		while (type__next_variant(f->ts, &vs, &it, &v))
			if (futures__holds(f, &v.payload.type, depth + 1, captures))
				return true;
		return false;
	}
	while (type__next_member(f->ts, d, &it, &m))
		if (futures__holds(f, &m.type, depth + 1, captures))
			return true;
	return false;
}

/*
 * Is there a future at a place of type @d, by value or behind a pointer that
 * may be followed? @captures: the place is in a closure that polls.
 */
static bool futures__holds(struct futures *f, const struct die *d, unsigned int depth,
			   bool captures)
{
	enum holds *memo, holds;
	struct die to;
	uint64_t key;

	if (depth > MAX_HOLDERS || f->ts->di->steps > MAX_STEPS)
		return false;
	if (d->ab->tag == DW_TAG_pointer_type)
		return type__pointee(f->ts, d, &to) && follows_pointer(f, d, &to, depth, captures);
	if (d->ab->tag != DW_TAG_structure_type || !type__size(d) || type__named(d, "Arc<"))
		return false;
	if (futures__is_future(f, d))
		return true;
	key = mix(type_key(f->ts, d), captures) | 1;
	memo = futures__memo(f, key);
	if (!memo || *memo == HOLDS_BUSY || *memo == HOLDS_NOT)
		return false;
	if (*memo == HOLDS_SOME)
		return true;
	*memo = HOLDS_BUSY;
	holds = holds_inside(f, d, depth, captures) ? HOLDS_SOME : HOLDS_NOT;
	memo = futures__memo(f, key);	/* the table may have grown */
	/* cut off by its depth, another way to it may be shorter */
	if (memo)
		*memo = holds == HOLDS_NOT && depth > MAX_HOLDERS / 2 ? HOLDS_UNKNOWN : holds;
	return holds == HOLDS_SOME;
}

static void add_arc(struct arc_list *list, uint32_t type, uint64_t off, enum walk_arc_mode mode)
{
	if (type == WALK_NONE && mode != WALK_ARC_DYN)
		return;
	if (list->nr == MAX_ARCS || off > UINT32_MAX)
		return;
	list->v[list->nr++] = (struct walk_arc){ .type = type, .off = (uint32_t)off,
						 .mode = (uint8_t)mode };
}

/* Arcs to as many elements as the walk follows, and one for the rest. */
static void add_elements(struct arc_list *list, struct walk_arc arc)
{
	list->nr = 0;
	for (unsigned int i = 0; i < WALK_MAX_BRANCHES; i++) {
		arc.index = (uint8_t)(i < WALK_MAX_BRANCHES - 1 ? i : i | WALK_ARC_REST);
		list->v[list->nr++] = arc;
	}
}

/* The futures at offset @off, of type @d. */
static void futures__collect(struct futures *f, const struct die *d, uint64_t off,
			     unsigned int depth, bool captures, struct arc_list *out)
{
	struct member_iter it = { 0 };
	uint64_t data, other;
	struct type_variants vs;
	struct type_member m;
	struct die to;
	bool dyn;

	if (!futures__holds(f, d, depth, captures))
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
	if (futures__is_future(f, d)) {
		add_arc(out, futures__add(f, d), off, WALK_ARC_INLINE);
		return;
	}
	if (type__fat_pointer(f->ts, d, &dyn, &data, &other, &to)) {
		if (dyn)
			add_arc(out, WALK_NONE, off + data, WALK_ARC_DYN);
		else if (!out->nr)
			/* a list of its own: it has as many arcs as may be followed */
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

/* @nr variants of @type in a row, all of them holes; the first one's index. */
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
 * The discriminant of the type at @d, and a row of variants for its values.
 * False: it is of a kind that cannot be told apart by the walk; @why says so.
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
	/* rust#104625: then the values do not tell which of them it is */
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
		/* only one there can be: it stands first */
		wt->first_variant = defaults ? wt->default_variant : first;
		wt->nr_variants = 1;
	}
	return true;
}

/* The place of variant @v in the row. */
static uint32_t variant_index(const struct futures *f, uint32_t type, const struct type_variant *v)
{
	const struct walk_type *wt = model__at(f->m, MODEL_WALK_TYPES, type);

	if (!v->has_value || !wt->disc_width)
		return wt->default_variant != WALK_NONE ? wt->default_variant : wt->first_variant;
	return wt->first_variant + (uint32_t)(v->value - wt->disc_base);
}

/* Values in the range that no variant claims are the default one's too. */
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

	/* beyond the end of any task: the walk ends in a gap that says so */
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

		if (!suspended) {
			/* not begun, or at its end: it waits for nothing */
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
			if (futures__holds(f, &awaitee.type, 0, false))
				futures__collect(f, &awaitee.type, awaitee.off, 0, false, &arcs);
			else
				/* it is awaited, so it is a future, whatever it looks like */
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

static void leaf_from_path(struct walk_leaf *leaf, const struct image_path *p)
{
	leaf->nr_hops = p->nr_hops;
	for (unsigned int i = 0; i <= p->nr_hops && i < WALK_MAX_HOPS; i++)
		leaf->hop[i] = p->off[i];
}

/* How the key of a leaf is found: its place in the table, WALK_NONE if it cannot be. */
static uint32_t add_leaf(struct futures *f, const struct die *d, const struct runtime *rt,
			 const struct runtime_leaf *l)
{
	struct walk_leaf leaf = { .key = (uint8_t)l->key, .dir = l->dir };
	struct image_path path, dir;
	bool found = false;
	uint32_t at;

	if (l->key == WALK_KEY_NONE)
		return WALK_NONE;
	if (l->key_path)
		found = type__path(f->ts, d, l->key_path, &path, NULL);
	if (!found && l->search_io && rt->io_type)
		found = type__search(f->ts, d, rt->io_type, &path);
	if (!found || path.nr_hops >= WALK_MAX_HOPS)
		return WALK_NONE;
	leaf_from_path(&leaf, &path);
	if (!l->dir && l->dir_path && type__path(f->ts, d, l->dir_path, &dir, NULL) &&
	    !dir.nr_hops && dir.width) {
		leaf.dir_off = dir.off[0];
		leaf.dir_width = dir.width;
	}
	at = model__add(f->m, MODEL_WALK_LEAVES, 1);
	if (at != WALK_NONE)
		*(struct walk_leaf *)model__at(f->m, MODEL_WALK_LEAVES, at) = leaf;
	return at;
}

/* std's, or the one that tokio had before it (1.40 still). */
static bool is_poll_fn(const struct types *ts, const struct die *d)
{
	return type__named(d, "PollFn<") && (type__is(ts, d, "core::future::poll_fn::PollFn") ||
					     type__is(ts, d, "tokio::future::poll_fn::PollFn"));
}

static bool explore_leaf(struct futures *f, const struct die *d, uint32_t type)
{
	const struct runtime_leaf *l = NULL;
	const struct runtime *rt;
	struct type_member closure;
	struct die of = *d;
	uint32_t at;

	l = leaf_of(f->ts, d, &rt);
	/* what a PollFn waits for is told by its closure */
	if (!l && is_poll_fn(f->ts, d) &&
	    type__member(f->ts, d, "f", &closure)) {
		l = leaf_of(f->ts, &closure.type, &rt);
		of = closure.type;
	}
	if (!l)
		return false;
	at = add_leaf(f, &of, rt, l);
	((struct walk_type *)model__at(f->m, MODEL_WALK_TYPES, type))->leaf = at;
	single_variant(f, type, NULL);
	/* which descriptor it is for can be told by who is woken, if not by a key */
	if (l->key == WALK_KEY_IO && at == WALK_NONE) {
		futures__type(f, type)->kind = IMAGE_TYPE_OPAQUE;
		((struct walk_type *)model__at(f->m, MODEL_WALK_TYPES, type))->flags |=
			WALK_TYPE_OPAQUE;
	} else {
		futures__type(f, type)->kind = IMAGE_TYPE_LEAF;
	}
	futures__type(f, type)->leaf_key = (uint8_t)(at == WALK_NONE ? WALK_KEY_NONE : l->key);
	return true;
}

static bool explore_wrapper(struct futures *f, const struct die *d, uint32_t type)
{
	const struct runtime_wrapper *w = wrapper_of(f->ts, d);
	struct arc_list arcs = { .nr = 0 };
	struct type_member m;

	if (!w || !type__member(f->ts, d, w->main, &m))
		return false;
	futures__collect(f, &m.type, m.off, 0, false, &arcs);
	if (!arcs.nr)
		add_arc(&arcs, futures__add(f, &m.type), m.off, WALK_ARC_INLINE);
	if (w->side && type__member(f->ts, d, w->side, &m))
		futures__collect(f, &m.type, m.off, 0, false, &arcs);
	single_variant(f, type, &arcs);
	futures__type(f, type)->kind = IMAGE_TYPE_WRAPPER;
	return true;
}

static bool explore_container(struct futures *f, const struct die *d, uint32_t type)
{
	struct arc_list arcs = { .nr = 0 };
	struct image_path head, next, item;
	struct die node, unused, future;
	const struct container *c = NULL;
	struct member_iter it = { 0 };
	struct type_member m;

	for (size_t i = 0; i < sizeof(containers) / sizeof(containers[0]); i++)
		if (type__is(f->ts, d, containers[i].type))
			c = &containers[i];
	if (!c)
		return false;
	if (!type__path(f->ts, d, c->head, &head, &unused) || head.nr_hops)
		return false;
	/* AtomicPtr<Task<Fut>>, Arc<Task<Fut>>: the node's type is a parameter of theirs */
	if (!type__member(f->ts, d, c->head, &m) || !type__param(f->ts, &m.type, "T", &node) ||
	    !type__path(f->ts, &node, c->next, &next, NULL) || next.nr_hops ||
	    next.off[0] > UINT16_MAX || !type__path(f->ts, &node, c->item, &item, &future) ||
	    item.nr_hops)
		return false;
	/* UnsafeCell<Option<Fut>>: to the Option */
	while (!type__variants(f->ts, &future, &(struct type_variants){ 0 }) &&
	       type__only_member(f->ts, &future, &m) && !futures__is_future(f, &future)) {
		item.off[0] += (uint32_t)m.off;
		future = m.type;
		memset(&it, 0, sizeof(it));
	}
	add_elements(&arcs, (struct walk_arc){
		.type = futures__add(f, &future), .off = head.off[0], .mode = WALK_ARC_LIST,
		.next = (uint16_t)next.off[0], .item = item.off[0] });
	single_variant(f, type, &arcs);
	futures__type(f, type)->kind = IMAGE_TYPE_WRAPPER;
	return true;
}

/* A combinator, or a future written by hand: every future in it may be polled. */
static void explore_struct(struct futures *f, const struct die *d, uint32_t type, bool transparent)
{
	bool captures = name__is_closure(type__name(d)) ||
			is_poll_fn(f->ts, d);
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

static void futures__explore_one(struct futures *f, const struct die *d, uint32_t type)
{
	bool transparent = !futures__is_future(f, d);
	struct type_variants vs;

	if (is_coroutine(d)) {
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

/* ---- the list of types ---- */

static bool path_in_crate(const char *name, const char *crate)
{
	size_t len = strlen(crate);

	while (*name == '<' || *name == '&' || *name == '(')
		name++;
	return !strncmp(name, crate, len) && (!name[len] || !strncmp(name + len, "::", 2));
}

static bool runtime_own(const char *name)
{
	for (unsigned int r = 0; runtimes[r]; r++)
		if (runtimes[r]->crate && path_in_crate(name, runtimes[r]->crate))
			return true;
	return path_in_crate(name, "core") || path_in_crate(name, "std") ||
	       path_in_crate(name, "alloc");
}

/* Does @type ("ReadExact") only say again what @module ("read_exact") says? */
static bool says_again(const char *module, size_t len, const char *type)
{
	for (size_t i = 0; i < len; i++) {
		if (module[i] == '_')
			continue;
		if ((*type | 0x20) != (module[i] | 0x20))
			return false;
		type++;
	}
	return true;
}

/*
 * What stands in a frame: of a runtime's own types the name, with its module
 * where that adds something ("oneshot::Receiver"), of others the whole path.
 */
static char *frame_name(const char *name, bool coroutine, bool own)
{
	char *text, *plain, *last;

	if (coroutine)
		return name__shorten(name, false);
	plain = name__plain(name);
	if (!plain || !own)
		return plain;
	last = strrchr(plain, ':');
	if (last) {
		char *module = last - 1;

		while (module > plain && module[-1] != ':')
			module--;
		text = strdup(says_again(module, (size_t)(last - 1 - module), last + 1) ?
			      last + 1 : module);
		free(plain);
		return text;
	}
	return plain;
}

uint32_t futures__add(struct futures *f, const struct die *d)
{
	uint64_t key = type_key(f->ts, d);
	struct known *k = futures__slot(f, key);
	struct image_type *t;
	struct walk_type *wt;
	image_str long_str, short_str;
	char *name, *brief;
	uint32_t type;
	bool own;

	if (!k) {
		f->m->err = -ENOMEM;
		return WALK_NONE;
	}
	if (k->key)
		return k->type;
	if (array__room(&f->todo, &f->cap_todo, f->nr_todo, sizeof(*f->todo)))
		goto nomem;
	type = model__add(f->m, MODEL_WALK_TYPES, 1);
	if (type == WALK_NONE || model__add(f->m, MODEL_TYPES, 1) != type)
		goto nomem;
	k->key = key;
	k->type = type;
	f->nr_known++;
	f->todo[f->nr_todo++] = (struct pending){ *d, type };

	name = rust_names__type(f->names, d);
	own = name && runtime_own(name);
	brief = name ? frame_name(name, is_coroutine(d), own) : NULL;
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

		if (f->ts->di->steps > MAX_STEPS) {
			unknown_layout(f, p.type, "the debug information is too large");
			if (!noted)
				f->m->torn = noted = true;
			continue;
		}
		futures__explore_one(f, &p.die, p.type);
	}
	return f->m->err;
}

/* "<T as core::future::future::Future>::{vtable}" */
static bool vtable_wanted(const char *name)
{
	const char *end = strstr(name, ">::{vtable}"), *as = NULL;
	size_t depth = 0;

	if (!end)
		return false;
	/* the last " as " outside of T's own brackets */
	for (const char *p = name + 1; p < end; p++) {
		if (*p == '<' || *p == '(' || *p == '[')
			depth++;
		else if ((*p == '>' && p[-1] != '-') || *p == ')' || *p == ']')
			depth -= depth > 0;
		else if (!depth && !strncmp(p, " as ", 4))
			as = p;
	}
	if (!as)
		return false;
	for (; as + 6 <= end; as++)
		if (!strncmp(as, "Future", 6) || !strncmp(as, "Stream", 6))
			return true;
	return false;
}

static bool vtable_addr(const struct die *d, uint64_t *out)
{
	struct attr a;

	if (!die__attr(d, DW_AT_location, &a) || !a.v)
		return false;
	switch (a.p[0]) {
	case DW_OP_addr:
		if (a.v != 1u + d->u->addr_size)
			return false;
		*out = read_le(a.p + 1, d->u->addr_size);
		return true;
	case DW_OP_addrx: case DW_OP_GNU_addr_index: {
		const uint8_t *p = a.p + 1;
		struct attr index = { .form = DW_FORM_addrx };

		return read_uleb(&p, a.p + a.v, &index.v) && attr__addr(d->u, &index, out);
	}
	}
	return false;
}

void futures__add_vtables(struct futures *f)
{
	const struct scan *sc = f->ts->sc;

	for (size_t i = 0; i < sc->nr_vtables && !f->m->err; i++) {
		struct image_vtable *vt;
		struct die d, type, of;
		uint64_t addr;
		uint32_t at, index;

		if (!vtable_wanted(sc->vtables[i].name) ||
		    !die__at_addr(f->ts->di, sc->vtables[i].die, &d) || !vtable_addr(&d, &addr) ||
		    !addr || !die__ref(f->ts->di, &d, DW_AT_type, &type) ||
		    !die__ref(f->ts->di, &type, DW_AT_containing_type, &of) ||
		    !type__resolve(f->ts, &of))
			continue;
		index = futures__add(f, &of);
		at = model__add(f->m, MODEL_VTABLES, 1);
		if (at == WALK_NONE)
			return;
		vt = model__at(f->m, MODEL_VTABLES, at);
		vt->vaddr = addr;
		vt->type = index;
	}
}

char *futures__task_name(const struct futures *f, uint32_t type)
{
	uint32_t at = type;

	for (int i = 0; i < 8 && at != WALK_NONE; i++) {
		const struct image_type *t = futures__type(f, at);
		const struct walk_type *wt = model__at(f->m, MODEL_WALK_TYPES, at);
		uint32_t next = WALK_NONE;

		if (t->kind == IMAGE_TYPE_FN)
			return strdup(model__text(f->m, t->shortname));
		/* the only future that any of its variants holds */
		for (uint32_t v = 0; v < wt->nr_variants; v++) {
			const struct walk_variant *wv = model__at(f->m, MODEL_WALK_VARIANTS,
								  wt->first_variant + v);

			if (!wv->nr_arcs)
				continue;
			if (wv->nr_arcs > 1 || next != WALK_NONE) {
				next = WALK_NONE;
				break;
			}
			next = wv->arc_type;
		}
		at = next;
	}
	return strdup(model__text(f->m, futures__type(f, type)->shortname));
}

struct futures *futures__new(struct model *m, const struct types *ts, struct rust_names *names,
			     struct awaits *awaits, struct line_files *lines)
{
	struct futures *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	*f = (struct futures){ .m = m, .ts = ts, .names = names, .awaits = awaits,
			       .lines = lines };
	if (futures__collect_polled(f)) {
		futures__free(f);
		return NULL;
	}
	return f;
}

void futures__free(struct futures *f)
{
	if (!f)
		return;
	free(f->known);
	free(f->memos);
	free(f->polled);
	free(f->todo);
	free(f);
}
