// SPDX-License-Identifier: GPL-2.0
/*
 * Samples of CPUs divide time and change none: parts of a time add up to it, whatever the
 * numbers are, and a recording with samples has the same times as without them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sum.h"
#include "join/join.h"
#include "join/samples.h"
#include "tests/unit/trace_path.h"
#include "tests/unit/trace_random.h"

static void parts(void **state)
{
	static const uint64_t times[] = { 1, 2, 7, 999, 1000000007, UINT64_MAX };
	uint64_t seed = 1;

	(void)state;
	for (size_t t = 0; t < sizeof(times) / sizeof(*times); t++)
		for (int round = 0; round < 100; round++) {
			uint64_t counts[20], total = 0, before = 0, sum = 0;

			for (int i = 0; i < 20; i++)
				total += counts[i] = below(&seed, 1u << below(&seed, 20));
			if (!total)
				continue;
			for (int i = 0; i < 20; i++) {
				uint64_t ns = samples__part(times[t], before, before + counts[i],
							    total);
				long double exact = (long double)times[t] * counts[i] / total;

				assert_true(ns <= exact + 1 && ns + 1 >= exact);
				before += counts[i];
				sum += ns;
			}
			assert_int_equal(sum, times[t]);
		}
}

static void counts(void **state)
{
	struct samples s = { 0 };
	const struct sample_count *c;
	uint64_t total;
	size_t nr;

	(void)state;
	assert_int_equal(samples__number(&s, &(struct sample){ 5, 0 }), 0);
	assert_int_equal(samples__number(&s, &(struct sample){ 0, 5 }), 1);
	assert_int_equal(samples__number(&s, &(struct sample){ 0, 0 }), 2);
	assert_int_equal(samples__number(&s, &(struct sample){ 5, 0 }), 0);
	assert_int_equal(samples__get(&s, 1)->kernel, 5);
	assert_int_equal(samples__count(&s, 9, 2), 0);
	assert_int_equal(samples__count(&s, 0, 1), 0);
	assert_int_equal(samples__count(&s, 9, 1), 0);
	assert_int_equal(samples__count(&s, 9, 2), 0);
	c = samples__of(&s, 9, &nr, &total);
	assert_int_equal(nr, 2);
	assert_int_equal(total, 3);
	assert_int_equal(c[0].sample, 1);
	assert_int_equal(c[1].nr, 2);
	samples__of(&s, 0, &nr, &total);
	assert_int_equal(nr, 1);
	samples__of(&s, 5, &nr, &total);
	assert_int_equal(nr, 0);
	samples__of(&s, 10, &nr, &total);
	assert_int_equal(nr, 0);
	samples__clear(&s);
}

/* What a join says of times, put into one number; *@samples: of how many samples it knows. */
static uint64_t times_of(uint64_t seed, unsigned int nr, bool with, uint64_t *samples)
{
	static const struct trace_host host = { .hostname = "h", .kernel = "k", .machine = "m",
		.comm = "app", .exe = "app", .build_id = "", .tier = "full", .tier_hint = "",
		.runtime = "tokio", .pid = 1, .nr_cpus = 3, .attach_ts = 1000000 };
	const struct join_totals *t;
	const struct join_point *points;
	const struct join_row *rows;
	struct trace_reader *r;
	struct trace_writer *w;
	uint64_t ts = 999000, sum, hash;
	struct join *j;
	const char *why;
	size_t nr_rows, nr_points;

	assert_int_equal(trace_writer__new(path, &host, &w), 0);
	for (uint32_t i = 1; i <= 3; i++)
		trace_writer__task_kind(w, &(struct trace_task_kind){ i, "a::task", "", "",
								       i == 3, i == 2, 0, i == 1 });
	for (unsigned int i = 0; i < nr; i++) {
		struct trace_event ev;

		ts += below(&seed, 2000);
		random_event(&seed, ts, 0, &ev);
		if (ev.type == TRACE_PROCESS_EXIT || (ev.type == TRACE_LOST && below(&seed, 8)))
			continue;
		if (with || ev.type != TRACE_CPU_SAMPLE)
			assert_int_equal(trace_writer__event(w, &ev), 0);
	}
	assert_int_equal(trace_writer__finish(w, &(struct trace_totals){ .end_ts = ts + 10,
									 .ended_by = "test" }), 0);
	trace_writer__free(w);
	assert_int_equal(trace_reader__open(path, &r, &why), 0);
	assert_int_equal(join__new(r, &j), 0);
	assert_int_equal(join__run(j), 0);
	t = join__totals(j);
	hash = t->lifetime_ns * 31 + t->tasks_seen;
	for (int s = 0; s < JOIN_SEGMENT_NR; s++)
		hash = hash * 31 + t->segments[s];
	points = join__points(j, &nr_points);
	for (size_t i = 0; i < nr_points; i++)
		hash = hash * 31 + points[i].await_ns + points[i].count;
	rows = join__rows(j, &nr_rows);
	sum = 0;
	for (size_t i = 0; i < nr_rows; i++) {
		if (rows[i].segment != JOIN_RUNNING)
			hash = hash * 31 + rows[i].ns;
		else
			sum__add(&sum, rows[i].ns);
	}
	assert_int_equal(sum, t->segments[JOIN_RUNNING]);
	*samples = join__on_cpu(j)->samples;
	assert_int_equal(join__on_cpu(j)->in_tasks + join__on_cpu(j)->in_jobs +
			 join__on_cpu(j)->outside + join__on_cpu(j)->unplaced, *samples);
	join__free(j);
	trace_reader__free(r);
	return hash;
}

static void no_time(void **state)
{
	uint64_t taken = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		uint64_t samples, none, with = times_of(seed, 3000, true, &samples);

		assert_int_equal(times_of(seed, 3000, false, &none), with);
		assert_int_equal(none, 0);
		taken += samples;
	}
	assert_true(taken > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts),
		cmocka_unit_test(counts),
		cmocka_unit_test(no_time),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
