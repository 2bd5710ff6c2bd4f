/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stacks of two recordings side by side: for folded stacks with two weights and for the
 * picture of a difference. Stacks are the same if their frames are, but for the numbers of
 * lines; of several that are, the first one of one side is the first one of the other.
 */
#ifndef DWELL_DIFF_STACKS_H
#define DWELL_DIFF_STACKS_H

#include <stddef.h>
#include <stdint.h>

#include "diff/match.h"
#include "join/join.h"

/* A stack, with the frames that it has after; if it is gone, those of before. */
struct stack_pair {
	const struct join_row	*row;
	uint64_t		 ns[SIDES];	/* 0: not there */
};

struct stack_pairs {
	/* in the order of the rows after; those that are gone come last */
	struct stack_pair	*list;
	size_t			 nr;
};

/* @j: both joins, which must outlive the pairs. 0 or -ENOMEM. */
int stack_pairs__make(struct join *const j[SIDES], struct stack_pairs *out);
void stack_pairs__clear(struct stack_pairs *p);

#endif /* DWELL_DIFF_STACKS_H */
