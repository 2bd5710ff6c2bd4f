/* SPDX-License-Identifier: GPL-2.0 */
/* The user stacks of a picture's threads, as an answer tells them. */
#ifndef DWELL_WHY_STACKS_H
#define DWELL_WHY_STACKS_H

#include "answer/answer.h"
#include "why/why.h"

/*
 * Add the stack of each thread of @y to that thread of @a, unless the thread runs: then it
 * changes while it is read. 0 or -ENOMEM.
 */
int stacks__tell(const struct why *y, struct answer *a);

#endif /* DWELL_WHY_STACKS_H */
