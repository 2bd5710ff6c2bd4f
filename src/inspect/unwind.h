/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The frames of a thread's stack, from memory read from outside, or from a copy that was
 * taken of it, and the tables that executables have for exceptions (.eh_frame).
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

/* Bytes of a thread's stack, copied when it had the registers that a frame begins with. */
struct unwind_copy {
	uint64_t	 addr;		/* of the first byte in the process: rsp, or below it */
	const void	*bytes;
	size_t		 len;
};

/* Reads the current mappings of @target, which must outlive the object. NULL: no memory. */
struct unwinder *unwinder__new(const struct process *target);
/* @u may be NULL. */
void unwinder__free(struct unwinder *u);
/*
 * The next step begins another stack, in the process's memory as it is now: it may have
 * changed since the last step, and code been mapped. 0 or -ENOMEM.
 */
int unwinder__again(struct unwinder *u);
/*
 * The same with a stack that was copied: the process's memory is not read, since it may
 * have changed since then. *@copy and its bytes must stay until the stack has been
 * unwound. 0 or -ENOMEM.
 */
int unwinder__from_copy(struct unwinder *u, const struct unwind_copy *copy);
/*
 * Go from a frame to its caller's. 1: *@f is the caller, and its return address was in
 * the word below f->sp. 0: there is no caller, the thread begins here. Negative errno;
 * *@f is unchanged: -ENOENT: there is no table; -ENOTSUP: a rule that is not known here;
 * -EFAULT: memory could not be read; -ENODATA: it is not in the copy, which is too short.
 */
int unwinder__step(struct unwinder *u, struct unwind_frame *f);

/* Code that is mapped from a file. */
struct unwind_code {
	uint64_t	from, to;	/* run-time addresses */
	bool		executable;	/* it is of the program itself, not of a library */
};

/*
 * Read the mappings again, as far as the process still has them, and open all files that
 * code is mapped from, which has no names to go by once the process is gone. 0 or -ENOMEM.
 */
int unwinder__look(struct unwinder *u);
/* Mapping number @i of code; false: there are fewer. In the order of their addresses. */
bool unwinder__code(const struct unwinder *u, size_t i, struct unwind_code *out);
/*
 * In which file the code at @pc is (a number that no other file of @u gets) and at which
 * link-time address. False: in none that has a table.
 */
bool unwinder__place(struct unwinder *u, uint64_t pc, uint32_t *file, uint64_t *vaddr);
/* A descriptor of file @file, which @u owns. */
int unwinder__fd(const struct unwinder *u, uint32_t file);
/* Is file @file the program, not a library? */
bool unwinder__is_executable(const struct unwinder *u, uint32_t file);

#endif /* DWELL_INSPECT_UNWIND_H */
