/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The frames of a thread's stack, by the tables that executables carry for
 * exceptions (.eh_frame), from memory read from outside.
 *
 * It must not know what the frames are looked at for.
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
	uint64_t	pc;		/* where it is: behind the call of the frame below … */
	bool		innermost;	/* … or, of the last that was called, anywhere */
	uint64_t	sp;		/* rsp there */
	uint64_t	saved[RAW_SAVED_REGS];	/* rbx, rbp, r12 to r15 there */
};

/* Looks up what @target has mapped now. NULL: no memory. @target must outlive it. */
struct unwinder *unwinder__new(const struct process *target);
/* NULL is fine. */
void unwinder__free(struct unwinder *u);
/* Memory may have changed since the last step, and code been mapped. 0 or -ENOMEM. */
int unwinder__again(struct unwinder *u);
/*
 * From a frame to its caller's. 1: *@f is that one, and its return address was in the
 * word below f->sp. 0: it has none, this is where the thread begins. Negative errno:
 * no table says, or memory could not be read; *@f is as it was.
 */
int unwinder__step(struct unwinder *u, struct unwind_frame *f);

#endif /* DWELL_INSPECT_UNWIND_H */
