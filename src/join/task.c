/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Timelines of tasks: what each event means for a task in each state, and where the
 * time since its last event is charged.
 *
 * The first event that is seen of a task begins its life:
 *	NEW		it is spawned now: [ready] "spawned" until its first poll
 *	POLL_BEGIN	its spawn was not seen (before the recording, or the runtime
 *			has no probe for it): its life begins now
 *	SEEN		it was alive at attach, in the state that was read; but if
 *			spawns of its kind cannot be seen, it may be younger: then its
 *			life begins now
 *	WAKE, POLL_END	it had been polled before, so it was alive at attach; the time
 *			since is [unattributed] "before first event". But after a loss
 *			of events it may be younger: then its life begins now
 *	DROP		no life: the task may have ended long ago
 *
 * What an event (row) does in a state (column). "[x]" is where the time spent in that
 * state is charged, "?" is [unattributed]:
 *
 *		READY		RUNNING		IDLE		LIMBO	DONE
 *	NEW	"? end not seen" in each of these, then a new life	new life
 *	BEGIN	[ready]		pieces, or ?	[await] no wake	?	new life
 *	END	? unmatched	[its pieces]	? unmatched	?	-
 *	WAKE	-		remembered	[await] split	?	-
 *	DROP	[ready], done	pieces, done	[await], done	?, done	forgotten
 *	SEEN	sets the kind, if it was not known; nothing else, except after a loss:
 *		[its state] up to the loss, then ?, then the state that was read
 *
 * A life ends when the task completes or is cancelled. Its memory may be freed much
 * later, or at a place without a probe. So the first event that shows the end counts as
 * DROP, and a second DROP makes the join forget the task. The spawn of another task at the
 * address shows the end, too, of a task that another thread polls.
 *
 * A task that nobody else refers to is dropped inside its own last poll, so DROP may
 * come before END on the polling thread. DROP ends its life.
 *
 * LIMBO: nothing certain is known of the task, because the end of a poll is missing. The
 * pieces of such a poll are not charged: they may be wrong.
 *
 * If events were lost since a state began, the time from the first lost event to the
 * task's next event is [unattributed] "lost events".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sum.h"
#include "join/job_kinds.h"
#include "join/task.h"

/* ---- lives ---- */

struct task *task__create(struct join *j, uint64_t addr, uint64_t start)
{
	struct task *t = j->free_tasks;

	if (t) {
		j->free_tasks = t->next_free;
		memset(t, 0, sizeof(*t));
	} else {
		t = calloc(1, sizeof(*t));
	}
	if (!t || map__add(&j->tasks, addr, t)) {
		join__note_err(j, -ENOMEM);
		free(t);
		return NULL;
	}
	t->addr = addr;
	t->start = t->since = start;
	t->kind = t->polled = UNKNOWN_KIND;
	t->branch = NO_BRANCH;
	t->state = TASK_READY;
	t->life = ++j->totals.tasks_seen;
	return t;
}

/* The begin of a life whose begin was not seen. */
static uint64_t unseen_start(const struct join *j, uint64_t now)
{
	return j->lossy ? now : j->start;
}

void task__over(struct join *j, struct task *t, enum task_end how, uint64_t now)
{
	struct kind *kind = kinds__get(&j->kinds, t->kind);
	uint64_t life = now - t->start;

	if (kind)
		kind->ends[how]++;
	else
		join__note_err(j, -ENOMEM);

	task__decide(j, t, NO_BRANCH);
	task__flush(j, t);
	sum__add(&j->totals.lifetime_ns, life);
	if (t->charged != life) {
		if (!j->violations++)
			snprintf(j->why, sizeof(j->why),
				 "time not conserved: task %#llx lived %llu ns, of which %llu ns are in segments",
				 (unsigned long long)t->addr, (unsigned long long)life,
				 (unsigned long long)t->charged);
	}
	task__tell_end(j, t, how, now);
	t->state = TASK_DONE;
	t->since = now;
	t->thread = NULL;
}

void task__remove(struct join *j, struct task *t)
{
	map__del(&j->tasks, t->addr);
	t->next_free = j->free_tasks;
	j->free_tasks = t;
}

/* ---- states ---- */

static int by_place(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

void task__charge_split(struct join *j, struct task *t, const struct split *s)
{
	t->branch = s->branch;
	t->undecided = s->undecided;
	j->losses[JOIN_LOSS_HISTORY] += s->forgotten;
	for (unsigned int i = 0; i < s->nr; i++)
		task__charge(j, t, t->chain, t->branch, &s->parts[i]);
	if (!s->placed || !s->placed->nr)
		return;
	join__note_err(j, s->err);
	qsort(s->placed->list, s->placed->nr, sizeof(*s->placed->list), by_place);
	for (uint32_t i = 0; i < s->placed->nr; i++)
		task__charge(j, t, t->chain, t->branch, &s->placed->list[i]);
}

void task__charge_lost_wait(struct join *j, struct task *t, uint64_t known, uint64_t now)
{
	struct split s;

	split__open(j, t, known, PART_UNTIL_LOSS, &s);
	task__charge_split(j, t, &s);
	task__note_wait(j, t, WAIT_OPEN, 0);
	task__charge_unknown(j, t, PART_LOST, known, now);
}

void task__charge_ready(struct join *j, struct task *t, struct thread *worker,
			uint64_t known, uint64_t now)
{
	/* Had no other worker a chance to poll it? Any thread of the pool may take a job. */
	bool own = !t->job && (j->nr_workers <= 1 || (worker && t->woken_on == worker->tid));
	uint32_t chain = t->waited ? t->chain : NO_CHAIN;
	uint16_t branch = t->waited ? t->branch : NO_BRANCH;

	join__note_err(j, ready__divide(j, worker, t->why, t->since, known, &j->ready));
	for (uint32_t i = 0; i < j->ready.nr; i++) {
		if (!own)
			ready__taken(&j->ready.list[i].detail);
		task__charge(j, t, chain, branch, &j->ready.list[i]);
	}
	task__charge_unknown(j, t, PART_LOST, known, now);
}

void task__charge_broken(struct join *j, struct task *t, uint64_t now, enum part why)
{
	uint64_t known = windows__known_until(&j->windows, t->since, now);

	if (t->state == TASK_LIMBO && why != PART_BEFORE)
		why = t->why;
	if (known < now)
		why = PART_LOST;
	if (t->state == TASK_IDLE && t->resumed)
		task__note_wait(j, t, WAIT_OPEN, 0);
	task__charge_unknown(j, t, why, t->since, now);
	t->since = now;
}

void task__doubt(struct join *j, struct task *t, uint64_t begin, enum part why)
{
	task__decide(j, t, NO_BRANCH);	/* the poll is not fully known */
	t->self_wakes = 0;
	t->state = TASK_LIMBO;
	t->why = why;
	t->since = begin;
	t->thread = NULL;
	task__tell(j, t, MOMENT_DOUBT, NULL, begin);
}

void task__break_poll(struct join *j, struct task *t)
{
	uint64_t begin = t->since;

	if (!t->thread) {
		/*
		 * In a poll at attach: the probe at a poll's end ignores polls whose
		 * begin was not seen.
		 */
		task__doubt(j, t, begin, PART_BEFORE);
		return;
	}
	begin = thread__forget_poll(j, t->thread, t);
	j->losses[JOIN_LOSS_POLL]++;
	task__doubt(j, t, begin, PART_UNMATCHED);
}

/* Ends the life of @t, whose address belongs to a new task. */
static void task__replace(struct join *j, struct task *t, uint64_t now)
{
	if (t->state == TASK_RUNNING)
		task__break_poll(j, t);
	if (t->state != TASK_DONE) {
		j->losses[JOIN_LOSS_DROP]++;
		if (t->state == TASK_LIMBO)
			task__charge_broken(j, t, now, PART_UNMATCHED);
		else
			task__charge_broken(j, t, now, PART_END_NOT_SEEN);
		task__over(j, t, END_UNSEEN, now);
	}
	task__remove(j, t);
}

/*
 * @by spawns a task that has the address of @t. If @t is in a poll of another thread, it has
 * completed there and was freed by whoever joined it, before the poll function returned.
 */
static void task__end_if_freed(struct join *j, struct task *t, const struct thread *by,
			       uint64_t now)
{
	if (t->state != TASK_RUNNING || !t->thread || t->thread == by ||
	    windows__known_until(&j->windows, t->since, now) < now)
		return;
	thread__orphan_poll(j, t->thread, t, now);
	task__over(j, t, END_COMPLETED, now);
}

void task__set_ready(struct task *t, const struct thread *by, uint64_t now, enum part how,
		     bool waited)
{
	t->state = TASK_READY;
	t->since = now;
	t->why = how;
	t->waited = waited;
	t->woken_on = by ? by->tid : 0;
}

void task__set_idle(struct join *j, struct task *t, uint64_t now, uint32_t chain,
		    const struct walk_keys *keys, unsigned int nr_keys)
{
	task__unbox(j, t, chain);
	t->state = TASK_IDLE;
	t->since = now;
	t->chain = chain;
	t->branch = NO_BRANCH;
	t->nr_keys = (uint8_t)(nr_keys < WALK_MAX_KEYS ? nr_keys : WALK_MAX_KEYS);
	t->keys = *keys;
	t->begin_unseen = false;
	t->resumed = false;
	t->unsure = false;
	t->at_fd = false;
}

/* ---- events ---- */

void task__new(struct join *j, uint64_t addr, const struct thread *th, uint64_t now)
{
	struct task *t = task__find(j, addr);

	if (t) {
		task__end_if_freed(j, t, th, now);
		task__replace(j, t, now);
	}
	t = task__create(j, addr, now);
	if (!t)
		return;
	task__set_ready(t, th, now, PART_SPAWNED, false);
	task__tell(j, t, MOMENT_READY, th, now);
}

/*
 * Called at the end of each wait. @self: the task had woken itself in its own poll, or
 * had yielded, so this was no wait. Otherwise a row of such polls ends.
 */
static void task__note_self_wake(struct join *j, struct task *t, bool self)
{
	t->self_wakes = self ? t->self_wakes + 1 : 0;
	if (self)
		task__note_wait(j, t, WAIT_SELF_WAKE, t->self_wakes);
}

/*
 * How long the wait of @t, split as @s, has lasted, without what --idle leaves out; NO_WAIT:
 * nothing of it is left.
 */
static uint64_t task__selected_wait(const struct join *j, const struct task *t,
				    const struct split *s, uint64_t now)
{
	uint64_t ns = now - t->since, left;

	if (j->idle == JOIN_IDLE_SHOW)
		return ns;
	left = selection__of_wait(j, ns, split__idle_ns(s));
	return ns && !left ? NO_WAIT : left;
}

/* The wait of @t ends at @now, by a wake or (@wake false) by a poll. */
static void task__end_wait(struct join *j, struct task *t, struct thread *waker, uint64_t now,
			   bool wake)
{
	uint64_t known = windows__known_until(&j->windows, t->since, now), ns;
	struct split s;

	t->waited_ns = NO_WAIT;
	if (known < now) {
		t->self_wakes = 0;
		task__charge_lost_wait(j, t, known, now);
		return;
	}
	if (wake)
		split__wake(j, t, waker, now, &s);
	else
		split__open(j, t, now, PART_NO_WAKE, &s);
	ns = task__selected_wait(j, t, &s, now);
	if (!t->begin_unseen)
		t->waited_ns = ns;
	task__charge_split(j, t, &s);
	if (s.by_wake)
		by_wake__count(j, s.on);
	if (ns != NO_WAIT)
		task__note_wait(j, t, t->begin_unseen ? WAIT_OPEN : WAIT_FINISHED, ns);
	task__note_self_wake(j, t, s.yielded);
	if (s.job && !s.job->spawn_seen && !t->begin_unseen && s.job->begin >= t->since)
		join__note_err(j, job_kinds__queued(&j->kinds, s.job->kind,
						    s.job->begin - t->since, false));
}

void task__wake(struct join *j, uint64_t addr, struct thread *waker, uint64_t now)
{
	struct task *t = task__find(j, addr);

	if (!t) {
		t = task__create(j, addr, unseen_start(j, now));
		if (!t)
			return;
		task__charge_broken(j, t, now, PART_BEFORE);
		task__set_ready(t, waker, now, PART_NONE, false);
		task__tell(j, t, MOMENT_WOKEN, waker, now);
		return;
	}
	switch (t->state) {
	case TASK_READY:
	case TASK_DONE:
		break;		/* only the first wake counts */
	case TASK_RUNNING:
		t->woken = true;
		t->woken_by_other |= !waker || waker != t->thread;
		task__tell(j, t, MOMENT_WOKEN, waker, now);
		break;
	case TASK_IDLE:
		task__end_wait(j, t, waker, now, true);
		task__set_ready(t, waker, now, PART_NONE, true);
		task__tell(j, t, MOMENT_WOKEN, waker, now);
		break;
	case TASK_LIMBO:
		task__charge_broken(j, t, now, PART_UNMATCHED);
		task__set_ready(t, waker, now, PART_NONE, false);
		task__tell(j, t, MOMENT_READY, waker, now);
		break;
	}
}

static void task__note_unseen_spawn(struct join *j, uint32_t id)
{
	struct kind *kind;

	if (!accounts__unseen_spawns(j->accounts, id))
		return;
	kind = kinds__get(&j->kinds, id);
	if (kind)
		kind->unseen_spawns++;
	else
		join__note_err(j, -ENOMEM);
}

void task__begin(struct join *j, uint64_t addr, uint32_t kind, struct thread *th, uint64_t now)
{
	struct task *t = task__find(j, addr);
	uint32_t from = NO_CHAIN;
	bool queue_seen = false;
	uint64_t known;

	if (t && (t->state == TASK_DONE || (t->kind != UNKNOWN_KIND && t->polled != kind))) {
		task__replace(j, t, now);
		t = NULL;
	}
	if (!t) {
		t = task__create(j, addr, now);
		if (!t)
			return;
		task__note_unseen_spawn(j, kind);
	}
	if (t->kind == UNKNOWN_KIND)
		task__name(j, t, kind);
	if (t->state == TASK_RUNNING && t->thread && t->thread != th && t->woken) {
		/*
		 * A runtime marks a task idle before its poll function returns. If it
		 * is woken in between, another thread may poll it before the end of the
		 * first poll is seen. The task's memory then belongs to the second
		 * poll, so the await point of the wait in between, of no duration,
		 * cannot be read.
		 */
		thread__orphan_poll(j, t->thread, t, now);
		task__decide(j, t, NO_BRANCH);
		j->totals.unplaced_waits++;
		task__set_ready(t, NULL, now, PART_IN_POLL, false);
	}
	if (t->state == TASK_RUNNING)
		task__break_poll(j, t);
	switch (t->state) {
	case TASK_READY:
		known = windows__known_until(&j->windows, t->since, now);
		from = t->waited ? t->chain : NO_CHAIN;
		if (t->waited && known == now) {
			task__note_wait(j, t, WAIT_POLLED, now - t->since);
			if (t->waited_ns != NO_WAIT)
				task__note_wait(j, t, WAIT_TOTAL, t->waited_ns + now - t->since);
		}
		task__charge_ready(j, t, th, known, now);
		if (t->job && t->why == PART_SPAWNED && known == now) {
			queue_seen = true;
			join__note_err(j, job_kinds__queued(&j->kinds, kind, now - t->since, true));
		}
		break;
	case TASK_IDLE:
		from = t->chain;
		task__end_wait(j, t, NULL, now, false);
		break;
	default:
		task__charge_broken(j, t, now, PART_UNMATCHED);
		break;
	}
	t->state = TASK_RUNNING;
	t->since = now;
	t->woken = t->woken_by_other = false;
	if (!th->works && !accounts__blocking(j->accounts, kind) &&
	    !accounts__root(j->accounts, kind)) {
		th->works = true;
		j->nr_workers++;
	}
	task__tell(j, t, MOMENT_POLLED, th, now);
	thread__push_poll(j, th, t, now);
	if (t->thread == th) {
		thread__poll(th)->spawn_seen = queue_seen;
		thread__poll(th)->from = from;
	}
}

/* Charges the time up to the end of a poll. False: the event is to be ignored. */
static bool task__end_poll(struct join *j, struct task *t, struct thread *th, uint64_t now)
{
	switch (t->state) {
	case TASK_RUNNING:
		if (t->thread == th)
			return thread__pop_poll(j, th, t->addr, now);
		if (!t->thread) {
			/*
			 * It was in a poll at attach: what its thread did until now is not
			 * known.
			 */
			task__charge_broken(j, t, now, PART_BEFORE);
			return true;
		}
		task__break_poll(j, t);
		break;
	case TASK_DONE:
		j->losses[JOIN_LOSS_POLL]++;
		return false;
	case TASK_LIMBO:
		break;		/* counted when the task became LIMBO */
	default:
		j->losses[JOIN_LOSS_POLL]++;
		break;
	}
	task__charge_broken(j, t, now, PART_UNMATCHED);
	return true;
}

void task__end(struct join *j, const struct trace_event *ev, struct thread *th, uint64_t now)
{
	struct task *t;

	if (thread__pop_orphan(j, th, ev->end.task, now))
		return;
	t = task__find(j, ev->end.task);
	if (!t) {
		t = task__create(j, ev->end.task, unseen_start(j, now));
		if (!t)
			return;
		task__charge_broken(j, t, now, PART_BEFORE);
	} else if (!task__end_poll(j, t, th, now)) {
		return;
	}
	t->thread = NULL;
	if (accounts__root(j->accounts, t->kind))
		thread__blocks_on(th, ev->end.result == TRACE_POLL_READY ? NULL : &t->kind);
	if (ev->end.result == TRACE_POLL_READY) {
		task__over(j, t, END_COMPLETED, now);
		return;
	}
	if (t->undecided) {
		struct wait was = { t->chain, t->nr_keys, &t->keys };
		struct wait is = { ev->end.chain, ev->end.nr_keys, &ev->end.keys };

		task__decide(j, t, accounts__advanced(j->accounts, &was, &is,
						      split__not_joined(j, t)));
	}
	task__set_idle(j, t, now, ev->end.chain, &ev->end.keys, ev->end.nr_keys);
	t->unsure = ev->end.result != TRACE_POLL_PENDING;
	task__tell(j, t, MOMENT_PENDING, th, now);
	if (t->woken) {
		t->woken = false;
		task__note_wait(j, t, WAIT_IN_POLL, 0);
		task__note_self_wake(j, t, !t->woken_by_other);
		t->waited_ns = 0;
		task__set_ready(t, th, now, PART_IN_POLL, true);
	}
}

/*
 * How the end of @t at @now counts: completed if it was in its own poll, cancelled if
 * it was in none. Unseen if a poll may have been lost, or if the last poll's result is
 * not known.
 */
static enum task_end task__end_of(const struct task *t, uint64_t known, uint64_t now)
{
	if (known < now || t->state == TASK_LIMBO || (t->state == TASK_IDLE && t->unsure))
		return END_UNSEEN;
	return t->state == TASK_RUNNING ? END_COMPLETED : END_CANCELLED;
}

void task__drop(struct join *j, uint64_t addr, struct thread *th, uint64_t now)
{
	struct task *t = task__find(j, addr);
	enum task_end how;
	uint64_t known;

	if (!t)
		return;
	if (t->state == TASK_RUNNING && t->thread && t->thread != th)
		task__break_poll(j, t);
	if (accounts__root(j->accounts, t->kind))
		thread__blocks_on(th, NULL);
	known = windows__known_until(&j->windows, t->since, now);
	how = task__end_of(t, known, now);
	switch (t->state) {
	case TASK_READY:
		task__charge_ready(j, t, ready__worker(j, t), known, now);
		break;
	case TASK_RUNNING:
		if (t->thread)
			thread__orphan_poll(j, th, t, now);
		else
			task__charge_broken(j, t, now, PART_BEFORE);
		break;
	case TASK_IDLE:
		if (known < now) {
			task__charge_lost_wait(j, t, known, now);
		} else if (t->unsure) {
			/* The last poll may have completed it; then it was not waiting. */
			task__charge_broken(j, t, now, PART_RESULT);
		} else {
			struct split s;

			split__open(j, t, now, PART_DROPPED, &s);
			task__charge_split(j, t, &s);
			if (task__selected_wait(j, t, &s, now) != NO_WAIT)
				task__note_wait(j, t, WAIT_OPEN, 0);
		}
		break;
	case TASK_LIMBO:
		task__charge_broken(j, t, now, PART_UNMATCHED);
		break;
	case TASK_DONE:
		task__remove(j, t);
		return;
	}
	/*
	 * The entry stays, as DONE: handles and wakers may still exist, and wakes of it
	 * are ignored.
	 */
	task__over(j, t, how, now);
}

/* ---- the end of the recording ---- */

static void task__finish(struct join *j, struct task *t, uint64_t now)
{
	uint64_t known = windows__known_until(&j->windows, t->since, now);
	struct split s;

	switch (t->state) {
	case TASK_READY:
		task__charge_ready(j, t, ready__worker(j, t), known, now);
		break;
	case TASK_RUNNING:
		/* thread__finish_all() has charged the polls whose thread is known. */
		if (!t->thread)
			task__charge_broken(j, t, now, PART_BEFORE);
		break;
	case TASK_IDLE:
		if (known < now) {
			task__charge_lost_wait(j, t, known, now);
			break;
		}
		split__open(j, t, now, PART_OPEN, &s);
		task__charge_split(j, t, &s);
		if (task__selected_wait(j, t, &s, now) != NO_WAIT)
			task__note_wait(j, t, WAIT_OPEN, 0);
		break;
	case TASK_LIMBO:
		task__charge_broken(j, t, now, PART_UNMATCHED);
		break;
	case TASK_DONE:
		return;
	}
	task__over(j, t, END_ALIVE, now);
}

void task__finish_all(struct join *j, uint64_t now)
{
	struct map_entry *tasks = map__sorted(&j->tasks);

	if (!tasks)
		join__note_err(j, -ENOMEM);
	for (uint32_t i = 0; tasks && i < j->tasks.nr; i++)
		task__finish(j, tasks[i].value, now);
	free(tasks);
}

void task__free_all(struct join *j)
{
	for (uint32_t i = 0; i < j->tasks.size; i++) {
		struct task *t = j->tasks.entries[i].value;

		if (t) {
			free(t->deferred);
			free(t);
		}
	}
	map__clear(&j->tasks);
	while (j->free_tasks) {
		struct task *next = j->free_tasks->next_free;

		free(j->free_tasks);
		j->free_tasks = next;
	}
}
