/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where functions begin and end, from the table that the program unwinds with
 * (.eh_frame). Compilers write it for every function on x86-64, it is loaded with the
 * program, and strip keeps it.
 *
 * It must not know DWARF entries, nor what a function is for.
 */
#ifndef DWELL_IMAGE_EH_FRAME_H
#define DWELL_IMAGE_EH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/binary.h"

/* The code of a function, or of a part that the compiler has split off. */
struct eh_range {
	uint64_t	start, end;	/* link-time addresses */
};

struct eh_frame {
	struct eh_range	*ranges;	/* sorted by start, not overlapping, not empty */
	size_t		 nr;
};

/*
 * Read the table of @b; malformed records are left out. 0, even if there is no table,
 * or -ENOMEM. Free it with eh_frame__free().
 */
int eh_frame__load(struct eh_frame *t, const struct binary *b);
void eh_frame__free(struct eh_frame *t);

/* The range that contains @vaddr; NULL: none. */
const struct eh_range *eh_frame__find(const struct eh_frame *t, uint64_t vaddr);

#endif /* DWELL_IMAGE_EH_FRAME_H */
