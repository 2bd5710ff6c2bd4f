// SPDX-License-Identifier: GPL-2.0
/*
 * Stacks with two weights, and the words and classes for a change. A stack that is gone is in
 * the tree twice: where it was, with no width, so that the frames that lead to it have lost
 * its time; and below "[gone]", where it is drawn.
 */
#include "flamegraph/difference.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flamegraph/flamegraph.h"

#define GONE	"[gone]"

static int add_gone(struct flamegraph *fg, const struct join_frame *frames, uint32_t nr,
		    uint64_t before)
{
	struct join_frame *below = calloc(nr + 1ul, sizeof(*below));
	struct tree_stack stack;
	int err;

	if (!below)
		return -ENOMEM;
	below[0] = (struct join_frame){ .name = GONE, .kind = JOIN_FRAME_GAP };
	memcpy(below + 1, frames, nr * sizeof(*below));
	err = tree__find(fg, below, nr + 1, &stack);
	free(below);
	if (err)
		return err;
	fg->gone = fg->path[0];
	fg->nodes[stack.node].self += before;
	fg->nodes[stack.node].before += before;
	fg->total += before;
	fg->gone_ns += before;
	return 0;
}

int flamegraph__add_change(struct flamegraph *fg, const struct join_frame *frames, uint32_t nr,
			   uint64_t before, uint64_t after)
{
	struct tree_stack stack;
	uint64_t sum;
	int err;

	fg->is_difference = true;
	if (!before && !after)
		return 0;
	if (__builtin_add_overflow(fg->total, after ? after : before, &sum) ||
	    __builtin_add_overflow(fg->before, before, &sum) || nr >= UINT32_MAX / 2)
		return -EOVERFLOW;
	err = tree__find(fg, frames, nr, &stack);
	if (err)
		return err;
	fg->nodes[stack.node].self += after;
	fg->nodes[stack.node].before += before;
	fg->total += after;
	fg->before += before;
	return after ? 0 : add_gone(fg, frames, nr, before);
}

/* ---- classes ---- */

uint32_t difference__least(int level)
{
	static const uint32_t least[DIFFERENCE_LEVELS + 1] = { 0, 3, 10, 30, 100 };

	return least[level];
}

static uint64_t size(uint64_t before, uint64_t after)
{
	return before < after ? after - before : before - after;
}

void difference__class(struct textbuf *b, const struct flamegraph *fg, const struct box *box)
{
	uint64_t after = difference__of(fg, box), whole = difference__after(fg);
	unsigned __int128 change = size(box->before, after);
	int level = 0;

	if (!whole)
		whole = fg->before;
	while (change && level < DIFFERENCE_LEVELS &&
	       change * 1000 >= (unsigned __int128)whole * difference__least(level + 1))
		level++;
	if (!level) {
		textbuf__str(b, "same");
	} else {
		textbuf__str(b, after > box->before ? "more" : "less");
		textbuf__u64(b, level);
	}
	if (box->hidden)
		textbuf__str(b, " x");
	if (box->gone)
		textbuf__str(b, " gone");
	else if (level && !box->before)
		textbuf__str(b, " new");
}

/* ---- words ---- */

static const char *sign(uint64_t before, uint64_t after)
{
	return before == after ? "±" : before < after ? "+" : "−";
}

char *difference__time(uint64_t before, uint64_t after, char out[QUANTITY_MAX])
{
	snprintf(out, QUANTITY_MAX, "%s%.30s", sign(before, after),
		 quantity__of_time(size(before, after)).s);
	return out;
}

char *difference__share(uint64_t before, uint64_t after, char out[QUANTITY_MAX])
{
	char share[QUANTITY_MAX];

	if (before == after)
		snprintf(out, QUANTITY_MAX, "no change");
	else if (!before)
		snprintf(out, QUANTITY_MAX, "new");
	else if (!after)
		snprintf(out, QUANTITY_MAX, "gone");
	else
		snprintf(out, QUANTITY_MAX, "%s%.30s", sign(before, after),
			 quantity__share(size(before, after), before, share));
	return out;
}

void difference__title(struct textbuf *b, const struct flamegraph *fg, const struct box *box,
		       const char *change)
{
	uint64_t after = difference__of(fg, box);
	char text[QUANTITY_MAX];

	textbuf__str(b, change);
	textbuf__str(b, " · ");
	textbuf__str(b, difference__share(box->before, after, text));
	textbuf__str(b, " · ");
	textbuf__str(b, quantity__time(box->before, text));
	textbuf__str(b, " → ");
	textbuf__str(b, quantity__time(after, text));
	if (box->node == TREE_ROOT && !box->hidden)
		return;
	textbuf__str(b, " · ");
	quantity__share(box->ns, box->gone ? fg->before : difference__after(fg), text);
	textbuf__xml(b, text, strlen(text));
	textbuf__str(b, box->gone ? " of all before" : " of all after");
}
