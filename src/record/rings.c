// SPDX-License-Identifier: GPL-2.0
/* The ring buffers of all CPUs. See rings.h. It must not know what is in them. */
#include "record/rings.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>

struct rings {
	unsigned int		 nr;
	size_t			 bytes;
	int			*fds;
	int			 map;		/* of all of them */
	struct ring_buffer	*buffer;
	pthread_t		 thread;	/* that puts them into the map */
	bool			 putting;
	int			 err;		/* of that */
};

/*
 * In one call: after each, the kernel waits for a grace period. Older ones do that for each
 * ring, or know no such call for maps of maps.
 */
static void *put_all(void *arg)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	struct rings *r = arg;
	uint32_t *keys = calloc(r->nr, sizeof(*keys)), done = r->nr;

	r->err = keys ? 0 : -ENOMEM;
	if (!keys)
		return NULL;
	for (uint32_t i = 0; i < r->nr; i++)
		keys[i] = i;
	if (bpf_map_update_batch(r->map, keys, r->fds, &done, &opts))
		for (uint32_t i = 0; i < r->nr && !r->err; i++)
			if (bpf_map_update_elem(r->map, &keys[i], &r->fds[i], BPF_ANY))
				r->err = -errno;
	free(keys);
	return NULL;
}

/* @map becomes a map of the rings. libbpf 1.4 could not tell the kernel how large they are. */
static int make_map(struct rings *r, struct bpf_map *map)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .inner_map_fd = (uint32_t)r->fds[0]);

	r->map = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "rings", sizeof(uint32_t),
				sizeof(uint32_t), r->nr, &opts);
	return r->map < 0 ? -errno : bpf_map__reuse_fd(map, r->map);
}

int rings__new(unsigned int nr, size_t bytes, struct bpf_map *map, struct rings **out)
{
	struct rings *r = *out = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->map = -1;
	r->bytes = bytes;
	r->fds = calloc(nr, sizeof(*r->fds));
	if (!r->fds)
		return -ENOMEM;
	while (r->nr < nr) {
		int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, (uint32_t)bytes, NULL);

		if (fd < 0)
			return -errno;
		r->fds[r->nr++] = fd;
	}
	err = make_map(r, map);
	if (err)
		return err;
	r->putting = !pthread_create(&r->thread, NULL, put_all, r);
	if (!r->putting)
		put_all(r);
	return 0;
}

static void join(struct rings *r)
{
	if (r->putting)
		pthread_join(r->thread, NULL);
	r->putting = false;
}

static void close_fds(struct rings *r)
{
	for (unsigned int i = 0; r->fds && i < r->nr; i++)
		close(r->fds[i]);
	free(r->fds);
	r->fds = NULL;
	if (r->map >= 0)
		close(r->map);
	r->map = -1;
}

int rings__wait(struct rings *r, ring_buffer_sample_fn handle, void *ctx)
{
	int err = 0;

	join(r);
	if (r->err)
		return r->err;
	for (unsigned int i = 0; i < r->nr && !err; i++) {
		if (r->buffer) {
			err = ring_buffer__add(r->buffer, r->fds[i], handle, ctx);
		} else {
			r->buffer = ring_buffer__new(r->fds[i], handle, ctx, NULL);
			err = r->buffer ? 0 : -errno;
		}
	}
	/* the map of rings and the buffer hold them now */
	close_fds(r);
	return err;
}

struct ring_buffer *rings__buffer(struct rings *r)
{
	return r->buffer;
}

unsigned int rings__fill(const struct rings *r)
{
	size_t most = 0;

	for (unsigned int i = 0; i < r->nr; i++) {
		size_t have = ring__avail_data_size(ring_buffer__ring(r->buffer, i));

		most = have > most ? have : most;
	}
	return (unsigned int)(most * 1000 / r->bytes);
}

void rings__free(struct rings *r)
{
	if (!r)
		return;
	join(r);
	ring_buffer__free(r->buffer);
	close_fds(r);
	free(r);
}
