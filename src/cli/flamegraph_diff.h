/* SPDX-License-Identifier: GPL-2.0 */
/* dwell flamegraph --diff: loads two recordings and draws what is different. */
#ifndef DWELL_CLI_FLAMEGRAPH_DIFF_H
#define DWELL_CLI_FLAMEGRAPH_DIFF_H

#include <stdbool.h>
#include <stdio.h>

#include "diff/match.h"
#include "join/join.h"
#include "output/output.h"

struct flamegraph_diff {
	const char		*paths[SIDES];
	const char		*task;		/* a pattern, or NULL */
	enum join_idle		 idle;
	unsigned int		 follow;	/* how deep; 0: not */
	struct output_opts	 output;
};

/*
 * Draw it to @out, for command @name. 0, or negative errno with the message printed. *@status
 * is set to the result of the command if nothing else fails.
 */
int flamegraph_diff__draw(const char *name, const struct flamegraph_diff *f, FILE *out,
			  int *status);

#endif /* DWELL_CLI_FLAMEGRAPH_DIFF_H */
