// SPDX-License-Identifier: GPL-2.0
/*
 * Quantiles against sorted lists: within half a percent, extremes exact.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "join/hist.h"
#include "tests/unit/trace_random.h"

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void close_to_sorted(void **state)
{
	static const unsigned int permilles[] = { 0, 1, 10, 250, 500, 900, 990, 999, 1000 };
	uint64_t seed = 11, *values = calloc(5000, sizeof(*values));

	(void)state;
	for (int round = 0; round < 40; round++) {
		size_t nr = 1 + below(&seed, round < 20 ? 20 : 5000);
		unsigned int spread = 1 + (unsigned int)below(&seed, 63);
		struct hist h = { 0 };

		for (size_t i = 0; i < nr; i++) {
			values[i] = rnd(&seed) >> below(&seed, spread);
			assert_int_equal(hist__add(&h, values[i]), 0);
		}
		qsort(values, nr, sizeof(*values), by_value);
		for (size_t i = 0; i < sizeof(permilles) / sizeof(*permilles); i++) {
			size_t rank = (nr * permilles[i] + 999) / 1000;
			uint64_t want = values[rank ? rank - 1 : 0];
			uint64_t got = hist__quantile(&h, permilles[i]);
			uint64_t off = got > want ? got - want : want - got;

			if (off > want / 200)
				fail_msg("%u/1000 of %zu: %llu, not %llu", permilles[i], nr,
					 (unsigned long long)got, (unsigned long long)want);
		}
		assert_int_equal(h.count, nr);
		assert_int_equal(h.max, values[nr - 1]);
		assert_int_equal(h.min, values[0]);
		hist__clear(&h);
	}
	free(values);
}

/* What two have, one has after they were merged. */
static void merged(void **state)
{
	uint64_t seed = 12;

	(void)state;
	for (int round = 0; round < 40; round++) {
		struct hist all = { 0 }, parts[2] = { { 0 } };
		size_t nr = below(&seed, 300);

		for (size_t i = 0; i < nr; i++) {
			uint64_t v = rnd(&seed) >> below(&seed, 60);

			assert_int_equal(hist__add(&all, v), 0);
			assert_int_equal(hist__add(&parts[below(&seed, round ? 2 : 1)], v), 0);
		}
		assert_int_equal(hist__merge(&parts[0], &parts[1]), 0);
		assert_int_equal(parts[0].count, all.count);
		assert_int_equal(parts[0].min, all.min);
		assert_int_equal(parts[0].max, all.max);
		for (unsigned int p = 0; p <= 1000; p += 10)
			assert_int_equal(hist__quantile(&parts[0], p), hist__quantile(&all, p));
		hist__clear(&all);
		hist__clear(&parts[0]);
		hist__clear(&parts[1]);
	}
}

static void extremes(void **state)
{
	struct hist h = { 0 };

	(void)state;
	assert_int_equal(hist__quantile(&h, 500), 0);
	assert_int_equal(hist__add(&h, 0), 0);
	assert_int_equal(hist__quantile(&h, 990), 0);
	assert_int_equal(hist__add(&h, UINT64_MAX), 0);
	assert_int_equal(hist__quantile(&h, 500), 0);
	assert_true(hist__quantile(&h, 1000) > UINT64_MAX - UINT64_MAX / 200);
	for (uint64_t v = 1; v < 256; v++) {
		hist__clear(&h);
		assert_int_equal(hist__add(&h, v), 0);
		assert_int_equal(hist__quantile(&h, 500), v);
	}
	hist__clear(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(close_to_sorted),
		cmocka_unit_test(merged),
		cmocka_unit_test(extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
