// SPDX-License-Identifier: GPL-2.0
/*
 * Debug information entries and the forms of their attributes, read in place: see
 * die.h. It must not know what Rust is, nor where the sections came from.
 */
#include "image/die.h"

#include <string.h>

int form__size(unsigned int form, unsigned int addr_size, unsigned int off_size,
	       unsigned int version)
{
	switch (form) {
	case DW_FORM_flag_present:
	case DW_FORM_implicit_const:
		return 0;
	case DW_FORM_data1: case DW_FORM_ref1: case DW_FORM_flag:
	case DW_FORM_strx1: case DW_FORM_addrx1:
		return 1;
	case DW_FORM_data2: case DW_FORM_ref2: case DW_FORM_strx2: case DW_FORM_addrx2:
		return 2;
	case DW_FORM_strx3: case DW_FORM_addrx3:
		return 3;
	case DW_FORM_data4: case DW_FORM_ref4: case DW_FORM_strx4: case DW_FORM_addrx4:
	case DW_FORM_ref_sup4:
		return 4;
	case DW_FORM_data8: case DW_FORM_ref8: case DW_FORM_ref_sig8: case DW_FORM_ref_sup8:
		return 8;
	case DW_FORM_data16:
		return 16;
	case DW_FORM_addr:
		return (int)addr_size;
	case DW_FORM_strp: case DW_FORM_line_strp: case DW_FORM_sec_offset:
	case DW_FORM_strp_sup: case DW_FORM_GNU_ref_alt: case DW_FORM_GNU_strp_alt:
		return (int)off_size;
	case DW_FORM_ref_addr:
		return (int)(version <= 2 ? addr_size : off_size);
	default:
		return -1;
	}
}

const uint8_t *form__read(const struct unit *u, unsigned int form, int64_t implicit,
			  const uint8_t *p, struct attr *out)
{
	const uint8_t *end = u->end;
	uint64_t v = 0;
	int64_t s;
	int size;

	if (form == DW_FORM_indirect) {
		if (!read_uleb(&p, end, &v) || v == DW_FORM_indirect ||
		    v == DW_FORM_implicit_const || v > 0xffff)
			return NULL;
		form = (unsigned int)v;
	}
	out->form = (uint16_t)form;
	out->p = p;
	size = form__size(form, u->addr_size, u->off_size, u->version);
	if (size >= 0) {
		if (end - p < size)
			return NULL;
		out->v = form == DW_FORM_implicit_const ? (uint64_t)implicit :
			 form == DW_FORM_flag_present ? 1 : read_le(p, (unsigned int)size);
		return p + size;
	}
	switch (form) {
	case DW_FORM_udata: case DW_FORM_ref_udata: case DW_FORM_strx: case DW_FORM_addrx:
	case DW_FORM_loclistx: case DW_FORM_rnglistx:
	case DW_FORM_GNU_str_index: case DW_FORM_GNU_addr_index:
		return read_uleb(&p, end, &out->v) ? p : NULL;
	case DW_FORM_sdata:
		if (!read_sleb(&p, end, &s))
			return NULL;
		out->v = (uint64_t)s;
		return p;
	case DW_FORM_string: {
		const uint8_t *nul = memchr(p, 0, (size_t)(end - p));

		if (!nul)
			return NULL;
		out->v = (uint64_t)(nul - p);
		return nul + 1;
	}
	case DW_FORM_block1:
		if (end - p < 1)
			return NULL;
		v = *p++;
		break;
	case DW_FORM_block2:
		if (end - p < 2)
			return NULL;
		v = read_le(p, 2);
		p += 2;
		break;
	case DW_FORM_block4:
		if (end - p < 4)
			return NULL;
		v = read_le(p, 4);
		p += 4;
		break;
	case DW_FORM_block: case DW_FORM_exprloc:
		if (!read_uleb(&p, end, &v))
			return NULL;
		break;
	default:
		return NULL;
	}
	if (v > (uint64_t)(end - p))
		return NULL;
	out->p = p;
	out->v = v;
	return p + v;
}

bool die__at(const struct unit *u, const uint8_t *p, struct die *out)
{
	uint64_t code;

	if (!u->abbrevs || p < u->die || p >= u->end)
		return false;
	out->u = u;
	out->p = p;
	if (!read_uleb(&p, u->end, &code) || !code)
		return false;
	out->attrs = p;
	out->ab = abbrev__find(u->abbrevs, code);
	return out->ab != NULL;
}

bool die__at_addr(const struct debug_info *di, const uint8_t *p, struct die *out)
{
	const struct unit *u = debug_info__unit_at(di, p);

	return u && die__at(u, p, out);
}

bool die__root(const struct unit *u, struct die *out)
{
	return die__at(u, u->die, out);
}

const uint8_t *die__end_of_attrs(const struct die *d)
{
	const struct abbrev_table *t = d->u->abbrevs;
	const uint8_t *p = d->attrs;
	struct attr a;

	for (uint32_t i = 0; i < d->ab->nr_steps; i++) {
		const struct abbrev_step *s = &t->steps[d->ab->first_step + i];

		if (!s->form) {
			if (s->skip > (uint64_t)(d->u->end - p))
				return NULL;
			p += s->skip;
		} else {
			p = form__read(d->u, s->form, s->implicit, p, &a);
			if (!p)
				return NULL;
		}
	}
	return p;
}

bool die__child(const struct die *d, struct die *out)
{
	const uint8_t *p;

	if (!d->ab->children)
		return false;
	p = die__end_of_attrs(d);
	return p && die__at(d->u, p, out);
}

bool die__next(struct debug_info *di, const struct die *d, struct die *out)
{
	const struct unit *u = d->u;
	struct die at = *d;
	unsigned long depth = 0;
	uint64_t code;

	for (;;) {
		const uint8_t *p = die__end_of_attrs(&at);

		di->steps++;
		if (!p)
			return false;
		if (at.ab->children)
			depth++;
		/* one null entry ends each level below @d; another one ends the level of @d */
		while (p < u->end && !*p) {
			if (!depth)
				return false;
			depth--;
			p++;
			if (!depth)
				break;
		}
		if (p >= u->end)
			return false;
		out->u = u;
		out->p = p;
		if (!read_uleb(&p, u->end, &code) || !code)
			return false;
		out->attrs = p;
		out->ab = abbrev__find(u->abbrevs, code);
		if (!out->ab)
			return false;
		if (!depth)
			return true;
		at = *out;
	}
}

bool die__attr(const struct die *d, unsigned int name, struct attr *out)
{
	const struct abbrev_attr *a = d->u->abbrevs->attrs + d->ab->first_attr;
	const uint8_t *p = d->attrs;
	bool there = false;

	/* usually, the attribute is not there */
	for (uint32_t i = 0; i < d->ab->nr_attrs && !there; i++)
		there = a[i].name == name;
	if (!there)
		return false;
	for (uint32_t i = 0; i < d->ab->nr_attrs; i++) {
		p = form__read(d->u, a[i].form, a[i].implicit, p, out);
		if (!p)
			return false;
		if (a[i].name == name)
			return true;
	}
	return false;
}

/* A string in a pool, if its end is also there. */
static const char *pool_str(const struct debug_sec *sec, uint64_t off)
{
	/* a pool ends in NUL: see elf_file.c */
	return off < sec->n ? (const char *)sec->p + off : NULL;
}

/* Word number @i of a table of @size-byte words that begins at @base. */
static bool table_word(const struct debug_sec *sec, uint64_t base, uint64_t i, unsigned int size,
		       uint64_t *out)
{
	uint64_t at;

	if (i > sec->n)		/* avoids an overflow */
		return false;
	at = base + i * size;
	if (at < base || at > sec->n || sec->n - at < size)
		return false;
	*out = read_le(sec->p + at, size);
	return true;
}

const char *attr__str(const struct unit *u, const struct attr *a)
{
	uint64_t off;

	switch (a->form) {
	case DW_FORM_string:
		return (const char *)a->p;
	case DW_FORM_strp:
		return pool_str(&u->secs->str, a->v);
	case DW_FORM_line_strp:
		return pool_str(&u->secs->line_str, a->v);
	case DW_FORM_strx: case DW_FORM_strx1: case DW_FORM_strx2: case DW_FORM_strx3:
	case DW_FORM_strx4: case DW_FORM_GNU_str_index:
		if (!table_word(&u->secs->str_offsets, u->str_offsets_base, a->v, u->off_size,
				&off))
			return NULL;
		return pool_str(&u->secs->str, off);
	default:
		return NULL;
	}
}

const char *die__str(const struct die *d, unsigned int name)
{
	struct attr a;

	return die__attr(d, name, &a) ? attr__str(d->u, &a) : NULL;
}

bool attr__is_block(const struct attr *a)
{
	switch (a->form) {
	case DW_FORM_exprloc: case DW_FORM_block: case DW_FORM_block1:
	case DW_FORM_block2: case DW_FORM_block4:
		return true;
	}
	return false;
}

bool die__uint(const struct die *d, unsigned int name, uint64_t *out)
{
	struct attr a;

	if (!die__attr(d, name, &a) || attr__is_block(&a) || a.form == DW_FORM_string ||
	    a.form == DW_FORM_data16)
		return false;
	*out = a.v;
	return true;
}

bool die__flag(const struct die *d, unsigned int name)
{
	struct attr a;

	return die__attr(d, name, &a) && a.v;
}

const uint8_t *attr__target(const struct debug_info *di, const struct unit *u,
			    const struct attr *a)
{
	(void)di;
	switch (a->form) {
	case DW_FORM_ref1: case DW_FORM_ref2: case DW_FORM_ref4: case DW_FORM_ref8:
	case DW_FORM_ref_udata:
		return a->v < (uint64_t)(u->end - u->start) ? u->start + a->v : NULL;
	case DW_FORM_ref_addr:
		return a->v < u->secs->info.n ? u->secs->info.p + a->v : NULL;
	default:
		return NULL;
	}
}

bool die__ref(const struct debug_info *di, const struct die *d, unsigned int name,
	      struct die *out)
{
	const uint8_t *p;
	struct attr a;

	if (!die__attr(d, name, &a))
		return false;
	p = attr__target(di, d->u, &a);
	if (!p)
		return false;
	if (p >= d->u->start && p < d->u->end)
		return die__at(d->u, p, out);
	return die__at_addr(di, p, out);
}

bool attr__addr(const struct unit *u, const struct attr *a, uint64_t *out)
{
	const struct unit *main = u->skeleton ? u->skeleton : u;

	switch (a->form) {
	case DW_FORM_addr:
		*out = a->v;
		return true;
	case DW_FORM_addrx: case DW_FORM_addrx1: case DW_FORM_addrx2: case DW_FORM_addrx3:
	case DW_FORM_addrx4: case DW_FORM_GNU_addr_index:
		return table_word(&main->secs->addr, main->addr_base, a->v, main->addr_size, out);
	default:
		return false;
	}
}

bool die__addr(const struct die *d, unsigned int name, uint64_t *out)
{
	struct attr a;

	return die__attr(d, name, &a) && attr__addr(d->u, &a, out);
}
