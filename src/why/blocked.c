// SPDX-License-Identifier: GPL-2.0
/*
 * Workers that sleep in polls: whom they keep waiting, and who has what they sleep for.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "why/graph.h"
#include "why/pools.h"
#include "why/sleepers.h"

#define LATE_NS		50000000ull	/* a timer that is so late is overdue */

/* ---- whom they keep waiting ---- */

static bool is_in_driver(const struct picture_thread *t)
{
	return t->syscall == SYS_epoll_wait || t->syscall == SYS_epoll_pwait ||
	       t->syscall == SYS_epoll_pwait2;
}

/* Tasks that are ready, and timers that are overdue. */
static void add_victims(struct why *y, struct why_finding *f)
{
	uint64_t now = y->p.ts;
	char queue[WHY_QUEUE_MAX], up_to[WHY_QUEUE_MAX];

	for (uint32_t i = 0; i < y->p.nr_tasks; i++) {
		const struct picture_task *t = &y->p.tasks[i];
		struct answer_place at = { "", "", 0 };

		if (!y->steady[i])
			continue;
		if (t->state == PICTURE_READY) {
			if (t->nr_waits)
				at = why__wait_place(y, t->waits);
			why__queue(y, i, queue);
			why__party(y, f, "starved", i, at, "%s%s is ready to be polled%s%s",
				   why__task(y, i), why__up_to(y, i, up_to), *queue ? ", in " : "",
				   queue);
		}
		for (uint32_t k = t->waits; t->state == PICTURE_IDLE && k < t->waits + t->nr_waits;
		     k++) {
			const struct walk_key key = y->p.waits[k].key;

			if (key.kind == WALK_KEY_DEADLINE && !y->p.waits[k].unpolled &&
			    key.value + LATE_NS < now)
				why__party(y, f, "victim", i, why__wait_place(y, k),
					   "%s waits in %s, whose time has passed", why__task(y, i),
					   why__waits_in(y, k));
		}
	}
}

/* Does any thread look for I/O and timers? */
static bool driven(const struct why *y)
{
	for (size_t i = 0; i < y->p.nr_threads; i++)
		if (is_in_driver(&y->p.threads[i]))
			return true;
	return false;
}

/* ---- who has the lock ---- */

static const char *handle_name(const struct why *y, uint32_t handle)
{
	const struct image_handle *types;
	size_t nr;

	types = image__handles(y->p.img, &nr);
	return image__str(y->p.img, types[y->p.handles[handle].handle].name);
}

/* The first wait of a task that is suspended; WALK_NONE: none. */
static uint32_t first_wait(const struct why *y, uint32_t task)
{
	const struct picture_task *t = &y->p.tasks[task];

	for (uint32_t i = t->waits; i < t->waits + t->nr_waits; i++)
		if (!y->p.waits[i].unpolled)
			return i;
	return WALK_NONE;
}

/* The task that holds the lock of @s: its variable, and what it does meanwhile. */
static void add_holder(struct why *y, struct why_finding *f, const struct sleeper *s)
{
	const struct picture_handle *h = &y->p.handles[s->held_by];
	uint32_t wait = first_wait(y, h->task);
	const char *local;
	struct answer_place at = why__handle_place(y, s->held_by, &local);

	why__party(y, f, "holder", h->task, at, "%s %s it in %s, a %s%s", why__task(y, h->task),
		   s->sure ? "holds" : "had", *local ? local : "a temporary",
		   handle_name(y, s->held_by), s->sure ? "" : ", when it was suspended last");
	if (wait != WALK_NONE)
		why__party(y, f, "victim", h->task, why__wait_place(y, wait),
			   "%s waits in %s, and has the lock meanwhile", why__task(y, h->task),
			   why__waits_in(y, wait));
}

/* A lock for which several sleep, or whose holder was not found, once each. */
static void say_locks(struct why *y, struct why_finding *f, const struct sleeper *list, size_t nr)
{
	for (size_t i = 0; i < nr && !y->err; i++) {
		uint32_t count = 0;
		bool before = false;
		char *longer;

		for (size_t k = 0; k < nr; k++) {
			before |= k < i && list[k].lock == list[i].lock;
			count += list[k].lock == list[i].lock;
		}
		if (!list[i].lock || before)
			continue;
		if (asprintf(&longer, "%s%slock at 0x%" PRIx64 ": %" PRIu32 " thread%s for it%s",
			     f->resource ? f->resource : "", f->resource ? "; " : "", list[i].lock,
			     count, count == 1 ? " waits" : "s wait",
			     list[i].held_by != WALK_NONE ? "" :
			     ", held by code that is running, or by a value outside any task") < 0) {
			y->err = -ENOMEM;
			return;
		}
		free(f->resource);
		f->resource = longer;
	}
}

/* ---- findings ---- */

/*
 * Does @s block for what only a task can do that is ready: this very thread would have to poll it?
 */
static bool starves(const struct why *y, const struct sleeper *s)
{
	const struct picture_task *root = s->root == WALK_NONE ? NULL : &y->p.tasks[s->root];

	for (uint32_t i = 0; root && i < root->nr_waits; i++) {
		const struct picture_wait *w = &y->p.waits[root->waits + i];
		const struct graph_wait *g = &y->g->waits[root->waits + i];

		if (w->unpolled || !g->closed)
			continue;
		for (uint32_t e = g->edges; e < g->edges + g->nr_edges; e++)
			if (y->p.tasks[y->g->edges[e].to].state == PICTURE_READY)
				return true;
	}
	return false;
}

/*
 * The one that is told first: who is in a deadlock; or else who does not wait for a lock, which
 * tells more than those who wait for a lock that this one may hold.
 */
static const struct sleeper *choose(const struct sleeper *list, size_t nr, const bool *dead)
{
	size_t best = 0;

	for (size_t i = 0; i < nr; i++) {
		bool futex = list[i].thread->syscall == SYS_futex;

		if (dead[i])
			return &list[i];
		if (list[best].thread->syscall == SYS_futex &&
		    (!futex || (list[best].held_by == WALK_NONE && list[i].held_by != WALK_NONE)))
			best = i;
	}
	return &list[best];
}

/* "; the 7 other workers are idle": those that are in no poll. */
static void say_idle(const struct why *y, char *out, size_t size)
{
	unsigned int workers = 0, idle = 0;

	for (size_t i = 0; i < y->p.nr_threads; i++) {
		workers += y->p.threads[i].worker;
		idle += y->p.threads[i].worker && y->p.threads[i].asleep &&
			!y->p.threads[i].nr_polls;
	}
	if (!idle)
		snprintf(out, size, "%s", workers > 1 ? "; no worker is idle" : "");
	else
		snprintf(out, size, "; %u other worker%s idle", idle, idle == 1 ? " is" : "s are");
}

static void say(struct why *y, struct why_finding *f, const struct sleeper *s, size_t nr,
		bool driven)
{
	const char *local = "";
	struct answer_place at = { "", "", 0 };
	uint32_t wait = WALK_NONE, holder = WALK_NONE;
	char held[512] = "", idle[64];

	say_idle(y, idle, sizeof(idle));
	if (s->held_by != WALK_NONE) {
		holder = y->p.handles[s->held_by].task;
		at = why__handle_place(y, s->held_by, &local);
		wait = first_wait(y, holder);
		snprintf(held, sizeof(held), "; %s %s the lock since %s:%" PRIu32,
			 why__task(y, holder), s->sure ? "has" : "had", at.file, at.line);
	}
	if (wait != WALK_NONE) {
		at = why__wait_place(y, wait);
		snprintf(held + strlen(held), sizeof(held) - strlen(held),
			 " and waits at %s:%" PRIu32 " in %s", at.file, at.line,
			 why__waits_in(y, wait));
	}
	why__say(y, f, "%zu thread%s in polls: %s at %s:%" PRIu32 " (%s)%s%s%s", nr,
		 nr == 1 ? " sleeps" : "s sleep", why__task(y, s->task), s->at.file, s->at.line,
		 s->words, held, idle, driven ? "" : "; and no thread looks for I/O and timers");
}

/* Those of @list that are no jobs. */
static void tell(struct why *y, const struct sleeper *list, size_t nr)
{
	bool still = true, starve = false, deadlock = false, drive = driven(y);
	bool *dead = calloc(nr + 1, sizeof(*dead));
	const struct sleeper *first;
	struct why_finding *f;

	if (!dead) {
		y->err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < nr; i++) {
		still &= list[i].thread->still;
		starve |= starves(y, &list[i]);
		dead[i] = sleepers__deadlocked(y, list, nr, &list[i], drive);
		deadlock |= dead[i];
	}
	first = choose(list, nr, dead);
	f = why__add(y, deadlock ? "deadlock" : starve ? "starved task" : "blocked worker",
		     deadlock ? 0 : 1);
	free(dead);
	if (!f)
		return;
	if (!still)
		f->since_ns = 0;
	say(y, f, first, nr, drive);
	sleepers__add(y, f, first);
	for (size_t i = 0; i < nr; i++)
		if (&list[i] != first)
			sleepers__add(y, f, &list[i]);
	if (first->held_by != WALK_NONE)
		add_holder(y, f, first);
	for (size_t i = 0; i < nr; i++)
		if (list[i].held_by != WALK_NONE && list[i].held_by != first->held_by)
			add_holder(y, f, &list[i]);
	say_locks(y, f, list, nr);
	add_victims(y, f);
}

void why__find_blocked(struct why *y)
{
	size_t nr = 0, nr_jobs = 0, nr_polls = 0;
	struct sleeper *list = sleepers__find(y, pools__full(y), &nr);
	struct sleeper *jobs = calloc(nr + 1, sizeof(*jobs));

	if (!jobs)
		y->err = -ENOMEM;
	/* jobs in a list of their own */
	for (size_t i = 0; i < nr && jobs; i++) {
		if (list[i].job)
			jobs[nr_jobs++] = list[i];
		else
			list[nr_polls++] = list[i];
	}
	if (!y->err && nr_polls)
		tell(y, list, nr_polls);
	if (!y->err && nr_jobs)
		pools__tell(y, jobs, nr_jobs);
	free(list);
	free(jobs);
}
