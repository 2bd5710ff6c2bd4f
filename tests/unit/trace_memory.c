// SPDX-License-Identifier: GPL-2.0
/*
 * Recordings that are read while memory runs out, at each allocation in turn: the
 * output is the usual one, or there is an error that says that there is no memory.
 * The file is not reported as truncated or damaged, and nothing is missing silently.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/failing_malloc.h"

#include "base/text_file.h"
#include "join/join.h"
#include "output/output.h"
#include "tests/replay/text_trace.c"
#include "tests/replay/text_words.c"
#include "tests/unit/trace_path.h"

static const char *const text =
	"host comm=caf\xc3\xa9 pid=7\n"
	"kind 1 app::a\nkind 2 app::b blocking\nkind 3 app::c unseen_spawns\nthread 10 worker\n"
	"stack 1 read sys_read\nnote remark\nloss 3 ring\n"
	"chain 1\n. await a::b @a.rs:1\n. . wrapper select!\n. . . leaf R io:0\n"
	". . . await c::d @c.rs:2 own\n. . . . leaf S deadline:1\n. . . gap why\n. . . done D\n"
	"chain 2\n. opaque hyper::C\n"
	"1000 0 10 add S fd=9 name=tcp_1:2\n1000 0 10 new A\n1001 0 10 begin A kind=1\n"
	"1002 0 10 end A pending chain=1 S:r at 1200\n1005 1 11 begin B kind=2\n"
	"1006 0 10 off asleep out=1003 wake=1005 waker=11 stack=1 epoll\n1007 0 10 epoll 1\n"
	"1007 0 10 ready S in since=1004 reader=A writer=B\n1008 0 10 wake A\n"
	"1009 1 11 end B pending chain=2\n1010 0 10 begin A kind=1\n1011 0 10 begin C kind=3\n"
	"1012 0 10 end C ready\n1012.5 0 10 end A pending chain=1 S:r at 1200\n"
	"1013 1 12 wake A\n1014 0 10 begin A kind=1\n1014.5 0 10 end A pending chain=2\n"
	"1014.6 1 11 begin E kind=3\n1014.7 1 11 wake A\n1014.8 1 11 end E ready\n"
	"1021 1 12 seen D idle chain=1 S:w at 5\n1022 0 10 del S\n1023 0 10 thread-exit\n"
	"1024 1 11 process-exit\nend 1100\n";

static void write_trace(void)
{
	FILE *in = fmemopen((void *)text, strlen(text), "r");
	char why[200] = "";

	assert_non_null(in);
	if (text_trace__write(in, path, why, sizeof(why)))
		fail_msg("%s", why);
	fclose(in);
}

struct output {
	char	*report, *json, *svg;
};

static void output__free(struct output *o)
{
	free(o->report);
	free(o->json);
	free(o->svg);
}

/* One output into memory; what cannot be written is no output. */
static int make(const struct join *j, const struct trace_reader *r, const char *name, char **out)
{
	struct text_file t;
	FILE *f = text_file__open(&t);
	int err;

	if (!f)
		return -ENOMEM;
	err = output_format__write(output_format__find(name), j, r, NULL, f);
	*out = text_file__close(&t);
	return err || *out ? err : -ENOMEM;
}

/* @follow: and what sources of waits did meanwhile. */
static int read_back(struct output *o, bool follow, char said[600])
{
	struct trace_reader *r = NULL;
	struct join *j = NULL;
	const char *why = "";
	int err;

	*o = (struct output){ 0 };
	said[0] = '\0';
	err = trace_reader__open(path, &r, &why);
	if (err) {
		snprintf(said, 600, "%s", why);
		return err;
	}
	err = join__new(r, &j);
	if (!err && follow)
		err = join__follow(j, JOIN_FOLLOW_DEPTH);
	if (!err) {
		err = join__run(j);
		if (err)
			snprintf(said, 600, "%s", join__why(j));
	}
	if (!err)
		err = make(j, r, "text", &o->report);
	if (!err)
		err = make(j, r, "json", &o->json);
	if (!err)
		err = make(j, r, "svg", &o->svg);
	join__free(j);
	trace_reader__free(r);
	return err;
}

static void expect_same(uint64_t i, const char *is, const char *want)
{
	size_t at = 0;

	while (is[at] && is[at] == want[at])
		at++;
	if (is[at] != want[at])
		fail_msg("allocation %llu, %s: differs at byte %zu: '%.60s', not '%.60s'",
			 (unsigned long long)i / 2, i & 1 ? "and all then" : "alone", at,
			 is + (at < 20 ? 0 : at - 20), want + (at < 20 ? 0 : at - 20));
}

static void fail_each(bool follow)
{
	struct output good, out;
	char said[600];
	uint64_t nr;

	write_trace();
	memory__start(UINT64_MAX, false);
	assert_int_equal(read_back(&good, follow, said), 0);
	memory__stop();
	nr = memory.nr;
	assert_true(nr > 100);
	assert_true(!follow == !strstr(good.svg, "[follow: "));
	for (uint64_t i = 0; i < 2 * nr; i++) {
		int err;

		memory__start(i / 2, i & 1);
		err = read_back(&out, follow, said);
		memory__stop();
		assert_int_not_equal(memory.failed, 0);
		if (!err) {
			expect_same(i, out.report, good.report);
			expect_same(i, out.json, good.json);
			expect_same(i, out.svg, good.svg);
		} else if (err != -ENOMEM || strstr(said, "torn") || strstr(said, "damaged")) {
			fail_msg("allocation %llu of %llu, %s: %d: %s", (unsigned long long)i / 2,
				 (unsigned long long)nr, i & 1 ? "and all then" : "alone", err, said);
		}
		output__free(&out);
	}
	output__free(&good);
}

static void each_allocation(void **state)
{
	(void)state;
	if (!CAN_FAIL)
		skip();
	fail_each(false);
	fail_each(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_allocation),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
