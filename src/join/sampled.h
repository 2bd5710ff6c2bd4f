/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In which functions tasks were on a CPU, and who was there in no poll: made from the samples
 * and the sums. Private to src/join.
 */
#ifndef DWELL_JOIN_SAMPLED_H
#define DWELL_JOIN_SAMPLED_H

#include "join/timeline.h"

struct sampled;

/* A function, and how many samples are in it. */
struct sampled_function {
	struct join_place	place;		/* as in struct join_hot */
	uint64_t		samples;
};

/* Sets j->sampled. 0 or -ENOMEM. */
int sampled__make(struct join *j);
/*
 * The samples that divide time of key @k, *@nr of them, *@total samples in all: of running time,
 * and of waits for a blocking job the part in which that was running. An error is noted in @j.
 */
const struct sample_count *sampled__in(struct join *j, const struct sum_key *k, size_t *nr,
				       uint64_t *total);
/*
 * The functions in which samples of @account are, *@nr of them; none: it has no samples. The
 * caller frees them. NULL: no memory.
 */
struct sampled_function *sampled__functions(struct join *j, uint32_t account, size_t *nr);
/* NULL is fine. */
void sampled__free(struct sampled *c);

#endif /* DWELL_JOIN_SAMPLED_H */
