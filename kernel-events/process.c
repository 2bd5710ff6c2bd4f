/* SPDX-License-Identifier: GPL-2.0 */
/* Decodes the events of threads' names and exits, and of exec. */
#include <stdio.h>

#include "kernel-events/source.h"

static int process_decode(struct source_ctx *ctx, const struct raw_hdr *raw, struct trace_event *ev)
{
	const struct raw_thread *name = (const struct raw_thread *)raw;
	char comm[RAW_COMM_LEN + 1];
	struct trace_thread t = { .tid = raw->tid, .name = comm };

	switch (raw->type) {
	case RAW_THREAD:
		snprintf(comm, sizeof(comm), "%.*s", RAW_COMM_LEN, name->comm);
		return trace_writer__thread(ctx->trace, &t);
	case RAW_THREAD_EXIT:
		ev->type = TRACE_THREAD_EXIT;
		return 1;
	case RAW_EXEC:
		ctx->execs++;
		ctx->last_exec_ts = raw->ts;
		return 0;
	}
	return 0;
}

static const struct source_event events[] = {
	{ RAW_THREAD, 0 },
	{ RAW_THREAD_EXIT, 0 },
	{ RAW_EXEC, 0 },
	{}
};

const struct kernel_source source_process = {
	.name	= "process",
	.events	= events,
	.decode	= process_decode,
};
