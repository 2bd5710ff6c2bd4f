/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From chunks of events to one sequence in order of time: (time, CPU, place
 * in that CPU's stream), so that equal files give equal sequences.
 */
#ifndef DWELL_TRACE_MERGE_H
#define DWELL_TRACE_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "trace/event.h"

/* A chunk of events in the file. */
struct trace_chunk_ref {
	uint64_t	off;		/* of its payload */
	uint64_t	first, last;	/* smallest and largest order of its events */
	uint32_t	length;
	uint32_t	nr;
	uint32_t	crc;
	uint32_t	seq;		/* place among the chunks of the file */
	uint16_t	cpu;
};

struct trace_merge;

/* @chunks are reordered, and must outlive the merge, as must @fd. */
int trace_merge__new(int fd, struct trace_chunk_ref *chunks, size_t nr, struct trace_merge **out);
/* 1: *@ev is valid until the next call; 0: end; negative errno. */
int trace_merge__next(struct trace_merge *m, const struct trace_event **ev);
int trace_merge__rewind(struct trace_merge *m);
/* Events in chunks that could not be decoded; a TRACE_LOST stands for each chunk. */
uint64_t trace_merge__damaged(const struct trace_merge *m);
void trace_merge__free(struct trace_merge *m);

#endif /* DWELL_TRACE_MERGE_H */
