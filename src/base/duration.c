// SPDX-License-Identifier: GPL-2.0
/* Parses durations with integer arithmetic, so that the result is exact. See duration.h. */
#include "base/duration.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const struct {
	const char	*name;
	uint64_t	 ns;
} units[] = {
	{ "",	 1000000000 },
	{ "ns",	 1 },
	{ "us",	 1000 },
	{ "µs",	 1000 },
	{ "ms",	 1000000 },
	{ "s",	 1000000000 },
	{ "m",	 60000000000 },
	{ "min", 60000000000 },
	{ "h",	 3600000000000 },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Nanoseconds in one @unit; 0: there is no such unit. */
static uint64_t unit_ns(const char *unit)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(units[i].name, unit))
			return units[i].ns;
	return 0;
}

/*
 * The fraction of @unit given by the digits after a point; digits after the 18th are
 * ignored.
 */
static uint64_t part_of(uint64_t unit, const char *digits)
{
	uint64_t number = 0, scale = 1;

	for (int i = 0; i < 18 && is_digit(digits[i]); i++) {
		number = number * 10 + (uint64_t)(digits[i] - '0');
		scale *= 10;
	}
	return (uint64_t)((unsigned __int128)number * unit / scale);
}

int duration__parse(const char *text, uint64_t *ns)
{
	const char *p = text, *fraction = "";
	uint64_t whole = 0, unit;
	bool large = false;

	for (; is_digit(*p); p++)
		large |= __builtin_mul_overflow(whole, 10, &whole) ||
			 __builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole);
	if (p == text)
		return -EINVAL;
	if (*p == '.') {
		fraction = ++p;
		while (is_digit(*p))
			p++;
		if (p == fraction)
			return -EINVAL;
	}
	unit = unit_ns(p);
	if (!unit)
		return -EINVAL;
	if (large || __builtin_mul_overflow(whole, unit, ns))
		return -ERANGE;
	return __builtin_add_overflow(*ns, part_of(unit, fraction), ns) ? -ERANGE : 0;
}
