// SPDX-License-Identifier: GPL-2.0
/* Times and shares in words. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "flamegraph/quantity.h"

static void test_time(void **state)
{
	static const struct {
		uint64_t	 ns;
		const char	*want;
	} cases[] = {
		{ 0, "0 ns" },
		{ 999, "999 ns" },
		{ 1000, "1.00 µs" },
		{ 12345, "12.3 µs" },
		{ 999499, "999 µs" },
		{ 999500, "1.00 ms" },
		{ 9995000, "10.0 ms" },
		{ 456000000, "456 ms" },
		{ 999999999, "1.00 s" },
		{ 12345678901, "12.3 s" },
		{ 299999999999, "300 s" },
		{ 300000000000, "5 min 0 s" },
		{ 520000000000, "8 min 40 s" },
		{ 3599400000000, "59 min 59 s" },
		{ 3599500000000, "1 h 0 min" },
		{ 11520000000000, "3 h 12 min" },
		{ UINT64_MAX, "5124095 h 35 min" },
	};
	char out[QUANTITY_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(quantity__time(cases[i].ns, out), cases[i].want);
}

static void test_share(void **state)
{
	static const struct {
		uint64_t	 part, whole;
		const char	*want;
	} cases[] = {
		{ 0, 0, "0%" },
		{ 0, 5, "0%" },
		{ 5, 5, "100%" },
		{ 1, 1000000, "<0.01%" },
		{ 1, 10000, "0.01%" },
		{ 456, 10000, "4.56%" },
		{ 99999, 1000000, "10.0%" },
		{ 871, 1000, "87.1%" },
		{ 99949, 100000, "99.9%" },
		{ 99999, 100000, ">99.9%" },
		{ UINT64_MAX - 1, UINT64_MAX, ">99.9%" },
		{ UINT64_MAX / 2, UINT64_MAX, "50.0%" },
	};
	char out[QUANTITY_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(quantity__share(cases[i].part, cases[i].whole, out),
				    cases[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
