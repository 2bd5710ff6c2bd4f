/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The position of each frame of the tree, as boxes in the order of drawing, parents
 * first. It must not know what a box looks like.
 */
#ifndef DWELL_FLAMEGRAPH_LAYOUT_H
#define DWELL_FLAMEGRAPH_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "flamegraph/tree.h"

/*
 * A frame; or, if @hidden is not 0, a sliver that stands for the children of @node that
 * are too narrow for boxes of their own.
 */
struct box {
	uint32_t	node;
	uint32_t	depth;
	uint32_t	hidden;		/* frames in the sliver, including their children */
	/* nearest at or above it; JOIN_SEGMENT_NR: none, or several */
	uint8_t		segment;
	uint64_t	start, ns;
	uint64_t	parent_ns;
	uint64_t	before;		/* of a difference */
	bool		gone;		/* the same: "[gone]", or below it */
};

struct layout {
	struct box	*boxes;
	uint32_t	 nr, cap;
	uint32_t	 depth;		/* number of rows */
	uint32_t	 slivers;
	uint64_t	 hidden;	/* frames without a box of their own */
	uint64_t	 undrawn;	/* those of them that are in no sliver either */
};

/*
 * Lay out @fg in @width; frames narrower than @minwidth, in the same unit, are merged.
 * 0 or negative errno. Free with layout__free().
 */
int layout__make(struct layout *l, const struct flamegraph *fg, uint64_t width, uint64_t minwidth);
void layout__free(struct layout *l);

#endif /* DWELL_FLAMEGRAPH_LAYOUT_H */
