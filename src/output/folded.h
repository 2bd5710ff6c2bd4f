/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The weights of folded stacks.
 */
#ifndef DWELL_OUTPUT_FOLDED_H
#define DWELL_OUTPUT_FOLDED_H

#include "output/output.h"

/*
 * The weight of each row of @rows in @unit, without losing time: each is
 * rounded so that the sum is the ns total rounded once. Rows may get 0.
 */
void output_folded__weights(const struct join_row *rows, size_t nr, enum output_weight unit,
			    uint64_t *weights);

#endif /* DWELL_OUTPUT_FOLDED_H */
