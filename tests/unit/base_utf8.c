// SPDX-License-Identifier: GPL-2.0
/* What of a text may be shown. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/printable.h"
#include "tests/unit/trace_random.h"

static void spelling(void **state)
{
	static const struct {
		const char	*in, *out;
	} cases[] = {
		{ "", "" },
		{ "caf\xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\xa6\x80", "caf\xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\xa6\x80" },
		{ "\x1b[31m", "?[31m" },
		{ "a\tb\nc\x7f", "a?b?c?" },
		{ "\xc2\x9b" "31m", "?31m" },			/* the same escape in 8 bits */
		{ "\xe2\x80\xae" "b", "?b" },			/* right to left from here */
		{ "\xe2\x81\xa6" "b\xe2\x81\xa9", "?b?" },	/* isolates */
		{ "\xd8\x9c" "b", "?b" },			/* Arabic letter mark */
		{ "a\xe2\x80\x8b" "b", "a?b" },			/* no width */
		{ "a\xe2\x80\x8d" "b", "a?b" },			/* joiner */
		{ "\xef\xbb\xbf" "b", "?b" },			/* byte order mark */
		{ "\xe2\x80\xa8", "?" },			/* line separator */
		{ "\xf3\xa0\x81\x81", "?" },			/* a tag */
		{ "\xff\xc3 a", "?? a" },
		{ "\xe2\x82", "?" },
		{ "e\xcc\x81 \xef\xb8\x8f", "e\xcc\x81 \xef\xb8\x8f" },	/* combining: it is seen */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[64];

		strcpy(text, cases[i].in);
		utf8__make_printable(text);
		assert_string_equal(text, cases[i].out);
	}
}

static void always_printable(void **state)
{
	uint64_t seed = 19;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t len = below(&seed, 40);
		/* Exactly as large, so that the sanitizer sees a byte too far. */
		char *text = malloc(len + 1), *once;

		for (size_t i = 0; i < len; i++)
			text[i] = (char)(below(&seed, 3) ? 0x80 | rnd(&seed) :
							   1 + below(&seed, 255));
		text[len] = '\0';
		utf8__make_printable(text);
		assert_true(strlen(text) <= len);
		assert_null(strchr(text, '\n'));
		assert_printable(text, strlen(text));
		once = strdup(text);
		utf8__make_printable(text);
		assert_string_equal(text, once);
		free(once);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spelling),
		cmocka_unit_test(always_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
