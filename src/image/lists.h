/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the code of an entry lies, and where a variable is at a given address: the
 * lists of ranges and of locations in debug information.
 *
 * It must not know what the entries are for.
 */
#ifndef DWELL_IMAGE_LISTS_H
#define DWELL_IMAGE_LISTS_H

#include "image/die.h"

#define LIST_MAX	16384	/* bytes of a list that are read: some hundred ranges */

/* A list while it is read. */
struct die_list {
	const struct unit	*u;
	const uint8_t		*p, *end;
	uint64_t		 base;
	/* a list of locations: each range has an expression */
	bool			 locations;
	uint8_t			 bytes[LIST_MAX];
};

struct die_range {
	uint64_t	 start, end;
	const uint8_t	*expr;		/* of a location; valid as long as the list */
	uint64_t	 expr_len;
};

/* Open the list that attribute @name of @d refers to. False: there is none. */
bool lists__open(const struct die *d, unsigned int name, bool locations, struct die_list *l);
bool lists__next(struct die_list *l, struct die_range *r);

/* The first range of the code of @d. */
bool lists__first_range(const struct die *d, struct die_range *out);
/* The ranges of the code of @d; returns their number, at most @max. */
size_t lists__ranges(const struct die *d, struct die_range *out, size_t max);
/*
 * Where variable @d is at @pc: *@out has the expression. @l is a buffer that must stay
 * valid.
 */
bool lists__location(const struct die *d, uint64_t pc, struct die_list *l,
		     struct die_range *out);

#endif /* DWELL_IMAGE_LISTS_H */
