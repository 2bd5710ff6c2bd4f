/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The last intervals of all tasks in a ring, those of each life linked in order of time.
 * They arrive nearly sorted; only intervals that were deferred have to be inserted further
 * back. See sink.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "join/join.h"
#include "join/map.h"
#include "join/account.h"
#include "join/task_history.h"

#define FIRST_SIZE	1024u

struct task_history {
	uint64_t	life, born;
	uint64_t	ended;			/* 0: not yet */
	uint64_t	latest;			/* number of the last one in time */
	uint64_t	inserted;		/* of the last one that was passed on */
	uint32_t	nr;			/* never 0: then it is removed */
};

struct kept {
	struct task_interval	 iv;
	struct task_history	*of;
	/* in time, of the same life; 0 or forgotten: none, see link_to() */
	uint64_t		 prev, next;
	uint64_t		 mark;
};

struct task_histories {
	struct sink	 sink;
	struct map	 lives;		/* struct task_history by life */
	struct kept	*ring;
	uint32_t	 size, max;	/* powers of two */
	uint64_t	 first, next;	/* numbers, from 1 on */
};

static struct kept *at(const struct task_histories *h, uint64_t number)
{
	return &h->ring[number & (h->size - 1)];
}

static struct task_history *history_of(struct task_histories *h, const struct charged *of)
{
	struct task_history *t = map__get(&h->lives, of->life);

	if (t)
		return t;
	t = calloc(1, sizeof(*t));
	if (t && map__add(&h->lives, of->life, t)) {
		free(t);
		t = NULL;
	}
	if (t) {
		t->life = of->life;
		t->born = of->born;
	}
	return t;
}

/* @number, a link; 0 if it is that of an interval that has been forgotten. */
static uint64_t link_to(const struct task_histories *h, uint64_t number)
{
	return number >= h->first ? number : 0;
}

static void forget(struct task_histories *h, const struct kept *k)
{
	struct task_history *t = k->of;

	if (--t->nr)
		return;
	map__del(&h->lives, t->life);
	free(t);
}

/* Intervals move when the ring grows: each to its place by its number. */
static int grow(struct task_histories *h)
{
	uint32_t size = h->size ? h->size * 2 : h->max < FIRST_SIZE ? h->max : FIRST_SIZE;
	struct kept *ring = calloc(size, sizeof(*ring));

	if (!ring)
		return -ENOMEM;
	for (uint64_t n = h->first; n < h->next; n++)
		ring[n & (size - 1)] = *at(h, n);
	free(h->ring);
	h->ring = ring;
	h->size = size;
	return 0;
}

static int room(struct task_histories *h)
{
	if (h->next - h->first < h->size)
		return 0;
	if (h->size < h->max)
		return grow(h);
	for (uint64_t end = h->first + h->size / 4; h->first < end; h->first++)
		forget(h, at(h, h->first));
	return 0;
}

static void link_in(struct task_histories *h, struct task_history *t, uint64_t number)
{
	uint64_t before = link_to(h, t->latest), after = 0;
	uint64_t last = link_to(h, t->inserted);
	uint64_t next = last ? link_to(h, at(h, last)->next) : 0;
	struct kept *k = at(h, number);
	uint64_t from = k->iv.piece.from;

	/* What was deferred comes in order: each goes behind the one before. */
	if (next && at(h, last)->iv.piece.from <= from && at(h, next)->iv.piece.from > from) {
		before = last;
		after = next;
	}
	while (before && at(h, before)->iv.piece.from > from) {
		after = before;
		before = link_to(h, at(h, before)->prev);
	}
	k->prev = before;
	k->next = after;
	if (before)
		at(h, before)->next = number;
	if (after)
		at(h, after)->prev = number;
	else
		t->latest = number;
	t->inserted = number;
	t->nr++;
}

int task_histories__add(struct task_histories *h, const struct task_interval *iv)
{
	const struct task_history *source;
	struct task_history *t;
	int err = room(h);

	if (err)
		return err;
	t = history_of(h, &iv->of);
	if (!t)
		return -ENOMEM;
	source = iv->piece.source ? map__get(&h->lives, iv->piece.source) : NULL;
	*at(h, h->next) = (struct kept){ .iv = *iv, .of = t, .mark = source ? source->latest : 0 };
	link_in(h, t, h->next++);
	return 0;
}

static int interval(struct sink *s, const struct task_interval *iv)
{
	return task_histories__add((struct task_histories *)s, iv);
}

void task_histories__note(struct task_histories *h, const struct task_moment *m)
{
	struct task_history *t = m->what == MOMENT_ENDED ? map__get(&h->lives, m->of.life) : NULL;

	if (t)
		t->ended = m->at;
}

static int moment(struct sink *s, const struct task_moment *m)
{
	task_histories__note((struct task_histories *)s, m);
	return 0;
}

static const struct sink_ops ops = { .placed = true, .interval = interval, .moment = moment };

struct task_histories *task_histories__new(uint32_t max)
{
	struct task_histories *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->sink.ops = &ops;
	h->max = max;
	h->first = h->next = 1;
	return h;
}

struct sink *task_histories__sink(struct task_histories *h)
{
	return &h->sink;
}

void task_histories__range(const struct task_histories *h, uint64_t *first, uint64_t *next)
{
	*first = h->first;
	*next = h->next;
}

uint32_t task_histories__source(const struct task_histories *h, uint64_t number)
{
	return at(h, number)->iv.piece.source;
}

struct task_past task_histories__get(const struct task_histories *h, uint64_t number)
{
	const struct kept *k = at(h, number);

	return (struct task_past){ .iv = k->iv, .mark = k->mark };
}

/* ---- division ---- */

struct division {
	uint64_t	  from, to;	/* still to be passed on */
	void		(*piece)(void *arg, const struct task_past *p);
	void		 *arg;
};

/* Passes on what is left of [@from, …). */
static void pass(struct division *d, const struct task_past *p, uint64_t from)
{
	struct task_past part = *p;

	from = from > d->from ? from : d->from;
	if (from >= d->to)
		return;
	part.iv.piece.from = from;
	part.iv.piece.ns = d->to - from;
	d->to = from;
	d->piece(d->arg, &part);
}

static void pass_unknown(struct division *d, uint64_t life, enum task_known why, uint64_t from)
{
	const struct task_past unknown = {
		.iv = { .of = { .life = life, .kind = UNKNOWN_KIND, .branch = NO_BRANCH },
			.piece = { .segment = JOIN_UNATTRIBUTED, .part = PART_HISTORY } },
		.known = (uint8_t)why,
	};

	pass(d, &unknown, from);
}

/* The first one that begins before @to, from @n on back. */
static uint64_t back_from(const struct task_histories *h, uint64_t n, uint64_t to)
{
	while (n && at(h, n)->iv.piece.from >= to)
		n = link_to(h, at(h, n)->prev);
	return n;
}

/* The last interval of @t that begins before @to, looked for from @mark on; 0: none. */
static uint64_t last_before(const struct task_histories *h, const struct task_history *t,
			    uint64_t mark, uint64_t to)
{
	uint64_t latest = link_to(h, t->latest), n, next;

	if (mark < h->first || mark >= h->next || at(h, mark)->of != t)
		return back_from(h, latest, to);
	for (n = back_from(h, mark, to); n; n = next) {
		next = at(h, n)->next;
		/* What was deferred may have lost the way to those that came before it. */
		if (next && !link_to(h, next))
			return back_from(h, latest, to);
		if (!next || at(h, next)->iv.piece.from >= to)
			break;
	}
	return n;
}

void task_histories__divide(const struct task_histories *h, uint64_t life, uint64_t mark,
			    uint64_t from, uint64_t to,
			    void (*piece)(void *arg, const struct task_past *p), void *arg)
{
	struct division d = { .from = from, .to = to, .piece = piece, .arg = arg };
	const struct task_history *t = map__get(&h->lives, life);
	enum task_known why = h->first > 1 ? TASK_FORGOTTEN : TASK_UNTOLD;

	if (!t) {
		pass_unknown(&d, life, why, from);
		return;
	}
	if (t->ended)
		pass_unknown(&d, life, TASK_OVER, t->ended);
	for (uint64_t n = last_before(h, t, mark, to); n && d.from < d.to;
	     n = link_to(h, at(h, n)->prev)) {
		const struct piece *p = &at(h, n)->iv.piece;
		struct task_past known = task_histories__get(h, n);

		/* The newest is forgotten last, but for those that were deferred. */
		pass_unknown(&d, life, link_to(h, at(h, n)->next) ? why : TASK_UNTOLD,
			     p->from + p->ns);
		pass(&d, &known, p->from);
	}
	pass_unknown(&d, life, why, t->born);
	pass_unknown(&d, life, TASK_UNBORN, from);
}

void task_histories__free(struct task_histories *h)
{
	if (!h)
		return;
	for (uint32_t i = 0; i < h->lives.size; i++)
		free(h->lives.entries[i].value);
	map__clear(&h->lives);
	free(h->ring);
	free(h);
}
