/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sleeps whose place was not seen: short ones are not all looked at. If all sleeps of this kind
 * that were seen in this kind of tasks were at one place, they count there, as a part of their
 * own; else, or if that cannot be said on both sides, they have no place. Private to src/diff.
 */
#ifndef DWELL_DIFF_UNSEEN_H
#define DWELL_DIFF_UNSEEN_H

#include "diff/sets.h"

#define UNSEEN_PART	"the place of each was not seen"

/* Gives such costs of all recordings their place. 0 or -ENOMEM. */
int unseen__place(struct diff *d);

#endif /* DWELL_DIFF_UNSEEN_H */
