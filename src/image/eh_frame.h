/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where functions begin and end, by the table that the program itself unwinds
 * with (.eh_frame). Compilers write it for every function of x86-64, it is loaded
 * with the program, and strip leaves it alone.
 *
 * It must not know of DWARF entries, nor what a function is for.
 */
#ifndef DWELL_IMAGE_EH_FRAME_H
#define DWELL_IMAGE_EH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/binary.h"

/* The code of one function, or a part of one that was split off. */
struct eh_range {
	uint64_t	start, end;	/* link-time addresses */
};

struct eh_frame {
	struct eh_range	*ranges;	/* by start, apart; none is empty */
	size_t		 nr;
};

/*
 * Read the table of @b; what does not parse is left out. 0, also if there is
 * no table, or -ENOMEM. Free with eh_frame__free().
 */
int eh_frame__load(struct eh_frame *t, const struct binary *b);
void eh_frame__free(struct eh_frame *t);

/* The range that holds @vaddr; NULL if there is none. */
const struct eh_range *eh_frame__find(const struct eh_frame *t, uint64_t vaddr);

#endif /* DWELL_IMAGE_EH_FRAME_H */
