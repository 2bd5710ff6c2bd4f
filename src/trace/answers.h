/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Answers in a trace: what `dwell why` told of the process at some moments of the recording.
 * Each is bytes, in one chunk or, if it is large, in several that follow one another.
 *
 * It must not know what the bytes mean.
 */
#ifndef DWELL_TRACE_ANSWERS_H
#define DWELL_TRACE_ANSWERS_H

#include <stddef.h>
#include <stdint.h>

#include "trace/chunk.h"

/* The chunks of a file that have answers. */
struct trace_answers {
	struct trace_answer_part {
		struct trace_chunk_head	head;
		uint64_t		off;	/* of the payload */
	}	*parts;
	size_t	 nr, cap;
};

/* A chunk of an answer, whose payload is at @off. 0 or -ENOMEM. */
int trace_answers__add(struct trace_answers *a, const struct trace_chunk_head *h, uint64_t off);
/* The number of answers of which every chunk is there. */
size_t trace_answers__count(const struct trace_answers *a);
/*
 * Read the @i-th from @fd: *@len bytes in *@out, which the caller frees, and its time. 0;
 * -ENOENT: there is none; -EBADMSG: it is damaged; or another negative errno.
 */
int trace_answers__read(const struct trace_answers *a, int fd, size_t i, uint64_t *ts,
			uint8_t **out, size_t *len);
void trace_answers__free(struct trace_answers *a);

#endif /* DWELL_TRACE_ANSWERS_H */
