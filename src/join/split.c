/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why a wait lasted as long as it did. A wait has ended because a thread
 * called the task's waker: what this thread came from (its driver, another
 * task's poll) tells what the wait was for, and what it had done since the
 * thing waited for was there tells why it came no sooner.
 *
 *	the thread		the wait was for
 *	in its driver		the descriptor that a leaf names and epoll returned
 *				else one whose waker is this task's (by which future
 *				it is waited for, waiter.c tells)
 *				else a deadline of a leaf that has passed
 *				else, if not all leaves are known, a timer or a signal;
 *				or a descriptor that wakes something else than a task
 *	in another task's poll	that task; joined, if a leaf is its JoinHandle
 *	elsewhere		a deadline that has passed, else that thread
 *
 * Time in which the process was stopped is a part of its own: see stops.h.
 * Parts add up to the wait, to the nanosecond.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "join/timeline.h"
#include "join/waiter.h"


#define READ_EVENTS	(EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)
#define WRITE_EVENTS	(EPOLLOUT | EPOLLHUP | EPOLLERR)

static void split__add(struct split *s, enum part part, struct detail detail, uint64_t ns)
{
	struct piece *others = NULL;

	if (!ns)
		return;
	for (unsigned int i = 0; i < s->nr; i++) {
		struct piece *p = &s->parts[i];

		if (p->part != part)
			continue;
		if (p->detail.kind == detail.kind && p->detail.id == detail.id) {
			p->ns += ns;
			return;
		}
		others = p;
	}
	/* Beyond this, only a part that is new gets a place of its own. */
	if (s->nr >= SPLIT_MAX - PART_NR && others) {
		others->detail = (struct detail){ .kind = DETAIL_OTHERS };
		others->ns += ns;
		return;
	}
	s->parts[s->nr++] = (struct piece){ .segment = JOIN_AWAIT, .part = (uint8_t)part,
					    .detail = detail, .ns = ns };
}

static const struct detail no_detail;

/* What the program itself had to do in [@from, @to): nothing, while it was stopped. */
static void split__add_own(const struct join *j, struct split *s, enum part part,
			   struct detail detail, uint64_t from, uint64_t to)
{
	uint64_t stopped = stops__within(&j->stops, from, to);

	split__add(s, PART_STOPPED, no_detail, stopped);
	split__add(s, part, detail, to - from - stopped);
}

/* ---- what the worker did ---- */

struct cut {
	struct join	*join;
	struct split	*split;
	enum part	 epoll;		/* what time in epoll_wait is called */
	enum part	 runtime;	/* what work for the runtime is called */
	bool		 unknown;
	uint64_t	 to;		/* what is left to cut ends here */
	uint64_t	 stopped;	/* ns in stops before that */
};

/* Of the next piece, of @ns: what is left of it without the stops. */
static uint64_t cut__without_stops(struct cut *c, uint64_t ns)
{
	uint64_t stopped = stops__before(&c->join->stops, c->to - ns);

	ns -= c->stopped - stopped;
	c->to -= ns + c->stopped - stopped;
	c->stopped = stopped;
	return ns;
}

static void cut_piece(void *arg, const struct interval *iv, uint64_t ns)
{
	struct detail task = { .kind = DETAIL_TASK, .id = iv->kind };
	struct cut *c = arg;

	ns = cut__without_stops(c, ns);
	if (!ns)
		return;
	if (iv->doing == DOING_UNKNOWN) {
		c->unknown = true;
		split__add(c->split, PART_HISTORY, no_detail, ns);
	} else if (iv->cpu == CPU_RUNNABLE) {
		split__add(c->split, PART_RUN_QUEUE, no_detail, ns);
	} else if (iv->doing == DOING_EPOLL) {
		split__add(c->split, c->epoll, no_detail, ns);
	} else if (iv->doing == DOING_POLL) {
		split__add(c->split, iv->cpu == CPU_ASLEEP ? PART_WORKER_BLOCKED : PART_BUSY, task,
			   ns);
	} else if (iv->cpu == CPU_ASLEEP) {
		split__add(c->split, PART_PARKED, no_detail, ns);
	} else if (c->runtime == PART_BUSY) {
		split__add(c->split, PART_BUSY, (struct detail){ .kind = DETAIL_RUNTIME }, ns);
	} else {
		split__add(c->split, c->runtime, no_detail, ns);
	}
}

static void cut_by_worker(struct join *j, struct split *s, const struct thread *w, uint64_t from,
			  uint64_t to, enum part epoll, enum part runtime)
{
	struct cut c = { .join = j, .split = s, .epoll = epoll, .runtime = runtime, .to = to,
			 .stopped = stops__before(&j->stops, to) };

	if (to <= from)
		return;
	split__add(s, PART_STOPPED, no_detail, stops__within(&j->stops, from, to));
	history__cut(&w->history, from, to, cut_piece, &c);
	/* Before a thread's first event there is nothing to lose. */
	j->losses[JOIN_LOSS_HISTORY] += c.unknown && history__forgot(&w->history);
}

static uint64_t clamp(uint64_t v, uint64_t lo, uint64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/* From the moment @due on the worker had a reason to wake the task, until @now. */
static void split_worker(struct join *j, struct split *s, const struct thread *w, uint64_t due,
			 uint64_t now, enum part epoll)
{
	/* A driver that has gone on since does not tell when it looked. */
	uint64_t back = w->dispatching ? clamp(w->epoll_ret, due, now) : now;

	cut_by_worker(j, s, w, due, back, epoll, PART_BUSY);
	cut_by_worker(j, s, w, back, now, epoll, PART_DISPATCH);
}

/* ---- descriptors ---- */

static enum part io_part(unsigned int dir, uint32_t events)
{
	if (dir == WALK_DIR_READ)
		return PART_NO_DATA;
	if (dir == WALK_DIR_WRITE)
		return PART_NO_ROOM;
	return !(events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP)) && (events & EPOLLOUT) ? PART_NO_ROOM
										    : PART_NO_DATA;
}

static void split_io(struct join *j, struct split *s, const struct task *t, const struct thread *w,
		     const struct ready_fd *fd, unsigned int dir, uint64_t now)
{
	uint64_t start = t->since, back = clamp(w->epoll_ret, start, now);
	struct detail name = fds__name(&j->fds, fd->token, w->epfd);
	enum part part = io_part(dir, fd->events);
	uint64_t ready, seen;

	if (fd->ready || w->epoll_wake) {
		ready = clamp(fd->ready ? fd->ready : w->epoll_wake, start, back);
		split__add(s, part, name, ready - start);
		split_worker(j, s, w, ready, now, PART_EPOLL);
		return;
	}
	/* The worker did not sleep for it: it was there when epoll was asked. */
	seen = clamp(w->epoll_prev, start, back);
	split__add(s, part, name, seen - start);
	split__add_own(j, s, PART_NOT_SEEN, name, seen, back);
	split_worker(j, s, w, back, now, PART_EPOLL);
}

/* Does what was returned of a descriptor wake those who wait for @dir? */
static bool fires(const struct ready_fd *fd, unsigned int dir)
{
	return dir == WALK_DIR_READ	? fd->events & READ_EVENTS :
	       dir == WALK_DIR_WRITE ? fd->events & WRITE_EVENTS :
				  true;
}

static bool is_foreign(struct join *j, const struct ready_fd *fd, unsigned int dir)
{
	uint64_t waker = dir == WALK_DIR_READ ? fd->reader : fd->writer;

	return waker && fires(fd, dir) && !task__find(j, waker);
}

/*
 * A descriptor that was returned has a waker that is no task's (a combinator's, that
 * hands the call on), or that was not looked at: the driver may have called the task
 * because of it. Descriptors come before timers and signals, so by then it is known
 * of all others whom they woke.
 */
static bool has_foreign_waker(struct join *j, const struct thread *w)
{
	for (uint32_t i = 0; i < w->nr_ready; i++)
		if (!w->ready[i].told && (is_foreign(j, &w->ready[i], WALK_DIR_READ) ||
					  is_foreign(j, &w->ready[i], WALK_DIR_WRITE)))
			return true;
	return false;
}

/* ---- leaves ---- */

static bool leaf_key(const struct task *t, const struct chain_leaf *l, enum walk_key_kind want,
		     struct walk_key *key)
{
	if (l->key != want || l->key_index >= t->nr_keys)
		return false;
	*key = t->keys[l->key_index];
	if (key->kind)
		return key->kind == want;
	/* of a recording of version 1: see trace/event.h */
	if (want == WALK_KEY_IO) {
		key->dir = key->value & 3;
		key->value &= ~3ull;
	}
	return true;
}

/* The branch of a chain that has only one. */
static uint16_t only_branch(const struct shape *sh)
{
	return sh->nr_leaves == 1 ? sh->leaves[0].node : NO_BRANCH;
}

/* The only leaf that may be meant, among those that @pick says may be. */
static uint16_t only_leaf(const struct shape *sh, bool (*pick)(const struct chain_leaf *l))
{
	uint16_t found = NO_BRANCH;

	for (uint32_t i = 0; i < sh->nr_leaves; i++) {
		if (!pick(&sh->leaves[i]))
			continue;
		if (found != NO_BRANCH)
			return NO_BRANCH;
		found = sh->leaves[i].node;
	}
	return found;
}

static bool leaf__opaque(const struct chain_leaf *l)
{
	return l->kind != TRACE_NODE_LEAF;
}

/* The leaf whose deadline was passed first, or NULL. */
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

static bool split_deadline(struct join *j, const struct task *t, const struct shape *sh,
			   const struct thread *w, uint64_t now, struct split *s)
{
	const struct chain_leaf *l;
	uint64_t deadline = 0;

	l = passed_deadline(t, sh, now, &deadline);
	if (!l)
		return false;
	deadline = clamp(deadline, t->since, now);
	split__add(s, PART_DEADLINE, no_detail, deadline - t->since);
	split_worker(j, s, w, deadline, now, PART_TIMER_LATE);
	s->branch = l->node;
	return true;
}

static bool leaf__io(const struct chain_leaf *l)
{
	return l->key == WALK_KEY_IO;
}

/* Not all descriptors that were returned are known: it may be the only one waited for. */
static bool split_unread(struct join *j, const struct task *t, const struct shape *sh,
			 const struct thread *w, uint64_t now, struct split *s)
{
	uint16_t node = only_leaf(sh, leaf__io);
	struct ready_fd fd = { 0 };
	struct walk_key key;

	if (node == NO_BRANCH || w->epoll_nr <= 0 || (uint32_t)w->epoll_nr <= w->nr_ready)
		return false;
	for (uint32_t i = 0; i < sh->nr_leaves; i++) {
		if (sh->leaves[i].node != node || !leaf_key(t, &sh->leaves[i], WALK_KEY_IO, &key))
			continue;
		fd.token = key.value;
		split_io(j, s, t, w, &fd, key.dir, now);
		s->branch = node;
		return true;
	}
	return false;
}

static bool leaf__yield(const struct chain_leaf *l)
{
	return l->key == WALK_KEY_YIELD;
}

/* Of what is known to be waited for, all but one who gives way has another cause. */
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

/* What a task was woken for: one of its leaves that names @fd, or whoever has its waker there. */
static bool woken_by(const struct task *t, const struct shape *sh, const struct ready_fd *fd,
		     unsigned int *dir, uint16_t *branch)
{
	bool reads = fd->reader == t->addr && fires(fd, WALK_DIR_READ);
	bool writes = fd->writer == t->addr && fires(fd, WALK_DIR_WRITE);
	struct walk_key key;

	for (uint32_t i = 0; i < sh->nr_leaves; i++) {
		if (!leaf_key(t, &sh->leaves[i], WALK_KEY_IO, &key) ||
		    fd->token != key.value || !fires(fd, key.dir))
			continue;
		*dir = key.dir;
		*branch = sh->leaves[i].node;
		return true;
	}
	*dir = reads && writes ? 0 : reads ? WALK_DIR_READ : WALK_DIR_WRITE;
	*branch = waiter__of_descriptor(sh);
	return reads || writes;
}

/* Dispatch goes through what was returned in order, so does this. */
static bool split_ready(struct join *j, const struct task *t, const struct shape *sh,
			struct thread *w, uint64_t now, struct split *s)
{
	for (uint32_t n = 0; n < w->nr_ready; n++) {
		uint32_t at = (w->ready_next + n) % w->nr_ready;
		struct ready_fd *fd = &w->ready[at];
		unsigned int dir;

		if (!woken_by(t, sh, fd, &dir, &s->branch))
			continue;
		w->ready_next = at;
		fd->told = true;
		split_io(j, s, t, w, fd, dir, now);
		return true;
	}
	s->branch = NO_BRANCH;
	return false;
}

static bool split_driver(struct join *j, const struct task *t, const struct shape *sh,
			 struct thread *w, uint64_t now, struct split *s)
{
	if (split_ready(j, t, sh, w, now, s))
		return true;
	if (split_deadline(j, t, sh, w, now, s))
		return true;
	if (split_yield(j, t, sh, now, s))
		return true;
	if (sh->blind) {
		enum part part = PART_TIMER_OR_SIGNAL;

		/* Who gives way is woken once the driver was asked without waiting for it. */
		if (w->epoll_nr == 0)
			part = w->epoll_wake ? PART_TIMER : PART_TIMER_OR_YIELD;
		else if (!j->sees_wakers || has_foreign_waker(j, w))
			part = PART_DRIVER;
		split__add_own(j, s, part, no_detail, t->since, now);
		s->branch = only_leaf(sh, leaf__opaque);
		return true;
	}
	return split_unread(j, t, sh, w, now, s);
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

static void split_task(struct join *j, const struct task *t, const struct shape *sh,
		       const struct poll *by, uint64_t now, struct split *s)
{
	struct detail detail = { .kind = DETAIL_BY_TASK, .id = by->kind };
	const struct chain_leaf *join = joining(t, sh, by->addr);
	const struct task *waker = task__find(j, by->addr);

	s->branch = only_leaf(sh, chain_leaf__called);
	/*
	 * A task that goes on may have sent what another leaf waits for. Its end is told
	 * before it wakes who joins it, but not in every build: so if it has not ended,
	 * it is joined only where nothing else can be meant.
	 */
	if (join && (!waker || waker->state == TASK_DONE))
		s->branch = join->node;
	if (join && s->branch == join->node)
		detail.kind = DETAIL_JOINED;
	split__add_own(j, s, PART_WOKEN, detail, t->since, now);
}

uint64_t split__not_joined(const struct join *j, const struct task *t)
{
	const struct shape *sh = sites__shape(j->sites, t->chain);
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

void split__wake(struct join *j, const struct task *t, struct thread *w, uint64_t now,
		 struct split *s)
{
	const struct shape *sh = sites__shape(j->sites, t->chain);
	struct detail by = { .kind = DETAIL_BY_THREAD, .id = w ? w->tid : 0 };
	const struct poll *poll;

	s->nr = 0;
	s->branch = NO_BRANCH;
	s->undecided = s->yielded = false;
	if (!sh) {
		split__add_own(j, s, PART_WOKEN, no_detail, t->since, now);
		return;
	}
	if (sh->nr_leaves == 1 && split_yield(j, t, sh, now, s))
		return;
	poll = w ? thread__poll(w) : NULL;
	if (w && w->dispatching) {
		if (split_driver(j, t, sh, w, now, s))
			return;
	} else if (poll && poll->task != t) {
		split_task(j, t, sh, poll, now, s);
		s->undecided = s->branch == NO_BRANCH && sh->nr_leaves > 1;
		return;
	} else if (w && !poll && split_deadline(j, t, sh, w, now, s)) {
		return;
	}
	s->branch = only_leaf(sh, chain_leaf__called);
	if (s->branch == NO_BRANCH)
		s->branch = only_branch(sh);
	s->undecided = s->branch == NO_BRANCH && sh->nr_leaves > 1;
	split__add_own(j, s, PART_WOKEN, by, t->since, now);
}

/* Of several futures one waits for a descriptor: whatever else may come, it is this one. */
static bool split__only_io(const struct task *t, const struct shape *sh, struct walk_key *key)
{
	uint16_t node = only_leaf(sh, leaf__io);

	for (uint32_t i = 0; node != NO_BRANCH && i < sh->nr_leaves; i++)
		if (sh->leaves[i].node == node)
			return leaf_key(t, &sh->leaves[i], WALK_KEY_IO, key);
	return false;
}

void split__open(struct join *j, const struct task *t, uint64_t now, enum part otherwise,
		 struct split *s)
{
	const struct shape *sh = sites__shape(j->sites, t->chain);
	struct detail detail = no_detail;
	uint64_t start = t->since, last;
	struct walk_key key;
	const struct chain_leaf *l;
	const struct task *joined;
	bool all_seen = otherwise == PART_OPEN || otherwise == PART_DROPPED;

	s->nr = 0;
	s->undecided = s->yielded = false;
	s->branch = sh ? only_branch(sh) : NO_BRANCH;
	l = sh && sh->nr_leaves == 1 ? &sh->leaves[0] : NULL;
	if (sh && sh->blind && t->at_fd && (!l || l->key == WALK_KEY_NONE)) {
		/* What does not say what it waits for: its waker was seen at a descriptor. */
		detail = fds__name(&j->fds, t->fd_token, ANY_EPFD);
		if (l && all_seen)
			otherwise = io_part(t->fd_dir, EPOLLIN);
	} else if (sh && !l && split__only_io(t, sh, &key)) {
		detail = fds__name(&j->fds, key.value, ANY_EPFD);
	} else if (l && leaf_key(t, l, WALK_KEY_IO, &key)) {
		detail = fds__name(&j->fds, key.value, ANY_EPFD);
		if (all_seen)
			otherwise = io_part(key.dir, EPOLLIN);
		/* As long as the program ran and was not woken, nothing was there. */
		last = stops__begin(&j->stops, now);
		if (last > start) {
			split__add(s, otherwise, detail, last - start);
			start = last;
		}
	} else if (l && all_seen && leaf_key(t, l, WALK_KEY_DEADLINE, &key)) {
		last = clamp(key.value, start, now);
		split__add(s, PART_DEADLINE, no_detail, last - start);
		start = last;
	} else if (l && leaf_key(t, l, WALK_KEY_TASK, &key)) {
		joined = task__find(j, key.value);
		if (joined && joined->kind != UNKNOWN_KIND)
			detail = (struct detail){ .kind = DETAIL_JOINED, .id = joined->kind };
	}
	split__add_own(j, s, otherwise, detail, start, now);
}
