// SPDX-License-Identifier: GPL-2.0
/* Times, shares, counts and sizes in words. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/quantity.h"

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
		{ 999499999, "999 ms" },
		{ 999500000, "1.00 s" },
		{ 999600000, "1.00 s" },
		{ 999999999, "1.00 s" },
		{ 1000000000, "1.00 s" },
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

/* Rounding never shows four digits, nor 1000 of a unit. */
static void test_borders(void **state)
{
	char out[QUANTITY_MAX];

	(void)state;
	for (uint64_t power = 1; power <= 100000000000; power *= 10)
		for (uint64_t v = power - power / 100; v <= power + power / 100;
		     v += 1 + power / 100000) {
			double shown;
			char unit[16];

			quantity__time(v, out);
			assert_int_equal(sscanf(out, "%lf %15s", &shown, unit), 2);
			assert_true(shown < 1000 && (shown >= 1 || !strcmp(unit, "ns")));
		}
}

static void test_count(void **state)
{
	char out[QUANTITY_MAX];

	(void)state;
	assert_string_equal(quantity__count(0, out), "0");
	assert_string_equal(quantity__count(999, out), "999");
	assert_string_equal(quantity__count(1000, out), "1,000");
	assert_string_equal(quantity__count(1234567, out), "1,234,567");
	assert_string_equal(quantity__count(UINT64_MAX, out), "18,446,744,073,709,551,615");
}

static void test_bytes(void **state)
{
	char out[QUANTITY_MAX];

	(void)state;
	assert_string_equal(quantity__bytes(0, out), "0 bytes");
	assert_string_equal(quantity__bytes(1, out), "1 byte");
	assert_string_equal(quantity__bytes(999, out), "999 bytes");
	assert_string_equal(quantity__bytes(12345, out), "12.3 kB");
	assert_string_equal(quantity__bytes(999499, out), "999 kB");
	assert_string_equal(quantity__bytes(999500, out), "1.00 MB");
	assert_string_equal(quantity__bytes(UINT64_MAX, out), "18.4 EB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_borders),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
