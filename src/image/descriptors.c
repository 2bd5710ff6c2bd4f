// SPDX-License-Identifier: GPL-2.0
/*
 * Which futures hold a descriptor. See descriptors.h. It must not know the tables that
 * the walk uses.
 */
#include "image/descriptors.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash_table.h"
#include "image/names.h"

#define MAX_LEVELS	64	/* nesting of members, newtypes included */
#define MAX_POINTERS	3	/* "&mut &mut Arc<TcpStream>" */

/* Values of the memo: enum image_descriptor + 1, or one of these. */
enum { MEMO_UNKNOWN, MEMO_BUSY = 9 };

struct descriptors {
	const struct types	*ts;
	struct holders		*holders;
	struct hash_table	 memo;		/* by type and struct place, without its level */
};

/* The position of the search. */
struct place {
	unsigned int	level;
	unsigned int	pointers;	/* pointers that may still be followed */
	bool		captures;	/* inside a closure that polls: see holders__holds() */
	bool		walked;		/* the walk visits the futures that are here */
};

static enum image_descriptor search(struct descriptors *ds, const struct die *d, struct place at);

/* The stronger of two answers: "holds one" before "may hold one" before "holds none". */
static enum image_descriptor either(enum image_descriptor a, enum image_descriptor b)
{
	if (a == IMAGE_DESCRIPTOR_OWN || b == IMAGE_DESCRIPTOR_OWN)
		return IMAGE_DESCRIPTOR_OWN;
	return a == IMAGE_DESCRIPTOR_NONE ? b : a;
}

static enum image_descriptor search_target(struct descriptors *ds, const struct die *to,
					   struct place at)
{
	if (!at.pointers)
		return IMAGE_DESCRIPTOR_UNTOLD;
	at.pointers--;
	return search(ds, to, at);
}

/*
 * Searches behind a reference or a box. Raw pointers are not followed: they may lead to
 * other futures' data, such as the nodes of a queue.
 */
static enum image_descriptor search_pointer(struct descriptors *ds, const struct die *d,
					    struct place at)
{
	const char *name = type__name(d);
	struct die to;

	if (*name && *name != '&' && strncmp(name, "alloc::boxed::Box<", 18))
		return IMAGE_DESCRIPTOR_NONE;
	at.walked = at.walked && holders__holds(ds->holders, d, 0, at.captures);
	return type__pointee(ds->ts, d, &to) ? search_target(ds, &to, at) : IMAGE_DESCRIPTOR_NONE;
}

/* Is the type internal to the runtime, with access to all descriptors? */
static bool inside_runtime(const struct types *ts, const struct die *d)
{
	const struct scan_type *t = scan__type_at(ts->sc, d->p);
	const struct scope *crate = t ? t->scope : NULL, *module = NULL;

	while (crate && crate->parent) {
		module = crate;
		crate = crate->parent;
	}
	for (unsigned int r = 0; module && runtimes[r]; r++)
		if (runtimes[r]->crate && !strcmp(crate->name, runtimes[r]->crate) &&
		    !strcmp(module->name, "runtime"))
			return true;
	return false;
}

static bool is_registration(const struct types *ts, const struct die *d)
{
	for (unsigned int r = 0; runtimes[r]; r++)
		if (runtimes[r]->io_handle && type__is(ts, d, runtimes[r]->io_handle))
			return true;
	return false;
}

static enum image_descriptor search_members(struct descriptors *ds, const struct die *d,
					    struct place at)
{
	enum image_descriptor found = IMAGE_DESCRIPTOR_NONE;
	struct member_iter it = { 0 };
	struct type_variants vs;
	struct type_variant v;
	struct type_member m;

	if (type__variants(ds->ts, d, &vs)) {
		while (found != IMAGE_DESCRIPTOR_OWN && type__next_variant(ds->ts, &vs, &it, &v))
			found = either(found, search(ds, &v.payload.type, at));
		return found;
	}
	while (found != IMAGE_DESCRIPTOR_OWN && type__next_member(ds->ts, d, &it, &m))
		found = either(found, search(ds, &m.type, at));
	return found;
}

static enum image_descriptor search_struct(struct descriptors *ds, const struct die *d,
					   struct place at)
{
	struct image_path path;
	uint64_t data, other;
	struct die to;
	bool dyn;

	if (is_registration(ds->ts, d))
		return IMAGE_DESCRIPTOR_OWN;
	if (!type__size(d) || inside_runtime(ds->ts, d))
		return IMAGE_DESCRIPTOR_NONE;
	if (type__fat_pointer(ds->ts, d, &dyn, &data, &other, &to)) {
		at.walked = at.walked && holders__holds(ds->holders, d, 0, at.captures);
		if (!dyn)
			return search_target(ds, &to, at);
		/* what is shared is not polled: a subscriber, an executor */
		return type__named(d, "&dyn ") || type__named(d, "&(dyn ") ?
			       IMAGE_DESCRIPTOR_NONE : IMAGE_DESCRIPTOR_UNTOLD;
	}
	if (type__named(d, "Arc<") || type__named(d, "Rc<")) {
		at.walked = false;
		return type__path(ds->ts, d, "*.data|*.value", &path, &to) ?
			       search_target(ds, &to, at) : IMAGE_DESCRIPTOR_NONE;
	}
	return search_members(ds, d, at);
}

static enum image_descriptor search(struct descriptors *ds, const struct die *d, struct place at)
{
	enum image_descriptor found;
	struct hash_slot *memo;
	uint64_t key;

	if (++at.level > MAX_LEVELS || ds->ts->di->steps > HOLDERS_MAX_STEPS)
		return IMAGE_DESCRIPTOR_UNTOLD;
	if (d->ab->tag == DW_TAG_pointer_type)
		return search_pointer(ds, d, at);
	if (d->ab->tag != DW_TAG_structure_type ||
	    (at.level > 1 && at.walked && holders__is_future(ds->holders, d)))
		return IMAGE_DESCRIPTOR_NONE;
	key = type__key(ds->ts, d) ^
	      (at.pointers << 2 | at.captures << 1 | at.walked) * 0x9e3779b97f4a7c15ull;
	memo = hash_table__at(&ds->memo, key);
	if (!memo || memo->value == MEMO_BUSY)
		return IMAGE_DESCRIPTOR_UNTOLD;	/* a malformed structure may contain itself */
	if (memo->value != MEMO_UNKNOWN)
		return (enum image_descriptor)(memo->value - 1);
	memo->value = MEMO_BUSY;
	found = search_struct(ds, d, at);
	memo = hash_table__at(&ds->memo, key);	/* the table may have been reallocated */
	if (memo)
		memo->value = (uint64_t)found + 1;
	return found;
}

enum image_descriptor descriptors__of(struct descriptors *ds, const struct die *d)
{
	struct place at = { .pointers = MAX_POINTERS, .walked = true };

	at.captures = name__is_closure(type__name(d)) || holders__is_poll_fn(ds->ts, d);
	return search(ds, d, at);
}

struct descriptors *descriptors__new(const struct types *ts, struct holders *holders)
{
	struct descriptors *ds = calloc(1, sizeof(*ds));

	if (ds)
		*ds = (struct descriptors){ .ts = ts, .holders = holders };
	return ds;
}

void descriptors__free(struct descriptors *ds)
{
	if (!ds)
		return;
	hash_table__clear(&ds->memo);
	free(ds);
}
