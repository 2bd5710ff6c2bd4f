/* SPDX-License-Identifier: GPL-2.0 */
/* Episodes of tasks. See episodes.h. */
#include "join/episodes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sum.h"
#include "join/account.h"

/* An episode, and how much of its time is known. */
struct open_episode {
	struct episode	e;
	uint64_t	charged;	/* ns of its parts */
	bool		closed;
};

/* A life and its episodes that are not complete, the oldest first. */
struct life {
	struct charged		 of;
	bool			 begun;		/* an episode has been passed on */
	struct episode_place	 last;		/* of the last wait that was passed on */
	struct open_episode	*open;
	uint32_t		 nr, size;
};

struct episodes {
	struct sink	 sink;
	struct map	 lives;		/* by number */
	int		 (*episode)(void *ctx, const struct episode *e);
	void		*ctx;
};

/* ---- lives ---- */

static struct open_episode *life__open(struct life *l, enum episode_kind what, uint64_t from)
{
	struct open_episode *o;

	if (l->nr == l->size) {
		uint32_t size = l->size ? l->size * 2 : 2;
		struct open_episode *open = reallocarray(l->open, size, sizeof(*open));

		if (!open)
			return NULL;
		memset(open + l->size, 0, (size - l->size) * sizeof(*open));
		l->open = open;
		l->size = size;
	}
	o = &l->open[l->nr++];
	/* The memory of the parts of an earlier one is used again. */
	o->e = (struct episode){ .what = (uint8_t)what, .from = from,
				 .waker.kind = UNKNOWN_KIND,
				 .parts = { o->e.parts.list, 0, o->e.parts.size } };
	o->e.of.branch = o->e.before.branch = o->e.after.branch = NO_BRANCH;
	o->charged = 0;
	o->closed = false;
	return o;
}

static void life__free(struct life *l)
{
	for (uint32_t i = 0; i < l->size; i++)
		free(l->open[i].e.parts.list);
	free(l->open);
	free(l);
}

static struct life *life_of(struct episodes *s, const struct charged *of)
{
	struct life *l = map__get(&s->lives, of->life);

	if (l) {
		l->of.kind = of->kind;
		return l;
	}
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->of = *of;
	if (!life__open(l, EPISODE_UNKNOWN, of->born) || map__add(&s->lives, of->life, l)) {
		life__free(l);
		return NULL;
	}
	return l;
}

/* ---- passing on ---- */

/* The first one is complete: pass it on. */
static int pass_first(struct episodes *s, struct life *l)
{
	struct open_episode first = l->open[0];
	struct episode *e = &first.e;
	int err = 0;

	/* Nothing was missed: the life began with what came next. */
	if (e->what != EPISODE_UNKNOWN || e->to > e->from) {
		uint32_t chain = e->of.chain;
		uint16_t branch = e->of.branch;

		e->of = l->of;
		e->of.chain = chain;
		e->of.branch = branch;
		e->first = !l->begun;
		e->before = l->last;
		l->begun = true;
		err = s->episode(s->ctx, e);
		if (e->what == EPISODE_WAIT)
			l->last = (struct episode_place){ chain, branch };
	}
	memmove(&l->open[0], &l->open[1], --l->nr * sizeof(first));
	l->open[l->nr] = first;
	return err;
}

static int pass_complete(struct episodes *s, struct life *l, bool all)
{
	int err = 0;

	while (!err && l->nr && l->open[0].closed &&
	       (all || l->open[0].charged >= l->open[0].e.to - l->open[0].e.from))
		err = pass_first(s, l);
	return err;
}

/* ---- intervals ---- */

static bool same_part(const struct piece *a, const struct piece *b)
{
	return a->segment == b->segment && a->part == b->part && a->detail.kind == b->detail.kind &&
	       a->detail.id == b->detail.id;
}

static int add_part(struct pieces *parts, const struct piece *p)
{
	for (uint32_t i = 0; i < parts->nr; i++) {
		struct piece *have = &parts->list[i];
		bool rest = parts->nr == EPISODE_PARTS && i == EPISODE_PARTS - 1;

		if (!rest && !same_part(have, p))
			continue;
		if (rest)
			have->detail = (struct detail){ .kind = DETAIL_OTHERS };
		sum__add(&have->ns, p->ns);
		have->times += p->times;
		if (p->longest > have->longest) {
			have->longest = p->longest;
			have->from = p->from;
		}
		if (!p->longest && p->from < have->from)
			have->from = p->from;
		return 0;
	}
	return pieces__add(parts, p);
}

static int interval(struct sink *sink, const struct task_interval *iv)
{
	struct episodes *s = (struct episodes *)sink;
	struct life *l = life_of(s, &iv->of);
	struct open_episode *o;
	uint32_t at;
	int err;

	if (!l || !l->nr)
		return l ? 0 : -ENOMEM;
	for (at = l->nr - 1; at && iv->piece.from < l->open[at].e.from; at--)
		;
	o = &l->open[at];
	o->charged += iv->piece.ns;
	o->e.segments[iv->piece.segment] += iv->piece.ns;
	if (o->e.what == EPISODE_WAIT && iv->of.chain != NO_CHAIN && iv->of.chain == o->e.of.chain)
		o->e.of.branch = iv->of.branch;
	err = add_part(&o->e.parts, &iv->piece);
	return err ? err : pass_complete(s, l, false);
}

/* ---- moments ---- */

/* Ends the last episode of @l; what follows is @what. */
static struct episode *turn(struct life *l, enum episode_kind what, uint64_t at)
{
	struct open_episode *o = &l->open[l->nr - 1];

	o->closed = true;
	o->e.to = at < o->e.from ? o->e.from : at;
	o = life__open(l, what, o->e.to);
	return o ? &o->e : NULL;
}

static int ready(struct life *l, const struct task_moment *m)
{
	struct episode *e = &l->open[l->nr - 1].e;

	if (e->what == EPISODE_UNKNOWN)
		e = turn(l, EPISODE_WAIT, m->at);
	if (!e)
		return -ENOMEM;
	if (e->woken)
		return 0;
	e->woken = m->at;
	e->waker = m->by;
	e->spawned = m->spawned;
	return 0;
}

static int polled(struct life *l, const struct task_moment *m)
{
	struct episode *e = &l->open[l->nr - 1].e;

	if (e->what == EPISODE_WAIT)
		e->tid = m->by.tid;
	e = turn(l, EPISODE_POLL, m->at);
	if (!e)
		return -ENOMEM;
	e->tid = m->by.tid;
	return 0;
}

static int pending(struct life *l, const struct task_moment *m)
{
	struct episode *e = &l->open[l->nr - 1].e;
	bool woken = e->what == EPISODE_POLL && e->woken;
	struct actor waker = e->waker;

	e->after.chain = m->of.chain;
	e = turn(l, EPISODE_WAIT, m->at);
	if (!e)
		return -ENOMEM;
	e->of.chain = m->of.chain;
	e->begin_unseen = m->unseen;
	e->nr_keys = m->nr_keys;
	e->keys = *m->keys;
	if (woken) {
		e->woken = m->at;
		e->waker = waker;
	}
	return 0;
}

static int doubt(struct life *l, const struct task_moment *m)
{
	struct episode *e = &l->open[l->nr - 1].e;

	if (m->at > e->from)
		return turn(l, EPISODE_UNKNOWN, m->at) ? 0 : -ENOMEM;
	e->what = EPISODE_UNKNOWN;
	return 0;
}

static int ended(struct episodes *s, struct life *l, const struct task_moment *m)
{
	struct open_episode *o = &l->open[l->nr - 1];
	int err;

	o->closed = true;
	o->e.to = m->at < o->e.from ? o->e.from : m->at;
	o->e.last = true;
	o->e.end = m->end;
	err = pass_complete(s, l, true);
	map__del(&s->lives, l->of.life);
	life__free(l);
	return err;
}

static int moment(struct sink *sink, const struct task_moment *m)
{
	struct episodes *s = (struct episodes *)sink;
	struct life *l = life_of(s, &m->of);
	int err = 0;

	if (!l)
		return -ENOMEM;
	switch (m->what) {
	case MOMENT_READY:
	case MOMENT_WOKEN:
		err = ready(l, m);
		break;
	case MOMENT_POLLED:
		err = polled(l, m);
		break;
	case MOMENT_PENDING:
		err = pending(l, m);
		break;
	case MOMENT_DOUBT:
		err = doubt(l, m);
		break;
	case MOMENT_ENDED:
		return ended(s, l, m);
	}
	return err ? err : pass_complete(s, l, false);
}

/* ---- the sink ---- */

static const struct sink_ops ops = {
	.placed		= true,
	.interval	= interval,
	.moment		= moment,
};

struct episodes *episodes__new(int (*episode)(void *ctx, const struct episode *e), void *ctx)
{
	struct episodes *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->sink.ops = &ops;
	s->episode = episode;
	s->ctx = ctx;
	return s;
}

struct sink *episodes__sink(struct episodes *s)
{
	return &s->sink;
}

void episodes__free(struct episodes *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->lives.size; i++)
		if (s->lives.entries[i].value)
			life__free(s->lives.entries[i].value);
	map__clear(&s->lives);
	free(s);
}

uint64_t episode__part(const struct episode *e, enum join_segment segment, enum part part)
{
	uint64_t ns = 0;

	for (uint32_t i = 0; i < e->parts.nr; i++)
		if (e->parts.list[i].segment == segment && e->parts.list[i].part == part)
			sum__add(&ns, e->parts.list[i].ns);
	return ns;
}
