// SPDX-License-Identifier: GPL-2.0
/* The ring buffers of all CPUs. See rings.h. It must not know what is in them. */
#include "record/rings.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>

int rings__new(size_t bytes)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, (uint32_t)bytes, NULL);

	return fd < 0 ? -errno : fd;
}

/*
 * In one call: after each, the kernel waits for a grace period. Older ones do that for each
 * ring, or know no such call for maps of maps.
 */
static int put_all(int map, const int *fds, uint32_t nr)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t *keys = calloc(nr, sizeof(*keys)), done = nr;
	int err = 0;

	if (!keys)
		return -ENOMEM;
	for (uint32_t i = 0; i < nr; i++)
		keys[i] = i;
	if (bpf_map_update_batch(map, keys, fds, &done, &opts))
		for (uint32_t i = 0; i < nr && !err; i++)
			err = bpf_map_update_elem(map, &keys[i], &fds[i], BPF_ANY);
	free(keys);
	return err;
}

int rings__fill(struct bpf_map *rings, size_t bytes, ring_buffer_sample_fn handle, void *ctx,
		struct ring_buffer **out)
{
	uint32_t nr = 0, cpus = bpf_map__max_entries(rings);
	int *fds = calloc(cpus, sizeof(*fds)), err = fds ? 0 : -ENOMEM;

	while (nr < cpus && !err) {
		int fd = rings__new(bytes);

		if (fd < 0) {
			err = fd;
			break;
		}
		fds[nr++] = fd;
		if (*out) {
			err = ring_buffer__add(*out, fd, handle, ctx);
		} else {
			*out = ring_buffer__new(fd, handle, ctx, NULL);
			err = *out ? 0 : -errno;
		}
	}
	if (!err)
		err = put_all(bpf_map__fd(rings), fds, nr);
	/* the map of rings and the ring buffer hold them now */
	while (nr)
		close(fds[--nr]);
	free(fds);
	return err;
}
