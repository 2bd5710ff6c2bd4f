/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writes a trace. Events are collected in one open chunk for each CPU; metadata in
 * another chunk, which is written before any chunk of events, so that it always
 * precedes the events that refer to it.
 *
 * A write error is final: the file ends with the last complete chunk, and every later
 * call returns the same errno. trace_writer__finish() still tries to write the losses
 * and the end marker. They are small, and may fit into the space that the removed
 * incomplete chunk has freed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/hash_table.h"
#include "trace/chunk.h"
#include "trace/codec.h"
#include "trace/meta.h"
#include "trace/out.h"
#include "trace/varint.h"

#define EVENTS_BYTES	(40u << 10)	/* payload of a chunk of events */
#define EVENTS_NR	4096u		/* events that a reader unpacks at a time for each CPU */
#define ANSWER_BYTES	(4u << 20)	/* payload of a chunk of an answer */
#define META_BYTES	(64u << 10)	/* metadata is written when it is larger */
#define STRINGS_MAX	(1u << 20)	/* strings remembered, to share ids */
#define LOSSES_MAX	64
#define END_BYTES	(3 * META_BYTES)	/* the most that finish() writes after an error */

/* A chunk that is being filled: space for its header, then the payload. */
struct stream {
	struct trace_codec	*codec;
	uint64_t		 first, last;
	uint32_t		 nr, length;
	uint8_t			 buf[TRACE_CHUNK_HEAD_SIZE + EVENTS_BYTES];
};

struct interned {
	char		*text;
	uint32_t	 id;
};

struct trace_writer {
	struct trace_out	  out;
	bool			  owns_fd;
	int			  err;		/* 0, or the errno of the final error */
	uint64_t		  events;
	struct stream		**streams;	/* indexed by CPU */
	uint32_t		  nr_streams;
	uint8_t			 *meta;		/* space for the header, then records */
	size_t			  meta_len, meta_size;
	uint32_t		  meta_nr;
	struct interned		 *strings;
	size_t			  nr_strings, room_strings;
	struct hash_table	  by_text;	/* index + 1 of a string */
	uint32_t		  next_string;
	struct {
		char		*cause;
		uint64_t	 total, written;
	}			  losses[LOSSES_MAX];
	uint32_t		  nr_losses;
	/* Events that were not written because of err. */
	uint64_t		  dropped, dropped_first, dropped_last;
};

/* ---- chunks ---- */

/* @buf has space for the header before @length bytes of payload. */
static int writer__put_chunk(struct trace_writer *w, struct trace_chunk_head *h, uint8_t *buf)
{
	h->crc = crc32c(buf + TRACE_CHUNK_HEAD_SIZE, h->length);
	trace_chunk_head__pack(h, buf);
	return trace_out__put(&w->out, buf, TRACE_CHUNK_HEAD_SIZE + h->length);
}

static int writer__put_meta(struct trace_writer *w)
{
	struct trace_chunk_head h = {
		.kind = TRACE_CHUNK_META,
		.length = (uint32_t)(w->meta_len - TRACE_CHUNK_HEAD_SIZE),
		.nr = w->meta_nr,
	};
	int err;

	if (!w->meta_nr)
		return 0;
	err = writer__put_chunk(w, &h, w->meta);
	if (err)
		return err;
	w->meta_len = TRACE_CHUNK_HEAD_SIZE;
	w->meta_nr = 0;
	return 0;
}

static void stream__drop(struct trace_writer *w, struct stream *s)
{
	if (!s->nr)
		return;
	if (!w->dropped || s->first < w->dropped_first)
		w->dropped_first = s->first;
	if (s->last > w->dropped_last)
		w->dropped_last = s->last;
	w->dropped += s->nr;
	s->nr = s->length = 0;
}

static int writer__put_stream(struct trace_writer *w, uint32_t cpu)
{
	struct stream *s = w->streams[cpu];
	struct trace_chunk_head h = { .kind = TRACE_CHUNK_EVENTS, .cpu = (uint16_t)cpu };

	if (!s || !s->nr)
		return 0;
	if (!w->err)
		w->err = writer__put_meta(w);
	if (!w->err) {
		h.length = s->length;
		h.nr = s->nr;
		h.first = s->first;
		h.last = s->last;
		w->err = writer__put_chunk(w, &h, s->buf);
	}
	if (w->err)
		stream__drop(w, s);
	else
		s->nr = s->length = 0;
	return w->err;
}

/* ---- metadata ---- */

/* A record whose length is known only at its end. */
struct record {
	struct trace_writer	*w;
	size_t			 at;	/* where its payload begins */
	bool			 failed;
};

static uint8_t *writer__meta_room(struct trace_writer *w, size_t len)
{
	if (w->meta_size - w->meta_len < len) {
		size_t size = (w->meta_len + len) * 2;
		uint8_t *meta = realloc(w->meta, size);

		if (!meta)
			return NULL;
		w->meta = meta;
		w->meta_size = size;
	}
	return w->meta + w->meta_len;
}

#define RECORD_HEAD	4	/* the type, and the length as a varint of three bytes */

static void record__begin(struct record *r, struct trace_writer *w, enum trace_record type)
{
	/* After an error nothing is written any more: limit the memory. */
	bool full = w->err && w->meta_len > 16 * META_BYTES;
	uint8_t *p = full ? NULL : writer__meta_room(w, RECORD_HEAD);

	r->w = w;
	r->failed = !p;
	if (!p)
		return;
	*p = type;
	w->meta_len += RECORD_HEAD;
	r->at = w->meta_len;
}

static void record__varint(struct record *r, uint64_t v)
{
	uint8_t *p = r->failed ? NULL : writer__meta_room(r->w, VARINT_MAX);

	if (p)
		r->w->meta_len = (size_t)(put_varint(p, v) - r->w->meta);
	else
		r->failed = true;
}

static void record__byte(struct record *r, uint8_t v)
{
	uint8_t *p = r->failed ? NULL : writer__meta_room(r->w, 1);

	if (p) {
		*p = v;
		r->w->meta_len++;
	} else {
		r->failed = true;
	}
}

static int record__end(struct record *r)
{
	struct trace_writer *w = r->w;
	size_t len = w->meta_len - r->at;
	uint8_t *p;

	/* A record that has failed or is too long is removed. */
	if (r->failed || len >= 1u << 21) {
		if (r->at)
			w->meta_len = r->at - RECORD_HEAD;
		return r->failed ? -ENOMEM : -EMSGSIZE;
	}
	p = w->meta + r->at - RECORD_HEAD + 1;
	p[0] = (uint8_t)(len | 0x80);
	p[1] = (uint8_t)(len >> 7 | 0x80);
	p[2] = (uint8_t)(len >> 14);
	w->meta_nr++;
	if (w->err)
		return w->err;
	if (w->meta_len >= META_BYTES)
		w->err = writer__put_meta(w);
	return w->err;
}

static void writer__forget_strings(struct trace_writer *w)
{
	for (size_t i = 0; i < w->nr_strings; i++)
		free(w->strings[i].text);
	free(w->strings);
	w->strings = NULL;
	w->nr_strings = w->room_strings = 0;
	hash_table__clear(&w->by_text);
}

uint32_t trace_writer__string(struct trace_writer *w, const char *s)
{
	size_t len = strlen(s);
	struct record r = { 0 };
	struct hash_slot *known;
	uint64_t key;
	uint8_t *p;
	char *text;

	/* Limits memory: further strings get a new id each time they occur. */
	if (w->nr_strings >= STRINGS_MAX)
		writer__forget_strings(w);
	if (array__room(&w->strings, &w->room_strings, w->nr_strings, sizeof(*w->strings)))
		return 0;
	for (key = hash_table__key(&w->by_text, s, len);; key++) {
		known = hash_table__at(&w->by_text, key);
		if (!known)
			return 0;
		if (!known->value)
			break;
		if (!strcmp(w->strings[known->value - 1].text, s))
			return w->strings[known->value - 1].id;
	}
	if (len > 1u << 20)
		len = 1u << 20;
	record__begin(&r, w, TRACE_RECORD_STRING);
	record__varint(&r, w->next_string);
	p = r.failed ? NULL : writer__meta_room(w, len);
	if (p) {
		memcpy(p, s, len);
		w->meta_len += len;
	} else {
		r.failed = true;
	}
	if (record__end(&r) == -ENOMEM)
		return 0;
	text = strdup(s);
	if (text) {
		w->strings[w->nr_strings] = (struct interned){ text, w->next_string };
		known->value = ++w->nr_strings;
	}
	return w->next_string++;
}

/* The id of a text that may be empty: 0 is the empty text. */
static uint32_t text_id(struct trace_writer *w, const char *s)
{
	return s && *s ? trace_writer__string(w, s) : 0;
}

static int writer__host(struct trace_writer *w, const struct trace_host *h)
{
	const char *texts[] = { h->hostname, h->kernel, h->machine, h->comm, h->exe,
				h->build_id, h->tier, h->tier_hint, h->runtime };
	uint32_t others = text_id(w, h->other_runtimes);
	uint32_t ids[sizeof(texts) / sizeof(*texts)];
	struct record r = { 0 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		ids[i] = text_id(w, texts[i]);
	record__begin(&r, w, TRACE_RECORD_HOST);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		record__varint(&r, ids[i]);
	record__varint(&r, h->pid);
	record__varint(&r, h->nr_cpus);
	record__varint(&r, h->attach_ts);
	record__varint(&r, h->realtime_ns);
	record__varint(&r, others);
	if (h->sample_hz)
		record__varint(&r, h->sample_hz);
	return record__end(&r);
}

int trace_writer__task_kind(struct trace_writer *w, const struct trace_task_kind *k)
{
	uint32_t name = text_id(w, k->name);
	uint32_t name_long = text_id(w, k->name_long);
	uint32_t scheduler = text_id(w, k->scheduler);
	struct record r = { 0 };

	record__begin(&r, w, TRACE_RECORD_TASK_KIND);
	record__varint(&r, k->id);
	record__varint(&r, name);
	record__varint(&r, name_long);
	record__varint(&r, scheduler);
	record__byte(&r, (uint8_t)((k->blocking ? TRACE_KIND_BLOCKING : 0) |
				   (k->unseen_spawns ? TRACE_KIND_UNSEEN_SPAWNS : 0) |
				   (k->root ? TRACE_KIND_ROOT : 0) |
				   (k->boxed ? TRACE_KIND_BOXED : 0)));
	return record__end(&r);
}

int trace_writer__chain(struct trace_writer *w, const struct trace_chain *c)
{
	struct record r = { 0 };
	struct { uint32_t name, file, path; } *ids;
	uint32_t task = c->task && *c->task ? text_id(w, c->task) : 0;
	int err;

	if (c->nr > TRACE_CHAIN_NODES_MAX)
		return -EMSGSIZE;
	/* The strings first: records do not nest. */
	ids = calloc(c->nr ? c->nr : 1, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->nr; i++) {
		ids[i].name = text_id(w, c->nodes[i].name);
		ids[i].file = text_id(w, c->nodes[i].file);
		ids[i].path = text_id(w, c->nodes[i].path);
	}
	record__begin(&r, w, TRACE_RECORD_CHAIN);
	record__varint(&r, c->id);
	record__varint(&r, c->nr);
	for (uint32_t i = 0; i < c->nr; i++) {
		const struct trace_node *n = &c->nodes[i];

		record__byte(&r, n->kind);
		record__byte(&r, n->key);
		record__byte(&r, n->key_index);
		record__byte(&r, n->nr_children);
		record__byte(&r, (uint8_t)((n->runtime_own ? TRACE_NODE_OWN : 0) |
					   n->descriptor << TRACE_NODE_DESCRIPTOR_SHIFT |
					   n->idle << TRACE_NODE_IDLE_SHIFT));
		record__varint(&r, n->line);
		record__varint(&r, ids[i].name);
		record__varint(&r, ids[i].file);
		record__varint(&r, ids[i].path);
	}
	if (task)
		record__varint(&r, task);
	err = record__end(&r);
	free(ids);
	return err;
}

int trace_writer__stack(struct trace_writer *w, const struct trace_stack *s)
{
	struct record r = { 0 };
	uint32_t *ids;
	int err;

	if (s->nr > TRACE_STACK_FRAMES_MAX)
		return -EMSGSIZE;
	ids = calloc(s->nr ? s->nr : 1, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->nr; i++)
		ids[i] = text_id(w, s->frames[i]);
	record__begin(&r, w, TRACE_RECORD_STACK);
	record__varint(&r, s->id);
	record__varint(&r, s->nr);
	for (uint32_t i = 0; i < s->nr; i++)
		record__varint(&r, ids[i]);
	err = record__end(&r);
	free(ids);
	return err;
}

int trace_writer__user_stack(struct trace_writer *w, const struct trace_user_stack *s)
{
	struct { uint32_t function, path; } *ids;
	struct record r = { 0 };
	int err;

	if (s->nr > TRACE_STACK_FRAMES_MAX)
		return -EMSGSIZE;
	ids = calloc(s->nr ? s->nr : 1, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->nr; i++) {
		ids[i].function = text_id(w, s->frames[i].function);
		ids[i].path = text_id(w, s->frames[i].path);
	}
	record__begin(&r, w, TRACE_RECORD_USER_STACK);
	record__varint(&r, s->id);
	record__varint(&r, s->nr);
	for (uint32_t i = 0; i < s->nr; i++) {
		record__varint(&r, ids[i].function);
		record__varint(&r, ids[i].path);
		record__varint(&r, s->frames[i].line);
	}
	if (s->end != TRACE_STACK_NOT_KNOWN || s->of_task) {
		record__varint(&r, s->end);
		record__varint(&r, s->in_poll);
	}
	if (s->of_task)
		record__varint(&r, s->of_task);
	err = record__end(&r);
	free(ids);
	return err;
}

int trace_writer__thread(struct trace_writer *w, const struct trace_thread *t)
{
	uint32_t name = text_id(w, t->name);
	struct record r = { 0 };

	record__begin(&r, w, TRACE_RECORD_THREAD);
	record__varint(&r, t->tid);
	record__varint(&r, name);
	return record__end(&r);
}

int trace_writer__note(struct trace_writer *w, const char *text)
{
	uint32_t id = text_id(w, text);
	struct record r = { 0 };

	record__begin(&r, w, TRACE_RECORD_NOTE);
	record__varint(&r, id);
	return record__end(&r);
}

int trace_writer__loss(struct trace_writer *w, const char *cause, uint64_t total)
{
	uint32_t i;

	for (i = 0; i < w->nr_losses; i++)
		if (!strcmp(w->losses[i].cause, cause))
			break;
	if (i == LOSSES_MAX)
		return -ENOSPC;
	if (i == w->nr_losses) {
		w->losses[i].cause = strdup(cause);
		if (!w->losses[i].cause)
			return -ENOMEM;
		w->losses[i].written = UINT64_MAX;
		w->nr_losses++;
	}
	w->losses[i].total = total;
	return 0;
}

static int writer__put_losses(struct trace_writer *w)
{
	for (uint32_t i = 0; i < w->nr_losses; i++) {
		uint32_t cause = text_id(w, w->losses[i].cause);
		struct record r = { 0 };
		int err;

		if (w->losses[i].written == w->losses[i].total)
			continue;
		record__begin(&r, w, TRACE_RECORD_LOSS);
		record__varint(&r, cause);
		record__varint(&r, w->losses[i].total);
		err = record__end(&r);
		if (err)
			return err;
		w->losses[i].written = w->losses[i].total;
	}
	return 0;
}

/* ---- events ---- */

static struct stream *writer__stream(struct trace_writer *w, uint16_t cpu)
{
	struct stream *s;

	if (cpu >= w->nr_streams) {
		uint32_t nr = cpu + 16u;
		struct stream **streams = reallocarray(w->streams, nr, sizeof(*streams));

		if (!streams)
			return NULL;
		memset(streams + w->nr_streams, 0, (nr - w->nr_streams) * sizeof(*streams));
		w->streams = streams;
		w->nr_streams = nr;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->codec = trace_codec__new();
	if (!s->codec) {
		free(s);
		return NULL;
	}
	w->streams[cpu] = s;
	return s;
}

int trace_writer__event(struct trace_writer *w, const struct trace_event *ev)
{
	struct stream *s = ev->cpu < w->nr_streams ? w->streams[ev->cpu] : NULL;
	uint64_t order = trace_event__order(ev);
	size_t len;

	if (!s) {
		s = writer__stream(w, ev->cpu);
		if (!s)
			return -ENOMEM;
	}
	if (w->err) {
		if (!w->dropped || order < w->dropped_first)
			w->dropped_first = order;
		if (ev->ts > w->dropped_last)
			w->dropped_last = ev->ts;
		w->dropped++;
		return w->err;
	}
	if (!s->nr) {
		trace_codec__reset(s->codec);
		s->first = order;
		s->last = ev->ts;
	}
	len = trace_codec__encode(s->codec, ev, s->buf + TRACE_CHUNK_HEAD_SIZE + s->length);
	if (!len)
		return -EINVAL;
	if (order < s->first)
		s->first = order;
	if (ev->ts > s->last)
		s->last = ev->ts;
	s->length += (uint32_t)len;
	s->nr++;
	w->events++;
	if (s->nr == EVENTS_NR || s->length > EVENTS_BYTES - TRACE_EVENT_BYTES_MAX)
		return writer__put_stream(w, ev->cpu);
	return 0;
}

int trace_writer__answer(struct trace_writer *w, uint64_t ts, const void *data, size_t len)
{
	size_t nr = len ? (len + ANSWER_BYTES - 1) / ANSWER_BYTES : 1;
	uint8_t *buf = malloc(TRACE_CHUNK_HEAD_SIZE + (len < ANSWER_BYTES ? len : ANSWER_BYTES));

	if (!buf)
		return -ENOMEM;
	for (size_t i = 0; i < nr && !w->err; i++) {
		size_t at = i * ANSWER_BYTES;
		size_t part = len - at < ANSWER_BYTES ? len - at : ANSWER_BYTES;
		struct trace_chunk_head h = { .kind = TRACE_CHUNK_ANSWER, .cpu = (uint16_t)i,
					      .nr = (uint32_t)nr, .length = (uint32_t)part,
					      .first = ts, .last = ts };

		memcpy(buf + TRACE_CHUNK_HEAD_SIZE, (const uint8_t *)data + at, part);
		w->err = writer__put_chunk(w, &h, buf);
	}
	free(buf);
	return w->err;
}

int trace_writer__flush(struct trace_writer *w)
{
	int err = writer__put_losses(w);

	if (!w->err)
		w->err = writer__put_meta(w);
	for (uint32_t cpu = 0; cpu < w->nr_streams; cpu++)
		writer__put_stream(w, cpu);
	return w->err ? w->err : err;
}

static int writer__put_totals(struct trace_writer *w, const struct trace_totals *t)
{
	uint32_t ended_by = text_id(w, t->ended_by);
	struct record r = { 0 };

	record__begin(&r, w, TRACE_RECORD_TOTALS);
	record__varint(&r, t->end_ts);
	record__varint(&r, t->probe_hits);
	record__varint(&r, t->cpu_ns);
	record__varint(&r, t->target_cpu_ns);
	record__varint(&r, ended_by);
	return record__end(&r);
}

/* Writes the events that were dropped after an error as one loss. */
static int writer__put_dropped(struct trace_writer *w)
{
	struct trace_event ev = {
		.ts = w->dropped_last,
		.type = TRACE_LOST,
		.lost = { .first = w->dropped_first, .count = w->dropped,
			  .cause = TRACE_LOST_WRITER },
	};

	w->dropped = 0;
	return trace_writer__event(w, &ev);
}

int trace_writer__finish(struct trace_writer *w, const struct trace_totals *t)
{
	int first_err, err;

	trace_writer__flush(w);
	first_err = w->err;
	w->err = 0;
	trace_out__close(&w->out);
	if (first_err) {
		trace_writer__loss(w, "file could not be written", w->dropped);
		if (w->dropped)
			writer__put_dropped(w);
	}
	/* The end marker is last: events have to be written before it. */
	err = trace_writer__flush(w);
	if (!err)
		err = writer__put_totals(w, t);
	if (!err)
		err = trace_writer__flush(w);
	trace_out__trim(&w->out);
	if (!err)
		err = first_err;
	w->err = err;
	return err;
}

/* ---- life ---- */

int trace_writer__new_on(const struct trace_sink *sink, const struct trace_host *host,
			 struct trace_writer **out)
{
	struct trace_writer *w = calloc(1, sizeof(*w));
	uint8_t head[TRACE_HEAD_SIZE];
	int err;

	*out = NULL;
	if (!w)
		return -ENOMEM;
	trace_out__init(&w->out, sink, END_BYTES);
	w->next_string = 1;
	w->meta_size = META_BYTES * 2;
	w->meta_len = TRACE_CHUNK_HEAD_SIZE;
	w->meta = malloc(w->meta_size);
	if (!w->meta) {
		err = -ENOMEM;
		goto fail;
	}
	trace_head__pack(head, TRACE_VERSION);
	err = trace_out__put(&w->out, head, sizeof(head));
	if (!err)
		err = writer__host(w, host);
	if (!err)
		err = writer__put_meta(w);
	if (err)
		goto fail;
	*out = w;
	return 0;
fail:
	trace_writer__free(w);
	return err;
}

int trace_writer__new(const char *path, const struct trace_host *host, struct trace_writer **out)
{
	bool std = !strcmp(path, "-");
	struct trace_sink sink = { .fd = STDOUT_FILENO };
	int err;

	*out = NULL;
	if (!std)
		sink.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (sink.fd < 0)
		return -errno;
	err = trace_writer__new_on(&sink, host, out);
	if (!err)
		(*out)->owns_fd = !std;
	else if (!std)
		close(sink.fd);
	return err;
}

uint64_t trace_writer__events(const struct trace_writer *w)
{
	return w->events;
}

uint64_t trace_writer__bytes(const struct trace_writer *w)
{
	return w->out.bytes;
}

void trace_writer__free(struct trace_writer *w)
{
	if (!w)
		return;
	for (uint32_t cpu = 0; cpu < w->nr_streams; cpu++) {
		if (!w->streams[cpu])
			continue;
		trace_codec__free(w->streams[cpu]->codec);
		free(w->streams[cpu]);
	}
	free(w->streams);
	writer__forget_strings(w);
	for (uint32_t i = 0; i < w->nr_losses; i++)
		free(w->losses[i].cause);
	free(w->meta);
	if (w->owns_fd)
		close(w->out.sink.fd);
	free(w);
}
