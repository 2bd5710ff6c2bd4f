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
	if (t->kind != UNKNOWN_KIND && !in_lists(j, t->kind))
		join__note_err(j, map__add(&j->listed, t->kind, t));	/* any pointer says yes */
}

/* Is @t one of which it is not known whether it is there still? */
static bool out_of_sight(const struct join *j, const struct task *t, uint64_t begin, uint64_t *cut)
{
	if (t->state == TASK_DONE || t->since >= begin || !in_lists(j, t->kind))
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

void listings__complete(struct join *j, uint64_t begin, uint64_t now)
{
	/* Nothing is out of sight unless something was lost before. */
	if (!j->windows.nr || j->windows.list[0].first >= begin || !listings__look(j))
		return;
	for (uint32_t i = 0; i < j->tasks.size; i++) {
		struct task *t = j->tasks.entries[i].value;
		uint64_t cut;

		if (!t || !out_of_sight(j, t, begin, &cut))
			continue;
		if (t->seen_at < begin && ++t->missed >= MISSED)
			task__vanish(j, t, cut, now);
	}
}
