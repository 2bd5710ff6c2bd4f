/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hands a task's time on to the sinks. Time is held back (deferred) until two things
 * are known: the kind of the task and, if it waited for several futures, which of them
 * ended the wait. This file must not know what events mean.
 */
#include <errno.h>
#include <stdlib.h>

#include "join/timeline.h"

#define DEFERRED_MAX	256	/* items of one task */

/*
 * Charges and ends of waits that cannot be passed on yet, for one of two reasons: the
 * task's kind is not known before its first poll; or the task waited for several
 * futures and the waker does not tell which of them it was for. The task's next poll
 * shows which one made progress.
 */
struct deferred {
	uint32_t	nr, size;
	uint32_t	nr_samples;	/* of the items; they do not count as such */
	struct deferred_item {
		/* ns 0: the item is the end of a wait, or a sample */
		struct piece	piece;
		uint32_t	sample;		/* number + 1; 0: it is none */
		uint32_t	chain;
		uint16_t	branch;
		bool		later;		/* use the branch that task__decide() gets */
		uint8_t		wait;		/* enum wait_end */
		uint64_t	wait_ns;
	}		items[];
};

static bool task__is_named(const struct task *t)
{
	return t->kind != UNKNOWN_KIND && !t->unnamed;
}

static struct charged task__charged(const struct task *t, uint32_t chain, uint16_t branch)
{
	return (struct charged){ .task = t->addr, .life = t->life, .born = t->start,
				 .kind = t->kind, .chain = chain, .branch = branch };
}

static void tell_interval(struct join *j, const struct task *t, uint32_t chain, uint16_t branch,
			  const struct piece *p)
{
	struct task_interval iv = { .of = task__charged(t, chain, branch), .piece = *p };

	for (struct sink *s = j->sinks; s; s = s->next)
		join__note_err(j, s->ops->interval(s, &iv));
}

static void tell_wait(struct join *j, const struct task *t, uint32_t chain, uint16_t branch,
		      enum wait_end wait, uint64_t ns)
{
	struct charged of = task__charged(t, chain, branch);

	for (struct sink *s = j->sinks; s; s = s->next)
		if (s->ops->wait)
			join__note_err(j, s->ops->wait(s, &of, wait, ns));
}

static void tell_sample(struct join *j, const struct task *t, uint32_t number)
{
	struct charged of = task__charged(t, NO_CHAIN, NO_BRANCH);

	for (struct sink *s = j->sinks; s; s = s->next)
		if (s->ops->sample)
			join__note_err(j, s->ops->sample(s, &of, number));
}

static struct actor actor_of(const struct thread *th)
{
	const struct poll *p = th ? thread__poll(th) : NULL;
	struct actor by = { .tid = th ? th->tid : 0,
			    .kind = UNKNOWN_KIND };

	by.driver = th && th->dispatches;
	if (p && p->task) {
		by.kind = p->task->kind;
		by.task = p->task->addr;
		by.life = p->task->life;
	}
	return by;
}

static void tell_moment(struct join *j, const struct task_moment *m)
{
	for (struct sink *s = j->sinks; s; s = s->next)
		if (s->ops->moment)
			join__note_err(j, s->ops->moment(s, m));
}

void task__tell(struct join *j, const struct task *t, enum moment what, const struct thread *by,
		uint64_t now)
{
	bool waits = what == MOMENT_PENDING;

	if (!j->moments)
		return;
	tell_moment(j, &(struct task_moment){
		.of = task__charged(t, waits ? t->chain : NO_CHAIN, NO_BRANCH),
		.what = (uint8_t)what,
		.at = now, .by = actor_of(by), .nr_keys = waits ? t->nr_keys : 0, .keys = &t->keys,
		.unseen = waits && t->begin_unseen,
		.spawned = what == MOMENT_READY && t->why == PART_SPAWNED });
}

void task__tell_end(struct join *j, const struct task *t, enum task_end how, uint64_t now)
{
	struct task_moment m = { .of = task__charged(t, NO_CHAIN, NO_BRANCH),
				 .what = MOMENT_ENDED, .at = now, .by.kind = UNKNOWN_KIND,
				 .end = (uint8_t)how };

	if (j->moments)
		tell_moment(j, &m);
}

void task__flush(struct join *j, struct task *t)
{
	struct deferred *d = t->deferred;

	if (!d)
		return;
	for (uint32_t i = 0; i < d->nr; i++) {
		if (d->items[i].later)
			d->items[i].branch = t->branch;
		if (d->items[i].sample)
			tell_sample(j, t, d->items[i].sample - 1);
		else if (d->items[i].piece.ns)
			tell_interval(j, t, d->items[i].chain, d->items[i].branch,
				      &d->items[i].piece);
		else
			tell_wait(j, t, d->items[i].chain, d->items[i].branch, d->items[i].wait,
				  d->items[i].wait_ns);
	}
	free(d);
	t->deferred = NULL;
}

/*
 * Hold @item back if it cannot be passed on yet. False: it can, or there is no room for
 * more items; the caller passes it on at once.
 */
static bool task__defer(struct join *j, struct task *t, const struct deferred_item *item)
{
	struct deferred *d = t->deferred;

	if (task__is_named(t) && !item->later)
		return false;
	if (d && (item->sample ? d->nr_samples : d->nr - d->nr_samples) == DEFERRED_MAX) {
		/* No sample changes how time is charged. */
		if (item->sample)
			return true;
		task__flush(j, t);
		return false;
	}
	if (!d || d->nr == d->size) {
		uint32_t size = d ? d->size * 2 : 4, nr = d ? d->nr : 0;
		uint32_t nr_samples = d ? d->nr_samples : 0;

		d = realloc(d, sizeof(*d) + size * sizeof(*d->items));
		if (!d) {
			join__note_err(j, -ENOMEM);
			return false;
		}
		d->nr = nr;
		d->nr_samples = nr_samples;
		d->size = size;
		t->deferred = d;
	}
	d->items[d->nr++] = *item;
	d->nr_samples += item->sample != 0;
	return true;
}

void task__charge(struct join *j, struct task *t, uint32_t chain, uint16_t branch,
		  const struct piece *p)
{
	struct deferred_item item = { .piece = *p, .chain = chain, .branch = branch };

	item.later = t->undecided && chain != NO_CHAIN;
	if (!p->ns)
		return;
	t->charged += p->ns;
	if (!task__defer(j, t, &item))
		tell_interval(j, t, chain, branch, p);
}

void task__note_wait(struct join *j, struct task *t, enum wait_end wait, uint64_t ns)
{
	struct deferred_item item = { .chain = t->chain, .branch = t->branch,
				      .wait = (uint8_t)wait, .wait_ns = ns,
				      .later = t->undecided };

	if (!task__defer(j, t, &item))
		tell_wait(j, t, t->chain, t->branch, wait, ns);
}

void task__note_sample(struct join *j, struct task *t, uint32_t number)
{
	struct deferred_item item = { .chain = NO_CHAIN, .branch = NO_BRANCH,
				      .sample = number + 1 };

	if (!task__defer(j, t, &item))
		tell_sample(j, t, number);
}

void task__charge_piece(struct join *j, struct task *t, const struct piece *p)
{
	task__charge(j, t, NO_CHAIN, NO_BRANCH, p);
}

void task__charge_unknown(struct join *j, struct task *t, enum part why, uint64_t from,
			  uint64_t to)
{
	task__charge_piece(j, t, &(struct piece){ .segment = JOIN_UNATTRIBUTED, .part = why,
						  .from = from, .ns = to - from });
}

void task__decide(struct join *j, struct task *t, uint16_t branch)
{
	struct deferred *d = t->deferred;

	if (!t->undecided)
		return;
	if (branch == NO_BRANCH) {
		struct wait was = { t->chain, t->nr_keys, &t->keys };

		/* At least what the futures have in common that may have been woken. */
		branch = accounts__advanced(j->accounts, &was, NULL, split__not_joined(j, t));
	}
	t->undecided = false;
	t->branch = branch;
	if (task__is_named(t)) {
		task__flush(j, t);
		return;
	}
	for (uint32_t i = 0; d && i < d->nr; i++) {
		if (!d->items[i].later)
			continue;
		d->items[i].branch = branch;
		d->items[i].later = false;
	}
}

void task__name(struct join *j, struct task *t, uint32_t kind)
{
	t->kind = t->polled = kind;
	t->unnamed = accounts__boxed(j->accounts, kind);
	t->job = accounts__blocking(j->accounts, kind);
	if (task__is_named(t) && !t->undecided)
		task__flush(j, t);
}

void task__unbox(struct join *j, struct task *t, uint32_t chain)
{
	int64_t kind;

	if (!t->unnamed)
		return;
	kind = accounts__unboxed(j->accounts, t->kind, chain);
	if (kind < 0)
		join__note_err(j, (int)kind);
	if (kind < 0 || kind == t->kind)
		return;
	t->kind = (uint32_t)kind;
	t->unnamed = false;
	if (!t->undecided)
		task__flush(j, t);
}
