/* SPDX-License-Identifier: GPL-2.0 */
/* Merges what is beyond the largest entries into one. See others.h. */
#include "join/others.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "base/sum.h"

#define NAMED	(OTHERS_FROM - 1)

/* @uncounted: the entry includes "others" already, so their number is not known. */
static const char *name_of(struct frame_names *names, size_t nr, bool uncounted)
{
	char count[QUANTITY_MAX];

	return uncounted ? frame_names__safe(names, OTHERS_UNCOUNTED)
			 : frame_names__safef(names, "%s others", quantity__count(nr, count));
}

static bool is_uncounted(const char *name)
{
	return !strcmp(name, OTHERS_UNCOUNTED);
}

/* ---- rows ---- */

/* Do two rows differ only in their last frame, the detail? */
static bool alike(const struct join_row *a, const struct join_row *b)
{
	if (a->nr != b->nr || b->frames[b->nr - 1].kind != JOIN_FRAME_DETAIL)
		return false;
	/* Compared from the end: the frames that differ are most likely there. */
	for (uint32_t i = a->nr - 1; i--;)
		if (a->frames[i].name != b->frames[i].name)
			return false;
	return true;
}

static int by_ns(const void *a, const void *b)
{
	const struct join_row *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return strcmp(x->frames[x->nr - 1].name, y->frames[y->nr - 1].name);
}

/* @rows differ only in the detail; the first OTHERS_FROM remain. */
static int merge_rows(struct frame_names *names, struct join_row *rows, size_t nr,
		      struct join_frame *frames)
{
	bool uncounted = false;
	struct join_row *rest;

	qsort(rows, nr, sizeof(*rows), by_ns);
	rest = &rows[NAMED];
	for (size_t i = NAMED; i < nr; i++) {
		uncounted |= is_uncounted(rows[i].frames[rows[i].nr - 1].name);
		if (i > NAMED)
			sum__add(&rest->ns, rows[i].ns);
	}
	frames = &frames[rest->frames - frames];
	frames[rest->nr - 1].name = name_of(names, nr - NAMED, uncounted);
	return frames[rest->nr - 1].name ? 0 : -ENOMEM;
}

int others__rows(struct frame_names *names, struct join_row *rows, size_t *nr,
		 struct join_frame *frames)
{
	size_t first = 0, out = 0;
	int err = 0;

	while (first < *nr && !err) {
		size_t end = first + 1, kept;

		if (rows[first].frames[rows[first].nr - 1].kind == JOIN_FRAME_DETAIL)
			while (end < *nr && alike(&rows[first], &rows[end]))
				end++;
		kept = end - first;
		if (kept > OTHERS_FROM) {
			err = merge_rows(names, &rows[first], kept, frames);
			kept = OTHERS_FROM;
		}
		memmove(&rows[out], &rows[first], kept * sizeof(*rows));
		out += kept;
		first = end;
	}
	*nr = out;
	return err;
}

/* ---- sums ---- */

int others__sums(struct frame_names *names, struct join_sum *sums, size_t *nr)
{
	struct join_sum rest = { 0 };
	bool uncounted = false;
	size_t at = NAMED;

	if (*nr <= OTHERS_FROM)
		return 0;
	for (size_t i = NAMED; i < *nr; i++) {
		uncounted |= is_uncounted(sums[i].name);
		sum__add(&rest.ns, sums[i].ns);
	}
	rest.others = uncounted ? JOIN_UNCOUNTED : *nr - NAMED - 1;
	rest.name = name_of(names, *nr - NAMED, uncounted);
	if (!rest.name)
		return -ENOMEM;
	for (; at && sums[at - 1].ns < rest.ns; at--)
		sums[at] = sums[at - 1];
	sums[at] = rest;
	*nr = OTHERS_FROM;
	return 0;
}
