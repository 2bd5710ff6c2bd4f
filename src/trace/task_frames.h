/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which frames of a user stack are those of the task that is being polled, by their names: the
 * runtime has functions of its own around each future, on the way from its poll function to it.
 * Knows nothing of addresses.
 */
#ifndef DWELL_TRACE_TASK_FRAMES_H
#define DWELL_TRACE_TASK_FRAMES_H

#include <stdint.h>

#include "trace/trace.h"

/*
 * The functions at one address, [@first, @nr) of @frames, have a root's poll among them: the
 * first of those that belong to the block_on, which may have been inlined there, as the poll.
 */
uint32_t task_frames__begin_of_block_on(const struct trace_user_frame *frames, uint32_t first,
					uint32_t nr);
/*
 * Of the frames inside a poll, the innermost @nr, so many are the task's: without what the
 * runtime has around each future. @poller is the function that polls.
 */
uint32_t task_frames__without_runtime(const struct trace_user_frame *frames, uint32_t nr,
				      const char *poller);
/*
 * How many of the frames of @st, the innermost ones, are the task's: those inside the poll, but
 * for the outermost ones of the runtime that polls and of std. It is the one rule for all user
 * stacks, of threads that slept and of those on a CPU. 0: it is not known where the poll is.
 */
uint32_t task_frames__of(const struct trace_user_stack *st);

#endif /* DWELL_TRACE_TASK_FRAMES_H */
