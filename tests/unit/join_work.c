// SPDX-License-Identifier: GPL-2.0
/*
 * The work of a join is in proportion to the length of the recording, whatever is in
 * it: four times as many events must not be sixteen times as much to do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "join/timeline.h"
#include "tests/unit/trace_path.h"

struct recording {
	struct trace_writer	*w;
	uint64_t		 ts;
};

static void create(struct recording *rec)
{
	static const struct trace_host host = { .hostname = "h", .kernel = "k", .machine = "m",
		.comm = "app", .exe = "app", .build_id = "", .tier = "full", .tier_hint = "",
		.runtime = "tokio", .pid = 1, .nr_cpus = 1, .attach_ts = 1000 };

	assert_int_equal(trace_writer__new(path, &host, &rec->w), 0);
	rec->ts = 1000;
}

/* @ns after the event before. */
static void put(struct recording *rec, uint64_t ns, struct trace_event ev)
{
	rec->ts += ns;
	ev.ts = rec->ts;
	assert_int_equal(trace_writer__event(rec->w, &ev), 0);
}

static struct join *joined(struct recording *rec, struct trace_reader **r)
{
	const char *why;
	struct join *j;
	int err;

	assert_int_equal(trace_writer__finish(rec->w, &(struct trace_totals){
				.end_ts = rec->ts + 1, .ended_by = "test" }), 0);
	trace_writer__free(rec->w);
	assert_int_equal(trace_reader__open(path, r, &why), 0);
	assert_int_equal(join__new(*r, &j), 0);
	err = join__run(j);
	if (err)
		fail_msg("%d: %s", err, join__why(j));
	return j;
}

static void drop(struct join *j, struct trace_reader *r)
{
	join__free(j);
	trace_reader__free(r);
}

/* ---- listings ---- */

static uint64_t looks_of(uint64_t nr, bool lossy)
{
	struct trace_reader *r;
	struct recording rec;
	struct join *j;
	uint64_t looks;

	create(&rec);
	for (uint64_t i = 1; i <= nr; i++)
		put(&rec, 1, (struct trace_event){ .type = TRACE_TASK_NEW, .tid = 1,
						   .task.task = i * 128 });
	for (uint64_t i = 1; i <= nr; i++) {
		if (lossy)
			put(&rec, 2, (struct trace_event){ .type = TRACE_LOST,
				.lost = { .first = rec.ts + 1, .count = 1 } });
		put(&rec, 1, (struct trace_event){ .type = TRACE_TASKS_LISTED,
						   .listed.begin = rec.ts });
	}
	j = joined(&rec, &r);
	looks = j->listing_looks;
	drop(j, r);
	return looks;
}

/* As many ends of listings as tasks. */
static void listings(void **state)
{
	(void)state;
	assert_int_equal(looks_of(10000, false), 0);
	assert_in_range(looks_of(10000, true), 1, (1u << 24) + 16 * 30000);
	assert_in_range(looks_of(40000, true), 1, (1u << 24) + 16 * 120000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listings),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
