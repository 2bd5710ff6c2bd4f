/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The streams of a connection that share windows, as HTTP/2's do: where a handle, its
 * connection and the entry of its stream have what struct runtime_stream names.
 */
#ifndef DWELL_IMAGE_STREAM_H
#define DWELL_IMAGE_STREAM_H

#include "image/types.h"

/*
 * Find what struct runtime_stream names in the types @handle and @connection. @out->kind
 * tells whether @handle is that of a stream, and all was found.
 */
void stream__find(const struct types *ts, const struct die *handle, const struct die *connection,
		  struct image_stream *out);

#endif /* DWELL_IMAGE_STREAM_H */
