/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The outer form of a trace file: its head and the heads of its chunks, as
 * bytes. What a chunk holds is codec.h's (events) and meta.h's (tables).
 *
 *	file	= head chunk*
 *	head	= magic[8] version:u32 0:u32
 *	chunk	= chunk head, payload
 *
 * All integers are little endian. The head of a chunk has a checksum of its
 * own, so that a chunk whose payload is damaged can be stepped over.
 */
#ifndef DWELL_TRACE_CHUNK_H
#define DWELL_TRACE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_MAGIC		"dwelltr\n"
#define TRACE_HEAD_SIZE		16
#define TRACE_CHUNK_HEAD_SIZE	40
#define TRACE_CHUNK_MAX		(16u << 20)	/* payload of any chunk */
#define TRACE_CHUNK_EVENTS_MAX	(1u << 16)	/* events of one chunk */

/* On disk: append only. Chunks of an unknown kind are stepped over. */
enum trace_chunk_kind {
	TRACE_CHUNK_META	= 1,
	TRACE_CHUNK_EVENTS	= 2,
};

struct trace_chunk_head {
	uint8_t		kind;		/* enum trace_chunk_kind */
	uint16_t	cpu;		/* stream of events */
	uint32_t	length;		/* bytes of payload */
	uint32_t	nr;		/* events or records */
	uint64_t	first, last;	/* smallest and largest time, events only */
	uint32_t	crc;		/* crc32c of the payload */
};

void trace_head__pack(uint8_t *out, uint32_t version);
/* 0, -EBADMSG: no trace, -EPROTONOSUPPORT: *@version is another one. */
int trace_head__unpack(const uint8_t *in, uint32_t *version);

void trace_chunk_head__pack(const struct trace_chunk_head *h, uint8_t *out);
/* False: these bytes are not the head of a chunk that can be in a trace. */
bool trace_chunk_head__unpack(struct trace_chunk_head *h, const uint8_t *in);

uint32_t crc32c(const void *data, size_t len);

#endif /* DWELL_TRACE_CHUNK_H */
