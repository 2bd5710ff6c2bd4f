/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A log-linear histogram. Each value below 2^SUB_BITS has a bucket of its own; each
 * octave above that has 2^SUB_BITS buckets. A bucket's value is its middle.
 */
#include <errno.h>
#include <stdlib.h>

#include "join/hist.h"

#define SUB	(1u << HIST_SUB_BITS)

static unsigned int octave_of(uint64_t v)
{
	unsigned int bits = 64 - (unsigned int)__builtin_clzll(v | 1);

	return bits <= HIST_SUB_BITS ? 0 : bits - HIST_SUB_BITS;
}

/* Octave 0 holds 0 … SUB-1; octave o ≥ 1 holds SUB << (o-1) … (SUB << o) - 1. */
static unsigned int sub_of(uint64_t v, unsigned int octave)
{
	return octave ? (unsigned int)(v >> (octave - 1)) - SUB : (unsigned int)v;
}

static uint64_t middle(unsigned int octave, unsigned int sub)
{
	uint64_t width;

	if (!octave)
		return sub;
	width = 1ull << (octave - 1);
	return ((uint64_t)(SUB + sub) << (octave - 1)) + (width - 1) / 2;
}

int hist__add(struct hist *h, uint64_t ns)
{
	unsigned int octave = octave_of(ns);

	if (!h->octave[octave]) {
		h->octave[octave] = calloc(SUB, sizeof(*h->octave[octave]));
		if (!h->octave[octave])
			return -ENOMEM;
	}
	h->octave[octave][sub_of(ns, octave)]++;
	if (!h->count || ns < h->min)
		h->min = ns;
	if (ns > h->max)
		h->max = ns;
	h->count++;
	return 0;
}

uint64_t hist__quantile(const struct hist *h, unsigned int permille)
{
	uint64_t rank = (uint64_t)(((unsigned __int128)h->count * permille + 999) / 1000);
	uint64_t seen = 0;

	if (!h->count)
		return 0;
	if (rank < 1)
		rank = 1;
	for (unsigned int o = 0; o < HIST_OCTAVES; o++) {
		if (!h->octave[o])
			continue;
		for (unsigned int s = 0; s < SUB; s++) {
			uint64_t v;

			seen += h->octave[o][s];
			if (seen < rank)
				continue;
			v = middle(o, s);
			return v < h->min ? h->min : v > h->max ? h->max : v;
		}
	}
	return h->max;
}

int hist__merge(struct hist *into, const struct hist *from)
{
	if (!from->count)
		return 0;
	for (unsigned int o = 0; o < HIST_OCTAVES; o++) {
		if (!from->octave[o])
			continue;
		if (!into->octave[o])
			into->octave[o] = calloc(SUB, sizeof(*into->octave[o]));
		if (!into->octave[o])
			return -ENOMEM;
		for (unsigned int s = 0; s < SUB; s++)
			into->octave[o][s] += from->octave[o][s];
	}
	if (!into->count || from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
	into->count += from->count;
	return 0;
}

struct join_quantiles hist__quantiles(const struct hist *h)
{
	return (struct join_quantiles){
		.count = h->count, .p50 = hist__quantile(h, 500), .p99 = hist__quantile(h, 990),
		.max = h->max,
	};
}

void hist__clear(struct hist *h)
{
	for (unsigned int o = 0; o < HIST_OCTAVES; o++)
		free(h->octave[o]);
	*h = (struct hist){ 0 };
}
