/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dwell: runs a command and turns its result into an exit status: 0 success, 1 failure,
 * 2 wrong usage.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "cli/cli.h"

struct command {
	const char	*name;
	char		*title;		/* its argv[0] */
	int		(*run)(int argc, char **argv);
	const char	*synopsis;
	const char	*what;
};

static const struct command commands[] = {
	{ "why", "dwell why", cmd_why,
	  "-p PID [TASK|PATTERN] [--json]",
	  "why tasks of a running program wait, and who holds what they wait for" },
	{ "record", "dwell record", cmd_record,
	  "(-p PID | -- CMD ARG...) [--duration 10s] [-o FILE]",
	  "watch a running program, or launch one; Ctrl-C ends" },
	{ "report", "dwell report", cmd_report,
	  "[FILE] [--top N] [--sort KEY] [--task PATTERN] [--json]",
	  "where the time went, by task and await point" },
	{ "fold", "dwell fold", cmd_fold,
	  "[FILE] [--weight us|ns]",
	  "folded stacks, for flamegraph.pl and its kin" },
	{ "flamegraph", "dwell flamegraph", cmd_flamegraph,
	  "[FILE] [-o FILE.svg]",
	  "the picture" },
	{ "diff", "dwell diff", cmd_diff,
	  "BEFORE AFTER, or -a FILE... -b FILE...",
	  "what got slower between recordings, where, and how sure that is" },
	{ "info", "dwell info", cmd_info,
	  "BINARY",
	  "what dwell knows of an executable's async code" },
};

#define NR_COMMANDS	(sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
	size_t i;

	fprintf(out, "Usage: dwell COMMAND [OPTION...]\n"
		     "Where the waiting time of every async task in a running Rust program goes.\n\n");
	for (i = 0; i < NR_COMMANDS; i++)
		fprintf(out, "  dwell %s %s\n      %s\n", commands[i].name, commands[i].synopsis,
			commands[i].what);
	fprintf(out, "\nFILE is %s unless given; - is standard input or output.\n"
		     "Recording needs root, or CAP_BPF and CAP_PERFMON (and CAP_SYS_PTRACE for\n"
		     "others' processes), and Linux 6.6 or later.\n"
		     "`dwell help COMMAND' lists a command's options, `dwell version' the version.\n",
		CLI_DEFAULT_FILE);
}

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

/*
 * If the output could not be written completely, that must not look like success. @err
 * is the result of the command; if it is an error, a message has been printed.
 */
static int exit_status(int err)
{
	int failed = ferror(stdout);

	errno = 0;
	if (fflush(stdout))
		failed = 1;
	else if (fclose(stdout) && errno != EBADF)	/* EBADF: stdout was closed, and not used */
		failed = 1;
	if (err && err != CLI_HELPED)
		return err == CLI_USAGE ? CLI_USAGE : EXIT_FAILURE;
	if (!failed)
		return EXIT_SUCCESS;
	say__line("dwell: standard output: %s", strerror(errno ? errno : EIO));
	return EXIT_FAILURE;
}

static bool is_one_of(const char *word, const char *a, const char *b, const char *c)
{
	return !strcmp(word, a) || !strcmp(word, b) || !strcmp(word, c);
}

static int run_command(const char *name, int argc, char **argv)
{
	const struct command *cmd = find_command(name);

	if (!cmd) {
		say__line("dwell: no command '%s'; see dwell --help", name);
		return CLI_USAGE;
	}
	argv[0] = cmd->title;
	return cmd->run(argc, argv);
}

/* "dwell help", or "dwell help COMMAND". */
static int help(const char *name)
{
	char option[] = "--help";
	char *argv[] = { NULL, option, NULL };

	if (name && !is_one_of(name, "help", "version", "--help"))
		return run_command(name, 2, argv);
	print_help(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return CLI_USAGE;
	}
	if (is_one_of(argv[1], "help", "--help", "-h"))
		return exit_status(help(argv[2]));
	if (is_one_of(argv[1], "version", "--version", "-V")) {
		printf("dwell %s\n", DWELL_VERSION);
		return exit_status(0);
	}
	return exit_status(run_command(argv[1], argc - 1, argv + 1));
}
