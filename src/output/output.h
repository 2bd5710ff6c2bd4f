/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The outputs: what a finished join is written as. Each is one file in this folder
 * and one line in table.c; the commands pick from the table:
 *
 *	output_format__write(output_format__find("folded"), join, reader, NULL, stdout);
 *
 * All are made from what join/join.h gives, so that all show the same time.
 */
#ifndef DWELL_OUTPUT_H
#define DWELL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "join/join.h"
#include "trace/trace.h"

/* The order of await points: the largest first. */
enum output_sort {
	OUTPUT_SORT_TOTAL	= 0,	/* await and ready together, as join__points() has them */
	OUTPUT_SORT_AWAIT,
	OUTPUT_SORT_READY,
	OUTPUT_SORT_COUNT,	/* waits */
	OUTPUT_SORT_P99,	/* of the awaits */
	OUTPUT_SORT_MAX,	/* the longest single await */
	OUTPUT_SORT_NR
};

/* "total" …; a static string. */
const char *output_sort__name(enum output_sort sort);
/* The order that is called @name; false: none is. */
bool output_sort__find(const char *name, enum output_sort *sort);

/* The unit of the weights of folded stacks. */
enum output_weight { OUTPUT_WEIGHT_US = 0, OUTPUT_WEIGHT_NS };

/* What a user may ask of an output; each looks at what concerns it. 0, NULL: the default. */
struct output_opts {
	/* Reports. Columns of the text, at least 40 (80); so many await points (20; JSON: all). */
	unsigned int		columns;
	size_t			top;
	enum output_sort	sort;
	/* Folded stacks. */
	enum output_weight	weight;
	/* The flame graph: see flamegraph.h. */
	const char		*title;
	uint32_t		 width;		/* px */
	uint32_t		 minwidth;	/* hundredths of a px */
};

struct output_format {
	const char	*name;		/* by which the commands ask for it: "json" */
	const char	*extension;	/* of a file that holds it, without a dot */
	/*
	 * Write what @j, which has been run, and its recording @r hold. Both stay the
	 * caller's. 0 or negative errno, of writing too.
	 */
	int		(*write)(const struct join *j, const struct trace_reader *r,
				 const struct output_opts *opts, FILE *out);
};

/* All of them, then NULL. */
extern const struct output_format *const output_formats[];

/* The output that is called @name, or NULL. */
const struct output_format *output_format__find(const char *name);
/* As @f->write() does it; @opts NULL: all defaults. @f NULL: -EINVAL. */
int output_format__write(const struct output_format *f, const struct join *j,
			 const struct trace_reader *r, const struct output_opts *opts, FILE *out);

#endif /* DWELL_OUTPUT_H */
