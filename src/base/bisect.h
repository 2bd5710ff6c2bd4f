/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bisection of a sorted array: the one loop that everybody writes, once.
 *
 *	i = BISECT(nr, k, list[k].addr < addr);		the first that is not below addr
 *	if (i < nr && list[i].addr == addr)
 *		…
 *	i = BISECT(nr, k, list[k].from <= addr);	the last that begins at or below
 *	if (i && addr < list[i - 1].end)		addr is the one before
 *		…
 */
#ifndef DWELL_BASE_BISECT_H
#define DWELL_BASE_BISECT_H

#include <stddef.h>

/*
 * The first of @nr numbers from 0 on for which @before, an expression in @k, is
 * false; @nr if it is true for all. It must be true up to a number and false from
 * there on. Not to be nested with the same @k.
 */
#define BISECT(nr, k, before)							\
	({									\
		size_t bisect_lo = 0, bisect_hi = (nr);				\
										\
		while (bisect_lo < bisect_hi) {					\
			size_t k = bisect_lo + (bisect_hi - bisect_lo) / 2;	\
										\
			if (before)						\
				bisect_lo = k + 1;				\
			else							\
				bisect_hi = k;					\
		}								\
		bisect_lo;							\
	})

#endif /* DWELL_BASE_BISECT_H */
