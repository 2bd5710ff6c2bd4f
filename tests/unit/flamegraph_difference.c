// SPDX-License-Identifier: GPL-2.0
/* The picture of a difference: widths, changes, colours, what is gone and what is new. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flamegraph/asset.h"
#include "flamegraph/difference.h"
#include "flamegraph/flamegraph.h"
#include "flamegraph/layout.h"

static struct flamegraph *made_of(const char *lines)
{
	struct flamegraph *fg = flamegraph__new();
	FILE *f = fmemopen((void *)lines, strlen(lines), "r");
	size_t line;

	assert_int_equal(flamegraph__add_folded_change(fg, f, 1, &line), 0);
	fclose(f);
	return fg;
}

/* The boxes as text: "depth name width before>after class". */
static char *draw(const struct flamegraph *fg, uint64_t width, uint64_t minwidth)
{
	struct textbuf class = { 0 };
	struct layout l;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(layout__make(&l, fg, width, minwidth), 0);
	for (uint32_t i = 0; i < l.nr; i++) {
		const struct box *b = &l.boxes[i];

		class.len = 0;
		difference__class(&class, fg, b);
		fprintf(f, "%u %s %llu %llu>%llu %.*s\n", b->depth,
			b->hidden ? "..." :
			b->node == TREE_ROOT ? "all" :
			name_table__text(&fg->names, fg->nodes[b->node].name),
			(unsigned long long)b->ns, (unsigned long long)b->before,
			(unsigned long long)difference__of(fg, b), (int)class.len, class.data);
	}
	layout__free(&l);
	textbuf__free(&class);
	fclose(f);
	return text;
}

static void assert_drawn(const char *lines, const char *expected)
{
	struct flamegraph *fg = made_of(lines);
	char *text = draw(fg, 1000000, 1);

	assert_string_equal(text, expected);
	free(text);
	flamegraph__free(fg);
}

/* 1000 after, so a level begins at 3, 10, 30 and 100. */
static void test_levels(void **state)
{
	(void)state;
	assert_drawn("p;a 100 200\n"
		     "p;b 130 100\n"
		     "p;c 90 100\n"
		     "p;d 97 100\n"
		     "p;e 98 100\n"
		     "p;f 400 400\n",
		     "0 all 1000 915>1000 more3\n"
		     "1 p 1000 915>1000 more3\n"
		     "2 f 400 400>400 same\n"
		     "2 a 200 100>200 more4\n"
		     "2 b 100 130>100 less3\n"
		     "2 c 100 90>100 more2\n"
		     "2 d 100 97>100 more1\n"
		     "2 e 100 98>100 same\n");
}

/* What is gone is beside, and has left the frames that led to it, which come first or last. */
static void test_gone(void **state)
{
	const char *const expected = "0 all 1500 1500>1000 less4\n"
				     "1 p 1000 1500>1000 less4\n"
				     "2 t 900 1500>900 less4\n"
				     "3 [await] 900 1000>900 less4\n"
				     "4 x 900 1000>900 less4\n"
				     "2 u 100 0>100 more4 new\n"
				     "3 [running] 100 0>100 more4 new\n"
				     "1 [gone] 500 500>0 less4 gone\n"
				     "2 p 500 500>0 less4 gone\n"
				     "3 t 500 500>0 less4 gone\n"
				     "4 lock 500 500>0 less4 gone\n"
				     "5 [await] 500 500>0 less4 gone\n";

	(void)state;
	assert_drawn("p;t;[await];x 1000 900\n"
		     "p;t;lock;[await] 500 0\n"
		     "p;u;[running] 0 100\n",
		     expected);
	assert_drawn("p;t;lock;[await] 500 0\n"
		     "p;u;[running] 0 100\n"
		     "p;t;[await];x 1000 900\n",
		     expected);
}

/* A frame whose name is the same on both sides has both, whatever is below it. */
static void test_all_gone(void **state)
{
	(void)state;
	assert_drawn("p;t 70 0\n", "0 all 70 70>0 less4\n"
				   "1 [gone] 70 70>0 less4 gone\n"
				   "2 p 70 70>0 less4 gone\n"
				   "3 t 70 70>0 less4 gone\n");
	assert_drawn("p;t 0 0\n", "0 all 0 0>0 same\n");
}

/* Slivers have the change of what they stand for; what has no width is not counted. */
static void test_slivers(void **state)
{
	struct flamegraph *fg = made_of("p;wide 1000 1000\np;a 3 4\np;b;c 1 8\np;b;d 5 0\n"
					"p;e 1 0\n");
	char *text = draw(fg, 100, 1);
	struct layout l;

	(void)state;
	assert_string_equal(text, "0 all 1018 1010>1012 same\n"
				  "1 p 1012 1010>1012 same\n"
				  "2 wide 1000 1000>1000 same\n"
				  "2 ... 12 9>12 same x\n");
	free(text);
	assert_int_equal(layout__make(&l, fg, 100, 1), 0);
	assert_int_equal(l.boxes[3].hidden, 3);		/* a, b, c */
	assert_int_equal(l.undrawn, 5);			/* [gone], p, b, d, e */
	layout__free(&l);
	flamegraph__free(fg);
}

/* Children's changes add up to their parent's, but below "[gone]", which is not counted. */
static void test_conserved(void **state)
{
	struct flamegraph *fg = flamegraph__new();
	uint64_t before = 0, after = 0, gone = 0;
	struct layout l;

	(void)state;
	srandom(12);
	for (int i = 0; i < 2000; i++) {
		/* each stack once: of one that is added twice, one may be gone and the other not */
		char names[4][32];
		struct join_frame frames[4];
		uint64_t a = random() % 3 ? 1 + random() % 1000 : 0;
		uint64_t b = random() % 3 ? 1 + random() % 1000 : 0;

		for (int k = 0; k < 4; k++) {
			snprintf(names[k], sizeof(names[k]), "%d-%d", k,
				 k == 3 ? i : i % (3 * k + 1));
			frames[k] = (struct join_frame){ names[k], JOIN_FRAME_AWAIT };
		}
		assert_int_equal(flamegraph__add_change(fg, frames, 4, a, b), 0);
		before += a;
		after += b;
		gone += b ? 0 : a;
	}
	assert_int_equal(flamegraph__total(fg), after + gone);
	assert_int_equal(difference__after(fg), after);
	assert_int_equal(layout__make(&l, fg, UINT32_MAX, 1), 0);
	assert_int_equal(l.hidden, 0);
	assert_int_equal(l.boxes[0].before, before);
	for (uint64_t depth = 1; depth <= 4; depth++) {
		uint64_t sum_after = 0, sum_gone = 0;

		for (uint32_t i = 0; i < l.nr; i++) {
			const struct box *b = &l.boxes[i];

			if (b->depth == depth + b->gone)
				*(b->gone ? &sum_gone : &sum_after) += b->ns;
		}
		assert_int_equal(sum_after, after);
		assert_int_equal(sum_gone, gone);
	}
	/* The only frame at the top has all of it, what is gone as well. */
	assert_int_equal(l.boxes[1].before, before);
	assert_int_equal(l.boxes[1].ns, after);
	layout__free(&l);
	flamegraph__free(fg);
}

static void test_words(void **state)
{
	char out[QUANTITY_MAX];

	(void)state;
	assert_string_equal(difference__time(1000, 3500, out), "+2.50 µs");
	assert_string_equal(difference__time(3500, 1000, out), "−2.50 µs");
	assert_string_equal(difference__time(5, 5, out), "±0 ns");
	assert_string_equal(difference__share(1000, 1210, out), "+21.0%");
	assert_string_equal(difference__share(1000, 5000, out), "+400.0%");
	assert_string_equal(difference__share(1000, 900, out), "−10.0%");
	assert_string_equal(difference__share(0, 900, out), "new");
	assert_string_equal(difference__share(900, 0, out), "gone");
	assert_string_equal(difference__share(5, 5, out), "no change");
}

static char *render(struct flamegraph *fg)
{
	const struct flamegraph_opts opts = { 0 };
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(flamegraph__render(fg, &opts, f), 0);
	fclose(f);
	flamegraph__free(fg);
	return text;
}

static void assert_has(const char *text, const char *piece)
{
	if (!strstr(text, piece))
		fail_msg("not in the picture: %s", piece);
}

static void test_picture(void **state)
{
	char *svg = render(made_of("p;t;[await] 4200 5100\np;t;[running] 300 0\n"));

	(void)state;
	assert_has(svg, "<title>all\n+600 ns · +13.3% · 4.50 µs → 5.10 µs</title>");
	assert_has(svg, "<title>t\n+600 ns · +13.3% · 4.50 µs → 5.10 µs · 100% of all after</title>");
	assert_has(svg, "<title>[await]\n+900 ns · +21.4% · 4.20 µs → 5.10 µs · "
			"100% of all after</title>");
	assert_has(svg, "<title>[gone]\n−300 ns · gone · 300 ns → 0 ns · 6.67% of all before</title>");
	assert_has(svg, "class=\"f more4\"");
	assert_has(svg, "<rect class=\"more4\"");
	assert_has(svg, ".less4");
	assert_null(strstr(svg, "class=\"f s"));
	free(svg);
	/* Other pictures have nothing of it. */
	struct flamegraph *fg = flamegraph__new();
	const struct join_frame f = { "p", JOIN_FRAME_COMM };

	assert_int_equal(flamegraph__add(fg, &f, 1, 7), 0);
	svg = render(fg);
	assert_null(strstr(svg, "less4"));
	assert_has(svg, "class=\"bar\"");
	free(svg);
	assert_null(strstr(difference_css, "]]>"));
}

static void test_errors(void **state)
{
	static const char *const wrong[] = { "p;a 5\n", "p;a x 5\n", "5 5\n", "p;a 1.2.3 5\n" };
	const struct join_frame f = { "x", JOIN_FRAME_COMM }, g = { "y", JOIN_FRAME_COMM };
	struct flamegraph *fg = flamegraph__new();
	size_t line;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		FILE *in = fmemopen((void *)wrong[i], strlen(wrong[i]), "r");

		assert_int_equal(flamegraph__add_folded_change(fg, in, 1, &line), -EINVAL);
		assert_int_equal(line, 1);
		fclose(in);
	}
	assert_int_equal(flamegraph__add_change(fg, &f, 1, UINT64_MAX, 1), 0);
	assert_int_equal(flamegraph__add_change(fg, &f, 1, 1, 1), -EOVERFLOW);
	assert_int_equal(flamegraph__add_change(fg, &g, 1, 0, UINT64_MAX), -EOVERFLOW);
	flamegraph__free(fg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_all_gone),
		cmocka_unit_test(test_slivers),
		cmocka_unit_test(test_conserved),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_picture),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
