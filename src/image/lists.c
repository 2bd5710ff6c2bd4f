// SPDX-License-Identifier: GPL-2.0
/*
 * Lists of ranges and of locations. See lists.h. They are in the format of DWARF 4
 * (sections 2.17.3 and 2.6.2) or 5 (sections 7.25 and 7.7.3, DW_RLE_* and DW_LLE_*). In
 * split DWARF 4, a GNU extension, locations are in the split unit in a format of their
 * own, and ranges are with the skeleton.
 */
#include "image/lists.h"

#define MAX_RANGES	65536	/* of one list; more is malformed */

static bool list__word(struct die_list *l, unsigned int size, uint64_t *out)
{
	if ((uint64_t)(l->end - l->p) < size)
		return false;
	*out = read_le(l->p, size);
	l->p += size;
	return true;
}

/* An address by its index in .debug_addr. */
static bool list__indexed(struct die_list *l, uint64_t *out)
{
	struct attr a = { .form = DW_FORM_addrx };

	return read_uleb(&l->p, l->end, &a.v) && attr__addr(l->u, &a, out);
}

/* The section with the lists of @u, and where the lists of @u begin in it. */
static const struct debug_sec *list_section(const struct unit *u, bool locations, uint64_t *base)
{
	const struct debug_secs *s = u->secs;

	*base = 0;
	if (s->split && u->version < 5 && !locations) {
		if (!u->skeleton)
			return NULL;
		*base = u->skeleton->gnu_ranges_base;
		return &u->skeleton->secs->ranges;
	}
	if (s->split)
		*base = locations ? u->loc_base : u->rnglists_base;
	if (u->version < 5)
		return locations ? &s->loc : &s->ranges;
	return locations ? &s->loclists : &s->rnglists;
}

/* The same for the offset table that DWARF 5's indices refer to. */
static bool list_table(const struct die *root, bool locations, uint64_t *base)
{
	const struct unit *u = root->u;

	/* in a split unit, it is the first table, behind a header (section 7.28) */
	if (u->secs->split)
		*base += u->off_size == 8 ? 20 : 12;
	return u->secs->split ||
	       die__uint(root, locations ? DW_AT_loclists_base : DW_AT_rnglists_base, base);
}

bool lists__open(const struct die *d, unsigned int name, bool locations, struct die_list *l)
{
	const struct unit *u = d->u;
	const struct debug_sec *sec;
	uint64_t off, base, n;
	uint8_t word[8];
	struct die root;
	struct attr a;

	sec = list_section(u, locations, &base);
	if (!sec || !die__root(u, &root) || !die__attr(d, name, &a))
		return false;
	l->u = u;
	l->locations = locations;
	if (a.form == DW_FORM_loclistx || a.form == DW_FORM_rnglistx) {
		if (!list_table(&root, locations, &base) || base > sec->n || a.v > sec->n ||
		    !debug_sec__read(sec, base + a.v * u->off_size, word, u->off_size))
			return false;
		off = base + read_le(word, u->off_size);
	} else if (a.form == DW_FORM_sec_offset && a.v <= sec->n) {
		off = base + a.v;
	} else {
		return false;
	}
	if (off >= sec->n)
		return false;
	n = sec->n - off < LIST_MAX ? sec->n - off : LIST_MAX;
	if (!debug_sec__read(sec, off, l->bytes, (size_t)n))
		return false;
	l->p = l->bytes;
	l->end = l->bytes + n;
	/* a unit in several pieces has no base address, or 0 */
	if ((u->skeleton && !die__root(u->skeleton, &root)) ||
	    !die__addr(&root, DW_AT_low_pc, &l->base))
		l->base = 0;
	return true;
}

/* 1: a range; 0: the end, or malformed; -1: another entry, a range may follow. */
static int list__next_old(struct die_list *l, struct die_range *r)
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

/* For split DWARF 4: entries DW_LLE_GNU_*, all with addresses by index. */
static int list__next_gnu(struct die_list *l, struct die_range *r)
{
	uint64_t kind;

	if (!list__word(l, 1, &kind))
		return 0;
	switch (kind) {
	case DW_LLE_GNU_base_address_selection_entry:
		return list__indexed(l, &l->base) ? -1 : 0;
	case DW_LLE_GNU_start_end_entry:
		if (!list__indexed(l, &r->start) || !list__indexed(l, &r->end))
			return 0;
		break;
	case DW_LLE_GNU_start_length_entry:
		if (!list__indexed(l, &r->start) || !list__word(l, 4, &r->end))
			return 0;
		r->end += r->start;
		break;
	default:
		return 0;
	}
	return list__word(l, 2, &r->expr_len);
}

/*
 * DWARF 5's kinds of ranges and of locations differ from 5 on, because locations have
 * default_location.
 */
static int list__next_new(struct die_list *l, struct die_range *r)
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
	default:	/* the end; default_location ("everywhere else") is not a range */
		return 0;
	}
	if (l->locations && !read_uleb(&l->p, l->end, &r->expr_len))
		return 0;
	return 1;
}

bool lists__next(struct die_list *l, struct die_range *r)
{
	for (int i = 0; i < MAX_RANGES; i++) {
		int got;

		*r = (struct die_range){ 0 };
		if (l->u->version >= 5)
			got = list__next_new(l, r);
		else if (l->locations && l->u->secs->split)
			got = list__next_gnu(l, r);
		else
			got = list__next_old(l, r);
		if (got < 0)
			continue;
		if (!got || r->expr_len > (uint64_t)(l->end - l->p))
			return false;
		r->expr = l->p;
		l->p += r->expr_len;
		/* location views (a GNU extension) and empty ranges are skipped */
		if (r->start < r->end)
			return true;
	}
	return false;
}

bool lists__first_range(const struct die *copy, struct die_range *out)
{
	struct die_list l;
	struct attr a;

	if (die__addr(copy, DW_AT_low_pc, &out->start)) {
		if (!die__attr(copy, DW_AT_high_pc, &a) || attr__is_block(&a))
			return false;
		/* high_pc: an address, or the length */
		if (!attr__addr(copy->u, &a, &out->end))
			out->end = out->start + a.v;
		return out->start < out->end;
	}
	return lists__open(copy, DW_AT_ranges, false, &l) && lists__next(&l, out);
}

size_t lists__ranges(const struct die *d, struct die_range *out, size_t max)
{
	struct die_list l;
	struct die_range r;
	size_t nr = 0;
	uint64_t low;

	if (die__addr(d, DW_AT_low_pc, &low)) {
		if (!max || !lists__first_range(d, out))
			return 0;
		return 1;
	}
	if (!lists__open(d, DW_AT_ranges, false, &l))
		return 0;
	while (nr < max && lists__next(&l, &r))
		out[nr++] = r;
	return nr;
}

bool lists__location(const struct die *d, uint64_t pc, struct die_list *l, struct die_range *out)
{
	struct attr a;

	if (!die__attr(d, DW_AT_location, &a))
		return false;
	if (attr__is_block(&a)) {
		*out = (struct die_range){ 0, UINT64_MAX, a.p, a.v };
		return true;
	}
	if (!lists__open(d, DW_AT_location, true, l))
		return false;
	while (lists__next(l, out))
		if (pc >= out->start && pc < out->end)
			return true;
	return false;
}
