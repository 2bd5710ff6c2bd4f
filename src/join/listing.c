/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the runtime's lists say of tasks of which events were lost: those that are
 * in none any more have ended, though their ends were lost.
 *
 * A list moves while it is read, and may seem to end early. So a task must be
 * missing twice, and only tasks of kinds that are in lists at all are missed: jobs
 * of the blocking pool are not.
 *
 * A recorder tells of each task that is in a list before it tells that it has gone
 * through all of them. A file that has ends of listings alone could have all tasks
 * looked at for each of them: so what a listing looks at must be in proportion to
 * the events so far. What is not looked at stays unknown.
 */
#include <errno.h>
#include <stdlib.h>

#include "join/timeline.h"

#define MISSED		2	/* listings in a row */
#define LOOKS_FREE	(1ull << 24)
#define LOOKS_PER_EVENT	16

static bool in_lists(const struct join *j, uint32_t kind)
{
	return kind != UNKNOWN_KIND && map__get(&j->listed, kind);
}

void listings__met(struct join *j, struct task *t)
{
	t->missed = 0;
	if (t->kind != UNKNOWN_KIND && !in_lists(j, t->polled))
		join__note_err(j, map__add(&j->listed, t->polled, t));	/* any pointer says yes */
}

/* Is @t one of which it is not known whether it is there still? */
static bool out_of_sight(const struct join *j, const struct task *t, uint64_t begin, uint64_t *cut)
{
	if (t->state == TASK_DONE || t->since >= begin || !in_lists(j, t->polled))
		return false;
	*cut = windows__cut(&j->windows, t->since, begin);
	return *cut < begin;
}

/* May all tasks be looked at once more? */
static bool listings__look(struct join *j)
{
	uint64_t looks = j->listing_looks + j->tasks.size;

	if (looks > LOOKS_FREE + LOOKS_PER_EVENT * j->totals.events)
		return false;
	j->listing_looks = looks;
	return true;
}

static void vanish_missed(struct join *j, uint64_t begin, uint64_t now)
{
	struct map_entry *tasks = map__sorted(&j->tasks);

	if (!tasks)
		join__note_err(j, -ENOMEM);
	for (uint32_t i = 0; tasks && i < j->tasks.nr; i++) {
		struct task *t = tasks[i].value;
		uint64_t cut;

		if (t->missed >= MISSED && out_of_sight(j, t, begin, &cut) && t->seen_at < begin)
			task__vanish(j, t, cut, now);
	}
	free(tasks);
}

void listings__complete(struct join *j, uint64_t begin, uint64_t now)
{
	uint32_t gone = 0;

	/* Nothing is out of sight unless something was lost before. */
	if (!j->windows.nr || j->windows.list[0].first >= begin || !listings__look(j))
		return;
	for (uint32_t i = 0; i < j->tasks.size; i++) {
		struct task *t = j->tasks.entries[i].value;
		uint64_t cut;

		if (!t || !out_of_sight(j, t, begin, &cut))
			continue;
		gone += t->seen_at < begin && ++t->missed >= MISSED;
	}
	if (gone)
		vanish_missed(j, begin, now);
}
