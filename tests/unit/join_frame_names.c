// SPDX-License-Identifier: GPL-2.0
/*
 * Names in frames: safe in a folded line, whatever they were.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "join/frame_names.h"
#include "tests/unit/trace_random.h"

static void spelling(void **state)
{
	static const struct {
		const char	*in, *out;
	} cases[] = {
		{ "app::run (main.rs:12)", "app::run (main.rs:12)" },
		{ "", "?" },
		{ "  ", "?" },
		{ " a b ", "a b" },
		{ "[u8; 16]", "[u8: 16]" },
		{ "a\nb\tc", "a b c" },
		{ "fd 12", "fd #12" },
		{ "pipe 1.5", "pipe #1.5" },
		{ "v 1.", "v #1." },
		{ "fd 12 ", "fd #12" },
		{ "12", "12" },
		{ "a12", "a12" },
		{ "a;\n1", "a: #1" },
		{ "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "bad \xc3(", "bad ?(" },
		{ "\xff\xfe", "??" },
		{ "\xed\xa0\x80", "???" },	/* half of a surrogate pair */
		{ "\xc0\x80", "??" },		/* an overlong NUL */
		{ "a\x7f", "a" },
		{ "tcp 127.0.0.1:5432", "tcp 127.0.0.1:5432" },
	};
	struct frame_names *n = frame_names__new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(frame_names__safe(n, cases[i].in), cases[i].out);
	/* Equal names are one pointer, also when they became equal. */
	assert_ptr_equal(frame_names__safe(n, "x;y"), frame_names__safe(n, "x:y"));
	assert_ptr_equal(frame_names__safef(n, "fd %d", 7), frame_names__safe(n, "fd #7"));
	frame_names__free(n);
}

static void always_safe(void **state)
{
	struct frame_names *n = frame_names__new();
	uint64_t seed = 4;
	char text[2000];

	(void)state;
	for (int round = 0; round < 5000; round++) {
		size_t len = below(&seed, round % 100 ? 12 : sizeof(text) - 1);
		const char *s, *p;

		for (size_t i = 0; i < len; i++)
			text[i] = "; 1.9\n\xc3\xa9_a\xff"[below(&seed, 12)];
		text[len] = '\0';
		s = frame_names__safe(n, text);
		assert_true(*s && *s != ' ' && s[strlen(s) - 1] != ' ');
		assert_null(strpbrk(s, ";\n\xff"));
		p = s + strlen(s);
		while (p > s && (isdigit((unsigned char)p[-1]) || p[-1] == '.'))
			p--;
		if (*p && p > s && p[-1] == ' ')
			fail_msg("'%s' ends like a weight", s);
		/* A safe name stays as it is. */
		assert_ptr_equal(frame_names__safe(n, s), s);
	}
	frame_names__free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spelling),
		cmocka_unit_test(always_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
