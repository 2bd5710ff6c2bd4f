/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the code of an entry lies, and where a variable is at a place of the code:
 * the lists of ranges and of locations of debug information.
 *
 * It must not know what the entries are for.
 */
#ifndef DWELL_IMAGE_LISTS_H
#define DWELL_IMAGE_LISTS_H

#include "image/die.h"

#define LIST_MAX	16384	/* bytes of one list that are read: some hundred ranges */

/* A list that is being read. */
struct die_list {
	const struct unit	*u;
	const uint8_t		*p, *end;
	uint64_t		 base;
	bool			 locations;	/* each range has an expression */
	uint8_t			 bytes[LIST_MAX];
};

struct die_range {
	uint64_t	 start, end;
	const uint8_t	*expr;		/* of a location; valid as long as its list */
	uint64_t	 expr_len;
};

/* The list that attribute @name of @d stands for; false also if it is none. */
bool lists__open(const struct die *d, unsigned int name, bool locations, struct die_list *l);
bool lists__next(struct die_list *l, struct die_range *r);

/* The first range of the code of @d. */
bool lists__first_range(const struct die *d, struct die_range *out);
/* All of them; their number, at most @max. */
size_t lists__ranges(const struct die *d, struct die_range *out, size_t max);
/* Where the variable @d is at @pc: *@out has the expression. @l is room for the list. */
bool lists__location(const struct die *d, uint64_t pc, struct die_list *l,
		     struct die_range *out);

#endif /* DWELL_IMAGE_LISTS_H */
