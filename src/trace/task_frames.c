// SPDX-License-Identifier: GPL-2.0
/* Which frames of a stack are the polled task's. See task_frames.h. */
#include "trace/task_frames.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

uint32_t task_frames__begin_of_block_on(const struct trace_user_frame *frames, uint32_t first,
				  uint32_t nr)
{
	while (first < nr && !strstr(frames[first].function, "::block_on"))
		first++;
	return first;
}

/* "tokio::runtime::task::raw::RawTask::poll": 5 */
static size_t crate_len(const char *function)
{
	const char *colon = strstr(function, "::");

	return colon ? (size_t)(colon - function) : 0;
}

/*
 * Is @function std's, or of the crate of @poller, or of a crate that puts something of its own
 * around each future or job that another one polls?
 */
static bool of_runtime(const char *function, const char *poller)
{
	static const char *const crates[] = {
		"std", "core", "alloc", "async_executor", "async_global_executor", "async_std",
		"blocking", "compio_runtime", "tokio_uring",
	};
	size_t len = crate_len(function);

	if (len && len == crate_len(poller) && !strncmp(function, poller, len))
		return true;
	for (size_t i = 0; i < sizeof(crates) / sizeof(*crates); i++)
		if (len == strlen(crates[i]) && !strncmp(function, crates[i], len))
			return true;
	return false;
}

uint32_t task_frames__without_runtime(const struct trace_user_frame *frames, uint32_t nr,
				const char *poller)
{
	uint32_t own = nr;

	while (own && of_runtime(frames[own - 1].function, poller))
		own--;
	return own ? own : nr;	/* a future of the runtime itself */
}

uint32_t task_frames__of(const struct trace_user_stack *st)
{
	if (st->of_task || !st->in_poll)
		return st->of_task;
	return task_frames__without_runtime(st->frames, st->in_poll, st->in_poll < st->nr ?
					    st->frames[st->in_poll].function : "");
}
