/* SPDX-License-Identifier: GPL-2.0 */
/* What is where in the code: ranges of addresses. Private to src/symbol. */
#ifndef DWELL_SYMBOL_PLACES_H
#define DWELL_SYMBOL_PLACES_H

#include <stddef.h>
#include <stdint.h>

/* Code in [low, high), and what is there: an index. */
struct place {
	uint64_t	low, high;
	size_t		what;
};

struct places {
	struct place	*list;		/* see places__finish() */
	size_t		 nr, cap;
};

#define NOWHERE	SIZE_MAX

/* Sort them: of those with one start the shortest is last, and is found first. */
void places__finish(struct places *p);
/* What is at @vaddr, or NOWHERE. */
size_t places__at(const struct places *p, uint64_t vaddr);

#endif /* DWELL_SYMBOL_PLACES_H */
