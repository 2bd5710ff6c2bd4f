// SPDX-License-Identifier: GPL-2.0
/* Folded stacks as input: grammar, weights, kinds. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flamegraph/tree.h"

static int feed(struct flamegraph *fg, const char *text, uint64_t unit, size_t *line)
{
	FILE *f = fmemopen((void *)text, strlen(text), "r");
	int err = flamegraph__add_folded(fg, f, unit, line);

	fclose(f);
	return err;
}

static void test_weights(void **state)
{
	struct flamegraph *fg = flamegraph__new();
	size_t line;

	(void)state;
	assert_int_equal(feed(fg, "a;b 5\r\n\na;c\t7\na b 1.25\na;b 2", 1000, &line), 0);
	assert_int_equal(flamegraph__total(fg), 5000 + 7000 + 1250 + 2000);
	flamegraph__free(fg);
}

static void test_wrong_lines(void **state)
{
	static const struct {
		const char	*text;
		size_t		 line;
		int		 err;
	} cases[] = {
		{ "a;b", 1, -EINVAL },
		{ "a 1\nb x\n", 2, -EINVAL },
		{ "a 1\n 7\n", 2, -EINVAL },
		{ "a .5\n", 1, -EINVAL },
		{ "a 1.5.5\n", 1, -EINVAL },
		{ "a -5\n", 1, -EINVAL },
		{ "a 99999999999999999999\n", 1, -EOVERFLOW },
		{ "a 18446744073709551615\n", 1, -EOVERFLOW },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct flamegraph *fg = flamegraph__new();
		size_t line;

		assert_int_equal(feed(fg, cases[i].text, 1000, &line), cases[i].err);
		assert_int_equal(line, cases[i].line);
		flamegraph__free(fg);
	}
}

static void test_kinds(void **state)
{
	static const uint8_t want[] = {
		JOIN_FRAME_COMM, JOIN_FRAME_TASK, JOIN_FRAME_AWAIT, JOIN_FRAME_WRAPPER,
		JOIN_FRAME_BRANCHES, JOIN_FRAME_GAP, JOIN_FRAME_LEAF, JOIN_FRAME_SEGMENT,
		JOIN_FRAME_PART, JOIN_FRAME_DETAIL, JOIN_FRAME_KERNEL,
	};
	struct flamegraph *fg = flamegraph__new();
	size_t line;

	(void)state;
	assert_int_equal(feed(fg, "comm;task;m::f (a.rs:3);Timeout;{A | B};[gap: x];Sleep;[await];"
				  "no data;tcp 1.2.3.4:5;vfs_read_[k] 9", 1000, &line), 0);
	assert_int_equal(fg->nr_nodes, 1 + sizeof(want));
	for (size_t i = 0; i < sizeof(want); i++)
		assert_int_equal(fg->nodes[i + 1].kind, want[i]);
	assert_int_equal(fg->by_segment[JOIN_AWAIT], 9000);
	assert_int_equal(fg->kernel, 9000);
	flamegraph__free(fg);
}

/* What --follow puts below a wait has segments of its own, and the time is the wait's. */
static void test_followed(void **state)
{
	static const uint8_t want[] = {
		JOIN_FRAME_COMM, JOIN_FRAME_TASK, JOIN_FRAME_LEAF, JOIN_FRAME_SEGMENT,
		JOIN_FRAME_PART, JOIN_FRAME_DETAIL, JOIN_FRAME_PLACE, JOIN_FRAME_DETAIL,
		JOIN_FRAME_FOLLOWED, JOIN_FRAME_DETAIL, JOIN_FRAME_FOLLOWED, JOIN_FRAME_GAP,
	};
	struct flamegraph *fg = flamegraph__new();
	size_t line;

	(void)state;
	assert_int_equal(feed(fg, "c;t;lock;[await];until woken;by task x;m::f (a.rs:3);Sleep;[await];"
				  "until deadline 5\n"
				  "c;t;lock;[await];until woken;by task x;[running] 4\n"
				  "c;t;lock;[await];until woken;by task x;[follow: cycle] 3\n",
			      1, &line), 0);
	assert_int_equal(fg->nr_nodes, 1 + sizeof(want));
	for (size_t i = 0; i < sizeof(want); i++)
		assert_int_equal(fg->nodes[i + 1].kind, want[i]);
	assert_int_equal(fg->by_segment[JOIN_AWAIT], 12);
	assert_int_equal(fg->by_segment[JOIN_RUNNING], 0);
	flamegraph__free(fg);
}

/* Text that is none: refused as soon as that is seen, however long it is. */
static void test_no_text(void **state)
{
	const size_t size = 40u << 20;
	struct flamegraph *fg = flamegraph__new();
	char *text = malloc(size);
	size_t line;
	FILE *in;

	(void)state;
	assert_non_null(text);
	memset(text, 'a', size);
	memcpy(text, "a;b 1\n", 6);
	in = fmemopen(text, size, "r");
	assert_int_equal(flamegraph__add_folded(fg, in, 1, &line), -EINVAL);
	assert_int_equal(line, 2);
	assert_true(ftell(in) < 20 << 20);
	fclose(in);
	memset(text, 0, size);
	in = fmemopen(text, size, "r");
	assert_int_equal(flamegraph__add_folded(fg, in, 1, &line), -EINVAL);
	assert_int_equal(line, 1);
	assert_true(ftell(in) < 1 << 20);
	fclose(in);
	free(text);
	flamegraph__free(fg);
}

static void test_no_segment(void **state)
{
	struct flamegraph *fg = flamegraph__new();
	size_t line;

	(void)state;
	assert_int_equal(feed(fg, "main;f;g 4\n", 1000, &line), 0);
	assert_int_equal(fg->by_segment[JOIN_SEGMENT_NR], 4000);
	flamegraph__free(fg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_wrong_lines),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_followed),
		cmocka_unit_test(test_no_segment),
		cmocka_unit_test(test_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
