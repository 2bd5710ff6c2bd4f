// SPDX-License-Identifier: GPL-2.0
/*
 * Trace files: metadata, order, truncation at any byte, full disks.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/trace_path.h"
#include "tests/unit/trace_random.h"
#include "trace/chunk.h"
#include "trace/codec.h"
#include "trace/trace.h"

static const struct trace_host host = {
	.hostname = "h", .kernel = "6.12", .machine = "x86_64", .comm = "app", .exe = "app",
	.build_id = "00ff", .tier = "full", .tier_hint = "", .runtime = "tokio", .pid = 42,
	.nr_cpus = 3, .attach_ts = 1000, .realtime_ns = 77,
};
static const struct trace_totals totals = { .end_ts = 1ull << 50, .probe_hits = 5, .cpu_ns = 6,
					    .target_cpu_ns = 7, .ended_by = "duration" };

static struct trace_writer *create(void)
{
	struct trace_writer *w;

	assert_int_equal(trace_writer__new(path, &host, &w), 0);
	return w;
}

static struct trace_reader *reopen(const char *file)
{
	struct trace_reader *r;
	const char *why;
	int err = trace_reader__open(file, &r, &why);

	if (err)
		fail_msg("open: %d (%s)", err, why);
	return r;
}

static void put_event(struct trace_writer *w, uint64_t ts, uint16_t cpu, uint64_t task)
{
	struct trace_event ev = { .ts = ts, .cpu = cpu, .tid = 10u + cpu, .type = TRACE_WAKE,
				  .task = { task } };

	assert_int_equal(trace_writer__event(w, &ev), 0);
}

static void metadata(void **state)
{
	struct trace_node nodes[] = {
		{ TRACE_NODE_AWAIT, 0, 0xff, 1, 1, 0, 0, 12, "a::b", "b.rs", "/src/b.rs" },
		{ TRACE_NODE_LEAF, WALK_KEY_IO, 0, 0, 0, 0, 0, 0, "Readiness", "", "" },
	};
	const char *frames[] = { "pipe_read", "vfs_read" };
	struct trace_user_frame callers[] = { { "read", "", 0 }, { "a::b", "/src/b.rs", 70000 } };
	struct trace_user_stack called = { .id = 3, .nr = 2, .frames = callers };
	struct trace_writer *w = create();
	struct trace_reader *r;
	const struct trace_chain *c;
	const char *const *notes, *cause;
	uint64_t total;
	uint32_t id;
	size_t nr;

	(void)state;
	id = trace_writer__string(w, "tcp 10.0.0.1:80");
	assert_int_not_equal(id, 0);
	assert_int_equal(trace_writer__string(w, "tcp 10.0.0.1:80"), id);
	assert_int_not_equal(trace_writer__string(w, "another"), id);
	assert_int_equal(trace_writer__task_kind(w, &(struct trace_task_kind){ 7, "k", "kk", "s", 1, 0, 1, 0 }), 0);
	assert_int_equal(trace_writer__task_kind(w, &(struct trace_task_kind){ 9, "l", "ll", "s", 0, 1, 0, 0 }), 0);
	assert_int_equal(trace_writer__chain(w, &(struct trace_chain){ 0xfffffff0u, 2, nodes, "" }), 0);
	assert_int_equal(trace_writer__stack(w, &(struct trace_stack){ 3, 2, frames }), 0);
	assert_int_equal(trace_writer__user_stack(w, &called), 0);
	called.id++;
	called.in_poll = 1;
	called.end = TRACE_STACK_CUT;
	called.of_task = 1;
	assert_int_equal(trace_writer__user_stack(w, &called), 0);
	assert_int_equal(trace_writer__thread(w, &(struct trace_thread){ 10, "old" }), 0);
	assert_int_equal(trace_writer__thread(w, &(struct trace_thread){ 10, "new" }), 0);
	assert_int_equal(trace_writer__note(w, "a note"), 0);
	assert_int_equal(trace_writer__loss(w, "ring", 4), 0);
	assert_int_equal(trace_writer__flush(w), 0);
	assert_int_equal(trace_writer__loss(w, "ring", 9), 0);
	assert_int_equal(trace_writer__finish(w, &totals), 0);
	trace_writer__free(w);

	r = reopen(path);
	assert_null(trace_reader__torn(r));
	assert_string_equal(trace_reader__host(r)->comm, "app");
	assert_string_equal(trace_reader__host(r)->build_id, "00ff");
	assert_int_equal(trace_reader__host(r)->attach_ts, 1000);
	assert_string_equal(trace_reader__string(r, id), "tcp 10.0.0.1:80");
	assert_null(trace_reader__string(r, 12345));
	assert_string_equal(trace_reader__task_kind(r, 7)->name_long, "kk");
	assert_int_equal(trace_reader__task_kind(r, 7)->blocking, 1);
	assert_int_equal(trace_reader__task_kind(r, 7)->unseen_spawns, 0);
	assert_int_equal(trace_reader__task_kind(r, 7)->root, 1);
	assert_int_equal(trace_reader__task_kind(r, 9)->root, 0);
	assert_int_equal(trace_reader__task_kind(r, 9)->blocking, 0);
	assert_int_equal(trace_reader__task_kind(r, 9)->unseen_spawns, 1);
	assert_null(trace_reader__task_kind(r, 8));
	c = trace_reader__chain(r, 0xfffffff0u);
	assert_int_equal(c->nr, 2);
	assert_string_equal(c->nodes[0].file, "b.rs");
	assert_int_equal(c->nodes[0].line, 12);
	assert_int_equal(c->nodes[1].key, WALK_KEY_IO);
	assert_string_equal(trace_reader__stack(r, 3)->frames[1], "vfs_read");
	assert_int_equal(trace_reader__user_stack(r, 3)->nr, 2);
	assert_string_equal(trace_reader__user_stack(r, 3)->frames[0].function, "read");
	assert_string_equal(trace_reader__user_stack(r, 3)->frames[1].path, "/src/b.rs");
	assert_int_equal(trace_reader__user_stack(r, 3)->frames[1].line, 70000);
	assert_int_equal(trace_reader__user_stack(r, 3)->end, TRACE_STACK_NOT_KNOWN);
	assert_int_equal(trace_reader__user_stack(r, 3)->in_poll, 0);
	assert_int_equal(trace_reader__user_stack(r, 4)->end, TRACE_STACK_CUT);
	assert_int_equal(trace_reader__user_stack(r, 4)->in_poll, 1);
	assert_int_equal(trace_reader__user_stack(r, 3)->of_task, 0);
	assert_int_equal(trace_reader__user_stack(r, 4)->of_task, 1);
	assert_null(trace_reader__user_stack(r, 5));
	assert_string_equal(trace_reader__thread_name(r, 10), "new");
	notes = trace_reader__notes(r, &nr);
	assert_int_equal(nr, 1);
	assert_string_equal(notes[0], "a note");
	assert_true(trace_reader__loss(r, 0, &cause, &total));
	assert_string_equal(cause, "ring");
	assert_int_equal(total, 9);
	assert_false(trace_reader__loss(r, 1, &cause, &total));
	assert_int_equal(trace_reader__totals(r)->cpu_ns, 6);
	assert_string_equal(trace_reader__totals(r)->ended_by, "duration");
	trace_reader__free(r);
}

/* All events of three streams, some of them late, come in order; twice. */
static void order(void **state)
{
	enum { NR = 60000 };
	struct trace_writer *w = create();
	struct trace_reader *r;
	struct trace_event ev;
	uint64_t seed = 5, ts = 1 << 20, sum = 0;

	(void)state;
	for (int i = 0; i < NR; i++) {
		ts += below(&seed, 1000);
		/* One in a hundred is late by up to many chunks. */
		put_event(w, below(&seed, 100) ? ts : ts - below(&seed, 1000000),
			  (uint16_t)below(&seed, 3), (uint64_t)i);
		sum += (uint64_t)i;
	}
	assert_int_equal(trace_writer__finish(w, &totals), 0);
	assert_int_equal(trace_writer__events(w), NR);
	trace_writer__free(w);
	r = reopen(path);
	for (int round = 0; round < 2; round++) {
		uint64_t last = 0, got = 0, nr = 0;
		uint16_t cpu = 0;

		while (trace_reader__next(r, &ev) > 0) {
			if (ev.ts < last || (ev.ts == last && ev.cpu < cpu))
				fail_msg("event %llu: %llu/%u after %llu/%u",
					 (unsigned long long)nr, (unsigned long long)ev.ts, ev.cpu,
					 (unsigned long long)last, cpu);
			last = ev.ts;
			cpu = ev.cpu;
			got += ev.task.task;
			nr++;
		}
		assert_int_equal(nr, NR);
		assert_int_equal(got, sum);
		assert_int_equal(trace_reader__last_ts(r), last);
		assert_int_equal(trace_reader__rewind(r), 0);
	}
	trace_reader__free(r);
}

/* A loss is read where the first event is missing, and equal times keep their order. */
static void ties_and_losses(void **state)
{
	static const uint64_t want[] = { 1, 2, 0, 3, 4 };
	struct trace_event lost = { .ts = 900, .cpu = 0, .type = TRACE_LOST,
				    .lost = { .first = 500, .count = 3 } };
	struct trace_writer *w = create();
	struct trace_reader *r;
	struct trace_event ev;

	(void)state;
	put_event(w, 400, 1, 1);
	put_event(w, 600, 1, 3);
	put_event(w, 400, 1, 2);
	assert_int_equal(trace_writer__event(w, &lost), 0);
	put_event(w, 950, 0, 4);
	assert_int_equal(trace_writer__finish(w, &totals), 0);
	trace_writer__free(w);
	r = reopen(path);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(trace_reader__next(r, &ev), 1);
		if (want[i])
			assert_int_equal(ev.task.task, want[i]);
		else
			assert_memory_equal(&ev, &lost, sizeof(ev));
	}
	assert_int_equal(trace_reader__next(r, &ev), 0);
	trace_reader__free(r);
}

static size_t slurp(const char *file, uint8_t **out)
{
	struct stat st;
	int fd = open(file, O_RDONLY);

	assert_true(fd >= 0 && !fstat(fd, &st));
	*out = malloc((size_t)st.st_size + 1);
	assert_int_equal(read(fd, *out, (size_t)st.st_size), st.st_size);
	close(fd);
	return (size_t)st.st_size;
}

static void spill(const char *file, const uint8_t *data, size_t len)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static uint64_t count_events(struct trace_reader *r)
{
	const struct trace_event *ev;
	uint64_t nr = 0;
	int ret;

	while ((ret = trace_reader__next_ref(r, &ev)) > 0)
		nr++;
	assert_int_equal(ret, 0);
	return nr;
}

/* Truncated at any byte: the complete chunks before it are read. */
static void cut_anywhere(void **state)
{
	struct trace_writer *w = create();
	uint64_t last = 0;
	uint8_t *data;
	size_t len;

	(void)state;
	for (int i = 0; i < 60; i++) {
		put_event(w, 2000 + (uint64_t)i, (uint16_t)(i & 1), (uint64_t)i);
		if (i % 10 == 9)
			assert_int_equal(trace_writer__flush(w), 0);
	}
	assert_int_equal(trace_writer__finish(w, &totals), 0);
	trace_writer__free(w);
	len = slurp(path, &data);
	for (size_t cut = 0; cut <= len; cut++) {
		struct trace_reader *r;
		const char *why;
		uint64_t nr;
		int err;

		spill(path, data, cut);
		err = trace_reader__open(path, &r, &why);
		if (err) {
			assert_int_equal(err, -EBADMSG);
			assert_true(*why && !last);
			continue;
		}
		nr = count_events(r);
		if (nr < last || nr % 5)
			fail_msg("cut at %zu: %llu events after %llu", cut, (unsigned long long)nr,
				 (unsigned long long)last);
		last = nr;
		assert_int_equal(!trace_reader__torn(r), cut == len);
		assert_int_equal(!trace_reader__totals(r), cut != len);
		trace_reader__free(r);
	}
	assert_int_equal(last, 60);
	free(data);
}

/* A chunk whose bytes have changed is one loss; the others are read. */
static void damaged_chunk(void **state)
{
	struct trace_writer *w = create();
	struct trace_reader *r;
	struct trace_event ev;
	uint64_t first_end;
	uint8_t *data;
	size_t len;

	(void)state;
	put_event(w, 100, 0, 1);
	put_event(w, 200, 0, 2);
	assert_int_equal(trace_writer__flush(w), 0);
	first_end = trace_writer__bytes(w);
	put_event(w, 300, 0, 3);
	assert_int_equal(trace_writer__finish(w, &totals), 0);
	trace_writer__free(w);
	len = slurp(path, &data);
	data[first_end - 1] ^= 1;
	spill(path, data, len);
	r = reopen(path);
	assert_int_equal(trace_reader__next(r, &ev), 1);
	assert_int_equal(ev.type, TRACE_LOST);
	assert_int_equal(ev.lost.cause, TRACE_LOST_DAMAGED);
	assert_int_equal(ev.lost.first, 100);
	assert_int_equal(ev.ts, 200);
	assert_int_equal(ev.lost.count, 2);
	assert_int_equal(trace_reader__next(r, &ev), 1);
	assert_int_equal(ev.task.task, 3);
	assert_int_equal(trace_reader__next(r, &ev), 0);
	assert_int_equal(trace_reader__damaged(r), 2);
	trace_reader__free(r);
	free(data);
}

/* A head that lies about its chunk's times would break the order: it is damage too. */
static void lying_head(void **state)
{
	static const uint64_t lies[][2] = { { 50, 200 }, { 150, 200 }, { 100, 150 } };
	uint8_t *data;
	size_t len;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct trace_writer *w = create();
		struct trace_chunk_head h;
		struct trace_reader *r;
		struct trace_event ev;
		uint64_t at;

		at = trace_writer__bytes(w);
		put_event(w, 200, 0, 2);
		put_event(w, 100, 0, 1);
		assert_int_equal(trace_writer__finish(w, &totals), 0);
		trace_writer__free(w);
		len = slurp(path, &data);
		assert_true(trace_chunk_head__unpack(&h, data + at));
		assert_int_equal(h.kind, TRACE_CHUNK_EVENTS);
		assert_int_equal(h.first, 100);
		assert_int_equal(h.last, 200);
		h.first = lies[i][0];
		h.last = lies[i][1];
		trace_chunk_head__pack(&h, data + at);
		spill(path, data, len);
		r = reopen(path);
		assert_int_equal(trace_reader__next(r, &ev), 1);
		assert_int_equal(ev.type, TRACE_LOST);
		assert_int_equal(trace_reader__next(r, &ev), 0);
		trace_reader__free(r);
		free(data);
	}
}

/* What an event refers to stands before the chunk that holds it. */
static void metadata_first(void **state)
{
	static const uint8_t want[] = { TRACE_CHUNK_META, TRACE_CHUNK_META, TRACE_CHUNK_EVENTS,
					TRACE_CHUNK_META, TRACE_CHUNK_EVENTS, TRACE_CHUNK_META };
	struct trace_writer *w = create();
	size_t len, off = TRACE_HEAD_SIZE, nr = 0;
	uint8_t *data;

	(void)state;
	for (int i = 0; i < 2; i++) {
		put_event(w, 200, 0, 2);
		trace_writer__thread(w, &(struct trace_thread){ 7u + (uint32_t)i, "name" });
		assert_int_equal(trace_writer__flush(w), 0);
	}
	assert_int_equal(trace_writer__finish(w, &totals), 0);
	trace_writer__free(w);
	len = slurp(path, &data);
	while (off < len) {
		struct trace_chunk_head h;

		assert_true(trace_chunk_head__unpack(&h, data + off));
		assert_in_range(nr, 0, sizeof(want) - 1);
		assert_int_equal(h.kind, want[nr++]);
		off += TRACE_CHUNK_HEAD_SIZE + h.length;
	}
	assert_int_equal(nr, sizeof(want));
	free(data);
}

static void set_limit(rlim_t bytes)
{
	struct rlimit lim;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &lim), 0);
	lim.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &lim), 0);
}

/* The disk fills up in the middle of a chunk. */
static void full_disk(void **state)
{
	struct trace_writer *w = create();
	struct trace_reader *r;
	struct trace_event ev = { 0 };
	uint64_t written, nr = 0, lost = 0, seed = 1;
	int err = 0;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	set_limit(90000);
	while (!err && nr < 100000) {
		random_event(&seed, 5000 + nr * 10, 0, &ev);
		ev.type = TRACE_POLL_BEGIN;
		err = trace_writer__event(w, &ev);
		nr++;
	}
	assert_int_equal(err, -EFBIG);
	written = trace_writer__bytes(w);
	assert_in_range(written, 50000, 90000);
	assert_int_equal(trace_writer__event(w, &ev), -EFBIG);
	nr++;
	/* Still full: nothing more goes out, and what is there stays readable. */
	r = reopen(path);
	assert_non_null(trace_reader__torn(r));
	assert_in_range(count_events(r), 1, nr);
	trace_reader__free(r);
	/* The end marker fits where the cut chunk did not. */
	assert_int_equal(trace_writer__finish(w, &totals), -EFBIG);
	trace_writer__free(w);
	set_limit(RLIM_INFINITY);
	r = reopen(path);
	if (trace_reader__torn(r))
		fail_msg("%s", trace_reader__torn(r));
	assert_non_null(trace_reader__totals(r));
	while (trace_reader__next(r, &ev) > 0) {
		if (ev.type == TRACE_LOST) {
			assert_int_equal(ev.lost.cause, TRACE_LOST_WRITER);
			lost += ev.lost.count;
		} else {
			nr--;
		}
	}
	assert_int_equal(nr, lost);
	trace_reader__free(r);

	assert_int_equal(trace_writer__new("/dev/full", &host, &w), -ENOSPC);
	assert_null(w);
	assert_int_equal(trace_writer__new("/nonexistent/x", &host, &w), -ENOENT);
}

static void broken_pipe(void **state)
{
	struct trace_writer *w;
	struct trace_event ev = { .type = TRACE_THREAD_EXIT, .ts = 5, .tid = 3 };
	int fds[2], out = dup(STDOUT_FILENO);

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	fflush(stdout);
	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDOUT_FILENO);
	close(fds[1]);
	assert_int_equal(trace_writer__new("-", &host, &w), 0);
	close(fds[0]);
	assert_int_equal(trace_writer__event(w, &ev), 0);
	assert_int_equal(trace_writer__flush(w), -EPIPE);
	assert_int_equal(trace_writer__finish(w, &totals), -EPIPE);
	trace_writer__free(w);
	dup2(out, STDOUT_FILENO);
	close(out);
}

static void wrong_files(void **state)
{
	struct trace_reader *r;
	const char *why;
	uint8_t head[TRACE_HEAD_SIZE];

	(void)state;
	assert_int_equal(trace_reader__open("/nonexistent/x", &r, &why), -ENOENT);
	assert_non_null(strstr(why, "/nonexistent/x"));
	assert_int_equal(trace_reader__open("/tmp", &r, &why), -EISDIR);
	spill(path, NULL, 0);
	assert_int_equal(trace_reader__open(path, &r, &why), -EBADMSG);
	assert_non_null(strstr(why, "empty"));
	spill(path, (const uint8_t *)"\177ELF\2\1\1 and more of it than a head", 30);
	assert_int_equal(trace_reader__open(path, &r, &why), -EBADMSG);
	assert_non_null(strstr(why, "not a dwell trace"));
	trace_head__pack(head, TRACE_VERSION + 1);
	spill(path, head, sizeof(head));
	assert_int_equal(trace_reader__open(path, &r, &why), -EPROTONOSUPPORT);
	trace_head__pack(head, TRACE_VERSION);
	spill(path, head, sizeof(head));
	assert_int_equal(trace_reader__open(path, &r, &why), -EBADMSG);
	assert_non_null(strstr(why, "nothing was recorded"));
}

/* The @i-th answer has @len bytes, all of value @fill. */
static void expect_answer(const struct trace_reader *r, size_t i, uint64_t at, uint8_t fill,
			  size_t len)
{
	uint64_t ts;
	uint8_t *data;
	size_t got;

	assert_int_equal(trace_reader__answer(r, i, &ts, &data, &got), 0);
	assert_int_equal(ts, at);
	assert_int_equal(got, len);
	for (size_t k = 0; k < len; k++)
		if (data[k] != fill)
			fail_msg("byte %zu of answer %zu", k, i);
	free(data);
}

/* A large answer takes several chunks. If one of them is not there, it is no answer. */
static void answers(void **state)
{
	const size_t large = (9u << 20) + 7;
	uint8_t *data = malloc(large);
	struct trace_writer *w = create();
	struct trace_reader *r;
	uint64_t ts;
	struct stat st;
	size_t len;

	(void)state;
	assert_non_null(data);
	memset(data, 1, large);
	assert_int_equal(trace_writer__answer(w, 2000, data, 3), 0);
	put_event(w, 2500, 0, 1);
	memset(data, 2, large);
	assert_int_equal(trace_writer__answer(w, 3000, data, large), 0);
	assert_int_equal(trace_writer__answer(w, 4000, data, 0), 0);
	assert_int_equal(trace_writer__finish(w, &totals), 0);
	trace_writer__free(w);
	r = reopen(path);
	assert_int_equal(trace_reader__answers(r), 3);
	expect_answer(r, 0, 2000, 1, 3);
	expect_answer(r, 1, 3000, 2, large);
	expect_answer(r, 2, 4000, 0, 0);
	assert_int_equal(trace_reader__answer(r, 3, &ts, &data, &len), -ENOENT);
	assert_null(trace_reader__torn(r));
	trace_reader__free(r);
	free(data);
	/* The last chunk of the large one is at the end of a file that ends early. */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size - (2u << 20)), 0);
	r = reopen(path);
	assert_int_equal(trace_reader__answers(r), 1);
	expect_answer(r, 0, 2000, 1, 3);
	assert_non_null(trace_reader__torn(r));
	trace_reader__free(r);
}

static void checksum(void **state)
{
	(void)state;
	/* The check value of CRC-32C. */
	assert_int_equal(crc32c("123456789", 9), 0xe3069283u);
	assert_int_equal(crc32c("", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metadata),
		cmocka_unit_test(order),
		cmocka_unit_test(ties_and_losses),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(damaged_chunk),
		cmocka_unit_test(lying_head),
		cmocka_unit_test(metadata_first),
		cmocka_unit_test(full_disk),
		cmocka_unit_test(broken_pipe),
		cmocka_unit_test(wrong_files),
		cmocka_unit_test(answers),
		cmocka_unit_test(checksum),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
