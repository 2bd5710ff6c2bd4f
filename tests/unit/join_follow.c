// SPDX-License-Identifier: GPL-2.0
/*
 * What a followed wait adds up to when not all is known of its source: what is too long ago, a
 * poll that goes on for too long, and more to look at than there may be. What is known is told
 * by tests/replay/cases/follow.txt.
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

static struct found joined(uint32_t max)
{
	struct found found = { 0 };
	const struct join_row *rows;
	struct trace_reader *r;
	const char *why;
	struct join *j;
	size_t nr;

	assert_int_equal(trace_reader__open(path, &r, &why), 0);
	assert_int_equal(join__new(r, &j), 0);
	if (max)
		assert_int_equal(follow__begin(j, max, JOIN_FOLLOW_DEPTH), 0);
	assert_int_equal(join__run(j), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_ago),
		cmocka_unit_test(goes_on),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
