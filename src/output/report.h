/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the reports for people and for scripts: which await points they show, and
 * in which order. Private to src/output.
 */
#ifndef DWELL_OUTPUT_REPORT_H
#define DWELL_OUTPUT_REPORT_H

#include "output/output.h"

/*
 * The await points of @j, sorted as @opts says. *@nr of them are to be shown:
 * opts->top, or else @usual (0: all). The caller frees the array. NULL: no memory.
 */
const struct join_point **output_report__points(const struct join *j,
						const struct output_opts *opts, size_t usual,
						size_t *nr);

#endif /* DWELL_OUTPUT_REPORT_H */
