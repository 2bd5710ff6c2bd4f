/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sums of what a file says, which may be anything: a sum that has reached the
 * largest number stays there, since one that began again at 0 would be a lie.
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

/* As large as it gets: it may stand for more. */
static inline bool sum__is_full(uint64_t sum)
{
	return sum == UINT64_MAX;
}

#endif /* DWELL_BASE_SUM_H */
