/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where in the program threads sleep in polls: the user stacks that the kernel's side
 * captures when threads go to sleep (kernel-events/user_stack.bpf.h), unwound as they come
 * and named at the end. Stacks with the same frames are one, whatever they looked like.
 *
 * It must not know what a task is.
 */
#ifndef DWELL_RECORD_USER_STACKS_H
#define DWELL_RECORD_USER_STACKS_H

#include <stdint.h>

#include "image/image.h"
#include "inspect/process.h"
#include "inspect/unwind.h"
#include "trace/trace.h"

struct dwell_bpf;
struct raw_sleeper;
struct user_stacks;

struct user_stacks_opts {
	const struct image	*img;
	const struct process	*target;
	struct dwell_bpf	*skel;
	struct trace_writer	*trace;
};

/*
 * From now on stacks are captured. *@opts is copied; what it points to must outlive the
 * object. 0 or negative errno.
 */
int user_stacks__new(const struct user_stacks_opts *opts, struct user_stacks **out);
/* NULL is fine. */
void user_stacks__free(struct user_stacks *s);
/*
 * Unwind what has been captured, for a few ms at most; @all: however long it takes. 1: there
 * is more; 0: that was all; negative errno.
 */
int user_stacks__take(struct user_stacks *s, bool all);
/* Readable if many have been captured; a descriptor that @s owns. */
int user_stacks__fd(const struct user_stacks *s);
/*
 * The id in the file of the stack that the kernel's side calls @raw, which may not have been
 * taken yet; 0: there are too many. Or -ENOMEM. @s: a struct user_stacks, as in source_ctx.
 */
int64_t user_stacks__id(void *s, uint32_t raw);
/*
 * Unwind the stack of a thread that sleeps, from its memory. Its id in the file; 0: there are
 * too many. Or -ENOMEM.
 */
int64_t user_stacks__read(struct user_stacks *s, const struct raw_sleeper *raw);
/*
 * Unwind the stack of a thread that ran on a CPU, from its registers *@f and what was copied of
 * it. Its id in the file; 0: there are too many. Or -ENOMEM.
 */
int64_t user_stacks__sample(struct user_stacks *s, const struct unwind_frame *f,
			    const struct unwind_copy *copy);
/*
 * The run-time address @ret is one that poll functions return to, besides those that the
 * image knows. 0 or -ENOMEM.
 */
int user_stacks__add_return(struct user_stacks *s, uint64_t ret);
/* At the end: write all stacks, with names. 0 or negative errno. */
int user_stacks__finish(struct user_stacks *s);

#endif /* DWELL_RECORD_USER_STACKS_H */
