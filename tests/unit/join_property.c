// SPDX-License-Identifier: GPL-2.0
/*
 * What must hold of any join, over random recordings by seed: time is
 * conserved to the nanosecond, all outputs show the same time, equal recordings
 * give equal output; and the same for placed intervals, which leave no gaps.
 *
 * Half of the recordings are of a simulated runtime, whose truth is known;
 * the others are events without any sense.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "join/episodes.h"
#include "join/join.h"
#include "join/sink.h"
#include "join/follow.h"
#include "join/task_history.h"
#include "join/timeline.h"
#include "output/folded.h"
#include "tests/unit/trace_path.h"
#include "tests/unit/trace_random.h"

static const struct trace_host host = { .hostname = "h", .kernel = "k", .machine = "m",
	.comm = "app", .exe = "app", .build_id = "", .tier = "full", .tier_hint = "",
	.runtime = "tokio", .pid = 1, .nr_cpus = 3, .attach_ts = 1000000 };

static struct trace_writer *create(void)
{
	static const struct trace_node io[] = {
		{ TRACE_NODE_AWAIT, 0, 0xff, 1, 0, 0, 0, 3, "a::io", "a.rs", "a.rs" },
		{ TRACE_NODE_LEAF, WALK_KEY_IO, 0, 0, 0, 0, 0, 0, "Readiness", "", "" } };
	static const struct trace_node sleep[] = {
		{ TRACE_NODE_AWAIT, 0, 0xff, 1, 0, 0, 0, 4, "a::sleep", "a.rs", "a.rs" },
		{ TRACE_NODE_LEAF, WALK_KEY_DEADLINE, 0, 0, 0, 0, 0, 0, "Sleep", "", "" } };
	static const struct trace_node both[] = {
		{ TRACE_NODE_WRAPPER, 0, 0xff, 3, 0, 0, 0, 0, "select!", "", "" },
		{ TRACE_NODE_LEAF, WALK_KEY_IO, 0, 0, 0, 0, 0, 0, "Readiness", "", "" },
		{ TRACE_NODE_LEAF, WALK_KEY_DEADLINE, 1, 0, 0, 0, 0, 0, "Sleep", "", "" },
		{ TRACE_NODE_LEAF, WALK_KEY_TASK, 2, 0, 0, 0, 0, 0, "JoinHandle", "", "" } };
	static const struct trace_node join[] = {
		{ TRACE_NODE_AWAIT, 0, 0xff, 1, 0, 0, 0, 5, "a::join", "a.rs", "a.rs" },
		{ TRACE_NODE_LEAF, WALK_KEY_TASK, 0, 0, 0, 0, 0, 0, "JoinHandle", "", "" } };
	static const struct trace_node blind[] = {
		{ TRACE_NODE_OPAQUE, 0, 0xff, 0, 0, 0, 0, 0, "hyper::Connection", "", "" } };
	static const struct trace_node operation[] = {
		{ TRACE_NODE_WRAPPER, 0, 0xff, 2, 0, 0, 0, 0, "select!", "", "" },
		{ TRACE_NODE_LEAF, WALK_KEY_OPERATION, 0, 0, 0, 0, 0, 0, "Op", "", "" },
		{ TRACE_NODE_LEAF, WALK_KEY_DEADLINE, 1, 0, 0, 0, 0, 0, "Sleep", "", "" } };
	static const char *const frames[] = { "pipe_read", "vfs_read" };
	struct trace_writer *w;

	assert_int_equal(trace_writer__new(path, &host, &w), 0);
	for (uint32_t i = 1; i <= 3; i++)
		trace_writer__task_kind(w, &(struct trace_task_kind){ i, i == 1 ? "a::one" : "a::two",
								       "", "", i == 3, i == 2, 0, 0 });
	trace_writer__chain(w, &(struct trace_chain){ 1, 2, io, "" });
	trace_writer__chain(w, &(struct trace_chain){ 2, 2, sleep, "" });
	trace_writer__chain(w, &(struct trace_chain){ 3, 4, both, "" });
	trace_writer__chain(w, &(struct trace_chain){ 4, 1, blind, "" });
	trace_writer__chain(w, &(struct trace_chain){ 5, 2, join, "" });
	trace_writer__chain(w, &(struct trace_chain){ 6, 3, operation, "" });
	trace_writer__stack(w, &(struct trace_stack){ 1, 2, frames });
	trace_writer__string(w, "tcp 10.0.0.1:80");
	return w;
}

static void finish(struct trace_writer *w, uint64_t end)
{
	assert_int_equal(trace_writer__finish(w, &(struct trace_totals){ .end_ts = end,
									 .ended_by = "test" }), 0);
	trace_writer__free(w);
}

/* ---- intervals ---- */

#define KEPT_MAX	512	/* fewer than a join passes on, now and then */

/* A sink that keeps all of them, and the tasks' histories beside it. */
struct intervals {
	struct sink		 sink;
	struct join		*join;
	struct task_histories	*histories;
	struct task_interval	*list;
	size_t			 nr, size;
	struct episodes		*episodes;
	struct map		 ends;		/* by life: when its last episode ended */
	uint64_t		 segments[JOIN_SEGMENT_NR], lives;	/* of all episodes */
};

/* The episodes of a life leave no gaps, and each is as long as its parts. */
static int check_episode(void *ctx, const struct episode *e)
{
	struct intervals *all = ctx;
	uint64_t *to = map__get(&all->ends, e->of.life), sum = 0, parts = 0;

	assert_int_equal(!to, e->first);
	assert_int_equal(e->from, to ? *to : e->of.born);
	assert_true(e->to >= e->from);
	for (int s = 0; s < JOIN_SEGMENT_NR; s++) {
		sum += e->segments[s];
		all->segments[s] += e->segments[s];
	}
	for (uint32_t i = 0; i < e->parts.nr; i++)
		parts += e->parts.list[i].ns;
	assert_int_equal(sum, e->to - e->from);
	assert_int_equal(parts, sum);
	assert_true(e->parts.nr <= EPISODE_PARTS);
	if (!to) {
		to = calloc(1, sizeof(*to));
		assert_int_equal(map__add(&all->ends, e->of.life, to), 0);
	}
	*to = e->to;
	if (!e->last)
		return 0;
	all->lives++;
	map__del(&all->ends, e->of.life);
	free(to);
	return 0;
}

static int keep(struct sink *s, const struct task_interval *iv)
{
	struct intervals *all = (struct intervals *)s;

	if (all->nr == all->size) {
		all->size = all->size ? all->size * 2 : 1024;
		all->list = reallocarray(all->list, all->size, sizeof(*all->list));
		assert_non_null(all->list);
	}
	all->list[all->nr++] = *iv;
	return 0;
}

static void intervals__begin(struct intervals *all, struct join *j)
{
	static const struct sink_ops ops = { .placed = true, .interval = keep };

	*all = (struct intervals){ .sink.ops = &ops, .join = j,
				   .histories = task_histories__new(KEPT_MAX),
				   .episodes = episodes__new(check_episode, all) };
	assert_non_null(all->histories);
	assert_non_null(all->episodes);
	join__add_sink(j, episodes__sink(all->episodes));
	join__add_sink(j, &all->sink);
	join__add_sink(j, task_histories__sink(all->histories));
}

static int by_life(const void *a, const void *b)
{
	const struct task_interval *x = a, *y = b;

	if (x->of.life != y->of.life)
		return x->of.life < y->of.life ? -1 : 1;
	return x->piece.from < y->piece.from ? -1 : x->piece.from > y->piece.from;
}

/* Where a history is divided: each piece must be the one before in the list. */
struct backwards {
	const struct task_interval	*iv, *first;
	uint64_t			 to;
	bool				 unknown;
};

static void one_back(void *arg, const struct task_past *p)
{
	const struct task_interval *iv = &p->iv;
	struct backwards *b = arg;

	assert_int_equal(iv->piece.from + iv->piece.ns, b->to);
	b->to = iv->piece.from;
	if (p->known) {
		b->unknown = true;
		while (b->iv >= b->first && b->iv->piece.from >= b->to)
			b->iv--;
		return;
	}
	assert_true(b->iv >= b->first);
	assert_int_equal(iv->of.life, b->iv->of.life);
	assert_int_equal(iv->of.kind, b->iv->of.kind);
	assert_int_equal(iv->of.chain, b->iv->of.chain);
	assert_int_equal(iv->of.branch, b->iv->of.branch);
	assert_int_equal(iv->piece.segment, b->iv->piece.segment);
	assert_int_equal(iv->piece.part, b->iv->piece.part);
	assert_int_equal(iv->piece.from, b->iv->piece.from);
	assert_int_equal(iv->piece.ns, b->iv->piece.ns);
	b->iv--;
}

/* A life: @nr of its intervals. Not known is only what was forgotten. */
static void check_history(const struct task_histories *h, const struct task_interval *list,
			  size_t nr)
{
	const struct task_interval *last = &list[nr - 1];
	struct backwards b = { .iv = last, .first = list,
			       .to = last->piece.from + last->piece.ns };
	uint64_t oldest, next;

	task_histories__divide(h, last->of.life, 0, last->of.born, b.to, one_back, &b);
	assert_int_equal(b.to, last->of.born);
	assert_ptr_equal(b.iv + 1, list);
	task_histories__range(h, &oldest, &next);
	assert_true(!b.unknown || oldest > 1);
}

/* Those of one life have no holes and do not overlap; all together are the totals. */
static void intervals__check(struct intervals *all, uint64_t seed, const struct join_totals *t)
{
	uint64_t segments[JOIN_SEGMENT_NR] = { 0 };
	size_t first = 0;

	if (all->nr)
		qsort(all->list, all->nr, sizeof(*all->list), by_life);
	for (size_t i = 0; i < all->nr; i++) {
		const struct task_interval *iv = &all->list[i];
		bool begins = !i || iv[-1].of.life != iv->of.life;
		uint64_t want = begins ? iv->of.born : iv[-1].piece.from + iv[-1].piece.ns;

		if (iv->piece.from != want)
			fail_msg("seed %llu: life %llu, segment %u, part %u: from %llu, not %llu",
				 (unsigned long long)seed, (unsigned long long)iv->of.life,
				 iv->piece.segment, iv->piece.part,
				 (unsigned long long)iv->piece.from, (unsigned long long)want);
		if (iv->piece.segment == JOIN_READY && iv->piece.part == PART_STOPPED)
			assert_int_equal(stops__within(&all->join->stops, iv->piece.from,
						       iv->piece.from + iv->piece.ns),
					 iv->piece.ns);
		segments[iv->piece.segment] += iv->piece.ns;
		first = begins ? i : first;
		if (i + 1 == all->nr || iv[1].of.life != iv->of.life)
			check_history(all->histories, &all->list[first], i + 1 - first);
	}
	assert_memory_equal(segments, t->segments, sizeof(segments));
	/* Each life has told its end. */
	assert_memory_equal(all->segments, t->segments, sizeof(segments));
	assert_int_equal(all->ends.nr, 0);
	assert_true(all->lives <= t->tasks_seen);
	map__clear(&all->ends);
	episodes__free(all->episodes);
	task_histories__free(all->histories);
	free(all->list);
}

static size_t nr_segments(const struct join_row *row)
{
	size_t nr = 0;

	for (uint32_t i = 0; i < row->nr; i++)
		nr += row->frames[i].kind == JOIN_FRAME_SEGMENT;
	return nr;
}

/* Siblings from @list on: what is below each adds up to it. Returns their time. */
static uint64_t followed_ns(const struct join_followed *list, size_t nr)
{
	uint64_t all = 0;

	for (size_t i = 0; i < nr; i += 1 + list[i].below) {
		assert_true(list[i].ns > 0);
		if (list[i].below)
			assert_int_equal(followed_ns(&list[i + 1], list[i].below), list[i].ns);
		all += list[i].ns;
	}
	return all;
}

/*
 * Join and check what must always hold; with @all (not initialised) of the intervals, too.
 * The caller frees.
 */
static struct join *joined(uint64_t seed, struct trace_reader **r, struct intervals *all)
{
	const struct join_totals *t;
	const struct join_point *points;
	const struct join_row *rows;
	uint64_t sum = 0, by_segment[JOIN_SEGMENT_NR] = { 0 }, awaited = 0;
	uint64_t *weights;
	const char *why;
	struct join *j;
	size_t nr;
	int err;

	assert_int_equal(trace_reader__open(path, r, &why), 0);
	assert_int_equal(join__new(*r, &j), 0);
	if (all)
		intervals__begin(all, j);
	/* What it adds to rows changes no sum. */
	if (all && seed % 2)
		assert_int_equal(follow__begin(j, 8u << seed / 2 % 8, 1 + seed % 6), 0);
	err = join__run(j);
	if (err)
		fail_msg("seed %llu: %d: %s", (unsigned long long)seed, err, join__why(j));
	t = join__totals(j);
	if (all)
		intervals__check(all, seed, t);
	for (int i = 0; i < JOIN_SEGMENT_NR; i++)
		sum += t->segments[i];
	assert_int_equal(sum, t->lifetime_ns);

	rows = join__rows(j, &nr);
	sum = 0;
	for (size_t i = 0; i < nr; i++) {
		sum += rows[i].ns;
		by_segment[rows[i].segment] += rows[i].ns;
		assert_true(rows[i].ns > 0);
		assert_int_equal(rows[i].frames[0].kind, JOIN_FRAME_COMM);
		assert_int_equal(rows[i].frames[1].kind, JOIN_FRAME_TASK);
		assert_int_equal(nr_segments(&rows[i]), 1);
	}
	assert_int_equal(sum, t->lifetime_ns);
	assert_memory_equal(by_segment, t->segments, sizeof(by_segment));
	weights = calloc(nr + 1, sizeof(*weights));
	output_folded__weights(rows, nr, OUTPUT_WEIGHT_US, weights);
	sum = 0;
	for (size_t i = 0; i < nr; i++)
		sum += weights[i];
	assert_int_equal(sum, (t->lifetime_ns + 500) / 1000);
	free(weights);

	points = join__points(j, &nr);
	for (size_t i = 0; i < nr; i++) {
		uint64_t split = 0;

		assert_true(followed_ns(points[i].followed, points[i].nr_followed) <=
			    points[i].await_ns);
		for (size_t k = 0; k < points[i].nr_split; k++)
			split += points[i].split[k].ns;
		assert_int_equal(split, points[i].await_ns);
		assert_true(points[i].await.p50 <= points[i].await.p99);
		assert_true(points[i].await.p99 <= points[i].await.max);
		assert_int_equal(points[i].await.count, points[i].count);
		awaited += points[i].await_ns;
	}
	assert_int_equal(awaited, t->segments[JOIN_AWAIT]);
	return j;
}

static char *output_of(const struct join *j, const struct trace_reader *r, const char *format)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(output_format__write(output_format__find(format), j, r, NULL, out), 0);
	fclose(out);
	return text;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ull;
	return hash;
}

/* What the report is without its trees of what was followed. */
static char *without_trees(char *json)
{
	json_t *o = json_loads(json, 0, NULL), *point;
	size_t i;

	assert_non_null(o);
	json_object_del(json_object_get(o, "selection"), "follow");
	json_array_foreach(json_object_get(o, "await_points"), i, point)
		json_object_del(point, "followed");
	free(json);
	json = json_dumps(o, JSON_INDENT(2));
	json_decref(o);
	return json;
}

/* Of both reports, but for what --follow adds; the one for people has no mark where that ends. */
static uint64_t hash_output(struct join *j, struct trace_reader *r, bool text_too)
{
	char *json = without_trees(output_of(j, r, "json")), *text = output_of(j, r, "text");
	uint64_t hash = hash_text(0xcbf29ce484222325ull, json);

	if (text_too)
		hash = hash_text(hash, text);
	free(json);
	free(text);
	return hash;
}

/* Events without sense, in any order, with losses; some outside the recording. */
static void nonsense(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 400; seed++) {
		struct trace_writer *w = create();
		uint64_t s = seed, ts = 999000, hash;
		struct intervals all;
		struct trace_reader *r;
		struct join *j;

		for (int i = 0; i < 400; i++) {
			struct trace_event ev;

			ts += below(&s, 2000);
			random_event(&s, ts, seed % 4 == 0, &ev);
			if (ev.type == TRACE_PROCESS_EXIT ||
			    (ev.type == TRACE_LOST && below(&s, 8)))
				continue;
			assert_int_equal(trace_writer__event(w, &ev), 0);
		}
		finish(w, ts - below(&s, 5000));
		j = joined(seed, &r, NULL);
		hash = hash_output(j, r, seed % 2 == 0);
		join__free(j);
		trace_reader__free(r);
		j = joined(seed, &r, &all);
		assert_int_equal(hash_output(j, r, seed % 2 == 0), hash);
		join__free(j);
		trace_reader__free(r);
	}
}

/* ---- a runtime ---- */

#define NR_TASKS	8
#define NR_THREADS	3

struct sim_task {
	uint64_t	addr, start;
	int		state;		/* 0 none, 1 ready, 2 running, 3 idle, 4 done */
	int		waits;
	int		joiner;		/* of a job: the task that waits for it, + 1; 0: none */
	bool		joins;		/* it waits for a job */
};

struct sim {
	struct trace_writer	*w;
	uint64_t		 seed, now, truth[JOIN_SEGMENT_NR], lifetime, waits;
	uint64_t		 joined;	/* ns of waits that jobs ended */
	struct sim_task		 tasks[NR_TASKS];
	uint64_t		 since[NR_TASKS];
	int			 polled[NR_THREADS];	/* task or -1 */
};

static void put(struct sim *s, int thread, struct trace_event ev)
{
	ev.ts = s->now;
	ev.tid = 100 + (uint32_t)thread;
	ev.cpu = (uint16_t)thread;
	assert_int_equal(trace_writer__event(s->w, &ev), 0);
}

static void spend(struct sim *s, int i, enum join_segment segment)
{
	s->truth[segment] += s->now - s->since[i];
	s->since[i] = s->now;
}

/* Those of kind 3. */
static bool is_job(int i)
{
	return i % 3 == 2;
}

/* A job that has not ended and that nobody waits for; -1: none. */
static int some_job(struct sim *s)
{
	int i = (int)below(&s->seed, NR_TASKS);
	const struct sim_task *t = &s->tasks[i];

	return is_job(i) && (t->state == 1 || t->state == 2) && !t->joiner ? i : -1;
}

/* Job @i ends: who waits for it is woken, before or after that is told. */
static void end_job(struct sim *s, int th, int i)
{
	struct sim_task *t = &s->tasks[i];
	struct trace_event drop = { .type = TRACE_TASK_DROP, .task = { t->addr } };
	bool first = below(&s->seed, 2);

	if (first) {
		put(s, th, drop);
		spend(s, i, JOIN_RUNNING);
		s->lifetime += s->now - t->start;
		s->now += below(&s->seed, 20);
	}
	if (t->joiner) {
		int joiner = t->joiner - 1;

		put(s, th, (struct trace_event){ .type = TRACE_WAKE,
						 .task = { s->tasks[joiner].addr } });
		s->joined += s->now - s->since[joiner];
		spend(s, joiner, JOIN_AWAIT);
		s->waits++;
		s->tasks[joiner].state = 1;
		s->tasks[joiner].joins = false;
		t->joiner = 0;
	}
	put(s, th, (struct trace_event){ .type = TRACE_POLL_END, .end = {
		.task = t->addr, .result = TRACE_POLL_READY } });
	if (!first) {
		spend(s, i, JOIN_RUNNING);
		s->lifetime += s->now - t->start;
	}
	t->state = 4;
}

/* Task @t, polled on @th, begins to wait for a job, if there is one. */
static bool join_job(struct sim *s, int th, struct sim_task *t)
{
	int job = some_job(s);

	if (job < 0)
		return false;
	put(s, th, (struct trace_event){ .type = TRACE_POLL_END, .end = {
		.task = t->addr, .chain = 5, .nr_keys = 1,
		.keys = { .value = { s->tasks[job].addr }, .kind = { WALK_KEY_TASK } } } });
	s->tasks[job].joiner = (int)(t - s->tasks) + 1;
	t->joins = true;
	return true;
}

/* Something becomes of the operation of task @i, more often than not. */
static bool operates(struct sim *s, int th, int i)
{
	uint64_t what = below(&s->seed, 8);
	uint32_t ring = 1 + (uint32_t)below(&s->seed, 2);

	if (what > TRACE_URING_OVERFLOW)
		return false;
	if (!what)
		put(s, th, (struct trace_event){ .type = TRACE_URING_SUBMIT, .submit = {
			.user_data = (uint64_t)i, .ring = ring, .opcode = 22,
			.fd = (int32_t)below(&s->seed, 4) - 2 } });
	else
		put(s, th, (struct trace_event){ .type = TRACE_URING_STEP, .step = {
			.user_data = (uint64_t)i, .ring = ring, .step = (uint8_t)what,
			.flags = (uint32_t)below(&s->seed, 4),
			.res = (int32_t)below(&s->seed, 8) } });
	return true;
}

/* An idle thread takes a task, or wakes one; a polling one ends, or sleeps. */
static void step(struct sim *s)
{
	int th = (int)below(&s->seed, NR_THREADS), i = (int)below(&s->seed, NR_TASKS);
	struct sim_task *t = &s->tasks[i];
	uint64_t token = 0x7000 + 0x80 * (uint64_t)i;

	s->now += 1 + below(&s->seed, 3000);
	if (s->polled[th] >= 0) {
		i = s->polled[th];
		t = &s->tasks[i];
		switch (below(&s->seed, is_job(i) ? 2 : 4)) {
		case 0: {	/* off the CPU for a while, nothing else happens here */
			uint64_t out = s->now, wake;

			spend(s, i, JOIN_RUNNING);
			s->now += 1 + below(&s->seed, 500);
			wake = s->now;
			spend(s, i, JOIN_BLOCKED);
			s->now += below(&s->seed, 100);
			spend(s, i, JOIN_PREEMPTED);
			put(s, th, (struct trace_event){ .type = TRACE_OFF_CPU, .off = {
				.out = out, .wake = wake, .reason = TRACE_OFF_ASLEEP, .stack = 1,
				.syscall = 0 } });
			return;
		}
		case 1:
			if (is_job(i)) {
				end_job(s, th, i);
				break;
			}
			put(s, th, (struct trace_event){ .type = TRACE_POLL_END, .end = {
				.task = t->addr, .result = TRACE_POLL_READY } });
			spend(s, i, JOIN_RUNNING);
			s->lifetime += s->now - t->start;
			t->state = 4;
			break;
		case 2:		/* an operation, of the task's own number */
			put(s, th, (struct trace_event){ .type = TRACE_POLL_END, .end = {
				.task = t->addr, .chain = 6, .nr_keys = 2,
				.keys = { .value = { (uint64_t)i, s->now + below(&s->seed, 9000) },
					  .kind = { WALK_KEY_OPERATION, WALK_KEY_DEADLINE } } } });
			spend(s, i, JOIN_RUNNING);
			t->state = 3;
			t->waits++;
			break;
		default:
			if (!join_job(s, th, t))
				put(s, th, (struct trace_event){ .type = TRACE_POLL_END, .end = {
					.task = t->addr, .chain = 1 + (uint32_t)below(&s->seed, 4),
					.nr_keys = 2,
					.keys = { .value = { token,
							     s->now + below(&s->seed, 9000) },
						  .kind = { WALK_KEY_IO, WALK_KEY_DEADLINE },
						  .dir = { WALK_DIR_READ } } } });
			spend(s, i, JOIN_RUNNING);
			t->state = 3;
			t->waits++;
			break;
		}
		s->polled[th] = -1;
		return;
	}
	switch (t->state) {
	case 4:
		put(s, th, (struct trace_event){ .type = TRACE_TASK_DROP, .task = { t->addr } });
		t->state = 0;
		break;
	case 0:
		t->addr = 0x10000 + 0x100 * (uint64_t)i;
		t->start = s->since[i] = s->now;
		t->state = 1;
		put(s, th, (struct trace_event){ .type = TRACE_TASK_NEW, .task = { t->addr } });
		break;
	case 1:
		put(s, th, (struct trace_event){ .type = TRACE_POLL_BEGIN, .poll = {
			t->addr, 1 + (uint32_t)i % 3 } });
		spend(s, i, JOIN_READY);
		t->state = 2;
		s->polled[th] = i;
		break;
	case 3:
		if (t->joins)
			break;		/* until the job's end */
		if (operates(s, th, i))
			return;
		if (below(&s->seed, 2)) {
			put(s, th, (struct trace_event){ .type = TRACE_EPOLL_WAIT,
							 .epoll = { 1, 5 } });
			put(s, th, (struct trace_event){ .type = TRACE_EPOLL_READY, .ready = {
				.token = token, .events = 1,
				.ready = s->now - below(&s->seed, 4000),
				.reader = below(&s->seed, 2) ? t->addr : 0 } });
			s->now += below(&s->seed, 50);
		}
		put(s, th, (struct trace_event){ .type = TRACE_WAKE, .task = { t->addr } });
		spend(s, i, JOIN_AWAIT);
		s->waits++;
		t->state = 1;
		break;
	}
}

/* The time of waits for jobs that is split by what these did. */
static uint64_t by_jobs(const struct join_point *points, size_t nr)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < nr; i++)
		for (size_t k = 0; k < points[i].nr_split; k++)
			if (!strncmp(points[i].split[k].name, "job ", 4))
				ns += points[i].split[k].ns;
	return ns;
}

static void runtime(void **state)
{
	uint64_t joined_ns = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 150; seed++) {
		struct sim s = { .w = create(), .seed = seed, .now = host.attach_ts,
				 .polled = { -1, -1, -1 } };
		struct intervals all;
		const struct join_point *points;
		uint64_t waits = 0;
		struct trace_reader *r;
		struct join *j;
		size_t nr;

		for (int i = 0; i < 600; i++)
			step(&s);
		s.now += 100;
		for (int i = 0; i < NR_TASKS; i++) {
			static const int segment[] = { -1, JOIN_READY, JOIN_RUNNING, JOIN_AWAIT,
						       -1 };

			if (segment[s.tasks[i].state] < 0)
				continue;
			spend(&s, i, (enum join_segment)segment[s.tasks[i].state]);
			s.lifetime += s.now - s.tasks[i].start;
		}
		finish(s.w, s.now);
		j = joined(seed, &r, &all);
		for (int i = 0; i < JOIN_SEGMENT_NR; i++)
			if (join__totals(j)->segments[i] != s.truth[i])
				fail_msg("seed %llu: %s is %llu ns, not %llu", (unsigned long long)seed,
					 join_segment__name(i),
					 (unsigned long long)join__totals(j)->segments[i],
					 (unsigned long long)s.truth[i]);
		assert_int_equal(join__totals(j)->lifetime_ns, s.lifetime);
		points = join__points(j, &nr);
		for (size_t i = 0; i < nr; i++)
			waits += points[i].count;
		assert_int_equal(waits, s.waits);
		/* more in waits that are open at the end */
		assert_true(by_jobs(points, nr) >= s.joined);
		joined_ns += s.joined;
		join__losses(j, &nr);
		for (size_t i = 0; i < nr; i++)
			assert_string_equal(join__losses(j, &nr)[i].name,
					    "worker activity no longer kept");
		join__free(j);
		trace_reader__free(r);
	}
	assert_true(joined_ns > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nonsense),
		cmocka_unit_test(runtime),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
