/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The weights of folded stacks.
 */
#ifndef DWELL_OUTPUT_FOLDED_H
#define DWELL_OUTPUT_FOLDED_H

#include "output/output.h"

/*
 * Computes the weight of each row in @unit. Each weight is rounded so that all weights
 * add up to the total time, rounded once. A row may get 0.
 */
void output_folded__weights(const struct join_row *rows, size_t nr, enum output_weight unit,
			    uint64_t *weights);

#endif /* DWELL_OUTPUT_FOLDED_H */
