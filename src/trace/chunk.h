/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The outer format of a trace file: its header, and the headers of its chunks, as
 * bytes. The contents of chunks are in codec.h (events) and meta.h (tables).
 *
 *	file	= head chunk*
 *	head	= magic[8] version:u32 0:u32
 *	chunk	= chunk head, payload
 *
 * All integers are little-endian. The header of a chunk has its own checksum, so that a
 * chunk with a damaged payload can be skipped.
 */
#ifndef DWELL_TRACE_CHUNK_H
#define DWELL_TRACE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_MAGIC		"dwelltr\n"
#define TRACE_HEAD_SIZE		16
#define TRACE_CHUNK_HEAD_SIZE	40
#define TRACE_CHUNK_MAX		(16u << 20)	/* bytes of payload in any chunk */
#define TRACE_CHUNK_EVENTS_MAX	(1u << 16)	/* events in a chunk */

/* On disk: append only. Chunks of an unknown kind are skipped. */
enum trace_chunk_kind {
	TRACE_CHUNK_META	= 1,
	TRACE_CHUNK_EVENTS	= 2,
	TRACE_CHUNK_ANSWER	= 3,	/* a part of an answer: see answers.h */
};

struct trace_chunk_head {
	uint8_t		kind;		/* enum trace_chunk_kind */
	uint16_t	cpu;		/* the stream of its events; ANSWER: which part */
	uint32_t	length;		/* bytes of payload */
	uint32_t	nr;		/* number of events, records, or parts of the answer */
	uint64_t	first, last;	/* smallest and largest time; ANSWER: its time */
	uint32_t	crc;		/* crc32c of the payload */
};

void trace_head__pack(uint8_t *out, uint32_t version);
/* 0; -EBADMSG: not a trace; -EPROTONOSUPPORT: a different *@version. */
int trace_head__unpack(const uint8_t *in, uint32_t *version);

void trace_chunk_head__pack(const struct trace_chunk_head *h, uint8_t *out);
/* False: these bytes cannot be the header of a chunk. */
bool trace_chunk_head__unpack(struct trace_chunk_head *h, const uint8_t *in);

uint32_t crc32c(const void *data, size_t len);

#endif /* DWELL_TRACE_CHUNK_H */
