// SPDX-License-Identifier: GPL-2.0
/*
 * The work of a join is proportional to the length of the recording, whatever it contains:
 * four times as many events must not take sixteen times as long.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

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
	static const struct trace_node sleep[] = {
		{ TRACE_NODE_AWAIT, 0, 0xff, 1, 0, 0, 0, 4, "a::sleep", "a.rs", "a.rs" },
		{ TRACE_NODE_LEAF, WALK_KEY_DEADLINE, 0, 0, 0, 0, 0, 0, "Sleep", "", "" } };

	assert_int_equal(trace_writer__new(path, &host, &rec->w), 0);
	trace_writer__chain(rec->w, &(struct trace_chain){ 1, 2, sleep, "" });
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

static double cpu_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* How much longer a join takes that has four times as much of what @fill puts in. */
static double growth(void (*fill)(struct recording *rec, uint64_t nr), uint64_t nr)
{
	double best[2] = { 1e9, 1e9 };

	for (int i = 0; i < 6; i++) {
		struct trace_reader *r;
		struct recording rec;
		double began;
		struct join *j;

		create(&rec);
		fill(&rec, i & 1 ? nr * 4 : nr);
		began = cpu_now();
		j = joined(&rec, &r);
		began = cpu_now() - began;
		best[i & 1] = began < best[i & 1] ? began : best[i & 1];
		join__free(j);
		trace_reader__free(r);
	}
	return best[1] / best[0];
}

static void assert_in_proportion(void (*fill)(struct recording *rec, uint64_t nr), uint64_t nr)
{
	double times = growth(fill, nr);

	/* what else runs takes caches away, and more so from the larger one */
	for (int i = 0; i < 3 && times > 8; i++)
		times = growth(fill, nr);
	if (times > 8)
		fail_msg("four times as much takes %.1f times as long", times);
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

/* ---- stops ---- */

static void stop(struct recording *rec)
{
	put(rec, 3, (struct trace_event){ .type = TRACE_OFF_CPU, .tid = 2,
		.off = { .out = rec->ts + 2, .reason = TRACE_OFF_STOPPED, .syscall = -1 } });
}

/* Tasks that are ready through all stops. */
static void ready_in_stops(struct recording *rec, uint64_t nr)
{
	for (uint64_t i = 1; i <= nr; i++)
		put(rec, 1, (struct trace_event){ .type = TRACE_TASK_NEW, .tid = 1,
						  .task.task = i * 128 });
	for (uint64_t i = 0; i < nr; i++)
		stop(rec);
}

/* Timers that were due before all stops, for a thread that did this and that meanwhile. */
static void late_in_stops(struct recording *rec, uint64_t nr)
{
	for (uint64_t i = 1; i <= nr; i++)
		put(rec, 1, (struct trace_event){ .type = TRACE_POLL_END, .tid = 1,
			.end = { .task = i * 128, .chain = 1, .nr_keys = 1,
				 .keys = { .value = { 1000 } } } });
	for (uint64_t i = 0; i < nr; i++)
		stop(rec);
	for (uint64_t i = 0; i < 20; i++)
		put(rec, 3, (struct trace_event){ .type = TRACE_OFF_CPU, .tid = 1,
						  .off = { .out = rec->ts + 2, .syscall = -1 } });
	for (uint64_t i = 1; i <= nr; i++)
		put(rec, 1, (struct trace_event){ .type = TRACE_WAKE, .tid = 1,
						  .task.task = i * 128 });
}

static void stops(void **state)
{
	(void)state;
	assert_in_proportion(ready_in_stops, 5000);
	assert_in_proportion(late_in_stops, 5000);
}

/* ---- hashes ---- */

/* Numbers that multiply with the golden ratio, a usual hash, to 1, 2, 3 …: small ones all. */
static uint64_t colliding(uint64_t i)
{
	const uint64_t ratio = 0x9e3779b97f4a7c15ull;
	uint64_t inverse = ratio;

	for (int k = 0; k < 6; k++)
		inverse *= 2 - ratio * inverse;
	return i * inverse;
}

static void colliding_tasks(struct recording *rec, uint64_t nr)
{
	for (uint64_t i = 1; i <= nr; i++)
		put(rec, 1, (struct trace_event){ .type = TRACE_TASK_NEW, .tid = 1,
						  .task.task = colliding(i) });
}

static void colliding_tokens(struct recording *rec, uint64_t nr)
{
	for (uint64_t i = 1; i <= nr; i++)
		put(rec, 1, (struct trace_event){ .type = TRACE_FD_ADD, .tid = 1,
						  .fd = { .token = colliding(i), .epfd = 5 } });
}

/* One token in ever more epoll instances, and its name by one that is not known. */
static void equal_tokens(struct recording *rec, uint64_t nr)
{
	for (uint64_t i = 1; i <= nr; i++)
		put(rec, 1, (struct trace_event){ .type = TRACE_FD_ADD, .tid = 1,
						  .fd = { .token = 5, .epfd = (int32_t)i } });
}

static void hashes(void **state)
{
	(void)state;
	assert_in_proportion(equal_tokens, 10000);
	assert_in_proportion(colliding_tasks, 10000);
	assert_in_proportion(colliding_tokens, 10000);
}

/* ---- stacks ---- */

#define DEPTH	1000

/* A wait of each of @nr kinds of tasks, called differently or not at all, at one deep chain. */
static struct join *deep(uint64_t nr, bool named, struct trace_reader **r)
{
	static struct trace_node nodes[DEPTH];
	struct recording rec;
	char name[32];

	for (int i = 0; i < DEPTH; i++)
		nodes[i] = (struct trace_node){ .kind = TRACE_NODE_AWAIT, .key_index = 0xff,
						.nr_children = i < DEPTH - 1, .name = "f",
						.file = "", .path = "" };
	create(&rec);
	trace_writer__chain(rec.w, &(struct trace_chain){ .id = 2, .nr = DEPTH, .nodes = nodes });
	for (uint64_t i = 1; i <= nr; i++) {
		struct trace_task_kind kind = { .id = (uint32_t)i, .name = name,
						.name_long = "", .scheduler = "" };

		snprintf(name, sizeof(name), "task_%u", (unsigned int)i);
		if (named)
			trace_writer__task_kind(rec.w, &kind);
		put(&rec, 1, (struct trace_event){ .type = TRACE_POLL_BEGIN, .tid = 1,
			.poll = { .task = i * 128, .kind = (uint32_t)i } });
		put(&rec, 1, (struct trace_event){ .type = TRACE_POLL_END, .tid = 1,
			.end = { .task = i * 128, .chain = 2 } });
		put(&rec, i, (struct trace_event){ .type = TRACE_TASK_DROP, .tid = 1,
			.task.task = i * 128 });
	}
	return joined(&rec, r);
}

/* Frames are kept once for each stack that differs, and not without bound. */
static void stacks(void **state)
{
	const struct join_row *rows;
	struct trace_reader *r;
	uint64_t frames = 0, gaps = 0, waits = 0, least = UINT64_MAX, most = 0;
	struct join *j;
	size_t nr;

	(void)state;
	j = deep(5000, false, &r);
	rows = join__rows(j, &nr);
	assert_in_range(nr, 2, 4);
	assert_in_range(malloc_usable_size(j->row_frames), 1, 16 * DEPTH * sizeof(*rows->frames));
	drop(j, r);

	j = deep(12000, true, &r);
	rows = join__rows(j, &nr);
	for (size_t i = 0; i < nr; i++) {
		frames += rows[i].nr;
		if (rows[i].segment != JOIN_AWAIT)
			continue;
		waits++;
		if (rows[i].frames[2].kind == JOIN_FRAME_GAP) {
			gaps++;
			most = rows[i].ns > most ? rows[i].ns : most;
		} else {
			least = rows[i].ns < least ? rows[i].ns : least;
		}
	}
	assert_int_equal(waits, 12000);
	/* what is cut is the smallest */
	assert_in_range(gaps, 1000, 8000);
	assert_true(most <= least);
	assert_in_range(frames, 1u << 23, (1u << 23) + DEPTH + 8 * nr);
	drop(j, r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listings),
		cmocka_unit_test(stops),
		cmocka_unit_test(hashes),
		cmocka_unit_test(stacks),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
