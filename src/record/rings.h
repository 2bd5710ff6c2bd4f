/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring buffers that events come through: one for each CPU, in a map of maps. It must
 * not know what is in them.
 */
#ifndef DWELL_RECORD_RINGS_H
#define DWELL_RECORD_RINGS_H

#include <stddef.h>

#include <bpf/libbpf.h>

struct rings;

/*
 * Make @nr rings of @bytes and begin to put them into a map of maps that @map will be, in a
 * thread: the kernel waits some 10 ms in that. Called before the programs are loaded. *@out is
 * the caller's to free in any case. 0 or negative errno.
 */
int rings__new(unsigned int nr, size_t bytes, struct bpf_map *map, struct rings **out);
/*
 * Wait until they are in the map, and map them into memory, which is not done before, so that
 * they do not add to what is needed to load programs. 0 or negative errno.
 */
int rings__wait(struct rings *r, ring_buffer_sample_fn handle, void *ctx);
/* To read them: it calls @handle with @ctx. */
struct ring_buffer *rings__buffer(struct rings *r);
/* How full the fullest ring is, in thousandths. */
unsigned int rings__fill(const struct rings *r);
/* NULL is allowed. */
void rings__free(struct rings *r);

#endif /* DWELL_RECORD_RINGS_H */
