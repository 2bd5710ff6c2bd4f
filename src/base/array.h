/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Growing arrays.
 *
 *	struct list { struct item *items; size_t nr, cap; };
 *	if (array__room(&l->items, &l->cap, l->nr, sizeof(*l->items)))
 *		return -ENOMEM;
 *	l->items[l->nr++] = item;
 */
#ifndef DWELL_BASE_ARRAY_H
#define DWELL_BASE_ARRAY_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define ARRAY_FIRST	64	/* initial capacity, in elements */

/*
 * Make room for one more element of @size bytes after the first @nr. @items points to
 * the pointer to the array, @cap to its capacity; both are 0 at first. The caller frees
 * the array with free(). 0, or -ENOMEM with nothing changed.
 */
static inline int array__room(void *items, size_t *cap, size_t nr, size_t size)
{
	void *grown, **p = items;
	size_t want;

	if (nr < *cap)
		return 0;
	want = *cap ? *cap * 2 : ARRAY_FIRST;
	if (want < *cap || want > SIZE_MAX / size)
		return -ENOMEM;
	grown = realloc(*p, want * size);
	if (!grown)
		return -ENOMEM;
	*p = grown;
	*cap = want;
	return 0;
}

#endif /* DWELL_BASE_ARRAY_H */
