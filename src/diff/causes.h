/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which place explains the change of another. A lock that is held for longer makes all wait
 * longer that want it: the change is where its holder is, and the waits are what comes of it.
 * What a part of a wait is due to is in its name, since the join has found it out: the task
 * that ended the wait, and the await that it came from; the task that kept the worker.
 *
 * The place that is named explains the change if its own has the same sign, and counts.
 */
#ifndef DWELL_DIFF_CAUSES_H
#define DWELL_DIFF_CAUSES_H

#include "diff/sets.h"

/* Sets cause, explained and explains. 0 or -ENOMEM. */
int causes__find(struct diff *d);
/* Sorts the places, and sets cause again, which is a number of a place. */
void causes__sort(struct diff *d, int (*cmp)(const void *a, const void *b));

#endif /* DWELL_DIFF_CAUSES_H */
