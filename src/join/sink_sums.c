/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sink that every join has: adds intervals up by account, segment, part and detail,
 * and counts the ends of waits at their await points.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/sum.h"
#include "join/sink_sums.h"

/* The pieces of one wait come together, so most often it is the account before. */
static int64_t account_of(struct sink_sums *s, const struct charged *of)
{
	int64_t account;

	if (s->has_last && s->last.kind == of->kind && s->last.chain == of->chain &&
	    s->last.branch == of->branch)
		return s->last_account;
	account = accounts__get(s->accounts, of->kind, of->chain, of->branch);
	s->has_last = account >= 0;
	s->last = *of;
	s->last_account = account;
	return account;
}

static uint64_t slept_key(const struct sum_key *key)
{
	return (uint64_t)key->account << 32 | key->detail.id;
}

static int note_sleep(struct sink_sums *s, const struct sum_key *key, const struct piece *p)
{
	struct hash_slot *slot = hash_table__at(&s->slept_of, slept_key(key));
	struct slept *slept;

	if (!slot)
		return -ENOMEM;
	if (!slot->value) {
		if (array__room(&s->slept, &s->cap_slept, s->nr_slept, sizeof(*s->slept)))
			return -ENOMEM;
		s->slept[s->nr_slept++] = (struct slept){ 0 };
		slot->value = s->nr_slept;
	}
	slept = &s->slept[slot->value - 1];
	slept->times += p->times;
	if (p->longest > slept->longest)
		slept->longest = p->longest;
	return 0;
}

const struct slept *sink_sums__slept(const struct sink_sums *s, const struct sum_key *key)
{
	const struct hash_slot *slot = NULL;

	if (key->detail.kind == DETAIL_SLEEP)
		slot = hash_table__find(&s->slept_of, slept_key(key));
	return slot ? &s->slept[slot->value - 1] : NULL;
}

void sink_sums__clear(struct sink_sums *s)
{
	sums__clear(&s->sums);
	free(s->slept);
	hash_table__clear(&s->slept_of);
}

static int interval(struct sink *sink, const struct task_interval *iv)
{
	struct sink_sums *s = (struct sink_sums *)sink;
	const struct piece *p = &iv->piece;
	struct sum_key key = { .segment = p->segment, .part = p->part, .detail = p->detail };
	int64_t account = account_of(s, &iv->of);

	if (account < 0)
		return (int)account;
	key.account = (uint32_t)account;
	sum__add(&s->segments[p->segment], p->ns);
	if (p->segment == JOIN_BLOCKED && p->detail.kind == DETAIL_SLEEP) {
		int err = note_sleep(s, &key, p);

		if (err)
			return err;
	}
	return sums__add(&s->sums, &key, p->ns);
}

static int wait(struct sink *sink, const struct charged *of, enum wait_end wait, uint64_t ns)
{
	struct sink_sums *s = (struct sink_sums *)sink;
	int64_t account = account_of(s, of);
	struct point *p;

	if (account < 0)
		return (int)account;
	p = accounts__point(s->accounts, accounts__account(s->accounts, (uint32_t)account)->point);
	switch (wait) {
	case WAIT_OPEN:
		p->open++;
		break;
	case WAIT_IN_POLL:
		p->woken_in_poll++;
		/* fall through */
	case WAIT_FINISHED:
		p->count++;
		return hist__add(&p->await, ns);
	case WAIT_POLLED:
		sum__add(&p->ready_ns, ns);
		return hist__add(&p->ready, ns);
	case WAIT_TOTAL:
		return hist__add(&p->total, ns);
	case WAIT_SELF_WAKE:
		p->self_wakes++;
		if (ns > p->spin)
			p->spin = ns;
		break;
	}
	return 0;
}

static int sample(struct sink *sink, const struct charged *of, uint32_t number)
{
	struct sink_sums *s = (struct sink_sums *)sink;
	int64_t account = account_of(s, of);

	return account < 0 ? (int)account : samples__count(s->samples, (uint32_t)account, number);
}

const struct sink_ops sink_sums = {
	.interval	= interval,
	.wait		= wait,
	.sample		= sample,
};
