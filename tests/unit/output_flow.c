// SPDX-License-Identifier: GPL-2.0
/* Text filled into lines of any width. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text_file.h"
#include "base/utf8.h"
#include "output/flow.h"
#include "tests/unit/printable.h"
#include "tests/unit/trace_random.h"

#define COLUMNS_MAX	120

static char *flow(size_t columns, size_t indent, const char *const *words)
{
	struct text_file t;
	struct flow f = { .out = text_file__open(&t), .columns = columns };

	flow__begin(&f, indent);
	for (; *words; words++)
		flow__put(&f, "%s", *words);
	flow__end(&f);
	assert_false(f.no_memory);
	return text_file__close(&t);
}

static void expect(size_t columns, const char *const *words, const char *want)
{
	char *text = flow(columns, 2, words);

	assert_string_equal(text, want);
	free(text);
}

static void lines(void **state)
{
	static const char *const few[] = { "one", "two words", "three", NULL };
	static const char *const wide[] = { "漢字漢字漢字漢字漢字漢字", "漢字漢字漢字", NULL };

	(void)state;
	expect(40, few, "  one two words three\n");
	expect(17, few, "  one two words\n    three\n");
	expect(14, few, "  one\n    two words\n    three\n");
	expect(40, wide, "  漢字漢字漢字漢字漢字漢字 漢字漢字漢字\n");
	expect(38, wide, "  漢字漢字漢字漢字漢字漢字\n    漢字漢字漢字\n");
}

static void names(void **state)
{
	static const char *const path[] = {
		"<app::service::Service<hyper_util::rt::TokioIo<tokio::net::TcpStream>>", NULL };
	static const char *const plain[] = { "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee",
					     NULL };
	static const char *const spaced[] = { "handle connection<TcpListener, Router<()>, Router>",
					      NULL };

	(void)state;
	/* behind "::" and the like, never inside of "::" */
	expect(41, path, "  <app::service::Service<hyper_util::rt::\n"
			 "    TokioIo<tokio::net::TcpStream>>\n");
	expect(40, path, "  <app::service::Service<hyper_util::\n"
			 "    rt::TokioIo<tokio::net::TcpStream>>\n");
	/* anywhere, if there is nothing like it */
	expect(40, plain, "  aaaaaaaaaabbbbbbbbbbccccccccccdddddddd\n    ddeeeeeeeeee\n");
	/* no space is left at a line's end */
	expect(40, spaced, "  handle connection<TcpListener,\n    Router<()>, Router>\n");
}

/* Of what is very long the beginning and the end are there. */
static void very_long(void **state)
{
	char word[3000] = "first::";
	const char *const words[] = { word, NULL };
	char *text;

	(void)state;
	for (int i = 0; i < 200; i++)
		strcat(word, "middle<T>::");
	strcat(word, "last_of_all");
	text = flow(80, 2, words);
	assert_non_null(strstr(text, "first::middle"));
	assert_non_null(strstr(text, "…"));
	assert_non_null(strstr(text, "last_of_all\n"));
	assert_in_range(strlen(text), 150, 260);
	free(text);
}

/* Nothing is wider than it may be, and no line ends in a space. */
static void check(const char *text, size_t columns)
{
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");

		if (utf8__columns(line, len) > columns)
			fail_msg("wider than %zu columns: %s", columns, text);
		if (len && line[len - 1] == ' ')
			fail_msg("a space at the end of a line: '%s'", text);
		line += len + !!line[len];
	}
	assert_printable(text, strlen(text));
}

static void any_words(void **state)
{
	static const char *const pieces[] = { "a", "bc", "::", "<", ">", ", ", " ", "(", "漢", "é",
					      "e\xcc\x81", "🦀", "\x1b[31m", "\xff", "/", "…",
					      "name_of_something" };
	const uint64_t nr_pieces = sizeof(pieces) / sizeof(*pieces);
	uint64_t seed = 11;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		char text[8][600];
		const char *words[9] = { NULL };
		size_t columns = FLOW_COLUMNS_MIN + below(&seed, COLUMNS_MAX), total = 0;
		uint64_t nr = 1 + below(&seed, 8);
		char *out;

		for (uint64_t w = 0; w < nr; w++) {
			strcpy(text[w], "w");
			for (uint64_t n = below(&seed, below(&seed, 5) ? 6 : 35); n--;)
				strcat(text[w], pieces[below(&seed, nr_pieces)]);
			strcat(text[w], "w");
			words[w] = text[w];
			total += strlen(text[w]);
		}
		out = flow(columns, below(&seed, 7), words);
		check(out, columns);
		if (!strstr(out, "…") && !strchr(out, '?'))
			assert_true(strlen(out) >= total / 2);
		free(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(names),
		cmocka_unit_test(very_long),
		cmocka_unit_test(any_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
