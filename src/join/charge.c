/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a task's time is put: into the sums, and at its await points. It must not
 * know what events mean.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/sum.h"
#include "join/timeline.h"

#define DEFERRED_MAX	256	/* of one task */

/*
 * Charges and waits that cannot be named yet: before the task's kind is known,
 * or, where several futures are waited for and the waker does not tell which of
 * them it was for, before the task's next poll shows which of them went on.
 */
struct deferred {
	uint32_t	nr, size;
	struct deferred_item {
		struct piece	piece;		/* ns 0: the end of a wait follows */
		uint32_t	chain;
		uint16_t	branch;
		bool		later;		/* the branch is the one decided on */
		uint8_t		wait;		/* enum wait_end */
		uint64_t	wait_ns;
	}		items[];
};

static int64_t task__site(struct join *j, uint32_t kind, uint32_t chain, uint16_t branch)
{
	int64_t site = sites__get(j->sites, kind, chain, branch);

	if (site < 0)
		join__note_err(j, (int)site);
	return site;
}

static void sum_up(struct join *j, uint32_t kind, uint32_t chain, uint16_t branch,
		   const struct piece *p)
{
	struct sum_key key = { .segment = p->segment, .part = p->part, .detail = p->detail };
	int64_t site = task__site(j, kind, chain, branch);

	if (site < 0)
		return;
	key.site = (uint32_t)site;
	join__note_err(j, sums__add(&j->sums, &key, p->ns));
	sum__add(&j->totals.segments[p->segment], p->ns);
}

static void note_wait(struct join *j, uint32_t kind, uint32_t chain, uint16_t branch,
		      enum wait_end wait, uint64_t ns)
{
	int64_t site = task__site(j, kind, chain, branch);
	struct point *p;

	if (site < 0)
		return;
	p = sites__point(j->sites, sites__site(j->sites, (uint32_t)site)->point);
	switch (wait) {
	case WAIT_OPEN:
		p->open++;
		break;
	case WAIT_IN_POLL:
		p->woken_in_poll++;
		/* fall through */
	case WAIT_FINISHED:
		p->count++;
		join__note_err(j, hist__add(&p->await, ns));
		break;
	case WAIT_POLLED:
		join__note_err(j, hist__add(&p->ready, ns));
		sum__add(&p->ready_ns, ns);
		break;
	case WAIT_TOTAL:
		join__note_err(j, hist__add(&p->total, ns));
		break;
	case WAIT_SELF_WAKE:
		p->self_wakes++;
		if (ns > p->spin)
			p->spin = ns;
		break;
	}
}

void task__flush(struct join *j, struct task *t)
{
	struct deferred *d = t->deferred;

	if (!d)
		return;
	for (uint32_t i = 0; i < d->nr; i++) {
		if (d->items[i].later)
			d->items[i].branch = t->branch;
		if (d->items[i].piece.ns)
			sum_up(j, t->kind, d->items[i].chain, d->items[i].branch,
			       &d->items[i].piece);
		else
			note_wait(j, t->kind, d->items[i].chain, d->items[i].branch,
				  d->items[i].wait, d->items[i].wait_ns);
	}
	free(d);
	t->deferred = NULL;
}

/*
 * Put @item off if it cannot be named yet. False: it can, or there is no room
 * for more; then it is summed at once.
 */
static bool task__defer(struct join *j, struct task *t, const struct deferred_item *item)
{
	struct deferred *d = t->deferred;

	if (t->kind != UNKNOWN_KIND && !item->later)
		return false;
	if (d && d->nr == DEFERRED_MAX) {
		task__flush(j, t);
		return false;
	}
	if (!d || d->nr == d->size) {
		uint32_t size = d ? d->size * 2 : 4, nr = d ? d->nr : 0;

		d = realloc(d, sizeof(*d) + size * sizeof(*d->items));
		if (!d) {
			join__note_err(j, -ENOMEM);
			return false;
		}
		d->nr = nr;
		d->size = size;
		t->deferred = d;
	}
	d->items[d->nr++] = *item;
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
		sum_up(j, t->kind, chain, branch, p);
}

void task__note_wait(struct join *j, struct task *t, enum wait_end wait, uint64_t ns)
{
	struct deferred_item item = { .chain = t->chain, .branch = t->branch,
				      .wait = (uint8_t)wait, .wait_ns = ns,
				      .later = t->undecided };

	if (!task__defer(j, t, &item))
		note_wait(j, t->kind, t->chain, t->branch, wait, ns);
}

void task__charge_piece(struct join *j, struct task *t, const struct piece *p)
{
	task__charge(j, t, NO_CHAIN, NO_BRANCH, p);
}

void task__charge_unknown(struct join *j, struct task *t, enum part why, uint64_t ns)
{
	task__charge_piece(j, t, &(struct piece){ .segment = JOIN_UNATTRIBUTED, .part = why,
						  .ns = ns });
}

void task__decide(struct join *j, struct task *t, uint16_t branch)
{
	struct deferred *d = t->deferred;

	if (!t->undecided)
		return;
	t->undecided = false;
	t->branch = branch;
	if (t->kind != UNKNOWN_KIND) {
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
	t->kind = kind;
	if (!t->undecided)
		task__flush(j, t);
}
