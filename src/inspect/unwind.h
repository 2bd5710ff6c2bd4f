/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The frames of a thread's stack, from memory read from outside and the tables that
 * executables have for exceptions (.eh_frame).
 *
 * It must not know what the frames are used for.
 */
#ifndef DWELL_INSPECT_UNWIND_H
#define DWELL_INSPECT_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "abi.h"
#include "inspect/process.h"

struct unwinder;

/* A function that has been called and has not returned. */
struct unwind_frame {
	uint64_t	pc;		/* behind the call of the next inner frame; … */
	bool		innermost;	/* … in the innermost frame, anywhere */
	uint64_t	sp;		/* value of rsp there */
	uint64_t	saved[RAW_SAVED_REGS];	/* rbx, rbp, r12 to r15 there */
};

/* Reads the current mappings of @target, which must outlive the object. NULL: no memory. */
struct unwinder *unwinder__new(const struct process *target);
/* @u may be NULL. */
void unwinder__free(struct unwinder *u);
/* Memory may have changed since the last step, and code been mapped. 0 or -ENOMEM. */
int unwinder__again(struct unwinder *u);
/*
 * Go from a frame to its caller's. 1: *@f is the caller, and its return address was in
 * the word below f->sp. 0: there is no caller, the thread begins here. Negative errno:
 * there is no table, or memory could not be read; *@f is unchanged.
 */
int unwinder__step(struct unwinder *u, struct unwind_frame *f);

#endif /* DWELL_INSPECT_UNWIND_H */
