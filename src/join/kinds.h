/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What became of the tasks, by their kind: how many there were, and how they ended.
 */
#ifndef DWELL_JOIN_KINDS_H
#define DWELL_JOIN_KINDS_H

#include <stdint.h>

#include "join/map.h"

enum task_end {
	END_COMPLETED,
	END_CANCELLED,		/* dropped before it was done */
	END_UNSEEN,		/* over, whether it was done is not known */
	END_ALIVE,		/* not over at the end of the recording */
	END_NR
};

struct kind {
	uint64_t	id;			/* or UNKNOWN_KIND */
	uint64_t	ends[END_NR];
	uint64_t	unseen_spawns;		/* life is counted from the first poll */
};

/* Of kind @id; made when it is first asked for. NULL: no memory. */
struct kind *kinds__get(struct map *kinds, uint32_t id);
void kinds__clear(struct map *kinds);

#endif /* DWELL_JOIN_KINDS_H */
