// SPDX-License-Identifier: GPL-2.0
/* The same stacks in two recordings: code that has moved, what is new or gone, ports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "diff/stacks.h"

#define FRAMES	8
#define ROWS	8

/* Stands for a join, of which only the rows are asked for. */
struct join {
	struct join_frame	frames[ROWS][FRAMES];
	struct join_row		rows[ROWS];
	char			texts[ROWS][200];
	size_t			nr;
};

const struct join_row *join__rows(const struct join *j, size_t *nr)
{
	*nr = j->nr;
	return j->rows;
}

/* @stacks, with NULL at the end, have 1, 2, 3, … ns. What follows "[await]" is a detail. */
static void fill(struct join *j, const char *const *stacks)
{
	memset(j, 0, sizeof(*j));
	for (; stacks[j->nr]; j->nr++) {
		struct join_row *row = &j->rows[j->nr];
		uint8_t kind = JOIN_FRAME_AWAIT;
		char *save, *text = j->texts[j->nr];

		snprintf(text, sizeof(j->texts[0]), "%s", stacks[j->nr]);
		row->frames = j->frames[j->nr];
		row->ns = j->nr + 1;
		for (char *f = strtok_r(text, ";", &save); f; f = strtok_r(NULL, ";", &save)) {
			j->frames[j->nr][row->nr++] = (struct join_frame){ f, kind };
			kind = strcmp(f, "[await]") ? kind : JOIN_FRAME_DETAIL;
		}
	}
}

/* The pairs of both, in lines: "STACK BEFORE AFTER". */
static void assert_pairs(const char *const *before, const char *const *after, const char *expected)
{
	static struct join a, b;
	struct stack_pairs pairs;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fill(&a, before);
	fill(&b, after);
	assert_int_equal(stack_pairs__make((struct join *const[SIDES]){ &a, &b }, &pairs), 0);
	for (size_t i = 0; i < pairs.nr; i++) {
		const struct stack_pair *p = &pairs.list[i];

		for (uint32_t k = 0; k < p->row->nr; k++)
			fprintf(f, "%s%s", k ? ";" : "", p->frames[k].name);
		fprintf(f, " %d %d\n", (int)p->ns[0], (int)p->ns[1]);
	}
	fclose(f);
	stack_pairs__clear(&pairs);
	assert_string_equal(text, expected);
	free(text);
}

#define STACKS(...)	((const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL })

static void test_same(void **state)
{
	(void)state;
	assert_pairs(STACKS("p;f (a.rs:1);x", "p;f (a.rs:2);x"),
		     STACKS("p;f (a.rs:1);x", "p;f (a.rs:2);x"),
		     "p;f (a.rs:1);x 1 1\np;f (a.rs:2);x 2 2\n");
	assert_pairs(STACKS(), STACKS(), "");
	assert_pairs(STACKS("p;x"), STACKS("p;y"), "p;y 0 1\np;x 1 0\n");
	/* one that is not the other's beginning is not the other */
	assert_pairs(STACKS("p;x"), STACKS("p;x;y"), "p;x;y 0 1\np;x 1 0\n");
}

static void test_moved(void **state)
{
	(void)state;
	/* all of them, also in the name of the task */
	assert_pairs(STACKS("p;t {async block a.rs:10};f (a.rs:12);x",
			    "p;t {async block a.rs:10};f (a.rs:20);x"),
		     STACKS("p;t {async block a.rs:17};f (a.rs:19);x",
			    "p;t {async block a.rs:17};f (a.rs:27);x"),
		     "p;t {async block a.rs:17};f (a.rs:19);x 1 1\n"
		     "p;t {async block a.rs:17};f (a.rs:27);x 2 2\n");
	/* a line that is another's before */
	assert_pairs(STACKS("p;f (a.rs:10);x", "p;f (a.rs:20);x"),
		     STACKS("p;f (a.rs:20);x", "p;f (a.rs:30);x"),
		     "p;f (a.rs:20);x 1 1\np;f (a.rs:30);x 2 2\n");
}

/* Others of its kind do not take its place. */
static void test_one_missing(void **state)
{
	(void)state;
	assert_pairs(STACKS("p;f (a.rs:10);x", "p;f (a.rs:20);x"), STACKS("p;f (a.rs:20);x"),
		     "p;f (a.rs:20);x 2 1\np;f (a.rs:10);x 1 0\n");
	/* the middle one of three is gone, and all have moved by 5 */
	assert_pairs(STACKS("p;f (a.rs:10);x", "p;f (a.rs:12);x", "p;f (a.rs:20);x"),
		     STACKS("p;f (a.rs:15);x", "p;f (a.rs:25);x"),
		     "p;f (a.rs:15);x 1 1\np;f (a.rs:25);x 3 2\np;f (a.rs:12);x 2 0\n");
	/* the name of one that is gone is another's now */
	assert_pairs(STACKS("p;f (a.rs:10);x", "p;f (a.rs:30);x", "p;f (a.rs:40);x"),
		     STACKS("p;f (a.rs:20);x", "p;f (a.rs:40);x"),
		     "p;f (a.rs:20);x 1 1\np;f (a.rs:40);x 2 2\n"
		     "p;f (a.rs:40), before;x 3 0\n");
}

/* The rule is that of a comparison's places: see align.h. */
static void test_one_more(void **state)
{
	(void)state;
	assert_pairs(STACKS("p;f (a.rs:10);x", "p;f (a.rs:20);x"),
		     STACKS("p;f (a.rs:10);x", "p;f (a.rs:15);x", "p;f (a.rs:25);x"),
		     "p;f (a.rs:10);x 1 1\np;f (a.rs:15);x 0 2\np;f (a.rs:25);x 2 3\n");
	assert_pairs(STACKS("p;f (a.rs:10);x", "p;f (a.rs:20);x"),
		     STACKS("p;f (a.rs:7);x", "p;f (a.rs:10);x", "p;f (a.rs:20);x"),
		     "p;f (a.rs:7);x 0 1\np;f (a.rs:10);x 1 2\np;f (a.rs:20);x 2 3\n");
}

/* What leads to a stack that is gone is called as it is after. */
static void test_led_to(void **state)
{
	(void)state;
	assert_pairs(STACKS("p;f (a.rs:10);x", "p;f (a.rs:10);g (b.rs:3);y"),
		     STACKS("p;f (a.rs:12);x"),
		     "p;f (a.rs:12);x 1 1\np;f (a.rs:12);g (b.rs:3);y 2 0\n");
}

static void test_ports(void **state)
{
	(void)state;
	assert_pairs(STACKS("p;[await];tcp 10.0.0.7:4711 (peer)"),
		     STACKS("p;[await];tcp 10.0.0.7:4712 (peer)"),
		     "p;[await];tcp 10.0.0.7:4712 (peer) 1 1\n");
	assert_pairs(STACKS("p;[await];tcp [::1]:4711"), STACKS("p;[await];tcp [::1]:4712"),
		     "p;[await];tcp [::1]:4712 1 1\n");
	/* another address */
	assert_pairs(STACKS("p;[await];tcp 10.0.0.7:4711"), STACKS("p;[await];tcp 10.0.0.8:4711"),
		     "p;[await];tcp 10.0.0.8:4711 0 1\np;[await];tcp 10.0.0.7:4711 1 0\n");
	/* one port is the same, so the others are */
	assert_pairs(STACKS("p;[await];tcp 10.0.0.7:80", "p;[await];tcp 10.0.0.7:4711"),
		     STACKS("p;[await];tcp 10.0.0.7:4712", "p;[await];tcp 10.0.0.7:80"),
		     "p;[await];tcp 10.0.0.7:4712 2 1\np;[await];tcp 10.0.0.7:80 1 2\n");
	/* which of two is not known */
	assert_pairs(STACKS("p;[await];tcp 10.0.0.7:1", "p;[await];tcp 10.0.0.7:2"),
		     STACKS("p;[await];tcp 10.0.0.7:3"),
		     "p;[await];tcp 10.0.0.7:3 0 1\np;[await];tcp 10.0.0.7:1 1 0\n"
		     "p;[await];tcp 10.0.0.7:2 2 0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_one_missing), cmocka_unit_test(test_one_more),
		cmocka_unit_test(test_led_to),
		cmocka_unit_test(test_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
