/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Growing arrays: one function, used by everything that collects.
 */
#ifndef DWELL_IMAGE_ARRAY_H
#define DWELL_IMAGE_ARRAY_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/*
 * Make room for one more element after @nr of them. @items points to the
 * array pointer, @cap to its capacity. 0 or -ENOMEM.
 */
static inline int array__room(void *items, size_t *cap, size_t nr, size_t size)
{
	void *grown, **p = items;
	size_t want;

	if (nr < *cap)
		return 0;
	want = *cap ? *cap * 2 : 64;
	if (want < *cap || want > SIZE_MAX / size)
		return -ENOMEM;
	grown = realloc(*p, want * size);
	if (!grown)
		return -ENOMEM;
	*p = grown;
	*cap = want;
	return 0;
}

#endif /* DWELL_IMAGE_ARRAY_H */
