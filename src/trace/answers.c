// SPDX-License-Identifier: GPL-2.0
/* Answers in a trace. See answers.h. */
#include "trace/answers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"

int trace_answers__add(struct trace_answers *a, const struct trace_chunk_head *h, uint64_t off)
{
	if (array__room(&a->parts, &a->cap, a->nr, sizeof(*a->parts)))
		return -ENOMEM;
	a->parts[a->nr++] = (struct trace_answer_part){ *h, off };
	return 0;
}

/*
 * The number of chunks of the answer that begins at @at; 0: none does, or some are missing. Of
 * each chunk, cpu is its number in the answer, and nr the number of them all.
 */
static size_t parts_at(const struct trace_answers *a, size_t at)
{
	uint32_t nr = a->parts[at].head.nr;

	if (!nr || nr > a->nr - at)
		return 0;
	for (uint32_t i = 0; i < nr; i++) {
		const struct trace_chunk_head *h = &a->parts[at + i].head;

		if (h->cpu != i || h->nr != nr || h->first != a->parts[at].head.first)
			return 0;
	}
	return nr;
}

/* Where the @i-th begins; a->nr: there is none. */
static size_t find(const struct trace_answers *a, size_t i, size_t *nr)
{
	size_t at = 0;

	while (at < a->nr) {
		*nr = parts_at(a, at);
		if (*nr && !i--)
			return at;
		at += *nr ? *nr : 1;
	}
	return a->nr;
}

size_t trace_answers__count(const struct trace_answers *a)
{
	size_t count = 0, nr;

	while (find(a, count, &nr) < a->nr)
		count++;
	return count;
}

static int read_part(const struct trace_answer_part *p, int fd, uint8_t *out)
{
	for (size_t done = 0; done < p->head.length;) {
		ssize_t n = pread(fd, out + done, p->head.length - done, (off_t)(p->off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EBADMSG;
		done += (size_t)n;
	}
	return crc32c(out, p->head.length) == p->head.crc ? 0 : -EBADMSG;
}

int trace_answers__read(const struct trace_answers *a, int fd, size_t i, uint64_t *ts,
			uint8_t **out, size_t *len)
{
	size_t nr, at = find(a, i, &nr), size = 0;
	uint8_t *buf;
	int err = 0;

	if (at == a->nr)
		return -ENOENT;
	for (size_t k = 0; k < nr; k++)
		size += a->parts[at + k].head.length;
	buf = malloc(size + 1);
	if (!buf)
		return -ENOMEM;
	*len = 0;
	for (size_t k = 0; k < nr && !err; k++) {
		err = read_part(&a->parts[at + k], fd, buf + *len);
		*len += a->parts[at + k].head.length;
	}
	if (err) {
		free(buf);
		return err;
	}
	*ts = a->parts[at].head.first;
	*out = buf;
	return 0;
}

void trace_answers__free(struct trace_answers *a)
{
	free(a->parts);
	*a = (struct trace_answers){ .nr = 0 };
}
