/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads a trace in order of time and hands each event to the thread and the task that
 * it is about.
 *
 * The time that is charged begins at attach and ends with the recording or with the
 * target. Events from before attach, when not all probes were in place, set states but
 * add no time; events after the end are dropped.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sum.h"
#include "join/follow.h"
#include "join/timeline.h"

int join__new(struct trace_reader *r, struct join **out)
{
	const struct trace_host *host = trace_reader__host(r);
	const struct trace_totals *totals = trace_reader__totals(r);
	uint64_t first = trace_reader__first_ts(r);
	struct join *j = calloc(1, sizeof(*j));

	*out = NULL;
	if (!j)
		return -ENOMEM;
	j->reader = r;
	j->poll_broken = task__doubt;
	j->sums.sink.ops = &sink_sums;
	join__add_sink(j, &j->sums.sink);
	j->names = frame_names__new();
	j->accounts = j->names ? accounts__new(r, j->names) : NULL;
	if (!j->accounts) {
		join__free(j);
		return -ENOMEM;
	}
	j->sums.accounts = j->accounts;
	j->sums.samples = &j->samples;
	j->start = host->attach_ts ? host->attach_ts : first;
	j->end = totals && totals->end_ts ? totals->end_ts : trace_reader__last_ts(r);
	if (j->end < j->start)
		j->end = j->start;
	*out = j;
	return 0;
}

void join__add_sink(struct join *j, struct sink *s)
{
	s->next = j->sinks;
	j->sinks = s;
	if (s->ops->placed)
		j->placed = &j->scratch;
	j->moments |= s->ops->moment != NULL;
}

void join__free(struct join *j)
{
	if (!j)
		return;
	result__free(j);
	follow__free(j->follow);
	task__free_all(j);
	thread__free_all(j);
	accounts__free(j->accounts);
	frame_names__free(j->names);
	sink_sums__clear(&j->sums);
	free(j->scratch.list);
	free(j->ready.list);
	fds__clear(&j->fds);
	map__clear(&j->listed);
	kinds__clear(&j->kinds);
	windows__clear(&j->windows);
	stops__clear(&j->stops);
	sleeps__clear(&j->sleeps);
	map__clear(&j->files);
	wakers__clear(&j->wakers);
	samples__clear(&j->samples);
	free(j);
}

static int join__lost(struct join *j, const struct trace_event *ev)
{
	uint64_t first = ev->lost.first < ev->ts ? ev->lost.first : ev->ts;

	if (ev->lost.cause < TRACE_LOST_NR)
		sum__add(&j->lost_events[ev->lost.cause], ev->lost.count);
	if (ev->ts <= j->start || first >= j->end)
		return 0;
	j->lossy = true;
	return windows__add(&j->windows, first < j->start ? j->start : first,
			    ev->ts > j->end ? j->end : ev->ts);
}

static int join__file(struct join *j, const struct trace_event *ev)
{
	if (!ev->named.name || map__get(&j->files, ev->named.file))
		return 0;
	return map__add(&j->files, ev->named.file, (void *)(uintptr_t)ev->named.name);
}

/* Does @ev tell more of the period off the CPU whose event follows? */
static bool tells_more(const struct trace_event *ev)
{
	return ev->type == TRACE_SLEPT_ON || ev->type == TRACE_FUTEX || ev->type == TRACE_THROTTLED;
}

static int join__event(struct join *j, const struct trace_event *ev)
{
	uint64_t now = ev->ts < j->start ? j->start : ev->ts;
	const struct driver_ops *driver;
	struct task *task;
	struct thread *th;

	switch (ev->type) {
	case TRACE_LOST:
		return join__lost(j, ev);
	case TRACE_FD_ADD:
		return fds__add(&j->fds, ev->fd.token, ev->fd.epfd, ev->fd.fd, ev->fd.name,
				ev->fd.role);
	case TRACE_FD_TURN:
		/* what came after the end tells nothing of the end */
		if (ev->fd.came < j->end)
			fds__turn(&j->fds, ev->fd.token, ev->fd.fd, ev->fd.sent, ev->fd.seen);
		return 0;
	case TRACE_FD_DEL:
		fds__del(&j->fds, ev->fd.token, ev->fd.epfd);
		return 0;
	case TRACE_TASK_SEEN:
		task = now <= j->end ? task__seen(j, ev, now) : NULL;
		/*
		 * Roots are in no list of a runtime. The recorder found this one on the
		 * stack of the thread that blocks on it.
		 */
		if (task && accounts__root(j->accounts, task->kind)) {
			th = ev->tid ? thread__get(j, ev->tid, now) : NULL;
			if (th)
				thread__blocks_on(th, &task->kind);
		} else if (task && !task->job) {	/* jobs are in no list either */
			listings__met(j, task);
		}
		return j->err;
	case TRACE_FD_WAITER:
		/*
		 * The recorder looks again when the recording ends: a task that still
		 * waits then has waited there all the time.
		 */
		task__waiter(j, ev, now < j->end ? now : j->end);
		return j->err;
	case TRACE_FILE:
		return join__file(j, ev);
	case TRACE_URING_SUBMIT:
	case TRACE_URING_STEP:
	case TRACE_URING_FD:
		return now <= j->end ? driver__heard(j, ev, now) : 0;
	case TRACE_CPU_SAMPLE:
		return now < j->end ? thread__sample(j, ev) : 0;
	case TRACE_TASKS_LISTED:
		if (now <= j->end)
			listings__complete(j, ev->listed.begin < j->start ? j->start :
					   ev->listed.begin, now);
		return j->err;
	}
	if (now > j->end) {
		/*
		 * Threads that are still off the CPU are written after all other
		 * events, and count up to the end.
		 */
		if (!tells_more(ev) &&
		    (ev->type != TRACE_OFF_CPU || !ev->off.open || ev->off.out >= j->end))
			return 0;
		now = j->end;
	}
	th = thread__get(j, ev->tid, now);
	if (!th)
		return -ENOMEM;
	if (ev->type == TRACE_OFF_CPU && ev->off.reason == TRACE_OFF_STOPPED)
		join__note_err(j, stops__add(&j->stops, ev->tid, ev->off.out, now));
	if (!(ev->type == TRACE_OFF_CPU && ev->off.open) && ev->ts <= j->end)
		stops__active(&j->stops, ev->tid, now);
	switch (ev->type) {
	case TRACE_POLL_BEGIN:
		j->totals.polls++;
		task__begin(j, ev->poll.task, ev->poll.kind, th, now);
		break;
	case TRACE_POLL_END:
		task__end(j, ev, th, now);
		break;
	case TRACE_WAKE:
		task__wake(j, ev->task.task, ev->tid ? th : NULL, now);
		break;
	case TRACE_TASK_NEW:
		task__new(j, ev->task.task, th, now);
		break;
	case TRACE_TASK_DROP:
		task__drop(j, ev->task.task, th, now);
		break;
	case TRACE_OFF_CPU:
		thread__off_cpu(j, th, ev, now);
		if (!th->nr_polls)
			join__note_err(j, driver__heard(j, ev, now));
		break;
	case TRACE_SLEEP_STACK:
		thread__sleep_stack(th, ev);
		break;
	case TRACE_SLEPT_ON:
		thread__slept_on(j, th, ev);
		break;
	case TRACE_THROTTLED:
		thread__throttled(th, ev);
		break;
	case TRACE_FUTEX:
		thread__futex(th, ev);
		break;
	case TRACE_WAKE_STACK:
		thread__wakes_at(th, ev);
		break;
	case TRACE_POLLS_GONE:
		thread__polls_gone(j, th, ev->polls.nr);
		break;
	case TRACE_THREAD_EXIT:
		thread__exit(j, th, now);
		break;
	case TRACE_PROCESS_EXIT:
		j->exited = true;
		if (now < j->end)
			j->end = now;
		break;
	default:
		driver = driver__of_event(ev->type);
		if (driver)
			thread__driver_event(j, th, driver, ev, now);
		break;
	}
	return j->err;
}

/* Sums of the same time that are computed in different ways must agree. */
static int join__check(struct join *j)
{
	uint64_t sum = 0;

	for (int s = 0; s < JOIN_SEGMENT_NR; s++)
		sum__add(&sum, j->totals.segments[s]);
	if (!j->violations && sum != j->totals.lifetime_ns)
		snprintf(j->why, sizeof(j->why),
			 "time not conserved: tasks lived %llu ns, segments add up to %llu ns",
			 (unsigned long long)j->totals.lifetime_ns, (unsigned long long)sum);
	else if (j->violations > 1)
		snprintf(j->why + strlen(j->why), sizeof(j->why) - strlen(j->why),
			 " (and %llu more tasks)", (unsigned long long)j->violations - 1);
	return j->why[0] ? -EPROTO : 0;
}

/* Process all events, in order. 0 or negative errno. */
static int join__read(struct join *j)
{
	const struct trace_event *ev;
	bool exited = false;
	int ret;

	while (!exited && (ret = trace_reader__next_ref(j->reader, &ev)) > 0) {
		int err;

		j->totals.events++;
		exited = ev->type == TRACE_PROCESS_EXIT;
		err = join__event(j, ev);
		if (err)
			return err;
	}
	return exited ? 0 : ret;
}

int join__run(struct join *j)
{
	int err = join__read(j);

	if (!err) {
		j->settled = !j->exited && trace_reader__totals(j->reader);
		thread__finish_all(j, j->end);
		task__finish_all(j, j->end);
		memcpy(j->totals.segments, j->sums.segments, sizeof(j->totals.segments));
		j->totals.start_ts = j->start;
		j->totals.end_ts = j->end;
		j->totals.wall_ns = j->end - j->start;
		err = j->err ? j->err : follow__finish(j);
		if (!err)
			err = accounts__err(j->accounts);
		if (!err)
			err = result__make(j);
	}
	if (err) {
		snprintf(j->why, sizeof(j->why), "%s",
			 err == -E2BIG ? "too many of its chunks overlap in time: it is damaged"
				       : strerror(-err));
		return err;
	}
	return join__check(j);
}

uint64_t join__begin(const struct join *j)
{
	return j->start;
}

const char *join__why(const struct join *j)
{
	return j->why;
}

const struct join_totals *join__totals(const struct join *j)
{
	return &j->shown;
}

uint32_t join__workers(const struct join *j)
{
	return j->nr_workers;
}
