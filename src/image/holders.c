// SPDX-License-Identifier: GPL-2.0
/*
 * Which types are futures, and which contain one. See holders.h. It must not know the
 * tables that the walk uses.
 */
#include "image/holders.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash_table.h"
#include "image/names.h"

#define CAPTURES	(1ull << 63)	/* flag in a key: a closure's captures */

/* Does a type hold a future? */
enum holds { HOLDS_UNKNOWN, HOLDS_BUSY, HOLDS_NOT, HOLDS_SOME };

struct holders {
	const struct types	*ts;
	struct hash_table	 memo;		/* enum holds by type */
	/* hashes of the types that have a poll function, sorted */
	uint64_t		*polled;
	size_t			 nr_polled, cap_polled;
};

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

/* The T of a function poll(self: Pin<&mut T>, …). */
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

static int collect_polled(struct holders *h)
{
	const struct scan *sc = h->ts->sc;
	struct die fn, type;

	for (size_t i = 0; i < sc->nr_fns; i++) {
		const struct scan_type *t;

		if (!poll_name(sc->fns[i].name) ||
		    !die__at_addr(h->ts->di, sc->fns[i].die, &fn) ||
		    !polled_type(h->ts, &fn, &type))
			continue;
		t = scan__type_at(sc, type.p);
		if (!t)
			continue;
		if (array__room(&h->polled, &h->cap_polled, h->nr_polled, sizeof(*h->polled)))
			return -ENOMEM;
		h->polled[h->nr_polled++] = t->hash;
	}
	if (h->nr_polled)
		qsort(h->polled, h->nr_polled, sizeof(*h->polled), u64_cmp);
	return 0;
}

const struct runtime_leaf *holders__next_leaf(const struct types *ts, const struct die *d,
					      struct leaf_iter *it)
{
	while (!it->ended && runtimes[it->next]) {
		it->rt = runtimes[it->next++];
		for (size_t i = 0; i < it->rt->nr_leaves; i++)
			if (type__is(ts, d, it->rt->leaves[i].type))
				return &it->rt->leaves[i];
	}
	it->rt = NULL;
	for (size_t i = 0; !it->ended && i < nr_library_leaves; i++) {
		if (!type__is(ts, d, library_leaves[i].type))
			continue;
		it->ended = true;
		return &library_leaves[i];
	}
	it->ended = true;
	return NULL;
}

const struct runtime_wrapper *holders__wrapper(const struct types *ts, const struct die *d)
{
	for (unsigned int r = 0; runtimes[r]; r++)
		for (size_t i = 0; i < runtimes[r]->nr_wrappers; i++)
			if (type__is(ts, d, runtimes[r]->wrappers[i].type))
				return &runtimes[r]->wrappers[i];
	for (size_t i = 0; i < nr_library_wrappers; i++)
		if (type__is(ts, d, library_wrappers[i].type))
			return &library_wrappers[i];
	return NULL;
}

bool holders__is_hidden(const struct runtime_wrapper *w)
{
	for (unsigned int r = 0; runtimes[r]; r++)
		if (name__is_below_any(w->type, runtimes[r]->hidden))
			return true;
	return false;
}

bool holders__is_poll_fn(const struct types *ts, const struct die *d)
{
	return type__named(d, "PollFn<") &&
	       (type__is(ts, d, "core::future::poll_fn::PollFn") ||
		type__is(ts, d, "futures_util::future::poll_fn::PollFn") ||
		type__is(ts, d, "futures_lite::future::PollFn") ||
		type__is(ts, d, "tokio::future::poll_fn::PollFn"));
}

bool holders__is_future(const struct holders *h, const struct die *d)
{
	const struct scan_type *t;

	if (d->ab->tag != DW_TAG_structure_type)
		return false;
	if (name__is_coroutine(type__name(d)))
		return true;
	/* a Pin or an Option stands for what is in it */
	if (type__named(d, "Pin<") || type__named(d, "Option<") ||
	    type__named(d, "alloc::boxed::Box<") || type__named(d, "Arc<") ||
	    type__named(d, "AssertUnwindSafe<") || type__named(d, "&mut "))
		return false;
	t = scan__type_at(h->ts->sc, d->p);
	if (!t)
		return false;
	return (h->nr_polled && bsearch(&t->hash, h->polled, h->nr_polled, sizeof(*h->polled),
					u64_cmp)) ||
	       /* if fat LTO merged equal code, the poll function may be gone */
	       holders__is_poll_fn(h->ts, d) || holders__wrapper(h->ts, d) ||
	       holders__next_leaf(h->ts, d, &(struct leaf_iter){ .next = 0 });
}

/*
 * Is it a trait object that can be polled, such as "dyn
 * core::future::future::Future<Output=()>"?
 */
static bool dyn_future(const struct die *target)
{
	const char *name = type__name(target), *dyn = strstr(name, "dyn ");

	return dyn && name__is_polled_trait(dyn + 4);
}

/* ---- what a type holds ---- */

/* May the walk follow a place of type @d, a pointer, to its target? */
static bool follows_pointer(struct holders *h, const struct die *d, const struct die *to,
			    unsigned int depth, bool captures)
{
	const char *name = type__name(d);
	bool owned = !strncmp(name, "alloc::boxed::Box<", 18);

	/* a pointer for what a closure captures by reference has no name */
	if (!owned && strncmp(name, "&mut ", 5) && !(captures && (!*name || *name == '&')))
		return false;
	if (holders__is_future(h, to))
		return true;
	if (to->ab->tag == DW_TAG_pointer_type)
		return holders__holds(h, to, depth + 1, captures);
	if (to->ab->tag != DW_TAG_structure_type)
		return false;
	return (owned || captures || type__named(to, "Pin<") || type__named(to, "Option<") ||
		type__named(to, "alloc::boxed::Box<") || type__named(to, "&mut ")) &&
	       holders__holds(h, to, depth + 1, captures);
}

static bool holds_inside(struct holders *h, const struct die *d, unsigned int depth, bool captures)
{
	struct member_iter it = { 0 };
	uint64_t data, other;
	struct type_variants vs;
	struct type_variant v;
	struct type_member m;
	struct die to;
	bool dyn;

	if (type__fat_pointer(h->ts, d, &dyn, &data, &other, &to))
		return dyn ? dyn_future(&to) : type__named(d, "alloc::boxed::Box<") &&
					       holders__holds(h, &to, depth + 1, false);
	if (type__variants(h->ts, d, &vs)) {
		while (type__next_variant(h->ts, &vs, &it, &v))
			if (holders__holds(h, &v.payload.type, depth + 1, captures))
				return true;
		return false;
	}
	while (type__next_member(h->ts, d, &it, &m))
		if (holders__holds(h, &m.type, depth + 1, captures))
			return true;
	return false;
}

bool holders__holds(struct holders *h, const struct die *d, unsigned int depth, bool captures)
{
	enum holds holds;
	struct hash_slot *memo;
	struct die to;
	uint64_t key;

	if (depth > HOLDERS_MAX_DEPTH || h->ts->di->steps > HOLDERS_MAX_STEPS)
		return false;
	if (d->ab->tag == DW_TAG_pointer_type)
		return type__pointee(h->ts, d, &to) && follows_pointer(h, d, &to, depth, captures);
	if (d->ab->tag != DW_TAG_structure_type || !type__size(d) || type__named(d, "Arc<"))
		return false;
	if (holders__is_future(h, d))
		return true;
	key = type__key(h->ts, d) ^ (captures ? CAPTURES : 0);
	memo = hash_table__at(&h->memo, key);
	if (!memo)
		h->ts->di->err = -ENOMEM;
	if (!memo || memo->value == HOLDS_BUSY || memo->value == HOLDS_NOT)
		return false;
	if (memo->value == HOLDS_SOME)
		return true;
	memo->value = HOLDS_BUSY;
	holds = holds_inside(h, d, depth, captures) ? HOLDS_SOME : HOLDS_NOT;
	memo = hash_table__at(&h->memo, key);	/* the table may have been reallocated */
	/* truncated by the depth limit; a shorter path to the type may give an answer */
	if (memo)
		memo->value = holds == HOLDS_NOT && depth > HOLDERS_MAX_DEPTH / 2 ? HOLDS_UNKNOWN :
										    holds;
	return holds == HOLDS_SOME;
}

struct holders *holders__new(const struct types *ts)
{
	struct holders *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->ts = ts;
	if (collect_polled(h)) {
		holders__free(h);
		return NULL;
	}
	return h;
}

void holders__free(struct holders *h)
{
	if (!h)
		return;
	hash_table__clear(&h->memo);
	free(h->polled);
	free(h);
}
