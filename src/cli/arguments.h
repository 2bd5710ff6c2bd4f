/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the command lines of all commands have in common: the help, errors, and the
 * recording that a command reads.
 */
#ifndef DWELL_CLI_ARGUMENTS_H
#define DWELL_CLI_ARGUMENTS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "join/join.h"

/* The option --follow[=DEPTH], with @text for help. */
#define ARGUMENTS_FOLLOW(key, text) \
	{ "follow", key, "DEPTH", OPTION_ARG_OPTIONAL, text, 0 }

/*
 * Like argp_parse(), with -h, --help and --usage. 0: continue; CLI_USAGE: one line has been
 * printed, by @argp's parser or by argp itself; CLI_HELPED. @flags: ARGP_IN_ORDER or 0.
 */
int arguments__parse(const struct argp *argp, int argc, char **argv, unsigned int flags,
		     void *input);
/* Print in one line what is wrong. For parsers, which return the result. */
__attribute__((format(printf, 2, 3)))
error_t arguments__wrong(const struct argp_state *state, const char *fmt, ...);
/*
 * @arg as a whole number from @min to @max, in decimal digits and nothing else. False: it
 * is not one, and *@out is unchanged.
 */
bool arguments__number(const char *arg, uint64_t min, uint64_t max, uint64_t *out);
/*
 * Take @arg, from -i or as an argument, as the recording to read. *@input must be NULL
 * at first; a second recording is an error. For parsers, which return the result.
 */
error_t arguments__input(const struct argp_state *state, const char **input, const char *arg);

/*
 * The same for a command that compares two recordings if @diff is set, which comes before them:
 * *@after is the second one. Without @diff, the parser has to refuse it at the end.
 */
error_t arguments__inputs(const struct argp_state *state, const char **input, const char **after,
			  bool diff, const char *arg);

/* Take @arg, from --follow, or NULL, for the usual depth. For parsers, which return the result. */
error_t arguments__follow(const struct argp_state *state, unsigned int *depth, const char *arg);
/* Take @arg, from --idle. For parsers, which return the result. */
error_t arguments__idle(const struct argp_state *state, enum join_idle *idle, const char *arg);

#endif /* DWELL_CLI_ARGUMENTS_H */
