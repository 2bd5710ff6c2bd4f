// SPDX-License-Identifier: GPL-2.0
/* Stacks are merged, sorted and pruned without losing time. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flamegraph/layout.h"

static void add(struct flamegraph *fg, const char *stack, uint64_t ns)
{
	char *text = NULL;
	size_t size, line;
	FILE *f = open_memstream(&text, &size);

	fprintf(f, "%s %llu\n", stack, (unsigned long long)ns);
	fclose(f);
	f = fmemopen(text, size, "r");
	assert_int_equal(flamegraph__add_folded(fg, f, 1, &line), 0);
	fclose(f);
	free(text);
}

static const char *name_of(const struct flamegraph *fg, const struct box *box)
{
	if (box->hidden)
		return "...";
	if (box->node == TREE_ROOT)
		return "all";
	return name_table__text(&fg->names, fg->nodes[box->node].name);
}

/* The boxes as text: "name depth start+ns". */
static char *draw(const struct flamegraph *fg, uint64_t width, uint64_t minwidth)
{
	struct layout l;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(layout__make(&l, fg, width, minwidth), 0);
	for (uint32_t i = 0; i < l.nr; i++)
		fprintf(f, "%u %s %llu+%llu\n", l.boxes[i].depth, name_of(fg, &l.boxes[i]),
			(unsigned long long)l.boxes[i].start, (unsigned long long)l.boxes[i].ns);
	layout__free(&l);
	fclose(f);
	return text;
}

static void test_order(void **state)
{
	struct flamegraph *fg = flamegraph__new();
	char *text;

	(void)state;
	add(fg, "p;t;[await];no data", 50);
	add(fg, "p;t;[running]", 5);
	add(fg, "p;t;b", 10);
	add(fg, "p;t;a", 10);
	add(fg, "p;t;c", 20);
	add(fg, "p;t;a;x", 3);
	text = draw(fg, 1000, 1);
	assert_string_equal(text, "0 all 0+98\n"
				  "1 p 0+98\n"
				  "2 t 0+98\n"
				  "3 c 0+20\n"
				  "3 a 20+13\n"
				  "4 x 20+3\n"
				  "3 b 33+10\n"
				  "3 [running] 43+5\n"
				  "3 [await] 48+50\n"
				  "4 no data 48+50\n");
	free(text);
	flamegraph__free(fg);
}

static void test_pruned(void **state)
{
	struct flamegraph *fg = flamegraph__new();
	struct layout l;
	char *text;

	(void)state;
	add(fg, "p;wide", 1000);
	add(fg, "p;s1;x;y", 4);
	add(fg, "p;s2", 5);
	add(fg, "p;s3", 6);
	add(fg, "p;wide;thin", 1);
	text = draw(fg, 100, 1);		/* the narrowest box: 11 ns */
	assert_string_equal(text, "0 all 0+1016\n"
				  "1 p 0+1016\n"
				  "2 wide 0+1001\n"
				  "2 ... 1001+15\n");
	free(text);
	assert_int_equal(layout__make(&l, fg, 100, 1), 0);
	assert_int_equal(l.slivers, 1);
	assert_int_equal(l.boxes[3].hidden, 5);
	assert_int_equal(l.hidden, 6);
	assert_int_equal(l.undrawn, 1);
	layout__free(&l);
	flamegraph__free(fg);
}

static void test_sliver_hue(void **state)
{
	struct flamegraph *fg = flamegraph__new();
	struct layout l;

	(void)state;
	add(fg, "p;t;[await];x", 1000);
	for (int i = 0; i < 26; i++) {
		char stack[] = "p;t;[await];y?";

		stack[sizeof(stack) - 2] = 'a' + i;
		add(fg, stack, 9);
	}
	assert_int_equal(layout__make(&l, fg, 100, 1), 0);
	assert_int_equal(l.boxes[l.nr - 1].hidden, 26);
	assert_int_equal(l.boxes[l.nr - 1].segment, JOIN_AWAIT);
	layout__free(&l);
	flamegraph__free(fg);
}

/* Children never hold more than their parent, and stay inside it. */
static void test_conserved(void **state)
{
	struct flamegraph *fg = flamegraph__new();
	uint64_t below[64] = { 0 }, total = 0;
	const struct box *path[64];
	char stack[256];
	struct layout l;

	(void)state;
	srandom(11);
	for (int i = 0; i < 3000; i++) {
		size_t n = sprintf(stack, "p;t%ld", random() % 5);
		uint64_t ns = 1 + random() % 100000;

		for (int d = random() % 8; d; d--)
			n += sprintf(stack + n, ";f%ld", random() % 6);
		add(fg, stack, ns);
		total += ns;
	}
	assert_int_equal(flamegraph__total(fg), total);
	assert_int_equal(layout__make(&l, fg, 117600, 10), 0);
	assert_int_equal(l.boxes[0].ns, total);
	for (uint32_t i = 0; i < l.nr; i++) {
		const struct box *b = &l.boxes[i];

		path[b->depth] = b;
		below[b->depth] = 0;
		if (!b->depth)
			continue;
		assert_int_equal(b->start, path[b->depth - 1]->start + below[b->depth - 1]);
		assert_int_equal(b->parent_ns, path[b->depth - 1]->ns);
		below[b->depth - 1] += b->ns;
		assert_true(below[b->depth - 1] <= path[b->depth - 1]->ns);
	}
	layout__free(&l);
	flamegraph__free(fg);
}

static void test_names_merge_when_clean(void **state)
{
	const struct join_frame a = { "x\n", JOIN_FRAME_COMM }, b = { "x", JOIN_FRAME_COMM },
				empty = { "\x01", JOIN_FRAME_COMM };
	struct flamegraph *fg = flamegraph__new();
	char *text;

	(void)state;
	assert_int_equal(flamegraph__add(fg, &a, 1, 1), 0);
	assert_int_equal(flamegraph__add(fg, &b, 1, 1), 0);
	assert_int_equal(flamegraph__add(fg, &empty, 1, 1), 0);
	assert_int_equal(flamegraph__add(fg, &b, 1, 0), 0);
	text = draw(fg, 1000, 1);
	assert_string_equal(text, "0 all 0+3\n1 x 0+2\n1 ? 2+1\n");
	free(text);
	flamegraph__free(fg);
}

static void test_deep_and_empty(void **state)
{
	static struct join_frame frames[100000];
	struct flamegraph *fg = flamegraph__new();
	char *text = draw(fg, 1000, 1);

	(void)state;
	assert_string_equal(text, "0 all 0+0\n");
	free(text);
	for (size_t i = 0; i < 100000; i++)
		frames[i] = (struct join_frame){ "same", JOIN_FRAME_AWAIT };
	assert_int_equal(flamegraph__add(fg, frames, 100000, 1), 0);
	text = draw(fg, 1000, 1);
	assert_non_null(strstr(text, "100000 same 0+1\n"));
	free(text);
	flamegraph__free(fg);
}

static void test_overflow(void **state)
{
	const struct join_frame f = { "x", JOIN_FRAME_COMM };
	struct flamegraph *fg = flamegraph__new();
	char *text;

	(void)state;
	assert_int_equal(flamegraph__add(fg, &f, 1, UINT64_MAX), 0);
	assert_int_equal(flamegraph__add(fg, &f, 1, 1), -EOVERFLOW);
	text = draw(fg, 117600, 10);
	assert_string_equal(text, "0 all 0+18446744073709551615\n1 x 0+18446744073709551615\n");
	free(text);
	flamegraph__free(fg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_pruned),
		cmocka_unit_test(test_sliver_hue),
		cmocka_unit_test(test_conserved),
		cmocka_unit_test(test_names_merge_when_clean),
		cmocka_unit_test(test_deep_and_empty),
		cmocka_unit_test(test_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
