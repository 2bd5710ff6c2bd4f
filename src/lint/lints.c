/* SPDX-License-Identifier: GPL-2.0 */
/* Collects cases: hands episodes to the lints, and keeps the worst case of each place. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/sum.h"
#include "join/account.h"
#include "join/map.h"
#include "lint/findings.h"

/* What is known of a task's timers while it lives. */
struct timers {
	struct ticks	ticks;
	uint64_t	polled;		/* when its last poll began */
};

/* ---- cases ---- */

static uint64_t key_of(const struct lint_case *c)
{
	const uint64_t parts[] = { c->lint, c->of.kind, c->place };
	uint64_t key = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		key = (key ^ parts[i]) * 0x9e3779b97f4a7c15ull;
	return key;
}

static bool same_place(const struct lint_case *a, const struct lint_case *b)
{
	return a->lint == b->lint && a->of.kind == b->of.kind && a->place == b->place;
}

static int add_case(struct lints *l, enum lint_id id, struct lint_case *c)
{
	struct hash_slot *slot;
	struct lint_cases *have;

	c->lint = (uint8_t)id;
	for (uint64_t key = key_of(c);; key++) {
		slot = hash_table__at(&l->known, key);
		if (!slot)
			return -ENOMEM;
		if (!slot->value || same_place(&l->cases[slot->value - 1].worst, c))
			break;
	}
	if (!slot->value) {
		if (array__room(&l->cases, &l->cap, l->nr, sizeof(*l->cases)))
			return -ENOMEM;
		l->cases[l->nr++] = (struct lint_cases){ .worst = *c };
		slot->value = l->nr;
	}
	have = &l->cases[slot->value - 1];
	have->count++;
	sum__add(&have->total_ns, c->ns);
	if (c->ns > have->worst.ns)
		have->worst = *c;
	return 0;
}

/* ---- episodes ---- */

static int kind_of(struct lints *l, uint32_t kind, struct join_kind *out)
{
	struct hash_slot *slot = hash_table__at(&l->kinds, kind);
	int err;

	if (!slot)
		return -ENOMEM;
	if (slot->value) {
		*out = l->kind[slot->value - 1];
		return 0;
	}
	err = join__kind(l->join, kind, out);
	if (err || array__room(&l->kind, &l->cap_kind, l->nr_kind, sizeof(*l->kind)))
		return -ENOMEM;
	l->kind[l->nr_kind++] = *out;
	slot->value = l->nr_kind;
	return 0;
}

static int note_ticks(struct lints *l, const struct episode *e, const struct tick_news *news)
{
	struct lint_case c = lint_case__of(e, news->late);
	int err = 0;

	c.from = news->due;
	c.to = news->due + news->late;
	c.place = (uint64_t)e->of.chain << 32 | e->of.branch;
	c.more = news->missed;
	if (news->own && news->late > l->limits[LINT_TIMER_LATE])
		err = add_case(l, LINT_TIMER_LATE, &c);
	if (!err && news->missed >= l->limits[LINT_BURST])
		err = add_case(l, LINT_BURST, &c);
	return err;
}

static int look_at_timers(struct lints *l, const struct episode *e)
{
	struct timers *t = map__get(&l->timers, e->of.life);
	struct join_deadline d[TICK_TIMERS];
	struct tick_news news;
	size_t nr;

	if (t && e->what == EPISODE_POLL)
		t->polled = e->from;
	if (t && e->last) {
		map__del(&l->timers, e->of.life);
		free(t);
		return 0;
	}
	if (e->what != EPISODE_WAIT || !e->nr_keys || e->last)
		return 0;
	nr = join__deadlines(l->join, e->of.kind, e->of.chain, &e->keys, e->nr_keys, d,
			     TICK_TIMERS);
	if (!nr)
		return 0;
	if (!t) {
		t = calloc(1, sizeof(*t));
		if (!t || map__add(&l->timers, e->of.life, t)) {
			free(t);
			return -ENOMEM;
		}
	}
	if (!ticks__wait(&t->ticks, d, nr, t->polled, e->from, e->to, &news))
		return 0;
	return note_ticks(l, e, &news);
}

int lints__episode(struct lints *l, const struct episode *e)
{
	struct lint_case c;
	struct join_kind kind;
	int err = kind_of(l, e->of.kind, &kind);

	if (!err)
		err = workers__episode(&l->workers, e, !kind.job && !kind.root);
	/* A job has its thread for itself, and may sleep. */
	if (err || (kind.job && e->what == EPISODE_POLL))
		return err;
	for (int i = 0; i < LINT_NR && !err; i++) {
		if (lints[i].episode && lints[i].episode(e, l->limits[i], &c))
			err = add_case(l, (enum lint_id)i, &c);
	}
	if (!err)
		err = wakes__episode(&l->wakes, e);
	return err ? err : look_at_timers(l, e);
}

/* ---- all together ---- */

static int add_wakes(struct lints *l)
{
	struct lint_case c;
	int err = 0;

	for (size_t i = 0; i < l->wakes.nr && !err; i++) {
		if (!wakes__case(&l->wakes, i, l->limits[LINT_SELF_WAKE], &c))
			continue;
		c.place = l->wakes.list[i].all;
		err = add_case(l, LINT_SELF_WAKE, &c);
	}
	return err;
}

static int add_workers(struct lints *l)
{
	const struct join_totals *totals = join__totals(l->join);
	uint64_t mean;
	const struct worker *w = workers__busiest(&l->workers, totals->wall_ns,
						  l->limits[LINT_UNBALANCED], &mean);
	struct lint_case c = { .of.kind = UNKNOWN_KIND, .of.branch = NO_BRANCH,
			       .from = totals->start_ts, .to = totals->end_ts };

	if (!w)
		return 0;
	c.tid = w->tid;
	c.ns = w->busy_ns;
	c.more = w->polls;
	c.place = mean;
	return add_case(l, LINT_UNBALANCED, &c);
}

int lints__finish(struct lints *l)
{
	int err = add_wakes(l);

	if (!err)
		err = add_workers(l);
	return err ? err : findings__make(l);
}

int lints__new(struct join *j, const uint64_t *limits, struct lints **out)
{
	struct lints *l = calloc(1, sizeof(*l));

	*out = l;
	if (!l)
		return -ENOMEM;
	l->join = j;
	memcpy(l->limits, limits, sizeof(l->limits));
	return 0;
}

void lints__free(struct lints *l)
{
	if (!l)
		return;
	for (uint32_t i = 0; i < l->timers.size; i++)
		free(l->timers.entries[i].value);
	map__clear(&l->timers);
	free(l->cases);
	hash_table__clear(&l->known);
	free(l->kind);
	hash_table__clear(&l->kinds);
	wakes__clear(&l->wakes);
	workers__clear(&l->workers);
	findings__free(l);
	free(l);
}
