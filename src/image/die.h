/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Debugging information entries, read in place.
 *
 * A reader of .debug_info that trusts nothing: every step is checked against
 * the end of its unit, references against the section, strings against their
 * pool. It is a reader of its own, and not libdw's, for two reasons: the index
 * pass has to run over hundreds of megabytes in several threads at once, and a
 * pointer to an entry is all the identity that the model needs. Sections come
 * from libelf, uncompressed; source lines are left to libdw (see lines.c).
 *
 * It must not know what Rust is.
 */
#ifndef DWELL_IMAGE_DIE_H
#define DWELL_IMAGE_DIE_H

#include <dwarf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The DWARF sections of one file, uncompressed. */
struct debug_secs {
	struct debug_sec {
		const uint8_t	*p;
		size_t		 n;
	} info, abbrev, str, line, line_str, str_offsets, addr, ranges, rnglists, cu_index;
	bool	split;		/* the .dwo flavour of each */
};

struct abbrev_attr {
	uint16_t	name;
	uint16_t	form;
	int64_t		implicit;	/* DW_FORM_implicit_const */
};

/* What the index pass wants of an entry: see scan.c. */
enum scan_slot {
	SCAN_NAME, SCAN_LINKAGE, SCAN_DECLARATION, SCAN_SIZE, SCAN_LOW_PC,
	SCAN_ORIGIN, SCAN_LOCATION, SCAN_INLINE, SCAN_SLOTS
};

/* One step of the scanner over an entry's attributes. */
struct abbrev_step {
	uint8_t		slot;	/* enum scan_slot, or SCAN_SLOTS: nobody wants it */
	uint16_t	form;	/* 0: skip @skip bytes */
	uint32_t	skip;
	int64_t		implicit;
};

struct abbrev {
	uint64_t	code;
	uint16_t	tag;
	bool		children;
	uint32_t	nr_attrs;
	uint32_t	first_attr;
	uint32_t	nr_steps;
	uint32_t	first_step;
};

struct abbrev_table {
	const struct debug_secs	*secs;
	uint64_t	 off;
	uint8_t		 addr_size, off_size, version;
	struct abbrev	*abbrevs;	/* sorted by code; dense: abbrevs[code - 1] */
	size_t		 nr_abbrevs;
	bool		 dense;
	struct abbrev_attr *attrs;
	struct abbrev_step *steps;
};

struct unit {
	const struct debug_secs	*secs;
	const uint8_t	*start;		/* of the header */
	const uint8_t	*die;		/* the first entry */
	const uint8_t	*end;
	const struct abbrev_table *abbrevs;
	struct unit	*skeleton;	/* of a split unit: the one in the main file */
	uint64_t	 dwo_id;	/* 0: none */
	const char	*dwo_name;
	const char	*comp_dir;
	const char	*producer;
	uint64_t	 abbrev_off;
	uint64_t	 str_offsets_base, addr_base;
	uint16_t	 lang;
	uint8_t		 version, addr_size, off_size, type;
};

/* All units that the model reads, of the main file and of split ones. */
struct debug_info {
	struct unit	**units;	/* sorted by start */
	size_t		 nr_units, cap_units;
	struct abbrev_table **tables;
	size_t		 nr_tables, cap_tables;
	uint64_t	 steps;		/* entries visited by the explorer: a budget */
};

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

/* Add the units of @secs. Torn units end the list and set *@torn; 0 or -ENOMEM. */
int debug_info__add(struct debug_info *di, const struct debug_secs *secs, bool *torn);
void debug_info__sort(struct debug_info *di);
void debug_info__free(struct debug_info *di);
const struct unit *debug_info__unit_at(const struct debug_info *di, const uint8_t *p);

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

/* Read one attribute value; NULL if it does not fit. */
const uint8_t *form__read(const struct unit *u, unsigned int form, int64_t implicit,
			  const uint8_t *p, struct attr *out);
const char *attr__str(const struct unit *u, const struct attr *a);
const uint8_t *attr__target(const struct debug_info *di, const struct unit *u,
			    const struct attr *a);
bool attr__addr(const struct unit *u, const struct attr *a, uint64_t *out);
/* Are there @a->v bytes of a block or an expression at @a->p? */
bool attr__is_block(const struct attr *a);
const struct abbrev *abbrev__find(const struct abbrev_table *t, uint64_t code);

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
