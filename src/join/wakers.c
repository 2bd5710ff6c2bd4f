/* SPDX-License-Identifier: GPL-2.0 */
/* The table of those who wake. See wakers.h. */
#include "join/wakers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "join/crate_path.h"

int64_t wakers__number(struct wakers *w, const struct waker *waker)
{
	uint64_t key = hash_table__key(&w->known, (const char *)waker, sizeof(*waker));

	for (;; key++) {
		struct hash_slot *slot = hash_table__at(&w->known, key);

		if (!slot)
			return -ENOMEM;
		if (!slot->value) {
			if (array__room(&w->list, &w->room, w->nr, sizeof(*w->list)))
				return -ENOMEM;
			w->list[w->nr++] = *waker;
			slot->value = w->nr;
		}
		if (!memcmp(&w->list[slot->value - 1], waker, sizeof(*waker)))
			return (int64_t)slot->value - 1;
	}
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

const struct trace_user_frame *waker__place(const struct trace_user_stack *st)
{
	for (uint32_t i = 0; st && i < st->nr; i++) {
		const struct trace_user_frame *f = &st->frames[i];

		if (*f->function && *f->path && !crate_path__foreign(f->path))
			return f;
	}
	return NULL;
}
