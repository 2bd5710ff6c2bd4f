/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Debug information entries, read in place.
 *
 * The reader trusts nothing in .debug_info: every step is checked against the end of
 * the unit, references against the section, strings against their pool. It is not
 * libdw's, for two reasons: the index pass has to go through hundreds of megabytes in
 * several threads at once, and the model needs no identity of an entry but a pointer to
 * it. Sections come from elf_file.c, uncompressed; names of source files are read in
 * lines.c.
 *
 * It must not know what Rust is.
 */
#ifndef DWELL_IMAGE_DIE_H
#define DWELL_IMAGE_DIE_H

#include <dwarf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/units.h"

struct die {
	const struct unit	*u;
	const uint8_t		*p;	/* the entry's address is its identity */
	const uint8_t		*attrs;
	const struct abbrev	*ab;
};

struct attr {
	const uint8_t	*p;		/* bytes of a block, or of an inline string */
	uint64_t	 v;		/* constant, offset, index, or length of the block */
	uint16_t	 form;
};

/* Read the entry at @p; false: a null entry, the end of the unit, or malformed. */
bool die__at(const struct unit *u, const uint8_t *p, struct die *out);
bool die__at_addr(const struct debug_info *di, const uint8_t *p, struct die *out);
bool die__root(const struct unit *u, struct die *out);
bool die__child(const struct die *d, struct die *out);
/* The next sibling: the children of @d are skipped. */
bool die__next(struct debug_info *di, const struct die *d, struct die *out);
/* The next entry in the section, at whatever depth. NULL: the end. */
const uint8_t *die__end_of_attrs(const struct die *d);

bool die__attr(const struct die *d, unsigned int name, struct attr *out);
const char *die__str(const struct die *d, unsigned int name);
bool die__uint(const struct die *d, unsigned int name, uint64_t *out);
bool die__flag(const struct die *d, unsigned int name);
bool die__ref(const struct debug_info *di, const struct die *d, unsigned int name,
	      struct die *out);
bool die__addr(const struct die *d, unsigned int name, uint64_t *out);

/* The size of a fixed-size form; -1 for other forms. */
int form__size(unsigned int form, unsigned int addr_size, unsigned int off_size,
	       unsigned int version);
/* Read one attribute value; NULL: it does not fit. */
const uint8_t *form__read(const struct unit *u, unsigned int form, int64_t implicit,
			  const uint8_t *p, struct attr *out);
const char *attr__str(const struct unit *u, const struct attr *a);
const uint8_t *attr__target(const struct debug_info *di, const struct unit *u,
			    const struct attr *a);
bool attr__addr(const struct unit *u, const struct attr *a, uint64_t *out);
/* Is the value a block or an expression, whose @a->v bytes at @a->p all exist? */
bool attr__is_block(const struct attr *a);

static inline bool read_uleb(const uint8_t **pp, const uint8_t *end, uint64_t *out)
{
	const uint8_t *p = *pp;
	uint64_t v = 0;
	unsigned int shift = 0;

	while (p < end) {
		uint8_t b = *p++;

		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		shift += 7;
		if (!(b & 0x80)) {
			*pp = p;
			*out = v;
			return true;
		}
	}
	return false;
}

static inline bool read_sleb(const uint8_t **pp, const uint8_t *end, int64_t *out)
{
	const uint8_t *p = *pp;
	uint64_t v = 0;
	unsigned int shift = 0;

	while (p < end) {
		uint8_t b = *p++;

		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		shift += 7;
		if (!(b & 0x80)) {
			if (shift < 64 && (b & 0x40))
				v |= ~0ull << shift;
			*pp = p;
			*out = (int64_t)v;
			return true;
		}
	}
	return false;
}

static inline uint64_t read_le(const uint8_t *p, unsigned int n)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < n && i < 8; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

#endif /* DWELL_IMAGE_DIE_H */
