// SPDX-License-Identifier: GPL-2.0
/*
 * The table of outputs: each is found by its name alone, writes something of a small
 * recording, and writes the same without options as with all of them 0.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text_file.h"
#include "output/output.h"
#include "tests/replay/text_trace.c"
#include "tests/replay/text_words.c"
#include "tests/unit/trace_path.h"

static const char *const text =
	"host comm=app pid=7\nkind 1 app::a\nchain 1\n. await a::b @a.rs:1\n. . leaf R io:0\n"
	"1000 0 10 new A\n1001 0 10 begin A kind=1\n1002 0 10 end A pending chain=1 S:r\n"
	"1013 1 12 wake A\n1014 0 10 begin A kind=1\n1015 0 10 end A ready\nend 1100\n";

static char *written(const struct output_format *f, const struct join *j,
		     const struct trace_reader *r, const struct output_opts *opts)
{
	struct text_file t;

	assert_non_null(text_file__open(&t));
	assert_int_equal(output_format__write(f, j, r, opts, t.file), 0);
	return text_file__close(&t);
}

static void each(void **state)
{
	FILE *in = fmemopen((void *)text, strlen(text), "r");
	const struct output_opts none = { 0 };
	struct trace_reader *r;
	char why[200] = "";
	const char *bad;
	struct join *j;
	size_t nr;

	(void)state;
	if (text_trace__write(in, path, why, sizeof(why)))
		fail_msg("%s", why);
	fclose(in);
	assert_int_equal(trace_reader__open(path, &r, &bad), 0);
	assert_int_equal(join__new(r, &j), 0);
	assert_int_equal(join__run(j), 0);
	for (nr = 0; output_formats[nr]; nr++) {
		const struct output_format *f = output_formats[nr];
		char *usual = written(f, j, r, NULL), *same = written(f, j, r, &none);

		assert_ptr_equal(output_format__find(f->name), f);
		assert_true(*f->extension && *f->extension != '.');
		assert_true(strlen(usual) > 10);
		assert_string_equal(usual, same);
		free(usual);
		free(same);
	}
	assert_true(nr >= 4);
	join__free(j);
	trace_reader__free(r);
}

static void none(void **state)
{
	(void)state;
	assert_null(output_format__find("postscript"));
	assert_int_equal(output_format__write(NULL, NULL, NULL, NULL, stdout), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each),
		cmocka_unit_test(none),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
