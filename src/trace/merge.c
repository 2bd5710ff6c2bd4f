/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Merges all streams by time. A chunk is opened when the sequence reaches its first
 * event, decoded completely, sorted (it nearly is), and freed after its last event. So
 * one chunk for each CPU is in memory, or a few more if events were late.
 *
 * It must not know the meaning of events.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/chunk.h"
#include "trace/codec.h"
#include "trace/merge.h"
#include "trace/trace.h"

/* Limits the decoded events in memory (300 MB), against hostile files. */
#define OPEN_EVENTS_MAX	(4u << 20)

struct order {
	uint64_t	ts;
	uint32_t	index;
};

/* A decoded chunk. */
struct open_chunk {
	const struct trace_chunk_ref	*ref;
	struct trace_event		*events;
	struct order			*order;	/* NULL: its events are sorted */
	uint32_t			 nr, pos, room;
	struct open_chunk		*next_free;
};

/* An open chunk in the heap, and the sort key of its next event. */
struct head {
	uint64_t		 ts;
	struct open_chunk	*chunk;
};

struct trace_merge {
	int			 fd;
	struct trace_chunk_ref	*refs;		/* sorted by (first, cpu, seq) */
	size_t			 nr_refs, next_ref;
	struct head		*heap;		/* the first element has the next event */
	size_t			 nr_heap, heap_size;
	/* as long as its key is below this, it stays the first */
	uint64_t		 bound;
	bool			 started;	/* its event has been returned */
	struct open_chunk	*free_chunks;
	uint64_t		 open_events;
	struct trace_codec	*codec;
	uint8_t			*bytes;
	size_t			 bytes_size;
	uint64_t		 damaged;
};

static int ref_order(const void *a, const void *b)
{
	const struct trace_chunk_ref *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int order_order(const void *a, const void *b)
{
	const struct order *x = a, *y = b;

	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static bool head__before(const struct head *a, const struct head *b)
{
	if (a->ts != b->ts)
		return a->ts < b->ts;
	if (a->chunk->ref->cpu != b->chunk->ref->cpu)
		return a->chunk->ref->cpu < b->chunk->ref->cpu;
	return a->chunk->ref->seq < b->chunk->ref->seq;
}

/* ---- chunks ---- */

static const struct trace_event *chunk__event(const struct open_chunk *c)
{
	return &c->events[c->order ? c->order[c->pos].index : c->pos];
}

static uint64_t chunk__ts(const struct open_chunk *c)
{
	return c->order ? c->order[c->pos].ts : trace_event__order(&c->events[c->pos]);
}

static int chunk__sort(struct open_chunk *c)
{
	uint64_t last = 0;
	bool sorted = true;

	for (uint32_t i = 0; i < c->nr && sorted; i++) {
		uint64_t ts = trace_event__order(&c->events[i]);

		sorted = ts >= last;
		last = ts;
	}
	if (sorted)
		return 0;
	c->order = malloc(c->nr * sizeof(*c->order));
	if (!c->order)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->nr; i++)
		c->order[i] = (struct order){ trace_event__order(&c->events[i]), i };
	qsort(c->order, c->nr, sizeof(*c->order), order_order);
	return 0;
}

static void merge__close_chunk(struct trace_merge *m, struct open_chunk *c)
{
	m->open_events -= c->room;
	free(c->order);
	c->order = NULL;
	c->next_free = m->free_chunks;
	m->free_chunks = c;
}

/* Memory for @nr events; reuses a closed chunk's, if one is large enough. */
static struct open_chunk *merge__room(struct trace_merge *m, uint32_t nr)
{
	struct open_chunk *c = m->free_chunks;
	struct trace_event *events;

	if (c) {
		m->free_chunks = c->next_free;
	} else {
		c = calloc(1, sizeof(*c));
		if (!c)
			return NULL;
	}
	if (c->room < nr) {
		free(c->events);
		c->room = 0;
		events = malloc(nr * sizeof(*events));
		c->events = events;
		if (!events) {
			free(c);
			return NULL;
		}
		c->room = nr;
	}
	m->open_events += c->room;
	c->pos = 0;
	return c;
}

static int merge__read(struct trace_merge *m, const struct trace_chunk_ref *ref)
{
	size_t done = 0;

	if (m->bytes_size < ref->length) {
		uint8_t *bytes = realloc(m->bytes, ref->length);

		if (!bytes)
			return -ENOMEM;
		m->bytes = bytes;
		m->bytes_size = ref->length;
	}
	while (done < ref->length) {
		ssize_t n = pread(m->fd, m->bytes + done, ref->length - done,
				  (off_t)(ref->off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EBADMSG;	/* truncated since it was opened */
		done += (size_t)n;
	}
	return crc32c(m->bytes, ref->length) == ref->crc ? 0 : -EBADMSG;
}

static int chunk__decode(struct trace_merge *m, struct open_chunk *c)
{
	const struct trace_chunk_ref *ref = c->ref;
	uint64_t last;
	int err;

	err = merge__read(m, ref);
	if (!err)
		err = trace_codec__decode(m->codec, m->bytes, ref->length, ref->cpu, c->events,
					  ref->nr);
	if (err)
		return err;
	c->nr = ref->nr;
	err = chunk__sort(c);
	if (err)
		return err;
	/* The index sorted the chunks by their headers, so these must be true. */
	c->pos = c->nr - 1;
	last = chunk__ts(c);
	c->pos = 0;
	return chunk__ts(c) == ref->first && last <= ref->last ? 0 : -EBADMSG;
}

static int merge__open_chunk(struct trace_merge *m, const struct trace_chunk_ref *ref,
			     struct open_chunk **out)
{
	struct open_chunk *c;
	int err;

	if (m->open_events + ref->nr > OPEN_EVENTS_MAX)
		return -E2BIG;
	c = merge__room(m, ref->nr);
	if (!c)
		return -ENOMEM;
	c->ref = ref;
	err = chunk__decode(m, c);
	if (err == -EBADMSG) {
		/* A damaged chunk becomes an event of loss. */
		m->damaged += ref->nr;
		free(c->order);
		c->order = NULL;
		c->nr = 1;
		c->pos = 0;
		c->events[0] = (struct trace_event){
			.ts = ref->last, .cpu = ref->cpu, .type = TRACE_LOST,
			.lost = { .first = ref->first, .count = ref->nr,
				  .cause = TRACE_LOST_DAMAGED },
		};
		err = 0;
	}
	if (err)
		merge__close_chunk(m, c);
	else
		*out = c;
	return err;
}

/* ---- the heap ---- */

static void merge__sift_down(struct trace_merge *m)
{
	size_t i = 0;

	for (;;) {
		size_t least = i, left = 2 * i + 1;
		struct head swap;

		if (left < m->nr_heap && head__before(&m->heap[left], &m->heap[least]))
			least = left;
		if (left + 1 < m->nr_heap && head__before(&m->heap[left + 1], &m->heap[least]))
			least = left + 1;
		if (least == i)
			return;
		swap = m->heap[i];
		m->heap[i] = m->heap[least];
		m->heap[least] = swap;
		i = least;
	}
}

static int merge__push(struct trace_merge *m, struct open_chunk *c)
{
	size_t i = m->nr_heap;

	if (m->nr_heap == m->heap_size) {
		size_t size = m->heap_size ? m->heap_size * 2 : 64;
		struct head *heap = reallocarray(m->heap, size, sizeof(*heap));

		if (!heap)
			return -ENOMEM;
		m->heap = heap;
		m->heap_size = size;
	}
	m->heap[m->nr_heap++] = (struct head){ .ts = chunk__ts(c), .chunk = c };
	while (i && head__before(&m->heap[i], &m->heap[(i - 1) / 2])) {
		struct head swap = m->heap[i];

		m->heap[i] = m->heap[(i - 1) / 2];
		m->heap[(i - 1) / 2] = swap;
		i = (i - 1) / 2;
	}
	return 0;
}

/*
 * Opens all chunks that may contain the next event, and computes how long the first
 * element stays the first.
 */
static int merge__settle(struct trace_merge *m)
{
	while (m->next_ref < m->nr_refs &&
	       (!m->nr_heap || m->refs[m->next_ref].first <= m->heap[0].ts)) {
		struct open_chunk *c;
		int err = merge__open_chunk(m, &m->refs[m->next_ref], &c);

		if (err)
			return err;
		m->next_ref++;
		err = merge__push(m, c);
		if (err) {
			merge__close_chunk(m, c);
			return err;
		}
	}
	m->bound = UINT64_MAX;
	for (size_t i = 1; i < 3 && i < m->nr_heap; i++)
		if (m->heap[i].ts < m->bound)
			m->bound = m->heap[i].ts;
	if (m->next_ref < m->nr_refs && m->refs[m->next_ref].first < m->bound)
		m->bound = m->refs[m->next_ref].first;
	return 0;
}

/* Moves past the event that was returned. */
static int merge__advance(struct trace_merge *m)
{
	struct head *h = &m->heap[0];

	if (__builtin_expect(++h->chunk->pos < h->chunk->nr, 1)) {
		h->ts = chunk__ts(h->chunk);
		if (h->ts < m->bound)
			return 0;
	} else {
		merge__close_chunk(m, h->chunk);
		*h = m->heap[--m->nr_heap];
	}
	merge__sift_down(m);
	return merge__settle(m);
}

int trace_merge__next(struct trace_merge *m, const struct trace_event **ev)
{
	int err = 0;

	if (!m->started)
		err = merge__settle(m);
	else if (m->nr_heap)
		err = merge__advance(m);
	m->started = true;
	if (err)
		return err;
	if (!m->nr_heap)
		return 0;
	*ev = chunk__event(m->heap[0].chunk);
	return 1;
}

int trace_merge__rewind(struct trace_merge *m)
{
	while (m->nr_heap)
		merge__close_chunk(m, m->heap[--m->nr_heap].chunk);
	m->next_ref = 0;
	m->started = false;
	m->damaged = 0;
	return 0;
}

uint64_t trace_merge__damaged(const struct trace_merge *m)
{
	return m->damaged;
}

int trace_merge__new(int fd, struct trace_chunk_ref *chunks, size_t nr, struct trace_merge **out)
{
	struct trace_merge *m = calloc(1, sizeof(*m));

	*out = NULL;
	if (!m)
		return -ENOMEM;
	m->codec = trace_codec__new();
	if (!m->codec) {
		free(m);
		return -ENOMEM;
	}
	m->fd = fd;
	m->refs = chunks;
	m->nr_refs = nr;
	if (nr)
		qsort(chunks, nr, sizeof(*chunks), ref_order);
	*out = m;
	return 0;
}

void trace_merge__free(struct trace_merge *m)
{
	if (!m)
		return;
	trace_merge__rewind(m);
	while (m->free_chunks) {
		struct open_chunk *next = m->free_chunks->next_free;

		free(m->free_chunks->events);
		free(m->free_chunks);
		m->free_chunks = next;
	}
	free(m->heap);
	free(m->bytes);
	trace_codec__free(m->codec);
	free(m);
}
