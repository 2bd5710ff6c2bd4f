/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counts of tasks by kind: how they ended, and how many were seen only from their first
 * poll on.
 */
#ifndef DWELL_JOIN_KINDS_H
#define DWELL_JOIN_KINDS_H

#include <stdint.h>

#include "join/map.h"

enum task_end {
	END_COMPLETED,
	END_CANCELLED,		/* dropped before it completed */
	END_UNSEEN,		/* ended; not known whether it completed */
	END_ALIVE,		/* alive when the recording ended */
	END_NR
};

struct job_times;

struct kind {
	uint64_t	id;			/* or UNKNOWN_KIND */
	uint64_t	ends[END_NR];
	uint64_t	unseen_spawns;		/* life counted from the first poll */
	struct job_times *job;			/* of a blocking job: see job_kinds.h; or NULL */
};

/* The entry of kind @id, created on first use. NULL: no memory. */
struct kind *kinds__get(struct map *kinds, uint32_t id);
void kinds__clear(struct map *kinds);

#endif /* DWELL_JOIN_KINDS_H */
