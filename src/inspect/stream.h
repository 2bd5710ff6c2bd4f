/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stream of a connection that a handle belongs to, and how much of the windows is used up:
 * HTTP/2 lets the other end send only so much that nobody has taken yet, on each stream and on
 * all of a connection together.
 */
#ifndef DWELL_INSPECT_STREAM_H
#define DWELL_INSPECT_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "inspect/picture.h"

struct stream {
	uint32_t id;
	/*
	 * By enum runtime_window: bytes, which may be negative after the peer has made its window
	 * smaller; of READER and WRITER 1: somebody waits, or did so when he was polled last.
	 */
	int64_t windows[RUNTIME_WINDOW_NR];
	uint64_t entry; /* its address, … */
	uint32_t size; /* … and the bytes there, in which all of the stream is */
};

/* Read the stream of @h, of @p. False: it is not the handle of a stream, or cannot be read. */
bool stream__read(const struct picture *p, const struct picture_handle *h, struct stream *out);

#endif /* DWELL_INSPECT_STREAM_H */
