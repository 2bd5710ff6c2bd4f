/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The user stacks that events of a recording are about: each different one once, with an id.
 * Where they are in the source is looked up at the end, when it costs the target nothing.
 *
 * It must not know what the threads did there.
 */
#ifndef DWELL_RECORD_USER_STACKS_H
#define DWELL_RECORD_USER_STACKS_H

#include <stdint.h>

#include "image/image.h"
#include "inspect/process.h"
#include "inspect/unwind.h"
#include "trace/trace.h"

#define USER_STACK_FRAMES	256	/* of one stack that are kept */

struct user_stacks;

/* NULL: no memory. */
struct user_stacks *user_stacks__new(void);
/* NULL is fine. */
void user_stacks__free(struct user_stacks *s);
/*
 * The run-time address @ret is one that poll functions return to, besides those that the
 * image knows. 0 or -ENOMEM.
 */
int user_stacks__add_return(struct user_stacks *s, uint64_t ret);
/*
 * The id in the file (> 0) of the stack with these program counters, the innermost first,
 * all but that one behind a call. 0: there are too many different stacks already. Or -ENOMEM.
 */
int64_t user_stacks__id(struct user_stacks *s, const uint64_t *pcs, uint32_t nr);
/* The same of the stack that @u unwinds from *@f on, as far as it can. */
int64_t user_stacks__take(struct user_stacks *s, struct unwinder *u, struct unwind_frame *f);

struct user_stacks_opts {
	const struct image	*img;
	const struct process	*target;
	struct trace_writer	*trace;
	uint64_t		 bias;	/* of the program: run-time minus link-time address */
};

/* At the end: write all stacks, with names. 0 or negative errno. */
int user_stacks__write(struct user_stacks *s, const struct user_stacks_opts *opts);

#endif /* DWELL_RECORD_USER_STACKS_H */
