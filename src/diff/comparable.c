/* SPDX-License-Identifier: GPL-2.0 */
/* Which recordings may be compared. See comparable.h. */
#include "diff/comparable.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/quantity.h"
#include "base/text_file.h"
#include "base/utf8.h"

#define LOST_SHARE	0.01	/* of the time of tasks that is [unattributed]: more is said */
#define NAMES_SHOWN	5
#define LENGTH_RATIO	2.0	/* of the shortest and the longest recording: more is said */

__attribute__((format(printf, 2, 3)))
static int refuse(char **why, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(why, fmt, args);
	va_end(args);
	if (len < 0) {
		*why = NULL;
		return -ENOMEM;
	}
	return -EINVAL;
}

__attribute__((format(printf, 2, 3)))
static int note(struct diff *d, const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		return -ENOMEM;
	if (array__room(&d->notes, &d->room_notes, d->nr_notes, sizeof(char *))) {
		free(text);
		return -ENOMEM;
	}
	/* names of files may be any bytes */
	utf8__make_printable(text);
	d->notes[d->nr_notes++] = text;
	return 0;
}

static const struct profile_facts *facts(const struct diff *d, unsigned int side, size_t i)
{
	return &d->side[side].profiles[i]->facts;
}

/* A fact in which all should be alike. */
struct same_fact {
	const char	*what;
	size_t		 offset;	/* of a const char * in struct profile_facts */
};

static const struct same_fact same[] = {
	{ "the kernel", offsetof(struct profile_facts, kernel) },
	{ "the machine", offsetof(struct profile_facts, machine) },
};

static const char *fact(const struct profile_facts *f, const struct same_fact *s)
{
	return *(const char *const *)((const char *)f + s->offset);
}

/* Calls @each for each recording; stops if it returns an error. */
static int for_all(struct diff *d, int (*each)(struct diff *d, const struct profile_facts *f))
{
	for (unsigned int side = 0; side < SIDES; side++)
		for (size_t i = 0; i < d->side[side].nr; i++) {
			int err = each(d, facts(d, side, i));

			if (err)
				return err;
		}
	return 0;
}

int comparable__refuse(const struct profile_facts *first, const struct profile_facts *f,
		       char **why)
{
	*why = NULL;
	/* names of code are the same in a file of each tier only if both have debug information */
	if (strcmp(f->tier, first->tier))
		return refuse(why, "%s was recorded with tier '%s' and %s with '%s': they do not show the same",
			      first->path, first->tier, f->path, f->tier);
	if (strcmp(f->comm, first->comm))
		return refuse(why, "%s is a recording of '%s' and %s one of '%s'", first->path,
			      first->comm, f->path, f->comm);
	if (!f->tasks)
		return refuse(why, "%s has no tasks: there is nothing to compare", f->path);
	return 0;
}

static const char different[] = "no task of %s is in %s: these are different programs";

/* Have the tasks of both a name in common, but for lines? 1, 0 or -ENOMEM. */
static int share_a_task(struct join *const joins[SIDES])
{
	struct frame_names *names = frame_names__new();
	int found = names ? 0 : -ENOMEM;
	size_t nr[SIDES];
	const char *const *list[SIDES];

	for (unsigned int side = 0; side < SIDES; side++)
		list[side] = join__task_names(joins[side], &nr[side]);
	for (size_t i = 0; i < nr[0] && !found; i++) {
		const char *before = text__without_lines(names, list[0][i]);

		for (size_t k = 0; k < nr[1] && !found; k++) {
			const char *after = text__without_lines(names, list[1][k]);

			found = before && after ? !strcmp(before, after) : -ENOMEM;
		}
	}
	if (names)
		frame_names__free(names);
	return found;
}

int comparable__refuse_joined(const struct profile_facts *const f[SIDES],
			      struct join *const joins[SIDES], char **why)
{
	int err = comparable__refuse(f[0], f[0], why);

	if (!err)
		err = comparable__refuse(f[0], f[1], why);
	if (err)
		return err;
	err = share_a_task(joins);
	if (err)
		return err < 0 ? err : 0;
	return refuse(why, different, f[0]->path, f[1]->path);
}

static int check_one(struct diff *d, const struct profile_facts *f)
{
	int err = comparable__refuse(facts(d, 0, 0), f, &d->why);

	if (err)
		return err;
	if (!f->waits)
		err = note(d, "In %s no task waits for anything.", f->path);
	if (!err && f->torn)
		err = note(d, "%s ends early, after %s: it counts for that time, and what was lost in it is not "
			      "known. Better record it again, or leave it out.",
			   f->path, quantity__of_time(f->wall_ns).s);
	return err;
}

static double unattributed(const struct profile_facts *f)
{
	return f->task_ns ? (double)f->unattributed_ns / (double)f->task_ns : 0;
}

/* One line for all: of many recordings a line each would hide the rest. */
static int check_losses(struct diff *d)
{
	const struct profile_facts *worst = facts(d, 0, 0);
	char share[QUANTITY_MAX];
	size_t lossy = 0;

	for (unsigned int side = 0; side < SIDES; side++)
		for (size_t i = 0; i < d->side[side].nr; i++) {
			const struct profile_facts *f = facts(d, side, i);

			lossy += f->lost > 0;
			if (unattributed(f) > unattributed(worst))
				worst = f;
		}
	quantity__share(worst->unattributed_ns, worst->task_ns, share);
	if (lossy)
		return note(d, "%zu recording%s events missing; what they hide is [unattributed], %s of the time at most (%s).",
			    lossy, lossy == 1 ? " has" : "s have", share, worst->path);
	if (unattributed(worst) > LOST_SHARE)
		return note(d, "Up to %s of a recording's time is [unattributed] (%s).", share,
			    worst->path);
	return 0;
}

static int check_same(struct diff *d)
{
	const struct profile_facts *first = facts(d, 0, 0);
	uint64_t shortest = first->wall_ns, longest = first->wall_ns;
	int err = 0;

	for (size_t k = 0; k < sizeof(same) / sizeof(same[0]) && !err; k++) {
		const char *of_first = fact(first, &same[k]), *other = NULL;

		for (unsigned int side = 0; side < SIDES; side++)
			for (size_t i = 0; i < d->side[side].nr; i++)
				if (strcmp(fact(facts(d, side, i), &same[k]), of_first))
					other = fact(facts(d, side, i), &same[k]);
		if (other)
			err = note(d, "Not the same for all: %s (%s, %s). What differs may be due to that.",
				   same[k].what, of_first, other);
	}
	for (unsigned int side = 0; side < SIDES; side++)
		for (size_t i = 0; i < d->side[side].nr; i++) {
			uint64_t ns = facts(d, side, i)->wall_ns;

			shortest = ns < shortest ? ns : shortest;
			longest = ns > longest ? ns : longest;
			if (!err && facts(d, side, i)->nr_cpus != first->nr_cpus)
				return note(d, "Not the same for all: CPUs (%u, %u). What differs may be due to that.",
					    first->nr_cpus, facts(d, side, i)->nr_cpus);
		}
	if (!err && (double)longest > LENGTH_RATIO * (double)shortest)
		err = note(d, "Recordings are %s to %s long: what happens at the start of a run weighs differently.",
			   quantity__of_time(shortest).s, quantity__of_time(longest).s);
	return err;
}

/* How few, or how many, threads polled tasks in a recording of @side. */
static uint32_t workers(const struct diff *d, unsigned int side, bool most)
{
	uint32_t nr = facts(d, side, 0)->nr_workers;

	for (size_t i = 1; i < d->side[side].nr; i++) {
		uint32_t other = facts(d, side, i)->nr_workers;

		if (most ? other > nr : other < nr)
			nr = other;
	}
	return nr;
}

/* A thread may have nothing to do in a run: only if that is so in no run, there are fewer. */
static int check_workers(struct diff *d)
{
	const char *how = NULL;

	if (workers(d, 1, true) < workers(d, 0, false))
		how = "Fewer";
	else if (workers(d, 1, false) > workers(d, 0, true))
		how = "More";
	return how ? note(d, "%s threads poll tasks: %u before, %u after.", how,
			  workers(d, 0, true), workers(d, 1, true)) : 0;
}

static bool same_recording(const struct profile_facts *a, const struct profile_facts *b)
{
	return a->pid == b->pid && a->attach_ts == b->attach_ts &&
	       a->realtime_ns == b->realtime_ns && a->wall_ns == b->wall_ns &&
	       a->events == b->events;
}

/* Those of @side from @from on that are recording @f again. */
static const struct profile_facts *again(const struct diff *d, const struct profile_facts *f,
					 unsigned int side, size_t from)
{
	for (size_t i = from; i < d->side[side].nr; i++)
		if (same_recording(f, facts(d, side, i)))
			return facts(d, side, i);
	return NULL;
}

/* What is given twice is no repeat. A line for the first one of each sort. */
static int check_twice(struct diff *d)
{
	const struct profile_facts *other;
	int err = 0;

	for (unsigned int side = 0; side < SIDES; side++)
		for (size_t i = 0; i < d->side[side].nr; i++) {
			const struct profile_facts *f = facts(d, side, i);

			other = again(d, f, side, i + 1);
			if (!other)
				continue;
			err = note(d, "%s and %s are one recording, given twice %s: that is no repeat, and the "
				      "intervals are too narrow.",
				   f->path, other->path, side ? "after" : "before");
			break;
		}
	for (size_t i = 0; i < d->side[0].nr && !err; i++) {
		const struct profile_facts *f = facts(d, 0, i);

		other = again(d, f, 1, 0);
		if (other)
			return note(d, "%s, before, and %s, after, are the same recording.", f->path,
				    other->path);
	}
	return err;
}

int comparable__check(struct diff *d)
{
	int err;

	for (unsigned int side = 0; side < SIDES; side++)
		if (!d->side[side].nr)
			return refuse(&d->why, "there is no recording %s", side ? "after" : "before");
	err = for_all(d, check_one);
	if (!err)
		err = check_twice(d);
	if (!err)
		err = check_losses(d);
	if (!err)
		err = check_same(d);
	if (!err)
		err = check_workers(d);
	for (unsigned int side = 0; side < SIDES && !err; side++)
		if (d->side[side].nr == 1)
			err = note(d, "One recording %s: its own windows of time stand for repeats. What differs "
				      "from run to run is not in the intervals, and cannot be told from what the "
				      "build does: less than %.3g %% of a unit's time is taken for no change "
				      "(--least). Better compare several of each (-a, -b).",
				   side ? "after" : "before", 100 * d->opts.least);
	return err;
}

int comparable__check_places(struct diff *d, size_t common)
{
	if (common)
		return 0;
	return refuse(&d->why, different, facts(d, 0, 0)->path, facts(d, 1, 0)->path);
}

/* Names of one sort, each once. */
struct name_list {
	const char	**list;
	size_t		  nr, room;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Adds the names of what can be counted by, of costs of @kind; @pattern: those that match it. */
static int add_names(struct name_list *l, const struct diff_side *s, enum cost_kind kind,
		     const char *pattern)
{
	for (size_t run = 0; run < s->nr; run++)
		for (size_t i = 0; i < s->profiles[run]->nr; i++) {
			const struct cost_key *key = &s->profiles[run]->costs[i].key;
			const char *name = kind == COST_TASKS ? key->task : key->function;

			if (key->kind != kind || !*name || (pattern && fnmatch(pattern, name, 0)))
				continue;
			if (array__room(&l->list, &l->room, l->nr, sizeof(*l->list)))
				return -ENOMEM;
			l->list[l->nr++] = name;
		}
	return 0;
}

/* "a, b, and 3 more", or "none"; frees the list. NULL: no memory. */
static char *name_list__text(struct name_list *l)
{
	struct text_file t;
	FILE *out = text_file__open(&t);
	size_t nr = 0;

	if (l->nr)
		qsort(l->list, l->nr, sizeof(*l->list), by_text);
	for (size_t i = 0; i < l->nr; i++) {
		if (i && l->list[i] == l->list[i - 1])
			continue;
		if (out && nr < NAMES_SHOWN)
			fprintf(out, "%s%s", nr ? ", " : "", l->list[i]);
		nr++;
	}
	if (out && nr > NAMES_SHOWN)
		fprintf(out, ", and %zu more", nr - NAMES_SHOWN);
	if (out && !nr)
		fprintf(out, "none");
	free(l->list);
	l->nr = nr;
	return out ? text_file__close(&t) : NULL;
}

/* --per names nothing on @side: say what there is. */
static int nothing_matches(struct diff *d, unsigned int side)
{
	struct name_list tasks = { 0 }, awaits = { 0 };
	int err = add_names(&tasks, &d->side[side], COST_TASKS, NULL), err_awaits;
	char *task_names, *await_names;

	err_awaits = add_names(&awaits, &d->side[side], COST_WAITS, NULL);
	task_names = name_list__text(&tasks);
	await_names = name_list__text(&awaits);
	if (!err)
		err = err_awaits;
	if (!err && task_names && await_names)
		err = refuse(&d->why, "--per '%s' (a pattern: '*' is any text) matches nothing %s; tasks that ended there: "
				      "%s; functions in which an await ended: %s",
			     d->opts.per, side ? "after" : "before", task_names, await_names);
	else if (!err)
		err = -ENOMEM;
	free(task_names);
	free(await_names);
	return err;
}

/* Several things are counted by one pattern: that may be meant or not. */
static int check_several(struct diff *d)
{
	enum cost_kind kind = d->unit == UNIT_TASK ? COST_TASKS : COST_WAITS;
	struct name_list l = { 0 };
	int err = add_names(&l, &d->side[0], kind, d->opts.per), err_after;
	char *text;

	err_after = add_names(&l, &d->side[1], kind, d->opts.per);
	text = name_list__text(&l);
	if (!err)
		err = err_after ? err_after : text ? 0 : -ENOMEM;
	if (!err && l.nr > 1)
		err = note(d, "--per '%s' counts %s, all of them: %s.", d->opts.per,
			   kind == COST_TASKS ? "tasks of several kinds" : "awaits in several functions",
			   text);
	free(text);
	return err;
}

int comparable__check_units(struct diff *d)
{
	for (unsigned int side = 0; side < SIDES; side++) {
		if (d->side[side].nr_units > 0)
			continue;
		if (d->opts.per)
			return nothing_matches(d, side);
		return refuse(&d->why, "the recording %s has no length", side ? "after" : "before");
	}
	return d->opts.per ? check_several(d) : 0;
}
