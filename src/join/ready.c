/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why a task that was woken had to wait for its poll: what the worker did meanwhile that
 * polled it in the end; of a task that was not polled, the worker that woke it, since
 * that has it in its own slot or queue. Nothing is said where that worker is not known.
 *
 * It changes nothing of the join but the list that it fills, and what it remembers of a
 * thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "join/timeline.h"

#define DETAILS_MAX	16	/* of one time, kept apart */
#define HINTS		8	/* a power of two */

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
	if (iv->cpu == CPU_THROTTLED)
		return (struct detail){ .kind = DETAIL_WORKER_THROTTLED };
	if (iv->doing == DOING_POLL)
		return (struct detail){ .kind = iv->cpu == CPU_ASLEEP ? DETAIL_WORKER_BLOCKED :
									DETAIL_WORKER_BUSY,
					.id = iv->kind };
	if (iv->doing == DOING_DRIVER || iv->cpu == CPU_ASLEEP)
		return (struct detail){ .kind = DETAIL_WORKER_ASLEEP };
	return (struct detail){ .kind = DETAIL_WORKER_RUNTIME };
}

/* ---- with their places ---- */

static void place_piece(struct ready_division *d, struct detail detail, uint64_t ns)
{
	struct piece p = d->piece;
	int err;

	d->to -= ns;
	p.detail = detail;
	p.from = d->to;
	p.ns = ns;
	err = pieces__add(d->out, &p);
	d->err = err ? err : d->err;
}

static void place_interval(void *arg, const struct interval *iv, uint64_t ns)
{
	place_piece(arg, worker_detail(iv), ns);
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
		place_piece(d, no_detail, to - from);
	else
		history__divide(&t->worker->history, from, to, place_interval, d);
}

static int by_place(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

/* ---- sums ---- */

/* Sums by detail; a queue of many tasks has many intervals in it, of few details. */
struct ready_sums {
	const struct stops	*stops;
	uint64_t		 to;		/* end of the time that is still to be divided */
	uint32_t		 nr;
	struct detail		 details[DETAILS_MAX];
	uint64_t		 ns[DETAILS_MAX];
	uint8_t			 hint[HINTS];	/* where a detail may be */
};

static void sum_detail(struct ready_sums *s, struct detail detail, uint64_t ns)
{
	uint8_t *hint = &s->hint[(detail.kind ^ detail.id) & (HINTS - 1)];
	uint32_t i = *hint;

	if (i >= s->nr || s->details[i].kind != detail.kind || s->details[i].id != detail.id) {
		for (i = 0; i < s->nr; i++)
			if (s->details[i].kind == detail.kind && s->details[i].id == detail.id)
				break;
		/* The last one is for all that there is no room for. */
		if (i == DETAILS_MAX)
			s->details[--i] = (struct detail){ .kind = DETAIL_OTHERS };
		if (i == s->nr) {
			s->details[s->nr++] = detail;
			s->ns[i] = 0;
		}
		*hint = (uint8_t)i;
	}
	s->ns[i] += ns;
}

static void sum_interval(void *arg, const struct interval *iv, uint64_t ns)
{
	sum_detail(arg, worker_detail(iv), ns);
}

/* The same without the stops in it, which are one piece of their own. */
static void sum_running_interval(void *arg, const struct interval *iv, uint64_t ns)
{
	struct ready_sums *s = arg;
	uint64_t stopped = stops__within(s->stops, s->to - ns, s->to);

	s->to -= ns;
	if (ns > stopped)
		sum_detail(s, worker_detail(iv), ns - stopped);
}

/*
 * Tasks of a queue are polled in the order in which they were woken, so each is ready from
 * a little later to a little later than the one before: then only what is different has
 * to be looked at.
 */
struct ready_window {
	uint64_t		from, to;
	struct ready_sums	sums;		/* of [from, to) */
};

static void take_interval(void *arg, const struct interval *iv, uint64_t ns)
{
	struct ready_sums *s = arg;
	struct detail detail = worker_detail(iv);

	for (uint32_t i = 0; i < s->nr; i++)
		if (s->details[i].kind == detail.kind && s->details[i].id == detail.id)
			s->ns[i] -= ns;
}

/* Is the window of @w near [@from, @to), and is all known still that it was made of? */
static bool window__slides(const struct ready_window *w, const struct history *h, uint64_t from,
			   uint64_t to)
{
	return w->from <= from && from < w->to && w->to <= to && w->sums.nr < DETAILS_MAX &&
	       w->from >= history__begin(h);
}

/* The sums of [@from, @to); NULL: no memory. */
static const struct ready_sums *window__sums(struct thread *worker, uint64_t from, uint64_t to)
{
	const struct history *h = &worker->history;
	struct ready_window *w = worker->ready;

	if (!w)
		w = worker->ready = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	if (window__slides(w, h, from, to)) {
		history__divide(h, w->from, from, take_interval, &w->sums);
		history__divide(h, w->to, to, sum_interval, &w->sums);
	} else {
		w->sums.nr = 0;
		history__divide(h, from, to, sum_interval, &w->sums);
	}
	w->from = from;
	w->to = to;
	return &w->sums;
}

/* Its past may be changed after a loss; stops are in no window. */
static const struct ready_sums *sums_of(const struct join *j, struct thread *worker,
					struct ready_sums *own, uint64_t from, uint64_t to)
{
	uint64_t stopped = stops__within(&j->stops, from, to);

	own->stops = &j->stops;
	own->to = to;
	own->nr = 0;
	if (worker && !stopped && !j->lossy)
		return window__sums(worker, from, to);
	if (worker)
		history__divide(&worker->history, from, to,
				stopped ? sum_running_interval : sum_interval, own);
	else if (to - from > stopped)
		sum_detail(own, no_detail, to - from - stopped);
	return own;
}

static int sum_time(const struct join *j, struct thread *worker, struct piece *piece, uint64_t from,
		    uint64_t to, struct pieces *out)
{
	uint64_t stopped = stops__within(&j->stops, from, to);
	struct ready_sums own = { 0 };
	const struct ready_sums *s = sums_of(j, worker, &own, from, to);
	int err = s ? 0 : -ENOMEM;

	for (uint32_t i = 0; !err && i < s->nr; i++) {
		piece->detail = s->details[i];
		piece->ns = s->ns[i];
		if (piece->ns)
			err = pieces__add(out, piece);
	}
	if (!stopped || err)
		return err;
	*piece = (struct piece){ .segment = JOIN_READY, .part = PART_STOPPED, .ns = stopped };
	return pieces__add(out, piece);
}

int ready__divide(const struct join *j, struct thread *worker, enum part part, uint64_t from,
		  uint64_t to, struct pieces *out)
{
	struct ready_division d = { .join = j, .out = out, .piece.segment = JOIN_READY };
	struct ready_times t = { &d, worker, part };

	out->nr = 0;
	d.piece.part = (uint8_t)part;
	if (to <= from)
		return 0;
	if (!j->placed)
		return sum_time(j, worker, &d.piece, from, to, out);
	stops__divide(&j->stops, from, to, place_time, &t);
	qsort(out->list, out->nr, sizeof(*out->list), by_place);
	return d.err;
}

void ready__taken(struct detail *detail)
{
	if (detail->kind == DETAIL_WORKER_BLOCKED)
		detail->kind = DETAIL_TAKER_BLOCKED;
	else if (detail->kind == DETAIL_WORKER_BUSY)
		detail->kind = DETAIL_TAKER_BUSY;
}

struct thread *ready__worker(const struct join *j, const struct task *t)
{
	struct thread *w = t->woken_on ? map__get(&j->threads, t->woken_on) : NULL;
	const char *scheduler = accounts__scheduler(j->accounts, t->kind);

	/* Still in the poll in which it woke the task: so it is that very thread, too. */
	if (!w || !w->nr_polls || w->polls[w->nr_polls - 1].begin > t->since || !j->settled ||
	    accounts__root(j->accounts, t->kind))
		return NULL;
	/* What a blocking job wakes goes to a queue that all workers take from. */
	for (uint32_t i = 0; i < w->nr_polls; i++)
		if (accounts__blocking(j->accounts, w->polls[i].kind) ||
		    strcmp(scheduler, accounts__scheduler(j->accounts, w->polls[i].kind)))
			return NULL;
	return w;
}
