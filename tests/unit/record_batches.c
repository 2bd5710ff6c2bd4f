// SPDX-License-Identifier: GPL-2.0
/*
 * Records of the rings: one event, or a batch of them. Whole ones, cut ones, empty ones and
 * ones with numbers that no event has: each event comes out once, in order, and nothing is
 * read behind a record's end. And the losses that are counted on this side.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What takes a record apart is nobody's business but attach.c's. */
#include "src/record/attach.c"

#include "kernel-events/epoll.h"
#include "kernel-events/sched.h"
#include "tests/unit/trace_random.h"

#define EVENTS_MAX	128

struct seen {
	unsigned int	nr;
	uint8_t		types[EVENTS_MAX];
	uint64_t	ts[EVENTS_MAX];
	unsigned int	stop_at;	/* the event for which -EIO is returned; 0: none */
};

static int see(void *ctx, const struct raw_hdr *raw)
{
	struct seen *s = ctx;

	assert_true(s->nr < EVENTS_MAX);
	s->types[s->nr] = raw->type;
	s->ts[s->nr++] = raw->ts;
	return s->stop_at && s->nr == s->stop_at ? -EIO : 0;
}

struct record {
	uint8_t	bytes[4096];
	size_t	len;
};

/* Append an event of @type, @len bytes of it. */
static void add(struct record *r, unsigned int type, unsigned int nr, uint64_t ts, size_t len)
{
	struct raw_hdr hdr = { .ts = ts, .type = (uint8_t)type, .nr = (uint8_t)nr };

	assert_true(r->len + len <= sizeof(r->bytes));
	memset(r->bytes + r->len, 0x5a, len);
	memcpy(r->bytes + r->len, &hdr, len < sizeof(hdr) ? len : sizeof(hdr));
	r->len += len;
}

/* Hand over the first @len bytes, in memory of that size. */
static int hand_over(struct seen *s, const struct record *r, size_t len)
{
	struct attach a = { .each = see, .each_ctx = s };
	uint8_t *copy = malloc(len ? len : 1);
	unsigned int stop_at = s->stop_at;
	int err;

	assert_non_null(copy);
	memcpy(copy, r->bytes, len);
	*s = (struct seen){ .stop_at = stop_at };
	source_types__fill(&a.types);
	err = handle(&a, copy, len);
	free(copy);
	return err;
}

/* Those that may be in a batch, with their bytes there. */
static const struct {
	uint8_t	type, nr;
	size_t	len;
} batched[] = {
	{ RAW_POLL_BEGIN, 0, sizeof(struct raw_poll_begin) },
	{ RAW_POLL_END, 0, sizeof(struct raw_poll_end) - WALK_MAX_KEYS * 8 },
	{ RAW_POLL_END, 1, sizeof(struct raw_poll_end) - (WALK_MAX_KEYS - 1) * 8 },
	{ RAW_POLL_END, WALK_MAX_KEYS, sizeof(struct raw_poll_end) },
	{ RAW_POLL_END, 255, sizeof(struct raw_poll_end) },
	{ RAW_WAKE, 0, sizeof(struct raw_task) },
	{ RAW_TASK_NEW, 0, sizeof(struct raw_task) },
	{ RAW_TASK_DROP, 0, sizeof(struct raw_task) },
	{ RAW_POLLS_GONE, 2, sizeof(struct raw_hdr) },
	{ RAW_JOB_NEW, 0, sizeof(struct raw_job) },
	{ RAW_OFF_CPU, 0, sizeof(struct raw_off_cpu) },
	{ RAW_EPOLL_WAIT, 0, sizeof(struct raw_epoll_wait) },
	{ RAW_EPOLL_READY, 0, sizeof(struct raw_epoll_ready) },
};

#define NR_BATCHED	(sizeof(batched) / sizeof(batched[0]))

static void whole_batches(void **state)
{
	struct record r = { .len = 0 };
	struct seen s = { 0 };

	(void)state;
	for (size_t i = 0; i < NR_BATCHED; i++)
		add(&r, batched[i].type, batched[i].nr, 100 + i, batched[i].len);
	assert_int_equal(hand_over(&s, &r, r.len), 0);
	assert_int_equal(s.nr, NR_BATCHED);
	for (size_t i = 0; i < NR_BATCHED; i++) {
		assert_int_equal(s.types[i], batched[i].type);
		assert_int_equal(s.ts[i], 100 + i);
	}
}

/* Cut anywhere, exactly the events that are whole come out. */
static void cut_batches(void **state)
{
	struct record r = { .len = 0 };
	size_t ends[NR_BATCHED];
	struct seen s = { 0 };

	(void)state;
	for (size_t i = 0; i < NR_BATCHED; i++) {
		add(&r, batched[i].type, batched[i].nr, i, batched[i].len);
		ends[i] = r.len;
	}
	for (size_t len = 0; len <= r.len; len++) {
		unsigned int whole = 0;

		while (whole < NR_BATCHED && ends[whole] <= len)
			whole++;
		assert_int_equal(hand_over(&s, &r, len), 0);
		assert_int_equal(s.nr, whole);
	}
}

/* What never is in a batch ends the record, whatever stands behind it. */
static void events_that_stand_alone(void **state)
{
	static const uint8_t types[] = { RAW_CHAIN, RAW_RETURN, RAW_STACK, RAW_FD_ADD, RAW_FD_DEL,
					 RAW_LOST, RAW_THREAD, RAW_THREAD_EXIT, RAW_EXEC, 0,
					 RAW_TYPE_NR, RAW_TYPE_NR + 1, 255 };
	struct seen s = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(types); i++) {
		struct record r = { .len = 0 };

		add(&r, RAW_WAKE, 0, 1, sizeof(struct raw_task));
		add(&r, types[i], 255, 2, sizeof(struct raw_hdr));
		add(&r, RAW_WAKE, 0, 3, sizeof(struct raw_task));
		assert_int_equal(hand_over(&s, &r, r.len), 0);
		assert_int_equal(s.nr, 2);
		assert_int_equal(s.types[1], types[i]);
		/* a record shorter than a head is none */
		assert_int_equal(hand_over(&s, &r, sizeof(struct raw_hdr) - 1), 0);
		assert_int_equal(s.nr, 0);
	}
}

static void told_to_stop(void **state)
{
	struct record r = { .len = 0 };
	struct seen s = { .stop_at = 2 };

	(void)state;
	for (int i = 0; i < 4; i++)
		add(&r, RAW_WAKE, 0, 1, sizeof(struct raw_task));
	assert_int_equal(hand_over(&s, &r, r.len), -EIO);
	assert_int_equal(s.nr, 2);
}

/* Bytes of no meaning: it ends, within the record, which the sanitizer sees. */
static void random_records(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct record r = { .len = 0 };
		struct seen s = { 0 };

		while (r.len < 200) {
			add(&r, (unsigned int)below(&seed, RAW_TYPE_NR + 2),
			    (unsigned int)below(&seed, 256), 0,
			    8 * (1 + below(&seed, 10)));
		}
		assert_int_equal(hand_over(&s, &r, below(&seed, r.len + 1)), 0);
	}
}

/* A batch that is still with its thread says itself how long it is. */
static void batches_of_threads(void **state)
{
	static const uint32_t lens[] = { 0, 24, 47, 48, BATCH_BYTES, BATCH_BYTES + 24, UINT32_MAX };
	static const unsigned int want[] = { 0, 1, 1, 2, 43, 43, 43 };
	struct raw_batch *b = calloc(1, sizeof(*b));
	struct raw_task task = { .hdr.type = RAW_WAKE };
	struct raw_hdr last = { .type = RAW_POLLS_GONE };
	size_t at = 0;

	(void)state;
	assert_non_null(b);
	for (; at + sizeof(task) <= BATCH_BYTES; at += sizeof(task))
		memcpy(b->events + at, &task, sizeof(task));
	assert_int_equal(BATCH_BYTES - at, sizeof(last));
	memcpy(b->events + at, &last, sizeof(last));
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct seen s = { 0 };
		struct attach a = { .each = see, .each_ctx = &s };

		source_types__fill(&a.types);
		b->len = lens[i];
		assert_int_equal(handle_batch(&a, b), 0);
		assert_int_equal(s.nr, want[i]);
	}
	free(b);
}

/* The kernel's counters cannot be read here: what was counted on this side is there. */
static void losses_of_this_side(void **state)
{
	struct attach a = { .skel = dwell_bpf__open() };
	struct counters sum;

	(void)state;
	assert_non_null(a.skel);
	attach__count_loss(&a, LOSS_CHAIN_MAP);
	attach__count_loss(&a, LOSS_NR - 1);
	attach__count_loss(&a, LOSS_NR - 1);
	attach__counters(&a, &sum);
	for (unsigned int i = 0; i < LOSS_NR; i++)
		assert_int_equal(sum.loss[i], i == LOSS_CHAIN_MAP ? 1 : i == LOSS_NR - 1 ? 2 : 0);
	assert_int_equal(sum.hits, 0);
	dwell_bpf__destroy(a.skel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_batches),
		cmocka_unit_test(cut_batches),
		cmocka_unit_test(events_that_stand_alone),
		cmocka_unit_test(told_to_stop),
		cmocka_unit_test(random_records),
		cmocka_unit_test(batches_of_threads),
		cmocka_unit_test(losses_of_this_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
