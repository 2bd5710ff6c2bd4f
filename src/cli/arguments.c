/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parsing that all commands' command lines have in common. See arguments.h. It must not
 * know what a command does.
 */
#include "cli/arguments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "cli/cli.h"

enum { OPT_USAGE = 0x1000 };	/* above the numbers of the commands' options */

/* In place of argp's own help options, which lack -h. */
static const struct argp_option help_options[] = {
	{ "help", 'h', NULL, 0, "Show this", -1 },
	{ "usage", OPT_USAGE, NULL, OPTION_HIDDEN, NULL, -1 },
	{ NULL, '?', NULL, OPTION_HIDDEN, NULL, -1 },
	{ 0 },
};

static error_t parse_help(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		/* What is wrong is said in one line: not where to look as well, in a second one. */
		state->err_stream = NULL;
		return 0;
	case 'h':
	case '?':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK);
		return ECANCELED;
	case OPT_USAGE:
		argp_state_help(state, stdout, ARGP_HELP_USAGE);
		return ECANCELED;
	}
	return ARGP_ERR_UNKNOWN;
}

/* Removes argp's note about options with a long and a short name. */
static char *filter_help(int key, const char *text, void *input)
{
	(void)input;
	return key == ARGP_KEY_HELP_DUP_ARGS_NOTE ? NULL : (char *)text;
}

int arguments__parse(const struct argp *argp, int argc, char **argv, unsigned int flags,
		     void *input)
{
	static const struct argp help = { .options = help_options, .parser = parse_help };
	const struct argp_child children[] = { { .argp = &help }, { 0 } };
	struct argp with_help = *argp;
	error_t err;

	with_help.children = children;
	with_help.help_filter = filter_help;
	err = argp_parse(&with_help, argc, argv, flags | ARGP_NO_HELP, NULL, input);
	return err == ECANCELED ? CLI_HELPED : err ? CLI_USAGE : 0;
}

error_t arguments__wrong(const struct argp_state *state, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	say__line("%s: %s; see %s --help", state->name, text ? text : "wrong usage", state->name);
	free(text);
	return EINVAL;
}

bool arguments__number(const char *arg, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t n;

	/* strtoull() takes blanks and signs too, and makes large numbers of small ones below 0. */
	if (!*arg || arg[strspn(arg, "0123456789")])
		return false;
	errno = 0;
	n = strtoull(arg, NULL, 10);
	if (errno || n < min || n > max)
		return false;
	*out = n;
	return true;
}

error_t arguments__input(const struct argp_state *state, const char **input, const char *arg)
{
	if (*input)
		return arguments__wrong(state, "one recording only: %s, and then what is %s?",
					*input, arg);
	*input = arg;
	return 0;
}

error_t arguments__inputs(const struct argp_state *state, const char **input, const char **after,
			  bool diff, const char *arg)
{
	if (!*input)
		return arguments__input(state, input, arg);
	if (*after && diff)
		return arguments__wrong(state, "--diff compares two recordings, and then what is %s?",
					arg);
	if (*after)
		return arguments__input(state, input, arg);
	*after = arg;
	return 0;
}

error_t arguments__follow(const struct argp_state *state, unsigned int *depth, const char *arg)
{
	uint64_t n = JOIN_FOLLOW_DEPTH;

	if (arg && !arguments__number(arg, 1, JOIN_FOLLOW_DEPTH_MAX, &n))
		return arguments__wrong(state, "--follow is a depth from 1 to %d, not %s",
					JOIN_FOLLOW_DEPTH_MAX, arg);
	*depth = (unsigned int)n;
	return 0;
}

error_t arguments__idle(const struct argp_state *state, enum join_idle *idle, const char *arg)
{
	static const char *const words[] = {
		[JOIN_IDLE_SHOW] = "show", [JOIN_IDLE_HIDE] = "hide", [JOIN_IDLE_ONLY] = "only",
	};

	for (int i = JOIN_IDLE_SHOW; i <= JOIN_IDLE_ONLY; i++)
		if (!strcmp(arg, words[i])) {
			*idle = (enum join_idle)i;
			return 0;
		}
	return arguments__wrong(state, "--idle is show, hide or only, not %s", arg);
}
