/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The order of await points in reports. See report.h.
 */
#include "output/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/sum.h"

/* The names that users choose an order by. */
static const char *const names[OUTPUT_SORT_NR] = {
	[OUTPUT_SORT_TOTAL]	= "total",
	[OUTPUT_SORT_AWAIT]	= "await",
	[OUTPUT_SORT_READY]	= "ready",
	[OUTPUT_SORT_COUNT]	= "count",
	[OUTPUT_SORT_P99]		= "p99",
	[OUTPUT_SORT_MAX]		= "max",
};

const char *output_sort__name(enum output_sort sort)
{
	return names[sort];
}

bool output_sort__find(const char *name, enum output_sort *sort)
{
	for (int i = 0; i < OUTPUT_SORT_NR; i++)
		if (!strcmp(names[i], name)) {
			*sort = (enum output_sort)i;
			return true;
		}
	return false;
}

static uint64_t key(const struct join_point *p, enum output_sort sort)
{
	uint64_t v = 0;

	switch (sort) {
	case OUTPUT_SORT_TOTAL:
		v = p->await_ns;
		sum__add(&v, p->ready_ns);
		return v;
	case OUTPUT_SORT_AWAIT:
		return p->await_ns;
	case OUTPUT_SORT_READY:
		return p->ready_ns;
	case OUTPUT_SORT_COUNT:
		v = p->count;
		sum__add(&v, p->open);
		return v;
	case OUTPUT_SORT_P99:
		return p->await.p99;
	case OUTPUT_SORT_MAX:
		return p->await.max;
	case OUTPUT_SORT_NR:
		break;
	}
	return v;
}

struct ranked {
	uint64_t			 key;
	const struct join_point		*point;
};

/*
 * All points are in one array, so comparing addresses keeps the join's order among
 * equal keys.
 */
static int by_key(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->key != y->key)
		return x->key > y->key ? -1 : 1;
	return x->point < y->point ? -1 : x->point > y->point;
}

const struct join_point **output_report__points(const struct join *j,
						const struct output_opts *opts, size_t usual,
						size_t *nr)
{
	size_t all, top = opts->top ? opts->top : usual;
	const struct join_point *points = join__points(j, &all);
	const struct join_point **list = calloc(all + 1, sizeof(*list));
	struct ranked *ranked = calloc(all + 1, sizeof(*ranked));

	for (size_t i = 0; list && ranked && i < all; i++)
		ranked[i] = (struct ranked){ key(&points[i], opts->sort), &points[i] };
	if (list && ranked) {
		qsort(ranked, all, sizeof(*ranked), by_key);
		for (size_t i = 0; i < all; i++)
			list[i] = ranked[i].point;
	} else {
		free(list);
		list = NULL;
	}
	free(ranked);
	*nr = top && top < all ? top : all;
	return list;
}
