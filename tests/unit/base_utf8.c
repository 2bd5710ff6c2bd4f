// SPDX-License-Identifier: GPL-2.0
/* Which parts of a text may be shown, and how many columns they take. */
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

static void width(void **state)
{
	static const struct {
		const char	*text;
		uint32_t	 columns;
	} cases[] = {
		{ "", 0 },
		{ "web.rs", 6 },
		{ "café · µs — →", 13 },
		{ "漢字", 4 },
		{ "한국어", 6 },
		{ "ｗｉｄｅ", 8 },
		{ "🦀", 2 },
		{ "e\xcc\x81", 1 },				/* an accent of its own */
		{ "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", 2 },	/* han, in three letters */
		{ "न\xe0\xa5\x8dत\xe0\xa5\x87", 2 },		/* nte: a virama, a vowel above */
		{ "⌚ ⌛", 5 },
		{ "𠀀", 2 },
		{ "\xff", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(utf8__columns(cases[i].text, strlen(cases[i].text)),
				 cases[i].columns);
	assert_int_equal(utf8__width(0x10ffff), 1);
	assert_int_equal(utf8__width(UINT32_MAX), 1);
}

static void fit(void **state)
{
	(void)state;
	assert_int_equal(utf8__fit("abc", 3, 2), 2);
	assert_int_equal(utf8__fit("abc", 3, 9), 3);
	assert_int_equal(utf8__fit("漢字", 6, 3), 3);
	assert_int_equal(utf8__fit("漢字", 6, 1), 0);
	assert_int_equal(utf8__fit("e\xcc\x81x", 4, 1), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spelling),
		cmocka_unit_test(always_printable),
		cmocka_unit_test(width),
		cmocka_unit_test(fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
