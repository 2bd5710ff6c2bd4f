/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stacks of two recordings side by side: for folded stacks with two weights and for the
 * picture of a difference. Frames are the same if their names are, but for the numbers of lines
 * and the ports of addresses, below frames that are the same. Where one has several that differ
 * in lines only, these are the same in order; if one side has more of them, by how far they have
 * moved: see align.h. An address whose port differs is the same if it is the only one.
 */
#ifndef DWELL_DIFF_STACKS_H
#define DWELL_DIFF_STACKS_H

#include <stddef.h>
#include <stdint.h>

#include "diff/match.h"
#include "join/join.h"

/*
 * A stack, with the frames that it has after. One that is gone has them as far as they are
 * there after, then those of before; where a frame after that is not the same has this name,
 * ", before" is added to it.
 */
struct stack_pair {
	const struct join_row	*row;		/* after; of one that is gone, before */
	const struct join_frame	*frames;	/* row->nr of them */
	uint64_t		 ns[SIDES];	/* 0: not there */
};

struct stack_pairs {
	/* in the order of the rows after; those that are gone come last */
	struct stack_pair	*list;
	size_t			 nr;
	struct join_frame	*frames;	/* of before */
	struct frame_names	*names;
};

/* @j: both joins, which must outlive the pairs. 0 or -ENOMEM. */
int stack_pairs__make(struct join *const j[SIDES], struct stack_pairs *out);
void stack_pairs__clear(struct stack_pairs *p);

#endif /* DWELL_DIFF_STACKS_H */
