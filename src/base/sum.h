/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sums of numbers from a file, which may be arbitrary: a sum saturates at the largest
 * number, because one that wrapped around would be wrong without a sign of it.
 */
#ifndef DWELL_BASE_SUM_H
#define DWELL_BASE_SUM_H

#include <stdbool.h>
#include <stdint.h>

static inline void sum__add(uint64_t *sum, uint64_t n)
{
	if (__builtin_add_overflow(*sum, n, sum))
		*sum = UINT64_MAX;
}

/* Has the sum saturated? Then the true value may be larger. */
static inline bool sum__is_full(uint64_t sum)
{
	return sum == UINT64_MAX;
}

#endif /* DWELL_BASE_SUM_H */
