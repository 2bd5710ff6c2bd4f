// SPDX-License-Identifier: GPL-2.0
/*
 * Recordings whose times are as large, as small and as wrong as numbers can be:
 * sums that would not fit stay at the largest number, and every output is short
 * and right as far as it can be.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/printable.h"

#include "flamegraph/flamegraph.h"
#include "join/join.h"
#include "output/folded.h"
#include "tests/unit/trace_path.h"
#include "tests/unit/trace_random.h"

static const uint64_t times[] = { 0, 1, 1000, 1ull << 62, 1ull << 63, UINT64_MAX - 1, UINT64_MAX };
#define NR_TIMES	(sizeof(times) / sizeof(*times))

static struct trace_writer *create(uint64_t attach)
{
	static const struct trace_node sleep[] = {
		{ TRACE_NODE_AWAIT, 0, 0xff, 1, 0, 0, 0, 4, "a::sleep", "a.rs", "a.rs" },
		{ TRACE_NODE_LEAF, WALK_KEY_DEADLINE, 0, 0, 0, 0, 0, 0, "Sleep", "", "" } };
	struct trace_host host = { .hostname = "h", .kernel = "k", .machine = "m", .comm = "app",
				   .exe = "app", .build_id = "", .tier = "full", .tier_hint = "",
				   .runtime = "tokio", .pid = 1, .nr_cpus = 1,
				   .attach_ts = attach, .realtime_ns = attach };
	struct trace_writer *w;

	assert_int_equal(trace_writer__new(path, &host, &w), 0);
	for (uint32_t i = 1; i <= 3; i++)
		trace_writer__task_kind(w, &(struct trace_task_kind){ i, "a::task", "", "",
								       i == 3, i == 2, 0, 0 });
	for (uint32_t i = 1; i <= 4; i++)
		trace_writer__chain(w, &(struct trace_chain){ i, 2, sleep, "" });
	return w;
}

static void finish(struct trace_writer *w, uint64_t end)
{
	assert_int_equal(trace_writer__finish(w, &(struct trace_totals){
				.end_ts = end, .ended_by = "test", .cpu_ns = end,
				.target_cpu_ns = 1 }), 0);
	trace_writer__free(w);
}

struct result {
	struct trace_reader		*r;
	struct join			*j;
	const struct join_totals	*t;
	char				*text, *json;
};

static void read_back(struct result *res)
{
	const char *why;
	FILE *out;
	size_t n;
	int err;

	assert_int_equal(trace_reader__open(path, &res->r, &why), 0);
	assert_int_equal(join__new(res->r, &res->j), 0);
	err = join__run(res->j);
	if (err)
		fail_msg("%d: %s", err, join__why(res->j));
	res->t = join__totals(res->j);
	out = open_memstream(&res->text, &n);
	assert_int_equal(output_format__write(output_format__find("text"), res->j, res->r,
					      NULL, out), 0);
	fclose(out);
	assert_in_range(n, 100, 8000);
	out = open_memstream(&res->json, &n);
	assert_int_equal(output_format__write(output_format__find("json"), res->j, res->r,
					      NULL, out), 0);
	fclose(out);
}

static void drop(struct result *res)
{
	join__free(res->j);
	trace_reader__free(res->r);
	free(res->text);
	free(res->json);
}

static unsigned int longest_bar(const char *text)
{
	unsigned int most = 0, n = 0;

	for (; *text; text++) {
		n = *text == '#' ? n + 1 : 0;
		most = n > most ? n : most;
	}
	return most;
}

/* Idle tasks that live for as long as there is time: their sum does not fit. */
static void tasks_of_all_time(void **state)
{
	struct flamegraph *fg = flamegraph__new();
	struct trace_writer *w = create(1);
	struct result res;
	const struct join_row *rows;
	uint64_t *weights;
	size_t nr;
	int err = 0;

	(void)state;
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(trace_writer__event(w, &(struct trace_event){
			.ts = 2, .type = TRACE_TASK_SEEN,
			.seen = { .task = 4096 + 128 * i, .kind = i & 1 ? 1 : 3, .chain = 1,
				  .state = i & 2 ? TRACE_TASK_IDLE : TRACE_TASK_NOTIFIED } }), 0);
	finish(w, UINT64_MAX);
	read_back(&res);
	assert_int_equal(res.t->lifetime_ns, UINT64_MAX);
	assert_int_equal(res.t->segments[JOIN_AWAIT], UINT64_MAX);
	assert_int_equal(res.t->segments[JOIN_READY], UINT64_MAX);
	/* awaits and ready times are each as long as all of it */
	assert_in_range(longest_bar(res.text), 10, 48);
	assert_non_null(strstr(res.text, "584"));
	assert_non_null(strstr(res.json, "584 years"));
	rows = join__rows(res.j, &nr);
	assert_true(nr > 1);
	weights = calloc(nr, sizeof(*weights));
	output_folded__weights(rows, nr, OUTPUT_WEIGHT_NS, weights);
	for (size_t i = 0; i < nr; i++)
		assert_int_equal(weights[i], rows[i].ns);
	output_folded__weights(rows, nr, OUTPUT_WEIGHT_US, weights);
	for (size_t i = 0; i < nr; i++)
		assert_in_range(weights[i], rows[i].ns / 1000, rows[i].ns / 1000 + 1);
	for (size_t i = 0; i < nr && !err; i++)
		err = flamegraph__add(fg, rows[i].frames, rows[i].nr, rows[i].ns);
	assert_int_equal(err, -EOVERFLOW);
	free(weights);
	flamegraph__free(fg);
	drop(&res);
}

static void losses_without_end(void **state)
{
	struct trace_writer *w = create(1000);
	struct result res;
	const struct join_sum *lost;
	size_t nr;

	(void)state;
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(trace_writer__event(w, &(struct trace_event){
			.ts = 2000 + i, .type = TRACE_LOST,
			.lost = { .first = 1500, .count = UINT64_MAX - 1 } }), 0);
	finish(w, 3000);
	read_back(&res);
	lost = join__losses(res.j, &nr);
	assert_int_equal(nr, 1);
	assert_int_equal(lost[0].ns, UINT64_MAX);
	drop(&res);
}

/* Any attach, any end, any events. */
static void any_time(void **state)
{
	uint64_t seed = 20;

	(void)state;
	for (size_t a = 0; a < NR_TIMES; a++)
		for (size_t e = 0; e < NR_TIMES; e++) {
			struct trace_writer *w = create(times[a]);
			struct result res;

			for (int i = 0; i < 200; i++) {
				struct trace_event ev;
				uint64_t ts = below(&seed, 2) ? times[below(&seed, NR_TIMES)] :
						any(&seed);

				random_event(&seed, ts, below(&seed, 4) == 0, &ev);
				assert_int_equal(trace_writer__event(w, &ev), 0);
			}
			finish(w, times[e]);
			read_back(&res);
			assert_in_range(longest_bar(res.text), 0, 48);
			drop(&res);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tasks_of_all_time),
		cmocka_unit_test(losses_without_end),
		cmocka_unit_test(any_time),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
