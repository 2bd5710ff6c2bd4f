/* SPDX-License-Identifier: GPL-2.0 */
/* The user stacks of a picture's threads, as an answer tells them. */
#ifndef DWELL_WHY_STACKS_H
#define DWELL_WHY_STACKS_H

#include "answer/answer.h"
#include "why/why.h"

struct unwinder;

/* A function that is on a stack. */
struct stack_function {
	uint64_t	pc;		/* return address; of the innermost, where it is */
	const char	*function;	/* as in struct source_frame; "": not known */
	const char	*path;
	uint32_t	line;
	bool		inlined;	/* into the next one, which has the same pc */
};

#define STACK_ENDED	1	/* the last one is where the thread began */

/*
 * Call @each with each function on the stack of @t, the innermost first, until it returns
 * something else than 0, which is returned then. Code of libraries is one function without a
 * name for each address. 0: what called the last one is not known; STACK_ENDED.
 */
int stack__walk(const struct why *y, struct unwinder *u, const struct picture_thread *t,
		int (*each)(void *ctx, const struct stack_function *f), void *ctx);

/*
 * Add the stack of each thread of @y to that thread of @a, unless the thread runs: then it
 * changes while it is read. 0 or -ENOMEM.
 */
int stacks__tell(const struct why *y, struct answer *a);

#endif /* DWELL_WHY_STACKS_H */
