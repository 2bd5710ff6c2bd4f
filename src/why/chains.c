// SPDX-License-Identifier: GPL-2.0
/*
 * Tasks that wait for one another in a row, at whose end somebody waits for the outside: a
 * peer, a timer. That is no fault by itself, so only rows of some length are told.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "why/graph.h"
#include "why/why.h"

#define MAX_ROW		32	/* tasks in a row */
#define MAX_TOLD	20	/* ends */
#define MIN_ROW		2	/* waits for another task, without mere joins */

/* The only wait of a task; WALK_NONE: it has several, or none. */
static uint32_t only_wait(const struct why *y, uint32_t task)
{
	const struct picture_task *t = &y->p.tasks[task];
	uint32_t found = WALK_NONE;

	for (uint32_t i = t->waits; i < t->waits + t->nr_waits; i++) {
		if (y->p.waits[i].unpolled)
			continue;
		if (found != WALK_NONE)
			return WALK_NONE;
		found = i;
	}
	return found;
}

static unsigned int side_of(const struct why *y, uint32_t handle)
{
	const struct image_handle *types;
	size_t nr;

	types = image__handles(y->p.img, &nr);
	return types[y->p.handles[handle].handle].side;
}

/*
 * Who ends @wait, if it is one task alone. A receiver that waits for messages is at rest:
 * unless there can be one message only, that leads nowhere.
 */
static const struct graph_edge *only_edge(const struct why *y, uint32_t wait)
{
	const struct graph_wait *w = &y->g->waits[wait];
	const struct graph_edge *e = NULL;
	const struct image_handle *types;
	size_t nr;

	types = image__handles(y->p.img, &nr);
	for (uint32_t i = w->edges; i < w->edges + w->nr_edges; i++) {
		const struct graph_edge *f = &y->g->edges[i];

		if (f->reason == GRAPH_AHEAD)
			continue;
		if (e && e->to != f->to)
			return NULL;
		e = f;
	}
	if (e && e->reason == GRAPH_HANDLE && side_of(y, e->by) == RUNTIME_SIDE_SENDS &&
	    !types[y->p.handles[e->by].handle].only)
		return NULL;
	return w->closed ? e : NULL;
}

struct row {
	uint32_t	waits[MAX_ROW];
	uint32_t	nr, edges;	/* edges: without joins */
	uint32_t	end;		/* the task at the end */
};

static bool follow(const struct why *y, uint32_t task, struct row *row)
{
	*row = (struct row){ .end = task };
	while (row->nr < MAX_ROW) {
		const struct graph_edge *e;
		uint32_t wait;

		if (!y->steady[task] || y->p.tasks[task].state != PICTURE_IDLE ||
		    y->g->stuck[task])
			return false;
		wait = only_wait(y, task);
		e = wait == WALK_NONE ? NULL : only_edge(y, wait);
		row->end = task;
		if (!e)
			return row->edges >= MIN_ROW;
		row->waits[row->nr++] = wait;
		row->edges += e->reason != GRAPH_JOINED;
		task = e->to;
	}
	return false;
}

/* The leaf that the task at the end waits for: its first. */
static uint32_t end_wait(const struct why *y, uint32_t task)
{
	const struct picture_task *t = &y->p.tasks[task];

	for (uint32_t i = t->waits; i < t->waits + t->nr_waits; i++)
		if (!y->p.waits[i].unpolled)
			return i;
	return WALK_NONE;
}

static void add_row(struct why *y, struct why_finding *f, const struct row *row)
{
	for (uint32_t i = 0; i < row->nr; i++)
		why__party(y, f, "chain", y->p.waits[row->waits[i]].task,
			   why__wait_place(y, row->waits[i]), "%s waits in %s",
			   why__task(y, y->p.waits[row->waits[i]].task),
			   why__waits_in(y, row->waits[i]));
}

void why__find_chains(struct why *y)
{
	struct row *rows = calloc(y->p.nr_tasks + 1, sizeof(*rows));
	unsigned int told = 0;
	bool *done = calloc(y->p.nr_tasks + 1, sizeof(*done));

	if (!rows || !done)
		y->err = -ENOMEM;
	for (uint32_t i = 0; i < y->p.nr_tasks && !y->err; i++)
		if (!follow(y, i, &rows[i]))
			rows[i].nr = 0;
	for (uint32_t i = 0; i < y->p.nr_tasks && !y->err; i++) {
		uint32_t behind = 0, wait = rows[i].nr ? end_wait(y, rows[i].end) : WALK_NONE;
		struct why_finding *f;
		struct answer_place at;

		if (wait == WALK_NONE || done[rows[i].end] || told == MAX_TOLD)
			continue;
		told++;
		done[rows[i].end] = true;
		for (uint32_t k = 0; k < y->p.nr_tasks; k++)
			behind += rows[k].nr && rows[k].end == rows[i].end;
		f = why__add(y, "chain", 5);
		if (!f)
			break;
		at = why__wait_place(y, wait);
		why__say(y, f, "%" PRIu32 " task%s, through others, for %s, which waits at %s:%" PRIu32
			 " in %s", behind, behind == 1 ? " waits" : "s wait",
			 why__task(y, rows[i].end), at.file, at.line, why__waits_in(y, wait));
		why__party(y, f, "end", rows[i].end, at, "%s waits in %s",
			   why__task(y, rows[i].end), why__waits_in(y, wait));
		why__say_descriptor(y, f, wait);
		for (uint32_t k = 0; k < y->p.nr_tasks; k++)
			if (rows[k].nr && rows[k].end == rows[i].end)
				add_row(y, f, &rows[k]);
	}
	free(rows);
	free(done);
}
