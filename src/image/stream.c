// SPDX-License-Identifier: GPL-2.0
/* The streams of a connection. See stream.h. */
#include "image/stream.h"

/* The offset of a number of @width bytes in @d, not behind a pointer. */
static bool number(const struct types *ts, const struct die *d, const char *path,
		   unsigned int width, uint32_t *off)
{
	struct image_path p;

	if (!type__path(ts, d, path, &p, NULL) || p.nr_hops || p.width != width)
		return false;
	*off = p.off[0];
	return true;
}

static unsigned int width_of(unsigned int window)
{
	return window == RUNTIME_STREAM_READER || window == RUNTIME_STREAM_WRITER ? 8 : 4;
}

static const struct runtime_stream *stream_entry(const struct types *ts, const struct die *handle)
{
	for (size_t i = 0; i < nr_library_streams; i++)
		if (type__is(ts, handle, library_streams[i].handle))
			return &library_streams[i];
	return NULL;
}

void stream__find(const struct types *ts, const struct die *handle, const struct die *connection,
		  struct image_stream *out)
{
	const struct runtime_stream *rs = stream_entry(ts, handle);
	struct die list, entry;
	struct image_path p;
	bool ok;

	*out = (struct image_stream){ .kind = IMAGE_STREAM_NONE };
	if (rs && !rs->index)
		out->kind = IMAGE_STREAM_ALL;
	if (!rs || !rs->index || !type__path(ts, connection, rs->streams, &p, &list) || p.nr_hops ||
	    !type__vec(ts, &list, &out->entries, &out->nr_entries, &entry))
		return;
	out->entries += p.off[0];
	out->nr_entries += p.off[0];
	out->entry_size = (uint32_t)type__size(&entry);
	ok = out->entry_size && number(ts, handle, rs->index, 4, &out->index) &&
	     number(ts, handle, rs->id, 4, &out->id);
	for (unsigned int i = 0; i < RUNTIME_WINDOW_NR && ok; i++)
		ok = number(ts, i < RUNTIME_WINDOW_STREAM ? connection : &entry, rs->windows[i],
			    width_of(i), &out->windows[i]);
	if (ok)
		out->kind = IMAGE_STREAM_ONE;
}
