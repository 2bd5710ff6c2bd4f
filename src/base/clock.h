/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A clock's time as one number. All that is compared with a recorded event is of
 * CLOCK_MONOTONIC, which is what bpf_ktime_get_ns() reads.
 */
#ifndef DWELL_BASE_CLOCK_H
#define DWELL_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds of @clock, which must be one that every Linux has (see clock_gettime(2)). */
static inline uint64_t clock__ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static inline uint64_t clock__now(void)
{
	return clock__ns(CLOCK_MONOTONIC);
}

#endif /* DWELL_BASE_CLOCK_H */
