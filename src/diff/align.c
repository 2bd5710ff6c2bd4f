/* SPDX-License-Identifier: GPL-2.0 */
/* Lines of two versions of the code. See align.h. */
#include "diff/align.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define STEPS_MAX	(1ull << 27)	/* a second; no code has so many lines that are alike */

/* The cheapest way to match some of the few, the last of them with a certain one. */
struct way {
	uint64_t	bends;		/* how much the shifts change, in all */
	uint64_t	shifts;		/* their sum */
	uint32_t	previous;	/* of the many: what the one before is */
};

static uint64_t distance(int64_t a, int64_t b)
{
	return a < b ? (uint64_t)(b - a) : (uint64_t)(a - b);
}

/*
 * How much a shift differs from the one before. Of two that are as near, code has rather moved
 * down: the many have lines that the few have not.
 */
static uint64_t bend(int64_t before, int64_t shift)
{
	return 2 * distance(before, shift) + (shift < before);
}

static bool better(const struct way *a, const struct way *b)
{
	return a->bends < b->bends || (a->bends == b->bends && a->shifts < b->shifts);
}

/* How far @shift of the line @few is from that of the nearest anchor before, or behind. */
static uint64_t off_anchors(const struct anchor *anchors, size_t nr, int64_t few, int64_t shift)
{
	uint64_t off = 0;
	size_t i = 0;

	while (i < nr && anchors[i].few < few)
		i++;
	if (i)
		off = 2 * distance(shift, anchors[i - 1].many - anchors[i - 1].few);
	if (i < nr && (!i || 2 * distance(shift, anchors[i].many - anchors[i].few) < off))
		off = 2 * distance(shift, anchors[i].many - anchors[i].few);
	return off;
}

int align__lines(const int64_t *few, size_t nr_few, const int64_t *many, size_t nr_many,
		 const struct anchor *anchors, size_t nr_anchors, size_t *out)
{
	size_t spare = nr_many - nr_few, width = spare + 1, i, k, p;
	struct way *ways = NULL;

	for (i = 0; i < nr_few; i++)
		out[i] = i;
	if (!nr_few || !spare || (uint64_t)nr_few * width > STEPS_MAX / width)
		return 0;
	ways = calloc(nr_few * width, sizeof(*ways));
	if (!ways)
		return -ENOMEM;
	/* ways[i][k]: the few up to i, which is many[i + k] */
	for (i = 0; i < nr_few; i++) {
		for (k = 0; k < width; k++) {
			int64_t shift = many[i + k] - few[i];
			struct way *way = &ways[i * width + k];

			for (p = 0; i && p <= k; p++) {
				struct way from = ways[(i - 1) * width + p];

				from.bends += bend(many[i - 1 + p] - few[i - 1], shift);
				from.previous = (uint32_t)p;
				if (!p || better(&from, way))
					*way = from;
			}
			/* where nothing tells better, the code before has not moved */
			if (!i && !nr_anchors)
				way->bends = bend(0, shift);
			way->bends += off_anchors(anchors, nr_anchors, few[i], shift);
			way->shifts += distance(shift, 0);
		}
	}
	for (k = 0, p = 0; k < width; k++)
		if (better(&ways[(nr_few - 1) * width + k], &ways[(nr_few - 1) * width + p]))
			p = k;
	for (i = nr_few; i--; p = ways[i * width + p].previous)
		out[i] = i + p;
	free(ways);
	return 0;
}
