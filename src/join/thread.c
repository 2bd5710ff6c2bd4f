/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Timelines of threads: the polls that are open on each thread, what the thread does,
 * and the driver that it came back from last.
 *
 * Polls nest (a LocalSet inside a task; block_on inside block_in_place). The time of an
 * inner poll belongs to the inner task and to the outer one: for the outer task it is
 * [running] "polling another task" while the thread is on a CPU; while the thread
 * sleeps or is preempted, both tasks are [blocked] or [preempted].
 *
 * The time of a poll is charged when its end is seen. If the end is missing,
 * j->poll_broken() is called, because what becomes of the task is not known here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "join/job_kinds.h"
#include "join/jobs.h"
#include "join/timeline.h"

/* ---- history ---- */

static void thread__does(struct join *j, struct thread *th, uint64_t ts, enum doing doing,
			 enum on_cpu cpu)
{
	const struct poll *p = thread__poll(th);

	join__note_err(j, history__add(&th->history, ts, doing, cpu,
				 doing == DOING_POLL && p ? p->kind : 0));
}

static enum doing thread__doing(const struct thread *th)
{
	return th->nr_polls ? DOING_POLL : DOING_RUNTIME;
}

struct thread *thread__get(struct join *j, uint32_t tid, uint64_t now)
{
	struct thread *th = map__get(&j->threads, tid);
	uint64_t known;

	if (!th) {
		th = calloc(1, sizeof(*th));
		if (!th || map__add(&j->threads, tid, th)) {
			join__note_err(j, -ENOMEM);
			free(th);
			return NULL;
		}
		th->tid = tid;
		th->last = now;
		return th;
	}
	known = windows__known_until(&j->windows, th->last, now);
	if (__builtin_expect(known < now, 0)) {
		/* Not known: what the thread did since, and whether it still dispatches. */
		thread__does(j, th, known, DOING_UNKNOWN, CPU_ON);
		thread__does(j, th, now, thread__doing(th), CPU_ON);
		th->dispatches = NULL;
		for (int i = 0; i < DRIVER_NR; i++)
			if (th->drivers[i])
				th->drivers[i]->sleep_end = 0;
	}
	th->last = now;
	return th;
}

/* ---- the pieces of a poll ---- */

static void poll__add(struct join *j, struct poll *p, const struct piece *piece)
{
	struct piece *same = NULL;

	if (!piece->ns)
		return;
	if (p->job && !j->placed)
		jobs__make_room(p);
	for (uint32_t i = 0; i < p->pieces.nr && !p->placed; i++) {
		struct piece *have = &p->pieces.list[i];

		if (have->segment != piece->segment || have->part != piece->part)
			continue;
		if (have->detail.kind == piece->detail.kind &&
		    have->detail.id == piece->detail.id) {
			have->ns += piece->ns;
			have->times += piece->times;
			if (piece->longest > have->longest)
				have->longest = piece->longest;
			return;
		}
		same = have;
	}
	if (p->pieces.nr >= PIECES_MAX && same) {
		same->detail = (struct detail){ .kind = DETAIL_OTHERS };
		same->ns += piece->ns;
		same->times += piece->times;
		if (piece->longest > same->longest)
			same->longest = piece->longest;
		return;
	}
	join__note_err(j, pieces__add(&p->pieces, piece));
}

static void poll__add_part(struct join *j, struct poll *p, enum join_segment segment,
			   enum part part, uint64_t from, uint64_t to)
{
	poll__add(j, p, &(struct piece){ .segment = segment, .part = part, .from = from,
					 .ns = to - from });
}

/* Charges @p as running since p->since. @inner: it is the innermost poll of the thread. */
static void poll__run(struct join *j, struct poll *p, bool inner, uint64_t now)
{
	uint64_t known;

	if (now <= p->since)
		return;
	known = windows__known_until(&j->windows, p->since, now);
	poll__add_part(j, p, JOIN_RUNNING, inner ? PART_NONE : PART_OTHER_TASK, p->since, known);
	poll__add_part(j, p, JOIN_UNATTRIBUTED, PART_LOST, known, now);
	p->since = now;
}

/* What is known of a period off the CPU beside its event. */
struct off_more {
	uint32_t	user;		/* the user stack; 0: not read */
	uint32_t	on;		/* name of the file that it slept on; 0: not known */
	uint64_t	word;		/* address of the futex that it slept at; 0: not known */
	uint64_t	throttled;	/* see thread__off_cpu() */
};

/*
 * Is the futex at @word told apart from others in @p? Where sleeps are summed up, too many
 * different ones would be too many sums.
 */
static bool poll__tells_word(const struct join *j, struct poll *p, uint64_t word)
{
	if (!word || !sleeps__word_room(&j->sleeps))
		return false;
	if (j->placed)
		return true;
	for (uint32_t i = 0; i < p->nr_words; i++)
		if (p->words[i] == word)
			return true;
	if (p->nr_words == POLL_WORDS)
		return false;
	p->words[p->nr_words++] = word;
	return true;
}

/* In what the thread sleeps, while @p is the innermost of its polls or not. */
static void poll__sleep(struct join *j, struct poll *p, bool inner,
			const struct trace_event *ev, const struct off_more *more,
			struct piece *blocked)
{
	bool blocks_on = inner && p->blocks && ev->off.reason == TRACE_OFF_ASLEEP;
	struct sleep sleep = { .stack = ev->off.stack, .user = more->user,
			       .syscall = ev->off.syscall, .on = more->on,
			       .waker = ev->off.waker_user ? ev->off.waker : 0,
			       .waker_user = ev->off.waker_user,
			       .word = poll__tells_word(j, p, more->word) ? more->word : 0 };
	int64_t number;

	if (blocks_on) {
		/* That the thread parks is no news. */
		sleep.stack = 0;
		sleep.on = 0;
		sleep.word = 0;
		sleep.blocks_on = 1;
		sleep.root = p->blocks_on;
	}
	number = sleeps__number(&j->sleeps, &sleep);
	if (number >= 0) {
		blocked->detail = (struct detail){ .kind = DETAIL_SLEEP, .id = (uint32_t)number };
		if (!p->job)
			return;
		sleep.job = p->kind + 1;
		number = sleeps__number(&j->sleeps, &sleep);
		blocked->joined = (uint32_t)number + 1;
	}
	if (number < 0)
		join__note_err(j, (int)number);
}

static void poll__off(struct join *j, struct poll *p, bool inner, const struct trace_event *ev,
		      const struct off_more *more, uint64_t now)
{
	uint64_t throttled = more->throttled;
	struct piece blocked = { .segment = JOIN_BLOCKED };
	uint64_t out, wake;

	/* Events were lost in between, so this off-CPU time may belong to something else. */
	if (now <= p->since || windows__known_until(&j->windows, p->since, now) < now) {
		poll__run(j, p, inner, now);
		return;
	}
	out = ev->off.out < p->since ? p->since : ev->off.out > now ? now : ev->off.out;
	poll__run(j, p, inner, out);
	if (ev->off.reason == TRACE_OFF_PREEMPTED)
		wake = out;
	else if (ev->off.wake)
		wake = ev->off.wake < out ? out : ev->off.wake > now ? now : ev->off.wake;
	else
		wake = ev->off.told == TRACE_OFF_UNSEEN ? out : now;
	blocked.from = out;
	blocked.ns = blocked.longest = wake - out;
	blocked.times = 1;
	if (ev->off.reason == TRACE_OFF_STOPPED)
		blocked.part = PART_STOPPED;
	if (blocked.ns)
		poll__sleep(j, p, inner, ev, more, &blocked);
	poll__add(j, p, &blocked);
	if (ev->off.told == TRACE_OFF_UNSEEN) {
		poll__add_part(j, p, JOIN_UNATTRIBUTED, PART_BACK_NOT_SEEN, wake, now);
	} else {
		throttled = throttled < now - wake ? throttled : now - wake;
		poll__add_part(j, p, JOIN_PREEMPTED, PART_THROTTLED, wake, wake + throttled);
		poll__add_part(j, p, JOIN_PREEMPTED, PART_NONE, wake + throttled, now);
	}
	p->since = now;
}

static void poll__charge(struct join *j, struct poll *p)
{
	for (uint32_t i = 0; i < p->pieces.nr; i++)
		task__charge_piece(j, p->task, &p->pieces.list[i]);
	for (size_t i = 0; i < p->nr_samples; i++)
		task__note_sample(j, p->task, p->samples[i]);
	p->nr_samples = 0;
	if (!p->job)
		p->pieces.nr = 0;
}

/* The task has ended in poll @p at @now. */
static void poll__over(struct join *j, struct poll *p, uint64_t now)
{
	if (!p->job)
		return;
	p->ended = now;
	join__note_err(j, job_kinds__ran(&j->kinds, p->kind, now - p->begin));
}

/* ---- the stack of polls ---- */

/* Removes the poll at index @i; the memory of its pieces is kept for reuse. */
static void thread__remove_poll(struct thread *th, uint32_t i)
{
	struct poll gone;

	if (i == th->nr_polls - 1) {	/* nearly always */
		th->polls[i].pieces.nr = 0;
		th->polls[i].nr_samples = 0;
		th->polls[i].task = NULL;
		th->nr_polls--;
		return;
	}
	gone = th->polls[i];
	memmove(&th->polls[i], &th->polls[i + 1], (th->nr_polls - i - 1) * sizeof(gone));
	gone.pieces.nr = 0;
	gone.nr_samples = 0;
	gone.task = NULL;
	th->polls[--th->nr_polls] = gone;
}

static int64_t thread__find_poll(const struct thread *th, uint64_t addr)
{
	for (uint32_t i = th->nr_polls; i--;)
		if (th->polls[i].addr == addr)
			return i;
	return -1;
}

static int thread__poll_room(struct thread *th)
{
	uint32_t size = th->polls_size ? th->polls_size * 2 : 2;
	struct poll *polls = reallocarray(th->polls, size, sizeof(*polls));

	if (!polls)
		return -ENOMEM;
	memset(polls + th->polls_size, 0, (size - th->polls_size) * sizeof(*polls));
	th->polls = polls;
	th->polls_size = size;
	return 0;
}

void thread__push_poll(struct join *j, struct thread *th, struct task *t, uint64_t now)
{
	struct poll *p = thread__poll(th);

	if (p) {
		poll__run(j, p, true, now);
		p->outer = true;
		p->blocks = false;
	}
	if (th->nr_polls == POLLS_MAX) {
		/*
		 * So many polls cannot be nested: ends are missing, most likely of the
		 * oldest.
		 */
		struct task *oldest = th->polls[0].task;
		uint64_t begin = th->polls[0].begin;

		j->losses[JOIN_LOSS_NESTED]++;
		thread__remove_poll(th, 0);
		if (oldest)
			j->poll_broken(j, oldest, begin, PART_UNMATCHED);
	}
	if (th->nr_polls == th->polls_size) {
		int err = thread__poll_room(th);

		if (err) {
			join__note_err(j, err);
			j->poll_broken(j, t, now, PART_UNMATCHED);
			return;
		}
	}
	p = &th->polls[th->nr_polls++];
	p->task = t;
	p->addr = t->addr;
	p->life = t->life;
	p->kind = t->kind;
	p->from = NO_CHAIN;
	p->begin = p->since = now;
	p->outer = p->blocks = p->spawn_seen = false;
	p->job = t->job;
	p->placed = j->placed || p->job;
	p->ended = 0;
	p->nr_summed = p->pieces.nr = p->nr_words = 0;
	t->thread = th;
	t->polled_on = th->tid;
	th->dispatches = NULL;
	thread__does(j, th, now, DOING_POLL, CPU_ON);
}

void thread__blocks_on(struct thread *th, const uint32_t *kind)
{
	struct poll *p = thread__poll(th);

	if (!p)
		return;
	p->blocks = kind;
	p->blocks_on = kind ? *kind : 0;
}

/* Closes the innermost poll, which must have ended although no end was seen. */
static void thread__break_poll(struct join *j, struct thread *th)
{
	struct poll *p = thread__poll(th);
	struct task *t = p->task;
	uint64_t begin = p->begin;

	j->losses[JOIN_LOSS_POLL]++;
	thread__remove_poll(th, th->nr_polls - 1);
	if (t)
		j->poll_broken(j, t, begin, PART_UNMATCHED);
}

bool thread__pop_poll(struct join *j, struct thread *th, uint64_t addr, uint64_t now)
{
	int64_t at = thread__find_poll(th, addr);
	struct poll *p;

	if (at < 0)
		return false;
	while (th->nr_polls - 1 > at)
		thread__break_poll(j, th);
	p = thread__poll(th);
	if (p->task) {
		poll__run(j, p, true, now);
		poll__charge(j, p);
		poll__over(j, p, now);
	}
	thread__remove_poll(th, (uint32_t)at);
	p = thread__poll(th);
	if (p)
		poll__run(j, p, false, now);
	th->dispatches = NULL;
	thread__does(j, th, now, thread__doing(th), CPU_ON);
	return true;
}

bool thread__pop_orphan(struct join *j, struct thread *th, uint64_t addr, uint64_t now)
{
	int64_t at = thread__find_poll(th, addr);

	if (at < 0 || th->polls[at].task)
		return false;
	return thread__pop_poll(j, th, addr, now);
}

void thread__orphan_poll(struct join *j, struct thread *th, struct task *t, uint64_t now)
{
	int64_t at = thread__find_poll(th, t->addr);

	if (at < 0)
		return;
	poll__run(j, &th->polls[at], at == th->nr_polls - 1, now);
	poll__charge(j, &th->polls[at]);
	poll__over(j, &th->polls[at], now);
	th->polls[at].task = NULL;
}

const struct poll *thread__poll_of(const struct thread *th, uint64_t addr)
{
	int64_t at = thread__find_poll(th, addr);

	return at < 0 ? NULL : &th->polls[at];
}

uint64_t thread__forget_poll(struct join *j, struct thread *th, struct task *t)
{
	int64_t at = thread__find_poll(th, t->addr);
	uint64_t begin;

	(void)j;
	if (at < 0)
		return t->since;
	begin = th->polls[at].begin;
	thread__remove_poll(th, (uint32_t)at);
	return begin;
}

/* ---- events ---- */

/* The state of driver @ops for @th, created on first use. NULL: no memory. */
static struct driver *thread__driver(struct join *j, struct thread *th,
				     const struct driver_ops *ops)
{
	struct driver *d = th->drivers[ops->id];

	if (d)
		return d;
	d = ops->new();
	if (!d) {
		join__note_err(j, -ENOMEM);
		return NULL;
	}
	d->ops = ops;
	th->drivers[ops->id] = d;
	return d;
}

/* The thread sleeps in driver @ops until @end. */
static void thread__sleeps_in(struct join *j, struct thread *th, const struct driver_ops *ops,
			      uint64_t end)
{
	struct driver *d = thread__driver(j, th, ops);

	if (d)
		d->sleep_end = end;
}

/* It was runnable from @from to @now, and for the first @throttled ns not allowed to run. */
static void thread__runnable(struct join *j, struct thread *th, uint64_t from, uint64_t throttled,
			     enum doing doing, uint64_t now)
{
	if (throttled > now - from)
		throttled = now - from;
	if (throttled)
		thread__does(j, th, from, doing, CPU_THROTTLED);
	if (throttled < now - from)
		thread__does(j, th, from + throttled, doing, CPU_RUNNABLE);
}

void thread__off_cpu(struct join *j, struct thread *th, const struct trace_event *ev, uint64_t now)
{
	enum doing doing = thread__doing(th);
	uint64_t out = ev->off.out < now ? ev->off.out : now;
	uint64_t wake = ev->off.wake < out ? out : ev->off.wake < now ? ev->off.wake : now;
	bool asleep = ev->off.reason != TRACE_OFF_PREEMPTED;
	const struct driver_ops *driver = asleep ? driver__of_syscall(ev->off.syscall) : NULL;
	/*
	 * The time that it was throttled is put to the beginning: a thread that is not allowed
	 * to run hardly ever waits for a CPU first.
	 */
	const struct off_more more = {
		/* One that was read while the thread slept is there because it is more complete. */
		.user = th->slept_out == ev->off.out ? th->slept_stack : ev->off.user,
		.on = th->slept_on_end == ev->ts ? th->slept_on : 0,
		.word = th->futex_end == ev->ts ? th->futex_word : 0,
		.throttled = thread__throttled_ns(th, ev),
	};

	if (ev->off.told == TRACE_OFF_TOLD)
		j->totals.told_switches++;
	for (uint32_t i = 0; i < th->nr_polls; i++)
		if (th->polls[i].task)
			poll__off(j, &th->polls[i], i == th->nr_polls - 1, ev, &more, now);

	if (driver) {
		doing = DOING_DRIVER;
		j->in_driver = th;
		thread__sleeps_in(j, th, driver, ev->off.wake ? wake : now);
	} else if (history__now(&th->history).doing == DOING_DRIVER) {
		doing = DOING_DRIVER;	/* preempted while in the driver */
	}
	if (asleep)
		thread__does(j, th, out, doing, CPU_ASLEEP);
	if (ev->off.told == TRACE_OFF_UNSEEN && doing != DOING_DRIVER)
		thread__does(j, th, asleep && ev->off.wake ? wake : out, DOING_UNKNOWN, CPU_ON);
	else if (!asleep || ev->off.wake)
		thread__runnable(j, th, asleep ? wake : out, more.throttled, doing, now);
	thread__does(j, th, now, doing, CPU_ON);
}

void thread__sleep_stack(struct thread *th, const struct trace_event *ev)
{
	th->slept_out = ev->sleep.out;
	th->slept_stack = ev->sleep.stack;
}

void thread__slept_on(struct join *j, struct thread *th, const struct trace_event *ev)
{
	th->slept_on_end = ev->ts;
	th->slept_on = (uint32_t)(uintptr_t)map__get(&j->files, ev->slept_on.file);
}

void thread__futex(struct thread *th, const struct trace_event *ev)
{
	th->futex_end = ev->ts;
	th->futex_word = ev->futex.word;
}

void thread__throttled(struct thread *th, const struct trace_event *ev)
{
	th->throttled_end = ev->ts;
	th->throttled_ns = ev->throttled.ns;
}

void thread__wakes_at(struct thread *th, const struct trace_event *ev)
{
	th->wake_at = ev->ts;
	th->wake_user = ev->wake_stack.user;
}

void thread__polls_gone(struct join *j, struct thread *th, uint32_t nr)
{
	while (th->nr_polls > nr)
		thread__break_poll(j, th);
	/*
	 * The driver in th->drives may belong to a runtime that ran inside a poll that
	 * was not seen.
	 */
	th->drives = NULL;
}

/* Were events lost since @p began? Its end may be among them. */
static bool poll__doubtful(const struct join *j, const struct poll *p, uint64_t now)
{
	return windows__known_until(&j->windows, p->begin, now) < now;
}

/*
 * A worker that waits in its driver is in no poll, so the ends of its open polls are
 * missing. Exception: a runtime that runs inside a poll (in block_in_place, in a
 * blocking job) waits in a driver of its own.
 */
static void thread__leave_polls(struct join *j, struct thread *th, struct driver *d,
				uint64_t instance, uint64_t now)
{
	bool own = th->drives == d && th->instance == instance;

	while (th->nr_polls && !accounts__blocking(j->accounts, thread__poll(th)->kind) &&
	       (own || poll__doubtful(j, thread__poll(th), now)))
		thread__break_poll(j, th);
	if (th->nr_polls)
		return;
	th->drives = d;
	th->instance = instance;
	if (j->drove && (j->drove->drives != d || j->drove->instance != instance))
		j->many_drivers = true;
	j->drove = th;
}

static void thread__returned(struct join *j, struct thread *th, const struct driver_ops *ops,
			     const struct trace_event *ev, uint64_t now)
{
	struct driver *d = thread__driver(j, th, ops);

	if (!d)
		return;
	thread__leave_polls(j, th, d, ops->instance(ev), now);
	d->returned = now;
	d->woke = d->sleep_end;
	d->sleep_end = 0;
	if (ops->returned)
		join__note_err(j, ops->returned(j, d, ev));
	th->dispatches = d;
	thread__does(j, th, now, thread__doing(th), CPU_ON);
}

void thread__driver_event(struct join *j, struct thread *th, const struct driver_ops *ops,
			  const struct trace_event *ev, uint64_t now)
{
	struct driver *d = th->drivers[ops->id];

	if (ev->type == ops->returned_by)
		thread__returned(j, th, ops, ev, now);
	else if (ops->ready)
		join__note_err(j, ops->ready(j, d && th->dispatches == d ? d : NULL, ev));
}

int thread__sample(struct join *j, const struct trace_event *ev)
{
	const struct thread *th = map__get(&j->threads, ev->tid);
	struct poll *p = th ? thread__poll(th) : NULL;
	struct sample sample = { ev->sample.user, ev->sample.kernel };
	int64_t number;

	j->samples.taken++;
	if (!p || !p->task)
		return samples__count_outside(&j->samples, ev->tid);
	number = samples__number(&j->samples, &sample);
	if (number < 0 ||
	    array__room(&p->samples, &p->cap_samples, p->nr_samples, sizeof(*p->samples)))
		return -ENOMEM;
	p->samples[p->nr_samples++] = (uint32_t)number;
	return 0;
}

static void thread__free(struct thread *th)
{
	for (uint32_t i = 0; i < th->polls_size; i++) {
		free(th->polls[i].pieces.list);
		free(th->polls[i].samples);
	}
	free(th->polls);
	for (int i = 0; i < DRIVER_NR; i++)
		if (th->drivers[i])
			th->drivers[i]->ops->free(th->drivers[i]);
	history__clear(&th->history);
	free(th->ready);
	free(th);
}

/* Charges the open polls of @th, which exits; what becomes of their tasks is not known. */
void thread__exit(struct join *j, struct thread *th, uint64_t now)
{
	while (th->nr_polls) {
		struct poll *p = thread__poll(th);
		struct task *t = p->task;

		if (t) {
			poll__run(j, p, true, now);
			poll__charge(j, p);
			j->poll_broken(j, t, now, PART_THREAD_GONE);
		}
		thread__remove_poll(th, th->nr_polls - 1);
		p = thread__poll(th);
		if (p && p->task)
			poll__run(j, p, false, now);
	}
	map__del(&j->threads, th->tid);
	if (j->drove == th)
		j->drove = NULL;
	if (j->in_driver == th)
		j->in_driver = NULL;
	thread__free(th);
}

void thread__finish_all(struct join *j, uint64_t now)
{
	struct map_entry *threads = map__sorted(&j->threads);

	if (!threads)
		join__note_err(j, -ENOMEM);
	for (uint32_t i = 0; threads && i < j->threads.nr; i++) {
		struct thread *th = threads[i].value;

		for (uint32_t k = 0; k < th->nr_polls; k++) {
			struct poll *p = &th->polls[k];

			if (!p->task)
				continue;
			/*
			 * Inner polls have ended since, and events were lost: its own end is
			 * probably among them.
			 */
			if (p->outer && k == th->nr_polls - 1 && poll__doubtful(j, p, now)) {
				j->losses[JOIN_LOSS_POLL]++;
				j->poll_broken(j, p->task, p->begin, PART_UNMATCHED);
				continue;
			}
			poll__run(j, p, k == th->nr_polls - 1, now);
			poll__charge(j, p);
		}
	}
	free(threads);
}

void thread__free_all(struct join *j)
{
	for (uint32_t i = 0; i < j->threads.size; i++)
		if (j->threads.entries[i].value)
			thread__free(j->threads.entries[i].value);
	map__clear(&j->threads);
	for (int i = 0; i < DRIVER_NR; i++)
		drivers[i]->forget(j);
}
