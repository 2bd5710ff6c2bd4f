/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where each frame of the tree goes: boxes in the order in which they are
 * drawn, parents first. It must not know what a box looks like.
 */
#ifndef DWELL_FLAMEGRAPH_LAYOUT_H
#define DWELL_FLAMEGRAPH_LAYOUT_H

#include <stdint.h>

#include "flamegraph/tree.h"

/*
 * A frame; or, if @hidden, a sliver: what is left of the children of @node
 * when those that are wide enough have their boxes.
 */
struct box {
	uint32_t	node;
	uint32_t	depth;
	uint32_t	hidden;		/* frames in the sliver, with all below them */
	uint8_t		segment;	/* nearest at or above; JOIN_SEGMENT_NR: none or several */
	uint64_t	start, ns;
	uint64_t	parent_ns;
};

struct layout {
	struct box	*boxes;
	uint32_t	 nr, cap;
	uint32_t	 depth;		/* rows of boxes */
	uint32_t	 slivers;
	uint64_t	 hidden;	/* frames without a box of their own */
	uint64_t	 undrawn;	/* of these: in no sliver either */
};

/*
 * Lay out @fg in a width of @width, frames narrower than @minwidth merged;
 * both in the same unit. 0 or negative errno. Free with layout__free().
 */
int layout__make(struct layout *l, const struct flamegraph *fg, uint64_t width, uint64_t minwidth);
void layout__free(struct layout *l);

#endif /* DWELL_FLAMEGRAPH_LAYOUT_H */
