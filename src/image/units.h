/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Units of debug information, with what is needed to read their entries: sections,
 * abbreviations, base offsets.
 *
 * It must not know what Rust is, nor where the sections came from.
 */
#ifndef DWELL_IMAGE_UNITS_H
#define DWELL_IMAGE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The DWARF sections of one file, uncompressed. */
struct debug_secs {
	struct debug_sec {
		const uint8_t	*p;	/* NULL: read with debug_sec__read() */
		size_t		 n;
		int		 fd;	/* the file, if it is not in memory */
		uint64_t	 off;
	} info, abbrev, str, line, line_str, str_offsets, addr, cu_index,
	  loc, loclists, ranges, rnglists;	/* these four may not be in memory */
	bool	split;		/* the .dwo form of each section */
};

struct abbrev_attr {
	uint16_t	name;
	uint16_t	form;
	int64_t		implicit;	/* DW_FORM_implicit_const */
};

/* The attributes that the index pass needs: see scan.c. */
enum scan_slot {
	SCAN_NAME, SCAN_LINKAGE, SCAN_DECLARATION, SCAN_SIZE, SCAN_LOW_PC,
	SCAN_ORIGIN, SCAN_LOCATION, SCAN_INLINE, SCAN_SLOTS
};

/* One step of the scanner through an entry's attributes. */
struct abbrev_step {
	uint8_t		slot;	/* enum scan_slot, or SCAN_SLOTS: not needed */
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
	struct unit	*skeleton;	/* of a split unit: its unit in the main file */
	uint64_t	 dwo_id;	/* 0: none */
	const char	*dwo_name;
	const char	*comp_dir;
	const char	*producer;
	uint64_t	 abbrev_off;
	uint64_t	 str_offsets_base, addr_base;
	uint64_t	 loc_base, rnglists_base;	/* of a split unit's lists */
	uint64_t	 gnu_ranges_base;		/* of a skeleton's */
	uint16_t	 lang;
	uint8_t		 version, addr_size, off_size, type;
};

/* All units that the model is made from, of the main file and of split DWARF. */
struct debug_info {
	struct unit	**units;	/* sorted by start */
	size_t		 nr_units, cap_units;
	struct abbrev_table **tables;
	size_t		 nr_tables, cap_tables;
	uint64_t	 steps;		/* entries visited by the explorer, which is limited */
	int		 err;		/* -ENOMEM, from functions that can only return "no" */
};

/*
 * Copy @n bytes at @off of a section that may not be in memory: some sections are
 * large, and little of them is needed. False: the section is shorter, or cannot be
 * read.
 */
bool debug_sec__read(const struct debug_sec *s, uint64_t off, void *to, size_t n);

/* Add the units of @secs. Truncated units end the list and set *@torn. 0 or -ENOMEM. */
int debug_info__add(struct debug_info *di, const struct debug_secs *secs, bool *torn);
void debug_info__sort(struct debug_info *di);
void debug_info__free(struct debug_info *di);
/* The unit that contains @p, NULL: none. The units must be sorted. */
const struct unit *debug_info__unit_at(const struct debug_info *di, const uint8_t *p);

/* NULL: there is none. */
const struct abbrev *abbrev__find(const struct abbrev_table *t, uint64_t code);

#endif /* DWELL_IMAGE_UNITS_H */
