/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finds tasks whose end was lost, by means of listings. A listing is one pass of the
 * recorder over the runtime's lists of tasks. If events were lost before, a task that
 * is in no list any more has ended.
 *
 * A list may change while it is read, and may then seem to end early. So a task must be
 * missing in two listings in a row. Only kinds of tasks that have been seen in a list
 * are considered: jobs of the blocking pool never are in one.
 *
 * A damaged or hostile file could consist of ends of listings only, and each would
 * cause a scan of all tasks. So the number of tasks scanned is limited in proportion to
 * the events so far; tasks that are not scanned stay unknown.
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
		join__note_err(j, map__add(&j->listed, t->polled, t));	/* a set */
}

/* Is it unknown whether @t still exists? */
static bool out_of_sight(const struct join *j, const struct task *t, uint64_t begin,
			 uint64_t *known)
{
	if (t->state == TASK_DONE || t->since >= begin || !in_lists(j, t->polled))
		return false;
	*known = windows__known_until(&j->windows, t->since, begin);
	return *known < begin;
}

/* Does the limit allow one more scan of all tasks? */
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
		uint64_t known;

		if (t->missed >= MISSED && out_of_sight(j, t, begin, &known) && t->seen_at < begin)
			task__vanish(j, t, known, now);
	}
	free(tasks);
}

void listings__complete(struct join *j, uint64_t begin, uint64_t now)
{
	uint32_t gone = 0;

	/* If nothing was lost before the listing, no task can have ended unseen. */
	if (!j->windows.nr || j->windows.list[0].first >= begin || !listings__look(j))
		return;
	for (uint32_t i = 0; i < j->tasks.size; i++) {
		struct task *t = j->tasks.entries[i].value;
		uint64_t known;

		if (!t || !out_of_sight(j, t, begin, &known))
			continue;
		gone += t->seen_at < begin && ++t->missed >= MISSED;
	}
	if (gone)
		vanish_missed(j, begin, now);
}
