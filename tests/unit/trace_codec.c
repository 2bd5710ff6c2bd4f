// SPDX-License-Identifier: GPL-2.0
/*
 * The packing of events: what goes in comes out, bytes that are no events are
 * refused, and usual events are small.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/trace_random.h"
#include "trace/codec.h"
#include "trace/varint.h"

#define NR	3000

static void varints(void **state)
{
	static const uint64_t values[] = { 0, 1, 127, 128, 16383, 16384, 1ull << 32,
					   (1ull << 63) - 1, 1ull << 63, UINT64_MAX };
	uint8_t buf[VARINT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		uint8_t *end = put_varint(buf, values[i]);
		struct cursor c = { .p = buf, .end = end };

		assert_int_equal(get_varint(&c), values[i]);
		assert_ptr_equal(c.p, end);
		assert_false(c.bad);
		assert_int_equal(unzigzag(zigzag((int64_t)values[i])), values[i]);
		/* One byte less is an error, not another number. */
		c = (struct cursor){ .p = buf, .end = end - 1 };
		get_varint(&c);
		assert_true(c.bad);
	}
	/* Eleven bytes, or bits beyond the 64th. */
	{
		static const uint8_t more[] = { 0xff, 0xff, 0xff, 0xff, 0xff,
						0xff, 0xff, 0xff, 0xff, 0x02 };
		struct cursor c = { .p = more, .end = more + sizeof(more) };

		get_varint(&c);
		assert_true(c.bad);
	}
}

static void round_trip(uint64_t seed, int wild)
{
	struct trace_event *in = calloc(NR, sizeof(*in)), *out = calloc(NR, sizeof(*out));
	uint8_t *buf = malloc(NR * TRACE_EVENT_BYTES_MAX), *p = buf;
	struct trace_codec *w = trace_codec__new(), *r = trace_codec__new();
	uint64_t ts = 1ull << 40;

	for (int i = 0; i < NR; i++) {
		size_t n;

		ts += below(&seed, 5000);
		random_event(&seed, ts - below(&seed, 100), wild, &in[i]);
		in[i].cpu = 7;
		n = trace_codec__encode(w, &in[i], p);
		assert_in_range(n, 2, TRACE_EVENT_BYTES_MAX);
		p += n;
	}
	assert_int_equal(trace_codec__decode(r, buf, (size_t)(p - buf), 7, out, NR), 0);
	for (int i = 0; i < NR; i++)
		if (memcmp(&in[i], &out[i], sizeof(*in)))
			fail_msg("event %d of seed %#llx, type %d: in %llu/%u/%#llx, out %llu/%u/%#llx type %d",
				 i, (unsigned long long)seed, in[i].type,
				 (unsigned long long)in[i].ts, in[i].tid,
				 (unsigned long long)in[i].task.task, (unsigned long long)out[i].ts,
				 out[i].tid, (unsigned long long)out[i].task.task, out[i].type);
	/* One byte or one event more or less is refused. */
	assert_int_equal(trace_codec__decode(r, buf, (size_t)(p - buf) - 1, 7, out, NR), -EBADMSG);
	assert_int_equal(trace_codec__decode(r, buf, (size_t)(p - buf), 7, out, NR - 1), -EBADMSG);
	trace_codec__free(w);
	trace_codec__free(r);
	free(buf);
	free(in);
	free(out);
}

static void identity(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 40; seed++)
		round_trip(seed, seed & 1);
}

/* More tasks, tokens and threads than the tables hold. */
static void tables_overflow(void **state)
{
	struct trace_codec *w = trace_codec__new(), *r = trace_codec__new();
	struct trace_event *in = calloc(NR, sizeof(*in)), *out = calloc(NR, sizeof(*out));
	uint8_t *buf = malloc(NR * TRACE_EVENT_BYTES_MAX), *p = buf;
	uint64_t seed = 99;

	(void)state;
	for (int i = 0; i < NR; i++) {
		random_event(&seed, 1000000 + (uint64_t)i * 10, 0, &in[i]);
		in[i].tid = (uint32_t)below(&seed, 300);
		if (in[i].type <= TRACE_TASK_DROP)
			in[i].task.task = 0x1000 + 0x80 * below(&seed, 4000);
		if (in[i].type == TRACE_EPOLL_READY) {
			in[i].ready.token = 0x100 * below(&seed, 1000);
			in[i].ready.reader = 0x1000 + 0x80 * below(&seed, 4000);
		}
		in[i].cpu = 0;
		p += trace_codec__encode(w, &in[i], p);
	}
	assert_int_equal(trace_codec__decode(r, buf, (size_t)(p - buf), 0, out, NR), 0);
	assert_memory_equal(in, out, NR * sizeof(*in));
	trace_codec__free(w);
	trace_codec__free(r);
	free(buf);
	free(in);
	free(out);
}

static void garbage(void **state)
{
	struct trace_codec *r = trace_codec__new();
	struct trace_event *out = calloc(NR, sizeof(*out));
	uint8_t *buf = malloc(4096);
	uint64_t seed = 7;

	(void)state;
	/* The outcome does not matter, only that there is one (under ASan). */
	for (int round = 0; round < 20000; round++) {
		size_t len = 1 + below(&seed, 200);
		uint8_t *exact = malloc(len);

		for (size_t i = 0; i < len; i++)
			exact[i] = (uint8_t)(below(&seed, 2) ? below(&seed, 32) : rnd(&seed));
		trace_codec__decode(r, exact, len, 0, out, 1 + (uint32_t)below(&seed, len));
		free(exact);
	}
	trace_codec__free(r);
	free(buf);
	free(out);
}

static void unknown_type(void **state)
{
	struct trace_codec *w = trace_codec__new();
	struct trace_event ev = { .type = TRACE_EVENT_NR };
	uint8_t buf[TRACE_EVENT_BYTES_MAX];

	(void)state;
	assert_int_equal(trace_codec__encode(w, &ev, buf), 0);
	trace_codec__free(w);
}

/* A server's cycle: epoll, wake, poll, with a hundred connections. */
static void usual_size(void **state)
{
	struct trace_codec *w = trace_codec__new();
	uint8_t buf[TRACE_EVENT_BYTES_MAX];
	uint64_t seed = 3, ts = 1ull << 45, bytes = 0, nr = 0;

	(void)state;
	for (int i = 0; i < 800; i++) {
		uint64_t task = 0x7f2200001000ull + 0x180 * below(&seed, 100);
		uint64_t token = task + 0x40000;
		struct trace_event cycle[] = {
			{ .type = TRACE_OFF_CPU, .off = { .out = ts, .wake = ts + 30000,
				.reason = TRACE_OFF_ASLEEP, .syscall = 232 }, .ts = ts + 35000 },
			{ .type = TRACE_EPOLL_WAIT, .epoll = { 1, 5 }, .ts = ts + 36000 },
			{ .type = TRACE_EPOLL_READY, .ts = ts + 36000,
			  .ready = { token, ts + 29000, task, 0, 1 } },
			{ .type = TRACE_WAKE, .task = { task }, .ts = ts + 36700 },
			{ .type = TRACE_POLL_BEGIN, .poll = { task, 4 }, .ts = ts + 38000 },
			{ .type = TRACE_POLL_END, .ts = ts + 60000,
			  .end = { task, 9, 0, 1,
				   { { WALK_KEY_IO }, { WALK_DIR_READ }, { token } } } },
		};

		for (size_t k = 0; k < sizeof(cycle) / sizeof(*cycle); k++) {
			cycle[k].tid = 4000;
			bytes += trace_codec__encode(w, &cycle[k], buf);
			nr++;
		}
		ts += 70000;
	}
	print_message("%.2f bytes/event\n", (double)bytes / (double)nr);
	assert_in_range(bytes, nr, nr * 6);
	trace_codec__free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(varints),
		cmocka_unit_test(identity),
		cmocka_unit_test(tables_overflow),
		cmocka_unit_test(garbage),
		cmocka_unit_test(unknown_type),
		cmocka_unit_test(usual_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
