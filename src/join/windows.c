/* SPDX-License-Identifier: GPL-2.0 */
/* A short sorted array: losses are rare, or each goes on for long. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "join/windows.h"

int windows__add(struct windows *w, uint64_t first, uint64_t last)
{
	if (last < first)
		last = first;
	if (w->nr && first <= w->list[w->nr - 1].last) {
		struct window *end = &w->list[w->nr - 1];

		if (first < end->first)
			end->first = first;
		if (last > end->last)
			end->last = last;
		w->last = end->last;
		return 0;
	}
	if (w->nr == WINDOWS_MAX) {
		w->list[1].first = w->list[0].first;
		memmove(w->list, w->list + 1, (w->nr - 1) * sizeof(*w->list));
		w->nr--;
	}
	if (w->nr == w->size) {
		uint32_t size = w->size ? w->size * 2 : 16;
		struct window *list = reallocarray(w->list, size, sizeof(*list));

		if (!list)
			return -ENOMEM;
		w->list = list;
		w->size = size;
	}
	w->list[w->nr++] = (struct window){ first, last };
	w->last = last;
	return 0;
}

uint64_t windows__known_until_slow(const struct windows *w, uint64_t since, uint64_t now)
{
	uint32_t lo = 0, hi = w->nr;

	/* The first window that ends after @since. */
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (w->list[mid].last > since)
			hi = mid;
		else
			lo = mid + 1;
	}
	if (lo == w->nr || w->list[lo].first >= now)
		return now;
	return w->list[lo].first > since ? w->list[lo].first : since;
}

void windows__clear(struct windows *w)
{
	free(w->list);
	*w = (struct windows){ 0 };
}
