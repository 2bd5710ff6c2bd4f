// SPDX-License-Identifier: GPL-2.0
/*
 * What is live at an await point besides what is awaited. See contents.h. It must not
 * know processes, nor what handles mean.
 */
#include "image/contents.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash_table.h"
#include "image/names.h"
#include "image/stream.h"
#include "runtime/runtime.h"

#define MAX_PARTS	64	/* of one variant */
#define MAX_DEPTH	12	/* nesting of structs, enums, boxes and vectors */

struct part_list {
	struct image_part	v[MAX_PARTS];
	size_t			nr;
	/* the local that is being searched */
	image_str		name, file;
	uint32_t		line;
	bool			temporary, nested;
};

struct pending_value {
	struct die	die;
	uint32_t	value;
};

/* Is there a handle or a future in a type? */
enum has { HAS_UNKNOWN, HAS_BUSY, HAS_NOT, HAS_SOME };

struct contents {
	struct model		*m;
	const struct types	*ts;
	struct futures		*futures;
	struct holders		*holders;
	struct awaits		*awaits;
	/* of the coroutine that is being searched */
	struct await_local	*locals;
	size_t			 nr_locals;
	struct die		 unresumed;	/* its first state … */
	bool			 begun;		/* … and that another one is searched */
	struct hash_table	 has;		/* enum has, by type */
	struct hash_table	 handles;	/* index + 1, by type */
	struct hash_table	 values;	/* index + 1, by type */
	struct pending_value	*todo;
	size_t			 nr_todo, cap_todo, done;
};

/* ---- what a type is ---- */

static const struct runtime_handle *handle_entry(const struct types *ts, const struct die *d,
						 unsigned int *runtime)
{
	for (unsigned int r = 0; runtimes[r]; r++)
		for (size_t i = 0; i < runtimes[r]->nr_handles; i++)
			if (type__is(ts, d, runtimes[r]->handles[i].type)) {
				*runtime = r;
				return &runtimes[r]->handles[i];
			}
	*runtime = IMAGE_LIBRARY;
	for (size_t i = 0; i < nr_library_handles; i++)
		if (type__is(ts, d, library_handles[i].type))
			return &library_handles[i];
	return NULL;
}

/* What is shared, not initialised or given up is not a place of its own. */
static bool is_opaque(const struct die *d)
{
	return type__named(d, "Arc<") || type__named(d, "Rc<") || type__named(d, "Weak<") ||
	       type__named(d, "ManuallyDrop<") || type__named(d, "MaybeUninit<") ||
	       type__named(d, "PhantomData<") || type__named(d, "&");
}

static bool is_box(const struct die *d)
{
	return type__named(d, "alloc::boxed::Box<");
}

/* A hash table: where the pointer to its control bytes and its mask are, and its elements' type. */
static bool is_table(const struct types *ts, const struct die *d, uint32_t *at, uint32_t *mask,
		     struct die *item)
{
	struct image_path ctrl, nr;

	if (!type__named(d, "RawTable<") || !type__is(ts, d, "hashbrown::raw::RawTable") ||
	    !type__path(ts, d, "table.ctrl.*", &ctrl, NULL) || ctrl.nr_hops != 1 ||
	    !type__path(ts, d, "table.bucket_mask", &nr, NULL) || nr.nr_hops || nr.width != 8)
		return false;
	*at = ctrl.off[0];
	*mask = nr.off[0];
	return type__param(ts, d, "T", item);
}

static bool dyn_future(const struct die *to)
{
	const char *dyn = strstr(type__name(to), "dyn ");

	return dyn && name__is_polled_trait(dyn + 4);
}

/* ---- is there anything in it? ---- */

static bool contents__has(struct contents *c, const struct die *d, unsigned int depth);

static bool has_inside(struct contents *c, const struct die *d, unsigned int depth)
{
	struct member_iter it = { 0 };
	uint64_t data, other;
	struct type_variants vs;
	struct type_variant v;
	struct type_member m;
	uint32_t at, len;
	struct die to;
	bool dyn;

	if (type__fat_pointer(c->ts, d, &dyn, &data, &other, &to))
		return is_box(d) && (dyn ? dyn_future(&to) : contents__has(c, &to, depth + 1));
	if (type__vec(c->ts, d, &at, &len, &to) || is_table(c->ts, d, &at, &len, &to))
		return contents__has(c, &to, depth + 1);
	if (type__variants(c->ts, d, &vs)) {
		while (type__next_variant(c->ts, &vs, &it, &v))
			if (contents__has(c, &v.payload.type, depth + 1))
				return true;
		return false;
	}
	while (type__next_member(c->ts, d, &it, &m))
		if (contents__has(c, &m.type, depth + 1))
			return true;
	return false;
}

static bool contents__has(struct contents *c, const struct die *d, unsigned int depth)
{
	struct hash_slot *memo;
	unsigned int runtime;
	struct die to;
	uint64_t key;
	bool some;

	if (depth > MAX_DEPTH || c->ts->di->steps > HOLDERS_MAX_STEPS)
		return false;
	if (d->ab->tag == DW_TAG_pointer_type)
		return is_box(d) && type__pointee(c->ts, d, &to) &&
		       contents__has(c, &to, depth + 1);
	if (d->ab->tag != DW_TAG_structure_type || !type__size(d) || is_opaque(d))
		return false;
	key = type__key(c->ts, d);
	memo = hash_table__at(&c->has, key);
	if (!memo) {
		c->m->err = -ENOMEM;
		return false;
	}
	if (memo->value)
		return memo->value == HAS_SOME;
	if (handle_entry(c->ts, d, &runtime) || holders__is_future(c->holders, d)) {
		memo->value = HAS_SOME;
		return true;
	}
	memo->value = HAS_BUSY;
	some = has_inside(c, d, depth);
	memo = hash_table__at(&c->has, key);	/* the table may have been reallocated */
	/* "nothing" may be due to the limit of depth: less deep, there may be something */
	if (memo)
		memo->value = some ? HAS_SOME : depth > MAX_DEPTH / 2 ? HAS_UNKNOWN : HAS_NOT;
	return some;
}

/* ---- handles and values ---- */

static uint32_t add_value(struct contents *c, const struct die *d);

static bool block_member(const struct contents *c, const struct die *block, const char *path,
			 struct image_path *out)
{
	return type__path(c->ts, block, path, out, NULL) && !out->nr_hops;
}

/* The way to the messages of receiver @d, if there is something in these. */
static void find_messages(struct contents *c, const struct die *d, const struct die *object,
			  const struct runtime_messages *way, struct image_handle *h)
{
	struct image_path start, next, ready, all;
	struct die type, block;

	h->message = WALK_NONE;
	if (!type__param(c->ts, d, "T", &type) || !type__size(&type) ||
	    !contents__has(c, &type, 0) ||
	    !type__path(c->ts, object, way->first, &h->first_block, &block) ||
	    h->first_block.nr_hops != 1 ||
	    !type__path(c->ts, object, way->number, &h->next_message, NULL) ||
	    h->next_message.nr_hops || !block_member(c, &block, way->block_number, &start) ||
	    !block_member(c, &block, way->block_next, &next) ||
	    !block_member(c, &block, way->block_ready, &ready) ||
	    !block_member(c, &block, way->block_messages, &all))
		return;
	h->block_start = start.off[0];
	h->block_next = next.off[0];
	h->block_ready = ready.off[0];
	h->block_messages = all.off[0];
	h->message_size = (uint32_t)type__size(&type);
	h->nr_messages = all.size / h->message_size;
	h->message = add_value(c, &type);
}

/* The index of the handle's type; WALK_NONE: its object cannot be found. */
static uint32_t add_handle(struct contents *c, const struct die *d, unsigned int runtime,
			   const struct runtime_handle *h)
{
	struct hash_slot *known = hash_table__at(&c->handles, type__key(c->ts, d));
	struct image_handle found = { .message = WALK_NONE }, *ih;
	image_str name;
	struct image_path object, amount = { .ok = 0 }, count = { .ok = 0 }, wakes = { .ok = 0 };
	struct die to, member = { 0 };
	uint32_t at;

	if (!known) {
		c->m->err = -ENOMEM;
		return WALK_NONE;
	}
	if (known->value)
		return (uint32_t)known->value - 1;
	known->value = WALK_NONE + 1ull;
	if (!type__path(c->ts, d, h->object_path, &object, &to) || !object.nr_hops)
		return WALK_NONE;
	if (h->amount_path && (!type__path(c->ts, d, h->amount_path, &amount, NULL) ||
			       amount.nr_hops || !amount.width))
		amount.ok = 0;
	if (h->count_path && (!type__path(c->ts, &to, h->count_path, &count, NULL) ||
			      count.nr_hops || !count.width))
		count.ok = 0;
	if (h->wakes_path &&
	    (!type__path(c->ts, &to, h->wakes_path, &wakes, &member) || wakes.nr_hops))
		wakes.ok = 0;
	name = model__strn(c->m, type__name(d), strcspn(type__name(d), "<"));
	at = model__add(c->m, MODEL_HANDLES, 1);
	if (at == WALK_NONE)
		return WALK_NONE;
	known->value = at + 1ull;
	if (h->side == RUNTIME_SIDE_RECEIVES && runtime != IMAGE_LIBRARY &&
	    runtimes[runtime]->messages)
		find_messages(c, d, &to, runtimes[runtime]->messages, &found);
	stream__find(c->ts, d, &to, &found.stream);
	ih = model__at(c->m, MODEL_HANDLES, at);
	*ih = found;
	ih->runtime = (uint8_t)runtime;
	ih->side = h->side;
	ih->object = object;
	ih->amount = amount;
	ih->count = count;
	ih->wakes = wakes;
	ih->wakes_size = wakes.ok ? (uint32_t)type__size(&member) : 0;
	ih->only = h->only;
	ih->name = name;
	return at;
}

static uint32_t add_value(struct contents *c, const struct die *d)
{
	struct hash_slot *known = hash_table__at(&c->values, type__key(c->ts, d));
	uint32_t at;

	if (!known)
		goto nomem;
	if (known->value)
		return (uint32_t)known->value - 1;
	if (array__room(&c->todo, &c->cap_todo, c->nr_todo, sizeof(*c->todo)))
		goto nomem;
	at = model__add(c->m, MODEL_VALUES, 1);
	if (at == WALK_NONE)
		goto nomem;
	known->value = at + 1ull;
	c->todo[c->nr_todo++] = (struct pending_value){ *d, at };
	return at;
nomem:
	c->m->err = -ENOMEM;
	return WALK_NONE;
}

/* ---- parts ---- */

static void put(struct part_list *list, struct image_part part, uint64_t off)
{
	if (part.index == WALK_NONE || off > UINT32_MAX || list->nr == MAX_PARTS)
		return;
	part.off = (uint32_t)off;
	part.name = list->name;
	part.file = list->file;
	part.line = list->line;
	part.temporary = list->temporary;
	part.nested = list->nested;
	for (size_t i = 0; i < list->nr; i++)
		/* rustc lists a local twice that is an argument, too */
		if (list->v[i].off == part.off && list->v[i].kind == part.kind &&
		    list->v[i].index == part.index)
			return;
	list->v[list->nr++] = part;
}

/* What a pointer of way @way at @off leads to. */
static void put_target(struct contents *c, const struct die *to, uint64_t off,
		       struct image_part way, struct part_list *list)
{
	unsigned int runtime;

	if (!contents__has(c, to, 1))
		return;
	if (holders__is_future(c->holders, to) && !handle_entry(c->ts, to, &runtime)) {
		way.kind = IMAGE_PART_FUTURE;
		way.index = futures__add(c->futures, to);
	} else {
		way.kind = IMAGE_PART_VALUE;
		way.index = add_value(c, to);
	}
	put(list, way, off);
}

/* Add what is in a place of type @d at @off. */
static void collect(struct contents *c, const struct die *d, uint64_t off, unsigned int depth,
		    struct part_list *list)
{
	const struct runtime_handle *h;
	struct member_iter it = { 0 };
	uint64_t data, other;
	struct type_variants vs;
	struct type_member m;
	unsigned int runtime;
	uint32_t at, len;
	struct die to;
	bool dyn;

	if (!contents__has(c, d, depth))
		return;
	list->nested = depth > 0;
	if (d->ab->tag == DW_TAG_pointer_type) {
		if (type__pointee(c->ts, d, &to))
			put_target(c, &to, off, (struct image_part){ .way = IMAGE_PART_POINTER },
				   list);
		return;
	}
	h = handle_entry(c->ts, d, &runtime);
	if (h) {
		put(list, (struct image_part){ .kind = IMAGE_PART_HANDLE,
					       .index = add_handle(c, d, runtime, h) }, off);
		return;
	}
	if (holders__is_future(c->holders, d)) {
		put(list, (struct image_part){ .kind = IMAGE_PART_FUTURE,
					       .index = futures__add(c->futures, d) }, off);
		return;
	}
	if (type__fat_pointer(c->ts, d, &dyn, &data, &other, &to)) {
		if (dyn)
			put(list, (struct image_part){ .kind = IMAGE_PART_DYN }, off + data);
		else
			put_target(c, &to, off + data, (struct image_part){
				   .way = IMAGE_PART_SLICE, .len_off = (int32_t)(other - data),
				   .item = (uint32_t)type__size(&to) }, list);
		return;
	}
	if (type__vec(c->ts, d, &at, &len, &to)) {
		put_target(c, &to, off + at, (struct image_part){
			   .way = IMAGE_PART_SLICE, .len_off = (int32_t)len - (int32_t)at,
			   .item = (uint32_t)type__size(&to) }, list);
		return;
	}
	if (is_table(c->ts, d, &at, &len, &to)) {
		put_target(c, &to, off + at, (struct image_part){
			   .way = IMAGE_PART_TABLE, .len_off = (int32_t)len - (int32_t)at,
			   .item = (uint32_t)type__size(&to) }, list);
		return;
	}
	if (type__variants(c->ts, d, &vs)) {
		put(list, (struct image_part){ .kind = IMAGE_PART_VALUE,
					       .index = add_value(c, d) }, off);
		return;
	}
	while (type__next_member(c->ts, d, &it, &m))
		collect(c, &m.type, off + m.off, depth + 1, list);
}

/* Store the list; returns the index of its first part. */
static uint32_t store(struct contents *c, const struct part_list *list)
{
	uint32_t first = list->nr ? model__add(c->m, MODEL_PARTS, list->nr) : 0;

	if (first != WALK_NONE && list->nr)
		memcpy(model__at(c->m, MODEL_PARTS, first), list->v,
		       list->nr * sizeof(list->v[0]));
	return first;
}

/* ---- values ---- */

static void put_row(struct contents *c, uint32_t row, const struct part_list *list)
{
	uint32_t first = store(c, list);
	struct image_row *r = model__at(c->m, MODEL_ROWS, row);

	r->first_part = first;
	r->nr_parts = (uint32_t)list->nr;
}

/* An enum with parts in several variants: one row for each that has some. */
static void search_enum(struct contents *c, const struct type_variants *vs, uint32_t value)
{
	struct member_iter it = { 0 };
	struct image_value *iv;
	struct type_variant v;

	while (type__next_variant(c->ts, vs, &it, &v)) {
		struct part_list list = { .nr = 0 };
		struct image_row *r;
		uint32_t row;

		collect(c, &v.payload.type, v.payload.off, 1, &list);
		row = model__add(c->m, MODEL_ROWS, 1);
		if (row == WALK_NONE)
			return;
		put_row(c, row, &list);
		r = model__at(c->m, MODEL_ROWS, row);
		r->value = v.value;
		r->otherwise = !v.has_value;
		iv = model__at(c->m, MODEL_VALUES, value);
		if (!iv->nr_rows)
			iv->first_row = row;
		iv->nr_rows++;
	}
}

static void search_value(struct contents *c, const struct die *d, uint32_t value)
{
	struct image_value *iv = model__at(c->m, MODEL_VALUES, value);
	struct part_list list = { .nr = 0 };
	struct type_variants vs;
	uint32_t row;

	iv->size = (uint32_t)type__size(d);
	if (type__variants(c->ts, d, &vs)) {
		iv->disc_off = (uint32_t)vs.off;
		iv->disc_width = (uint8_t)vs.width;
		/* rows are found one behind the other, so none may be added in between */
		search_enum(c, &vs, value);
		return;
	}
	collect(c, d, 0, 0, &list);
	row = model__add(c->m, MODEL_ROWS, 1);
	if (row == WALK_NONE)
		return;
	put_row(c, row, &list);
	((struct image_row *)model__at(c->m, MODEL_ROWS, row))->otherwise = 1;
	iv = model__at(c->m, MODEL_VALUES, value);
	iv->first_row = row;
	iv->nr_rows = 1;
}

/* ---- await points ---- */

/* "__3" is a temporary of the compiler, from which the value may have been moved on. */
static bool is_temporary(const char *name)
{
	return !name || (name[0] == '_' && name[1] == '_' && name[2] >= '0' && name[2] <= '9');
}

/* Where local @m is declared: by name and type, and first in the body, if there are several. */
static void note_place(struct contents *c, const struct type_member *m, struct part_list *list)
{
	uint64_t type = c->nr_locals ? awaits__type(c->awaits, &m->type) : 0;
	const struct await_local *found = NULL;
	const char *base;

	for (size_t i = 0; m->name && i < c->nr_locals; i++)
		if (!strcmp(c->locals[i].name, m->name) && c->locals[i].type == type &&
		    c->locals[i].at.path &&
		    (!found || c->locals[i].at.line < found->at.line))
			found = &c->locals[i];
	list->line = found ? found->at.line : 0;
	base = found ? strrchr(found->at.path, '/') : NULL;
	list->file = found ? model__str(c->m, base ? base + 1 : found->at.path) : 0;
}

/*
 * Is @m a captured variable of the coroutine, in a state in which it has begun? It is listed
 * in all states, whether or not it has been moved out since.
 */
static bool is_capture(const struct contents *c, const struct type_member *m)
{
	struct member_iter it = { 0 };
	struct type_member captured;

	while (c->begun && type__next_member(c->ts, &c->unresumed, &it, &captured))
		if (m->name && captured.name && !strcmp(m->name, captured.name) &&
		    m->off == captured.off)
			return true;
	return false;
}

static void search_members(struct contents *c, const struct die *d, struct part_list *list)
{
	struct member_iter it = { 0 };
	struct type_member m;

	while (type__next_member(c->ts, d, &it, &m)) {
		if (m.name && !strcmp(m.name, "__awaitee"))
			continue;
		if (!contents__has(c, &m.type, 0))
			continue;
		list->name = model__str(c->m, m.name);
		note_place(c, &m, list);
		list->temporary = is_temporary(m.name) || is_capture(c, &m);
		collect(c, &m.type, m.off, 0, list);
	}
}

static void put_variant(struct contents *c, uint32_t at, const struct part_list *list)
{
	uint32_t first = store(c, list);
	struct image_variant *iv = model__at(c->m, MODEL_VARIANTS, at);

	iv->first_part = first;
	iv->nr_parts = (uint32_t)list->nr;
}

/* The variant of walk type @type that the discriminant's value @v selects. */
static uint32_t variant_of(const struct walk_type *wt, const struct type_variant *v)
{
	if (!v->has_value || !wt->disc_width)
		return wt->default_variant != WALK_NONE ? wt->default_variant : wt->first_variant;
	return v->value - wt->disc_base < wt->nr_variants ?
		       wt->first_variant + (uint32_t)(v->value - wt->disc_base) : WALK_NONE;
}

static void search_type(struct contents *c, uint32_t type)
{
	const struct walk_type wt = *(struct walk_type *)model__at(c->m, MODEL_WALK_TYPES, type);
	const struct image_type *t = model__at(c->m, MODEL_TYPES, type);
	const struct die d = *futures__die(c->futures, type);
	struct part_list list = { .nr = 0 };
	struct member_iter it = { 0 };
	struct type_variants vs;
	struct type_variant v;

	if (t->kind == IMAGE_TYPE_LEAF || !wt.nr_variants || wt.disc_off == INT32_MAX)
		return;
	if (!type__variants(c->ts, &d, &vs)) {
		search_members(c, &d, &list);
		put_variant(c, wt.first_variant, &list);
		return;
	}
	if (t->kind == IMAGE_TYPE_FN)
		c->locals = awaits__locals(c->awaits, &d, &c->nr_locals);
	while (type__next_variant(c->ts, &vs, &it, &v)) {
		uint32_t at = variant_of(&wt, &v);

		list.nr = 0;
		/* what it had has been moved out or dropped, though it is still listed */
		if (at == WALK_NONE || type__named(&v.payload.type, "Returned") ||
		    type__named(&v.payload.type, "Panicked"))
			continue;
		if (type__named(&v.payload.type, "Unresumed"))
			c->unresumed = v.payload.type;
		c->begun = c->nr_locals && !type__named(&v.payload.type, "Unresumed") &&
			   c->unresumed.p;
		search_members(c, &v.payload.type, &list);
		put_variant(c, at, &list);
	}
	c->begun = false;
	c->unresumed.p = NULL;
	free(c->locals);
	c->locals = NULL;
	c->nr_locals = 0;
}

int contents__search(struct contents *c, uint32_t *done)
{
	for (; *done < c->m->tables[MODEL_TYPES].nr && !c->m->err; (*done)++) {
		if (c->ts->di->steps > HOLDERS_MAX_STEPS)
			c->m->torn = true;
		else
			search_type(c, *done);
		for (; c->done < c->nr_todo && !c->m->err; c->done++) {
			const struct pending_value p = c->todo[c->done];

			search_value(c, &p.die, p.value);
		}
	}
	return c->m->err;
}

struct contents *contents__new(struct model *m, const struct types *ts, struct futures *futures,
			       struct awaits *awaits)
{
	struct contents *c = calloc(1, sizeof(*c));

	if (c)
		*c = (struct contents){ .m = m, .ts = ts, .futures = futures,
					.awaits = awaits,
					.holders = futures__holders(futures) };
	return c;
}

void contents__free(struct contents *c)
{
	if (!c)
		return;
	hash_table__clear(&c->has);
	hash_table__clear(&c->handles);
	hash_table__clear(&c->values);
	free(c->todo);
	free(c);
}
