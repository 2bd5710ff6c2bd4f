/* SPDX-License-Identifier: GPL-2.0 */
/* Folded stacks with two weights. See folded_diff.h. */
#include "output/folded_diff.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "output/folded.h"

/* The weights of @side of all pairs, which the caller frees. NULL: no memory. */
static uint64_t *weights_of(const struct stack_pairs *p, unsigned int side,
			    enum output_weight unit)
{
	struct join_row *rows = calloc(p->nr + 1, sizeof(*rows));
	uint64_t *weights = calloc(p->nr + 1, sizeof(*weights));

	for (size_t i = 0; rows && weights && i < p->nr; i++)
		rows[i].ns = p->list[i].ns[side];
	if (rows && weights)
		output_folded__weights(rows, p->nr, unit, weights);
	if (!rows) {
		free(weights);
		weights = NULL;
	}
	free(rows);
	return weights;
}

int output_folded_diff__write(struct join *const j[SIDES], enum output_weight unit, FILE *out)
{
	uint64_t *before = NULL, *after = NULL;
	struct stack_pairs pairs;
	int err = stack_pairs__make(j, &pairs);

	if (err)
		return err;
	before = weights_of(&pairs, 0, unit);
	after = weights_of(&pairs, 1, unit);
	if (!before || !after)
		err = -ENOMEM;
	for (size_t i = 0; i < pairs.nr && !err; i++) {
		const struct stack_pair *pair = &pairs.list[i];

		if (!before[i] && !after[i])
			continue;
		for (uint32_t k = 0; k < pair->row->nr; k++)
			fprintf(out, "%s%s", k ? ";" : "", pair->frames[k].name);
		fprintf(out, " %" PRIu64 " %" PRIu64 "\n", before[i], after[i]);
	}
	free(before);
	free(after);
	stack_pairs__clear(&pairs);
	if (err)
		return err;
	return ferror(out) ? (errno ? -errno : -EIO) : 0;
}
