/* SPDX-License-Identifier: GPL-2.0 */
/* The selection of tasks by name, and the totals of the selected tasks. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/sum.h"
#include "join/timeline.h"

void join__select(struct join *j, const char *pattern)
{
	j->selected = pattern;
}

bool selection__has_name(const struct join *j, const char *task)
{
	return !j->selected || (task && !fnmatch(j->selected, task, 0));
}

bool selection__has(struct join *j, uint32_t kind)
{
	return !j->selected || selection__has_name(j, accounts__task_name(j->accounts, kind));
}

void join__select_idle(struct join *j, enum join_idle idle)
{
	j->idle = idle;
}

enum join_idle join__idle(const struct join *j, uint64_t *ns)
{
	*ns = j->left_out_ns;
	return j->idle;
}

bool selection__has_sum(const struct join *j, const struct sum_key *key)
{
	bool idle = key->segment == JOIN_AWAIT && part__idle(key->part);

	return j->idle == JOIN_IDLE_SHOW || idle == (j->idle == JOIN_IDLE_ONLY);
}

uint64_t selection__of_wait(const struct join *j, uint64_t ns, uint64_t idle_ns)
{
	switch (j->idle) {
	case JOIN_IDLE_HIDE:
		return ns - idle_ns;
	case JOIN_IDLE_ONLY:
		return idle_ns;
	default:
		return ns;
	}
}

static void add_kind(struct join_totals *t, const struct kind *k)
{
	t->tasks_completed += k->ends[END_COMPLETED];
	t->tasks_cancelled += k->ends[END_CANCELLED];
	t->tasks_ended_unseen += k->ends[END_UNSEEN];
	t->tasks_alive_at_end += k->ends[END_ALIVE];
}

/* The other per-task numbers are computed from the rows. */
static void add_selected(struct join *j)
{
	struct join_totals *t = &j->shown;

	t->tasks_seen = t->tasks_completed + t->tasks_cancelled + t->tasks_ended_unseen +
			t->tasks_alive_at_end;
	t->lifetime_ns = 0;
	memset(t->segments, 0, sizeof(t->segments));
	for (size_t i = 0; i < j->nr_rows; i++) {
		sum__add(&t->lifetime_ns, j->rows[i].ns);
		sum__add(&t->segments[j->rows[i].segment], j->rows[i].ns);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Kinds with the same name are listed once. */
static void sort_names(struct join *j)
{
	size_t nr = 0;

	qsort(j->task_names, j->nr_task_names, sizeof(*j->task_names), by_text);
	for (size_t i = 0; i < j->nr_task_names; i++)
		if (!nr || strcmp(j->task_names[nr - 1], j->task_names[i]))
			j->task_names[nr++] = j->task_names[i];
	j->nr_task_names = nr;
}

int selection__make(struct join *j)
{
	j->task_names = calloc(j->kinds.nr + 1ul, sizeof(*j->task_names));
	if (!j->task_names)
		return -ENOMEM;
	j->shown = j->totals;
	for (uint32_t i = 0; i < j->kinds.size; i++) {
		const struct kind *k = j->kinds.entries[i].value;
		const char *name = k ? accounts__task_name(j->accounts, (uint32_t)k->id) : NULL;

		if (!k)
			continue;
		if (!name)
			return -ENOMEM;
		j->task_names[j->nr_task_names++] = name;
		if (selection__has_name(j, name))
			add_kind(&j->shown, k);
	}
	sort_names(j);
	if (j->selected || j->idle)
		add_selected(j);
	return 0;
}

const char *join__selected(const struct join *j, struct join_all *all)
{
	*all = (struct join_all){ j->totals.tasks_seen, j->totals.lifetime_ns };
	return j->selected;
}

const char *const *join__task_names(const struct join *j, size_t *nr)
{
	*nr = j->nr_task_names;
	return j->task_names;
}
