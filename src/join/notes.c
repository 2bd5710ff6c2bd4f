/* SPDX-License-Identifier: GPL-2.0 */
/* Notes to the user about a recording: the recorder's notes and those that the join finds. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "base/sum.h"
#include "base/text_file.h"
#include "join/timeline.h"
#include "join/unpolled.h"

#define OWN_NOTES	7	/* notes of the join, at most */
#define KINDS_NAMED	3

static int add(struct join *j, const char *note)
{
	if (!note)
		return -ENOMEM;
	j->notes[j->nr_notes++] = note;
	return 0;
}

/* Adds "1 wait …" or "2 waits …"; adds nothing if @nr is 0. */
static int add_count(struct join *j, uint64_t nr, const char *what, const char *note)
{
	char count[QUANTITY_MAX];

	if (!nr)
		return 0;
	return add(j, frame_names__safef(j->names, "%s %s%s %s", quantity__count(nr, count), what,
					 nr == 1 ? "" : "s", note));
}

/* ---- tasks whose spawn is not seen ---- */

static int by_count(const void *a, const void *b)
{
	const struct kind *x = *(const struct kind *const *)a, *y = *(const struct kind *const *)b;

	if (x->unseen_spawns != y->unseen_spawns)
		return x->unseen_spawns > y->unseen_spawns ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* False: no memory. */
static bool print_kind(struct join *j, const struct kind *k, FILE *out)
{
	const char *name = accounts__task_name(j->accounts, (uint32_t)k->id);
	const char *scheduler = accounts__scheduler(j->accounts, (uint32_t)k->id);

	fputs(name ? name : "", out);
	if (*scheduler)
		fprintf(out, " (scheduler %s)", scheduler);
	return name;
}

/*
 * "A (scheduler current_thread), B, and 3 more": the kinds, each with its scheduler,
 * because the scheduler is the reason why no probe sees the spawn.
 */
static char *print_kinds(struct join *j, const struct kind **kinds, size_t nr)
{
	size_t named = nr > KINDS_NAMED ? KINDS_NAMED : nr;
	struct text_file t;
	FILE *out = text_file__open(&t);
	bool good = true;
	char *text;

	if (!out)
		return NULL;
	for (size_t i = 0; i < named; i++) {
		fputs(i ? ", " : "", out);
		good &= print_kind(j, kinds[i], out);
	}
	if (nr > named)
		fprintf(out, ", and %zu more", nr - named);
	text = text_file__close(&t);
	if (good)
		return text;
	free(text);
	return NULL;
}

static int add_unseen_spawns(struct join *j)
{
	const struct kind **kinds = calloc(j->kinds.nr + 1ul, sizeof(*kinds));
	char count[QUANTITY_MAX], *text;
	uint64_t total = 0;
	size_t nr = 0;
	int err;

	for (uint32_t i = 0; kinds && i < j->kinds.size; i++) {
		const struct kind *k = j->kinds.entries[i].value;

		if (!k || !k->unseen_spawns)
			continue;
		kinds[nr++] = k;
		total += k->unseen_spawns;
	}
	if (!kinds || !nr) {
		free(kinds);
		return kinds ? 0 : -ENOMEM;
	}
	qsort(kinds, nr, sizeof(*kinds), by_count);
	text = print_kinds(j, kinds, nr);
	err = !text ? -ENOMEM :
	      add(j, frame_names__safef(j->names,
					"%s task%s whose time is counted from the first poll, "
					"since no probe sees their spawn: %s",
					quantity__count(total, count), total == 1 ? "" : "s",
					text));
	free(kinds);
	free(text);
	return err;
}

/* ---- all ---- */

int notes__make(struct join *j)
{
	size_t nr;
	const char *const *recorded = trace_reader__notes(j->reader, &nr);
	int err;

	j->notes = calloc(nr + OWN_NOTES, sizeof(*j->notes));
	if (!j->notes)
		return -ENOMEM;
	err = unpolled__why(j, &j->unpolled);
	if (err)
		return err;
	if (j->unpolled)
		j->notes[j->nr_notes++] = j->unpolled;
	for (size_t i = 0; i < nr; i++)
		j->notes[j->nr_notes++] = recorded[i];
	if (sum__is_full(j->totals.lifetime_ns))
		j->notes[j->nr_notes++] = "the tasks' times add up to more than 584 years, which "
					  "is the most that is counted: sums and shares that "
					  "large are not right";
	err = add_unseen_spawns(j);
	if (!err)
		err = add_count(j, j->totals.unplaced_waits, "wait",
				"of no duration without an await point, because another worker "
				"polled the task before it could be read");
	if (!err)
		err = add_count(j, j->totals.told_switches, "time",
				"a thread was woken or came back to a CPU and the kernel's "
				"tracepoints did not report it: taken from the scheduler's counters "
				"of the thread");
	if (!err && j->by_wake.waits)
		err = add(j, by_wake__note(j));
	if (!err)
		err = add_count(j, j->overflows, "completion",
				"of io_uring found its queue full: the program asks for more at a "
				"time than it has room for, or looks too seldom");
	return err;
}
