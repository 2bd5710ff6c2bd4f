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

/* What is known of a task while it lives, from its first timer or self-wake on. */
struct lint_life {
	struct ticks	ticks;
	struct wakes	wakes;
	uint64_t	polled;		/* when its last poll began */
	/* The longest that it did since it last waited for a timer. */
	uint64_t	other_ns;
	struct episode_place other;
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

static int note_ticks(struct lints *l, const struct episode *e, const struct lint_life *life,
		      const struct tick_news *news)
{
	struct lint_case c = lint_case__of(e, news->late);
	int err = 0;

	c.before = life->other;

	c.from = news->due;
	c.to = news->due + news->late;
	c.place = (uint64_t)e->of.chain << 32 | e->of.branch;
	c.more = news->missed;
	if (news->own && news->late > l->limits[LINT_TIMER_LATE])
		err = add_case(l, LINT_TIMER_LATE, &c);
	if (!err && news->missed >= l->limits[LINT_BURST] && news->late > BURST_LATE)
		err = add_case(l, LINT_BURST, &c);
	return err;
}

/* NULL: nothing has to be known of it; or, if *@err is set, no memory. */
static struct lint_life *life_of(struct lints *l, const struct episode *e, bool wanted, int *err)
{
	struct lint_life *life = map__get(&l->lives, e->of.life);

	if (life || !wanted)
		return life;
	life = calloc(1, sizeof(*life));
	if (!life || map__add(&l->lives, e->of.life, life)) {
		free(life);
		*err = -ENOMEM;
		return NULL;
	}
	return life;
}

static int end_life(struct lints *l, const struct episode *e, struct lint_life *life)
{
	struct lint_case c;
	int err = 0;

	if (wakes__case(&life->wakes, l->limits[LINT_SELF_WAKE], &c))
		err = add_case(l, LINT_SELF_WAKE, &c);
	map__del(&l->lives, e->of.life);
	free(life);
	return err;
}

/* What the task did instead of waiting for its timer: where it waited, or was polled from. */
static void note_other(struct lint_life *life, const struct episode *e, bool interval)
{
	if (interval)
		life->other_ns = 0;
	if (interval || e->to - e->from <= life->other_ns)
		return;
	life->other_ns = e->to - e->from;
	life->other = e->what == EPISODE_WAIT ?
		      (struct episode_place){ e->of.chain, e->of.branch } : e->before;
}

/* The lints that have to know what a task did before. */
static int look_at_life(struct lints *l, const struct episode *e)
{
	bool waits = e->what == EPISODE_WAIT && !e->last && e->nr_keys;
	struct join_deadline d[TICK_TIMERS];
	size_t nr = waits ? join__deadlines(l->join, e->of.kind, e->of.chain, &e->keys, e->nr_keys,
					    d, TICK_TIMERS) : 0;
	struct tick_news news;
	int err = 0;
	struct lint_life *life = life_of(l, e, nr || wakes__own(e), &err);

	if (!life)
		return err;
	if (e->what == EPISODE_POLL)
		life->polled = e->from;
	wakes__episode(&life->wakes, e);
	if (ticks__wait(&life->ticks, d, nr, life->polled, e->from, e->to, &news))
		err = note_ticks(l, e, life, &news);
	note_other(life, e, ticks__waits_for_interval(&life->ticks, d, nr));
	return !err && e->last ? end_life(l, e, life) : err;
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
	return err ? err : look_at_life(l, e);
}

/* ---- all together ---- */

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
	c.all = mean;
	return add_case(l, LINT_UNBALANCED, &c);
}

int lints__finish(struct lints *l)
{
	int err = add_workers(l);

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
	for (uint32_t i = 0; i < l->lives.size; i++)
		free(l->lives.entries[i].value);
	map__clear(&l->lives);
	free(l->cases);
	hash_table__clear(&l->known);
	free(l->kind);
	hash_table__clear(&l->kinds);
	workers__clear(&l->workers);
	findings__free(l);
	free(l);
}
