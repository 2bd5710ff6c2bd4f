/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The places where tasks slept in their polls, with whom they delayed, and what workers
 * did while tasks were ready: made from the sums. Private to src/join.
 */
#ifndef DWELL_JOIN_BLOCKS_H
#define DWELL_JOIN_BLOCKS_H

#include "join/lookup.h"
#include "join/timeline.h"

struct blocks;

/* Sets j->blocks. 0 or -ENOMEM. */
int blocks__make(struct join *j);
/* What sleep number @number is. 0 or -ENOMEM. */
int blocks__sleep(struct join *j, uint32_t number, struct join_sleep *out);
/* What @f is, with names that last as long as the join. 0 or -ENOMEM. */
int blocks__place(struct join *j, const struct trace_user_frame *f, struct join_place *out);
/* NULL is fine. */
void blocks__free(struct blocks *b);

#endif /* DWELL_JOIN_BLOCKS_H */
