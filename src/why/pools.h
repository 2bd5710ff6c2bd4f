/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pools of threads for blocking jobs, none of whose threads is free.
 *
 * It must not know how threads that sleep are found.
 */
#ifndef DWELL_WHY_POOLS_H
#define DWELL_WHY_POOLS_H

#include "why/sleepers.h"

/* Was a pool full in each picture, with jobs in its queue? */
bool pools__full(const struct why *y);

/*
 * Tell of the blocking jobs that sleep: if no thread is left for those in the queue; else of each
 * that waits for a disk, for DNS and the like while tasks join it.
 */
void pools__tell(struct why *y, const struct sleeper *jobs, size_t nr);

#endif /* DWELL_WHY_POOLS_H */
