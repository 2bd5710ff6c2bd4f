/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A histogram of durations with buckets of constant relative width. Quantiles are exact
 * to 0.4 %; memory depends on the spread of the values, not on their number.
 */
#ifndef DWELL_JOIN_HIST_H
#define DWELL_JOIN_HIST_H

#include <stdint.h>

#include "join/join.h"

#define HIST_SUB_BITS	7	/* buckets per octave: 128 */
#define HIST_OCTAVES	(64 - HIST_SUB_BITS + 1)

struct hist {
	uint64_t	 count, min, max;
	uint32_t	*octave[HIST_OCTAVES];	/* allocated when first needed */
};

/* 0 or -ENOMEM. */
int hist__add(struct hist *h, uint64_t ns);
/*
 * The smallest duration that at least @permille of all durations do not exceed; 0 if
 * there are none.
 */
uint64_t hist__quantile(const struct hist *h, unsigned int permille);
/* Add all durations of @from to @into. 0 or -ENOMEM. */
int hist__merge(struct hist *into, const struct hist *from);
/* Those that results show. */
struct join_quantiles hist__quantiles(const struct hist *h);
void hist__clear(struct hist *h);

#endif /* DWELL_JOIN_HIST_H */
