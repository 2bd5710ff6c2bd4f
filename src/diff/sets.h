/* SPDX-License-Identifier: GPL-2.0 */
/* What a comparison consists of. Private to src/diff. */
#ifndef DWELL_DIFF_SETS_H
#define DWELL_DIFF_SETS_H

#include "diff/diff.h"

struct diff_side {
	struct profile	**profiles;
	size_t		 nr, room;
	double		*units;		/* of work, for each repeat */
	double		 nr_units;	/* in all */
};

struct diff {
	struct diff_opts	 opts;
	struct frame_names	*names;
	struct diff_side	 side[SIDES];
	enum diff_unit		 unit;
	struct difference	 total;
	enum verdict		 verdict;
	struct diff_place	*places;
	size_t			 nr_places;
	char			**notes;
	size_t			 nr_notes, room_notes;
	char			*why;
};

/* The repeats of a side: its recordings, or the windows of its only one. */
size_t side__repeats(const struct diff_side *s);

#endif /* DWELL_DIFF_SETS_H */
