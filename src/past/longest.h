/* SPDX-License-Identifier: GPL-2.0 */
/* The longest of many episodes: a heap of a fixed size, the shortest at its root. */
#ifndef DWELL_PAST_LONGEST_H
#define DWELL_PAST_LONGEST_H

#include <stddef.h>
#include <stdint.h>

#include "join/episodes.h"

struct longest {
	struct episode	*list;
	size_t		 nr, cap, max;
	uint64_t	 seen;		/* episodes in all, kept or not */
};

/* A copy of @e in *@out, with parts of its own. 0 or -ENOMEM. */
int episode__copy(struct episode *out, const struct episode *e);
/* @max: how many are kept. */
void longest__init(struct longest *l, size_t max);
/* Of equally long ones the earlier is kept. 0 or -ENOMEM. */
int longest__add(struct longest *l, const struct episode *e);
/* Sort the list, the longest first; nothing may be added any more. */
void longest__sort(struct longest *l);
/* The same by time. */
void longest__sort_by_time(struct longest *l);
void longest__clear(struct longest *l);

#endif /* DWELL_PAST_LONGEST_H */
