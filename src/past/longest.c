/* SPDX-License-Identifier: GPL-2.0 */
/* The longest episodes. See longest.h. */
#include "past/longest.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

int episode__copy(struct episode *out, const struct episode *e)
{
	struct piece *list = calloc(e->parts.nr + 1ul, sizeof(*list));

	if (!list)
		return -ENOMEM;
	if (e->parts.nr)
		memcpy(list, e->parts.list, e->parts.nr * sizeof(*list));
	*out = *e;
	out->parts = (struct pieces){ list, e->parts.nr, e->parts.nr + 1 };
	return 0;
}

void longest__init(struct longest *l, size_t max)
{
	*l = (struct longest){ .max = max };
}

/* Is @a to be kept rather than @b? */
static bool is_longer(const struct episode *a, const struct episode *b)
{
	uint64_t x = a->to - a->from, y = b->to - b->from;

	if (x != y)
		return x > y;
	if (a->from != b->from)
		return a->from < b->from;
	return a->of.life < b->of.life;
}

static void swap(struct episode *a, struct episode *b)
{
	struct episode e = *a;

	*a = *b;
	*b = e;
}

static void sift_up(struct longest *l, size_t at)
{
	for (; at && is_longer(&l->list[(at - 1) / 2], &l->list[at]); at = (at - 1) / 2)
		swap(&l->list[(at - 1) / 2], &l->list[at]);
}

static void sift_down(struct longest *l)
{
	for (size_t at = 0, next;; at = next) {
		next = 2 * at + 1;
		if (next >= l->nr)
			return;
		if (next + 1 < l->nr && is_longer(&l->list[next], &l->list[next + 1]))
			next++;
		if (!is_longer(&l->list[at], &l->list[next]))
			return;
		swap(&l->list[at], &l->list[next]);
	}
}

int longest__add(struct longest *l, const struct episode *e)
{
	struct episode copy;

	l->seen++;
	if (!l->max || (l->nr == l->max && !is_longer(e, &l->list[0])))
		return 0;
	if (episode__copy(&copy, e))
		return -ENOMEM;
	if (l->nr == l->max) {
		free(l->list[0].parts.list);
		l->list[0] = copy;
		sift_down(l);
		return 0;
	}
	if (array__room(&l->list, &l->cap, l->nr, sizeof(*l->list))) {
		free(copy.parts.list);
		return -ENOMEM;
	}
	l->list[l->nr++] = copy;
	sift_up(l, l->nr - 1);
	return 0;
}

static int by_length(const void *a, const void *b)
{
	return is_longer(a, b) ? -1 : is_longer(b, a);
}

static int by_time(const void *a, const void *b)
{
	const struct episode *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

void longest__sort(struct longest *l)
{
	if (l->nr)
		qsort(l->list, l->nr, sizeof(*l->list), by_length);
}

void longest__sort_by_time(struct longest *l)
{
	if (l->nr)
		qsort(l->list, l->nr, sizeof(*l->list), by_time);
}

void longest__clear(struct longest *l)
{
	for (size_t i = 0; i < l->nr; i++)
		free(l->list[i].parts.list);
	free(l->list);
	*l = (struct longest){ 0 };
}
