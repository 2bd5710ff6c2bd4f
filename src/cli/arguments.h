/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the command lines of all commands have in common: the help, how a wrong
 * one is said, and the recording that a command reads.
 */
#ifndef DWELL_CLI_ARGUMENTS_H
#define DWELL_CLI_ARGUMENTS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * As argp_parse() does it, with -h, --help and --usage. 0: go on; CLI_USAGE, of which
 * one line has been said, by @argp's parser or by argp itself; CLI_HELPED.
 * @flags: ARGP_IN_ORDER or 0.
 */
int arguments__parse(const struct argp *argp, int argc, char **argv, unsigned int flags,
		     void *input);
/* Says in one line what is wrong, for a parser that returns the result. */
__attribute__((format(printf, 2, 3)))
error_t arguments__wrong(const struct argp_state *state, const char *fmt, ...);
/*
 * @arg as a whole number from @min to @max, in decimal digits and nothing else. False: it
 * is none, and *@out is what it was.
 */
bool arguments__number(const char *arg, uint64_t min, uint64_t max, uint64_t *out);
/*
 * The recording to read is @arg, given with -i or by itself; *@input is NULL until
 * then, and a second one is wrong. For a parser that returns the result.
 */
error_t arguments__input(const struct argp_state *state, const char **input, const char *arg);

#endif /* DWELL_CLI_ARGUMENTS_H */
