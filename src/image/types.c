// SPDX-License-Identifier: GPL-2.0
/*
 * Types as rustc describes them: members, variants, pointers. See types.h. It must not
 * know futures or runtimes.
 */
#include "image/types.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_INDIRECT	16	/* typedefs in succession */
#define MAX_NEWTYPES	12	/* levels that a path may omit */

bool type__resolve(const struct types *ts, struct die *d)
{
	for (int i = 0; i < MAX_INDIRECT; i++) {
		const struct scan_type *t, *best;

		switch (d->ab->tag) {
		case DW_TAG_typedef: case DW_TAG_const_type: case DW_TAG_volatile_type:
			if (!die__ref(ts->di, d, DW_AT_type, d))
				return false;
			continue;
		case DW_TAG_structure_type: case DW_TAG_union_type:
			break;
		default:
			return true;
		}
		t = scan__type_at(ts->sc, d->p);
		if (!t || (!t->declaration && !t->empty))
			return true;
		best = scan__type_by_hash(ts->sc, t->hash, t->declaration ? ~0ull : t->size);
		if (!best || best == t || best->declaration)
			return !t->declaration;
		return die__at_addr(ts->di, best->die, d);
	}
	return false;
}

bool type__of(const struct types *ts, const struct die *d, struct die *out)
{
	return die__ref(ts->di, d, DW_AT_type, out) && type__resolve(ts, out);
}

uint64_t type__size(const struct die *d)
{
	uint64_t size;

	if (die__uint(d, DW_AT_byte_size, &size))
		return size;
	return d->ab->tag == DW_TAG_pointer_type ? 8 : 0;
}

uint64_t type__align(const struct die *d)
{
	uint64_t align = 0;

	/* rustc gives the alignment of structures; that of a scalar is its size */
	if (!die__uint(d, DW_AT_alignment, &align))
		align = d->ab->tag == DW_TAG_structure_type ? 1 : type__size(d);
	return align ? align : 1;
}

const char *type__name(const struct die *d)
{
	const char *name = die__str(d, DW_AT_name);

	return name ? name : "";
}

bool type__named(const struct die *d, const char *prefix)
{
	return !strncmp(type__name(d), prefix, strlen(prefix));
}

/* {impl} in a path matches any {impl#N}. */
static bool component_is(const char *want, size_t len, const char *name, size_t name_len)
{
	if (len == 6 && !strncmp(want, "{impl}", 6))
		return !strncmp(name, "{impl#", 6);
	return len == name_len && !strncmp(want, name, len);
}

bool type__is(const struct types *ts, const struct die *d, const char *path)
{
	const struct scan_type *t = scan__type_at(ts->sc, d->p);
	const char *end = path + strlen(path), *name;
	const struct scope *s;
	size_t len;

	if (!t)
		return false;
	/* compared from the end: the last names differ most often */
	name = t->name;
	len = name[0] == '{' ? strcspn(name, "}") + 1 : strcspn(name, "<");
	s = t->scope;
	for (;;) {
		const char *word = end;

		while (word > path && !(word[-1] == ':' && word - path >= 2 && word[-2] == ':'))
			word--;
		if (!component_is(word, (size_t)(end - word), name, len))
			return false;
		if (word == path)
			return !s;
		if (!s)
			return false;
		end = word - 2;
		name = s->name;
		len = strlen(name);
		s = s->parent;
	}
}

/* ---- members ---- */

static bool member__read(const struct types *ts, const struct die *d, struct type_member *out)
{
	out->die = *d;
	out->name = die__str(d, DW_AT_name);
	if (!die__uint(d, DW_AT_data_member_location, &out->off))
		out->off = 0;
	return type__of(ts, d, &out->type);
}

static bool next_child(const struct types *ts, const struct die *parent, struct member_iter *it)
{
	bool more = it->begun ? die__next(ts->di, &it->at, &it->at) : die__child(parent, &it->at);

	it->begun = true;
	return more;
}

bool type__next_member(const struct types *ts, const struct die *d, struct member_iter *it,
		       struct type_member *out)
{
	if (d->ab->tag != DW_TAG_structure_type)
		return false;
	while (next_child(ts, d, it))
		if (it->at.ab->tag == DW_TAG_member && member__read(ts, &it->at, out))
			return true;
	return false;
}

bool type__member(const struct types *ts, const struct die *d, const char *name,
		  struct type_member *out)
{
	struct member_iter it = { 0 };

	while (type__next_member(ts, d, &it, out))
		if (out->name && !strcmp(out->name, name))
			return true;
	return false;
}

bool type__only_member(const struct types *ts, const struct die *d, struct type_member *out)
{
	struct member_iter it = { 0 };
	struct type_member m;
	unsigned int nr = 0;

	while (type__next_member(ts, d, &it, &m)) {
		if (!type__size(&m.type))
			continue;
		*out = m;
		nr++;
	}
	return nr == 1;
}

/* ---- variants ---- */

bool type__variants(const struct types *ts, const struct die *d, struct type_variants *out)
{
	struct member_iter it = { 0 };
	struct die discr, type;

	if (d->ab->tag != DW_TAG_structure_type)
		return false;
	while (next_child(ts, d, &it)) {
		if (it.at.ab->tag != DW_TAG_variant_part)
			continue;
		out->die = it.at;
		out->off = 0;
		out->width = 0;
		if (!die__ref(ts->di, &it.at, DW_AT_discr, &discr))
			return true;
		if (!die__uint(&discr, DW_AT_data_member_location, &out->off))
			out->off = 0;
		if (type__of(ts, &discr, &type))
			out->width = (unsigned int)type__size(&type);
		return out->width == 1 || out->width == 2 || out->width == 4 || out->width == 8;
	}
	return false;
}

bool type__next_variant(const struct types *ts, const struct type_variants *vs,
			struct member_iter *it, struct type_variant *out)
{
	while (next_child(ts, &vs->die, it)) {
		struct member_iter inner = { 0 };
		bool payload = false;

		if (it->at.ab->tag != DW_TAG_variant)
			continue;
		memset(out, 0, sizeof(*out));
		out->die = it->at;
		/* fixed-size data is to be read as unsigned (rust#125147) */
		out->has_value = die__uint(&it->at, DW_AT_discr_value, &out->value);
		if (vs->width && vs->width < 8)
			out->value &= (1ull << (8 * vs->width)) - 1;
		while (!payload && next_child(ts, &it->at, &inner))
			payload = inner.at.ab->tag == DW_TAG_member &&
				  member__read(ts, &inner.at, &out->payload);
		if (payload)
			return true;
	}
	return false;
}

bool type__only_payload(const struct types *ts, const struct die *d, struct type_member *out)
{
	struct member_iter it = { 0 };
	struct type_variants vs;
	struct type_variant v;
	unsigned int nr = 0;

	if (!type__variants(ts, d, &vs))
		return false;
	while (type__next_variant(ts, &vs, &it, &v)) {
		struct member_iter inner = { 0 };
		struct type_member m;

		if (!type__next_member(ts, &v.payload.type, &inner, &m))
			continue;
		*out = v.payload;
		nr++;
	}
	return nr == 1;
}

bool type__param(const struct types *ts, const struct die *d, const char *name, struct die *out)
{
	struct member_iter it = { 0 };

	while (next_child(ts, d, &it)) {
		if (it.at.ab->tag != DW_TAG_template_type_parameter)
			continue;
		if (!strcmp(type__name(&it.at), name))
			return type__of(ts, &it.at, out);
	}
	return false;
}

/* ---- identity ---- */

static uint64_t mix(uint64_t a, uint64_t b)
{
	a = (a ^ b) * 0x9e3779b97f4a7c15ull;
	return a ^ a >> 29;
}

/*
 * Two versions of a crate may have different types with the same name, so members are
 * compared too.
 */
uint64_t type__key(const struct types *ts, const struct die *d)
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

/* ---- pointers ---- */

bool type__pointee(const struct types *ts, const struct die *d, struct die *out)
{
	return d->ab->tag == DW_TAG_pointer_type && type__of(ts, d, out);
}

bool type__fat_pointer(const struct types *ts, const struct die *d, bool *dyn, uint64_t *data_off,
		       uint64_t *other_off, struct die *target)
{
	struct type_member data, other;

	if (d->ab->tag != DW_TAG_structure_type || type__size(d) != 16)
		return false;
	if (type__member(ts, d, "pointer", &data) && type__member(ts, d, "vtable", &other))
		*dyn = true;
	else if (type__member(ts, d, "data_ptr", &data) && type__member(ts, d, "length", &other))
		*dyn = false;
	else
		return false;
	*data_off = data.off;
	*other_off = other.off;
	return type__pointee(ts, &data.type, target);
}

/* ---- paths ---- */

struct cursor {
	struct image_path	 path;
	struct die		 type;
	struct type_choice	 choice;	/* off: from the last pointer, not from the end */
	uint8_t			 choice_hops;	/* pointers before it */
};

/*
 * Notes how to tell that the enum, whose variants are @vs, has variant @v. A variant without a
 * value has all that no other has; with one other, that is not the other's.
 */
static void cursor__choose(const struct types *ts, struct cursor *c, const struct type_variants *vs,
			   const struct type_variant *v)
{
	struct member_iter it = { 0 };
	struct type_variant other;
	uint64_t value = v->value;
	unsigned int others = 0;

	c->choice = (struct type_choice){ .width = 0 };
	while (!v->has_value && type__next_variant(ts, vs, &it, &other))
		if (other.has_value && ++others)
			value = other.value;
	if (others > 1 || (!v->has_value && !others) || value > UINT32_MAX || vs->width > 8 ||
	    vs->width & (vs->width - 1))
		return;
	c->choice_hops = c->path.nr_hops;
	c->choice = (struct type_choice){
		.off = (int32_t)(c->path.off[c->path.nr_hops] + vs->off),
		.width = (uint8_t)vs->width, .is = v->has_value, .value = (uint32_t)value };
}

/* Enters variant @name (@len bytes) of an enum. */
static bool cursor__variant(const struct types *ts, struct cursor *c, const char *name, size_t len)
{
	struct member_iter it = { 0 };
	struct type_variants vs;
	struct type_variant v;

	if (!type__variants(ts, &c->type, &vs))
		return false;
	while (type__next_variant(ts, &vs, &it, &v)) {
		if (!v.payload.name || strncmp(v.payload.name, name, len) || v.payload.name[len])
			continue;
		cursor__choose(ts, c, &vs, &v);
		c->path.off[c->path.nr_hops] += (uint32_t)v.payload.off;
		c->type = v.payload.type;
		return true;
	}
	return false;
}

/* Enters member or variant @name (@len bytes); levels with a single member may be omitted. */
static bool cursor__member(const struct types *ts, struct cursor *c, const char *name, size_t len)
{
	for (int i = 0; i < MAX_NEWTYPES; i++) {
		struct member_iter it = { 0 };
		struct type_member m;

		while (type__next_member(ts, &c->type, &it, &m)) {
			if (!m.name || strncmp(m.name, name, len) || m.name[len])
				continue;
			c->path.off[c->path.nr_hops] += (uint32_t)m.off;
			c->type = m.type;
			return true;
		}
		if (cursor__variant(ts, c, name, len))
			return true;
		if (!type__only_member(ts, &c->type, &m) && !type__only_payload(ts, &c->type, &m))
			return false;
		c->path.off[c->path.nr_hops] += (uint32_t)m.off;
		c->type = m.type;
	}
	return false;
}

/* Follows the pointer; levels with a single member around it may be omitted. */
static bool cursor__deref(const struct types *ts, struct cursor *c)
{
	for (int i = 0; i < MAX_NEWTYPES; i++) {
		struct type_member m;
		uint64_t data, other;
		struct die to;
		bool dyn;

		if (c->path.nr_hops + 1u >= sizeof(c->path.off) / sizeof(c->path.off[0]))
			return false;
		if (type__pointee(ts, &c->type, &to)) {
			c->path.nr_hops++;
			c->type = to;
			return true;
		}
		if (type__fat_pointer(ts, &c->type, &dyn, &data, &other, &to)) {
			c->path.off[c->path.nr_hops++] += (uint32_t)data;
			c->type = to;
			return true;
		}
		if (!type__only_member(ts, &c->type, &m) && !type__only_payload(ts, &c->type, &m))
			return false;
		c->path.off[c->path.nr_hops] += (uint32_t)m.off;
		c->type = m.type;
	}
	return false;
}

static bool cursor__follow(const struct types *ts, struct cursor *c, const char *path, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t n = 0;

		while (at + n < len && path[at + n] != '.')
			n++;
		if (n == 1 && path[at] == '*' ? !cursor__deref(ts, c) :
						!cursor__member(ts, c, path + at, n))
			return false;
		at += n + 1;
	}
	return true;
}

/* A newtype lies where its member does, so the width is that of the scalar inside. */
static uint8_t cursor__width(const struct types *ts, const struct cursor *c)
{
	uint64_t size = type__size(&c->type);

	(void)ts;
	return size <= 8 ? (uint8_t)size : 0;
}

/* Follows the first of the alternatives in @path that can be. False: none. */
static bool cursor__path(const struct types *ts, const struct die *d, const char *path,
			 struct cursor *out)
{
	while (path) {
		const char *bar = strchr(path, '|');
		size_t len = bar ? (size_t)(bar - path) : strlen(path);
		struct cursor c = { .type = *d };

		if (cursor__follow(ts, &c, path, len)) {
			c.path.ok = 1;
			c.path.width = cursor__width(ts, &c);
			c.path.size = (uint32_t)type__size(&c.type);
			*out = c;
			return true;
		}
		path = bar ? bar + 1 : NULL;
	}
	return false;
}

bool type__path(const struct types *ts, const struct die *d, const char *path,
		struct image_path *out, struct die *end)
{
	struct cursor c;

	if (!cursor__path(ts, d, path, &c))
		return false;
	*out = c.path;
	if (end)
		*end = c.type;
	return true;
}

bool type__path_choice(const struct types *ts, const struct die *d, const char *path,
		       struct image_path *out, struct type_choice *choice)
{
	struct cursor c;

	if (!cursor__path(ts, d, path, &c))
		return false;
	*out = c.path;
	*choice = c.choice;
	if (c.choice_hops != c.path.nr_hops)
		choice->width = 0;
	choice->off -= (int32_t)c.path.off[c.path.nr_hops];
	return true;
}

bool type__vec(const struct types *ts, const struct die *d, uint32_t *at, uint32_t *len,
	       struct die *item)
{
	struct image_path ptr, nr;

	if (!type__named(d, "Vec<") || !type__is(ts, d, "alloc::vec::Vec") ||
	    !type__path(ts, d, "buf.inner.ptr.*|buf.ptr.*", &ptr, NULL) || ptr.nr_hops != 1 ||
	    !type__path(ts, d, "len", &nr, NULL) || nr.nr_hops || nr.width != 8)
		return false;
	*at = ptr.off[0];
	*len = nr.off[0];
	return type__param(ts, d, "T", item);
}

/* ---- search ---- */

#define SEARCH_LEVELS	28	/* nesting of members, newtypes included */
#define SEARCH_MAX	30000	/* places visited */

struct search {
	struct {
		struct cursor	c;
		unsigned int	level;
	}		*queue;
	size_t		 nr;
};

static void search__push(struct search *s, const struct cursor *c, unsigned int level)
{
	if (level > SEARCH_LEVELS || s->nr >= SEARCH_MAX)
		return;
	s->queue[s->nr].c = *c;
	s->queue[s->nr++].level = level;
}

static void search__step(const struct types *ts, struct search *s, const struct cursor *c,
			 unsigned int level)
{
	struct member_iter it = { 0 };
	struct cursor next = *c;
	struct type_member m;
	struct die to;

	if (type__pointee(ts, &c->type, &to)) {
		if (c->path.nr_hops + 1 >= WALK_MAX_HOPS)
			return;
		next.path.nr_hops++;
		next.type = to;
		search__push(s, &next, level + 1);
		return;
	}
	if (type__only_payload(ts, &c->type, &m)) {
		next.path.off[next.path.nr_hops] += (uint32_t)m.off;
		next.type = m.type;
		search__push(s, &next, level + 1);
		return;
	}
	while (type__next_member(ts, &c->type, &it, &m)) {
		if (!type__size(&m.type))
			continue;
		next = *c;
		next.path.off[next.path.nr_hops] += (uint32_t)m.off;
		next.type = m.type;
		search__push(s, &next, level + 1);
	}
}

bool type__search(const struct types *ts, const struct die *d, const char *want,
		  struct image_path *out, struct die *end)
{
	struct search s = { .queue = NULL };
	unsigned int found_level = 0;
	bool found = false, twice = false;

	s.queue = malloc(SEARCH_MAX * sizeof(*s.queue));
	if (!s.queue) {
		ts->di->err = -ENOMEM;
		return false;
	}
	search__push(&s, &(struct cursor){ .type = *d }, 0);
	for (size_t i = 0; i < s.nr; i++) {
		struct cursor c = s.queue[i].c;
		unsigned int level = s.queue[i].level;

		if (found && level > found_level)
			break;
		if (type__is(ts, &c.type, want)) {
			twice |= found;
			found = true;
			found_level = level;
			*out = c.path;
			out->ok = 1;
			out->size = (uint32_t)type__size(&c.type);
			if (end)
				*end = c.type;
			continue;
		}
		search__step(ts, &s, &c, level);
	}
	free(s.queue);
	return found && !twice;
}
