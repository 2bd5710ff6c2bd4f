/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is read from the target's memory of a task: that it is alive, in which state, and in what
 * its waker is registered. It begins lives of tasks that no probe has seen yet, and tells again
 * what a task does after a loss of events. See the table in task.c.
 */
#include "join/task.h"

/* Sets the state of @t that was read from the target's memory at @now. */
static void task__set_seen(struct join *j, struct task *t, const struct trace_event *ev,
			   uint64_t now)
{
	task__decide(j, t, NO_BRANCH);
	switch (ev->seen.state) {
	case TRACE_TASK_IDLE:
		task__set_idle(j, t, now, ev->seen.chain, &ev->seen.keys, ev->seen.nr_keys);
		t->begin_unseen = true;
		task__tell(j, t, MOMENT_PENDING, NULL, now);
		break;
	case TRACE_TASK_NOTIFIED:
		task__set_ready(t, NULL, now, PART_NONE, false);
		task__tell(j, t, MOMENT_READY, NULL, now);
		break;
	case TRACE_TASK_RUNNING:
		t->state = TASK_RUNNING;	/* the poll's end will tell on which thread */
		t->since = now;
		t->thread = NULL;
		task__tell(j, t, MOMENT_POLLED, NULL, now);
		break;
	default:
		task__doubt(j, t, now, PART_BEFORE);
		break;
	}
}

/* As far as is known, the task still waits where it did before the loss. */
static bool task__waits_on(const struct task *t, const struct trace_event *ev)
{
	return t->state == TASK_IDLE && ev->seen.state == TRACE_TASK_IDLE &&
	       t->chain == ev->seen.chain && t->nr_keys == ev->seen.nr_keys &&
	       walk_keys__same(&t->keys, &ev->seen.keys, t->nr_keys);
}

/*
 * Events were lost from @known on. @t has been read at @now: its state is known again,
 * but not what it did in between.
 */
static void task__resume(struct join *j, struct task *t, const struct trace_event *ev,
			 uint64_t known, uint64_t now)
{
	bool resumed = false;
	struct split s;

	switch (t->state) {
	case TASK_IDLE:
		if (!task__waits_on(t, ev)) {
			task__charge_lost_wait(j, t, known, now);
			break;
		}
		/* Still the same wait. It is counted once, when it ends. */
		resumed = true;
		split__open(j, t, known, PART_UNTIL_LOSS, &s);
		task__charge_split(j, t, &s);
		task__charge_unknown(j, t, PART_LOST, known, now);
		break;
	case TASK_READY:
		task__charge_ready(j, t, ready__worker(j, t), known, now);
		break;
	case TASK_RUNNING:
		task__break_poll(j, t);
		/* fall through */
	default:
		task__charge_broken(j, t, now, PART_UNMATCHED);
		break;
	}
	task__set_seen(j, t, ev, now);
	t->resumed = resumed;
}

static void task__seen_again(struct join *j, struct task *t, const struct trace_event *ev,
			     uint64_t now)
{
	uint64_t known = windows__known_until(&j->windows, t->since, now);

	if (t->kind == UNKNOWN_KIND)
		task__name(j, t, ev->seen.kind);
	if ((known == now && t->state != TASK_LIMBO) || ev->seen.state == TRACE_TASK_UNKNOWN)
		return;
	/* The thread that polls it knows more. */
	if (t->state == TASK_RUNNING && ev->seen.state == TRACE_TASK_RUNNING)
		return;
	task__resume(j, t, ev, known, now);
}

struct task *task__seen(struct join *j, const struct trace_event *ev, uint64_t now)
{
	bool younger = accounts__unseen_spawns(j->accounts, ev->seen.kind) || j->lossy;
	uint64_t start = younger ? now : j->start;
	struct task *t = task__find(j, ev->seen.task);

	if (t && t->state == TASK_DONE && windows__known_until(&j->windows, t->since, now) < now) {
		/* This is another task, whose begin was lost. */
		task__remove(j, t);
		t = NULL;
	}
	if (t && t->state != TASK_DONE)
		task__seen_again(j, t, ev, now);
	if (!t) {
		t = task__create(j, ev->seen.task, start);
		if (!t)
			return NULL;
		task__name(j, t, ev->seen.kind);
		if (ev->seen.state == TRACE_TASK_UNKNOWN)
			task__charge_unknown(j, t, PART_BEFORE, start, now);
		task__set_seen(j, t, ev, ev->seen.state == TRACE_TASK_UNKNOWN ? now : start);
	}
	t->seen_at = now;
	return t->state != TASK_DONE ? t : NULL;
}

void task__vanish(struct join *j, struct task *t, uint64_t known, uint64_t now)
{
	j->losses[JOIN_LOSS_DROP]++;
	switch (t->state) {
	case TASK_IDLE:
		task__charge_lost_wait(j, t, known, known);
		break;
	case TASK_READY:
		task__charge_ready(j, t, ready__worker(j, t), known, known);
		break;
	case TASK_RUNNING:
		task__break_poll(j, t);
		/* fall through */
	default:
		known = now;
		task__charge_broken(j, t, now, PART_UNMATCHED);
		break;
	}
	task__over(j, t, END_UNSEEN, known);
}

void task__waiter(struct join *j, const struct trace_event *ev, uint64_t now)
{
	struct task *t = task__find(j, ev->waiter.task);

	if (!t || t->state != TASK_IDLE || t->since > now)
		return;
	t->at_fd = true;
	t->fd_token = ev->waiter.token;
	t->fd_dir = ev->waiter.dir;
}
