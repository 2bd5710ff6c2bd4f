/* SPDX-License-Identifier: GPL-2.0 */
/* The same costs in two builds. See match.h. */
#include "diff/match.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bisect.h"
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

/* The same line of a function on both sides. */
struct pinned {
	uint32_t	of;
	const char	*function;
	int64_t		line[2];	/* by side */
};

/* Things that are alike: those before @mid are of side 0. */
struct alike {
	struct thing	**list;
	size_t		 mid, nr;
};

/* What it takes to settle things. */
struct settling {
	struct things	*all;
	struct thing	**order;
	struct pinned	*pinned;
	size_t		 nr_pinned;
	int64_t		*lines;
	size_t		*at;
	struct anchor	*anchors;
};

static int by_function(const void *a, const void *b)
{
	const struct pinned *x = a, *y = b;

	if (x->of != y->of)
		return x->of < y->of ? -1 : 1;
	if (x->function != y->function)
		return cmp(x->function, y->function);
	if (x->line[0] != y->line[0])
		return x->line[0] < y->line[0] ? -1 : 1;
	return x->line[1] < y->line[1] ? -1 : x->line[1] > y->line[1];
}

/* As many on both sides: they are the same, in order. */
static void pin(struct settling *s, const struct alike *a)
{
	for (size_t i = 0; i < a->mid; i++) {
		struct thing *before = a->list[i], *after = a->list[a->mid + i];

		before->number = after->number = ++s->all->numbers;
		/* lines in names of tasks say nothing of each other */
		if (before->of && before->line && after->line)
			s->pinned[s->nr_pinned++] = (struct pinned){
				before->of, before->function, { before->line, after->line }
			};
	}
}

/*
 * The pinned lines of the function of @t as anchors; @few is the side of the fewer.
 * Their number.
 */
static size_t anchors_of(struct settling *s, const struct thing *t, unsigned int few)
{
	size_t from = BISECT(s->nr_pinned, k,
			     s->pinned[k].of != t->of ?
				     s->pinned[k].of < t->of :
				     cmp(s->pinned[k].function, t->function) < 0);
	size_t nr = 0;

	for (; from < s->nr_pinned; from++) {
		const struct pinned *p = &s->pinned[from];

		if (p->of != t->of || p->function != t->function)
			break;
		s->anchors[nr++] = (struct anchor){ p->line[few], p->line[!few] };
	}
	return nr;
}

static int by_few(const void *a, const void *b)
{
	const struct anchor *x = a, *y = b;

	if (x->few != y->few)
		return x->few < y->few ? -1 : 1;
	return x->many < y->many ? -1 : x->many > y->many;
}

/* More on one side: see align.h. What no other is the same as gets a number of its own. */
static int align(struct settling *s, const struct alike *a)
{
	bool fewer = a->mid <= a->nr - a->mid;
	struct thing **few = fewer ? a->list : a->list + a->mid;
	struct thing **many = fewer ? a->list + a->mid : a->list;
	size_t nr_few = fewer ? a->mid : a->nr - a->mid, nr_many = a->nr - nr_few, nr_anchors;
	int err;

	for (size_t i = 0; i < nr_few; i++)
		s->lines[i] = few[i]->line;
	for (size_t i = 0; i < nr_many; i++) {
		s->lines[nr_few + i] = many[i]->line;
		many[i]->number = ++s->all->numbers;
	}
	if (!nr_few)
		return 0;
	nr_anchors = anchors_of(s, few[0], fewer ? 0 : 1);
	if (nr_anchors)
		qsort(s->anchors, nr_anchors, sizeof(*s->anchors), by_few);
	err = align__lines(s->lines, nr_few, s->lines + nr_few, nr_many, s->anchors, nr_anchors,
			   s->at);
	for (size_t i = 0; i < nr_few && !err; i++)
		few[i]->number = many[s->at[i]]->number;
	return err;
}

/* The things that are alike from the first of @nr on. */
static struct alike alike_at(struct thing **list, size_t nr)
{
	struct alike a = { .list = list };

	while (a.nr < nr && thing__alike(list[0], list[a.nr]))
		a.nr++;
	while (a.mid < a.nr && !list[a.mid]->side)
		a.mid++;
	return a;
}

/* First what leaves no choice, which then tells how far code has moved. */
static int settle_all(struct settling *s)
{
	size_t nr = s->all->nr;
	struct alike a;
	int err = 0;

	for (size_t i = 0; i < nr; i++)
		s->order[i] = &s->all->list[i];
	if (nr)
		qsort(s->order, nr, sizeof(struct thing *), by_likeness);
	for (size_t i = 0; i < nr; i += a.nr) {
		a = alike_at(s->order + i, nr - i);
		if (a.mid == a.nr - a.mid)
			pin(s, &a);
	}
	if (s->nr_pinned)
		qsort(s->pinned, s->nr_pinned, sizeof(*s->pinned), by_function);
	for (size_t i = 0; i < nr && !err; i += a.nr) {
		a = alike_at(s->order + i, nr - i);
		if (a.mid != a.nr - a.mid)
			err = align(s, &a);
	}
	return err;
}

static int things__settle(struct things *t)
{
	struct settling s = { .all = t };
	size_t room = t->nr + 1;
	int err = -ENOMEM;

	s.order = calloc(room, sizeof(struct thing *));
	s.pinned = calloc(room, sizeof(*s.pinned));
	s.lines = calloc(room, sizeof(*s.lines));
	s.at = calloc(room, sizeof(*s.at));
	s.anchors = calloc(room, sizeof(*s.anchors));
	if (s.order && s.pinned && s.lines && s.at && s.anchors)
		err = settle_all(&s);
	free(s.order);
	free(s.pinned);
	free(s.lines);
	free(s.at);
	free(s.anchors);
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
