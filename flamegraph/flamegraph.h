/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The flame graph: weighted stacks in, a picture out. The picture is a self-contained
 * SVG, readable as a still image; where a browser runs its script, it can be zoomed and
 * searched.
 *
 * The same stacks, in any order, and the same options give the same bytes. It must not
 * know traces, events or tasks: a frame is a name and a kind.
 */
#ifndef DWELL_FLAMEGRAPH_H
#define DWELL_FLAMEGRAPH_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "join/join.h"

struct flamegraph;

/* NULL and 0 mean the default. */
struct flamegraph_opts {
	const char		*title;
	const char		*subtitle;	/* parts separated by " · " are not broken */
	/* what readers must know: losses, a truncated file */
	const char *const	*notes;
	size_t			 nr_notes;
	uint32_t		 width;		/* px; default 1200 */
	uint32_t		 minwidth;	/* hundredths of a px; narrower frames are merged */
};

#define FLAMEGRAPH_WIDTH	1200
#define FLAMEGRAPH_WIDTH_MIN	480
#define FLAMEGRAPH_WIDTH_MAX	100000
#define FLAMEGRAPH_MINWIDTH	10

/* NULL: no memory. */
struct flamegraph *flamegraph__new(void);
/*
 * Add @ns to the stack @frames, root first; 0 adds nothing. Names are copied. Equal
 * names under one parent are one frame. 0 or negative errno; -EOVERFLOW: the sum is too
 * large.
 */
int flamegraph__add(struct flamegraph *fg, const struct join_frame *frames, uint32_t nr,
		    uint64_t ns);
/*
 * For the picture of a difference, instead: add @before and @after to the stack @frames. Boxes
 * are as wide as after and coloured by the change. What is 0 after stands beside, below
 * "[gone]", as wide as before; it counts in the change of the frames that lead to it, which
 * are those of the same names. 0 or negative errno.
 */
int flamegraph__add_change(struct flamegraph *fg, const struct join_frame *frames, uint32_t nr,
			   uint64_t before, uint64_t after);
/*
 * Add all stacks of a folded file, with lines "COMM;TASK;…;[SEGMENT];… WEIGHT"; a
 * weight of 1 is @unit_ns. Kinds are recognised by place and spelling. 0 or negative
 * errno; -EINVAL: *@line (counted from 1) is not a folded line.
 */
int flamegraph__add_folded(struct flamegraph *fg, FILE *in, uint64_t unit_ns, size_t *line);
/* The same for lines with two weights, before and after: the picture of a difference. */
int flamegraph__add_folded_change(struct flamegraph *fg, FILE *in, uint64_t unit_ns, size_t *line);
/* Of a difference, what was before and is not any more is part of it. */
uint64_t flamegraph__total(const struct flamegraph *fg);
/* Draw the picture. 0, or negative errno, also of writing. May be called repeatedly. */
int flamegraph__render(struct flamegraph *fg, const struct flamegraph_opts *opts, FILE *out);
void flamegraph__free(struct flamegraph *fg);

#endif /* DWELL_FLAMEGRAPH_H */
