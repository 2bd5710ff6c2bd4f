// SPDX-License-Identifier: GPL-2.0
/*
 * The history of a thread, the times of loss and of stops, and the tables that the join
 * is based on: each is compared with a simple model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "join/fds.h"
#include "join/history.h"
#include "join/map.h"
#include "join/stops.h"
#include "join/windows.h"
#include "tests/unit/trace_random.h"

struct division {
	uint64_t	ns[4], pieces;
};

static void piece(void *arg, const struct interval *iv, uint64_t ns)
{
	struct division *c = arg;

	assert_true(ns > 0);
	c->ns[iv->doing] += ns;
	c->pieces++;
}

static void history(void **state)
{
	enum { NR = 5000, SPAN = 40000 };
	static uint8_t doing[SPAN];
	struct history h = { 0 };
	uint64_t seed = 6, ts = 10;

	(void)state;
	assert_int_equal(history__now(&h).doing, DOING_UNKNOWN);
	for (int i = 0; i < NR && ts < SPAN - 20; i++) {
		enum doing d = (enum doing)(1 + below(&seed, 3));
		uint64_t from, to = ts + 1 + below(&seed, 10);
		struct division c = { { 0 }, 0 };
		uint64_t want[4] = { 0 }, kept;

		assert_int_equal(history__add(&h, ts, d, CPU_ON, 0), 0);
		assert_int_equal(history__now(&h).doing, d);
		assert_int_equal(history__forgot(&h), h.nr > HISTORY_MAX);
		memset(doing + ts, d, SPAN - ts);
		from = below(&seed, to);
		history__divide(&h, from, to, piece, &c);
		/* Exact as far back as it is kept; unknown before; never too much. */
		kept = h.nr > HISTORY_MAX ? from : 0;
		for (uint64_t t = from; t < to; t++)
			want[doing[t]]++;
		assert_int_equal(c.ns[0] + c.ns[1] + c.ns[2] + c.ns[3], to - from);
		for (int k = 0; k < 4; k++)
			if (!kept && c.ns[k] != want[k])
				fail_msg("[%llu, %llu) doing %d: %llu, not %llu",
					 (unsigned long long)from, (unsigned long long)to, k,
					 (unsigned long long)c.ns[k], (unsigned long long)want[k]);
		assert_in_range(c.pieces, 1, HISTORY_MAX + 1);
		ts += below(&seed, 12);
	}
	history__clear(&h);
}

struct stops_division {
	const bool	*stopped;	/* a mark for each moment */
	uint64_t	 at;
};

static void stop_piece(void *arg, uint64_t from, uint64_t to, bool stopped)
{
	struct stops_division *c = arg;

	assert_int_equal(from, c->at);
	assert_true(from < to);
	for (uint64_t t = from; t < to; t++)
		assert_int_equal(c->stopped[t], stopped);
	c->at = to;
}

/* Stops that two threads tell of, against a mark for each moment. */
static void stops(void **state)
{
	enum { SPAN = 4000 };
	static bool stopped[SPAN];
	struct stops_division d = { .stopped = stopped };
	uint64_t seed = 14, ts = 100;
	struct stops s = { 0 };

	(void)state;
	assert_int_equal(stops__within(&s, 0, 1000), 0);
	while (ts < SPAN - 40) {
		uint64_t out = ts + below(&seed, 20), in = out + below(&seed, 20);

		stops__active(&s, 1, out);
		assert_int_equal(stops__add(&s, 1, out, in), 0);
		/* another thread that tells of the same stop */
		assert_int_equal(stops__add(&s, 2, out, in), 0);
		memset(stopped + out, true, in - out);
		ts = in;
	}
	for (int i = 0; i < 3000; i++) {
		uint64_t from = below(&seed, SPAN), to = below(&seed, SPAN), want = 0;

		for (uint64_t t = from; t < to; t++)
			want += stopped[t];
		assert_int_equal(stops__within(&s, from, to), want);
		d.at = from;
		stops__divide(&s, from, to, stop_piece, &d);
		assert_int_equal(d.at, from < to ? to : from);
	}
	stops__clear(&s);
}

static void windows(void **state)
{
	struct windows w = { 0 };

	(void)state;
	assert_int_equal(windows__known_until(&w, 10, 20), 20);
	assert_int_equal(windows__add(&w, 100, 200), 0);
	assert_int_equal(windows__add(&w, 150, 180), 0);	/* inside */
	assert_int_equal(windows__add(&w, 200, 250), 0);	/* touches */
	assert_int_equal(windows__add(&w, 400, 300), 0);	/* upside down: a moment */
	assert_int_equal(w.nr, 2);
	assert_int_equal(windows__known_until(&w, 50, 90), 90);		/* before */
	assert_int_equal(windows__known_until(&w, 50, 100), 100);
	assert_int_equal(windows__known_until(&w, 50, 101), 100);
	assert_int_equal(windows__known_until(&w, 50, 500), 100);	/* the first one counts */
	assert_int_equal(windows__known_until(&w, 120, 130), 120); /* inside: nothing is known */
	assert_int_equal(windows__known_until(&w, 250, 300), 300);	/* after it */
	assert_int_equal(windows__known_until(&w, 260, 500), 400);
	assert_int_equal(windows__known_until(&w, 400, 500), 500);
	/* Many are joined, but never forgotten. */
	for (uint64_t i = 0; i < 3 * WINDOWS_MAX; i++)
		assert_int_equal(windows__add(&w, 1000 + i * 10, 1005 + i * 10), 0);
	assert_true(w.nr <= WINDOWS_MAX);
	assert_int_equal(windows__known_until(&w, 50, 99999999), 100);
	assert_int_equal(windows__known_until(&w, w.last, 99999999), 99999999);
	windows__clear(&w);
}

static void map(void **state)
{
	enum { KEYS = 500 };
	static void *model[KEYS];
	struct map m = { 0 };
	uint64_t seed = 8;
	uint32_t nr = 0;

	(void)state;
	assert_null(map__get(&m, 1));
	map__del(&m, 1);
	for (int i = 0; i < 50000; i++) {
		uint64_t k = below(&seed, KEYS);

		if (model[k]) {
			map__del(&m, k * 0x80);
			model[k] = NULL;
			nr--;
		} else {
			model[k] = &model[below(&seed, KEYS)];
			assert_int_equal(map__add(&m, k * 0x80, model[k]), 0);
			nr++;
		}
		assert_int_equal(m.nr, nr);
		k = below(&seed, KEYS);
		assert_ptr_equal(map__get(&m, k * 0x80), model[k]);
	}
	for (uint64_t k = 0; k < KEYS; k++)
		assert_ptr_equal(map__get(&m, k * 0x80), model[k]);
	map__clear(&m);
}

static void descriptors(void **state)
{
	struct fds f = { 0 };

	(void)state;
	assert_int_equal(fds__name(&f, 5, 1).kind, DETAIL_NONE);
	assert_int_equal(fds__add(&f, 5, 1, 10, 100, TRACE_FD_OTHER), 0);
	assert_int_equal(fds__add(&f, 5, 2, 11, 200, TRACE_FD_OTHER), 0);
	assert_int_equal(fds__add(&f, 6, 1, 12, 0, TRACE_FD_OTHER), 0);
	assert_int_equal(fds__name(&f, 5, 1).id, 100);
	assert_int_equal(fds__name(&f, 5, 2).id, 200);
	assert_int_equal(fds__name(&f, 6, ANY_EPFD).kind, DETAIL_FD);
	assert_int_equal(fds__name(&f, 6, ANY_EPFD).id, 12);
	/* Another instance's, if there is no better. */
	assert_int_equal(fds__name(&f, 5, 9).kind, DETAIL_STRING);
	/* It keeps its name when it is gone, until the token is used anew. */
	fds__del(&f, 5, 1);
	assert_int_equal(fds__name(&f, 5, 1).id, 100);
	assert_int_equal(fds__name(&f, 5, ANY_EPFD).id, 200);
	assert_int_equal(fds__add(&f, 5, 1, 10, 300, TRACE_FD_OTHER), 0);
	assert_int_equal(fds__name(&f, 5, 1).id, 300);
	/* of several that are open the first that was added, wherever they lie in the table */
	assert_int_equal(fds__name(&f, 5, ANY_EPFD).id, 300);
	/* Of more instances than are told apart none is named by another one's. */
	for (int32_t epfd = 1; epfd <= 1000; epfd++)
		assert_int_equal(fds__add(&f, 7, epfd, epfd, 0, TRACE_FD_OTHER), 0);
	assert_int_equal(fds__name(&f, 7, 256).id, 256);
	assert_int_equal(fds__name(&f, 7, 257).kind, DETAIL_NONE);
	fds__del(&f, 7, 3);
	assert_int_equal(fds__add(&f, 7, 257, 257, 0, TRACE_FD_OTHER), 0);
	assert_int_equal(fds__name(&f, 7, 257).id, 257);
	assert_int_equal(fds__name(&f, 7, 3).kind, DETAIL_NONE);
	/* Memory is that of open ones. */
	for (uint64_t i = 0; i < 100000; i++) {
		assert_int_equal(fds__add(&f, 1000 + i, 1, 20, 7, TRACE_FD_OTHER), 0);
		fds__del(&f, 1000 + i, 1);
	}
	assert_in_range(f.size, 1, 4096);
	assert_int_equal(fds__name(&f, 5, 1).id, 300);
	fds__clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(history),
		cmocka_unit_test(stops),
		cmocka_unit_test(windows),
		cmocka_unit_test(map),
		cmocka_unit_test(descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
