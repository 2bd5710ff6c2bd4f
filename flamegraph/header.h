/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is above the frames: title, subtitle, notes, the legend with the share of each
 * segment, and the line that tells how to read the picture.
 */
#ifndef DWELL_FLAMEGRAPH_HEADER_H
#define DWELL_FLAMEGRAPH_HEADER_H

#include <stdint.h>

#include "flamegraph/layout.h"
#include "flamegraph/textbuf.h"
#include "flamegraph/tree.h"

/* px from each edge of the picture. */
#define HEADER_MARGIN	12

/*
 * Write the header; returns its height in px. @o must have a title. What @l hides is
 * stated in a note.
 */
uint32_t header__write(struct textbuf *b, const struct flamegraph *fg, const struct layout *l,
		       const struct flamegraph_opts *o);

#endif /* DWELL_FLAMEGRAPH_HEADER_H */
