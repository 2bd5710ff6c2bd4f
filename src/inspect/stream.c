// SPDX-License-Identifier: GPL-2.0
/* The stream that a handle belongs to. See stream.h. */
#include "inspect/stream.h"

static bool read_u32(const struct picture *p, uint64_t addr, uint32_t *out)
{
	return !process__read(p->target, addr, out, sizeof(*out));
}

static bool read_u64(const struct picture *p, uint64_t addr, uint64_t *out)
{
	return !process__read(p->target, addr, out, sizeof(*out));
}

/* The entry of number @index in the connection's Vec; false: there is none. */
static bool entry_of(const struct picture *p, const struct image_stream *s, uint64_t connection,
		     uint32_t index, uint64_t *out)
{
	uint64_t entries, nr;

	if (!read_u64(p, connection + s->entries, &entries) ||
	    !read_u64(p, connection + s->nr_entries, &nr) || index >= nr)
		return false;
	*out = entries + (uint64_t)index * s->entry_size;
	return true;
}

static bool read_window(const struct picture *p, uint64_t addr, unsigned int window, int64_t *out)
{
	uint64_t word;
	uint32_t v;

	if (window == RUNTIME_STREAM_READER || window == RUNTIME_STREAM_WRITER) {
		if (!read_u64(p, addr, &word))
			return false;
		*out = word != 0;
		return true;
	}
	if (!read_u32(p, addr, &v))
		return false;
	*out = (int32_t)v;
	return true;
}

bool stream__read(const struct picture *p, const struct picture_handle *h, struct stream *out)
{
	const struct image_handle *types;
	const struct image_stream *s;
	uint64_t entry;
	uint32_t index;
	size_t nr;

	types = image__handles(p->img, &nr);
	s = &types[h->handle].stream;
	if (s->kind != IMAGE_STREAM_ONE || !read_u32(p, h->addr + s->index, &index) ||
	    !read_u32(p, h->addr + s->id, &out->id) ||
	    !entry_of(p, s, h->object, index, &entry))
		return false;
	for (unsigned int i = 0; i < RUNTIME_WINDOW_NR; i++)
		if (!read_window(
			    p, (i < RUNTIME_WINDOW_STREAM ? h->object : entry) + s->windows[i],
			    i, &out->windows[i]))
			return false;
	/* the entry may belong to another stream by now */
	return (uint32_t)out->windows[RUNTIME_STREAM_ID] == out->id;
}
