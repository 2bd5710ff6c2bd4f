// SPDX-License-Identifier: GPL-2.0
/*
 * What a followed wait adds up to when not all is known of its source: what is too long ago, a
 * poll that goes on for too long, and more to look at than there may be; and in any case: as
 * much as the wait, in rows and in the trees of await points. What is known is told by
 * tests/replay/cases/follow.txt and follow_cpu.txt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "join/follow.h"
#include "join/join.h"
#include "tests/replay/text_trace.c"
#include "tests/replay/text_words.c"
#include "tests/unit/trace_path.h"

static const char head[] =
	"host attach=1000\n"
	"kind 1 app::waiter\n"
	"kind 2 app::source\n"
	"kind 3 app::other\n"
	"chain 1\n"
	". await app::waiter @app.rs:1\n"
	". . leaf Receiver address:0\n";

/* A recording that is made up of text. */
struct text {
	FILE	*out;
	char	*text;
	size_t	 len;
};

static void text__begin(struct text *t)
{
	t->out = open_memstream(&t->text, &t->len);
	assert_non_null(t->out);
	fputs(head, t->out);
}

static void text__write(struct text *t)
{
	char why[256] = "";
	FILE *in;

	fclose(t->out);
	in = fmemopen(t->text, t->len, "r");
	assert_non_null(in);
	if (text_trace__write(in, path, why, sizeof(why)))
		fail_msg("%s", why);
	fclose(in);
	free(t->text);
}

/* @n polls of @task, 10 µs each, from @at (µs) on. */
static void polls(struct text *t, const char *task, int kind, int n, int at)
{
	for (int i = 0; i < n; i++)
		fprintf(t->out, "%d 0 10 begin %s kind=%d\n%d 0 10 end %s pending chain=1 %s\n"
			"%d 1 20 wake %s\n", at + 10 * i, task, kind, at + 10 * i + 6, task, task,
			at + 10 * i + 8, task);
}

/* What stands below waits that "app::source" ended, in ns. */
struct found {
	uint64_t	all;		/* with what ends there */
	uint64_t	known, forgotten, unknown, pieces;
};

/* Siblings from @list on: what is below each adds up to it. Returns their time. */
static uint64_t check_siblings(const struct join_followed *list, size_t nr, uint32_t depth)
{
	uint64_t all = 0;

	for (size_t i = 0; i < nr; i += 1 + list[i].below) {
		assert_int_equal(list[i].depth, depth);
		assert_true(list[i].ns > 0);
		assert_true(i + list[i].below < nr);
		assert_true(*list[i].task || *list[i].why || list[i].others);
		if (list[i].below)
			assert_int_equal(check_siblings(&list[i + 1], list[i].below, depth + 1),
					 list[i].ns);
		all += list[i].ns;
	}
	return all;
}

/* The time in trees of waits that "app::source" ended, which are checked. */
static uint64_t in_trees(const struct join *j)
{
	size_t nr;
	const struct join_point *points = join__points(j, &nr);
	uint64_t all = 0;

	for (size_t i = 0; i < nr; i++) {
		const struct join_followed *list = points[i].followed;

		assert_true(check_siblings(list, points[i].nr_followed, 0) <= points[i].await_ns);
		for (size_t k = 0; k < points[i].nr_followed; k += 1 + list[k].below)
			if (!strncmp(list[k].detail, "by task app::source", 19)) {
				assert_true(list[k].below);
				all += list[k].ns;
			}
	}
	return all;
}

static struct join *run(uint32_t max, unsigned int depth, struct trace_reader **r)
{
	const char *why;
	struct join *j;

	assert_int_equal(trace_reader__open(path, r, &why), 0);
	assert_int_equal(join__new(*r, &j), 0);
	if (max)
		assert_int_equal(follow__begin(j, max, depth), 0);
	assert_int_equal(join__run(j), 0);
	return j;
}

static struct found joined(uint32_t max)
{
	struct found found = { 0 };
	const struct join_row *rows;
	struct trace_reader *r;
	struct join *j = run(max, JOIN_FOLLOW_DEPTH, &r);
	size_t nr;

	rows = join__rows(j, &nr);
	for (size_t i = 0; i < nr; i++) {
		const struct join_frame *last = &rows[i].frames[rows[i].nr - 1];
		uint32_t k = 0;

		while (k < rows[i].nr &&
		       strncmp(rows[i].frames[k].name, "by task app::source", 19))
			k++;
		if (k == rows[i].nr)
			continue;
		found.all += rows[i].ns;
		if (last->kind != JOIN_FRAME_GAP)
			found.known += k + 1 < rows[i].nr ? rows[i].ns : 0;
		else if (!strcmp(last->name, follow__why(FOLLOW_FORGOTTEN)))
			found.forgotten += rows[i].ns;
		else if (!strcmp(last->name, follow__why(FOLLOW_UNKNOWN)))
			found.unknown += rows[i].ns;
		else if (!strcmp(last->name, follow__why(FOLLOW_PIECES)))
			found.pieces += rows[i].ns;
	}
	assert_int_equal(in_trees(j), max ? found.all : 0);
	join__free(j);
	trace_reader__free(r);
	return found;
}

/* The source has done more than is kept: the last of it is told, the rest has a name. */
static void long_ago(void **state)
{
	struct text t;
	struct found f;

	(void)state;
	text__begin(&t);
	fputs("1000 0 10 new C\n1000 0 10 new S\n"
	      "1001 0 10 begin C kind=1\n1010 0 10 end C pending chain=1 q\n", t.out);
	polls(&t, "S", 2, 100, 1010);
	fputs("2010 0 10 begin S kind=2\n2011 0 10 wake C\n2012 0 10 end S ready\n"
	      "2020 0 10 begin C kind=1\n2021 0 10 end C ready\nend 2030\n", t.out);
	text__write(&t);
	assert_int_equal(joined(0).all, 1001000);
	f = joined(64);
	assert_int_equal(f.all, 1001000);
	assert_int_equal(f.known + f.forgotten, f.all);
	/* Three intervals each 10 µs; 48 to 64 are kept. */
	assert_in_range(f.known, 130000, 220000);
	f = joined(512);
	assert_int_equal(f.known, 1001000);
	assert_int_equal(f.all, f.known);
}

/* The poll that woke it goes on until the wait is nearly forgotten. */
static void goes_on(void **state)
{
	struct text t;
	struct found f;

	(void)state;
	text__begin(&t);
	fputs("1000 0 10 new C\n1000 0 10 new S\n1000 0 10 new O\n"
	      "1001 0 10 begin C kind=1\n1010 0 10 end C pending chain=1 q\n"
	      "1015 0 11 begin S kind=2\n1040 0 11 wake C\n"
	      "1045 0 10 begin C kind=1\n1046 0 10 end C ready\n", t.out);
	polls(&t, "O", 3, 100, 1050);
	fputs("2100 0 11 end S ready\nend 2200\n", t.out);
	text__write(&t);
	assert_int_equal(joined(0).all, 30000);
	f = joined(64);
	assert_int_equal(f.all, 30000);
	assert_int_equal(f.unknown + f.forgotten, 25000);
	assert_int_equal(f.known, 5000);
	f = joined(512);
	assert_int_equal(f.known, 30000);
}

/* Many wait for one that does much: work is bounded, and what is left over has a name. */
static void many(void **state)
{
	enum { WAITERS = 500, POLLS = 2000 };
	struct text t;
	struct found f, plain;
	int at = 1010;

	(void)state;
	text__begin(&t);
	fputs("1000 0 10 new S\n", t.out);
	for (int i = 0; i < WAITERS; i++)
		fprintf(t.out, "1000 0 10 new C%d\n1001 0 10 begin C%d kind=1\n"
			"1010 0 10 end C%d pending chain=1 q\n", i, i, i);
	polls(&t, "S", 2, POLLS, at);
	at += 10 * POLLS;
	fprintf(t.out, "%d 0 10 begin S kind=2\n", at);
	for (int i = 0; i < WAITERS; i++)
		fprintf(t.out, "%d 0 10 wake C%d\n", at + 1, i);
	fprintf(t.out, "%d 0 10 end S ready\nend %d\n", at + 2, at + 10);
	text__write(&t);
	plain = joined(0);
	f = joined(1u << 15);
	assert_int_equal(plain.all, WAITERS * (10ull * POLLS + 1) * 1000);
	assert_int_equal(f.all, plain.all);
	assert_int_equal(f.known + f.pieces, f.all);
	assert_true(f.known > 0);
	assert_true(f.pieces > 0);
}

/* 40 tasks, which have each a name, sleep below one wait: the rest of many is one entry. */
static void siblings(void **state)
{
	enum { SOURCES = 40 };
	const struct join_followed *list = NULL;
	struct trace_reader *r;
	const struct join_point *points;
	struct text t;
	struct join *j;
	size_t nr, of = 0, nr_list = 0;
	int at = 1010;

	(void)state;
	text__begin(&t);
	for (int i = 0; i < SOURCES; i++)
		fprintf(t.out, "kind %d app::source%d\n1000 0 10 new S%d\n", 10 + i, i, i);
	fputs("1000 0 10 new C\n1001 0 10 begin C kind=1\n1010 0 10 end C pending chain=1 q\n",
	      t.out);
	for (int i = 0; i < SOURCES; i++, at += 100) {
		fprintf(t.out, "%d 0 10 begin S%d kind=%d\n%d 0 10 wake C\n%d 0 10 end S%d ready\n",
			at + i, i, 10 + i, at + 50, at + 51, i);
		fprintf(t.out, "%d 0 10 begin C kind=1\n%d 0 10 end C pending chain=1 q\n", at + 60,
			at + 70);
	}
	fprintf(t.out, "end %d\n", at);
	text__write(&t);
	j = run(1u << 12, JOIN_FOLLOW_DEPTH, &r);
	points = join__points(j, &nr);
	for (size_t i = 0; i < nr; i++) {
		if (!points[i].nr_followed)
			continue;
		list = points[i].followed;
		nr_list = points[i].nr_followed;
	}
	assert_non_null(list);
	check_siblings(list, nr_list, 0);
	for (size_t i = 0; i < nr_list; i += 1 + list[i].below) {
		of++;
		if (i + 1 < nr_list)
			continue;
		assert_int_equal(list[i].others, SOURCES - 31);
		assert_string_equal(list[i].detail, "9 others");
	}
	assert_int_equal(of, 32);
	join__free(j);
	trace_reader__free(r);
}

/* As deep as is said, and the rest is named. */
static void depths(void **state)
{
	enum { LINKS = 20 };
	struct text t;

	(void)state;
	text__begin(&t);
	for (int i = 0; i <= LINKS; i++)
		fprintf(t.out, "1000 0 10 new L%d\n%d 0 10 begin L%d kind=1\n"
			"%d 0 10 end L%d pending chain=1 q\n", i, 1001 + 2 * i, i, 1002 + 2 * i, i);
	fprintf(t.out, "1500 1 20 wake L%d\n", LINKS);
	for (int i = LINKS; i > 0; i--)
		fprintf(t.out, "%d 0 10 begin L%d\n%d 0 10 wake L%d\n%d 0 10 end L%d ready\n",
			1600 - 3 * i, i, 1601 - 3 * i, i - 1, 1602 - 3 * i, i);
	fputs("1610 0 10 begin L0\n1611 0 10 end L0 ready\nend 1700\n", t.out);
	text__write(&t);
	for (unsigned int depth = 1; depth <= JOIN_FOLLOW_DEPTH_MAX; depth++) {
		struct trace_reader *r;
		struct join *j = run(1u << 12, depth, &r);
		size_t nr;
		const struct join_point *points = join__points(j, &nr);
		uint32_t deepest = 0;
		bool deeper = false;

		assert_int_equal(join__follow_depth(j), depth);
		for (size_t i = 0; i < nr; i++) {
			const struct join_followed *list = points[i].followed;

			check_siblings(list, points[i].nr_followed, 0);
			for (size_t k = 0; k < points[i].nr_followed; k++) {
				deepest = list[k].depth > deepest ? list[k].depth : deepest;
				deeper |= !strcmp(list[k].why, follow__why(FOLLOW_DEEPER));
			}
		}
		/* The wait itself is at 0, what its source did at 1, … */
		assert_int_equal(deepest, depth + 1);
		assert_true(deeper);
		join__free(j);
		trace_reader__free(r);
	}
}

/* A wait with too much or too little below it would be told. */
static void checked(void **state)
{
	struct follow_node *nodes;
	struct trace_reader *r;
	struct text t;
	struct join *j;
	size_t nr, leaf = 0;

	(void)state;
	text__begin(&t);
	fputs("1000 0 10 new C\n1000 0 10 new S\n"
	      "1001 0 10 begin C kind=1\n1010 0 10 end C pending chain=1 q\n", t.out);
	polls(&t, "S", 2, 5, 1010);
	fputs("1110 0 10 begin S kind=2\n1111 0 10 wake C\n1112 0 10 end S ready\nend 1200\n",
	      t.out);
	text__write(&t);
	j = run(64, JOIN_FOLLOW_DEPTH, &r);
	assert_string_equal(join__why(j), "");
	nodes = (struct follow_node *)follow__nodes(j->follow, &nr);
	while (leaf < nr && !nodes[leaf].ns)
		leaf++;
	assert_in_range(leaf, 1, nr - 1);
	nodes[leaf].ns++;
	assert_int_equal(follow__check(j), 0);
	assert_int_equal(j->violations, 1);
	assert_non_null(strstr(join__why(j), "time not conserved: below a wait of 101000 ns there are "
			       "101001 ns"));
	nodes[leaf].ns -= 2;
	assert_int_equal(follow__check(j), 0);
	assert_int_equal(j->violations, 2);
	join__free(j);
	trace_reader__free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siblings),
		cmocka_unit_test(depths),
		cmocka_unit_test(checked),
		cmocka_unit_test(long_ago),
		cmocka_unit_test(goes_on),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
