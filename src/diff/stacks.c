/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The same stacks in two recordings. See stacks.h. All stacks are gone through level by level
 * from the root; those that have been the same so far are in one group.
 */
#include "diff/stacks.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "diff/align.h"

/* A row, and its frame on the level that is looked at. */
struct stack {
	const struct join_row	*row;
	struct join_frame	*frames;	/* before: as they are called after */
	const char		*plain, *exact;	/* without and with lines; equal pointers */
	uint32_t		 line, side;
	uint64_t		 group;
};

/* A name that frames of one side have. */
struct variant {
	const struct join_frame	*frame;
	const char		*exact;
	int64_t			 line;
	bool			 matched;
	uint64_t		 group;
};

struct level {
	struct frame_names	*names;
	struct stack		**list;		/* those that reach it */
	size_t			 nr;
	struct variant		*variants[SIDES];
	int64_t			*lines;
	size_t			*at;
	uint64_t		 groups;	/* so many numbers have been used */
};

/* ---- names ---- */

static bool is_address(const struct join_frame *f)
{
	return f->kind == JOIN_FRAME_DETAIL &&
	       (!strncmp(f->name, "tcp ", 4) || !strncmp(f->name, "udp ", 4));
}

/* "tcp 10.0.0.7:5432 (peer)" as "tcp 10.0.0.7 (peer)". NULL: no memory. */
static const char *without_ports(struct frame_names *names, const char *text)
{
	const char *result;
	char *copy = malloc(strlen(text) + 1), *out = copy;

	if (!copy)
		return NULL;
	while (*text) {
		size_t digits = *text == ':' ? strspn(text + 1, "0123456789") : 0;

		if (digits && (!text[1 + digits] || text[1 + digits] == ' '))
			text += 1 + digits;
		else
			*out++ = *text++;
	}
	*out = '\0';
	result = frame_names__safe(names, copy);
	free(copy);
	return result;
}

static int name_frame(struct level *l, struct stack *s, uint32_t depth)
{
	const struct join_frame *f = &s->row->frames[depth];
	const char *plain = is_address(f) ? without_ports(l->names, f->name) :
					    text__without_lines(l->names, f->name);

	s->plain = plain ? frame_names__safe(l->names, plain) : NULL;
	s->exact = frame_names__safe(l->names, f->name);
	s->line = text__line(f->name);
	return s->plain && s->exact ? 0 : -ENOMEM;
}

/* ---- a group ---- */

static int by_name(const void *a, const void *b)
{
	const struct stack *x = *(const struct stack *const *)a;
	const struct stack *y = *(const struct stack *const *)b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (x->plain != y->plain)
		return x->plain < y->plain ? -1 : 1;
	if (x->side != y->side)
		return x->side < y->side ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return strcmp(x->exact, y->exact);
}

/* The names of the stacks from @from to @to, which are of one side, into @v. Their number. */
static size_t variants_of(const struct level *l, size_t from, size_t to, uint32_t depth,
			  struct variant *v)
{
	size_t nr = 0;

	for (size_t i = from; i < to; i++) {
		const struct stack *s = l->list[i];

		if (!nr || v[nr - 1].exact != s->exact)
			v[nr++] = (struct variant){ .frame = &s->row->frames[depth],
						    .exact = s->exact, .line = s->line };
	}
	return nr;
}

static void same(struct variant *before, struct variant *after)
{
	before->matched = after->matched = true;
	before->frame = after->frame;
	before->group = after->group;
}

static struct variant *named(struct variant *v, size_t nr, const char *exact)
{
	for (size_t i = 0; i < nr; i++)
		if (v[i].exact == exact)
			return &v[i];
	return NULL;
}

/* Match those that have the same name, lines and ports included. Their number. */
static size_t match_exactly(struct variant *a, size_t nr_a, struct variant *b, size_t nr_b)
{
	size_t nr = 0;

	for (size_t i = 0; i < nr_a; i++) {
		struct variant *other = named(b, nr_b, a[i].exact);

		if (other) {
			same(&a[i], other);
			nr++;
		}
	}
	return nr;
}

/* By their lines: see align.h. */
static int match_lines(struct level *l, struct variant *a, size_t nr_a, struct variant *b,
		       size_t nr_b)
{
	bool fewer = nr_a <= nr_b;
	struct variant *few = fewer ? a : b, *many = fewer ? b : a;
	size_t nr_few = fewer ? nr_a : nr_b, nr_many = fewer ? nr_b : nr_a;
	int err;

	for (size_t i = 0; i < nr_few; i++)
		l->lines[i] = few[i].line;
	for (size_t i = 0; i < nr_many; i++)
		l->lines[nr_few + i] = many[i].line;
	err = align__lines(l->lines, nr_few, l->lines + nr_few, nr_many, NULL, 0, l->at);
	for (size_t i = 0; i < nr_few && !err; i++)
		same(fewer ? &a[i] : &a[l->at[i]], fewer ? &b[l->at[i]] : &b[i]);
	return err;
}

static void match_ports(struct variant *a, size_t nr_a, struct variant *b, size_t nr_b)
{
	size_t nr = match_exactly(a, nr_a, b, nr_b);

	if (nr_a != nr + 1 || nr_b != nr + 1)
		return;
	while (a->matched)
		a++;
	while (b->matched)
		b++;
	same(a, b);
}

/* Match the frames of the stacks from @from to @to: those before @mid are of before. */
static int match_group(struct level *l, size_t from, size_t mid, size_t to, uint32_t depth)
{
	struct variant *a = l->variants[0], *b = l->variants[1];
	size_t nr_a = variants_of(l, from, mid, depth, a);
	size_t nr_b = variants_of(l, mid, to, depth, b), k;
	int err = 0;

	for (size_t i = 0; i < nr_b; i++)
		b[i].group = ++l->groups;
	if (nr_a && nr_b && is_address(a->frame))
		match_ports(a, nr_a, b, nr_b);
	else if (nr_a && nr_b)
		err = match_lines(l, a, nr_a, b, nr_b);
	if (err)
		return err;
	k = 0;
	for (size_t i = from; i < mid; i++) {
		struct stack *s = l->list[i];
		struct join_frame *frame = &s->frames[depth];

		while (a[k].exact != s->exact)
			k++;
		if (!a[k].group)
			a[k].group = ++l->groups;
		s->group = a[k].group;
		*frame = *a[k].frame;
		if (!a[k].matched && named(b, nr_b, s->exact))
			frame->name = frame_names__safef(l->names, "%s, before", s->exact);
		if (!frame->name)
			return -ENOMEM;
	}
	k = 0;
	for (size_t i = mid; i < to; i++) {
		while (b[k].exact != l->list[i]->exact)
			k++;
		l->list[i]->group = b[k].group;
	}
	return 0;
}

/* ---- all ---- */

static int match_level(struct level *l, uint32_t depth)
{
	size_t from, mid, to;
	int err = 0;

	for (size_t i = 0; i < l->nr && !err; i++)
		err = name_frame(l, l->list[i], depth);
	if (err)
		return err;
	qsort(l->list, l->nr, sizeof(struct stack *), by_name);
	for (from = 0; from < l->nr && !err; from = to) {
		uint64_t group = l->list[from]->group;
		const char *plain = l->list[from]->plain;

		for (to = from; to < l->nr && l->list[to]->group == group &&
				l->list[to]->plain == plain;)
			to++;
		for (mid = from; mid < to && !l->list[mid]->side;)
			mid++;
		/* new groups have numbers that no stack behind has */
		err = match_group(l, from, mid, to, depth);
	}
	return err;
}

static int match_all(struct level *l, struct stack *all, size_t nr)
{
	int err = 0;

	for (uint32_t depth = 0; !err; depth++) {
		l->nr = 0;
		for (size_t i = 0; i < nr; i++)
			if (all[i].row->nr > depth)
				l->list[l->nr++] = &all[i];
		if (!l->nr)
			break;
		err = match_level(l, depth);
	}
	return err;
}

/* Those that are the same, before first. */
static int by_group(const void *a, const void *b)
{
	const struct stack *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (x->side != y->side)
		return x->side < y->side ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

/* The rows of one join are in one array, in order; those that are gone come last. */
static int by_row(const void *a, const void *b)
{
	const struct stack_pair *x = a, *y = b;

	if (!x->ns[1] != !y->ns[1])
		return x->ns[1] ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static void pair_up(struct stack_pairs *out, struct stack *all, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct stack *s = &all[i];
		struct stack_pair *pair;

		if (!i || s->group != s[-1].group)
			out->nr++;
		pair = &out->list[out->nr - 1];
		pair->row = s->row;
		pair->frames = s->side ? s->row->frames : s->frames;
		pair->ns[s->side] += s->row->ns;
	}
	qsort(out->list, out->nr, sizeof(*out->list), by_row);
}

/* The rows of @side, behind those that @all has already. */
static void take(struct join *j, uint32_t side, struct stack *all, struct join_frame *copies)
{
	const struct join_row *rows;
	size_t nr;

	rows = join__rows(j, &nr);
	for (size_t i = 0; i < nr; i++) {
		all[i] = (struct stack){ .row = &rows[i], .side = side };
		if (side)
			continue;
		all[i].frames = copies;
		memcpy(copies, rows[i].frames, rows[i].nr * sizeof(*copies));
		copies += rows[i].nr;
	}
}

static size_t count_frames(struct join *j, size_t *nr_rows)
{
	const struct join_row *rows = join__rows(j, nr_rows);
	size_t nr = 0;

	for (size_t i = 0; i < *nr_rows; i++)
		nr += rows[i].nr;
	return nr;
}

int stack_pairs__make(struct join *const j[SIDES], struct stack_pairs *out)
{
	size_t before, after, nr, nr_frames = count_frames(j[0], &before);
	struct stack *all;
	struct level l;
	int err = -ENOMEM;

	count_frames(j[1], &after);
	nr = before + after;
	all = calloc(nr + 1, sizeof(*all));
	l = (struct level){
		.names = frame_names__new(),
		.list = calloc(nr + 1, sizeof(*l.list)),
		.variants = { calloc(before + 1, sizeof(struct variant)),
			      calloc(after + 1, sizeof(struct variant)) },
		.lines = calloc(nr + 1, sizeof(*l.lines)),
		.at = calloc(nr + 1, sizeof(*l.at)),
	};
	*out = (struct stack_pairs){
		.list = calloc(nr + 1, sizeof(*out->list)),
		.frames = calloc(nr_frames + 1, sizeof(*out->frames)),
		.names = l.names,
	};
	if (all && l.names && l.list && l.variants[0] && l.variants[1] && l.lines && l.at &&
	    out->list && out->frames) {
		take(j[0], 0, all, out->frames);
		take(j[1], 1, all + before, NULL);
		err = match_all(&l, all, nr);
	}
	if (!err && nr) {
		qsort(all, nr, sizeof(*all), by_group);
		pair_up(out, all, nr);
	}
	free(all);
	free(l.list);
	free(l.variants[0]);
	free(l.variants[1]);
	free(l.lines);
	free(l.at);
	if (err)
		stack_pairs__clear(out);
	return err;
}

void stack_pairs__clear(struct stack_pairs *p)
{
	free(p->list);
	free(p->frames);
	if (p->names)
		frame_names__free(p->names);
	*p = (struct stack_pairs){ 0 };
}
