/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Opens the input: see input.h. A copy is made chunk by chunk, and each header is
 * checked first. So /dev/zero is rejected after its first bytes, and data behind a
 * trace is not copied.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "trace/chunk.h"
#include "trace/input.h"

#define ROOM_LOOK	(1u << 20)	/* bytes copied between checks of the free space */
#define ROOM_PART	16		/* one part in ROOM_PART of the file system is left free */

struct input {
	const char	*path;
	int		 in, copy;
	uint64_t	 size;		/* of the copy */
	uint64_t	 look_at;	/* size of the copy at which to check the free space */
	char		*why;
	size_t		 why_size;
};

__attribute__((format(printf, 3, 4)))
static int fail(struct input *in, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(in->why, in->why_size, fmt, ap);
	va_end(ap);
	return err;
}

static const char *temp_dir(void)
{
	const char *dir = getenv("TMPDIR");

	return dir && *dir ? dir : "/tmp";
}

static int make_copy(struct input *in)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/dwell-XXXXXX", temp_dir());
	in->copy = mkostemp(path, O_CLOEXEC);
	if (in->copy < 0)
		return fail(in, -errno, "cannot make a temporary file in %s: %s (set TMPDIR)",
			    temp_dir(), strerror(errno));
	unlink(path);
	return 0;
}

/* Fails before the file system is full, because others use it, too. */
static int look_for_room(struct input *in)
{
	struct statvfs fs;

	if (in->size < in->look_at)
		return 0;
	in->look_at = in->size + ROOM_LOOK;
	/* Some file systems do not report their size. */
	if (fstatvfs(in->copy, &fs) || !fs.f_blocks || fs.f_bavail > fs.f_blocks / ROOM_PART)
		return 0;
	return fail(in, -ENOSPC, "cannot copy the input to %s: less than 1/%d of it is free (set "
		    "TMPDIR, or write the recording to a file)", temp_dir(), ROOM_PART);
}

static int write_all(struct input *in, const uint8_t *p, size_t len)
{
	while (len) {
		ssize_t n = write(in->copy, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(in, -errno, "cannot copy the input to %s: %s (set TMPDIR)",
				    temp_dir(), strerror(errno));
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/*
 * Copies @len bytes; the first TRACE_CHUNK_HEAD_SIZE of them are also stored in @head,
 * if it is not NULL. 1: done; 0: end of the input; or negative errno.
 */
static int copy_bytes(struct input *in, size_t len, uint8_t *head)
{
	uint8_t buf[1 << 16];

	while (len) {
		ssize_t n = read(in->in, buf, len < sizeof(buf) ? len : sizeof(buf));
		int err;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(in, -errno, "cannot read %s: %s", in->path, strerror(errno));
		if (!n)
			return 0;
		err = look_for_room(in);
		if (!err)
			err = write_all(in, buf, (size_t)n);
		if (err)
			return err;
		if (head) {
			memcpy(head, buf, (size_t)n);
			head += n;
		}
		in->size += (uint64_t)n;
		len -= (size_t)n;
	}
	return 1;
}

static int copy_trace(struct input *in)
{
	uint8_t head[TRACE_CHUNK_HEAD_SIZE];
	struct trace_chunk_head h;
	uint32_t version;
	int ret = copy_bytes(in, TRACE_HEAD_SIZE, head);

	if (ret > 0 && trace_head__unpack(head, &version))
		return 0;
	while (ret > 0) {
		ret = copy_bytes(in, sizeof(head), head);
		if (ret > 0 && !trace_chunk_head__unpack(&h, head))
			return 0;
		if (ret > 0)
			ret = copy_bytes(in, h.length, NULL);
	}
	return ret;
}

int trace_input__open(const char *path, int *fd, uint64_t *size, char *why, size_t why_size)
{
	bool std = !strcmp(path, "-");
	struct input in = { .path = std ? "standard input" : path, .copy = -1, .why = why,
			    .why_size = why_size };
	struct stat st;
	int err = 0;

	in.in = std ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) :
		      open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (in.in < 0)
		return fail(&in, -errno, "cannot open %s: %s%s", in.path, strerror(errno),
			    errno == ENOENT ? " (dwell record writes it)" : "");
	if (fstat(in.in, &st))
		err = fail(&in, -errno, "cannot read %s: %s", in.path, strerror(errno));
	else if (S_ISDIR(st.st_mode))
		err = fail(&in, -EISDIR, "%s is a directory, not a trace", in.path);
	if (!err && S_ISREG(st.st_mode)) {
		*fd = in.in;
		*size = (uint64_t)st.st_size;
		return 0;
	}
	if (!err)
		err = make_copy(&in);
	if (!err)
		err = copy_trace(&in);
	close(in.in);
	if (err) {
		if (in.copy >= 0)
			close(in.copy);
		return err;
	}
	*fd = in.copy;
	*size = in.size;
	return 0;
}
