/* SPDX-License-Identifier: GPL-2.0 */
/* The same stacks in two recordings. See stacks.h. */
#include "diff/stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>


/* A row, and its frames without lines: equal names have equal pointers on both sides. */
struct stack {
	const struct join_row	*row;
	const char		**names;
	uint32_t		 side;
};

static int name_frames(struct frame_names *names, struct stack *s)
{
	s->names = calloc(s->row->nr + 1ul, sizeof(*s->names));
	for (uint32_t i = 0; s->names && i < s->row->nr; i++) {
		const char *name = text__without_lines(names, s->row->frames[i].name);

		s->names[i] = name ? frame_names__safe(names, name) : NULL;
		if (!s->names[i])
			return -ENOMEM;
	}
	return s->names ? 0 : -ENOMEM;
}

/* By the frames without lines; then the sides apart, each by the lines from the root on. */
static int by_names(const void *a, const void *b)
{
	const struct stack *x = a, *y = b;
	uint32_t nr = x->row->nr < y->row->nr ? x->row->nr : y->row->nr;

	for (uint32_t i = 0; i < nr; i++)
		if (x->names[i] != y->names[i])
			return x->names[i] < y->names[i] ? -1 : 1;
	if (x->row->nr != y->row->nr)
		return x->row->nr < y->row->nr ? -1 : 1;
	if (x->side != y->side)
		return x->side < y->side ? -1 : 1;
	for (uint32_t i = 0; i < nr; i++) {
		uint32_t p = text__line(x->row->frames[i].name);
		uint32_t q = text__line(y->row->frames[i].name);

		if (p != q)
			return p < q ? -1 : 1;
	}
	return x->row < y->row ? -1 : x->row > y->row;
}

static bool alike(const struct stack *a, const struct stack *b)
{
	return a->row->nr == b->row->nr &&
	       !memcmp(a->names, b->names, a->row->nr * sizeof(*a->names));
}

/* Pairs the stacks from @from to @to, which are alike. */
static void pair_up(struct stack_pairs *p, struct stack *from, struct stack *to)
{
	struct stack *mid = from;

	while (mid < to && !mid->side)
		mid++;
	for (struct stack *a = from, *b = mid; a < mid || b < to;) {
		struct stack_pair *pair = &p->list[p->nr++];

		if (b < to)
			*pair = (struct stack_pair){ .row = b->row, .ns[1] = b->row->ns };
		if (a < mid) {
			pair->row = pair->row ? pair->row : a->row;
			pair->ns[0] = a->row->ns;
		}
		a += a < mid;
		b += b < to;
	}
}

/* Rows of one join are in one array, in order; those that are gone come last. */
static int by_row(const void *a, const void *b)
{
	const struct stack_pair *x = a, *y = b;

	if (!x->ns[1] != !y->ns[1])
		return x->ns[1] ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

int stack_pairs__make(struct join *const j[SIDES], struct stack_pairs *out)
{
	struct frame_names *names = frame_names__new();
	const struct join_row *rows[SIDES];
	struct stack *all = NULL;
	size_t nr[SIDES], at = 0;
	int err = 0;

	for (unsigned int side = 0; side < SIDES; side++)
		rows[side] = join__rows(j[side], &nr[side]);
	all = calloc(nr[0] + nr[1] + 1, sizeof(*all));
	*out = (struct stack_pairs){ .list = calloc(nr[0] + nr[1] + 1, sizeof(*out->list)) };
	if (!names || !all || !out->list)
		err = -ENOMEM;
	for (unsigned int side = 0; side < SIDES; side++)
		for (size_t i = 0; i < nr[side] && !err; i++) {
			all[at] = (struct stack){ .row = &rows[side][i], .side = side };
			err = name_frames(names, &all[at++]);
		}
	if (!err && at)
		qsort(all, at, sizeof(*all), by_names);
	for (size_t from = 0, to; from < at && !err; from = to) {
		for (to = from + 1; to < at && alike(&all[from], &all[to]);)
			to++;
		pair_up(out, all + from, all + to);
	}
	if (!err && out->nr)
		qsort(out->list, out->nr, sizeof(*out->list), by_row);
	for (size_t i = 0; all && i < at; i++)
		free(all[i].names);
	free(all);
	frame_names__free(names);
	if (err)
		stack_pairs__clear(out);
	return err;
}

void stack_pairs__clear(struct stack_pairs *p)
{
	free(p->list);
	*p = (struct stack_pairs){ 0 };
}
