/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A part may be about any number of peers, threads or tasks: those with the most
 * time are named, and the rest is one, "1,234 others". No time is lost by it.
 */
#ifndef DWELL_JOIN_OTHERS_H
#define DWELL_JOIN_OTHERS_H

#include <stddef.h>

#include "join/join.h"
#include "join/names.h"

#define OTHERS_FROM		32		/* shown at most, the others being one of them */
#define OTHERS_UNCOUNTED	"others"	/* nobody knows how many */

/*
 * Shorten @rows, which are in their order: of those that differ in nothing but whom
 * they are about, OTHERS_FROM stay. *@nr: before and after; the order is the
 * caller's to make again. @frames is where the rows' frames are. 0 or -ENOMEM.
 */
int others__rows(struct names *names, struct join_row *rows, size_t *nr,
		 struct join_frame *frames);
/* The same for @sums, whose order is the largest first, and stays so. */
int others__sums(struct names *names, struct join_sum *sums, size_t *nr);

#endif /* DWELL_JOIN_OTHERS_H */
