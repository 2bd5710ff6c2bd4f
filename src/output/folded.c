/* SPDX-License-Identifier: GPL-2.0 */
/* Folded stacks: one line per row of the join, "FRAME;FRAME;… WEIGHT", sorted by bytes. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "output/folded.h"

void output_folded__weights(const struct join_row *rows, size_t nr, enum output_weight unit,
			    uint64_t *weights)
{
	/* 128 bits: weights are differences of these sums, which must not saturate. */
	unsigned __int128 sum = 0, given = 0, upto;
	uint64_t per = unit == OUTPUT_WEIGHT_US ? 1000 : 1;

	for (size_t i = 0; i < nr; i++) {
		sum += rows[i].ns;
		upto = per == 1 ? sum : (sum + per / 2) / per;
		weights[i] = (uint64_t)(upto - given);
		given = upto;
	}
}

/* Rows whose weight rounds to 0 are left out; the carry adds their time to other rows. */
static int write_folded(const struct join *j, const struct trace_reader *r,
			const struct output_opts *opts, FILE *out)
{
	size_t nr;
	const struct join_row *rows = join__rows(j, &nr);
	uint64_t *weights = calloc(nr ? nr : 1, sizeof(*weights));

	(void)r;
	if (!weights)
		return -ENOMEM;
	output_folded__weights(rows, nr, opts->weight, weights);
	for (size_t i = 0; i < nr; i++) {
		if (!weights[i])
			continue;
		for (uint32_t k = 0; k < rows[i].nr; k++) {
			if (k)
				fputc(';', out);
			fputs(rows[i].frames[k].name, out);
		}
		fprintf(out, " %" PRIu64 "\n", weights[i]);
	}
	free(weights);
	return ferror(out) ? (errno ? -errno : -EIO) : 0;
}

const struct output_format output_folded = {
	.name		= "folded",
	.extension	= "folded",
	.write		= write_folded,
};
