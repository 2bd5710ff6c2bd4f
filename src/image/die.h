/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Debugging information entries, read in place.
 *
 * A reader of .debug_info that trusts nothing: every step is checked against
 * the end of its unit, references against the section, strings against their
 * pool. It is a reader of its own, and not libdw's, for two reasons: the index
 * pass has to run over hundreds of megabytes in several threads at once, and a
 * pointer to an entry is all the identity that the model needs. Sections come
 * from elf_file.c, uncompressed; names of source files are read in lines.c.
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
	const uint8_t		*p;	/* identity */
	const uint8_t		*attrs;
	const struct abbrev	*ab;
};

struct attr {
	const uint8_t	*p;		/* block's bytes, or inline string */
	uint64_t	 v;		/* constant, offset, index or length of block */
	uint16_t	 form;
};

/* The entry at @p, false at a null entry, the unit's end or nonsense. */
bool die__at(const struct unit *u, const uint8_t *p, struct die *out);
bool die__at_addr(const struct debug_info *di, const uint8_t *p, struct die *out);
bool die__root(const struct unit *u, struct die *out);
bool die__child(const struct die *d, struct die *out);
/* The next sibling; whole subtrees are stepped over. */
bool die__next(struct debug_info *di, const struct die *d, struct die *out);
/* The entry after @d in the order of the section, whatever its depth. NULL: end. */
const uint8_t *die__end_of_attrs(const struct die *d);

bool die__attr(const struct die *d, unsigned int name, struct attr *out);
const char *die__str(const struct die *d, unsigned int name);
bool die__uint(const struct die *d, unsigned int name, uint64_t *out);
bool die__flag(const struct die *d, unsigned int name);
bool die__ref(const struct debug_info *di, const struct die *d, unsigned int name,
	      struct die *out);
bool die__addr(const struct die *d, unsigned int name, uint64_t *out);

/* Bytes of a fixed-size form, -1 for the others. */
int form__size(unsigned int form, unsigned int addr_size, unsigned int off_size,
	       unsigned int version);
/* Read one attribute value; NULL if it does not fit. */
const uint8_t *form__read(const struct unit *u, unsigned int form, int64_t implicit,
			  const uint8_t *p, struct attr *out);
const char *attr__str(const struct unit *u, const struct attr *a);
const uint8_t *attr__target(const struct debug_info *di, const struct unit *u,
			    const struct attr *a);
bool attr__addr(const struct unit *u, const struct attr *a, uint64_t *out);
/* Are there @a->v bytes of a block or an expression at @a->p? */
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
