/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why a wait lasted as long as it did. A wait ends when a thread calls the task's
 * waker. What that thread came from, its driver or another task's poll, tells what the
 * wait was for. What that thread did between the event (data, a deadline) and the wake
 * tells why the wake came no sooner.
 *
 *	the waking thread	the wait was for
 *	anywhere		an operation that has completed, if a leaf names it
 *	back from its driver	what the driver found, if a leaf or a waker names it;
 *				else the deadline of a leaf, if it has passed;
 *				else, if a leaf is not known, a timer, a signal, or a
 *				descriptor whose waker is not a task's
 *	in another task's poll	that task; "joined" if a leaf is its JoinHandle; and if it is
 *				a blocking job, what that did
 *	elsewhere		a deadline that has passed, else that thread
 *
 * Time in which the process was stopped is a part of its own: see stops.h. The parts
 * add up to the wait, to the nanosecond.
 */
#include <stdlib.h>
#include <string.h>

#include "join/driver.h"
#include "join/idle.h"
#include "join/jobs.h"
#include "join/leaves.h"
#include "join/timeline.h"

/* A timer that is late by less has not been forgotten: runtimes count in milliseconds. */
#define OVERDUE_NS	10000000

/* Appends a part with its place in time. Apart from the sums, which are what most joins need. */
__attribute__((noinline))
static void split__place(struct split *s, enum part part, struct detail detail, uint64_t from,
			 uint64_t ns)
{
	bool sourced = detail.kind == DETAIL_BY_TASK || detail.kind == DETAIL_JOINED;
	int err = pieces__add(s->placed, &(struct piece){ .segment = JOIN_AWAIT,
							  .part = (uint8_t)part, .detail = detail,
							  .from = from, .ns = ns,
							  .source = sourced ? s->source : 0 });

	s->err = err ? err : s->err;
}

/* Equal parts are one. */
static bool piece__is(const struct piece *p, enum part part, struct detail detail)
{
	return p->part == part && p->detail.id == detail.id && p->detail.kind == detail.kind;
}

static void split__sum(struct split *s, enum part part, struct detail detail, uint64_t ns)
{
	uint8_t *hint = &s->hint[(part ^ detail.id) & (SPLIT_HINTS - 1)];
	struct piece *others = NULL;

	if (!ns)
		return;
	/* Most calls repeat one of a few parts, since a worker alternates between them. */
	if (*hint < s->nr && piece__is(&s->parts[*hint], part, detail)) {
		s->parts[*hint].ns += ns;
		return;
	}
	for (unsigned int i = 0; i < s->nr; i++) {
		struct piece *p = &s->parts[i];

		if (piece__is(p, part, detail)) {
			p->ns += ns;
			*hint = (uint8_t)i;
			return;
		}
		if (p->part == part)
			others = p;
	}
	/* When nearly full, only parts of a new kind get an entry; details are merged. */
	if (s->nr >= SPLIT_MAX - PART_NR && others) {
		others->detail = (struct detail){ .kind = DETAIL_OTHERS };
		others->ns += ns;
		return;
	}
	*hint = (uint8_t)s->nr;
	s->parts[s->nr++] = (struct piece){ .segment = JOIN_AWAIT, .part = (uint8_t)part,
					    .detail = detail, .ns = ns };
}

static void split__add(struct split *s, enum part part, struct detail detail, uint64_t from,
		       uint64_t ns)
{
	if (s->placed && ns)
		split__place(s, part, detail, from, ns);
	else
		split__sum(s, part, detail, ns);
}

static void split__begin(const struct join *j, struct split *s)
{
	s->nr = 0;
	memset(s->hint, 0, sizeof(s->hint));
	s->undecided = s->yielded = s->by_wake = false;
	s->job = NULL;
	s->forgotten = 0;
	s->err = 0;
	s->source = 0;
	s->placed = j->placed;
	if (s->placed)
		s->placed->nr = 0;
}

static const struct detail no_detail;

/* A part of the wait, without the time in which the process was stopped. */
struct own {
	struct split	*split;
	enum part	 part;
	struct detail	 detail;
};

static void own_piece(void *arg, uint64_t from, uint64_t to, bool stopped)
{
	const struct own *o = arg;

	split__add(o->split, stopped ? PART_STOPPED : o->part, stopped ? no_detail : o->detail,
		   from, to - from);
}

static void split__place_own(const struct join *j, struct split *s, enum part part,
			     struct detail detail, uint64_t from, uint64_t to)
{
	struct own o = { .split = s, .part = part, .detail = detail };

	stops__divide(&j->stops, from, to, own_piece, &o);
}

/*
 * Adds [@from, @to) as @part, and the time in which the process was stopped in it as
 * PART_STOPPED. For what only the program itself can do.
 */
static void split__add_own(const struct join *j, struct split *s, enum part part,
			   struct detail detail, uint64_t from, uint64_t to)
{
	uint64_t stopped = stops__within(&j->stops, from, to);

	if (stopped && s->placed) {
		split__place_own(j, s, part, detail, from, to);
		return;
	}
	split__add(s, PART_STOPPED, no_detail, from, stopped);
	split__add(s, part, detail, from, to - from - stopped);
}

/* ---- what the worker did ---- */

struct division {
	const struct join *join;
	struct split	*split;
	enum part	 waiting;	/* part for time in the driver */
	enum part	 runtime;	/* part for time in the runtime's code */
	bool		 unknown;
	uint64_t	 to;		/* end of the time that is still to be divided */
	uint64_t	 stopped;	/* ns of stops before @to */
};

/* Takes the next piece of @ns off the end; returns its length without the stops. */
static uint64_t division__without_stops(struct division *d, uint64_t ns)
{
	uint64_t stopped = stops__before(&d->join->stops, d->to - ns);

	ns -= d->stopped - stopped;
	d->to -= ns + d->stopped - stopped;
	d->stopped = stopped;
	return ns;
}

/*
 * Adds a piece that ends at @to: @ns, without the stops; or, if @placed, with its place
 * in time and the stops.
 */
static inline void division__add(struct division *d, enum part part, struct detail detail,
				 uint64_t to, uint64_t ns, bool placed)
{
	if (placed)
		split__place_own(d->join, d->split, part, detail, d->to, to);
	else
		split__sum(d->split, part, detail, ns);
}

static inline void division__piece(struct division *d, const struct interval *iv, uint64_t ns,
				   bool placed)
{
	struct detail task = { .kind = DETAIL_TASK, .id = iv->kind };
	uint64_t to = d->to;

	ns = division__without_stops(d, ns);
	if (!ns && !placed)
		return;
	if (iv->doing == DOING_UNKNOWN) {
		d->unknown |= ns > 0;
		division__add(d, PART_HISTORY, no_detail, to, ns, placed);
	} else if (iv->cpu == CPU_RUNNABLE) {
		division__add(d, PART_RUN_QUEUE, no_detail, to, ns, placed);
	} else if (iv->cpu == CPU_THROTTLED) {
		division__add(d, PART_WORKER_THROTTLED, no_detail, to, ns, placed);
	} else if (iv->doing == DOING_DRIVER) {
		division__add(d, d->waiting, no_detail, to, ns, placed);
	} else if (iv->doing == DOING_POLL) {
		division__add(d, iv->cpu == CPU_ASLEEP ? PART_WORKER_BLOCKED : PART_BUSY, task, to,
			      ns, placed);
	} else if (iv->cpu == CPU_ASLEEP) {
		division__add(d, PART_PARKED, no_detail, to, ns, placed);
	} else if (d->runtime == PART_BUSY) {
		division__add(d, PART_BUSY, (struct detail){ .kind = DETAIL_RUNTIME }, to, ns,
			      placed);
	} else {
		division__add(d, d->runtime, no_detail, to, ns, placed);
	}
}

static void sum_piece(void *arg, const struct interval *iv, uint64_t ns)
{
	division__piece(arg, iv, ns, false);
}

static void place_piece(void *arg, const struct interval *iv, uint64_t ns)
{
	division__piece(arg, iv, ns, true);
}

static void divide_by_worker(const struct join *j, struct split *s, const struct thread *w,
			     uint64_t from, uint64_t to, enum part waiting, enum part runtime)
{
	struct division d = { .join = j, .split = s, .waiting = waiting, .runtime = runtime,
			      .to = to, .stopped = stops__before(&j->stops, to) };

	if (to <= from)
		return;
	if (!s->placed)
		split__add(s, PART_STOPPED, no_detail, from, stops__within(&j->stops, from, to));
	history__divide(&w->history, from, to, s->placed ? place_piece : sum_piece, &d);
	/*
	 * Only count what the history once knew; before a thread's first event there
	 * was nothing.
	 */
	s->forgotten += d.unknown && history__forgot(&w->history);
}

static uint64_t clamp(uint64_t v, uint64_t lo, uint64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/* When @w came back from its driver to wake @now. */
static uint64_t back_at(const struct thread *w, uint64_t now)
{
	/* If the thread has polled since, the moment of its return belongs to another wake. */
	return w->dispatches ? w->dispatches->returned : now;
}

/*
 * Divides [@due, @now): the worker @w had a reason to wake the task and had not done it. It
 * has looked for such reasons since @back.
 */
static void split_worker(const struct join *j, struct split *s, const struct thread *w,
			 uint64_t due, uint64_t back, uint64_t now, enum part waiting)
{
	back = clamp(back, due, now);
	divide_by_worker(j, s, w, due, back, waiting, PART_BUSY);
	divide_by_worker(j, s, w, back, now, waiting, PART_DISPATCH);
}

/* ---- what the driver found ---- */

/* Splits the wait of @t, which thread @w woke because of @c, found by its driver. */
static void split_cause(const struct join *j, struct split *s, const struct task *t,
			const struct shape *sh, const struct thread *w, const struct cause *c,
			uint64_t now)
{
	enum part part = idle__part(j, t, sh, c->part, c->branch);
	const struct driver *d = w->dispatches;
	uint64_t start = t->since, back = clamp(d->returned, start, now);
	uint64_t ready, seen;

	s->branch = c->branch;
	s->by_wake = c->by_wake;
	s->on = c->detail;
	if (c->ready) {
		ready = clamp(c->ready, start, back);
		split__add(s, part, c->detail, start, ready - start);
		split_worker(j, s, w, ready, back, now, d->ops->waiting);
		return;
	}
	seen = clamp(c->looked, start, back);
	split__add(s, part, c->detail, start, seen - start);
	split__add_own(j, s, PART_NOT_SEEN, c->detail, seen, back);
	split_worker(j, s, w, back, back, now, d->ops->waiting);
}

/* ---- what has become of an operation ---- */

/* Adds [@from, @to) of @c's part, of which pieces are known. */
static void split_pieces(struct split *s, const struct cause *c, uint64_t from, uint64_t to)
{
	for (uint32_t i = 0; i < c->pieces->nr && from < to; i++) {
		const struct piece *p = &c->pieces->list[i];
		uint64_t begin = clamp(p->from, from, to), end = clamp(p->from + p->ns, begin, to);

		split__add(s, c->part, c->detail, from, begin - from);
		split__add(s, p->part, p->detail, begin, end - begin);
		from = end;
	}
	split__add(s, c->part, c->detail, from, to - from);
}

/* The time of @c in which the operation was on its way, up to @until. Returns its end. */
static uint64_t split_steps(const struct join *j, struct split *s, const struct cause *c,
			    uint64_t from, uint64_t until)
{
	for (unsigned int i = 0; i <= c->nr_steps; i++) {
		bool last = i == c->nr_steps;
		enum part part = last ? c->part : c->steps[i].part;
		uint64_t to = last ? until : clamp(c->steps[i].until, from, until);

		if (part == PART_NOT_SUBMITTED)		/* the program's to do */
			split__add_own(j, s, part, c->detail, from, to);
		else if (last && c->pieces)
			split_pieces(s, c, from, to);
		else
			split__add(s, part, c->detail, from, to - from);
		from = to;
	}
	return from;
}

/*
 * Did @t wait for an operation that has completed? Then that is why @w wakes it, from
 * wherever: a runtime may look for completions in a task of its own, whose poll is then the
 * time in which they are dispatched.
 */
static bool split_happened(const struct join *j, const struct task *t, const struct shape *sh,
			   const struct thread *w, uint64_t now, struct split *s)
{
	const struct poll *poll = thread__poll(w);
	const struct driver *d = w->dispatches ? w->dispatches : w->drives;
	struct cause c;
	uint64_t ready;

	if (!driver__happened(j, t, sh, w, &c))
		return false;
	s->branch = c.branch;
	c.part = (uint8_t)idle__part(j, t, sh, c.part, c.branch);
	ready = split_steps(j, s, &c, t->since, clamp(c.ready, t->since, now));
	split_worker(j, s, w, ready, !w->dispatches && poll ? poll->begin : back_at(w, now), now,
		     d ? d->ops->waiting : PART_PARKED);
	return true;
}

/* ---- leaves ---- */

/* The node of the leaf, if the chain has one leaf only. */
static uint16_t only_branch(const struct shape *sh)
{
	return sh->nr_leaves == 1 ? sh->leaves[0].node : NO_BRANCH;
}

static bool leaf__opaque(const struct chain_leaf *l)
{
	return l->kind != TRACE_NODE_LEAF;
}

/* The leaf whose deadline passed first, or NULL. */
static const struct chain_leaf *passed_deadline(const struct task *t, const struct shape *sh,
						uint64_t now, uint64_t *deadline)
{
	const struct chain_leaf *found = NULL;
	struct walk_key d;

	for (uint32_t i = 0; i < sh->nr_leaves; i++) {
		if (!leaf_key(t, &sh->leaves[i], WALK_KEY_DEADLINE, &d) || d.value > now)
			continue;
		if (!found || d.value < *deadline) {
			found = &sh->leaves[i];
			*deadline = d.value;
		}
	}
	return found;
}

/* Splits the wait up to the first deadline that has passed, *@deadline. False: none has. */
static bool split_until_deadline(const struct join *j, const struct task *t,
				 const struct shape *sh, uint64_t now, struct split *s,
				 uint64_t *deadline)
{
	const struct chain_leaf *l = passed_deadline(t, sh, now, deadline);

	if (!l)
		return false;
	*deadline = clamp(*deadline, t->since, now);
	split__add(s, idle__part(j, t, sh, PART_DEADLINE, l->node), no_detail, t->since,
		   *deadline - t->since);
	s->branch = l->node;
	return true;
}

static bool split_deadline(const struct join *j, const struct task *t, const struct shape *sh,
			   const struct thread *w, uint64_t now, struct split *s)
{
	uint64_t deadline = 0;

	if (!split_until_deadline(j, t, sh, now, s, &deadline))
		return false;
	split_worker(j, s, w, deadline, back_at(w, now), now, PART_TIMER_LATE);
	return true;
}

static bool leaf__yield(const struct chain_leaf *l)
{
	return l->key == WALK_KEY_YIELD;
}

/*
 * Was it a yield? It was if all leaves are known and none of the other leaves explains
 * the wake; callers have checked those before.
 */
static bool split_yield(const struct join *j, const struct task *t, const struct shape *sh,
			uint64_t now, struct split *s)
{
	uint16_t node = only_leaf(sh, leaf__yield);

	if (node == NO_BRANCH || sh->blind)
		return false;
	split__add_own(j, s, PART_YIELDED, no_detail, t->since, now);
	s->yielded = true;
	s->branch = node;
	return true;
}

static bool split_driver(const struct join *j, const struct task *t, const struct shape *sh,
			 const struct thread *w, uint64_t now, struct split *s)
{
	struct driver *d = w->dispatches;
	struct cause cause = { .by_wake = false };

	if (d->ops->why && d->ops->why(j, d, t, sh, &cause)) {
		split_cause(j, s, t, sh, w, &cause, now);
		return true;
	}
	if (split_deadline(j, t, sh, w, now, s))
		return true;
	if (split_yield(j, t, sh, now, s))
		return true;
	if (sh->blind) {
		s->branch = only_leaf(sh, leaf__opaque);
		split__add_own(j, s, idle__part(j, t, sh, d->ops->blind(j, d), s->branch),
			       no_detail, t->since, now);
		return true;
	}
	if (!d->ops->unread || !d->ops->unread(j, d, t, sh, &cause))
		return false;
	split_cause(j, s, t, sh, w, &cause, now);
	return true;
}

/* As in struct piece. */
static uint32_t source_of(uint64_t life)
{
	return life <= UINT32_MAX ? (uint32_t)life : 0;
}

/* The leaf that waits for the end of @task, or NULL. */
static const struct chain_leaf *joining(const struct task *t, const struct shape *sh, uint64_t task)
{
	struct walk_key key;

	for (uint32_t i = 0; i < sh->nr_leaves; i++)
		if (leaf_key(t, &sh->leaves[i], WALK_KEY_TASK, &key) && key.value == task)
			return &sh->leaves[i];
	return NULL;
}

/* ---- what a blocking job did ---- */

struct job_split {
	struct split	*split;
	struct detail	 job;		/* "blocking job X" */
};

static void job_piece(void *arg, const struct piece *p)
{
	const struct job_split *js = arg;
	struct detail detail = js->job;
	enum part part = PART_JOB_UNKNOWN;

	switch (p->segment) {
	case JOIN_RUNNING:
		part = PART_JOB_RUNNING;
		break;
	case JOIN_PREEMPTED:
		part = p->part == PART_THROTTLED ? PART_JOB_THROTTLED : PART_JOB_RUN_QUEUE;
		break;
	case JOIN_BLOCKED:
		part = p->part == PART_STOPPED ? PART_STOPPED : PART_JOB_BLOCKED;
		if (part == PART_STOPPED)
			detail = no_detail;
		else if (p->joined)
			detail = (struct detail){ .kind = DETAIL_SLEEP, .id = p->joined - 1 };
		break;
	}
	split__add(js->split, part, detail, p->from, p->ns);
}

/*
 * Splits the wait of @t for the job whose poll is @p: queued until the poll began, then what
 * it did. Returns the time up to which that is known, at most @now.
 */
static uint64_t split_job(const struct join *j, const struct task *t, const struct poll *p,
			  uint64_t now, struct split *s)
{
	struct job_split js = { s, { .kind = DETAIL_TASK, .id = p->kind } };
	uint64_t begin = clamp(p->begin, t->since, now);

	split__add_own(j, s, PART_JOB_QUEUED, js.job, t->since, begin);
	return jobs__divide(p, begin, now, job_piece, &js);
}

/* The job has woken @t at @now, and its thread is on a CPU. */
static void split_ended_job(const struct join *j, const struct task *t, const struct poll *p,
			    uint64_t now, struct split *s)
{
	struct detail detail = { .kind = DETAIL_TASK, .id = p->kind };
	uint64_t known = split_job(j, t, p, now, s);

	split__add_own(j, s, p->ended ? PART_JOB_DONE : PART_JOB_RUNNING, detail, known, now);
	s->job = p;
}

/*
 * Splits the wait of @t for @joined, which has not woken it until @now; @otherwise: the part
 * for time of which it cannot be said what @joined did. False: that is all of it.
 */
static bool split_open_job(const struct join *j, const struct task *t, const struct task *joined,
			   uint64_t now, enum part otherwise, struct split *s)
{
	const struct poll *p = joined->thread ? thread__poll_of(joined->thread, joined->addr) :
						NULL;
	uint64_t known;

	if (!joined->job || (!p && joined->state != TASK_READY))
		return false;
	if (!p) {
		split__add_own(j, s, PART_JOB_QUEUED,
			       (struct detail){ .kind = DETAIL_TASK, .id = joined->kind },
			       t->since, now);
		return true;
	}
	known = split_job(j, t, p, now, s);
	/* Of a thread that sleeps it is told when it wakes up. */
	split__add_own(j, s, otherwise,
		       (struct detail){ .kind = DETAIL_JOINED, .id = joined->kind }, known, now);
	return true;
}

/*
 * The same where no poll is open on the thread that woke @t: a leaf waits for a job that has
 * ended meanwhile, and it was in its poll when the recording began.
 */
static bool split_unseen_job(const struct join *j, const struct task *t, const struct shape *sh,
			     uint64_t now, struct split *s)
{
	struct walk_key key;

	for (uint32_t i = 0; i < sh->nr_leaves; i++) {
		const struct task *job;

		if (!leaf_key(t, &sh->leaves[i], WALK_KEY_TASK, &key))
			continue;
		job = task__find(j, key.value);
		if (!job || !job->job || job->state != TASK_DONE || job->since < t->since)
			continue;
		s->branch = sh->leaves[i].node;
		split__add_own(j, s, PART_JOB_UNKNOWN,
			       (struct detail){ .kind = DETAIL_TASK, .id = job->kind }, t->since,
			       now);
		return true;
	}
	return false;
}

/* ---- other tasks ---- */

/* Who woke at @now: the task in poll @by (NULL: in none), on thread @w (NULL: not known). */
static struct detail waker(struct join *j, const struct poll *by, const struct thread *w,
			   uint64_t now)
{
	struct waker who = { .kind = by ? by->kind : UNKNOWN_KIND,
			     .chain = by ? by->from : NO_CHAIN,
			     .tid = w && !by ? w->tid : 0,
			     .user = w ? thread__wake_stack(w, now) : 0 };
	int64_t number;

	if (!by && !who.user)
		return (struct detail){ .kind = DETAIL_BY_THREAD, .id = who.tid };
	number = wakers__number(&j->wakers, &who);
	join__note_err(j, number < 0 ? (int)number : 0);
	return (struct detail){ .kind = number < 0 ? DETAIL_OTHERS : by ? DETAIL_BY_TASK :
								 DETAIL_BY_THREAD_AT,
				.id = number < 0 ? 0 : (uint32_t)number };
}

static void split_task(struct join *j, const struct task *t, const struct shape *sh,
		       const struct thread *w, uint64_t now, struct split *s)
{
	const struct poll *by = thread__poll(w);
	struct detail detail = waker(j, by, w, now);
	const struct chain_leaf *join = joining(t, sh, by->addr);
	const struct task *waker = task__find(j, by->addr);

	s->branch = only_leaf(sh, chain_leaf__called);
	/*
	 * @by may be joined by one leaf of @t and have sent what another leaf waits
	 * for. If @by has ended, it woke @t as the joined task. If its end has not been
	 * seen, either is possible, since in some builds the event of the end comes
	 * after the wake: then it counts as joined only if no other leaf waits for a
	 * waker.
	 */
	if (join && (!waker || waker->state == TASK_DONE))
		s->branch = join->node;
	if (join && s->branch == join->node)
		detail = (struct detail){ .kind = DETAIL_JOINED, .id = by->kind };
	/* The end of a job that no leaf joins ends the wait for a set of tasks. */
	if (by->job && (detail.kind == DETAIL_JOINED || by->ended)) {
		split_ended_job(j, t, by, now, s);
		return;
	}
	s->source = source_of(by->life);
	split__add_own(j, s, idle__part(j, t, sh, PART_WOKEN, s->branch), detail, t->since, now);
}

uint64_t split__idle_ns(const struct split *s)
{
	uint64_t ns = 0;

	for (unsigned int i = 0; i < s->nr; i++)
		ns += part__idle(s->parts[i].part) ? s->parts[i].ns : 0;
	for (uint32_t i = 0; s->placed && i < s->placed->nr; i++)
		ns += part__idle(s->placed->list[i].part) ? s->placed->list[i].ns : 0;
	return ns;
}

uint64_t split__not_joined(const struct join *j, const struct task *t)
{
	const struct shape *sh = accounts__shape(j->accounts, t->chain);
	struct walk_key key;
	uint64_t leaves = 0;

	for (uint32_t i = 0; sh && i < sh->nr_leaves && i < SHAPE_MAX_COMPARED; i++) {
		const struct task *other;

		if (!leaf_key(t, &sh->leaves[i], WALK_KEY_TASK, &key))
			continue;
		other = map__get(&j->tasks, key.value);
		if (other && (other->state == TASK_IDLE || other->state == TASK_READY))
			leaves |= 1ull << i;
	}
	return leaves;
}

void split__wake(struct join *j, const struct task *t, const struct thread *w, uint64_t now,
		 struct split *s)
{
	const struct shape *sh = accounts__shape(j->accounts, t->chain);
	const struct poll *poll;

	split__begin(j, s);
	s->branch = NO_BRANCH;
	if (!sh) {
		split__add_own(j, s, PART_WOKEN, no_detail, t->since, now);
		return;
	}
	if (sh->nr_leaves == 1 && split_yield(j, t, sh, now, s))
		return;
	if (w && split_happened(j, t, sh, w, now, s))
		return;
	poll = w ? thread__poll(w) : NULL;
	if (w && w->dispatches) {
		if (split_driver(j, t, sh, w, now, s))
			return;
	} else if (poll && poll->task != t) {
		split_task(j, t, sh, w, now, s);
		s->undecided = s->branch == NO_BRANCH && sh->nr_leaves > 1;
		return;
	} else if (w && !poll && (split_deadline(j, t, sh, w, now, s) ||
				  split_unseen_job(j, t, sh, now, s))) {
		return;
	}
	s->branch = only_leaf(sh, chain_leaf__called);
	if (s->branch == NO_BRANCH)
		s->branch = only_branch(sh);
	s->undecided = s->branch == NO_BRANCH && sh->nr_leaves > 1;
	split__add_own(j, s, idle__part(j, t, sh, PART_WOKEN, s->branch), waker(j, NULL, w, now),
		       t->since, now);
}

/*
 * A deadline of @t has passed and nobody has woken it. Whoever waits in the driver should
 * have; if nobody does, the thread that drove it last has something else to do, unless
 * nobody has driven it since the recording began. With more than one driver it is not
 * known whose the deadline is.
 */
static bool split_overdue(const struct join *j, const struct task *t, const struct shape *sh,
			  uint64_t now, struct split *s)
{
	uint64_t deadline = 0;

	if (!split_until_deadline(j, t, sh, now, s, &deadline))
		return false;
	if (!j->settled || j->many_drivers || (j->in_driver && thread__in_driver(j->in_driver)))
		split__add_own(j, s, PART_TIMER_LATE, no_detail, deadline, now);
	else if (j->drove)
		split_worker(j, s, j->drove, deadline, back_at(j->drove, now), now,
			     PART_TIMER_LATE);
	else
		split__add_own(j, s, now - deadline > OVERDUE_NS ? PART_UNDRIVEN : PART_TIMER_LATE,
			       no_detail, deadline, now);
	return true;
}

/* The part for time in which nothing has come, to read or write on descriptor @token. */
static enum part open_part(const struct join *j, uint64_t token, unsigned int dir)
{
	return dir == WALK_DIR_READ ? idle__read_part_open(j, token) : driver__idle_part(dir);
}

void split__open(const struct join *j, const struct task *t, uint64_t now, enum part otherwise,
		 struct split *s)
{
	const struct shape *sh = accounts__shape(j->accounts, t->chain);
	struct detail detail = no_detail;
	uint64_t start = t->since, last;
	struct walk_key key;
	const struct chain_leaf *l;
	const struct task *joined;
	struct cause cause;
	bool all_seen = otherwise == PART_OPEN || otherwise == PART_DROPPED;
	enum part idle;

	split__begin(j, s);
	if (all_seen && sh && split_overdue(j, t, sh, now, s))
		return;
	s->branch = sh ? only_branch(sh) : NO_BRANCH;
	l = sh && sh->nr_leaves == 1 ? &sh->leaves[0] : NULL;
	idle = sh && all_seen ? idle__open(j, t, sh) : PART_NONE;
	if (sh && sh->blind && t->at_fd && (!l || l->key == WALK_KEY_NONE)) {
		/*
		 * The leaf is not known, but the task's waker is registered with a
		 * descriptor.
		 */
		detail = driver__name(j, t->fd_token);
		if (l && all_seen)
			otherwise = open_part(j, t->fd_token, t->fd_dir);
	} else if (sh && !l && only_io(t, sh, &key) != NO_BRANCH) {
		/* One of several leaves waits for a descriptor: the wait is named by it. */
		detail = driver__name(j, key.value);
		otherwise = idle ? idle : otherwise;
	} else if (l && leaf_key(t, l, WALK_KEY_IO, &key)) {
		detail = driver__name(j, key.value);
		if (all_seen)
			otherwise = open_part(j, key.value, key.dir);
		/* While the program was running and did not wake it, no data was there. */
		last = stops__begin(&j->stops, now);
		if (last > start) {
			split__add(s, otherwise, detail, start, last - start);
			start = last;
		}
	} else if (l && all_seen && driver__outstanding(j, t, l, &cause)) {
		cause.part = (uint8_t)idle__part(j, t, sh, cause.part, cause.branch);
		split_steps(j, s, &cause, start, now);
		return;
	} else if (l && all_seen && leaf_key(t, l, WALK_KEY_DEADLINE, &key)) {
		split__add(s, idle ? idle : PART_DEADLINE, no_detail, start, now - start);
		return;
	} else if (l && leaf_key(t, l, WALK_KEY_TASK, &key)) {
		joined = task__find(j, key.value);
		if (joined && all_seen && split_open_job(j, t, joined, now, otherwise, s))
			return;
		s->source = joined ? source_of(joined->life) : 0;
		if (joined && joined->kind != UNKNOWN_KIND)
			detail = (struct detail){ .kind = DETAIL_JOINED, .id = joined->kind };
		otherwise = idle ? idle : otherwise;
	} else if (idle) {
		otherwise = idle;
	}
	split__add_own(j, s, otherwise, detail, start, now);
}
