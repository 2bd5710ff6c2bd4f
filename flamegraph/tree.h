/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The private part of a struct flamegraph, for the files of this folder: stacks merged
 * into one tree.
 */
#ifndef DWELL_FLAMEGRAPH_TREE_H
#define DWELL_FLAMEGRAPH_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "flamegraph/flamegraph.h"
#include "flamegraph/name_table.h"

#define TREE_ROOT	0	/* the node "all" */
#define TREE_NONE	0	/* no child, no sibling; the root is neither */

struct tree_node {
	uint32_t	name;		/* number in names; unused in the root */
	uint32_t	parent;		/* smaller than the node's own number */
	uint32_t	first_child;	/* in no particular order */
	uint32_t	next_sibling;
	uint64_t	self;		/* ns of stacks that end here */
	uint64_t	before;		/* of a difference: ns of these stacks before */
	uint8_t		kind;		/* enum join_frame_kind */
};

struct flamegraph {
	struct name_table	 names;
	struct tree_node	*nodes;		/* [0] is the root */
	uint32_t		 nr_nodes, cap_nodes;
	uint32_t		*slots;		/* (parent, name) → node; 0: free */
	uint32_t		 nr_slots;
	/* The stack that was added last; the next one often begins in the same way. */
	uint32_t		*path;		/* nodes, without the root */
	uint32_t		 nr_path, cap_path;
	uint64_t		 total;
	/* the last element: no segment */
	uint64_t		 by_segment[JOIN_SEGMENT_NR + 1];
	uint64_t		 kernel;	/* of stacks with a kernel frame */
	/* Of a difference. The total is then what there is after and what is gone. */
	bool			 is_difference;
	uint32_t		 gone;		/* the node "[gone]"; TREE_NONE: there is none */
	uint64_t		 before, gone_ns;
};

/* What the time of a stack belongs to. */
struct tree_stack {
	uint32_t	node;		/* the last one; path has all */
	uint8_t		segment;	/* JOIN_SEGMENT_NR: none */
	bool		kernel;		/* it has a kernel frame */
};

/* Find the nodes of the stack @frames, which are added. 0 or negative errno. */
int tree__find(struct flamegraph *fg, const struct join_frame *frames, uint32_t nr,
	       struct tree_stack *stack);

/* The segment that a segment frame with this name stands for. */
enum join_segment tree_segment__by_name(const char *name);

#endif /* DWELL_FLAMEGRAPH_TREE_H */
