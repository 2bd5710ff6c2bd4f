/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In which functions tasks were on a CPU, and who was there in no poll: made from the samples
 * and the sums. Private to src/join.
 */
#ifndef DWELL_JOIN_SAMPLED_H
#define DWELL_JOIN_SAMPLED_H

#include "join/timeline.h"

struct sampled;

/* Sets j->sampled. 0 or -ENOMEM. */
int sampled__make(struct join *j);
/* NULL is fine. */
void sampled__free(struct sampled *c);

#endif /* DWELL_JOIN_SAMPLED_H */
