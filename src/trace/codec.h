/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events to and from bytes. Writer and reader keep the same state (last time,
 * last thread, the tasks, threads and tokens seen lately), reset at the start
 * of each chunk, so that most fields are named by a guess or a small number.
 *
 * It must not know of files, chunks or what events mean.
 */
#ifndef DWELL_TRACE_CODEC_H
#define DWELL_TRACE_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "trace/event.h"

#define TRACE_EVENT_BYTES_MAX	160	/* no event takes more */

struct trace_codec;

struct trace_codec *trace_codec__new(void);
void trace_codec__free(struct trace_codec *c);
/* Forget everything: the start of a chunk. */
void trace_codec__reset(struct trace_codec *c);
/*
 * Append @ev at @out, which has TRACE_EVENT_BYTES_MAX bytes. Returns the bytes
 * used; 0: no such type of event.
 */
size_t trace_codec__encode(struct trace_codec *c, const struct trace_event *ev, uint8_t *out);
/*
 * Decode a chunk from its start: exactly @nr events from exactly @len bytes.
 * 0, or -EBADMSG if that is not what they hold.
 */
int trace_codec__decode(struct trace_codec *c, const uint8_t *in, size_t len, uint16_t cpu,
			struct trace_event *out, uint32_t nr);

/* The time that orders an event: losses stand where the first event is missing. */
static inline uint64_t trace_event__order(const struct trace_event *ev)
{
	return ev->type == TRACE_LOST && ev->lost.first < ev->ts ? ev->lost.first : ev->ts;
}

#endif /* DWELL_TRACE_CODEC_H */
