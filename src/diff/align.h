/* SPDX-License-Identifier: GPL-2.0 */
/* Which lines of code are the same in two versions of it, if one of them has more of them. */
#ifndef DWELL_DIFF_ALIGN_H
#define DWELL_DIFF_ALIGN_H

#include <stddef.h>
#include <stdint.h>

/*
 * Sets out[i] to the index in @many of the one that @few[i] is: in order, so that the lines
 * differ as little as possible in all. Both are sorted, and @nr_few is at most @nr_many. 0 or
 * -ENOMEM.
 */
int align__lines(const int64_t *few, size_t nr_few, const int64_t *many, size_t nr_many,
		 size_t *out);

#endif /* DWELL_DIFF_ALIGN_H */
