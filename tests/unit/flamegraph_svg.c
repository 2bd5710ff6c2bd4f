// SPDX-License-Identifier: GPL-2.0
/* The picture as text: the same bytes for the same stacks, safe names, what is said. */
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
#include "flamegraph/flamegraph.h"

static const char *const stacks[] = {
	"p;srv::task;srv::Handler::run (server.rs:86);TcpStream::read;[await];no data;tcp 1.2.3.4:80 700",
	"p;srv::task;[running] 200",
	"p;srv::task;[blocked];vfs_read_[k] 100",
};

static char *render(const char *const *lines, size_t nr, const struct flamegraph_opts *opts)
{
	struct flamegraph *fg = flamegraph__new();
	char *text = NULL;
	size_t size, line;
	FILE *f;

	for (size_t i = 0; i < nr; i++) {
		f = fmemopen((void *)lines[i], strlen(lines[i]), "r");
		assert_int_equal(flamegraph__add_folded(fg, f, 1000, &line), 0);
		fclose(f);
	}
	f = open_memstream(&text, &size);
	assert_int_equal(flamegraph__render(fg, opts, f), 0);
	fclose(f);
	flamegraph__free(fg);
	return text;
}

static void assert_has(const char *text, const char *piece)
{
	if (!strstr(text, piece))
		fail_msg("not in the picture: %s", piece);
}

static void test_same_bytes(void **state)
{
	const char *const turned[] = { stacks[2], stacks[1], stacks[0] };
	struct flamegraph_opts opts = { 0 };
	char *a = render(stacks, 3, &opts), *b = render(turned, 3, &opts);

	(void)state;
	assert_string_equal(a, b);
	free(a);
	free(b);
}

static void test_content(void **state)
{
	const char *const notes[] = { "lost: ring full 3" };
	struct flamegraph_opts opts = { .title = "a <b> & c", .subtitle = "one · two",
					.notes = notes, .nr_notes = 1 };
	char *svg = render(stacks, 3, &opts);

	(void)state;
	assert_has(svg, "a &lt;b&gt; &amp; c</title>");
	assert_has(svg, ">lost: ring full 3<");
	assert_has(svg, ">one · two<");
	assert_has(svg, "<title>srv::Handler::run (server.rs:86)\n"
			"700 µs · 70.0% of all · 70.0% of its parent</title>");
	assert_has(svg, "<title>[running]\n200 µs · 20.0% of all · 20.0% of its parent</title>");
	assert_has(svg, "class=\"f seg s3\"");
	assert_has(svg, "await <tspan class=\"q\">70.0%</tspan>");
	assert_has(svg, "in the kernel <tspan class=\"q\">10.0%</tspan>");
	assert_null(strstr(svg, "hidden lines"));
	/* Nothing from elsewhere: the name space is the only address. */
	for (const char *p = svg; (p = strstr(p, "://")); p++)
		assert_true(!strncmp(p, "://www.w3.org/", 14));
	free(svg);
}

static void test_hostile_names(void **state)
{
	const char *const lines[] = { "p</title><script>x</script>;\xff\x1b]]>\"' 10" };
	struct flamegraph_opts opts = { 0 };
	char *svg = render(lines, 1, &opts);

	(void)state;
	assert_null(strstr(svg, "<script>x"));
	assert_has(svg, "p&lt;/title&gt;&lt;script&gt;x&lt;/script&gt;");
	assert_has(svg, "\xef\xbf\xbd]]&gt;&quot;&#39;");
	assert_null(strchr(svg, '\x1b'));
	free(svg);
}

static void test_hidden_is_said(void **state)
{
	const char *const lines[] = { "p;wide 1000000", "p;a 50", "p;b 60", "p;wide;c 1" };
	struct flamegraph_opts opts = { 0 };
	char *svg = render(lines, 4, &opts);

	(void)state;
	assert_has(svg, ">3 frames narrower than 0.1 px: 2 merged into 1 sliver, 1 not drawn<");
	assert_has(svg, "<title>2 frames too narrow to draw\n110 µs · 0.01% of all");
	free(svg);
}

static void test_empty(void **state)
{
	struct flamegraph_opts opts = { 0 };
	char *svg = render(NULL, 0, &opts);

	(void)state;
	assert_has(svg, "<title>all\n0 ns</title>");
	assert_has(svg, "</svg>\n");
	free(svg);
}

static void test_errors(void **state)
{
	struct flamegraph_opts opts = { .width = 10 };
	struct flamegraph *fg = flamegraph__new();
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_int_equal(flamegraph__render(fg, &opts, stdout), -EINVAL);
	opts.width = 0;
	assert_non_null(full);
	assert_int_equal(flamegraph__render(fg, &opts, full), -ENOSPC);
	fclose(full);
	flamegraph__free(fg);
}

/* They stand in CDATA sections. */
static void test_assets(void **state)
{
	(void)state;
	assert_null(strstr(flamegraph_css, "]]>"));
	assert_null(strstr(flamegraph_js, "]]>"));
	assert_has(flamegraph_css, ".s0");
	assert_has(flamegraph_js, "use strict");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_hidden_is_said),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_assets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
