/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Timelines of threads: the polls that are open on each, what it does, and
 * the epoll_wait that it came back from last.
 *
 * Polls nest (a LocalSet inside a task, block_in_place with block_on). The
 * inner poll's time belongs to the inner task, and for the outer one it is
 * time of its poll too: on CPU it is [running] "polling another task", and
 * when the thread sleeps or is preempted both are [blocked] or [preempted].
 *
 * The time of a poll is charged when its end proves that it was one; see
 * task.c for polls that never end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "join/timeline.h"

#define READY_MAX	4096	/* descriptors of one return that are kept */

static struct poll *innermost(const struct thread *th)
{
	return th->nr_polls ? &th->polls[th->nr_polls - 1] : NULL;
}

const struct poll *thread__poll(const struct thread *th)
{
	return innermost(th);
}

/* ---- history ---- */

static void thread__does(struct join *j, struct thread *th, uint64_t ts, enum doing doing,
			 enum on_cpu cpu)
{
	const struct poll *p = innermost(th);

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
	uint64_t cut;

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
	cut = windows__cut(&j->windows, th->last, now);
	if (__builtin_expect(cut < now, 0)) {
		/* What it did since is not known, nor whether it still dispatches. */
		thread__does(j, th, cut, DOING_UNKNOWN, CPU_ON);
		thread__does(j, th, now, thread__doing(th), CPU_ON);
		th->dispatching = false;
		th->sleep_wake = 0;
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
	for (uint32_t i = 0; i < p->nr_pieces; i++) {
		struct piece *have = &p->pieces[i];

		if (have->segment != piece->segment || have->part != piece->part)
			continue;
		if (have->detail.kind == piece->detail.kind &&
		    have->detail.id == piece->detail.id) {
			have->ns += piece->ns;
			return;
		}
		same = have;
	}
	if (p->nr_pieces >= PIECES_MAX && same) {
		same->detail = (struct detail){ .kind = DETAIL_OTHERS };
		same->ns += piece->ns;
		return;
	}
	if (p->nr_pieces == p->pieces_size) {
		uint32_t size = p->pieces_size ? p->pieces_size * 2 : 8;
		struct piece *pieces = reallocarray(p->pieces, size, sizeof(*pieces));

		if (!pieces) {
			join__note_err(j, -ENOMEM);
			return;
		}
		p->pieces = pieces;
		p->pieces_size = size;
	}
	p->pieces[p->nr_pieces++] = *piece;
}

static void poll__add_ns(struct join *j, struct poll *p, enum join_segment segment, enum part part,
			 uint64_t ns)
{
	poll__add(j, p, &(struct piece){ .segment = segment, .part = part, .ns = ns });
}

/* On CPU since p->since; @inner: it is the innermost. */
static void poll__run(struct join *j, struct poll *p, bool inner, uint64_t now)
{
	uint64_t cut;

	if (now <= p->since)
		return;
	cut = windows__cut(&j->windows, p->since, now);
	poll__add_ns(j, p, JOIN_RUNNING, inner ? PART_NONE : PART_OTHER_TASK, cut - p->since);
	poll__add_ns(j, p, JOIN_UNATTRIBUTED, PART_LOST, now - cut);
	p->since = now;
}

static void poll__off(struct join *j, struct poll *p, bool inner, const struct trace_event *ev,
		      uint64_t now)
{
	struct piece blocked = { .segment = JOIN_BLOCKED };
	uint64_t out, wake;

	/* Something is missing in between: there is no telling what this is part of. */
	if (now <= p->since || windows__cut(&j->windows, p->since, now) < now) {
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
	blocked.ns = wake - out;
	if (ev->off.reason == TRACE_OFF_STOPPED)
		blocked.part = PART_STOPPED;
	if (ev->off.stack)
		blocked.detail = (struct detail){ .kind = DETAIL_STACK, .id = ev->off.stack };
	poll__add(j, p, &blocked);
	if (ev->off.told == TRACE_OFF_UNSEEN)
		poll__add_ns(j, p, JOIN_UNATTRIBUTED, PART_BACK_NOT_SEEN, now - wake);
	else
		poll__add_ns(j, p, JOIN_PREEMPTED, PART_NONE, now - wake);
	p->since = now;
}

static void poll__charge(struct join *j, struct poll *p)
{
	for (uint32_t i = 0; i < p->nr_pieces; i++)
		task__charge_piece(j, p->task, &p->pieces[i]);
	p->nr_pieces = 0;
}

/* ---- the stack of polls ---- */

/* Take out the poll at @i; the memory of its pieces stays with the stack. */
static void thread__remove_poll(struct thread *th, uint32_t i)
{
	struct poll gone = th->polls[i];

	memmove(&th->polls[i], &th->polls[i + 1], (th->nr_polls - i - 1) * sizeof(gone));
	gone.nr_pieces = 0;
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
	struct poll *p = innermost(th);

	if (p) {
		poll__run(j, p, true, now);
		p->outer = true;
	}
	if (th->nr_polls == POLLS_MAX) {
		/* Not nested: ends are missing. The oldest is the least likely to go on. */
		struct task *oldest = th->polls[0].task;
		uint64_t begin = th->polls[0].begin;

		j->losses[JOIN_LOSS_NESTED]++;
		thread__remove_poll(th, 0);
		if (oldest)
			task__doubt(j, oldest, begin, PART_UNMATCHED);
	}
	if (th->nr_polls == th->polls_size) {
		int err = thread__poll_room(th);

		if (err) {
			join__note_err(j, err);
			task__doubt(j, t, now, PART_UNMATCHED);
			return;
		}
	}
	p = &th->polls[th->nr_polls++];
	p->task = t;
	p->addr = t->addr;
	p->kind = t->kind;
	p->begin = p->since = now;
	p->outer = false;
	p->nr_pieces = 0;
	t->thread = th;
	th->dispatching = false;
	thread__does(j, th, now, DOING_POLL, CPU_ON);
}

/* The innermost poll must have ended, and its end is missing. */
static void thread__break_poll(struct join *j, struct thread *th)
{
	struct poll *p = innermost(th);
	struct task *t = p->task;
	uint64_t begin = p->begin;

	j->losses[JOIN_LOSS_POLL]++;
	thread__remove_poll(th, th->nr_polls - 1);
	if (t)
		task__doubt(j, t, begin, PART_UNMATCHED);
}

bool thread__pop_poll(struct join *j, struct thread *th, uint64_t addr, uint64_t now)
{
	int64_t at = thread__find_poll(th, addr);
	struct poll *p;

	if (at < 0)
		return false;
	while (th->nr_polls - 1 > at)
		thread__break_poll(j, th);
	p = innermost(th);
	if (p->task) {
		poll__run(j, p, true, now);
		poll__charge(j, p);
	}
	thread__remove_poll(th, (uint32_t)at);
	p = innermost(th);
	if (p)
		poll__run(j, p, false, now);
	th->dispatching = false;
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
	th->polls[at].task = NULL;
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

static bool epoll_syscall(int nr)
{
	return nr == SYS_epoll_pwait ||
#ifdef SYS_epoll_wait
	       nr == SYS_epoll_wait ||
#endif
	       nr == 441;	/* epoll_pwait2: newer than some headers, the same everywhere */
}

void thread__off_cpu(struct join *j, struct thread *th, const struct trace_event *ev, uint64_t now)
{
	enum doing doing = thread__doing(th);
	uint64_t out = ev->off.out < now ? ev->off.out : now;
	uint64_t wake = ev->off.wake < out ? out : ev->off.wake < now ? ev->off.wake : now;
	bool asleep = ev->off.reason != TRACE_OFF_PREEMPTED;

	if (ev->off.told == TRACE_OFF_TOLD)
		j->totals.told_switches++;
	for (uint32_t i = 0; i < th->nr_polls; i++)
		if (th->polls[i].task)
			poll__off(j, &th->polls[i], i == th->nr_polls - 1, ev, now);

	if (asleep && epoll_syscall(ev->off.syscall)) {
		doing = DOING_EPOLL;
		th->sleep_wake = ev->off.wake ? wake : now;
	} else if (history__now(&th->history).doing == DOING_EPOLL) {
		doing = DOING_EPOLL;	/* preempted inside it */
	}
	if (asleep)
		thread__does(j, th, out, doing, CPU_ASLEEP);
	if (ev->off.told == TRACE_OFF_UNSEEN && doing != DOING_EPOLL)
		thread__does(j, th, asleep && ev->off.wake ? wake : out, DOING_UNKNOWN, CPU_ON);
	else if (!asleep || ev->off.wake)
		thread__does(j, th, asleep ? wake : out, doing, CPU_RUNNABLE);
	thread__does(j, th, now, doing, CPU_ON);
}

/* The last return of this epoll instance on any thread; @now becomes it. */
static uint64_t epoll__returned(struct join *j, int32_t epfd, uint64_t now)
{
	struct epoll_instance *e;
	uint64_t prev;

	for (uint32_t i = 0; i < j->nr_epolls; i++) {
		e = &j->epolls[i];
		if (e->epfd == epfd) {
			prev = e->ret;
			e->ret = now;
			return prev;
		}
	}
	/* Programs have a few; of more, the memory is not worth it. */
	if (j->nr_epolls == 256)
		return 0;
	if (j->nr_epolls == j->epolls_size) {
		uint32_t size = j->epolls_size ? j->epolls_size * 2 : 4;

		e = reallocarray(j->epolls, size, sizeof(*e));
		if (!e) {
			join__note_err(j, -ENOMEM);
			return 0;
		}
		j->epolls = e;
		j->epolls_size = size;
	}
	j->epolls[j->nr_epolls++] = (struct epoll_instance){ .epfd = epfd, .ret = now };
	return 0;
}

void thread__polls_gone(struct join *j, struct thread *th, uint32_t nr)
{
	while (th->nr_polls > nr)
		thread__break_poll(j, th);
}

/* Events have been lost since @p began: its end may be among them. */
static bool poll__doubtful(const struct join *j, const struct poll *p, uint64_t now)
{
	return windows__cut(&j->windows, p->begin, now) < now;
}

/*
 * A worker that is in its driver is in no poll: ends are missing. But a poll may
 * have a runtime of its own inside (in block_in_place, in a blocking job), and
 * that one's driver is another.
 */
static void thread__leave_polls(struct join *j, struct thread *th, int32_t epfd, uint64_t now)
{
	bool own = th->drives && th->driver_epfd == epfd;

	while (th->nr_polls && !sites__blocking(j->sites, innermost(th)->kind) &&
	       (own || poll__doubtful(j, innermost(th), now)))
		thread__break_poll(j, th);
	if (th->nr_polls)
		return;
	th->drives = true;
	th->driver_epfd = epfd;
}

void thread__epoll_wait(struct join *j, struct thread *th, const struct trace_event *ev,
			uint64_t now)
{
	thread__leave_polls(j, th, ev->epoll.epfd, now);
	th->epoll_prev = epoll__returned(j, ev->epoll.epfd, now);
	th->epoll_ret = now;
	th->epoll_wake = th->sleep_wake;
	th->sleep_wake = 0;
	th->epfd = ev->epoll.epfd;
	th->epoll_nr = ev->epoll.nr;
	th->dispatching = true;
	th->nr_ready = th->ready_next = 0;
	thread__does(j, th, now, thread__doing(th), CPU_ON);
}

void thread__epoll_ready(struct join *j, struct thread *th, const struct trace_event *ev)
{
	if (!th->dispatching || th->nr_ready == READY_MAX)
		return;
	if (th->nr_ready == th->ready_size) {
		uint32_t size = th->ready_size ? th->ready_size * 2 : 16;
		struct ready_fd *ready = reallocarray(th->ready, size, sizeof(*ready));

		if (!ready) {
			join__note_err(j, -ENOMEM);
			return;
		}
		th->ready = ready;
		th->ready_size = size;
	}
	th->ready[th->nr_ready++] = (struct ready_fd){
		.token = ev->ready.token, .ready = ev->ready.ready,
		.reader = ev->ready.reader, .writer = ev->ready.writer,
		.events = ev->ready.events,
	};
}

static void thread__free(struct thread *th)
{
	for (uint32_t i = 0; i < th->polls_size; i++)
		free(th->polls[i].pieces);
	free(th->polls);
	free(th->ready);
	history__clear(&th->history);
	free(th);
}

/* Its polls went on up to here; what becomes of the tasks is not known. */
void thread__exit(struct join *j, struct thread *th, uint64_t now)
{
	while (th->nr_polls) {
		struct poll *p = innermost(th);
		struct task *t = p->task;

		if (t) {
			poll__run(j, p, true, now);
			poll__charge(j, p);
			task__doubt(j, t, now, PART_THREAD_GONE);
		}
		thread__remove_poll(th, th->nr_polls - 1);
		p = innermost(th);
		if (p && p->task)
			poll__run(j, p, false, now);
	}
	map__del(&j->threads, th->tid);
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
			/* With others inside it, its end is more likely among what was lost. */
			if (p->outer && k == th->nr_polls - 1 && poll__doubtful(j, p, now)) {
				j->losses[JOIN_LOSS_POLL]++;
				task__doubt(j, p->task, p->begin, PART_UNMATCHED);
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
	free(j->epolls);
	j->epolls = NULL;
	j->nr_epolls = j->epolls_size = 0;
}
