/* SPDX-License-Identifier: GPL-2.0 */
/* What recordings differ in besides their costs: each is told, or they are not compared. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "diff/diff.h"

#define MS	1000000ull

static uint32_t given;	/* so many recordings were made: each is another one */

/* A recording of 2 s in which one task waits for a while. */
static struct profile *recording(struct diff *d, const char *path)
{
	static const struct profile_facts facts = {
		.comm = "app", .build_id = "aa", .tier = "full", .kernel = "6.8", .machine = "x86_64",
		.pid = 7, .attach_ts = 1, .realtime_ns = 1, .nr_cpus = 4, .nr_workers = 4,
		.wall_ns = 2000 * MS, .tasks = 1, .events = 100, .task_ns = 2000 * MS,
		.waits = true,
	};
	struct frame_names *names = diff__names(d);
	struct profile *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->facts = facts;
	p->facts.path = path;
	p->facts.attach_ts += given++;
	p->costs = calloc(2, sizeof(*p->costs));
	assert_non_null(p->costs);
	p->nr = 2;
	for (size_t i = 0; i < p->nr; i++) {
		struct cost_key *key = &p->costs[i].key;

		memset(key, 0, sizeof(*key));
		key->kind = i ? COST_WAITS : COST_AWAIT;
		key->task = key->function = frame_names__safe(names, "app::main");
		key->path = frame_names__safe(names, "main.rs");
		key->what = frame_names__safe(names, "Sleep");
		key->part = "";
		key->line = 3;
		p->costs[i].amount = i ? 100 : 1900 * MS;
		p->costs[i].window[0] = p->costs[i].window[1] = p->costs[i].amount / 2;
	}
	return p;
}

/* Two recordings of each, all alike. */
struct pair {
	struct diff	*diff;
	struct profile	*p[SIDES][2];
};

static struct pair alike(void)
{
	static const char *const paths[SIDES][2] = { { "a1", "a2" }, { "b1", "b2" } };
	const struct diff_opts opts = { .least = DIFF_LEAST };
	struct pair pair;

	assert_int_equal(diff__new(&opts, &pair.diff), 0);
	for (unsigned int side = 0; side < SIDES; side++)
		for (int i = 0; i < 2; i++) {
			pair.p[side][i] = recording(pair.diff, paths[side][i]);
			assert_int_equal(diff__add(pair.diff, side, pair.p[side][i]), 0);
		}
	return pair;
}

/* They are compared, and the only note is @expected; "": there is none. */
static void assert_noted(struct pair *pair, const char *expected)
{
	const char *const *notes;
	size_t nr;

	assert_int_equal(diff__compare(pair->diff), 0);
	notes = diff__notes(pair->diff, &nr);
	if (*expected) {
		assert_int_equal(nr, 1);
		assert_string_equal(notes[0], expected);
	} else {
		assert_int_equal(nr, 0);
	}
	diff__free(pair->diff);
}

static void assert_refused(struct pair *pair, const char *expected)
{
	assert_int_equal(diff__compare(pair->diff), -EINVAL);
	assert_string_equal(diff__why(pair->diff), expected);
	diff__free(pair->diff);
}

static void nothing(void **state)
{
	struct pair pair = alike();

	(void)state;
	assert_noted(&pair, "");
}

static void system_facts(void **state)
{
	struct pair pair = alike();

	(void)state;
	pair.p[1][1]->facts.kernel = "6.9";
	assert_noted(&pair, "Not the same for all: the kernel (6.8, 6.9). What differs may be due to that.");
	pair = alike();
	pair.p[0][1]->facts.machine = "aarch64";
	assert_noted(&pair, "Not the same for all: the machine (x86_64, aarch64). What differs may be due to that.");
	pair = alike();
	pair.p[1][0]->facts.nr_cpus = 8;
	assert_noted(&pair, "Not the same for all: CPUs (4, 8). What differs may be due to that.");
}

static void workers(void **state)
{
	struct pair pair = alike();

	(void)state;
	pair.p[1][0]->facts.nr_workers = pair.p[1][1]->facts.nr_workers = 1;
	assert_noted(&pair, "Fewer threads poll tasks: 4 before, 1 after.");
	pair = alike();
	pair.p[1][0]->facts.nr_workers = pair.p[1][1]->facts.nr_workers = 6;
	assert_noted(&pair, "More threads poll tasks: 4 before, 6 after.");
	/* in one run only: a thread had nothing to do */
	pair = alike();
	pair.p[1][0]->facts.nr_workers = 1;
	assert_noted(&pair, "");
}

static void seen(void **state)
{
	struct pair pair = alike();

	(void)state;
	pair.p[1][1]->facts.lost = 5;
	pair.p[1][1]->facts.unattributed_ns = 100 * MS;
	assert_noted(&pair, "1 recording has events missing; what they hide is [unattributed], 5.00% of the time at most (b2).");
	pair = alike();
	pair.p[0][1]->facts.unattributed_ns = 100 * MS;
	assert_noted(&pair, "Up to 5.00% of a recording's time is [unattributed] (a2).");
	pair = alike();
	pair.p[0][0]->facts.wall_ns = 9000 * MS;
	assert_noted(&pair, "Recordings are 2.00 s to 9.00 s long: what happens at the start of a run weighs differently.");
	pair = alike();
	pair.p[1][0]->facts.torn = true;
	assert_noted(&pair, "b1 ends early, after 2.00 s: it counts for that time, and what was lost in it is not known. "
			    "Better record it again, or leave it out.");
	pair = alike();
	pair.p[1][0]->facts.waits = false;
	assert_noted(&pair, "In b1 no task waits for anything.");
}

static void twice(void **state)
{
	struct pair pair = alike();

	(void)state;
	pair.p[0][1]->facts.attach_ts = pair.p[0][0]->facts.attach_ts;
	assert_noted(&pair, "a1 and a2 are one recording, given twice before: that is no repeat, and the intervals are "
			    "too narrow.");
	pair = alike();
	pair.p[1][1]->facts.attach_ts = pair.p[0][0]->facts.attach_ts;
	assert_noted(&pair, "a1, before, and b2, after, are the same recording.");
	/* the same moment on another machine, or process */
	pair = alike();
	pair.p[1][1]->facts.attach_ts = pair.p[0][0]->facts.attach_ts;
	pair.p[1][1]->facts.realtime_ns++;
	assert_noted(&pair, "");
}

static void refused(void **state)
{
	struct pair pair = alike();

	(void)state;
	pair.p[1][1]->facts.tier = "symbols";
	assert_refused(&pair, "a1 was recorded with tier 'full' and b2 with 'symbols': they do not show the same");
	pair = alike();
	pair.p[0][1]->facts.comm = "web";
	assert_refused(&pair, "a1 is a recording of 'app' and a2 one of 'web'");
	pair = alike();
	pair.p[1][0]->facts.tasks = 0;
	assert_refused(&pair, "b1 has no tasks: there is nothing to compare");
	pair = alike();
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < 2; k++)
			pair.p[1][i]->costs[k].key.task = frame_names__safe(diff__names(pair.diff), "other::main");
	assert_refused(&pair, "no task of a1 is in b1: these are different programs");
}

/* A build cannot be told from a run by one of each: what counts is more, unless it is named. */
static void alone(void **state)
{
	static const struct {
		size_t	nr[SIDES];
		double	least, expected;
	} cases[] = { { { 2, 2 }, -1, DIFF_LEAST },	  { { 1, 2 }, -1, DIFF_LEAST_ALONE },
		      { { 2, 1 }, -1, DIFF_LEAST_ALONE }, { { 1, 1 }, -1, DIFF_LEAST_ALONE },
		      { { 1, 1 }, 0.01, 0.01 },		  { { 2, 2 }, 0.3, 0.3 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct diff_opts opts = { .least = cases[i].least };
		const char *const *notes;
		struct diff *d;
		size_t nr;

		assert_int_equal(diff__new(&opts, &d), 0);
		for (unsigned int side = 0; side < SIDES; side++)
			for (size_t k = 0; k < cases[i].nr[side]; k++) {
				struct profile *p = recording(d, "x");

				p->nr_windows = cases[i].nr[side] == 1 ? 2 : 0;
				p->window_ns = p->nr_windows ? 1000 * MS : 0;
				assert_int_equal(diff__add(d, side, p), 0);
			}
		assert_int_equal(diff__compare(d), 0);
		/* 1.9 s in 2 s */
		assert_true(fabs(diff__least(d) - cases[i].expected * 950 * MS) < 1);
		notes = diff__notes(d, &nr);
		assert_int_equal(nr, (cases[i].nr[0] == 1) + (cases[i].nr[1] == 1));
		if (nr)
			assert_non_null(strstr(notes[0], cases[i].least < 0 ? "less than 10 %" : "less than 1 %"));
		diff__free(d);
	}
}

/* A change that is sure, and less than counts, is told; and not of windows, which are not sure. */
static void small(void **state)
{
	struct pair pair = alike();
	const struct diff_place *places;
	enum verdict verdict;
	size_t nr;

	(void)state;
	for (int i = 0; i < 2; i++)
		for (int side = 0; side < SIDES; side++)
			pair.p[side][i]->costs[0].amount += (side * 10000 + i) * 1000;
	assert_int_equal(diff__compare(pair.diff), 0);
	diff__total(pair.diff, &verdict);
	assert_int_equal(verdict, VERDICT_SAME);
	places = diff__places(pair.diff, &nr);
	assert_int_equal(nr, 1);
	assert_true(places[0].small);
	assert_int_equal(places[0].verdict, VERDICT_SAME);
	assert_int_equal(places[0].change, CHANGE_LONGER);
	diff__free(pair.diff);
}

/* Names of files may hold what a terminal obeys. */
static void hostile_path(void **state)
{
	struct pair pair = alike();

	(void)state;
	pair.p[1][0]->facts.path = "\033[31m\xff";
	pair.p[1][0]->facts.waits = false;
	assert_noted(&pair, "In ?[31m? no task waits for anything.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing), cmocka_unit_test(system_facts),
		cmocka_unit_test(workers), cmocka_unit_test(seen),
		cmocka_unit_test(twice),   cmocka_unit_test(refused),
		cmocka_unit_test(alone),   cmocka_unit_test(small),
		cmocka_unit_test(hostile_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
