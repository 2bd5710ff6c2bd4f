/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which lines of code are the same in two versions of it, if one of them has more of them.
 *
 * Code moves in pieces: what is inserted or removed shifts all lines behind it by as much. So
 * those are the same, in order, whose shifts change as little as possible: from one line to the
 * next, and from the lines of which it is known what they are in the other version (anchors);
 * without these, from no shift. Of several ways that are as good, it is the one with the smallest
 * shifts: code that has not moved stays where it is.
 */
#ifndef DWELL_DIFF_ALIGN_H
#define DWELL_DIFF_ALIGN_H

#include <stddef.h>
#include <stdint.h>

/* A line, and what it is in the other version. */
struct anchor {
	int64_t	few, many;
};

/*
 * Sets out[i] to the index in @many of the one that @few[i] is. Both are sorted, and @nr_few is
 * at most @nr_many. @anchors, sorted by few, are lines nearby: of the same function, say; 0 of
 * them is right. 0 or -ENOMEM.
 */
int align__lines(const int64_t *few, size_t nr_few, const int64_t *many, size_t nr_many,
		 const struct anchor *anchors, size_t nr_anchors, size_t *out);

#endif /* DWELL_DIFF_ALIGN_H */
