/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is different in the picture of a difference: the class of a box, which is its colour, and
 * the words for a change. A change is what is there after, less what was there before.
 */
#ifndef DWELL_FLAMEGRAPH_DIFFERENCE_H
#define DWELL_FLAMEGRAPH_DIFFERENCE_H

#include <stdint.h>

#include "base/quantity.h"
#include "flamegraph/layout.h"
#include "flamegraph/textbuf.h"
#include "flamegraph/tree.h"

#define DIFFERENCE_LEVELS	4	/* of more, and of less */

/* What there is after, without what is gone. */
static inline uint64_t difference__after(const struct flamegraph *fg)
{
	return fg->total - fg->gone_ns;
}

/* What there is of @box after. Of all, what is gone is not there, though it has a width. */
static inline uint64_t difference__of(const struct flamegraph *fg, const struct box *box)
{
	if (box->gone)
		return 0;
	return box->node == TREE_ROOT && !box->hidden ? difference__after(fg) : box->ns;
}

/* From @level on, 1 to DIFFERENCE_LEVELS, a change is at least these thousandths of the whole. */
uint32_t difference__least(int level);
/* "more4", "less1 new", …, or "same". */
void difference__class(struct textbuf *b, const struct flamegraph *fg, const struct box *box);
/* "+1.20 ms" or "−340 µs"; returns @out. */
char *difference__time(uint64_t before, uint64_t after, char out[QUANTITY_MAX]);
/* "+21.0%", "−3.00%", "new", "gone" or "no change"; returns @out. */
char *difference__share(uint64_t before, uint64_t after, char out[QUANTITY_MAX]);
/* The last line of the tooltip, of which the first part is @change. */
void difference__title(struct textbuf *b, const struct flamegraph *fg, const struct box *box,
		       const char *change);

#endif /* DWELL_FLAMEGRAPH_DIFFERENCE_H */
