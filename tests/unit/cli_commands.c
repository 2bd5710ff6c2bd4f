// SPDX-License-Identifier: GPL-2.0
/*
 * The command lines of dwell, each in a process of its own that runs dwell's main():
 * what becomes of its options, its exit status, and the one line on standard error
 * that a wrong one gets, with nothing on standard output. Nothing is recorded: in the
 * recorder's place stands a function that prints the options which it was given.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "record/recorder.h"

#define DWELL_VERSION	"1.2.3"
#define main	dwell_main
#include "src/cli/main.c"
#undef main

#define WORDS_MAX	24
#define SECONDS		60	/* after which a command that has not ended is ended */

/* ---- the recorder's place ---- */

static int recorder_result;

int recorder__run(const struct recorder_opts *o)
{
	printf("pid %d, output %s, %" PRIu64 " ns, debug %s, cache %s, ring %zu, hide %u,%s%s%s",
	       o->pid, o->output, o->duration_ns, o->debug_file ? o->debug_file : "none",
	       o->cache_dir ? o->cache_dir : "usual", o->ring_bytes, o->hide_switches,
	       o->quiet ? " quiet" : "", o->verbose ? " verbose" : "", o->empty ? " empty" : "");
	for (char **arg = o->argv; arg && *arg; arg++)
		printf(" [%s]", *arg);
	return recorder_result;
}

/* ---- a command ---- */

struct run {
	int	status;		/* exit status, -1: ended by a signal */
	char	out[65536], err[65536];
};

static char folder[64];		/* what the commands run in: nothing is there but what tests make */
static char recording[4096];

static int become_dwell(char **argv, int out, int err)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	alarm(SECONDS);
	if (chdir(folder) || dup2(open("/dev/null", O_RDONLY), STDIN_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
		return 100;
	return dwell_main(argc, argv);
}

static void take(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
}

/* @words: "dwell" and what follows it, up to NULL. Standard output goes to @out if it is not -1. */
static void run_words(struct run *r, const char *const *words, int out)
{
	int to = memfd_create("out", 0), err = memfd_create("err", 0), status;
	pid_t pid;

	assert_true(to >= 0 && err >= 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		exit(become_dwell((char **)words, out < 0 ? to : out, err));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	r->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	take(to, r->out, sizeof(r->out));
	take(err, r->err, sizeof(r->err));
}

/* @line: the arguments with one space between them; '' is an empty one. */
static void run_to(struct run *r, const char *line, int out)
{
	const char *words[WORDS_MAX] = { "dwell" };
	char *copy = strdup(line), *rest = copy, *word;
	size_t nr = 1;

	assert_non_null(copy);
	while ((word = strsep(&rest, " "))) {
		assert_true(nr < WORDS_MAX - 1);
		if (*word)
			words[nr++] = !strcmp(word, "''") ? "" : word;
	}
	run_words(r, words, out);
	free(copy);
}

static void run(struct run *r, const char *line)
{
	run_to(r, line, -1);
}

static size_t count_lines(const char *text)
{
	size_t nr = 0;

	for (; *text; text++)
		nr += *text == '\n';
	return nr;
}

/* It has failed with @status, said one line with @word in it, and put nothing out. */
static void check_refused(const struct run *r, const char *what, int status, const char *word)
{
	if (r->status != status || *r->out || count_lines(r->err) != 1 ||
	    strncmp(r->err, "dwell", 5) || !strstr(r->err, word))
		fail_msg("dwell %s: status %d, not %d, with '%s' in one line; out: '%s' err: '%s'",
			 what, r->status, status, word, r->out, r->err);
}

static void expect_refused(const char *line, int status, const char *word)
{
	struct run r;

	run(&r, line);
	check_refused(&r, line, status, word);
}

static void expect_usage(const char *line, const char *word)
{
	expect_refused(line, CLI_USAGE, word);
}

static void expect_output(const char *line, const char *want)
{
	struct run r;

	run(&r, line);
	if (r.status || *r.err || strcmp(r.out, want))
		fail_msg("dwell %s: status %d\nout  '%s'\nwant '%s'\nerr  '%s'", line, r.status,
			 r.out, want, r.err);
}

/* ---- the folder's files ---- */

static void write_file(const char *name, const void *data, size_t len)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static size_t read_file(const char *path, char *data, size_t size)
{
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(data, 1, size, f);
	fclose(f);
	return n;
}

static bool is_there(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return !access(path, F_OK);
}

static void remove_file(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(unlink(path), 0);
}

/* ---- main's own ---- */

static void without_a_command(void **state)
{
	struct run r;

	(void)state;
	run(&r, "");
	assert_int_equal(r.status, 2);
	assert_string_equal(r.out, "");
	assert_non_null(strstr(r.err, "Usage: dwell COMMAND"));
	expect_usage("nonsense", "'nonsense'");
	expect_usage("''", "''");
	expect_usage("-p", "'-p'");
	expect_usage("-", "'-'");
	expect_usage("--", "'--'");
	expect_usage("Report", "'Report'");
	expect_usage("repor", "'repor'");
	expect_usage("--helpp", "'--helpp'");
	expect_usage("help nonsense", "'nonsense'");
	expect_usage("help -x", "'-x'");
}

static void same_help(const char *const *lines)
{
	struct run first, r;

	run(&first, lines[0]);
	for (size_t i = 0; lines[i]; i++) {
		run(&r, lines[i]);
		assert_int_equal(r.status, 0);
		assert_string_equal(r.err, "");
		assert_string_equal(r.out, first.out);
		assert_non_null(strstr(r.out, "Usage: dwell"));
	}
}

static void helps(void **state)
{
	static const char *const own[] = { "help", "-h", "--help", "help help", "help version",
					   "help --help", NULL };
	static const char *const names[] = { "record", "report", "fold", "flamegraph", "info" };

	(void)state;
	same_help(own);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[5][64];
		const char *lines[] = { text[0], text[1], text[2], text[3], text[4], NULL };

		snprintf(text[0], sizeof(text[0]), "help %s", names[i]);
		snprintf(text[1], sizeof(text[1]), "%s --help", names[i]);
		snprintf(text[2], sizeof(text[2]), "%s -h", names[i]);
		snprintf(text[3], sizeof(text[3]), "%s -?", names[i]);
		/* what stands behind it is not looked at */
		snprintf(text[4], sizeof(text[4]), "%s --help --nonsense", names[i]);
		same_help(lines);
	}
	/* a wrong option before it is */
	expect_usage("report --nonsense --help", "--nonsense");
}

static void versions(void **state)
{
	(void)state;
	expect_output("version", "dwell 1.2.3\n");
	expect_output("--version", "dwell 1.2.3\n");
	expect_output("-V", "dwell 1.2.3\n");
}

static void usage_in_short(void **state)
{
	struct run r;

	(void)state;
	run(&r, "fold --usage");
	assert_int_equal(r.status, 0);
	assert_string_equal(r.err, "");
	assert_non_null(strstr(r.out, "Usage: dwell fold"));
}

/* ---- what no command takes ---- */

static void unknown_options(void **state)
{
	(void)state;
	expect_usage("record -x", "'x'");
	expect_usage("record --nonsense", "--nonsense");
	expect_usage("report -x", "'x'");
	expect_usage("report --weight us", "--weight");
	expect_usage("fold --nonsense=3", "--nonsense");
	expect_usage("fold --json", "--json");
	expect_usage("flamegraph --nonsense", "--nonsense");
	expect_usage("info -i x", "'i'");
	/* short for two of them */
	expect_usage("record --d 3 -p 1", "--d");
	/* short for one */
	expect_output("record -p 1 --dur 3",
		      "pid 1, output dwell.data, 3000000000 ns, debug none, cache usual, ring 0, "
		      "hide 0,");
}

static void values_that_are_missing(void **state)
{
	(void)state;
	expect_usage("record -p", "'p'");
	expect_usage("record --pid", "--pid");
	expect_usage("record -p 1 --duration", "--duration");
	expect_usage("record -p 1 -o", "'o'");
	expect_usage("report -i", "'i'");
	expect_usage("report --top", "--top");
	expect_usage("report --sort", "--sort");
	expect_usage("fold -w", "'w'");
	expect_usage("fold --task", "--task");
	expect_usage("flamegraph --width", "--width");
	expect_usage("info --debug-file", "--debug-file");
	expect_usage("info", "executable");
}

static void values_where_none_is_taken(void **state)
{
	(void)state;
	expect_usage("record -p 1 --quiet=yes", "--quiet");
	expect_usage("record -p 1 --no-cache=1", "--no-cache");
	expect_usage("report --json=3", "--json");
	expect_usage("info --no-cache=2 x", "--no-cache");
	expect_usage("fold --help=x", "--help");
}

static void two_files(void **state)
{
	(void)state;
	expect_usage("report a b", "b");
	expect_usage("report -i a b", "b");
	expect_usage("fold a -i b", "b");
	expect_usage("fold -i a -i b", "b");
	expect_usage("flamegraph a -- b", "b");
	expect_usage("flamegraph - a", "a");
	expect_usage("info a b", "b");
	/* wrong though one of them is there */
	expect_usage("info /bin/sh /bin/sh", "/bin/sh");
}

/* ---- record ---- */

#define DEFAULTS	"output dwell.data, 0 ns, debug none, cache usual, ring 0, hide 0,"

static void record_a_process(void **state)
{
	(void)state;
	expect_output("record -p 1", "pid 1, " DEFAULTS);
	expect_output("record -p1", "pid 1, " DEFAULTS);
	expect_output("record --pid=2147483647", "pid 2147483647, " DEFAULTS);
	expect_output("record -p 1 -p 2", "pid 2, " DEFAULTS);
	expect_output("record -p 7 -o x -qv --debug-file d --no-cache --buffer 4 --empty-probes "
		      "--hide-switches 5 --duration 2m",
		      "pid 7, output x, 120000000000 ns, debug d, cache , ring 4096, hide 5, quiet "
		      "verbose empty");
	expect_output("record -o - -p 1", "pid 1, output -, 0 ns, debug none, cache usual, ring 0, "
		      "hide 0,");
	expect_usage("record", "-p PID or -- COMMAND");
	expect_usage("record --", "-p PID or -- COMMAND");
	expect_usage("record -o x", "-p PID or -- COMMAND");
}

static void record_a_command(void **state)
{
	(void)state;
	expect_output("record -- a b", "pid 0, " DEFAULTS " [a] [b]");
	expect_output("record a b", "pid 0, " DEFAULTS " [a] [b]");
	/* behind the command nothing is dwell's */
	expect_output("record -- a -p 1 --nonsense --", "pid 0, " DEFAULTS
		      " [a] [-p] [1] [--nonsense] [--]");
	expect_output("record -q a -h", "pid 0, " DEFAULTS " quiet [a] [-h]");
	expect_output("record -- -p 1", "pid 0, " DEFAULTS " [-p] [1]");
	expect_output("record -- ./1", "pid 0, " DEFAULTS " [./1]");
	expect_output("record - a", "pid 0, " DEFAULTS " [-] [a]");
	expect_usage("record -p 1 -- a", "-p PID or -- COMMAND");
	expect_usage("record -p 1 a", "-p PID or -- COMMAND");
	/* a number is a process whose option was forgotten */
	expect_usage("record 1234", "-p 1234");
	expect_usage("record -- 1234", "-p 1234");
}

static void process_ids(void **state)
{
	static const char *const wrong[] = {
		"''", "x", "0", "-1", "1x", "x1", "0x10", "1.5", "1,2", "+1", "2147483648",
		"4294967297", "18446744073709551617", "-18446744073709551615",
		"99999999999999999999999999",
	};
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(line, sizeof(line), "record -p %s", wrong[i]);
		expect_usage(line, "not a process id");
	}
}

static void durations(void **state)
{
	static const struct {
		const char	*text;
		uint64_t	 ns;		/* 0: wrong */
	} cases[] = {
		{ "10", 10000000000 }, { "10s", 10000000000 }, { "500ms", 500000000 },
		{ "1.5", 1500000000 }, { "0.25s", 250000000 }, { "7us", 7000 }, { "7µs", 7000 },
		{ "9ns", 9 }, { "2m", 120000000000 }, { "2min", 120000000000 },
		{ "1h", 3600000000000 }, { "18446744073s", 18446744073000000000u },
		{ "0", 0 }, { "0s", 0 }, { "0.0", 0 }, { "0.1ns", 0 }, { "-1", 0 }, { "''", 0 },
		{ "s", 0 }, { "ms", 0 }, { "1.", 0 }, { ".5", 0 }, { "1sx", 0 }, { "1s1", 0 },
		{ "1e3", 0 }, { "1,5", 0 }, { "1d", 0 }, { "1S", 0 }, { "+1", 0 }, { "0x10", 0 },
		{ "never", 0 }, { "inf", 0 }, { "nan", 0 }, { "18446744074s", 0 },
		{ "5124096h", 0 }, { "99999999999999999999999", 0 },
		{ "18446744073709551617ns", 0 },
	};
	char line[128], want[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(line, sizeof(line), "record -p 1 --duration %s", cases[i].text);
		snprintf(want, sizeof(want), "pid 1, output dwell.data, %" PRIu64 " ns, debug none, "
			 "cache usual, ring 0, hide 0,", cases[i].ns);
		if (cases[i].ns)
			expect_output(line, want);
		else
			expect_usage(line, "duration");
	}
	expect_usage("record -p 1 --duration 5124096h", "too long");
	/* a wrong one is wrong, whatever follows it */
	expect_usage("record --duration x -p 1", "x");
}

static void ring_sizes(void **state)
{
	static const char *const wrong[] = {
		"''", "x", "0", "1", "2", "3", "5", "12", "4095", "4k", "0x8", "+4", "-4", "4.0",
		"2097152", "18446744073709551620", "-18446744073709551612",
	};
	char line[128], want[256];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(line, sizeof(line), "record -p 1 --buffer %s", wrong[i]);
		expect_usage(line, "power of two");
	}
	for (size_t kib = 4; kib <= 1u << 20; kib *= 64) {
		snprintf(line, sizeof(line), "record -p 1 --buffer %zu", kib);
		snprintf(want, sizeof(want), "pid 1, output dwell.data, 0 ns, debug none, cache "
			 "usual, ring %zu, hide 0,", kib << 10);
		expect_output(line, want);
	}
	expect_output("record -p 1 --buffer 1048576", "pid 1, output dwell.data, 0 ns, debug none, "
		      "cache usual, ring 1073741824, hide 0,");
}

static void hidden_switches(void **state)
{
	(void)state;
	expect_usage("record -p 1 --hide-switches 0", "number of switches");
	expect_usage("record -p 1 --hide-switches -1", "number of switches");
	expect_usage("record -p 1 --hide-switches 4294967296", "number of switches");
	expect_usage("record -p 1 --hide-switches -18446744073709551615", "number of switches");
	expect_usage("record -p 1 --hide-switches 2x", "number of switches");
}

/* Whatever the recorder's errno: 1, which says nothing but that it has failed. */
static void recordings_that_fail(void **state)
{
	static const int errors[] = { EPERM, ENOENT, EINTR, ENOSPC, EOWNERDEAD, 256 };
	struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		recorder_result = -errors[i];
		run(&r, "record -p 1");
		recorder_result = 0;
		assert_int_equal(r.status, 1);
	}
}

/* ---- report, fold, flamegraph ---- */

/* "@ options" with the recording in the place of @. */
static void run_on_recording(struct run *r, const char *command, const char *options)
{
	char line[8192];

	snprintf(line, sizeof(line), "%s %s %s", command, recording, options);
	run(r, line);
}

static void expect_works(const char *command, const char *options)
{
	struct run r;

	run_on_recording(&r, command, options);
	if (r.status || *r.err || !*r.out)
		fail_msg("dwell %s FILE %s: status %d, out '%.100s', err '%s'", command, options,
			 r.status, r.out, r.err);
}

static size_t nr_of(const char *text, const char *word)
{
	size_t nr = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		nr++;
	return nr;
}

static void report_options(void **state)
{
	static const char *const sorts[] = { "total", "await", "ready", "count", "p99", "max" };
	static const char *const wrong[] = {
		"''", "0", "-1", "+1", "x", "2x", "1.5", "0x2", "18446744073709551616",
		"-18446744073709551615",
	};
	char options[64];
	struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
		snprintf(options, sizeof(options), "--sort %s", sorts[i]);
		expect_works("report", options);
	}
	expect_usage("report --sort p9", "p9");
	expect_usage("report --sort ''", "--sort");
	expect_usage("report --sort Await", "Await");
	expect_usage("report --sort await,max", "await,max");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char line[64];

		snprintf(line, sizeof(line), "report --top %s", wrong[i]);
		expect_usage(line, "number of await points");
	}
	run_on_recording(&r, "report", "--json --top 1");
	assert_int_equal(r.status, 0);
	assert_int_equal(nr_of(r.out, "\"self_wakes\":"), 1);
	run_on_recording(&r, "report", "--json --top 18446744073709551615");
	assert_int_equal(r.status, 0);
	assert_true(nr_of(r.out, "\"self_wakes\":") > 1);
}

static void fold_options(void **state)
{
	struct run us, ns, r;

	(void)state;
	expect_usage("fold -w ''", "--weight");
	expect_usage("fold -w ms", "ms");
	expect_usage("fold -wnsx", "nsx");
	expect_usage("fold --weight=NS", "NS");
	run_on_recording(&us, "fold", "-w us");
	run_on_recording(&ns, "fold", "-wns");
	run_on_recording(&r, "fold", "");
	assert_string_equal(r.out, us.out);
	assert_string_not_equal(us.out, ns.out);
	/* of two the last one counts */
	run_on_recording(&r, "fold", "-w us --weight ns");
	assert_string_equal(r.out, ns.out);
	expect_works("fold", "--task *");
}

static void flamegraph_options(void **state)
{
	static const char *const widths[] = {
		"''", "x", "0", "479", "100001", "1200px", "-1200", "+1200", "1200.0", "0x500",
		"18446744073709552816", "-18446744073709550416",
	};
	static const char *const minwidths[] = {
		"''", "x", "0", "0.009", "100.1", "-1", "1px", "nan", "inf", "1e9", "1,5",
	};
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		snprintf(line, sizeof(line), "flamegraph --width %s", widths[i]);
		expect_usage(line, "not a width");
	}
	for (size_t i = 0; i < sizeof(minwidths) / sizeof(minwidths[0]); i++) {
		snprintf(line, sizeof(line), "flamegraph --minwidth %s", minwidths[i]);
		expect_usage(line, "not a width");
	}
	expect_works("flamegraph", "-o - --width 480 --minwidth 0.01");
	expect_works("flamegraph", "-o - --width 100000 --minwidth 100");
	expect_works("flamegraph", "-o - --title ''");
	expect_usage("flamegraph --folded=ms", "ms");
	expect_usage("flamegraph --folded=", "unit of weights");
	/* its unit is part of it: what stands by itself is the file */
	expect_usage("flamegraph --folded ns x", "x");
	expect_usage("flamegraph --folded --task x", "--task");
	expect_usage("flamegraph --task x --folded=ns y", "--task");
}

static void tasks_that_are_not_there(void **state)
{
	static const char *const names[] = { "report", "fold", "flamegraph" };
	struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		run_on_recording(&r, names[i], "--task nobody");
		check_refused(&r, names[i], 1, "no task matches 'nobody'");
		run_on_recording(&r, names[i], "--task=");
		check_refused(&r, names[i], 1, "no task matches ''");
	}
	/* and there is no picture of nothing */
	assert_false(is_there("dwell.svg"));
}

/* ---- what they read and write ---- */

static void inputs_that_are_no_recordings(void **state)
{
	static const char *const names[] = { "report", "fold", "flamegraph", "info" };
	static const char *const inputs[] = { "missing", "/", "/dev/null", "text", "." };
	char line[128];

	(void)state;
	write_file("text", "#!/bin/sh\necho none\n", 20);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (size_t k = 0; k < sizeof(inputs) / sizeof(inputs[0]); k++) {
			snprintf(line, sizeof(line), "%s %s", names[i], inputs[k]);
			expect_refused(line, 1, inputs[k]);
		}
		/* an empty name is none, not the usual one */
		snprintf(line, sizeof(line), "%s ''", names[i]);
		expect_refused(line, 1, "No such file");
	}
	for (size_t i = 0; i < 3; i++) {
		/* not there: it is said which command writes it */
		expect_refused(names[i], 1, "dwell.data");
		snprintf(line, sizeof(line), "%s -", names[i]);
		expect_refused(line, 1, "standard input");
		/* behind -- a name may begin with a dash */
		snprintf(line, sizeof(line), "%s -- -x", names[i]);
		expect_refused(line, 1, "-x");
	}
	remove_file("text");
}

static void usual_file(void **state)
{
	static char data[1 << 20];
	size_t len = read_file(recording, data, sizeof(data));
	struct run by_name, usual;

	(void)state;
	write_file("dwell.data", data, len);
	run_on_recording(&by_name, "fold", "");
	run(&usual, "fold");
	assert_int_equal(usual.status, 0);
	assert_string_equal(usual.out, by_name.out);
	/* cut off: what is there is shown, and the status says that it is not all */
	write_file("dwell.data", data, len - 60);
	run(&usual, "report");
	assert_int_equal(usual.status, 1);
	assert_int_equal(count_lines(usual.err), 1);
	assert_true(*usual.out);
	run(&usual, "flamegraph -o -");
	assert_int_equal(usual.status, 1);
	assert_int_equal(count_lines(usual.err), 1);
	assert_non_null(strstr(usual.out, "</svg>"));
	remove_file("dwell.data");
}

static void folded_stacks(void **state)
{
	static const struct {
		const char	*text, *word;
	} wrong[] = {
		{ "a;b 1\na;b\n", "line 2" }, { "a;b x\n", "line 1" }, { " 1\n", "line 1" },
		{ "a 18446744073709551616\n", "line 1" },
		{ "a 18446744073709551615\n", "too much" },
	};
	struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		write_file("stacks", wrong[i].text, strlen(wrong[i].text));
		expect_refused("flamegraph --folded stacks -o -", 1, wrong[i].word);
	}
	write_file("stacks", "a;b 1\na;c 2\n", 12);
	run(&r, "flamegraph --folded=ns stacks -o -");
	assert_int_equal(r.status, 0);
	assert_string_equal(r.err, "");
	assert_non_null(strstr(r.out, "</svg>"));
	remove_file("stacks");
}

/* A picture that was there stays as it is unless there is a new one. */
static void pictures(void **state)
{
	char path[256], data[16];
	struct run r;

	(void)state;
	snprintf(path, sizeof(path), "%s/x.svg", folder);
	write_file("x.svg", "old", 3);
	expect_refused("flamegraph missing -o x.svg", 1, "missing");
	run_on_recording(&r, "flamegraph", "-o x.svg --task nobody");
	assert_int_equal(r.status, 1);
	expect_usage("flamegraph -o x.svg --width 1", "not a width");
	assert_int_equal(read_file(path, data, sizeof(data)), 3);
	run_on_recording(&r, "flamegraph", "-o x.svg");
	assert_int_equal(r.status, 0);
	assert_string_equal(r.out, "");
	assert_string_equal(r.err, "");
	assert_int_equal(read_file(path, data, sizeof(data)), sizeof(data));
	remove_file("x.svg");
	run_on_recording(&r, "flamegraph", "-o .");
	check_refused(&r, "flamegraph -o .", 1, "Is a directory");
	run_on_recording(&r, "flamegraph", "-o no/such/x.svg");
	check_refused(&r, "flamegraph -o no/such/x.svg", 1, "No such file");
	run_on_recording(&r, "flamegraph", "-o ''");
	check_refused(&r, "flamegraph -o ''", 1, "No such file");
	run_on_recording(&r, "flamegraph", "-o /dev/full");
	check_refused(&r, "flamegraph -o /dev/full", 1, "No space left");
}

/* Output that has not arrived is no success. */
static void output_that_takes_nothing(void **state)
{
	static const char *const lines[] = { "--help", "--version", "report --help" };
	static const char *const names[] = { "report", "report --json", "fold",
					     "flamegraph -o -" };
	char line[8192];
	struct run r;

	(void)state;
	for (size_t i = 0; i < 3 + 4; i++) {
		int full = open("/dev/full", O_WRONLY);

		if (full < 0)
			skip();
		if (i < 3)
			snprintf(line, sizeof(line), "%s", lines[i]);
		else
			snprintf(line, sizeof(line), "%s %s", names[i - 3], recording);
		run_to(&r, line, full);
		close(full);
		check_refused(&r, line, 1, "No space left");
	}
}

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/dwell-test-XXXXXX");
	if (!mkdtemp(folder) || !realpath("tests/replay/cases/io.data", recording))
		return -1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_command),
		cmocka_unit_test(helps),
		cmocka_unit_test(versions),
		cmocka_unit_test(usage_in_short),
		cmocka_unit_test(unknown_options),
		cmocka_unit_test(values_that_are_missing),
		cmocka_unit_test(values_where_none_is_taken),
		cmocka_unit_test(two_files),
		cmocka_unit_test(record_a_process),
		cmocka_unit_test(record_a_command),
		cmocka_unit_test(process_ids),
		cmocka_unit_test(durations),
		cmocka_unit_test(ring_sizes),
		cmocka_unit_test(hidden_switches),
		cmocka_unit_test(recordings_that_fail),
		cmocka_unit_test(report_options),
		cmocka_unit_test(fold_options),
		cmocka_unit_test(flamegraph_options),
		cmocka_unit_test(tasks_that_are_not_there),
		cmocka_unit_test(inputs_that_are_no_recordings),
		cmocka_unit_test(usual_file),
		cmocka_unit_test(folded_stacks),
		cmocka_unit_test(pictures),
		cmocka_unit_test(output_that_takes_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
