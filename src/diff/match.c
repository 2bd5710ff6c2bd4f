/* SPDX-License-Identifier: GPL-2.0 */
/* The same costs in two builds. See match.h. */
#include "diff/match.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash_table.h"
#include "diff/align.h"

/* A task, or a place of one, on one side. */
struct thing {
	/* what it has in common with those that it may be: group, and name there */
	const char	*task;		/* without lines; of a place: see below */
	const char	*function, *what;
	uint32_t	 kind;		/* of a place: see place_of() */
	uint32_t	 of;		/* of a place: number of its task; 0: it is a task */
	uint32_t	 line;
	const char	*exact;		/* the name with its lines, to be found again */
	uint32_t	 side;
	uint32_t	 number;	/* the result: equal on both sides */
};

struct things {
	struct thing		*list;
	size_t			 nr, room;
	struct hash_table	 known;		/* index + 1, by its content but number */
	struct hash_table	 bases;		/* first line of a function: see base_of() */
	uint32_t		 numbers;
};

struct match {
	struct frame_names	*names;
	struct things		 tasks, places;
	struct cost_key		*keys[SIDES];	/* until the tasks are settled */
	size_t			 nr[SIDES], room[SIDES];
};

/* ---- lines in names ---- */

/* If a number of a line begins at @p, behind the ':' of "x.rs:12": its length with the ':'. */
static size_t line_at(const char *text, const char *p)
{
	size_t len = 1;

	if (*p != ':' || p - text < 3 || strncmp(p - 3, ".rs", 3) || !isdigit((unsigned char)p[1]))
		return 0;
	while (isdigit((unsigned char)p[len]))
		len++;
	return len;
}

uint32_t text__line(const char *text)
{
	for (const char *p = text; *p; p++)
		if (line_at(text, p))
			return (uint32_t)strtoul(p + 1, NULL, 10);
	return 0;
}

const char *text__without_lines(struct frame_names *names, const char *text)
{
	const char *result;
	char *copy, *out;

	if (!text__line(text))
		return text;
	copy = out = malloc(strlen(text) + 1);
	if (!copy)
		return NULL;
	for (const char *p = text; *p;) {
		size_t len = line_at(text, p);

		if (len)
			p += len;
		else
			*out++ = *p++;
	}
	*out = '\0';
	result = frame_names__safe(names, copy);
	free(copy);
	return result;
}

/* ---- things ---- */

static bool thing__same(const struct thing *a, const struct thing *b)
{
	return a->side == b->side && a->kind == b->kind && a->of == b->of && a->line == b->line &&
	       a->exact == b->exact && a->what == b->what && a->function == b->function;
}

/* May they be the same on two sides? */
static bool thing__alike(const struct thing *a, const struct thing *b)
{
	return a->kind == b->kind && a->of == b->of && a->task == b->task && a->what == b->what &&
	       a->function == b->function;
}

/* The thing, which is created if it is not there. NULL: no memory. */
static struct thing *things__at(struct things *t, const struct thing *thing)
{
	const uintptr_t content[] = { thing->side, thing->kind, thing->of, thing->line,
				      (uintptr_t)thing->exact, (uintptr_t)thing->what,
				      (uintptr_t)thing->function };
	uint64_t hash = hash_table__key(&t->known, (const char *)content, sizeof(content));

	for (;; hash++) {
		struct hash_slot *slot = hash_table__at(&t->known, hash);

		if (!slot)
			return NULL;
		if (!slot->value) {
			if (array__room(&t->list, &t->room, t->nr, sizeof(*t->list)))
				return NULL;
			t->list[t->nr] = *thing;
			slot->value = ++t->nr;
		}
		if (thing__same(&t->list[slot->value - 1], thing))
			return &t->list[slot->value - 1];
	}
}

static void things__clear(struct things *t)
{
	free(t->list);
	hash_table__clear(&t->known);
	hash_table__clear(&t->bases);
}

static int cmp(const void *a, const void *b)
{
	return a < b ? -1 : a > b;
}

/* Those that are alike together, of each side in the order of their lines. */
static int by_likeness(const void *a, const void *b)
{
	const struct thing *x = *(const struct thing *const *)a;
	const struct thing *y = *(const struct thing *const *)b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->of != y->of)
		return x->of < y->of ? -1 : 1;
	if (x->task != y->task)
		return cmp(x->task, y->task);
	if (x->function != y->function)
		return cmp(x->function, y->function);
	if (x->what != y->what)
		return cmp(x->what, y->what);
	if (x->side != y->side)
		return x->side < y->side ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* The slot of the first line of the function of @t on its side; NULL: no memory. */
static struct hash_slot *base_of(struct things *all, const struct thing *t)
{
	const uintptr_t content[] = { t->side, t->of, (uintptr_t)t->function };

	return hash_table__at(&all->bases,
			      hash_table__key(&all->bases, (const char *)content, sizeof(content)));
}

/* How far the line of @t is from the first one of its function. */
static int64_t offset(struct things *all, const struct thing *t)
{
	const struct hash_slot *s = t->of ? base_of(all, t) : NULL;

	return (int64_t)t->line - (s ? (int64_t)s->value : 0);
}

/*
 * Give the same numbers to those of the fewer @few that are the same as those of the @many, in
 * order, so that the differences of their offsets are smallest. Others get numbers of their own.
 */
static int align(struct things *all, struct thing **few, size_t nr_few, struct thing **many,
		 size_t nr_many)
{
	int64_t *lines = calloc(nr_few + nr_many + 1, sizeof(*lines));
	size_t *at = calloc(nr_few + 1, sizeof(*at));
	int err = lines && at ? 0 : -ENOMEM;

	for (size_t i = 0; i < nr_few && !err; i++)
		lines[i] = offset(all, few[i]);
	for (size_t i = 0; i < nr_many && !err; i++) {
		lines[nr_few + i] = offset(all, many[i]);
		many[i]->number = ++all->numbers;
	}
	if (!err)
		err = align__lines(lines, nr_few, lines + nr_few, nr_many, at);
	for (size_t i = 0; i < nr_few && !err; i++)
		few[i]->number = many[at[i]]->number;
	free(lines);
	free(at);
	return err;
}

static int things__settle(struct things *t)
{
	struct thing **order = calloc(t->nr + 1, sizeof(struct thing *));
	int err = order ? 0 : -ENOMEM;

	for (size_t i = 0; i < t->nr && !err; i++) {
		struct hash_slot *s = t->list[i].of ? base_of(t, &t->list[i]) : NULL;

		order[i] = &t->list[i];
		if (t->list[i].of && !s)
			err = -ENOMEM;
		else if (s && (!s->value || s->value > t->list[i].line))
			s->value = t->list[i].line;
	}
	if (!err && t->nr)
		qsort(order, t->nr, sizeof(struct thing *), by_likeness);
	for (size_t from = 0, to, mid; from < t->nr && !err; from = to) {
		for (to = from; to < t->nr && thing__alike(order[from], order[to]);)
			to++;
		for (mid = from; mid < to && !order[mid]->side;)
			mid++;
		if (mid - from <= to - mid)
			err = align(t, order + from, mid - from, order + mid, to - mid);
		else
			err = align(t, order + mid, to - mid, order + from, mid - from);
	}
	free(order);
	return err;
}

/* ---- costs ---- */

struct match *match__new(struct frame_names *names)
{
	struct match *m = calloc(1, sizeof(*m));

	if (m)
		m->names = names;
	return m;
}

void match__free(struct match *m)
{
	if (!m)
		return;
	things__clear(&m->tasks);
	things__clear(&m->places);
	for (unsigned int side = 0; side < SIDES; side++)
		free(m->keys[side]);
	free(m);
}

static struct thing *task_of(struct match *m, unsigned int side, const struct cost_key *key)
{
	struct thing task = { .task = text__without_lines(m->names, key->task), .exact = key->task,
			      .line = text__line(key->task), .side = side };

	return task.task ? things__at(&m->tasks, &task) : NULL;
}

static struct thing *place_of(struct match *m, unsigned int side, const struct cost_key *key,
			      uint32_t task)
{
	/* the number of waits is that of the place where they wait */
	struct thing place = { .kind = key->kind == COST_WAITS ? COST_AWAIT : key->kind,
			       .function = text__without_lines(m->names, key->function),
			       .what = text__without_lines(m->names, key->what), .of = task,
			       .line = key->line ? key->line : text__line(key->function),
			       .exact = key->function, .side = side };

	return place.function && place.what ? things__at(&m->places, &place) : NULL;
}

int match__add(struct match *m, unsigned int side, const struct cost_key *key)
{
	if (!task_of(m, side, key) ||
	    array__room(&m->keys[side], &m->room[side], m->nr[side], sizeof(*m->keys[side])))
		return -ENOMEM;
	m->keys[side][m->nr[side]++] = *key;
	return 0;
}

int match__settle(struct match *m)
{
	int err = things__settle(&m->tasks);

	for (unsigned int side = 0; side < SIDES && !err; side++)
		for (size_t i = 0; i < m->nr[side] && !err; i++)
			if (!place_of(m, side, &m->keys[side][i],
				      task_of(m, side, &m->keys[side][i])->number))
				err = -ENOMEM;
	return err ? err : things__settle(&m->places);
}

int match__get(struct match *m, unsigned int side, const struct cost_key *key, struct cost_id *out)
{
	const struct thing *task = task_of(m, side, key);
	const struct thing *place = task ? place_of(m, side, key, task->number) : NULL;

	memset(out, 0, sizeof(*out));
	if (!place)
		return -ENOMEM;
	out->kind = key->kind;
	out->idle = key->idle;
	out->task = task->number;
	out->place = place->number;
	out->part = text__without_lines(m->names, key->part);
	return out->part ? 0 : -ENOMEM;
}
