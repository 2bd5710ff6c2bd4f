// SPDX-License-Identifier: GPL-2.0
/*
 * Formats quantities with integer arithmetic, so that equal input gives equal bytes on
 * every machine.
 */
#include "base/quantity.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

static uint64_t div_round(unsigned __int128 a, uint64_t b)
{
	return (a + b / 2) / b;
}

/* Writes three digits of @n in @unit; 0: rounding makes it 1000 or more. */
static int three_digits(uint64_t n, uint64_t unit, const char *name, char *out)
{
	uint64_t v;

	v = div_round((unsigned __int128)n * 100, unit);
	if (v < 1000)
		return snprintf(out, QUANTITY_MAX, "%" PRIu64 ".%02" PRIu64 " %s", v / 100, v % 100,
				name);
	v = div_round((unsigned __int128)n * 10, unit);
	if (v < 1000)
		return snprintf(out, QUANTITY_MAX, "%" PRIu64 ".%" PRIu64 " %s", v / 10, v % 10,
				name);
	v = div_round(n, unit);
	if (v < 1000)
		return snprintf(out, QUANTITY_MAX, "%" PRIu64 " %s", v, name);
	return 0;
}

char *quantity__time(uint64_t ns, char out[QUANTITY_MAX])
{
	static const struct {
		uint64_t	 ns;
		const char	*name;
	} units[] = { { 1000, "µs" }, { 1000000, "ms" }, { 1000000000, "s" } };
	uint64_t s, min;

	if (ns < 1000) {
		snprintf(out, QUANTITY_MAX, "%" PRIu64 " ns", ns);
		return out;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ns >= 300000000000)
			break;
		if (three_digits(ns, units[i].ns, units[i].name, out))
			return out;
	}
	s = div_round(ns, 1000000000);
	if (s < 3600) {
		snprintf(out, QUANTITY_MAX, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
		return out;
	}
	min = div_round(ns, 60000000000);
	snprintf(out, QUANTITY_MAX, "%" PRIu64 " h %" PRIu64 " min", min / 60, min % 60);
	return out;
}

char *quantity__share(uint64_t part, uint64_t whole, char out[QUANTITY_MAX])
{
	uint64_t v;

	if (!part || !whole) {
		snprintf(out, QUANTITY_MAX, "0%%");
		return out;
	}
	if (part == whole) {
		snprintf(out, QUANTITY_MAX, "100%%");
		return out;
	}
	v = div_round((unsigned __int128)part * 10000, whole);
	if (v == 0) {
		snprintf(out, QUANTITY_MAX, "<0.01%%");
	} else if (v < 1000) {
		snprintf(out, QUANTITY_MAX, "%" PRIu64 ".%02" PRIu64 "%%", v / 100, v % 100);
	} else {
		v = div_round((unsigned __int128)part * 1000, whole);
		if (v >= 1000 && part < whole)
			snprintf(out, QUANTITY_MAX, ">99.9%%");
		else
			snprintf(out, QUANTITY_MAX, "%" PRIu64 ".%" PRIu64 "%%", v / 10, v % 10);
	}
	return out;
}

char *quantity__count(uint64_t n, char out[QUANTITY_MAX])
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n), at = 0;

	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}

char *quantity__bytes(uint64_t n, char out[QUANTITY_MAX])
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
	uint64_t unit = 1000;

	if (n < 1000) {
		snprintf(out, QUANTITY_MAX, "%" PRIu64 " byte%s", n, n == 1 ? "" : "s");
		return out;
	}
	/* The loop ends because UINT64_MAX is 18.4 EB. */
	for (size_t i = 0; !three_digits(n, unit, units[i], out); i++)
		unit *= 1000;
	return out;
}
