/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The outputs: the formats that a finished join is written in. Each is one file in this
 * folder and one line in table.c; the commands choose from the table:
 *
 *	output_format__write(output_format__find("folded"), join, reader, NULL, stdout);
 *
 * All outputs are made from what join/join.h provides, so all show the same times.
 */
#ifndef DWELL_OUTPUT_H
#define DWELL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "join/join.h"
#include "trace/trace.h"

/* How await points are sorted; the largest first. */
enum output_sort {
	OUTPUT_SORT_TOTAL	= 0,	/* await + ready; the order of join__points() */
	OUTPUT_SORT_AWAIT,
	OUTPUT_SORT_READY,
	OUTPUT_SORT_COUNT,	/* number of waits */
	OUTPUT_SORT_P99,	/* of the await times */
	OUTPUT_SORT_MAX,	/* the longest single await */
	OUTPUT_SORT_NR
};

/* The name of an order ("total"); a static string. */
const char *output_sort__name(enum output_sort sort);
/* Look up an order by its name; false: there is none. */
bool output_sort__find(const char *name, enum output_sort *sort);

/* The unit of the weights of folded stacks. */
enum output_weight { OUTPUT_WEIGHT_US = 0, OUTPUT_WEIGHT_NS };

/*
 * Options for all outputs; each output reads those that apply to it. 0 and NULL mean
 * the default.
 */
struct output_opts {
	/*
	 * Reports: width of the text, at least 40 (default 80); number of await points
	 * (default 20, JSON: all).
	 */
	unsigned int		columns;
	size_t			top;
	enum output_sort	sort;
	/* Folded stacks. */
	enum output_weight	weight;
	/* Flame graph: see flamegraph.h. */
	const char		*title;
	uint32_t		 width;		/* px */
	uint32_t		 minwidth;	/* hundredths of a px */
};

struct output_format {
	const char	*name;		/* by which commands choose it: "json" */
	const char	*extension;	/* of files in this format, without a dot */
	/*
	 * Write the results of join @j, which has been run on recording @r, to @out. @j
	 * and @r stay the caller's. 0 or negative errno, of writing too.
	 */
	int		(*write)(const struct join *j, const struct trace_reader *r,
				 const struct output_opts *opts, FILE *out);
};

/* All outputs; NULL ends the list. */
extern const struct output_format *const output_formats[];

/* The output called @name, or NULL. */
const struct output_format *output_format__find(const char *name);
/* Calls @f->write(). @opts may be NULL: all defaults. @f may be NULL: returns -EINVAL. */
int output_format__write(const struct output_format *f, const struct join *j,
			 const struct trace_reader *r, const struct output_opts *opts, FILE *out);

#endif /* DWELL_OUTPUT_H */
