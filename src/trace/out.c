// SPDX-License-Identifier: GPL-2.0
/* Where the bytes of a trace go. See out.h. */
#include "trace/out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESERVE_STEP	(1u << 20)	/* disk space that is reserved at a time */
#define STALL_MS	20		/* between two calls of trace_sink.stalled */

void trace_out__init(struct trace_out *o, const struct trace_sink *sink, uint64_t end_bytes)
{
	struct stat st;

	*o = (struct trace_out){ .sink = *sink, .end_bytes = end_bytes };
	if (fstat(sink->fd, &st))
		return;
	/* Standard output may be a file with other data before our position. */
	o->seekable = S_ISREG(st.st_mode) && !lseek(sink->fd, 0, SEEK_CUR) &&
		      !(fcntl(sink->fd, F_GETFL) & O_APPEND);
	o->socket = S_ISSOCK(st.st_mode);
}

/* Waits until the sink, which is not a file, accepts data. */
static int out__wait(const struct trace_out *o)
{
	struct pollfd room = { .fd = o->sink.fd, .events = POLLOUT };
	int err;

	for (;;) {
		int n = poll(&room, 1, STALL_MS);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		err = o->sink.stalled ? o->sink.stalled(o->sink.ctx) : 0;
		if (err)
			return err;
	}
}

/* Writes some of @len bytes; returns how many, or negative errno. */
static ssize_t out__some(const struct trace_out *o, const uint8_t *p, size_t len)
{
	ssize_t n;

	if (o->seekable) {
		n = write(o->sink.fd, p, len);
	} else {
		int err = out__wait(o);

		if (err)
			return err;
		/* A pipe that poll() reports as writable accepts this much without blocking. */
		len = len < PIPE_BUF ? len : PIPE_BUF;
		n = o->socket ? send(o->sink.fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL) :
				write(o->sink.fd, p, len);
	}
	return n < 0 ? -errno : n;
}

/*
 * Reserves disk space for @len more bytes and, behind them, for the end of the file:
 * the losses and their cause must be written even if the disk is full. -ENOSPC, -EDQUOT
 * or -EFBIG: there is no space. File systems without this operation are accepted.
 */
static int out__reserve(struct trace_out *o, size_t len)
{
	uint64_t end = o->bytes + len + o->end_bytes, step = end + RESERVE_STEP;
	struct rlimit max;

	if (!o->seekable || o->closing || end <= o->reserved)
		return 0;
	if (!getrlimit(RLIMIT_FSIZE, &max) && max.rlim_cur != RLIM_INFINITY && end > max.rlim_cur)
		return -EFBIG;
	if (!fallocate(o->sink.fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)step)) {
		o->reserved = step;
		return 0;
	}
	if (errno != ENOSPC && errno != EDQUOT)
		return 0;
	/* Try to reserve less at once. */
	if (!fallocate(o->sink.fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)end)) {
		o->reserved = end;
		return 0;
	}
	return errno == ENOSPC || errno == EDQUOT ? -errno : 0;
}

int trace_out__put(struct trace_out *o, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t left = len;
	int err = out__reserve(o, len);

	if (err)
		return err;
	while (left) {
		ssize_t n = out__some(o, p, left);

		if (n == -EINTR || n == -EAGAIN)
			continue;
		if (n < 0) {
			if (left < len && o->seekable && !ftruncate(o->sink.fd, (off_t)o->bytes))
				lseek(o->sink.fd, (off_t)o->bytes, SEEK_SET);
			return (int)n;
		}
		p += n;
		left -= (size_t)n;
	}
	o->bytes += len;
	return 0;
}

void trace_out__close(struct trace_out *o)
{
	o->closing = true;
}

void trace_out__trim(struct trace_out *o)
{
	if (o->reserved)
		(void)!ftruncate(o->sink.fd, (off_t)o->bytes);
}
