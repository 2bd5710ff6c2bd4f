/* SPDX-License-Identifier: GPL-2.0 */
/* The times in which the target was stopped: a sorted array. See stops.h. */
#include <errno.h>
#include <stdlib.h>

#include "join/stops.h"

int stops__add(struct stops *s, uint32_t tid, uint64_t out, uint64_t in)
{
	uint64_t others = s->active[s->active[0].tid == tid].ts;
	uint64_t from = out > others ? out : others;

	/* Each thread reports the same stop; only the first report counts. */
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
	s->list[s->nr++] = (struct stop){ from, in, s->ns };
	s->last = in;
	s->ns += in - from;
	return 0;
}

/* Index of the first stop that begins at @ts or later. */
static uint32_t stops__from(const struct stops *s, uint64_t ts)
{
	uint32_t lo = 0, hi = s->nr;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (s->list[mid].from >= ts)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

uint64_t stops__before_slow(const struct stops *s, uint64_t ts)
{
	uint32_t lo = stops__from(s, ts);
	const struct stop *stop;

	if (!lo)
		return 0;
	stop = &s->list[lo - 1];
	return stop->before + (stop->to < ts ? stop->to : ts) - stop->from;
}

void stops__divide(const struct stops *s, uint64_t from, uint64_t to,
		   void (*piece)(void *arg, uint64_t from, uint64_t to, bool stopped), void *arg)
{
	uint32_t i = stops__from(s, from);

	i -= i && s->list[i - 1].to > from;
	for (; i < s->nr && s->list[i].from < to && from < to; i++) {
		uint64_t begin = s->list[i].from > from ? s->list[i].from : from;
		uint64_t end = s->list[i].to < to ? s->list[i].to : to;

		if (begin > from)
			piece(arg, from, begin, false);
		piece(arg, begin, end, true);
		from = end;
	}
	if (from < to)
		piece(arg, from, to, false);
}

void stops__clear(struct stops *s)
{
	free(s->list);
	*s = (struct stops){ 0 };
}
