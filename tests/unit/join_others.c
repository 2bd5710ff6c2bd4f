// SPDX-License-Identifier: GPL-2.0
/*
 * Waits for any number of peers: those with the most time are named, the rest is one
 * entry, and no time is missing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "join/join.h"
#include "join/others.h"
#include "tests/unit/trace_path.h"

#define ATTACH	1000000ull

static void event(struct trace_writer *w, struct trace_event ev)
{
	assert_int_equal(trace_writer__event(w, &ev), 0);
}

/* Task @i waits for its own peer from attach on, for @i + 1 µs; half of them elsewhere. */
static void write_peers(uint32_t nr)
{
	static const struct trace_host host = {
		.hostname = "h", .kernel = "k", .machine = "m", .comm = "app", .exe = "app",
		.build_id = "", .tier = "full", .tier_hint = "", .runtime = "tokio", .pid = 1,
		.nr_cpus = 1, .attach_ts = ATTACH };
	static const struct trace_node one[] = {
		{ TRACE_NODE_AWAIT, 0, 0xff, 1, 0, 0, 0, 3, "app::one", "a.rs", "/x/app/src/a.rs" },
		{ TRACE_NODE_LEAF, WALK_KEY_IO, 0, 0, 0, 0, 0, 0, "Readiness", "", "" } };
	static const struct trace_node two[] = {
		{ TRACE_NODE_AWAIT, 0, 0xff, 1, 0, 0, 0, 4, "app::two", "a.rs", "/x/app/src/a.rs" },
		{ TRACE_NODE_LEAF, WALK_KEY_IO, 0, 0, 0, 0, 0, 0, "Readiness", "", "" } };
	struct trace_writer *w;

	assert_int_equal(trace_writer__new(path, &host, &w), 0);
	trace_writer__task_kind(w, &(struct trace_task_kind){ 1, "app::task", "", "", 0, 0, 0, 0 });
	trace_writer__chain(w, &(struct trace_chain){ 1, 2, one, "" });
	trace_writer__chain(w, &(struct trace_chain){ 2, 2, two, "" });
	for (uint32_t i = 0; i < nr; i++) {
		uint64_t token = 0x10000 + 64 * i;
		char name[64];

		snprintf(name, sizeof(name), "tcp 10.0.%u.%u:80", i / 250, i % 250);
		event(w, (struct trace_event){ .ts = ATTACH, .type = TRACE_FD_ADD, .tid = 9,
			.fd = { token, 5, (int)i, trace_writer__string(w, name) } });
		event(w, (struct trace_event){ .ts = ATTACH, .type = TRACE_TASK_SEEN, .tid = 9,
			.seen = { .task = 0x7f0000000000 + 128 * i, .kind = 1,
				  .chain = 1 + i % 2, .state = TRACE_TASK_IDLE, .nr_keys = 1,
				  .keys = { .value = { token }, .kind = { WALK_KEY_IO },
					    .dir = { WALK_DIR_READ } } } });
	}
	for (uint32_t i = 0; i < nr; i++)
		event(w, (struct trace_event){ .ts = ATTACH + 1000 * (i + 1), .tid = 9,
			.type = TRACE_TASK_DROP, .task = { 0x7f0000000000 + 128 * i } });
	assert_int_equal(trace_writer__finish(w, &(struct trace_totals){
				.end_ts = ATTACH + 10000000, .ended_by = "test" }), 0);
	trace_writer__free(w);
}

static uint64_t expected(uint32_t nr)
{
	return 1000ull * nr * (nr + 1) / 2;
}

/* The rows of app::@fn, and their time. */
static size_t rows_of(const struct join *j, const char *fn, uint64_t *ns, const char **others)
{
	size_t nr, found = 0;
	const struct join_row *rows = join__rows(j, &nr);

	*ns = 0;
	*others = NULL;
	for (size_t i = 0; i < nr; i++) {
		const char *detail = rows[i].frames[rows[i].nr - 1].name;

		assert_int_equal(rows[i].frames[rows[i].nr - 1].kind, JOIN_FRAME_DETAIL);
		if (strncmp(rows[i].frames[2].name, fn, strlen(fn)))
			continue;
		found++;
		*ns += rows[i].ns;
		if (strstr(detail, "others"))
			*others = detail;
	}
	return found;
}

static void check(uint32_t nr, size_t shown, const char *others)
{
	uint64_t one_ns, two_ns, sum = 0;
	const struct join_point *points;
	const char *rest, *why;
	struct trace_reader *r;
	struct join *j;
	size_t nr_points;

	write_peers(nr);
	assert_int_equal(trace_reader__open(path, &r, &why), 0);
	assert_int_equal(join__new(r, &j), 0);
	assert_int_equal(join__run(j), 0);
	assert_int_equal(rows_of(j, "app::one", &one_ns, &rest), shown);
	assert_true(others ? rest && !strcmp(rest, others) : !rest);
	assert_int_equal(rows_of(j, "app::two", &two_ns, &rest), shown);
	assert_int_equal(one_ns + two_ns, expected(nr));
	assert_int_equal(join__totals(j)->lifetime_ns, expected(nr));
	points = join__points(j, &nr_points);
	assert_int_equal(nr_points, 2);
	for (size_t i = 0; i < nr_points; i++) {
		assert_int_equal(points[i].nr_details, shown);
		for (size_t k = 0; k < points[i].nr_details; k++) {
			if (k)
				assert_true(points[i].details[k].ns <= points[i].details[k - 1].ns);
			sum += points[i].details[k].ns;
		}
	}
	assert_int_equal(sum, expected(nr));
	join__free(j);
	trace_reader__free(r);
}

static void all_of_a_few(void **state)
{
	(void)state;
	check(2, 1, NULL);
	check(2 * OTHERS_FROM, OTHERS_FROM, NULL);
}

static void some_of_many(void **state)
{
	(void)state;
	check(2 * OTHERS_FROM + 2, OTHERS_FROM, "2 others");
	check(6000, OTHERS_FROM, "2,969 others");
}

/* The longest are those that are named. */
static void the_longest(void **state)
{
	const struct join_point *points;
	struct trace_reader *r;
	const char *why;
	struct join *j;
	size_t nr;

	(void)state;
	write_peers(1000);
	assert_int_equal(trace_reader__open(path, &r, &why), 0);
	assert_int_equal(join__new(r, &j), 0);
	assert_int_equal(join__run(j), 0);
	points = join__points(j, &nr);
	/* the rest is larger than any one */
	assert_string_equal(points[0].details[0].name, "469 others");
	assert_string_equal(points[0].details[1].name, "tcp 10.0.3.249:80");
	assert_string_equal(points[0].details[OTHERS_FROM - 1].name, "tcp 10.0.3.189:80");
	join__free(j);
	trace_reader__free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_a_few),
		cmocka_unit_test(some_of_many),
		cmocka_unit_test(the_longest),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
