/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The flame graph: weighted stacks in, one picture out: an SVG that stands
 * alone, is readable as a still image and, where a browser runs its script,
 * can be zoomed and searched.
 *
 * The same stacks in any order and the same options give the same bytes.
 * It must not know of traces, events or tasks: a frame is a name and a kind.
 */
#ifndef DWELL_FLAMEGRAPH_H
#define DWELL_FLAMEGRAPH_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "join/join.h"

struct flamegraph;

/* NULL fields and zeros: the defaults. */
struct flamegraph_opts {
	const char		*title;
	const char		*subtitle;	/* pieces parted by " · " are kept whole */
	const char *const	*notes;		/* what the reader must know: losses, a torn file */
	size_t			 nr_notes;
	uint32_t		 width;		/* px; 1200 */
	uint32_t		 minwidth;	/* hundredths of a px; narrower ones are merged */
};

#define FLAMEGRAPH_WIDTH	1200
#define FLAMEGRAPH_WIDTH_MIN	480
#define FLAMEGRAPH_WIDTH_MAX	100000
#define FLAMEGRAPH_MINWIDTH	10

/* NULL on lack of memory. */
struct flamegraph *flamegraph__new(void);
/*
 * Add @ns to the stack @frames, root first; @ns 0 adds nothing. Names are
 * copied. Equal names under one parent are one frame. 0 or negative errno;
 * -EOVERFLOW: the sum does not fit.
 */
int flamegraph__add(struct flamegraph *fg, const struct join_frame *frames, uint32_t nr,
		    uint64_t ns);
/*
 * Add all stacks of a folded file: "COMM;TASK;…;[SEGMENT];… WEIGHT" a line,
 * @unit_ns to one unit of weight. Kinds are recognised by place and spelling.
 * 0 or negative errno; -EINVAL: *@line (1-based) is not a folded line.
 */
int flamegraph__add_folded(struct flamegraph *fg, FILE *in, uint64_t unit_ns, size_t *line);
uint64_t flamegraph__total(const struct flamegraph *fg);
/* 0 or negative errno, of writing too. May be called again. */
int flamegraph__render(struct flamegraph *fg, const struct flamegraph_opts *opts, FILE *out);
void flamegraph__free(struct flamegraph *fg);

#endif /* DWELL_FLAMEGRAPH_H */
