// SPDX-License-Identifier: GPL-2.0
/*
 * Tasks that wait for each other, or for themselves, and so for ever. If a task waits for
 * what a future of its own has, which it does not poll meanwhile, that is a futurelock.
 */
#include <inttypes.h>
#include <string.h>

#include "why/graph.h"
#include "why/why.h"

#define MAX_TOLD	100	/* deadlocks */

/* Is the edge to a future that its task has and does not poll? */
static bool is_unpolled(const struct why *y, const struct graph_edge *e)
{
	if (e->reason == GRAPH_HANDLE)
		return y->p.handles[e->by].unpolled;
	return (e->reason == GRAPH_GRANTED || e->reason == GRAPH_AHEAD) &&
	       y->p.waits[e->by].unpolled;
}

static bool in_part(const struct why *y, const struct graph_edge *e, uint32_t part)
{
	return y->g->part[e->from] == part && y->g->part[e->to] == part &&
	       !y->p.waits[e->wait].unpolled;
}

static const char *side_word(const struct why *y, uint32_t handle)
{
	const struct image_handle *types;
	size_t nr;

	types = image__handles(y->p.img, &nr);
	switch (types[y->p.handles[handle].handle].side) {
	case RUNTIME_SIDE_SENDS:	return "has the sender";
	case RUNTIME_SIDE_RECEIVES:	return "has the receiver";
	default:			return "holds it";
	}
}

static const char *handle_type(const struct why *y, uint32_t handle)
{
	const struct image_handle *types;
	size_t nr;

	types = image__handles(y->p.img, &nr);
	return image__str(y->p.img, types[y->p.handles[handle].handle].name);
}

/* ", first in the queue", ", 3 before it in the queue"; nothing if it is in none. */
static void place_in_queue(const struct why *y, uint32_t wait, char *out, size_t size)
{
	const struct graph_wait *w = &y->g->waits[wait];

	if (w->place == WALK_NONE)
		snprintf(out, size, "%s", "");
	else if (!w->place)
		snprintf(out, size, ", first in the queue");
	else
		snprintf(out, size, ", %" PRIu32 " before it in the queue", w->place);
}

/* The variable that keeps the future of @frame, if it is not polled. */
static void add_keeper(struct why *y, struct why_finding *f, uint32_t task, uint32_t frame,
		       struct answer_place known)
{
	const char *local;
	struct answer_place at = why__kept_place(y, frame, &local);

	if (at.line && (at.line != known.line || strcmp(at.file, known.file)))
		why__party(y, f, "holder", task, at, "%s keeps that future in %s, and does not poll it",
			   why__task(y, task), *local ? local : "a variable");
}

/* What can end the wait of @e, as a party of its own. */
static void add_ender(struct why *y, struct why_finding *f, const struct graph_edge *e)
{
	const struct picture_wait *w;
	const char *local;
	struct answer_place at;
	char queue[64];

	switch (e->reason) {
	case GRAPH_HANDLE:
		at = why__handle_place(y, e->by, &local);
		if (y->p.handles[e->by].via != WALK_NONE) {
			why__party(y, f, "holder", e->to, at, "%s %s, in a message that it has not "
				   "received: %s%s%s", why__task(y, e->to), side_word(y, e->by), local,
				   *local ? ", a " : "", handle_type(y, y->p.handles[e->by].via));
			break;
		}
		why__party(y, f, "holder", e->to, at, "%s %s: %s%s%s%s", why__task(y, e->to),
			   side_word(y, e->by), *local ? local : "", *local ? ", a " : "",
			   handle_type(y, e->by),
			   y->p.handles[e->by].unpolled ? ", in a future that is not polled" : "");
		if (y->p.handles[e->by].unpolled)
			add_keeper(y, f, e->to, y->p.handles[e->by].frame, at);
		break;
	case GRAPH_GRANTED:
		w = &y->p.waits[e->by];
		at = why__wait_place(y, e->by);
		why__party(y, f, "holder", e->to, at, "%s: a future in %s has been granted it%s",
			   why__task(y, e->to), why__waits_in(y, e->by),
			   w->unpolled ? ", and is not polled" : "");
		if (w->unpolled)
			add_keeper(y, f, e->to, w->frame, at);
		break;
	case GRAPH_AHEAD:
		w = &y->p.waits[e->by];
		place_in_queue(y, e->by, queue, sizeof(queue));
		at = why__wait_place(y, e->by);
		why__party(y, f, w->unpolled ? "holder" : "between", e->to, at, "%s waits in %s%s%s",
			   why__task(y, e->to), why__waits_in(y, e->by), queue,
			   w->unpolled ? ", and is not polled" : "");
		if (w->unpolled)
			add_keeper(y, f, e->to, w->frame, at);
		break;
	case GRAPH_JOINED:
		break;
	}
}

/* @first: it is the one that the finding is about, whose place in the queue is told. */
static void add_waiter(struct why *y, struct why_finding *f, uint32_t wait, bool first)
{
	uint32_t task = y->p.waits[wait].task;
	char queue[64] = "";

	for (size_t i = 0; i < f->nr_parties; i++)
		if (!strcmp(f->parties[i].role, "between") && f->parties[i].task == task)
			return;
	if (first)
		place_in_queue(y, wait, queue, sizeof(queue));
	why__party(y, f, "waits", task, why__wait_place(y, wait), "%s waits in %s%s",
		   why__task(y, task), why__waits_in(y, wait), queue);
}

/*
 * "0 permits free, 4 found with tasks": how many there are in all is not known, and some may
 * be with code that runs, or in values that no task owns.
 */
static void note_permits(struct why *y, struct why_finding *f, uint32_t wait)
{
	const struct picture_wait *w = &y->p.waits[wait];
	const struct image_handle *types;
	uint64_t nr, found = 0;
	size_t nr_types;
	bool closed;

	types = image__handles(y->p.img, &nr_types);
	for (size_t i = 0; i < y->p.nr_handles; i++) {
		const struct picture_handle *h = &y->p.handles[i];

		if (types[h->handle].side == RUNTIME_SIDE_HOLDS &&
		    w->key.value - h->object < h->size)
			found += h->amount;
	}
	for (size_t i = 0; i < y->p.nr_waits; i++)
		if (y->p.waits[i].node && y->p.waits[i].queued && !y->p.waits[i].needs &&
		    y->p.waits[i].key.value == w->key.value)
			found += y->p.waits[i].wants;
	for (unsigned int r = 0; w->node && !f->resource && runtimes[r]; r++)
		if (picture__permits(&y->p, r, w->key.value, &nr, &closed) &&
		    asprintf(&f->resource, "semaphore at 0x%" PRIx64 ": %" PRIu64 " permits free, %"
			     PRIu64 " found with tasks", (uint64_t)w->key.value, nr, found) < 0)
			f->resource = NULL;
}

/* How bad the edge is: the task that locks itself out is the one to look at. */
enum edge_rank { EDGE_OTHER, EDGE_HOLDS, EDGE_OWN, EDGE_UNPOLLED };

static enum edge_rank rank_of(const struct why *y, const struct graph_edge *e)
{
	if (e->from == e->to && is_unpolled(y, e))
		return EDGE_UNPOLLED;
	if (e->reason != GRAPH_HANDLE)
		return EDGE_OTHER;
	return e->from == e->to ? EDGE_OWN : EDGE_HOLDS;
}

/* The worst edge of @part, the first of such; and the number of its tasks. */
static const struct graph_edge *worst_of(const struct why *y, uint32_t part, uint32_t *nr)
{
	const struct graph_edge *worst = NULL;

	for (size_t i = 0; i < y->g->nr_edges; i++) {
		const struct graph_edge *e = &y->g->edges[i];

		if (in_part(y, e, part) && (!worst || rank_of(y, e) > rank_of(y, worst)))
			worst = e;
	}
	*nr = 0;
	for (uint32_t i = 0; i < y->p.nr_tasks; i++)
		*nr += y->g->part[i] == part;
	return worst;
}

/* Who can end the worst wait, then the other waits of the part. */
static void add_parties(struct why *y, struct why_finding *f, uint32_t part,
			const struct graph_edge *worst)
{
	bool unpolled = rank_of(y, worst) == EDGE_UNPOLLED;

	add_waiter(y, f, worst->wait, true);
	for (size_t i = 0; i < y->g->nr_edges; i++)
		if (y->g->edges[i].wait == worst->wait && in_part(y, &y->g->edges[i], part) &&
		    (!unpolled || is_unpolled(y, &y->g->edges[i])))
			add_ender(y, f, &y->g->edges[i]);
	for (size_t i = 0; i < y->g->nr_edges; i++) {
		const struct graph_edge *e = &y->g->edges[i];

		if (e->wait == worst->wait || !in_part(y, e, part))
			continue;
		if (!i || y->g->edges[i - 1].wait != e->wait)
			add_waiter(y, f, e->wait, false);
		add_ender(y, f, e);
	}
}

/*
 * The wait of a task for the end of others that wait for what the task has itself: it is the
 * one to look at, and not theirs.
 */
static const struct graph_edge *joining(const struct why *y, uint32_t part)
{
	for (size_t i = 0; i < y->g->nr_edges; i++) {
		const struct graph_edge *join = &y->g->edges[i];

		if (join->reason != GRAPH_JOINED || !in_part(y, join, part))
			continue;
		for (size_t k = 0; k < y->g->nr_edges; k++) {
			const struct graph_edge *e = &y->g->edges[k];

			if (e->reason == GRAPH_HANDLE && e->from == join->to &&
			    e->to == join->from && in_part(y, e, part))
				return e;
		}
	}
	return NULL;
}

/* The wait of @task for @other's end; WALK_NONE: there is none. */
static uint32_t join_of(const struct why *y, uint32_t task, uint32_t other)
{
	for (size_t i = 0; i < y->g->nr_edges; i++) {
		const struct graph_edge *e = &y->g->edges[i];

		if (e->reason == GRAPH_JOINED && e->from == task && e->to == other)
			return e->wait;
	}
	return WALK_NONE;
}

/* @held: the edge from a task that waits for what the one has which joins it. */
static void tell_joining(struct why *y, const struct graph_edge *held, uint32_t part)
{
	struct why_finding *f = why__add(y, "deadlock", 0);
	uint32_t wait = join_of(y, held->to, held->from);
	const char *local;
	struct answer_place at, has;

	if (!f || wait == WALK_NONE)
		return;
	at = why__wait_place(y, wait);
	has = why__handle_place(y, held->by, &local);
	why__say(y, f, "%s waits at %s:%" PRIu32 " in %s for the end of %s, which waits for what "
		 "the first one %s itself: %s (%s:%" PRIu32 ")", why__task(y, held->to), at.file,
		 at.line, why__waits_in(y, wait), why__task(y, held->from),
		 rank_of(y, held) == EDGE_HOLDS && !strcmp(side_word(y, held->by), "holds it") ?
		 "holds" : "has", *local ? local : "a handle", has.file, has.line);
	why__party(y, f, "waits", held->to, at, "%s waits in %s", why__task(y, held->to),
		   why__waits_in(y, wait));
	add_parties(y, f, part, held);
}

static void tell_part(struct why *y, uint32_t part)
{
	uint32_t nr;
	const struct graph_edge *worst = worst_of(y, part, &nr), *held;
	enum edge_rank rank = worst ? rank_of(y, worst) : EDGE_OTHER;
	struct why_finding *f;
	struct answer_place at;

	if (!worst)
		return;
	held = rank < EDGE_OWN ? joining(y, part) : NULL;
	if (held) {
		tell_joining(y, held, part);
		return;
	}
	f = why__add(y, rank == EDGE_UNPOLLED ? "futurelock" : "deadlock", 0);
	if (!f)
		return;
	at = why__wait_place(y, worst->wait);
	if (rank == EDGE_UNPOLLED)
		why__say(y, f, "%s waits at %s:%" PRIu32 " in %s for what a future of its own has, "
			 "which it does not poll meanwhile", why__task(y, worst->from), at.file,
			 at.line, why__waits_in(y, worst->wait));
	else if (rank == EDGE_OWN && y->p.handles[worst->by].via != WALK_NONE)
		why__say(y, f, "%s waits at %s:%" PRIu32 " in %s for the answer to a message to "
			 "itself, which it has not received", why__task(y, worst->from), at.file,
			 at.line, why__waits_in(y, worst->wait));
	else if (rank == EDGE_OWN || nr == 1)
		why__say(y, f, "%s waits at %s:%" PRIu32 " in %s for what it holds itself",
			 why__task(y, worst->from), at.file, at.line,
			 why__waits_in(y, worst->wait));
	else
		why__say(y, f, "%" PRIu32 " tasks wait for each other: %s at %s:%" PRIu32 " in %s",
			 nr, why__task(y, worst->from), at.file, at.line,
			 why__waits_in(y, worst->wait));
	note_permits(y, f, worst->wait);
	add_parties(y, f, part, worst);
}

void why__find_deadlocks(struct why *y)
{
	for (uint32_t part = 1; part <= y->g->nr_parts && part <= MAX_TOLD && !y->err;
	     part++)
		tell_part(y, part);
}

/* If @task is a root: does its thread only wait for it? Else it is polled when that is done. */
static bool is_free(const struct why *y, uint32_t task)
{
	const struct picture_task *t = &y->p.tasks[task];

	for (size_t i = 0; t->root && i < y->p.nr_threads; i++)
		if (y->p.threads[i].tid == t->tid)
			return y->p.threads[i].still &&
			       y->p.threads[i].nr_polls == y->p.threads[i].blocks_in;
	return !t->root;
}

/*
 * What a task waits for has been granted to it and its waker been called, but it is neither
 * polled nor in a queue.
 */
void why__find_lost_wakes(struct why *y)
{
	for (uint32_t i = 0; i < y->p.nr_waits && !y->err; i++) {
		const struct picture_wait *w = &y->p.waits[i];
		struct why_finding *f;
		struct answer_place at;

		if (!y->g->waits[i].granted || w->unpolled || !y->steady[w->task] ||
		    y->p.tasks[w->task].state != PICTURE_IDLE || !is_free(y, w->task))
			continue;
		f = why__add(y, "lost wake", 1);
		if (!f)
			return;
		at = why__wait_place(y, i);
		why__say(y, f, "%s has been granted what it waits for at %s:%" PRIu32 " in %s, but it "
			 "is not polled and in no queue: the waker that was called did not wake it",
			 why__task(y, w->task), at.file, at.line, why__waits_in(y, i));
		why__party(y, f, "waits", w->task, at, "%s waits in %s, granted",
			   why__task(y, w->task), why__waits_in(y, i));
	}
}
