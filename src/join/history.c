/* SPDX-License-Identifier: GPL-2.0 */
/* The ring of a thread's intervals. It grows up to HISTORY_MAX, then overwrites the oldest. */
#include <errno.h>
#include <stdlib.h>

#include "base/bisect.h"
#include "join/history.h"

static uint32_t history__kept(const struct history *h)
{
	return h->nr < h->size ? h->nr : h->size;
}

static struct interval *history__back(const struct history *h, uint32_t i)
{
	return &h->ring[(h->nr - 1 - i) & (h->size - 1)];
}

static int history__grow(struct history *h)
{
	uint32_t size = h->size ? h->size * 4 : 16;
	struct interval *ring = malloc(size * sizeof(*ring));

	if (!ring)
		return -ENOMEM;
	/* The ring is full but has not wrapped: it grows before it overwrites anything. */
	for (uint32_t i = 0; i < h->nr; i++)
		ring[i] = h->ring[i];
	free(h->ring);
	h->ring = ring;
	h->size = size;
	return 0;
}

int history__add(struct history *h, uint64_t ts, enum doing doing, enum on_cpu cpu, uint32_t kind)
{
	struct interval iv = { .ts = ts, .kind = kind, .doing = doing, .cpu = cpu };

	if (h->nr) {
		struct interval *last = history__back(h, 0);

		if (iv.ts <= last->ts) {	/* the last interval has no length: replace it */
			iv.ts = last->ts;
			*last = iv;
			return 0;
		}
	}
	if (h->nr == h->size && h->size < HISTORY_MAX && history__grow(h))
		return -ENOMEM;
	h->nr++;
	*history__back(h, 0) = iv;
	/* Keep the count from overflowing; its low bits stay the same. */
	if (h->nr == 1u << 30)
		h->nr -= 1u << 29;
	return 0;
}

struct interval history__now(const struct history *h)
{
	return h->nr ? *history__back(h, 0) : (struct interval){ 0 };
}

/* How many intervals, the latest first, begin at @to or later. */
static uint32_t history__behind(const struct history *h, uint32_t kept, uint64_t to)
{
	/* Most divisions end now. */
	if (!kept || history__back(h, 0)->ts < to)
		return 0;
	return (uint32_t)BISECT(kept, i, history__back(h, (uint32_t)i)->ts >= to);
}

void history__divide(const struct history *h, uint64_t from, uint64_t to,
		     void (*piece)(void *arg, const struct interval *iv, uint64_t ns), void *arg)
{
	static const struct interval unknown;
	uint32_t kept = history__kept(h);

	for (uint32_t i = history__behind(h, kept, to); i < kept && to > from; i++) {
		const struct interval *iv = history__back(h, i);
		uint64_t start = iv->ts > from ? iv->ts : from;

		piece(arg, iv, to - start);
		to = start;
	}
	if (to > from)
		piece(arg, &unknown, to - from);
}

uint64_t history__begin(const struct history *h)
{
	uint32_t kept = history__kept(h);

	return kept ? history__back(h, kept - 1)->ts : UINT64_MAX;
}

bool history__forgot(const struct history *h)
{
	return h->nr > h->size;
}

void history__clear(struct history *h)
{
	free(h->ring);
	*h = (struct history){ 0 };
}
