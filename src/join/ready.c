/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why a task that was woken had to wait for its poll: what the worker did meanwhile that
 * polled it in the end; of a task that was not polled, the worker that woke it, since
 * that has it in its own slot or queue. Nothing is said where that worker is not known.
 *
 * It changes nothing of the join but the list that it fills.
 */
#include <stdlib.h>

#include "join/timeline.h"

#define DETAILS_MAX	16	/* of one time, kept apart */

static const struct detail no_detail;

struct ready_division {
	const struct join	*join;
	struct pieces		*out;
	struct piece		 piece;		/* what all pieces have in common */
	uint64_t		 to;		/* end of the time that is still to be divided */
	int			 err;
};

static struct detail worker_detail(const struct interval *iv)
{
	if (iv->doing == DOING_UNKNOWN)
		return (struct detail){ .kind = DETAIL_NONE };
	if (iv->cpu == CPU_RUNNABLE)
		return (struct detail){ .kind = DETAIL_WORKER_QUEUE };
	if (iv->doing == DOING_POLL)
		return (struct detail){ .kind = iv->cpu == CPU_ASLEEP ? DETAIL_WORKER_BLOCKED :
									DETAIL_WORKER_BUSY,
					.id = iv->kind };
	if (iv->doing == DOING_DRIVER || iv->cpu == CPU_ASLEEP)
		return (struct detail){ .kind = DETAIL_WORKER_ASLEEP };
	return (struct detail){ .kind = DETAIL_WORKER_RUNTIME };
}

/* Equal pieces are one, unless they have their places; beyond some, all others are one. */
static bool merge(struct ready_division *d, struct detail detail, uint64_t ns)
{
	struct pieces *out = d->out;

	if (d->join->placed)
		return false;
	for (uint32_t i = 0; i < out->nr; i++) {
		struct piece *p = &out->list[i];

		if (p->part != d->piece.part)
			continue;
		if (i + 1 < DETAILS_MAX && (p->detail.kind != detail.kind ||
					    p->detail.id != detail.id))
			continue;
		if (p->detail.kind != detail.kind || p->detail.id != detail.id)
			p->detail = (struct detail){ .kind = DETAIL_OTHERS };
		p->ns += ns;
		return true;
	}
	return false;
}

static void add_piece(struct ready_division *d, struct detail detail, uint64_t ns)
{
	struct piece p = d->piece;
	int err;

	d->to -= ns;
	if (merge(d, detail, ns))
		return;
	p.detail = detail;
	p.from = d->to;
	p.ns = ns;
	err = pieces__add(d->out, &p);
	d->err = err ? err : d->err;
}

static void interval_piece(void *arg, const struct interval *iv, uint64_t ns)
{
	add_piece(arg, worker_detail(iv), ns);
}

/* The same for sums: without the stops in it, which are one piece of their own. */
static void interval_sum(void *arg, const struct interval *iv, uint64_t ns)
{
	struct ready_division *d = arg;
	uint64_t stopped = stops__within(&d->join->stops, d->to - ns, d->to);

	if (ns > stopped)
		add_piece(d, worker_detail(iv), ns - stopped);
	d->to -= stopped;
}

struct ready_times {
	struct ready_division	*division;
	const struct thread	*worker;
	enum part		 part;
};

/* A time without a stop in it, or a stop; with its place. */
static void place_time(void *arg, uint64_t from, uint64_t to, bool stopped)
{
	const struct ready_times *t = arg;
	struct ready_division *d = t->division;

	d->to = to;
	d->piece.part = (uint8_t)(stopped ? PART_STOPPED : t->part);
	if (stopped || !t->worker)
		add_piece(d, no_detail, to - from);
	else
		history__divide(&t->worker->history, from, to, interval_piece, d);
}

static void sum_time(struct ready_division *d, const struct thread *worker, uint64_t from,
		     uint64_t to)
{
	uint64_t stopped = stops__within(&d->join->stops, from, to);

	d->to = to;
	if (worker)
		history__divide(&worker->history, from, to, interval_sum, d);
	else if (to - from > stopped)
		add_piece(d, no_detail, to - from - stopped);
	d->piece.part = PART_STOPPED;
	if (stopped)
		add_piece(d, no_detail, stopped);
}

static int by_place(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

int ready__divide(const struct join *j, const struct thread *worker, enum part part, uint64_t from,
		  uint64_t to, struct pieces *out)
{
	struct ready_division d = { .join = j, .out = out, .piece.segment = JOIN_READY };
	struct ready_times t = { &d, worker, part };

	out->nr = 0;
	d.piece.part = (uint8_t)part;
	if (to <= from)
		return 0;
	if (!j->placed) {
		sum_time(&d, worker, from, to);
		return d.err;
	}
	stops__divide(&j->stops, from, to, place_time, &t);
	qsort(out->list, out->nr, sizeof(*out->list), by_place);
	return d.err;
}

const struct thread *ready__worker(const struct join *j, const struct task *t)
{
	const struct thread *w = t->woken_on ? map__get(&j->threads, t->woken_on) : NULL;

	if (!w || !w->nr_polls || !j->settled)
		return NULL;
	/* What a blocking job wakes goes to a queue that all workers take from. */
	for (uint32_t i = 0; i < w->nr_polls; i++)
		if (accounts__blocking(j->accounts, w->polls[i].kind))
			return NULL;
	return w;
}
