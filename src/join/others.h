/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A part may be about any number of peers, threads or tasks. Those with the most time
 * are named; all further ones are merged into one entry, "1,234 others". Their time is
 * kept.
 */
#ifndef DWELL_JOIN_OTHERS_H
#define DWELL_JOIN_OTHERS_H

#include <stddef.h>

#include "join/join.h"
#include "join/frame_names.h"

#define OTHERS_FROM		32		/* entries shown at most, "others" included */
#define OTHERS_UNCOUNTED	"others"	/* for an unknown number */

/*
 * Shorten @rows, which are sorted: of rows that differ only in their detail,
 * OTHERS_FROM remain. *@nr is updated. The caller has to sort the result again. @frames
 * is the array that the rows' frames are in. 0 or -ENOMEM.
 */
int others__rows(struct frame_names *names, struct join_row *rows, size_t *nr,
		 struct join_frame *frames);
/* The same for @sums, which are and remain sorted, the largest first. */
int others__sums(struct frame_names *names, struct join_sum *sums, size_t *nr);

#endif /* DWELL_JOIN_OTHERS_H */
