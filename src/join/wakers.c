/* SPDX-License-Identifier: GPL-2.0 */
/* The table of those who wake. See wakers.h. */
#include "join/wakers.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

int64_t wakers__number(struct wakers *w, uint32_t kind, uint32_t chain)
{
	struct hash_slot *slot = hash_table__at(&w->known, (uint64_t)kind << 32 | chain);

	if (!slot)
		return -ENOMEM;
	if (!slot->value) {
		if (array__room(&w->list, &w->room, w->nr, sizeof(*w->list)))
			return -ENOMEM;
		w->list[w->nr++] = (struct waker){ kind, chain };
		slot->value = w->nr;
	}
	return (int64_t)slot->value - 1;
}

const struct waker *wakers__get(const struct wakers *w, uint32_t number)
{
	return &w->list[number];
}

void wakers__clear(struct wakers *w)
{
	free(w->list);
	hash_table__clear(&w->known);
}
