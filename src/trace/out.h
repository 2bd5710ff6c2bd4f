/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the bytes of a trace go: a file, a pipe, a socket. What is put is written wholly or not
 * at all, and of a disk that gets full, room for the end of the trace is kept.
 *
 * It must not know what the bytes mean.
 */
#ifndef DWELL_TRACE_OUT_H
#define DWELL_TRACE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/trace.h"

struct trace_out {
	struct trace_sink	sink;
	bool			seekable, socket, closing;
	uint64_t		reserved;	/* bytes of disk space that the file has */
	uint64_t		end_bytes;	/* the most that is put after trace_out__close() */
	uint64_t		bytes;		/* that were put */
};

/* @sink is copied; its descriptor stays the caller's. */
void trace_out__init(struct trace_out *o, const struct trace_sink *sink, uint64_t end_bytes);
/*
 * Write all of @len bytes or nothing: after an error, the part that was written is removed,
 * where that is possible. 0 or negative errno.
 */
int trace_out__put(struct trace_out *o, const void *data, size_t len);
/* What is put from now on is the end, for which room has been reserved. */
void trace_out__close(struct trace_out *o);
/* Free the disk space that was reserved and not used. */
void trace_out__trim(struct trace_out *o);

#endif /* DWELL_TRACE_OUT_H */
