/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the command lines of all commands have in common: the help, how a wrong
 * one is said, and the recording that a command reads.
 */
#ifndef DWELL_CLI_ARGUMENTS_H
#define DWELL_CLI_ARGUMENTS_H

#include <argp.h>

/*
 * As argp_parse() does it, with -h, --help and --usage. 0: go on; CLI_USAGE;
 * CLI_HELPED. (What argp itself finds wrong ends the program with CLI_USAGE.)
 * @flags: ARGP_IN_ORDER or 0.
 */
int arguments__parse(const struct argp *argp, int argc, char **argv, unsigned int flags,
		     void *input);
/* Says in one line what is wrong, for a parser that returns the result. */
__attribute__((format(printf, 2, 3)))
error_t arguments__wrong(const struct argp_state *state, const char *fmt, ...);
/*
 * The recording to read is @arg, given with -i or by itself; *@input is NULL until
 * then, and a second one is wrong. For a parser that returns the result.
 */
error_t arguments__input(const struct argp_state *state, const char **input, const char *arg);

#endif /* DWELL_CLI_ARGUMENTS_H */
