/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The list of outputs: one line X(NAME) for each output_NAME. It must not know what an
 * output looks like.
 */
#include <errno.h>
#include <string.h>

#include "output/output.h"

#define OUTPUTS(X) \
	X(text) \
	X(json) \
	X(folded) \
	X(svg)

#define DECLARE(name)	extern const struct output_format output_##name;
OUTPUTS(DECLARE)

#define ENTRY(name)	&output_##name,
const struct output_format *const output_formats[] = { OUTPUTS(ENTRY) NULL };

const struct output_format *output_format__find(const char *name)
{
	for (size_t i = 0; output_formats[i]; i++)
		if (!strcmp(output_formats[i]->name, name))
			return output_formats[i];
	return NULL;
}

int output_format__write(const struct output_format *f, const struct join *j,
			 const struct trace_reader *r, const struct output_opts *opts, FILE *out)
{
	static const struct output_opts usual;

	return f ? f->write(j, r, opts ? opts : &usual, out) : -EINVAL;
}
