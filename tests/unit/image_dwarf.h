/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Debugging information made by hand, for tests of what reads it. Sections are
 * exactly as large as what they hold, so that the sanitizer sees a byte too far.
 */
#ifndef DWELL_TEST_IMAGE_DWARF_H
#define DWELL_TEST_IMAGE_DWARF_H

#include <dwarf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/scan.h"
#include "image/types.h"

/* ---- writing -------------------------------------------------------------- */

struct buf {
	uint8_t	*p;
	size_t	 n, cap;
};

static inline void put_bytes(struct buf *b, const void *data, size_t n)
{
	if (b->n + n > b->cap) {
		b->cap = 2 * (b->n + n);
		b->p = realloc(b->p, b->cap);
		assert_non_null(b->p);
	}
	if (n)
		memcpy(b->p + b->n, data, n);
	b->n += n;
}

static inline void put(struct buf *b, uint64_t v, size_t n)
{
	uint8_t zeros[16] = { 0 };

	put_bytes(b, &v, n < 8 ? n : 8);
	if (n > 8)
		put_bytes(b, zeros, n - 8);
}

static inline void uleb(struct buf *b, uint64_t v)
{
	do {
		put(b, (v & 0x7f) | (v > 0x7f ? 0x80 : 0), 1);
		v >>= 7;
	} while (v);
}

static inline void sleb(struct buf *b, int64_t v)
{
	for (;;) {
		uint8_t low = v & 0x7f;

		v >>= 7;
		if ((!v && !(low & 0x40)) || (v == -1 && (low & 0x40))) {
			put(b, low, 1);
			return;
		}
		put(b, low | 0x80, 1);
	}
}

static inline void text(struct buf *b, const char *s)
{
	put_bytes(b, s, strlen(s) + 1);
}

/* In a list of ranges or locations: two addresses. */
static inline void list_pair(struct buf *b, uint64_t start, uint64_t end, unsigned int size)
{
	put(b, start, size);
	put(b, end, size);
}

/*
 * In a list of locations: an expression of one operator and @n more bytes, behind the length as
 * DWARF 4 or 5 has it.
 */
static inline void list_expression(struct buf *b, unsigned int version, uint8_t op, size_t n)
{
	if (version < 5)
		put(b, n + 1, 2);
	else
		uleb(b, n + 1);
	put(b, op, 1);
	for (size_t i = 0; i < n; i++)
		put(b, 0xee, 1);
}

/* ---- a file --------------------------------------------------------------- */

struct file {
	struct buf		info, abbrev, str, line_str, str_offsets, addr, line,
				loc, loclists, ranges, rnglists;
	size_t			unit;		/* where the last one begins */
	bool			wide;		/* it is of 64-bit DWARF */
	struct debug_secs	secs;
	struct debug_info	di;
	struct scan		sc;
	struct types		ts;
	bool			torn;		/* units, or entries */
};

static inline struct debug_sec tight(const struct buf *b, size_t n)
{
	struct debug_sec sec = { .p = malloc(n ? n : 1), .n = n };

	assert_non_null(sec.p);
	if (n)
		memcpy((void *)(uintptr_t)sec.p, b->p, n);
	return sec;
}

static inline void forget(struct file *f)
{
	struct debug_sec *secs[] = { &f->secs.info, &f->secs.abbrev, &f->secs.str,
				     &f->secs.line_str, &f->secs.str_offsets, &f->secs.addr,
				     &f->secs.line, &f->secs.loc, &f->secs.loclists,
				     &f->secs.ranges, &f->secs.rnglists };

	scan__free(&f->sc);
	debug_info__free(&f->di);
	for (size_t i = 0; i < sizeof(secs) / sizeof(*secs); i++)
		free((void *)(uintptr_t)secs[i]->p);
	memset(&f->secs, 0, sizeof(f->secs));
}

/* Read it as far as @info bytes of entries and @abbrev of abbreviations. */
static inline void load_part(struct file *f, size_t info, size_t abbrev)
{
	static const char *const wanted[] = { "poll", NULL };
	bool split = f->secs.split;

	forget(f);
	if (!f->str.n)
		text(&f->str, "");
	f->secs.split = split;
	f->secs.info = tight(&f->info, info);
	f->secs.abbrev = tight(&f->abbrev, abbrev);
	f->secs.str = tight(&f->str, f->str.n);
	f->secs.line_str = tight(&f->line_str, f->line_str.n);
	f->secs.str_offsets = tight(&f->str_offsets, f->str_offsets.n);
	f->secs.addr = tight(&f->addr, f->addr.n);
	f->secs.line = tight(&f->line, f->line.n);
	f->secs.loc = tight(&f->loc, f->loc.n);
	f->secs.loclists = tight(&f->loclists, f->loclists.n);
	f->secs.ranges = tight(&f->ranges, f->ranges.n);
	f->secs.rnglists = tight(&f->rnglists, f->rnglists.n);
	assert_int_equal(debug_info__add(&f->di, &f->secs, &f->torn), 0);
	debug_info__sort(&f->di);
	assert_int_equal(scan__run(&f->sc, &f->di, wanted, 1, NULL, NULL), 0);
	f->torn |= f->sc.torn;
	f->ts = (struct types){ .di = &f->di, .sc = &f->sc };
}

static inline void load(struct file *f)
{
	load_part(f, f->info.n, f->abbrev.n);
}

static inline void drop(struct file *f)
{
	forget(f);
	free(f->info.p);
	free(f->abbrev.p);
	free(f->str.p);
	free(f->line_str.p);
	free(f->str_offsets.p);
	free(f->addr.p);
	free(f->line.p);
	free(f->loc.p);
	free(f->loclists.p);
	free(f->ranges.p);
	free(f->rnglists.p);
	memset(f, 0, sizeof(*f));
}

static inline void begin_unit(struct file *f, unsigned int version, bool wide,
			      unsigned int addr_size, unsigned int type, uint64_t abbrev_off)
{
	struct buf *b = &f->info;

	f->unit = b->n;
	f->wide = wide;
	put(b, wide ? 0xffffffff : 0, 4);
	if (wide)
		put(b, 0, 8);
	put(b, version, 2);
	if (version >= 5) {
		put(b, type, 1);
		put(b, addr_size, 1);
	}
	put(b, abbrev_off, wide ? 8 : 4);
	if (version < 5) {
		put(b, addr_size, 1);
	} else if (type == DW_UT_skeleton || type == DW_UT_split_compile) {
		put(b, 0x1122334455667788, 8);
	} else if (type == DW_UT_type || type == DW_UT_split_type) {
		put(b, 0x1122334455667788, 8);
		put(b, 0, wide ? 8 : 4);
	}
}

static inline void end_unit(struct file *f)
{
	size_t len = f->info.n - f->unit - (f->wide ? 12 : 4);

	memcpy(f->info.p + f->unit + (f->wide ? 4 : 0), &len, f->wide ? 8 : 4);
}

/* An abbreviation: name and form in turn, ended by 0. */
static inline void abbrev(struct file *f, uint64_t code, unsigned int tag, bool children, ...)
{
	va_list ap;
	unsigned int name;

	uleb(&f->abbrev, code);
	uleb(&f->abbrev, tag);
	put(&f->abbrev, children, 1);
	va_start(ap, children);
	while ((name = va_arg(ap, unsigned int))) {
		uleb(&f->abbrev, name);
		uleb(&f->abbrev, va_arg(ap, unsigned int));
	}
	va_end(ap);
	put(&f->abbrev, 0, 2);
}

static inline const struct scan_type *type_called(const struct file *f, const char *path)
{
	return scan__type_by_path(&f->sc, path, strlen(path));
}

static inline bool die_of(const struct file *f, const char *path, struct die *out)
{
	const struct scan_type *t = type_called(f, path);

	return t && die__at_addr(&f->di, t->die, out);
}

/* ---- abbreviations that most tests use ------------------------------------ */

enum usual { A_UNIT = 1, A_SPACE, A_STRUCT, A_LEAF, A_MEMBER, A_POINTER, A_TYPEDEF, A_DECL, A_PART,
       A_VARIANT, A_FN, A_PARAM };

static inline void usual_abbrevs(struct file *f)
{
	abbrev(f, A_UNIT, DW_TAG_compile_unit, true, DW_AT_name, DW_FORM_string, 0);
	abbrev(f, A_SPACE, DW_TAG_namespace, true, DW_AT_name, DW_FORM_string, 0);
	abbrev(f, A_STRUCT, DW_TAG_structure_type, true, DW_AT_name, DW_FORM_string,
	       DW_AT_byte_size, DW_FORM_udata, 0);
	abbrev(f, A_LEAF, DW_TAG_structure_type, false, DW_AT_name, DW_FORM_string,
	       DW_AT_byte_size, DW_FORM_udata, 0);
	abbrev(f, A_MEMBER, DW_TAG_member, false, DW_AT_name, DW_FORM_string, DW_AT_type,
	       DW_FORM_ref4, DW_AT_data_member_location, DW_FORM_udata, 0);
	abbrev(f, A_POINTER, DW_TAG_pointer_type, false, DW_AT_type, DW_FORM_ref4, DW_AT_name,
	       DW_FORM_string, 0);
	abbrev(f, A_TYPEDEF, DW_TAG_typedef, false, DW_AT_type, DW_FORM_ref4, 0);
	abbrev(f, A_DECL, DW_TAG_structure_type, false, DW_AT_name, DW_FORM_string,
	       DW_AT_declaration, DW_FORM_flag_present, 0);
	abbrev(f, A_PART, DW_TAG_variant_part, true, DW_AT_discr, DW_FORM_ref4, 0);
	abbrev(f, A_VARIANT, DW_TAG_variant, true, DW_AT_discr_value, DW_FORM_data1, 0);
	abbrev(f, A_FN, DW_TAG_subprogram, true, DW_AT_name, DW_FORM_string, DW_AT_low_pc,
	       DW_FORM_addr, 0);
	abbrev(f, A_PARAM, DW_TAG_formal_parameter, false, DW_AT_type, DW_FORM_ref4, 0);
	put(&f->abbrev, 0, 1);
}

static inline void begin(struct file *f)
{
	memset(f, 0, sizeof(*f));
	usual_abbrevs(f);
	begin_unit(f, 4, false, 8, 0, 0);
	uleb(&f->info, A_UNIT);
	text(&f->info, "unit");
}

static inline void end(struct file *f)
{
	put(&f->info, 0, 1);
	end_unit(f);
	load(f);
}

/* An offset as DW_FORM_ref4 has it. */
static inline uint32_t here(const struct file *f)
{
	return (uint32_t)(f->info.n - f->unit);
}

static inline void named(struct file *f, unsigned int code, const char *name, uint64_t size)
{
	uleb(&f->info, code);
	text(&f->info, name);
	if (code == A_STRUCT || code == A_LEAF)
		uleb(&f->info, size);
}

static inline void member(struct file *f, const char *name, uint32_t type, uint64_t off)
{
	uleb(&f->info, A_MEMBER);
	text(&f->info, name);
	put(&f->info, type, 4);
	uleb(&f->info, off);
}

static inline void pointer(struct file *f, uint32_t to, const char *name)
{
	uleb(&f->info, A_POINTER);
	put(&f->info, to, 4);
	text(&f->info, name);
}

static inline void type_def(struct file *f, uint32_t to)
{
	uleb(&f->info, A_TYPEDEF);
	put(&f->info, to, 4);
}

static inline void close_level(struct file *f)
{
	put(&f->info, 0, 1);
}

static inline void patch4(struct file *f, size_t at, uint32_t v)
{
	memcpy(f->info.p + f->unit + at, &v, 4);
}

#endif /* DWELL_TEST_IMAGE_DWARF_H */
