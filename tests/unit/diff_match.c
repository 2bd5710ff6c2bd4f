/* SPDX-License-Identifier: GPL-2.0 */
/* The same costs in two builds: code that has moved, awaits that are new or gone, async blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "diff/match.h"

static struct frame_names *names;

static const char *safe(const char *text)
{
	return *text ? frame_names__safe(names, text) : "";
}

static struct cost_key key(enum cost_kind kind, const char *task, const char *function,
			   uint32_t line, const char *what, const char *part)
{
	struct cost_key k;

	memset(&k, 0, sizeof(k));
	k.kind = (uint8_t)kind;
	k.task = safe(task);
	k.function = safe(function);
	k.path = safe("app/src/main.rs");
	k.line = line;
	k.what = safe(what);
	k.part = safe(part);
	return k;
}

static struct cost_key await(uint32_t line, const char *leaf)
{
	return key(COST_AWAIT, "app::serve", "app::serve", line, leaf, "no data");
}

static bool same(struct match *m, const struct cost_key *a, const struct cost_key *b)
{
	struct cost_id x, y;

	assert_int_equal(match__get(m, 0, a, &x), 0);
	assert_int_equal(match__get(m, 1, b, &y), 0);
	return !memcmp(&x, &y, sizeof(x));
}

static void add(struct match *m, const struct cost_key *a, size_t nr_a, const struct cost_key *b,
		size_t nr_b)
{
	for (size_t i = 0; i < nr_a; i++)
		assert_int_equal(match__add(m, 0, &a[i]), 0);
	for (size_t i = 0; i < nr_b; i++)
		assert_int_equal(match__add(m, 1, &b[i]), 0);
	assert_int_equal(match__settle(m), 0);
}

static void moved(void **state)
{
	const struct cost_key a[] = { await(10, "Recv"), await(20, "Recv"), await(30, "Sleep") };
	const struct cost_key b[] = { await(112, "Recv"), await(125, "Recv"), await(140, "Sleep") };
	struct match *m = match__new(names);

	(void)state;
	add(m, a, 3, b, 3);
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 3; k++)
			assert_int_equal(same(m, &a[i], &b[k]), i == k);
	match__free(m);
}

/* One more round trip, in the middle, at the beginning, and gone again. */
static void one_more(void **state)
{
	const struct cost_key a[] = { await(10, "Accept"), await(14, "Recv"), await(30, "Recv") };
	const struct cost_key b[] = { await(50, "Accept"), await(54, "Recv"), await(60, "Recv"),
				      await(71, "Recv") };
	struct match *m = match__new(names);

	(void)state;
	add(m, a, 3, b, 4);
	assert_true(same(m, &a[1], &b[1]));
	assert_true(same(m, &a[2], &b[3]));
	assert_false(same(m, &a[1], &b[2]) || same(m, &a[2], &b[2]));
	match__free(m);

	m = match__new(names);
	add(m, b, 4, a, 3);
	assert_true(same(m, &b[1], &a[1]));
	assert_true(same(m, &b[3], &a[2]));
	match__free(m);
}

static void blocks(void **state)
{
	const struct cost_key a[] = {
		key(COST_RUNNING, "app::main {async block main.rs:40}", "", 0, "", ""),
		key(COST_RUNNING, "app::main {async block main.rs:90}", "", 0, "", ""),
		key(COST_READY, "app::serve", "", 0, "",
		    "worker busy with task app::main {async block main.rs:90}"),
	};
	const struct cost_key b[] = {
		key(COST_RUNNING, "app::main {async block main.rs:95}", "", 0, "", ""),
		key(COST_RUNNING, "app::main {async block main.rs:44}", "", 0, "", ""),
		key(COST_READY, "app::serve", "", 0, "",
		    "worker busy with task app::main {async block main.rs:95}"),
	};
	struct match *m = match__new(names);

	(void)state;
	add(m, a, 3, b, 3);
	assert_true(same(m, &a[0], &b[1]));
	assert_true(same(m, &a[1], &b[0]));
	assert_true(same(m, &a[2], &b[2]));
	assert_false(same(m, &a[0], &b[0]));
	match__free(m);
}

/* What is of another task, function, leaf or segment is not the same, whatever its line. */
static void others(void **state)
{
	const struct cost_key a = await(10, "Recv");
	const struct cost_key b[] = {
		key(COST_AWAIT, "app::other", "app::serve", 10, "Recv", "no data"),
		key(COST_AWAIT, "app::serve", "app::other", 10, "Recv", "no data"),
		key(COST_AWAIT, "app::serve", "app::serve", 10, "Send", "no data"),
		key(COST_BLOCKED, "app::serve", "app::serve", 10, "Recv", "no data"),
		key(COST_AWAIT, "app::serve", "app::serve", 10, "Recv", "worker busy"),
	};
	struct match *m = match__new(names);
	struct cost_id id, part;

	(void)state;
	add(m, &a, 1, b, 5);
	for (int i = 0; i < 5; i++)
		assert_false(same(m, &a, &b[i]));
	/* but the last one is another part of the same place */
	assert_int_equal(match__get(m, 0, &a, &id), 0);
	assert_int_equal(match__get(m, 1, &b[4], &part), 0);
	assert_true(id.place == part.place && id.task == part.task);
	match__free(m);
}

static void lines(void **state)
{
	(void)state;
	assert_string_equal(text__without_lines(names, "by task a {async block m.rs:12} after f (x.rs:3)"),
			    "by task a {async block m.rs} after f (x.rs)");
	assert_string_equal(text__without_lines(names, "tcp 10.0.0.1:80, x.rs:y"),
			    "tcp 10.0.0.1:80, x.rs:y");
	assert_int_equal(text__line("a {async block m.rs:12} b (x.rs:3)"), 12);
	assert_int_equal(text__line(":3"), 0);
}

static int setup(void **state)
{
	(void)state;
	names = frame_names__new();
	return names ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	frame_names__free(names);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moved),  cmocka_unit_test(one_more), cmocka_unit_test(blocks),
		cmocka_unit_test(others), cmocka_unit_test(lines),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
