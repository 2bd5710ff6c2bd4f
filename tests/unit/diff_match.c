/* SPDX-License-Identifier: GPL-2.0 */
/* The same costs in two builds: code that has moved, awaits that are new or gone, async blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "diff/align.h"
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

/* @a[i] is b[expected[i]], or gone if that is -1. */
static void assert_same(const struct cost_key *a, size_t nr_a, const struct cost_key *b,
			size_t nr_b, const int *expected)
{
	struct match *m = match__new(names);

	add(m, a, nr_a, b, nr_b);
	for (size_t i = 0; i < nr_a; i++)
		for (size_t k = 0; k < nr_b; k++)
			assert_int_equal(same(m, &a[i], &b[k]), expected[i] == (int)k);
	match__free(m);
	/* and the other way round */
	m = match__new(names);
	add(m, b, nr_b, a, nr_a);
	for (size_t i = 0; i < nr_a; i++)
		for (size_t k = 0; k < nr_b; k++)
			assert_int_equal(same(m, &b[k], &a[i]), expected[i] == (int)k);
	match__free(m);
}

#define ASSERT_SAME(a, b, ...)                                                                     \
	assert_same(a, sizeof(a) / sizeof((a)[0]), b, sizeof(b) / sizeof((b)[0]),                  \
		    (const int[]){ __VA_ARGS__ })

/* Code that has not moved is the same code, wherever there is more of its kind. */
static void unmoved(void **state)
{
	const struct cost_key a[] = { await(10, "Recv"), await(20, "Recv"), await(30, "Recv") };
	const struct cost_key behind[] = { await(10, "Recv"), await(20, "Recv"), await(30, "Recv"),
					   await(40, "Recv") };
	const struct cost_key first[] = { await(10, "Recv"), await(15, "Recv"), await(25, "Recv"),
					  await(35, "Recv") };
	const struct cost_key middle[] = { await(10, "Recv"), await(20, "Recv"), await(25, "Recv"),
					   await(35, "Recv") };
	const struct cost_key two[] = { await(7, "Recv"),  await(12, "Recv"), await(20, "Recv"),
					await(24, "Recv"), await(30, "Recv") };
	const struct cost_key gone[] = { await(30, "Recv") };

	(void)state;
	ASSERT_SAME(a, behind, 0, 1, 2);
	ASSERT_SAME(a, middle, 0, 1, 3);
	ASSERT_SAME(a, gone, -1, -1, 0);
	/* it may have been put before the first or behind it: the one that is where it was is it */
	ASSERT_SAME(a, first, 0, 2, 3);
	/* lines in between that nobody was to tell from others: the nearest */
	ASSERT_SAME(a, two, 1, 2, 4);
}

/* Other awaits of the function, and places that block in it, tell how far it has moved. */
static void by_anchors(void **state)
{
	const struct cost_key a[] = { await(10, "Accept"), await(14, "Recv"), await(20, "Send") };
	/* the new one is before, since what is behind has moved with the other */
	const struct cost_key before[] = { await(10, "Accept"), await(12, "Recv"),
					   await(19, "Recv"),	await(25, "Send") };
	const struct cost_key behind[] = { await(50, "Accept"), await(54, "Recv"),
					   await(57, "Recv"),	await(63, "Send") };
	const struct cost_key block[] = {
		key(COST_BLOCKED, "app::serve", "app::serve", 10, "sleeps", ""), await(12, "Recv"),
	};
	const struct cost_key moved_block[] = {
		key(COST_BLOCKED, "app::serve", "app::serve", 40, "sleeps", ""), await(32, "Recv"),
		await(42, "Recv"),
	};
	/* another function of the same task, and another task, tell nothing */
	const struct cost_key one[] = {
		key(COST_AWAIT, "app::serve", "app::other", 5, "Send", ""),
		key(COST_AWAIT, "app::job", "app::serve", 14, "Send", ""), await(14, "Recv"),
	};
	const struct cost_key others[] = {
		key(COST_AWAIT, "app::serve", "app::other", 15, "Send", ""),
		key(COST_AWAIT, "app::job", "app::serve", 24, "Send", ""), await(15, "Recv"),
		await(24, "Recv"),
	};

	(void)state;
	ASSERT_SAME(a, before, 0, 2, 3);
	ASSERT_SAME(a, behind, 0, 1, 3);
	ASSERT_SAME(block, moved_block, 0, 2);
	ASSERT_SAME(one, others, 0, 1, 2);
}

/* Equal awaits of several instances of a function are told apart by its name. */
static void instances(void **state)
{
	const struct cost_key a[] = {
		key(COST_AWAIT, "app::serve", "app::send<u32>", 10, "Send", ""),
		key(COST_AWAIT, "app::serve", "app::send<u64>", 10, "Send", ""),
	};
	const struct cost_key b[] = {
		key(COST_AWAIT, "app::serve", "app::send<u64>", 33, "Send", ""),
		key(COST_AWAIT, "app::serve", "app::send<u32>", 33, "Send", ""),
		key(COST_AWAIT, "app::serve", "app::send<u32>", 36, "Send", ""),
	};

	(void)state;
	ASSERT_SAME(a, b, 1, 0);
}

/* Async blocks and closures are called by their line, and go with the code around them. */
static void called_by_line(void **state)
{
	const struct cost_key a[] = {
		key(COST_RUNNING, "app::main {async block main.rs:40}", "", 0, "", ""),
		key(COST_RUNNING, "app::main {async block main.rs:90}", "", 0, "", ""),
		key(COST_AWAIT, "app::main {async block main.rs:90}",
		    "app::main {async block main.rs:90}", 95, "Recv", ""),
		key(COST_BLOCKED, "app::job", "app::job::{closure main.rs:12}", 13, "sleeps", ""),
	};
	const struct cost_key b[] = {
		key(COST_RUNNING, "app::main {async block main.rs:50}", "", 0, "", ""),
		/* new */
		key(COST_RUNNING, "app::main {async block main.rs:60}", "", 0, "", ""),
		key(COST_RUNNING, "app::main {async block main.rs:100}", "", 0, "", ""),
		key(COST_AWAIT, "app::main {async block main.rs:100}",
		    "app::main {async block main.rs:100}", 105, "Recv", ""),
		key(COST_AWAIT, "app::main {async block main.rs:60}",
		    "app::main {async block main.rs:60}", 65, "Recv", ""),
		key(COST_BLOCKED, "app::job", "app::job::{closure main.rs:22}", 23, "sleeps", ""),
	};

	(void)state;
	ASSERT_SAME(a, b, 0, 2, 3, 5);
}

/* The file in which code lies is no name of it: a crate's folder may be called otherwise. */
static void other_folder(void **state)
{
	const struct cost_key a[] = { await(10, "Recv") };
	struct cost_key b[] = { await(10, "Recv") };

	(void)state;
	b[0].path = safe("app-5f3a/src/lib.rs");
	ASSERT_SAME(a, b, 0);
}

/* More lines than anybody has: in order, and at once. */
static void very_many(void **state)
{
	enum { FEW = 2000, MANY = 6000 };
	static int64_t few[FEW], many[MANY];
	static size_t at[FEW];

	(void)state;
	for (int i = 0; i < FEW; i++)
		few[i] = 3 * i;
	for (int i = 0; i < MANY; i++)
		many[i] = i;
	assert_int_equal(align__lines(few, FEW, many, MANY, NULL, 0, at), 0);
	for (int i = 1; i < FEW; i++)
		assert_true(at[i] > at[i - 1]);
	assert_int_equal(align__lines(few, 100, many, 300, NULL, 0, at), 0);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(at[i], 3 * i);
	assert_int_equal(align__lines(few, 0, many, 300, NULL, 0, at), 0);
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
		cmocka_unit_test(moved),	  cmocka_unit_test(one_more),
		cmocka_unit_test(unmoved),	  cmocka_unit_test(by_anchors),
		cmocka_unit_test(instances),	  cmocka_unit_test(called_by_line),
		cmocka_unit_test(other_folder),	  cmocka_unit_test(very_many),
		cmocka_unit_test(blocks),	  cmocka_unit_test(others),
		cmocka_unit_test(lines),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
