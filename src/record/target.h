/* SPDX-License-Identifier: GPL-2.0 */
/* The process that is recorded: found by pid (inspect/process.h) or launched. */
#ifndef DWELL_RECORD_TARGET_H
#define DWELL_RECORD_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "inspect/process.h"

struct target {
	struct process	process;
	int		go;		/* launched: write a byte to let it exec; else -1 */
	int		go_status;	/* launched: errno of a failed exec can be read here */
	bool		launched;	/* it is a child of dwell */
};

/* No process yet; target__close() is allowed. */
void target__init(struct target *t);
/*
 * Prepare @argv as a child that waits for target__go() before it executes. Errors as in
 * process__find(), and for a command that is not found.
 */
int target__launch(struct target *t, char **argv, const char **why);
/*
 * Is it a launched child that has not been told to exec? Then nothing of the program
 * exists yet.
 */
bool target__waits(const struct target *t);
/* Let the launched child exec. 0 or negative errno of the exec. */
int target__go(struct target *t);
/*
 * For a launched child: if it has executed another program since the last call, switch
 * to that one. 1: it has; 0: it has not; negative errno: it is gone.
 */
int target__follow_exec(struct target *t);
/*
 * Close descriptors. A launched child that has not ended gets SIGTERM. False: it has
 * not ended within TARGET_GRACE_MS, and runs on.
 */
bool target__close(struct target *t);

#define TARGET_GRACE_MS	3000

#endif /* DWELL_RECORD_TARGET_H */
