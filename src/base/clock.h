/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The time of a clock as one number. Only CLOCK_MONOTONIC, which bpf_ktime_get_ns()
 * reads, can be compared with the times of recorded events.
 */
#ifndef DWELL_BASE_CLOCK_H
#define DWELL_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* The time in ns. @clock must exist on every Linux (see clock_gettime(2)). */
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
