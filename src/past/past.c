/* SPDX-License-Identifier: GPL-2.0 */
/* Collects what is asked of a recording. See past.h. */
#include "past/past.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "join/account.h"

/* ---- the history of tasks ---- */

static bool is_asked_for(const struct past *p, const struct charged *of)
{
	const char *pattern = p->opts.pattern;
	char *end;

	if (!pattern || !*pattern)
		return false;
	if (!strncmp(pattern, "0x", 2))
		return strtoull(pattern, &end, 16) == of->task && !*end;
	return strstr(past__task(p, of->kind), pattern);
}

/* The life of @e, which is asked for; NULL: one more than are kept, or (*@err) no memory. */
static struct past_life *life_of(struct past *p, const struct episode *e, int *err)
{
	struct past_life *l;

	for (size_t i = 0; i < p->nr_lives; i++)
		if (p->lives[i].of.life == e->of.life)
			return &p->lives[i];
	if (p->nr_lives == PAST_LIVES) {
		p->other_lives += e->last;
		return NULL;
	}
	*err = array__room(&p->lives, &p->cap_lives, p->nr_lives, sizeof(*p->lives));
	if (*err)
		return NULL;
	l = &p->lives[p->nr_lives++];
	*l = (struct past_life){ .of = e->of };
	longest__init(&l->longest, PAST_EPISODES);
	return l;
}

static int note_history(struct past *p, const struct episode *e)
{
	struct past_life *l;
	int err = 0;

	if (!is_asked_for(p, &e->of))
		return 0;
	l = life_of(p, e, &err);
	if (!l)
		return err;
	/* What is boxed in a task may become known later. */
	l->of.kind = e->of.kind;
	l->to = e->to;
	l->end = e->end;
	l->waits += e->what == EPISODE_WAIT && !e->spawned;
	l->polls += e->what == EPISODE_POLL;
	if (e->spawned) {
		l->spawned = true;
		l->spawner = e->waker;
	}
	for (int s = 0; s < JOIN_SEGMENT_NR; s++)
		l->segments[s] += e->segments[s];
	return longest__add(&l->longest, e);
}

/* ---- a moment ---- */

static int note_state(struct past *p, const struct episode *e)
{
	bool ends_there = e->to == p->moment && e->last && e->end == END_ALIVE;
	int err;

	if (!p->opts.has_at || p->moment < e->from || (p->moment >= e->to && !ends_there))
		return 0;
	err = array__room(&p->states, &p->cap_states, p->nr_states, sizeof(*p->states));
	if (!err)
		err = episode__copy(&p->states[p->nr_states], e);
	p->nr_states += !err;
	return err;
}

/* ---- all of it ---- */

static int episode(void *ctx, const struct episode *e)
{
	/* An open wait may be a server's that waits for its next client. */
	bool ended = !(e->last && e->end == END_ALIVE);
	struct past *p = ctx;
	int err = lints__episode(p->lints, e);

	if (!err)
		err = note_state(p, e);
	if (!err)
		err = note_history(p, e);
	if (!err && e->what == EPISODE_WAIT && ended && !e->begin_unseen)
		err = longest__add(&p->waits, e);
	if (!err && e->what == EPISODE_POLL)
		err = longest__add(&p->polls, e);
	return err;
}

int past__new(const struct past_opts *opts, struct past **out)
{
	struct past *p = *out = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->opts = *opts;
	longest__init(&p->waits, opts->slowest);
	longest__init(&p->polls, opts->slowest);
	p->episodes = episodes__new(episode, p);
	return p->episodes ? 0 : -ENOMEM;
}

int past__attach(struct past *p, struct join *j)
{
	p->join = j;
	p->moment = join__begin(j) + p->opts.at;
	join__add_sink(j, episodes__sink(p->episodes));
	return lints__new(j, p->opts.limits, &p->lints);
}

static int by_since(const void *a, const void *b)
{
	const struct episode *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->of.life < y->of.life ? -1 : x->of.life > y->of.life;
}

int past__finish(struct past *p)
{
	const struct join_totals *totals = join__totals(p->join);
	int err = lints__finish(p->lints);

	if (err)
		return err;
	longest__sort(&p->waits);
	longest__sort(&p->polls);
	if (p->nr_states)
		qsort(p->states, p->nr_states, sizeof(*p->states), by_since);
	for (size_t i = 0; i < p->nr_lives; i++)
		longest__sort_by_time(&p->lives[i].longest);
	if (p->opts.has_at && p->opts.at > totals->wall_ns)
		return -ERANGE;
	return p->opts.pattern && !p->nr_lives ? -ENOENT : 0;
}

void past__free(struct past *p)
{
	if (!p)
		return;
	episodes__free(p->episodes);
	lints__free(p->lints);
	longest__clear(&p->waits);
	longest__clear(&p->polls);
	for (size_t i = 0; i < p->nr_states; i++)
		free(p->states[i].parts.list);
	free(p->states);
	for (size_t i = 0; i < p->nr_lives; i++)
		longest__clear(&p->lives[i].longest);
	free(p->lives);
	free(p);
}
