// SPDX-License-Identifier: GPL-2.0
/* Matches polls in progress to tasks. See claims.h. */
#include "inspect/claims.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/bisect.h"

int claims__add(struct claims *cs, const struct claim *c)
{
	if (cs->nr == cs->room) {
		size_t room = cs->room ? 2 * cs->room : 64;
		struct claim *list = reallocarray(cs->list, room, sizeof(*list));

		if (!list)
			return -ENOMEM;
		cs->list = list;
		cs->room = room;
	}
	cs->list[cs->nr++] = *c;
	return 0;
}

void claims__free(struct claims *cs)
{
	free(cs->list);
	*cs = (struct claims){ .nr = 0 };
}

/* Which claims are for which task, sorted by task; and claims with one task left. */
struct settling {
	struct claims	*cs;
	struct want {
		uint64_t	task;
		size_t		claim;
	}		*wants;
	size_t		 nr;
	size_t		*single;	/* each once, in all rounds */
	size_t		 nr_single;
};

static int by_task(const void *a, const void *b)
{
	const struct want *x = a, *y = b;

	if (x->task != y->task)
		return x->task < y->task ? -1 : 1;
	return x->claim < y->claim ? -1 : x->claim > y->claim;
}

/* The first claim for @task; the following ones belong to it as long as their task is equal. */
static size_t wants_of(const struct settling *s, uint64_t task)
{
	return BISECT(s->nr, k, s->wants[k].task < task);
}

static bool is_single(const struct claim *c)
{
	return c->nr == 1 && !c->more;
}

static void give_up(struct settling *s, size_t claim, uint64_t task)
{
	struct claim *c = &s->cs->list[claim];

	for (unsigned int i = 0; i < c->nr; i++) {
		if (c->tasks[i].task != task)
			continue;
		c->tasks[i] = c->tasks[--c->nr];
		if (is_single(c))
			s->single[s->nr_single++] = claim;
		return;
	}
}

/*
 * If claims of two threads can only be for the same task, neither is believed. If both
 * are of one thread, the inner one is.
 */
static bool is_disputed(const struct settling *s, size_t claim)
{
	const struct claim *c = &s->cs->list[claim];
	uint64_t task = c->tasks[0].task;

	for (size_t i = wants_of(s, task); i < s->nr && s->wants[i].task == task; i++) {
		const struct claim *other = &s->cs->list[s->wants[i].claim];

		if (is_single(other) && other->tasks[0].task == task &&
		    (other->tid != c->tid || s->wants[i].claim < claim))
			return true;
	}
	return false;
}

static void take(struct settling *s, size_t claim)
{
	uint64_t task = s->cs->list[claim].tasks[0].task;

	for (size_t i = wants_of(s, task); i < s->nr && s->wants[i].task == task; i++)
		if (s->wants[i].claim != claim)
			give_up(s, s->wants[i].claim, task);
}

/*
 * All claims with a single task are examined before any of them takes that task away
 * from others.
 */
static void settle_round(struct settling *s, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++) {
		struct claim *c = &s->cs->list[s->single[i]];

		c->told = is_single(c) && !is_disputed(s, s->single[i]);
	}
	for (size_t i = first; i < end; i++)
		if (s->cs->list[s->single[i]].told)
			take(s, s->single[i]);
}

static int count_untold(const struct claims *cs)
{
	const struct claim *last = NULL;
	int untold = 0;

	for (size_t i = 0; i < cs->nr; i++) {
		const struct claim *c = &cs->list[i];

		if (c->told || !c->nr)
			continue;
		untold += !last || last->tid != c->tid;
		last = c;
	}
	return untold;
}

int claims__settle(struct claims *cs)
{
	struct settling s = { .cs = cs };
	int untold = -ENOMEM;

	s.wants = calloc(cs->nr * CLAIM_TASKS + 1, sizeof(*s.wants));
	s.single = calloc(cs->nr + 1, sizeof(*s.single));
	if (!s.wants || !s.single)
		goto out;
	for (size_t i = 0; i < cs->nr; i++) {
		for (unsigned int k = 0; k < cs->list[i].nr; k++)
			s.wants[s.nr++] = (struct want){ cs->list[i].tasks[k].task, i };
		if (is_single(&cs->list[i]))
			s.single[s.nr_single++] = i;
	}
	if (s.nr)
		qsort(s.wants, s.nr, sizeof(*s.wants), by_task);
	for (size_t first = 0, end = s.nr_single; first < end; end = s.nr_single) {
		settle_round(&s, first, end);
		first = end;
	}
	untold = count_untold(cs);
out:
	free(s.wants);
	free(s.single);
	return untold;
}
