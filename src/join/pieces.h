/* SPDX-License-Identifier: GPL-2.0 */
/* A growing array of pieces of time. */
#ifndef DWELL_JOIN_PIECES_H
#define DWELL_JOIN_PIECES_H

#include <errno.h>
#include <stdlib.h>

#include "join/sink.h"

struct pieces {
	struct piece	*list;
	uint32_t	 nr, size;
};

/* 0 or -ENOMEM. */
static inline int pieces__add(struct pieces *p, const struct piece *piece)
{
	if (p->nr == p->size) {
		uint32_t size = p->size ? p->size * 2 : 8;
		struct piece *list = reallocarray(p->list, size, sizeof(*list));

		if (!list)
			return -ENOMEM;
		p->list = list;
		p->size = size;
	}
	p->list[p->nr++] = *piece;
	return 0;
}

#endif /* DWELL_JOIN_PIECES_H */
