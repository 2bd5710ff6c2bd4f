// SPDX-License-Identifier: GPL-2.0
/* Durations as they are typed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/duration.h"

static void good(void **state)
{
	static const struct {
		const char	*text;
		uint64_t	 ns;
	} cases[] = {
		{ "1", 1000000000 },
		{ "1.5", 1500000000 },
		{ "1s", 1000000000 },
		{ "0.5s", 500000000 },
		{ "500ms", 500000000 },
		{ "2m", 120000000000 },
		{ "2min", 120000000000 },
		{ "1.5m", 90000000000 },
		{ "1h", 3600000000000 },
		{ "10us", 10000 },
		{ "10µs", 10000 },
		{ "7ns", 7 },
		{ "7.9ns", 7 },
		{ "0", 0 },
		{ "0s", 0 },
		{ "0.000000001", 1 },
		{ "0.0000000009", 0 },
		{ "007", 7000000000 },
		{ "0.123456789123456789123456789", 123456789 },
		{ "0.00000000001m", 0 },
		{ "0.00000000002m", 1 },
		{ "0.3333333333333h", 1199999999999 },
		{ "18446744073.709551615", UINT64_MAX },
		{ "18446744073709551615ns", UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t ns = 42;

		assert_int_equal(duration__parse(cases[i].text, &ns), 0);
		assert_int_equal(ns, cases[i].ns);
	}
}

static void bad(void **state)
{
	static const struct {
		const char	*text;
		int		 err;
	} cases[] = {
		{ "", -EINVAL }, { "s", -EINVAL }, { "never", -EINVAL }, { "1sx", -EINVAL },
		{ "1x", -EINVAL }, { "-1", -EINVAL }, { "+1", -EINVAL }, { " 1", -EINVAL },
		{ "1 ", -EINVAL }, { "1 s", -EINVAL }, { "1.", -EINVAL }, { ".5", -EINVAL },
		{ "1.s", -EINVAL }, { "1..2", -EINVAL }, { "1.2.3", -EINVAL }, { "1,5", -EINVAL },
		{ "1e3", -EINVAL }, { "0x10", -EINVAL }, { "inf", -EINVAL }, { "nan", -EINVAL },
		{ "1S", -EINVAL }, { "1m30s", -EINVAL }, { "1d", -EINVAL },
		{ "99999999999999999999x", -EINVAL },
		{ "18446744073.709551616", -ERANGE }, { "18446744074", -ERANGE },
		{ "18446744073709551616ns", -ERANGE }, { "99999999999999999999", -ERANGE },
		{ "99999999999999999999999999999999999999999999999999h", -ERANGE },
		{ "5124096h", -ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t ns;

		assert_int_equal(duration__parse(cases[i].text, &ns), cases[i].err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
