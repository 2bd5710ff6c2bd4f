/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stacks of follow.h, made into a tree for each await point, without what only a picture
 * needs: whole await stacks and the functions of blocked and running time. See struct
 * join_followed. Private to src/join.
 */
#ifndef DWELL_JOIN_FOLLOWED_H
#define DWELL_JOIN_FOLLOWED_H

#include "join/timeline.h"

struct followed;

/* Sets j->followed, if waits are followed. 0 or -ENOMEM. */
int followed__make(struct join *j);
/* The tree of await point @point (see account.h), *@nr entries. */
const struct join_followed *followed__of(const struct join *j, uint32_t point, size_t *nr);
/* NULL is fine. */
void followed__free(struct followed *f);

#endif /* DWELL_JOIN_FOLLOWED_H */
