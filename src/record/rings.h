/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring buffers that events come through: one for each CPU, in a map of maps. It must
 * not know what is in them.
 */
#ifndef DWELL_RECORD_RINGS_H
#define DWELL_RECORD_RINGS_H

#include <stddef.h>

#include <bpf/libbpf.h>

/* A ring of @bytes; its descriptor, the caller's to close, or negative errno. */
int rings__new(size_t bytes);
/*
 * Make a ring of @bytes for each entry of the map @rings, and *@out to read them with: it
 * calls @handle with @ctx. *@out is NULL before, and the caller's to free in any case. 0 or
 * negative errno.
 */
int rings__fill(struct bpf_map *rings, size_t bytes, ring_buffer_sample_fn handle, void *ctx,
		struct ring_buffer **out);

#endif /* DWELL_RECORD_RINGS_H */
