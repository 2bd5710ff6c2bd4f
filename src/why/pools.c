// SPDX-License-Identifier: GPL-2.0
/* Pools of threads for blocking jobs. See pools.h. */
#include "why/pools.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "why/graph.h"

/* A pool whose threads all have jobs, with more in its queue; NULL: there is none. */
static const struct picture_pool *full_pool(const struct why *y)
{
	for (size_t i = 0; i < y->p.nr_pools; i++)
		if (y->p.pools[i].always)
			return &y->p.pools[i];
	return NULL;
}

bool pools__full(const struct why *y)
{
	return full_pool(y);
}

/*
 * Does the root that @s blocks on join a task that no list of the runtime has: a job in the queue
 * of the pool?
 */
static bool joins_queued(const struct why *y, const struct sleeper *s)
{
	const struct picture_task *root = s->root == WALK_NONE ? NULL : &y->p.tasks[s->root];

	for (uint32_t i = 0; root && i < root->nr_waits; i++) {
		const struct picture_wait *w = &y->p.waits[root->waits + i];

		if (!w->unpolled && w->key.kind == WALK_KEY_TASK &&
		    !y->g->waits[root->waits + i].nr_edges)
			return true;
	}
	return false;
}

/* Is @task, which is joined, a job that a thread runs, or one that no list has: in the queue? */
static bool is_job_or_queued(const struct why *y, uint32_t wait, const struct sleeper *jobs,
			     size_t nr)
{
	const struct graph_wait *w = &y->g->waits[wait];

	for (uint32_t e = w->edges; e < w->edges + w->nr_edges; e++)
		for (size_t i = 0; i < nr; i++)
			if (jobs[i].task == y->g->edges[e].to)
				return true;
	return !w->nr_edges;
}

/* Tasks that join jobs of the pool. */
static void add_victims(struct why *y, struct why_finding *f, const struct sleeper *jobs, size_t nr)
{
	for (uint32_t i = 0; i < y->p.nr_waits; i++) {
		const struct picture_wait *w = &y->p.waits[i];

		if (w->unpolled || w->key.kind != WALK_KEY_TASK || !y->steady[w->task] ||
		    y->p.tasks[w->task].root || !is_job_or_queued(y, i, jobs, nr))
			continue;
		why__party(y, f, "victim", w->task, why__wait_place(y, i), "%s waits in %s",
			   why__task(y, w->task), why__waits_in(y, i));
	}
}

/* How many of @jobs are at the place of number @i. */
static size_t alike(const struct sleeper *jobs, size_t nr, size_t i)
{
	size_t count = 0;

	for (size_t k = 0; k < nr; k++)
		count += jobs[k].at.line == jobs[i].at.line &&
			 !strcmp(jobs[k].at.file, jobs[i].at.file);
	return count;
}

static void tell(struct why *y, const struct sleeper *jobs, size_t nr, size_t first, bool nested)
{
	const struct picture_pool *pool = full_pool(y);
	const struct sleeper *s = &jobs[first];
	struct why_finding *f = why__add(y, "pool exhausted", 1);
	char queue[64] = "";

	if (!f)
		return;
	if (pool)
		snprintf(queue, sizeof(queue), "; no thread of the pool is free for the %" PRIu64
			 " job%s in its queue", pool->queued, pool->queued == 1 ? "" : "s");
	why__say(y, f, "%zu thread%s in blocking jobs: %s at %s:%" PRIu32 " (%s)%s", nr,
		 nr == 1 ? " sleeps" : "s sleep", why__task(y, s->task), s->at.file, s->at.line,
		 s->words, nested ? "; what they wait for is in the queue of the same pool" : queue);
	sleepers__add(y, f, s);
	for (size_t i = 0; i < nr; i++) {
		if (i != first)
			sleepers__add(y, f, &jobs[i]);
		if (!jobs[i].thread->still)
			f->since_ns = 0;
	}
	if (pool && asprintf(&f->resource, "pool of %" PRIu64 " threads, workers among them, "
			     "%" PRIu64 " jobs in its queue", pool->limit, pool->queued) < 0) {
		f->resource = NULL;
		y->err = -ENOMEM;
	}
	add_victims(y, f, jobs, nr);
}

/* ---- jobs that are slow ---- */

/* Tasks that join the job of @s, as parties of @f; their first wait, WALK_NONE if there is none. */
static uint32_t joined_by(struct why *y, struct why_finding *f, const struct sleeper *s)
{
	uint32_t first = WALK_NONE;

	for (uint32_t i = 0; i < y->p.nr_waits; i++) {
		const struct picture_wait *w = &y->p.waits[i];

		if (w->unpolled || w->key.kind != WALK_KEY_TASK || !y->steady[w->task] ||
		    w->key.value != y->p.tasks[s->task].id)
			continue;
		if (first == WALK_NONE)
			first = i;
		if (f)
			why__party(y, f, "victim", w->task, why__wait_place(y, i), "%s waits in %s",
				   why__task(y, w->task), why__waits_in(y, i));
	}
	return first;
}

static void tell_slow(struct why *y, const struct sleeper *s)
{
	uint32_t wait = joined_by(y, NULL, s);
	struct why_finding *f = wait == WALK_NONE ? NULL : why__add(y, "slow job", 4);
	struct answer_place at;

	if (!f)
		return;
	at = why__wait_place(y, wait);
	why__say(y, f, "%s waits at %s:%" PRIu32 " in %s for a blocking job that sleeps: %s",
		 why__task(y, y->p.waits[wait].task), at.file, at.line, why__waits_in(y, wait),
		 s->words);
	joined_by(y, f, s);
	sleepers__add(y, f, s);
}

static void tell_slow_jobs(struct why *y, const struct sleeper *jobs, size_t nr)
{
	for (size_t i = 0; i < nr && !y->err; i++)
		if (jobs[i].outside && jobs[i].thread->still)
			tell_slow(y, &jobs[i]);
}

void pools__tell(struct why *y, const struct sleeper *jobs, size_t nr)
{
	size_t still = 0, first = 0, most = 0, nested = 0;

	for (size_t i = 0; i < nr; i++) {
		size_t count = alike(jobs, nr, i);

		still += jobs[i].thread->still;
		nested += joins_queued(y, &jobs[i]);
		if (count > most || (count == most && jobs[i].root != WALK_NONE &&
				     jobs[first].root == WALK_NONE)) {
			most = count;
			first = i;
		}
	}
	/* a job that was not found may also be on a runtime that was not */
	if (nested && !y->p.incomplete && !y->p.untold && (!y->p.nr_pools || full_pool(y)))
		tell(y, jobs, nr, first, true);
	/* a pool may be full for a moment, again and again: then its jobs come and go */
	else if (full_pool(y) && 2 * still > nr)
		tell(y, jobs, nr, first, false);
	else
		tell_slow_jobs(y, jobs, nr);
}
