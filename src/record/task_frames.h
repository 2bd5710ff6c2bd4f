/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which frames of a user stack are those of the task that is being polled, by their names: the
 * runtime has functions of its own around each future, on the way from its poll function to it.
 * Knows nothing of addresses.
 */
#ifndef DWELL_RECORD_TASK_FRAMES_H
#define DWELL_RECORD_TASK_FRAMES_H

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

#endif /* DWELL_RECORD_TASK_FRAMES_H */
