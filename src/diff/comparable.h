/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether recordings may be compared, and what makes the comparison doubtful: each becomes a
 * note. Private to src/diff, but for the first two.
 */
#ifndef DWELL_DIFF_COMPARABLE_H
#define DWELL_DIFF_COMPARABLE_H

#include "diff/sets.h"

/*
 * Whether @f may be compared with @first; they may be the same. 0, -ENOMEM; or -EINVAL, and
 * *@why, which the caller frees, says why not in one line.
 */
int comparable__refuse(const struct profile_facts *first, const struct profile_facts *f,
		       char **why);
/*
 * The same for two recordings that are drawn, before and after: also that they have a task in
 * common.
 */
int comparable__refuse_joined(const struct profile_facts *const facts[SIDES],
			      struct join *const joins[SIDES], char **why);
/* 0, -ENOMEM; or -EINVAL, and d->why says why. */
int comparable__check(struct diff *d);
/* @common: how many places are on both sides. 0, -ENOMEM or -EINVAL, as above. */
int comparable__check_places(struct diff *d, size_t common);
/* The same of the units of work, once they have been counted. */
int comparable__check_units(struct diff *d);

#endif /* DWELL_DIFF_COMPARABLE_H */
