/* SPDX-License-Identifier: GPL-2.0 */
/* dwell why -i FILE: the same question, answered from a recording. */
#ifndef DWELL_CLI_WHY_RECORDING_H
#define DWELL_CLI_WHY_RECORDING_H

#include <argp.h>
#include <stdbool.h>

#include "past/past.h"

struct why_recording {
	const char		*input;		/* NULL: no recording */
	bool			 json;
	const char		*asked_by;	/* an option that only a recording can answer */
	struct past_opts	 past;
};

enum {
	OPT_AT = 512,
	OPT_SLOWEST,
#define LINT_OPTION(id, name, option, arg, help)	OPT_##id,
	LINTS(LINT_OPTION)
#undef LINT_OPTION
};

#define WHY_LINT_OPTION(id, name, option, arg, help)	{ option, OPT_##id, arg, 0, help, 3 },

/* The options that only a recording can answer, for a table of argp's. */
#define WHY_RECORDING_OPTIONS							\
	{ "at", OPT_AT, "TIME", 0,						\
	  "What each task did at that time since the recording began: 1.5, 200ms", 2 }, \
	{ "slowest", OPT_SLOWEST, "N", 0, "The N slowest waits and polls", 2 },	\
	{ NULL, 0, NULL, 0, "Limits of the lints (off: none). It is told if", 3 },	\
	LINTS(WHY_LINT_OPTION)

/* Sets the defaults. */
void why_recording__init(struct why_recording *o);
/* Parse one of these options. As argp's parsers do. */
error_t why_recording__parse(struct why_recording *o, int key, char *arg,
			     const struct argp_state *state);
/* Answer, for command @name. 0, or negative errno with the message printed. */
int why_recording__run(const struct why_recording *o, const char *name);

#endif /* DWELL_CLI_WHY_RECORDING_H */
