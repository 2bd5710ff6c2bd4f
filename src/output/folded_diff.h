/* SPDX-License-Identifier: GPL-2.0 */
/* Folded stacks with two weights, before and after: what flamegraph.pl and inferno draw. */
#ifndef DWELL_OUTPUT_FOLDED_DIFF_H
#define DWELL_OUTPUT_FOLDED_DIFF_H

#include <stdio.h>

#include "diff/stacks.h"
#include "output/output.h"

/*
 * Writes "FRAME;FRAME;… BEFORE AFTER" for each stack of @j, in @unit. Each column adds up to
 * the time of its recording, rounded once; stacks with 0 in both are left out. 0 or negative
 * errno.
 */
int output_folded_diff__write(struct join *const j[SIDES], enum output_weight unit, FILE *out);

#endif /* DWELL_OUTPUT_FOLDED_DIFF_H */
