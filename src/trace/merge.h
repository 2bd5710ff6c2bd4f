/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Merges chunks of events into one sequence, sorted by (time, CPU, place in that CPU's
 * stream), so that equal files give equal sequences.
 */
#ifndef DWELL_TRACE_MERGE_H
#define DWELL_TRACE_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "trace/event.h"

/* A chunk of events in the file. */
struct trace_chunk_ref {
	uint64_t	off;		/* offset of its payload */
	uint64_t	first, last;	/* smallest and largest sort time of its events */
	uint32_t	length;
	uint32_t	nr;
	uint32_t	crc;
	uint32_t	seq;		/* its number among all chunks of the file */
	uint16_t	cpu;
};

struct trace_merge;

/* @chunks is reordered; it and @fd must outlive the merge. */
int trace_merge__new(int fd, struct trace_chunk_ref *chunks, size_t nr, struct trace_merge **out);
/* 1: *@ev is valid until the next call; 0: end; or negative errno. */
int trace_merge__next(struct trace_merge *m, const struct trace_event **ev);
int trace_merge__rewind(struct trace_merge *m);
/*
 * The number of events in chunks that could not be decoded; each such chunk gives a
 * TRACE_LOST.
 */
uint64_t trace_merge__damaged(const struct trace_merge *m);
void trace_merge__free(struct trace_merge *m);

#endif /* DWELL_TRACE_MERGE_H */
