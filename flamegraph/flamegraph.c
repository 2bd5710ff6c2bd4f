// SPDX-License-Identifier: GPL-2.0
/*
 * Merges stacks into a tree. Nodes are in one array and are found by (parent, name) in
 * one hash table, so adding a frame is one look-up, however many siblings it has.
 */
#include "flamegraph/flamegraph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flamegraph/tree.h"

struct flamegraph *flamegraph__new(void)
{
	struct flamegraph *fg = calloc(1, sizeof(*fg));

	if (!fg)
		return NULL;
	fg->cap_nodes = 1024;
	fg->nodes = calloc(fg->cap_nodes, sizeof(*fg->nodes));
	fg->nr_slots = 4096;
	fg->slots = calloc(fg->nr_slots, sizeof(*fg->slots));
	if (!fg->nodes || !fg->slots) {
		flamegraph__free(fg);
		return NULL;
	}
	fg->nr_nodes = 1;
	return fg;
}

static uint32_t slot_of(uint32_t parent, uint32_t name, uint32_t nr_slots)
{
	uint64_t h = ((uint64_t)parent << 32 | name) * 0x9e3779b97f4a7c15;

	return (h ^ h >> 29) >> 8 & (nr_slots - 1);
}

static int flamegraph__grow_slots(struct flamegraph *fg)
{
	uint32_t nr = fg->nr_slots * 2, at;
	uint32_t *slots;

	if (!nr)
		return -EOVERFLOW;
	slots = calloc(nr, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (uint32_t i = 1; i < fg->nr_nodes; i++) {
		at = slot_of(fg->nodes[i].parent, fg->nodes[i].name, nr);
		while (slots[at])
			at = (at + 1) & (nr - 1);
		slots[at] = i;
	}
	free(fg->slots);
	fg->slots = slots;
	fg->nr_slots = nr;
	return 0;
}

/* A frame in brackets that is not a segment's name says nothing about its time. */
enum join_segment tree_segment__by_name(const char *name)
{
	for (int s = 0; s < JOIN_SEGMENT_NR; s++) {
		if (!strcmp(name, join_segment__frame(s)))
			return s;
	}
	return JOIN_UNATTRIBUTED;
}

static int flamegraph__child(struct flamegraph *fg, uint32_t parent, const struct join_frame *frame,
			     uint32_t name, uint32_t *out)
{
	uint32_t at, mask, cap;
	struct tree_node *n;
	int err;

	if (fg->nr_nodes >= fg->nr_slots / 2) {
		err = flamegraph__grow_slots(fg);
		if (err)
			return err;
	}
	mask = fg->nr_slots - 1;
	for (at = slot_of(parent, name, fg->nr_slots); fg->slots[at]; at = (at + 1) & mask) {
		n = &fg->nodes[fg->slots[at]];
		if (n->parent == parent && n->name == name) {
			*out = fg->slots[at];
			return 0;
		}
	}
	if (fg->nr_nodes == fg->cap_nodes) {
		cap = fg->cap_nodes * 2;
		n = realloc(fg->nodes, cap * sizeof(*n));
		if (!n)
			return -ENOMEM;
		fg->nodes = n;
		fg->cap_nodes = cap;
	}
	n = &fg->nodes[fg->nr_nodes];
	memset(n, 0, sizeof(*n));
	n->name = name;
	n->parent = parent;
	n->kind = frame->kind;
	n->next_sibling = fg->nodes[parent].first_child;
	fg->nodes[parent].first_child = fg->nr_nodes;
	fg->slots[at] = fg->nr_nodes;
	*out = fg->nr_nodes++;
	return 0;
}

static int flamegraph__reserve_path(struct flamegraph *fg, uint32_t nr)
{
	uint32_t *path;

	if (nr <= fg->cap_path)
		return 0;
	path = realloc(fg->path, (size_t)nr * 2 * sizeof(*path));
	if (!path)
		return -ENOMEM;
	fg->path = path;
	fg->cap_path = nr * 2;
	return 0;
}

int tree__find(struct flamegraph *fg, const struct join_frame *frames, uint32_t nr,
	       struct tree_stack *stack)
{
	uint32_t node = TREE_ROOT, name;
	bool same = true;
	int err;

	*stack = (struct tree_stack){ .segment = JOIN_SEGMENT_NR };
	if (nr > UINT32_MAX / 2)
		return -EOVERFLOW;
	err = flamegraph__reserve_path(fg, nr);
	if (err)
		return err;

	for (uint32_t i = 0; i < nr; i++) {
		if (same && i < fg->nr_path &&
		    !strcmp(name_table__text(&fg->names, fg->nodes[fg->path[i]].name),
			    frames[i].name)) {
			node = fg->path[i];
		} else {
			same = false;
			err = name_table__intern(&fg->names, frames[i].name, &name);
			if (err)
				goto out;
			err = flamegraph__child(fg, node, &frames[i], name, &node);
			if (err)
				goto out;
			fg->path[i] = node;
		}
		/* If a name has two kinds, the smaller one is used, whichever came first. */
		if (frames[i].kind < fg->nodes[node].kind)
			fg->nodes[node].kind = frames[i].kind;
		/* The first segment is that of the task itself. */
		if (stack->segment == JOIN_SEGMENT_NR && frames[i].kind == JOIN_FRAME_SEGMENT)
			stack->segment = tree_segment__by_name(frames[i].name);
		stack->kernel |= frames[i].kind == JOIN_FRAME_KERNEL;
	}
	fg->nr_path = nr;
	stack->node = node;
	return 0;
out:
	fg->nr_path = 0;
	return err;
}

int flamegraph__add(struct flamegraph *fg, const struct join_frame *frames, uint32_t nr,
		    uint64_t ns)
{
	struct tree_stack stack;
	int err;

	if (!ns)
		return 0;
	if (fg->total + ns < fg->total)
		return -EOVERFLOW;
	err = tree__find(fg, frames, nr, &stack);
	if (err)
		return err;
	fg->nodes[stack.node].self += ns;
	fg->total += ns;
	fg->by_segment[stack.segment] += ns;
	if (stack.kernel)
		fg->kernel += ns;
	return 0;
}

uint64_t flamegraph__total(const struct flamegraph *fg)
{
	return fg->total;
}

void flamegraph__free(struct flamegraph *fg)
{
	if (!fg)
		return;
	name_table__free(&fg->names);
	free(fg->nodes);
	free(fg->slots);
	free(fg->path);
	free(fg);
}
