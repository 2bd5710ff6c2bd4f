/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Times at which the target was stopped: a sorted list. See stops.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "join/stops.h"

int stops__add(struct stops *s, uint32_t tid, uint64_t out, uint64_t in)
{
	uint64_t others = s->active[s->active[0].tid == tid].ts;
	uint64_t from = out > others ? out : others;

	/* Other threads tell of the same stop. */
	if (from >= in || (s->nr && out < s->last) || s->nr == STOPS_MAX)
		return 0;
	if (s->nr == s->size) {
		uint32_t size = s->size ? s->size * 2 : 4;
		struct stop *list = reallocarray(s->list, size, sizeof(*list));

		if (!list)
			return -ENOMEM;
		s->list = list;
		s->size = size;
	}
	s->list[s->nr++] = (struct stop){ from, in };
	s->last = in;
	return 0;
}

bool stops__find(const struct stops *s, uint64_t from, uint64_t to, struct stop *out)
{
	uint32_t lo = 0, hi = s->nr;

	/* The first that ends after @from. */
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (s->list[mid].to > from)
			hi = mid;
		else
			lo = mid + 1;
	}
	if (lo == s->nr || s->list[lo].from >= to)
		return false;
	out->from = s->list[lo].from > from ? s->list[lo].from : from;
	out->to = s->list[lo].to < to ? s->list[lo].to : to;
	return true;
}

uint64_t stops__within(const struct stops *s, uint64_t from, uint64_t to)
{
	struct stop stop;
	uint64_t ns = 0;

	for (; from < to && stops__first(s, from, to, &stop); from = stop.to)
		ns += stop.to - stop.from;
	return ns;
}

void stops__clear(struct stops *s)
{
	free(s->list);
	*s = (struct stops){ 0 };
}
