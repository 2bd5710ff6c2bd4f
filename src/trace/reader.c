/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Opens a trace: reads the headers of all chunks into an index and loads the metadata.
 * Events are left to merge.c, which reads one chunk of each stream at a time. Memory is
 * needed for the index (about 0.2 % of the file), the metadata and one chunk for each
 * CPU.
 *
 * Nothing in the file is trusted. A damaged or truncated file can be read up to that
 * point; trace_reader__torn() says where and why.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/answers.h"
#include "trace/chunk.h"
#include "trace/input.h"
#include "trace/merge.h"
#include "trace/meta.h"
#include "trace/trace.h"

struct trace_reader {
	int			 fd;
	uint64_t		 size;
	struct trace_tables	*tables;
	struct trace_chunk_ref	*chunks;
	size_t			 nr_chunks, chunks_size;
	struct trace_answers	 answers;
	struct trace_merge	*merge;
	char			 torn[160];
	char			*path;
};

/* The last error of open; kept until the next one in this thread. */
static _Thread_local char open_why[512];

__attribute__((format(printf, 2, 3)))
static int fail(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(open_why, sizeof(open_why), fmt, ap);
	va_end(ap);
	return err;
}

/* Reads @len bytes at @off: 0; -ENODATA: the file is shorter; or -errno. */
static int read_at(int fd, void *buf, size_t len, uint64_t off)
{
	uint8_t *p = buf;

	while (len) {
		ssize_t n = pread(fd, p, len, (off_t)off);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (!n)
			return -ENODATA;
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

__attribute__((format(printf, 3, 4)))
static void set_torn(struct trace_reader *r, uint64_t at, const char *fmt, ...)
{
	char why[100];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	snprintf(r->torn, sizeof(r->torn), "file ends early at byte %llu of %llu: %s",
		 (unsigned long long)at, (unsigned long long)r->size, why);
}

static int add_chunk(struct trace_reader *r, const struct trace_chunk_head *h, uint64_t off)
{
	struct trace_chunk_ref *c;

	if (r->nr_chunks == r->chunks_size) {
		size_t size = r->chunks_size ? r->chunks_size * 2 : 64;

		c = reallocarray(r->chunks, size, sizeof(*c));
		if (!c)
			return -ENOMEM;
		r->chunks = c;
		r->chunks_size = size;
	}
	c = &r->chunks[r->nr_chunks];
	*c = (struct trace_chunk_ref){
		.off = off, .first = h->first, .last = h->last, .length = h->length,
		.nr = h->nr, .crc = h->crc, .seq = (uint32_t)r->nr_chunks, .cpu = h->cpu,
	};
	r->nr_chunks++;
	return 0;
}

/* 0; 1: the file is damaged here; or negative errno. */
static int load_meta(struct trace_reader *r, const struct trace_chunk_head *h, uint64_t off)
{
	uint8_t *buf = malloc(h->length ? h->length : 1);
	int err;

	if (!buf)
		return -ENOMEM;
	err = read_at(r->fd, buf, h->length, off + TRACE_CHUNK_HEAD_SIZE);
	if (!err && crc32c(buf, h->length) != h->crc)
		err = -EBADMSG;
	if (!err)
		err = trace_tables__load(r->tables, buf, h->length, h->nr);
	free(buf);
	if (err == -EBADMSG || err == -ENODATA) {
		set_torn(r, off, "damaged metadata");
		return 1;
	}
	return err;
}

/* Reads the headers of all chunks, up to the end marker or to the end of a truncated file. */
static int read_index(struct trace_reader *r)
{
	uint8_t bytes[TRACE_CHUNK_HEAD_SIZE];
	uint64_t off = TRACE_HEAD_SIZE;

	while (!trace_tables__totals(r->tables)) {
		struct trace_chunk_head h;
		int err;

		if (off == r->size) {
			set_torn(r, off, "no end marker (the recorder was killed)");
			return 0;
		}
		if (r->size - off < sizeof(bytes)) {
			set_torn(r, off, "truncated inside a chunk");
			return 0;
		}
		err = read_at(r->fd, bytes, sizeof(bytes), off);
		if (err)
			return err == -ENODATA ? -EIO : err;
		if (!trace_chunk_head__unpack(&h, bytes)) {
			set_torn(r, off, "damaged: no chunk begins here");
			return 0;
		}
		if (r->size - off - sizeof(bytes) < h.length) {
			set_torn(r, off, "truncated inside a chunk");
			return 0;
		}
		err = 0;
		if (h.kind == TRACE_CHUNK_META)
			err = load_meta(r, &h, off);
		else if (h.kind == TRACE_CHUNK_EVENTS)
			err = add_chunk(r, &h, off + sizeof(bytes));
		else if (h.kind == TRACE_CHUNK_ANSWER)
			err = trace_answers__add(&r->answers, &h, off + sizeof(bytes));
		if (err)
			return err < 0 ? err : 0;
		off += sizeof(bytes) + h.length;
	}
	return 0;
}

static int read_head(struct trace_reader *r)
{
	uint8_t head[TRACE_HEAD_SIZE];
	uint32_t version = 0;
	int err;

	if (!r->size)
		return fail(-EBADMSG, "%s is empty: not a dwell trace", r->path);
	err = read_at(r->fd, head, sizeof(head), 0);
	if (err == -ENODATA)
		return fail(-EBADMSG, "%s is not a dwell trace (too short)", r->path);
	if (err)
		return fail(err, "cannot read %s: %s", r->path, strerror(-err));
	err = trace_head__unpack(head, &version);
	if (err == -EBADMSG)
		return fail(err, "%s is not a dwell trace (no magic number at its start)", r->path);
	if (err)
		return fail(err, "%s is a dwell trace of format %u, this dwell reads format %u: "
			    "use the dwell that recorded it", r->path, version, TRACE_VERSION);
	return 0;
}

int trace_reader__open(const char *path, struct trace_reader **out, const char **why)
{
	struct trace_reader *r = calloc(1, sizeof(*r));
	int err;

	*out = NULL;
	*why = open_why;
	open_why[0] = '\0';
	if (!r)
		return fail(-ENOMEM, "out of memory");
	r->fd = -1;
	r->path = strdup(!strcmp(path, "-") ? "standard input" : path);
	r->tables = trace_tables__new();
	err = -ENOMEM;
	if (!r->path || !r->tables)
		goto out;
	err = trace_input__open(path, &r->fd, &r->size, open_why, sizeof(open_why));
	if (err)
		goto out;
	err = read_head(r);
	if (err)
		goto out;
	err = read_index(r);
	if (err)
		goto out;
	if (!trace_tables__host(r->tables)) {
		err = fail(-EBADMSG, "%s ends before its header does: nothing was recorded", r->path);
		goto out;
	}
	err = trace_merge__new(r->fd, r->chunks, r->nr_chunks, &r->merge);
out:
	if (err) {
		if (!open_why[0])
			fail(err, "cannot read %s: %s", path, strerror(-err));
		trace_reader__free(r);
		return err;
	}
	*out = r;
	return 0;
}

int trace_reader__next(struct trace_reader *r, struct trace_event *ev)
{
	const struct trace_event *next;
	int ret = trace_merge__next(r->merge, &next);

	if (ret > 0)
		*ev = *next;
	return ret;
}

int trace_reader__next_ref(struct trace_reader *r, const struct trace_event **ev)
{
	return trace_merge__next(r->merge, ev);
}

int trace_reader__rewind(struct trace_reader *r)
{
	return trace_merge__rewind(r->merge);
}

const char *trace_reader__torn(const struct trace_reader *r)
{
	return r->torn[0] ? r->torn : NULL;
}

const struct trace_host *trace_reader__host(const struct trace_reader *r)
{
	return trace_tables__host(r->tables);
}

const struct trace_totals *trace_reader__totals(const struct trace_reader *r)
{
	return trace_tables__totals(r->tables);
}

const char *trace_reader__string(const struct trace_reader *r, uint32_t id)
{
	return trace_tables__string(r->tables, id);
}

const struct trace_task_kind *trace_reader__task_kind(const struct trace_reader *r, uint32_t id)
{
	return trace_tables__task_kind(r->tables, id);
}

const struct trace_chain *trace_reader__chain(const struct trace_reader *r, uint32_t id)
{
	return trace_tables__chain(r->tables, id);
}

const struct trace_stack *trace_reader__stack(const struct trace_reader *r, uint32_t id)
{
	return trace_tables__stack(r->tables, id);
}

const struct trace_user_stack *trace_reader__user_stack(const struct trace_reader *r, uint32_t id)
{
	return trace_tables__user_stack(r->tables, id);
}

const char *trace_reader__thread_name(const struct trace_reader *r, uint32_t tid)
{
	return trace_tables__thread(r->tables, tid);
}

const char *const *trace_reader__notes(const struct trace_reader *r, size_t *nr)
{
	return trace_tables__notes(r->tables, nr);
}

bool trace_reader__loss(const struct trace_reader *r, size_t i, const char **cause, uint64_t *total)
{
	return trace_tables__loss(r->tables, i, cause, total);
}

size_t trace_reader__answers(const struct trace_reader *r)
{
	return trace_answers__count(&r->answers);
}

int trace_reader__answer(const struct trace_reader *r, size_t i, uint64_t *ts, uint8_t **out,
			 size_t *len)
{
	return trace_answers__read(&r->answers, r->fd, i, ts, out, len);
}

uint64_t trace_reader__damaged(const struct trace_reader *r)
{
	return trace_merge__damaged(r->merge);
}

uint64_t trace_reader__bytes(const struct trace_reader *r)
{
	return r->size;
}

uint64_t trace_reader__first_ts(const struct trace_reader *r)
{
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < r->nr_chunks; i++)
		if (r->chunks[i].first < first)
			first = r->chunks[i].first;
	return r->nr_chunks ? first : 0;
}

uint64_t trace_reader__last_ts(const struct trace_reader *r)
{
	uint64_t last = 0;

	for (size_t i = 0; i < r->nr_chunks; i++)
		if (r->chunks[i].last > last)
			last = r->chunks[i].last;
	return last;
}

void trace_reader__free(struct trace_reader *r)
{
	if (!r)
		return;
	trace_merge__free(r->merge);
	trace_tables__free(r->tables);
	free(r->chunks);
	trace_answers__free(&r->answers);
	free(r->path);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}
