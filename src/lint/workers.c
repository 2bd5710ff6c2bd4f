/* SPDX-License-Identifier: GPL-2.0 */
/* The lint of workers: one has most of the work. */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/sum.h"
#include "lint/checks.h"

#define WORKERS_MIN	3	/* of fewer, one has a large share anyway */
#define POLLS_MIN	1000	/* fewer tell nothing */

int workers__episode(struct workers *w, const struct episode *e, bool works)
{
	struct hash_slot *slot;
	struct worker *worker;

	if (e->what != EPISODE_POLL || !e->tid)
		return 0;
	slot = hash_table__at(&w->known, e->tid);
	if (!slot)
		return -ENOMEM;
	if (!slot->value) {
		if (array__room(&w->list, &w->cap, w->nr, sizeof(*w->list)))
			return -ENOMEM;
		w->list[w->nr++] = (struct worker){ .tid = e->tid };
		slot->value = w->nr;
	}
	worker = &w->list[slot->value - 1];
	worker->works |= works;
	if (!works)
		return 0;
	worker->polls++;
	sum__add(&worker->busy_ns, episode__part(e, JOIN_RUNNING, PART_NONE));
	return 0;
}

bool workers__has(const struct workers *w, uint32_t tid)
{
	bool any = false;

	for (size_t i = 0; i < w->nr; i++) {
		if (w->list[i].works && w->list[i].tid == tid)
			return true;
		any |= w->list[i].works;
	}
	return !any;
}

const struct worker *workers__busiest(const struct workers *w, uint64_t wall_ns, uint64_t limit,
				      uint64_t *mean)
{
	const struct worker *most = NULL;
	uint64_t polls = 0, nr = 0;

	for (size_t i = 0; i < w->nr; i++) {
		if (!w->list[i].works)
			continue;
		nr++;
		polls += w->list[i].polls;
		if (!most || w->list[i].polls > most->polls)
			most = &w->list[i];
	}
	if (nr < WORKERS_MIN || polls < POLLS_MIN || limit == LINT_OFF)
		return NULL;
	*mean = polls / nr;
	/* With little to do, one worker may well do all of it. */
	if (most->busy_ns < wall_ns / 2 || (double)most->polls <= (double)limit * (double)*mean)
		return NULL;
	return most;
}

void workers__clear(struct workers *w)
{
	free(w->list);
	hash_table__clear(&w->known);
}
