/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Converts events to and from bytes. Writer and reader keep the same state (last time,
 * last thread, recent tasks, threads and tokens), which is reset at the start of each
 * chunk. So most fields need only a flag for "as predicted" or a small number.
 *
 * It must not know files, chunks or the meaning of events.
 */
#ifndef DWELL_TRACE_CODEC_H
#define DWELL_TRACE_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "trace/event.h"

#define TRACE_EVENT_BYTES_MAX	160	/* the most bytes that an event can take */

struct trace_codec;

struct trace_codec *trace_codec__new(void);
void trace_codec__free(struct trace_codec *c);
/* Reset the state: a chunk begins. */
void trace_codec__reset(struct trace_codec *c);
/*
 * Append @ev at @out, which has room for TRACE_EVENT_BYTES_MAX bytes. Returns the
 * number of bytes used; 0: unknown type of event.
 */
size_t trace_codec__encode(struct trace_codec *c, const struct trace_event *ev, uint8_t *out);
/*
 * Decode a whole chunk: exactly @nr events from exactly @len bytes. 0; -EBADMSG: the
 * bytes do not contain that.
 */
int trace_codec__decode(struct trace_codec *c, const uint8_t *in, size_t len, uint16_t cpu,
			struct trace_event *out, uint32_t nr);

/* The time by which events are sorted. A loss is sorted by the first event lost. */
static inline uint64_t trace_event__order(const struct trace_event *ev)
{
	return ev->type == TRACE_LOST && ev->lost.first < ev->ts ? ev->lost.first : ev->ts;
}

#endif /* DWELL_TRACE_CODEC_H */
