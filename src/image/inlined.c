// SPDX-License-Identifier: GPL-2.0
/*
 * Copies of a function that the compiler has inlined. See inlined.h. Lists of
 * ranges and of locations are DWARF 4's (sections 2.17.3 and 2.6.2) or 5's
 * (sections 7.25 and 7.7.3, the kinds DW_RLE_* and DW_LLE_*).
 *
 * It must not know what the function is, nor what the code looks like.
 */
#include "image/inlined.h"

#define MAX_RANGES	65536	/* of one list: more is nonsense */
#define MAX_COPIES	64	/* of one function */
#define LIST_MAX	16384	/* bytes of one list that are read: some hundred ranges */

/* A list that is being read. */
struct list {
	const struct unit	*u;
	const uint8_t		*p, *end;
	uint64_t		 base;
	bool			 locations;	/* each range has an expression */
	uint8_t			 bytes[LIST_MAX];
};

struct range {
	uint64_t	 start, end;
	const uint8_t	*expr;
	uint64_t	 expr_len;
};

static bool list__word(struct list *l, unsigned int size, uint64_t *out)
{
	if ((uint64_t)(l->end - l->p) < size)
		return false;
	*out = read_le(l->p, size);
	l->p += size;
	return true;
}

/* An address by its number in .debug_addr. */
static bool list__indexed(struct list *l, uint64_t *out)
{
	struct attr a = { .form = DW_FORM_addrx };

	return read_uleb(&l->p, l->end, &a.v) && attr__addr(l->u, &a, out);
}

/* The list that attribute @name of @d stands for; false also if it is none. */
static bool list__open(const struct die *d, unsigned int name, bool locations, struct list *l)
{
	const struct unit *u = d->u;
	const struct debug_secs *s = u->secs;
	const struct debug_sec *sec =
		locations ? (u->version < 5 ? &s->loc : &s->loclists) :
			    (u->version < 5 ? &s->ranges : &s->rnglists);
	uint64_t off, base, n;
	uint8_t word[8];
	struct die root;
	struct attr a;

	if (s->split || !die__root(u, &root) || !die__attr(d, name, &a))
		return false;
	l->u = u;
	l->locations = locations;
	off = a.v;
	if (a.form == DW_FORM_loclistx || a.form == DW_FORM_rnglistx) {
		if (!die__uint(&root, locations ? DW_AT_loclists_base : DW_AT_rnglists_base,
			       &base) ||
		    base > sec->n || a.v > sec->n ||
		    !debug_sec__read(sec, base + a.v * u->off_size, word, u->off_size))
			return false;
		off = base + read_le(word, u->off_size);
	} else if (a.form != DW_FORM_sec_offset) {
		return false;
	}
	if (off >= sec->n)
		return false;
	n = sec->n - off < LIST_MAX ? sec->n - off : LIST_MAX;
	if (!debug_sec__read(sec, off, l->bytes, (size_t)n))
		return false;
	l->p = l->bytes;
	l->end = l->bytes + n;
	/* a unit in several pieces has none, or one of 0 */
	if (!die__addr(&root, DW_AT_low_pc, &l->base))
		l->base = 0;
	return true;
}

/* 1: a range, 0: the end or nonsense, -1: something else, which comes before a range. */
static int list__next_old(struct list *l, struct range *r)
{
	unsigned int size = l->u->addr_size;

	if (!list__word(l, size, &r->start) || !list__word(l, size, &r->end) ||
	    (!r->start && !r->end))
		return 0;
	if (r->start == (size == 8 ? ~0ull : 0xffffffffull)) {
		l->base = r->end;
		return -1;
	}
	r->start += l->base;
	r->end += l->base;
	if (l->locations && !list__word(l, 2, &r->expr_len))
		return 0;
	return 1;
}

/* DWARF 5's kinds of ranges and of locations differ from 5 on: default_location is extra. */
static int list__next_new(struct list *l, struct range *r)
{
	uint64_t kind;

	if (!list__word(l, 1, &kind))
		return 0;
	if (!l->locations && kind >= DW_RLE_base_address)
		kind += DW_LLE_base_address - DW_RLE_base_address;
	switch (kind) {
	case DW_LLE_base_addressx:
		return list__indexed(l, &l->base) ? -1 : 0;
	case DW_LLE_base_address:
		return list__word(l, l->u->addr_size, &l->base) ? -1 : 0;
	case DW_LLE_startx_endx:
		if (!list__indexed(l, &r->start) || !list__indexed(l, &r->end))
			return 0;
		break;
	case DW_LLE_startx_length:
		if (!list__indexed(l, &r->start) || !read_uleb(&l->p, l->end, &r->end))
			return 0;
		r->end += r->start;
		break;
	case DW_LLE_offset_pair:
		if (!read_uleb(&l->p, l->end, &r->start) || !read_uleb(&l->p, l->end, &r->end))
			return 0;
		r->start += l->base;
		r->end += l->base;
		break;
	case DW_LLE_start_end:
		if (!list__word(l, l->u->addr_size, &r->start) ||
		    !list__word(l, l->u->addr_size, &r->end))
			return 0;
		break;
	case DW_LLE_start_length:
		if (!list__word(l, l->u->addr_size, &r->start) ||
		    !read_uleb(&l->p, l->end, &r->end))
			return 0;
		r->end += r->start;
		break;
	default:	/* the end; "everywhere else" is no range */
		return 0;
	}
	if (l->locations && !read_uleb(&l->p, l->end, &r->expr_len))
		return 0;
	return 1;
}

static bool list__next(struct list *l, struct range *r)
{
	for (int i = 0; i < MAX_RANGES; i++) {
		int got;

		*r = (struct range){ 0 };
		got = l->u->version < 5 ? list__next_old(l, r) : list__next_new(l, r);
		if (got < 0)
			continue;
		if (!got || r->expr_len > (uint64_t)(l->end - l->p))
			return false;
		r->expr = l->p;
		l->p += r->expr_len;
		/* views of locations (a GNU extension) and empty ranges say nothing */
		if (r->start < r->end)
			return true;
	}
	return false;
}

/* The first range of @copy's code. */
static bool first_range(const struct die *copy, struct range *out)
{
	struct list l;
	struct attr a;

	if (die__addr(copy, DW_AT_low_pc, &out->start)) {
		if (!die__attr(copy, DW_AT_high_pc, &a) || attr__is_block(&a))
			return false;
		/* an address, or the length */
		if (!attr__addr(copy->u, &a, &out->end))
			out->end = out->start + a.v;
		return out->start < out->end;
	}
	return list__open(copy, DW_AT_ranges, false, &l) && list__next(&l, out);
}

static bool is_register(const uint8_t *expr, uint64_t len)
{
	return len == 1 && expr[0] >= DW_OP_reg0 && expr[0] <= DW_OP_reg15;
}

/* Where parameter @p of @copy is when the copy is entered, if that is a register. */
static bool entry_register(const struct die *copy, const struct die *p, struct inlined_copy *out)
{
	struct range code, at;
	struct list l;
	struct attr a;

	if (!first_range(copy, &code) || !die__attr(p, DW_AT_location, &a))
		return false;
	if (attr__is_block(&a)) {
		at = (struct range){ code.start, code.end, a.p, a.v };
	} else {
		if (!list__open(p, DW_AT_location, true, &l))
			return false;
		do {
			if (!list__next(&l, &at))
				return false;
		} while (at.start != code.start);
	}
	if (!is_register(at.expr, at.expr_len))
		return false;
	*out = (struct inlined_copy){ at.start, at.end < code.end ? at.end : code.end,
				      at.expr[0] - DW_OP_reg0 };
	return true;
}

static const uint8_t *target(const struct debug_info *di, const struct die *d, unsigned int name)
{
	struct attr a;

	return die__attr(d, name, &a) ? attr__target(di, d->u, &a) : NULL;
}

/* Parameter @arg of the function at @d. */
static bool parameter(struct debug_info *di, const struct die *d, unsigned int arg,
		      struct die *out)
{
	if (!die__child(d, out))
		return false;
	do {
		if (out->ab->tag == DW_TAG_formal_parameter && !arg--)
			return true;
	} while (die__next(di, out, out));
	return false;
}

/* The parameter of @copy that is @origin's @arg. */
static bool copy_parameter(struct debug_info *di, const struct die *copy, const struct die *origin,
			   unsigned int arg, struct die *out)
{
	struct die wanted;

	if (!parameter(di, origin, arg, &wanted) || !die__child(copy, out))
		return false;
	do {
		if (out->ab->tag == DW_TAG_formal_parameter &&
		    target(di, out, DW_AT_abstract_origin) == wanted.p)
			return true;
	} while (die__next(di, out, out));
	return false;
}

/* Where the entries of a unit are gone through. */
struct entries {
	const struct unit	*u;
	const uint8_t		*p;
};

/* The next entry with @tag; false: there is none. */
static bool entries__next(struct entries *e, unsigned int tag, struct die *d)
{
	while (e->p && e->p < e->u->end) {
		if (!*e->p) {
			e->p++;
			continue;
		}
		if (!die__at(e->u, e->p, d))
			return false;
		e->p = die__end_of_attrs(d);
		if (d->ab->tag == tag)
			return true;
	}
	return false;
}

void inlined__find(struct debug_info *di, const struct die *fn, unsigned int arg,
		   inlined_found found, void *ctx)
{
	struct entries e = { fn->u, fn->u->die };
	const uint8_t *last = NULL, *at;
	struct die copy, origin, param;
	struct inlined_copy out;
	int copies = 0;

	while (copies < MAX_COPIES && entries__next(&e, DW_TAG_inlined_subroutine, &copy)) {
		/* most copies are of other functions, and many in a row of the same */
		at = target(di, &copy, DW_AT_abstract_origin);
		if (!at || at == last)
			continue;
		if (!die__at_addr(di, at, &origin) ||
		    (at != fn->p && target(di, &origin, DW_AT_specification) != fn->p)) {
			last = at;
			continue;
		}
		copies++;
		if (copy_parameter(di, &copy, &origin, arg, &param) &&
		    entry_register(&copy, &param, &out))
			found(ctx, &out);
	}
}

/* The entry that copies of @fn refer to, if it is inlined anywhere. */
static bool abstract_instance(struct debug_info *di, const struct die *fn, struct die *out)
{
	struct entries e = { fn->u, fn->u->die };
	struct attr a;

	while (entries__next(&e, DW_TAG_subprogram, out))
		if (die__attr(out, DW_AT_inline, &a) &&
		    (out->p == fn->p || target(di, out, DW_AT_specification) == fn->p))
			return true;
	return false;
}

void inlined__find_elsewhere(struct debug_info *di, const struct die *fn, unsigned int arg,
			     inlined_found found, void *ctx)
{
	struct die origin, copy, param;
	struct inlined_copy out;
	int copies = 0;

	if (!abstract_instance(di, fn, &origin))
		return;
	for (size_t i = 0; i < di->nr_units; i++) {
		struct entries e = { di->units[i], di->units[i]->die };

		if (e.u == fn->u)
			continue;
		while (copies < MAX_COPIES && entries__next(&e, DW_TAG_inlined_subroutine, &copy)) {
			if (target(di, &copy, DW_AT_abstract_origin) != origin.p)
				continue;
			copies++;
			if (copy_parameter(di, &copy, &origin, arg, &param) &&
			    entry_register(&copy, &param, &out))
				found(ctx, &out);
		}
	}
}
