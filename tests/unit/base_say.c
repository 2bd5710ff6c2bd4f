// SPDX-License-Identifier: GPL-2.0
/*
 * What is said on standard error: one line each, printable whatever is in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/say.h"
#include "tests/unit/printable.h"

static int file = -1, saved = -1;
static char said[65536];

static void begin(void)
{
	fflush(stderr);
	assert_int_equal(ftruncate(file, 0), 0);
	assert_int_equal(lseek(file, 0, SEEK_SET), 0);
	assert_true(dup2(file, STDERR_FILENO) >= 0);
}

static void end(void)
{
	ssize_t n;

	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	n = pread(file, said, sizeof(said) - 1, 0);
	assert_true(n >= 0);
	said[n] = '\0';
}

static __attribute__((format(printf, 1, 2))) void lines(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say__lines(fmt, args);
	va_end(args);
}

static void one_line(void **state)
{
	char *longer = malloc(100000);

	(void)state;
	begin();
	say__line("dwell: %s: %d", "a\nb\x1b[2J", 7);
	end();
	assert_string_equal(said, "dwell: a?b?[2J: 7\n");
	begin();
	say__line("%s", HOSTILE);
	end();
	assert_printable(said, strlen(said));
	assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
	/* However long: still one line, and still text. */
	memset(longer, 0xc3, 100000);
	for (size_t i = 1; i < 100000; i += 2)
		longer[i] = (char)0xa9;
	longer[99999] = '\0';
	begin();
	say__line("%s", longer);
	end();
	assert_printable(said, strlen(said));
	assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
	free(longer);
}

static void several_lines(void **state)
{
	(void)state;
	begin();
	lines("one %s\ntwo\n", "\x1b[1m");
	lines("open");
	lines("%s", "");
	end();
	assert_string_equal(said, "one ?[1m\ntwo\nopen");
}

static void progress(void **state)
{
	(void)state;
	begin();
	say__progress("%d of %s", 1, "\r\n");
	end();
	assert_string_equal(said, "\r1 of ??");
}

static int setup(void **state)
{
	(void)state;
	file = memfd_create("said", 0);
	saved = dup(STDERR_FILENO);
	return file < 0 || saved < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_line),
		cmocka_unit_test(several_lines),
		cmocka_unit_test(progress),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
