/* SPDX-License-Identifier: GPL-2.0 */
/* The flame graph of what is different between two recordings. */
#ifndef DWELL_OUTPUT_SVG_DIFF_H
#define DWELL_OUTPUT_SVG_DIFF_H

#include <stdio.h>

#include "diff/match.h"
#include "output/output.h"

/* Recordings with fewer requests are compared by time. */
#define SVG_DIFF_REQUESTS_MIN	50

/* One recording; all is the caller's. */
struct svg_diff_side {
	const char			*path;
	struct join			*join;		/* has been run */
	const struct trace_reader	*reader;
	uint64_t			 requests;	/* see struct profile */
};

/*
 * Write the picture: before is scaled to as much work as there is after, requests if both have
 * enough, else seconds. 0 or negative errno.
 */
int output_svg_diff__write(const struct svg_diff_side sides[SIDES], const struct output_opts *opts,
			   FILE *out);

#endif /* DWELL_OUTPUT_SVG_DIFF_H */
