// SPDX-License-Identifier: GPL-2.0
/* The longest of random episodes are those that sorting all of them gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "past/longest.h"
#include "tests/unit/trace_random.h"

#define NR	500

static int by_length(const void *a, const void *b)
{
	const struct episode *x = a, *y = b;
	uint64_t m = x->to - x->from, n = y->to - y->from;

	if (m != n)
		return m > n ? -1 : 1;
	return x->from < y->from ? -1 : x->from > y->from;
}

static void check(uint64_t seed, size_t max)
{
	static struct episode all[NR];
	struct piece parts[3] = { { .ns = 1 }, { .ns = 2 }, { .ns = 3 } };
	struct longest l;

	longest__init(&l, max);
	for (size_t i = 0; i < NR; i++) {
		uint32_t nr = (uint32_t)below(&seed, 4);

		/* Few lengths, so that many are equal. */
		all[i] = (struct episode){ .from = i, .to = i + below(&seed, 40),
					   .parts = { nr ? parts : NULL, nr, nr } };
		assert_int_equal(longest__add(&l, &all[i]), 0);
	}
	qsort(all, NR, sizeof(*all), by_length);
	longest__sort(&l);
	assert_int_equal(l.seen, NR);
	assert_int_equal(l.nr, max < NR ? max : NR);
	for (size_t i = 0; i < l.nr; i++) {
		assert_int_equal(l.list[i].from, all[i].from);
		assert_int_equal(l.list[i].parts.nr, all[i].parts.nr);
		assert_true(l.list[i].parts.list != parts);
	}
	longest__sort_by_time(&l);
	for (size_t i = 1; i < l.nr; i++)
		assert_true(l.list[i - 1].from < l.list[i].from);
	longest__clear(&l);
}

static void longest(void **state)
{
	const size_t sizes[] = { 0, 1, 2, 7, 64, 65, 300, NR, NR + 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (uint64_t seed = 1; seed <= 20; seed++)
			check(seed, sizes[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(longest) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
