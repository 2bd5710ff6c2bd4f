// SPDX-License-Identifier: GPL-2.0
/* The part of a name that is shown in a box. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flamegraph/label.h"
#include "base/utf8.h"

static const char *fit(const char *name, uint32_t columns)
{
	static char out[512];
	struct label l;

	label__fit(&l, name, strlen(name), columns);
	if (!l.columns)
		return "";
	snprintf(out, sizeof(out), "%s%.*s%.*s%s", l.lead ? "…" : "", (int)l.body_len, l.body,
		 (int)l.tail_len, l.tail ? l.tail : "", l.shortened ? "…" : "");
	assert_int_equal(utf8__columns(out, strlen(out)), l.columns);
	return out;
}

static void test_await_frame(void **state)
{
	const char *name = "mini_redis::server::Handler::run (server.rs:86)";

	(void)state;
	assert_string_equal(fit(name, 47), name);
	assert_string_equal(fit(name, 46), "…server::Handler::run (server.rs:86)");
	assert_string_equal(fit(name, 36), "…server::Handler::run (server.rs:86)");
	assert_string_equal(fit(name, 35), "…Handler::run (server.rs:86)");
	assert_string_equal(fit(name, 19), "…run (server.rs:86)");
	assert_string_equal(fit(name, 18), "…run:86");
	assert_string_equal(fit(name, 6), "…run");
	assert_string_equal(fit(name, 3), "ru…");
	assert_string_equal(fit(name, 2), "");
	assert_string_equal(fit(name, 0), "");
}

static void test_brackets(void **state)
{
	(void)state;
	/* A path inside generics is no place to cut. */
	assert_string_equal(fit("a::Conn<b::Io<c::S>, d::R>", 25), "…Conn<b::Io<c::S>, d::R>");
	assert_string_equal(fit("a::Conn<b::Io<c::S>, d::R>", 9), "Conn<b::…");
	assert_string_equal(fit("<a::B as c::D>::poll", 12), "…poll");
	assert_string_equal(fit("x::F<fn() -> y::Z>::go", 12), "…go");
	/* What has no name of its own keeps the one before it. */
	assert_string_equal(fit("srv::Listener::run::{async block}", 31),
			    "…Listener::run::{async block}");
	assert_string_equal(fit("srv::Listener::run::{async block}", 20), "…run::{async block}");
}

static void test_others(void **state)
{
	(void)state;
	assert_string_equal(fit("no data", 7), "no data");
	assert_string_equal(fit("no data", 6), "no da…");
	assert_string_equal(fit("no data", 4), "no…");
	assert_string_equal(fit("tcp [fe80::1]:80", 12), "tcp [fe80::…");
	assert_string_equal(fit("pipe_read_[k]", 9), "pipe_read");
	assert_string_equal(fit("_[k]", 4), "_[k]");
	assert_string_equal(fit("run (x.rs:7)", 11), "run:7");
	assert_string_equal(fit("run (none)", 9), "run (non…");
	assert_string_equal(fit("漢字漢字", 5), "漢字…");
	assert_string_equal(fit("::::", 3), "…::");
}

/* Whatever the name and the width: it fits. */
static void test_random(void **state)
{
	static const char *const pieces[] = { "::", "<", ">", "(", ")", " (a.rs:12)", "{", "}", "é",
					      "abc", " ", "->", "_[k]", "漢", ":", "7" };
	char name[256];

	(void)state;
	srandom(3);
	for (int round = 0; round < 50000; round++) {
		name[0] = '\0';
		for (int i = random() % 12; i >= 0; i--)
			strcat(name, pieces[random() % (sizeof(pieces) / sizeof(pieces[0]))]);
		uint32_t columns = random() % 40;
		const char *out = fit(name, columns);

		assert_true(utf8__columns(out, strlen(out)) <= columns);
		assert_true(columns < LABEL_COLUMNS_MIN || *out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_await_frame),
		cmocka_unit_test(test_brackets),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
