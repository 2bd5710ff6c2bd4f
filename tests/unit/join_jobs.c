// SPDX-License-Identifier: GPL-2.0
/*
 * The split of a wait for a blocking job, against what a made-up job did, at random: each part to
 * the nanosecond, whether the wait begins before the job or within it, whether the job's end is
 * told before or after its wake, and of a job of so many pieces that not all are kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "join/join.h"
#include "join/jobs.h"
#include "join/sink.h"
#include "tests/unit/trace_path.h"
#include "tests/unit/trace_random.h"

#define TASK	0x10000ull
#define JOB	0x20000ull
#define WORKER	10
#define THREAD	20

enum { QUEUED, RUNNING, RUN_QUEUE, BLOCKED, DONE, UNKNOWN, NR };

static const char *const names[NR] = {
	"job queued", "job running", "job run queue", "job blocked", "job done", "job activity unknown",
};

/* How a job is made up. */
struct plan {
	uint64_t	sleeps;		/* how often it leaves its CPU */
	uint64_t	wait_at;	/* leaves so often before the wait begins; 0: wait first */
	bool		end_first;	/* its end is told before it wakes the task */
	bool		spawned;	/* its spawn is seen */
};

struct recording {
	struct trace_writer	*w;
	uint64_t		 seed, now;
	uint64_t		 from;		/* of the wait; 0: not begun */
	uint64_t		 parts[NR];	/* of the wait */
};

static void put(struct recording *rec, uint32_t tid, struct trace_event ev)
{
	ev.ts = rec->now;
	ev.tid = tid;
	assert_int_equal(trace_writer__event(rec->w, &ev), 0);
}

static void pass(struct recording *rec, int part)
{
	uint64_t ns = 1 + below(&rec->seed, 1000);

	rec->now += ns;
	if (rec->from)
		rec->parts[part] += ns;
}

static void wait(struct recording *rec)
{
	put(rec, WORKER, (struct trace_event){ .type = TRACE_POLL_END, .end = {
		.task = TASK, .chain = 1, .nr_keys = 1,
		.keys = { .value = { JOB }, .kind = { WALK_KEY_TASK } } } });
	rec->from = rec->now;
}

static void leave_cpu(struct recording *rec)
{
	struct trace_event ev = { .type = TRACE_OFF_CPU, .off = {
		.syscall = 0, .stack = 1 + (uint32_t)below(&rec->seed, 2) } };

	pass(rec, RUNNING);
	ev.off.out = rec->now;
	ev.off.reason = TRACE_OFF_PREEMPTED;
	if (below(&rec->seed, 3)) {
		ev.off.reason = TRACE_OFF_ASLEEP;
		pass(rec, BLOCKED);
		ev.off.wake = rec->now;
	}
	pass(rec, RUN_QUEUE);
	put(rec, THREAD, ev);
}

static void make(struct recording *rec, const struct plan *plan)
{
	static const struct trace_host host = { .hostname = "h", .kernel = "k", .machine = "m",
		.comm = "app", .exe = "app", .build_id = "", .tier = "full", .tier_hint = "",
		.runtime = "tokio", .pid = 1, .nr_cpus = 1, .attach_ts = 1000 };
	static const struct trace_node join[] = {
		{ TRACE_NODE_AWAIT, 0, 0xff, 1, 0, 0, 0, 4, "a::b", "a.rs", "a.rs" },
		{ TRACE_NODE_LEAF, WALK_KEY_TASK, 0, 0, 0, 0, 0, 0, "JoinHandle", "", "" } };
	static const char *const frames[] = { "pipe_read", "do_nanosleep" };

	assert_int_equal(trace_writer__new(path, &host, &rec->w), 0);
	trace_writer__chain(rec->w, &(struct trace_chain){ 1, 2, join, "" });
	for (uint32_t i = 1; i <= 2; i++) {
		trace_writer__stack(rec->w, &(struct trace_stack){ i, 1, frames + i - 1 });
		trace_writer__task_kind(rec->w, &(struct trace_task_kind){
			.id = i, .name = i == 1 ? "a::task" : "a::job", .name_long = "",
			.scheduler = "", .blocking = i == 2 });
	}
	rec->now = 1000;
	put(rec, WORKER, (struct trace_event){ .type = TRACE_TASK_NEW, .task = { TASK } });
	put(rec, WORKER, (struct trace_event){ .type = TRACE_POLL_BEGIN, .poll = { TASK, 1 } });
	if (plan->spawned)
		put(rec, WORKER, (struct trace_event){ .type = TRACE_TASK_NEW, .task = { JOB } });
	pass(rec, QUEUED);
	if (!plan->wait_at)
		wait(rec);
	pass(rec, QUEUED);
	put(rec, THREAD, (struct trace_event){ .type = TRACE_POLL_BEGIN, .poll = { JOB, 2 } });
	for (uint64_t i = 0; i < plan->sleeps; i++) {
		leave_cpu(rec);
		pass(rec, RUNNING);
		if (i + 1 == plan->wait_at)
			wait(rec);
	}
	pass(rec, RUNNING);
	if (plan->end_first) {
		put(rec, THREAD, (struct trace_event){ .type = TRACE_TASK_DROP, .task = { JOB } });
		pass(rec, DONE);
	}
	put(rec, THREAD, (struct trace_event){ .type = TRACE_WAKE, .task = { TASK } });
	rec->now++;
	if (!plan->end_first)
		put(rec, THREAD, (struct trace_event){ .type = TRACE_TASK_DROP, .task = { JOB } });
	put(rec, THREAD, (struct trace_event){ .type = TRACE_POLL_END, .end = {
		.task = JOB, .result = TRACE_POLL_READY } });
	assert_int_equal(trace_writer__finish(rec->w, &(struct trace_totals){
				.end_ts = rec->now + 1, .ended_by = "test" }), 0);
	trace_writer__free(rec->w);
}

static int nothing(struct sink *s, const struct task_interval *iv)
{
	(void)s;
	(void)iv;
	return 0;
}

/* The parts of the only wait, as the join has them; with a sink that wants places or without. */
static void joined(uint64_t parts[NR], uint64_t *total, bool placed, bool spawned)
{
	static const struct sink_ops ops = { .placed = true, .interval = nothing };
	struct sink sink = { .ops = &ops };
	const struct join_point *points;
	const struct join_job *jobs;
	struct trace_reader *r;
	const char *why;
	struct join *j;
	size_t nr;

	assert_int_equal(trace_reader__open(path, &r, &why), 0);
	assert_int_equal(join__new(r, &j), 0);
	if (placed)
		join__add_sink(j, &sink);
	assert_int_equal(join__run(j), 0);
	points = join__points(j, &nr);
	assert_int_equal(nr, 1);
	memset(parts, 0, NR * sizeof(*parts));
	for (size_t i = 0; i < points[0].nr_split; i++) {
		int part = 0;

		while (part < NR && strcmp(names[part], points[0].split[i].name))
			part++;
		if (part == NR)
			fail_msg("a part \"%s\"", points[0].split[i].name);
		parts[part] += points[0].split[i].ns;
	}
	*total = points[0].await_ns;
	jobs = join__jobs(j, &nr);
	assert_int_equal(nr, 1);
	assert_int_equal(jobs[0].count, 1);
	assert_int_equal(jobs[0].run.count, 1);
	assert_int_equal(jobs[0].queue_from_wait, !spawned && jobs[0].queue.count);
	join__free(j);
	trace_reader__free(r);
}

static void compare(uint64_t seed, const uint64_t want[NR], const uint64_t got[NR])
{
	for (int i = 0; i < NR; i++)
		if (want[i] != got[i])
			fail_msg("seed %llu: %s %llu, not %llu", (unsigned long long)seed, names[i],
				 (unsigned long long)got[i], (unsigned long long)want[i]);
}

static void exact(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct recording rec = { .seed = seed };
		struct plan plan = { .sleeps = below(&rec.seed, 20),
				     .end_first = below(&rec.seed, 2),
				     .spawned = below(&rec.seed, 2) };
		uint64_t got[NR], total;

		plan.wait_at = plan.sleeps ? below(&rec.seed, plan.sleeps + 1) : 0;
		make(&rec, &plan);
		for (int placed = 0; placed < 2; placed++) {
			joined(got, &total, placed, plan.spawned);
			compare(seed, rec.parts, got);
		}
	}
}

/* Sums are as good where the wait is for all of the job. */
static void of_many_pieces(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct recording rec = { .seed = seed };
		struct plan plan = { .sleeps = JOB_PIECES_MAX * seed, .end_first = seed & 1 };
		uint64_t got[NR], total;

		make(&rec, &plan);
		for (int placed = 0; placed < 2; placed++) {
			joined(got, &total, placed, false);
			compare(seed, rec.parts, got);
		}
	}
}

/* Where it is not, what was before is not known, and nothing else. */
static void of_some_of_many_pieces(void **state)
{
	uint64_t unknown = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct recording rec = { .seed = seed };
		struct plan plan = { .sleeps = JOB_PIECES_MAX, .wait_at = seed * 40 };
		uint64_t got[NR], total, sum = 0, want = 0;

		make(&rec, &plan);
		joined(got, &total, false, false);
		for (int i = 0; i < NR; i++) {
			assert_true(i == UNKNOWN || got[i] <= rec.parts[i]);
			sum += got[i];
			want += rec.parts[i];
		}
		assert_int_equal(sum, want);
		assert_int_equal(total, want);
		unknown += got[UNKNOWN] > 0;
		/* at least so many of the last pieces are kept */
		assert_true(got[UNKNOWN] < want);
	}
	assert_in_range(unknown, 5, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact),
		cmocka_unit_test(of_many_pieces),
		cmocka_unit_test(of_some_of_many_pieces),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
