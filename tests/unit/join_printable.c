// SPDX-License-Identifier: GPL-2.0
/*
 * A recording in which every text is hostile to the terminal: no output hands
 * it on, and the one for scripts says the same all the same.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/printable.h"

#include "flamegraph/flamegraph.h"
#include "join/join.h"
#include "output/output.h"
#include "tests/unit/trace_path.h"

/* The reader takes any bytes, so these need not be UTF-8. */
#define BAD(what)	what " " HOSTILE
/* Hostile, but UTF-8: JSON can say it. */
#define SAYABLE		"a\x1b\xc2\x9b\xe2\x80\xae\x7f\xf3\xa0\x81\x81z"

static void event(struct trace_writer *w, struct trace_event ev)
{
	assert_int_equal(trace_writer__event(w, &ev), 0);
}

static void write_trace(void)
{
	static const struct trace_host host = {
		.hostname = BAD("host"), .kernel = BAD("kernel"), .machine = BAD("machine"),
		.comm = BAD("comm"), .exe = SAYABLE, .build_id = BAD("id"), .tier = BAD("tier"),
		.tier_hint = BAD("hint"), .runtime = BAD("runtime"), .pid = 1, .nr_cpus = 1,
		.attach_ts = 1000 };
	static const struct trace_node nodes[] = {
		{ TRACE_NODE_AWAIT, 0, 0xff, 1, 0, 0, 0, 3, BAD("await"), BAD("file"), BAD("path") },
		{ TRACE_NODE_WRAPPER, 0, 0xff, 2, 0, 0, 0, 0, BAD("wrapper"), "", "" },
		{ TRACE_NODE_LEAF, WALK_KEY_IO, 0, 0, 0, 0, 0, 0, BAD("leaf"), "", "" },
		{ TRACE_NODE_GAP, 0, 0xff, 0, 0, 0, 0, 0, BAD("gap"), "", "" } };
	static const struct trace_node one[] = {
		{ TRACE_NODE_LEAF, WALK_KEY_IO, 0, 0, 0, 0, 0, 0, BAD("only leaf"), "", "" } };
	static const char *const frames[] = { BAD("frame") };
	struct trace_writer *w;
	uint32_t name;

	assert_int_equal(trace_writer__new(path, &host, &w), 0);
	trace_writer__task_kind(w, &(struct trace_task_kind){ 1, BAD("kind"), BAD("long"),
							      BAD("scheduler"), 0, 0, 0, 0 });
	trace_writer__chain(w, &(struct trace_chain){ 1, 4, nodes, "" });
	trace_writer__chain(w, &(struct trace_chain){ 2, 1, one, "" });
	trace_writer__stack(w, &(struct trace_stack){ 1, 1, frames });
	trace_writer__thread(w, &(struct trace_thread){ 7, BAD("thread") });
	trace_writer__note(w, BAD("note"));
	trace_writer__loss(w, BAD("loss"), 3);
	name = trace_writer__string(w, BAD("fd"));
	event(w, (struct trace_event){ .ts = 1000, .type = TRACE_FD_ADD, .tid = 9,
				       .fd = { .token = 64, .epfd = 5, .fd = 9, .name = name } });
	for (uint64_t i = 0; i < 3; i++) {
		uint64_t ts = 2000 + 1000 * i;

		event(w, (struct trace_event){ .ts = ts, .type = TRACE_POLL_BEGIN, .tid = 9,
					       .poll = { .task = 4096, .kind = 1 } });
		event(w, (struct trace_event){ .ts = ts + 200, .type = TRACE_OFF_CPU, .tid = 9,
					       .off = { .out = ts + 100, .reason = TRACE_OFF_ASLEEP,
							.stack = 1, .syscall = -1 } });
		event(w, (struct trace_event){ .ts = ts + 300, .type = TRACE_POLL_END, .tid = 9,
					       .end = { .task = 4096, .chain = i == 1 ? 1 : 2,
							.nr_keys = 1,
							.keys = { .value = { 65 } } } });
		if (i < 2)
			event(w, (struct trace_event){ .ts = ts + 900, .type = TRACE_WAKE,
						       .tid = 7, .task = { 4096 } });
	}
	assert_int_equal(trace_writer__finish(w, &(struct trace_totals){
				.end_ts = 9000, .ended_by = BAD("end") }), 0);
	trace_writer__free(w);
}

struct loaded {
	struct trace_reader	*r;
	struct join		*j;
};

static struct loaded load(void)
{
	struct loaded l;
	const char *why;

	write_trace();
	assert_int_equal(trace_reader__open(path, &l.r, &why), 0);
	assert_int_equal(join__new(l.r, &l.j), 0);
	assert_int_equal(join__run(l.j), 0);
	return l;
}

static void unload(struct loaded *l)
{
	join__free(l->j);
	trace_reader__free(l->r);
}

static void expect_words(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (!strstr(text, *words))
			fail_msg("'%s' is missing in:\n%s", *words, text);
}

static void report(void **state)
{
	static const char *const words[] = { "host", "kernel", "machine", "comm", "tier", "hint",
					     "runtime", "await", "file", "leaf", "gap", "kind",
					     "fd", "note", "loss", "end", NULL };
	struct loaded l = load();
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_int_equal(output_format__write(output_format__find("text"), l.j, l.r,
					      NULL, out), 0);
	fclose(out);
	assert_printable(text, len);
	assert_null(strstr(text, "\nnew line"));
	expect_words(text, words);
	free(text);
	unload(&l);
}

static void json(void **state)
{
	struct loaded l = load();
	json_t *o;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_int_equal(output_format__write(output_format__find("json"), l.j, l.r,
					      NULL, out), 0);
	fclose(out);
	assert_printable(text, len);
	assert_non_null(strstr(text, "\"a\\u001B\\u009B\\u202E\\u007F\\uDB40\\uDC41z\""));
	o = json_loads(text, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(json_object_get(o, "recording"),
							      "exe")), SAYABLE);
	json_decref(o);
	free(text);
	unload(&l);
}

static void rows_and_picture(void **state)
{
	struct loaded l = load();
	struct flamegraph *fg = flamegraph__new();
	size_t nr, nr_notes, len;
	const struct join_row *rows = join__rows(l.j, &nr);
	struct flamegraph_opts opts = { .title = HOSTILE, .subtitle = HOSTILE };
	char *text = NULL;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_true(nr > 3);
	for (size_t i = 0; i < nr; i++) {
		for (uint32_t k = 0; k < rows[i].nr; k++) {
			assert_printable(rows[i].frames[k].name, strlen(rows[i].frames[k].name));
			assert_null(strpbrk(rows[i].frames[k].name, ";\n"));
		}
		assert_int_equal(flamegraph__add(fg, rows[i].frames, rows[i].nr, rows[i].ns), 0);
	}
	opts.notes = join__notes(l.j, &nr_notes);
	opts.nr_notes = nr_notes;
	assert_int_equal(flamegraph__render(fg, &opts, out), 0);
	fclose(out);
	/* The script and the style sheet are indented with tabs. */
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\t')
			text[i] = ' ';
	assert_printable(text, len);
	free(text);
	flamegraph__free(fg);
	unload(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(report),
		cmocka_unit_test(json),
		cmocka_unit_test(rows_and_picture),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
