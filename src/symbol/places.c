/* SPDX-License-Identifier: GPL-2.0 */
/* What is where in the code. See places.h. */
#include "symbol/places.h"

#include <stdlib.h>

#include "base/bisect.h"

#define OVERLAPS	16		/* places with a start between an address and its own */

static int place__cmp(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->low != y->low)
		return x->low < y->low ? -1 : 1;
	if (x->high != y->high)
		return x->high > y->high ? -1 : 1;
	return x->what < y->what ? -1 : x->what > y->what;
}

void places__finish(struct places *p)
{
	if (p->nr)
		qsort(p->list, p->nr, sizeof(*p->list), place__cmp);
}

size_t places__at(const struct places *p, uint64_t vaddr)
{
	size_t i = BISECT(p->nr, k, p->list[k].low <= vaddr);

	for (unsigned int tries = OVERLAPS; i && tries; tries--)
		if (vaddr < p->list[--i].high)
			return p->list[i].what;
	return NOWHERE;
}
