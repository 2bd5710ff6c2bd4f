/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bisection of a sorted array.
 *
 *	i = BISECT(nr, k, list[k].addr < addr);		the first that is not below addr
 *	if (i < nr && list[i].addr == addr)
 *		…
 *	i = BISECT(nr, k, list[k].from <= addr);	the element before i is the last
 *	if (i && addr < list[i - 1].end)		that begins at or below addr
 *		…
 */
#ifndef DWELL_BASE_BISECT_H
#define DWELL_BASE_BISECT_H

#include <stddef.h>

/*
 * The first number from 0 on for which @before, an expression in @k, is false; @nr if
 * it is true for all below @nr. @before must be true up to some number and false from
 * there on. Must not be nested with the same @k.
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
