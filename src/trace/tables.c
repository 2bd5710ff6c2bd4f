/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tables of a trace's metadata: strings, task kinds, chains, stacks, threads,
 * notes, losses, host and totals. The input is not trusted: every record is checked,
 * and memory is limited to a small multiple of the bytes read.
 *
 * It must not know files or chunks.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash_table.h"
#include "trace/meta.h"
#include "trace/varint.h"

#define ARENA_BLOCK	(64u << 10)

/* Memory that is freed all at once. */
struct arena_block {
	struct arena_block	*next;
	size_t			 used, size;
	_Alignas(16) char	 data[];
};

struct loss {
	const char	*cause;
	uint64_t	 total;
};

struct trace_tables {
	struct arena_block	*arena;
	struct hash_table	 strings, kinds, chains, stacks, threads;	/* by id */
	struct hash_table	 user_stacks;
	struct trace_host	 host;
	struct trace_totals	 totals;
	bool			 has_host, has_totals;
	const char		**notes;
	size_t			 nr_notes;
	struct loss		*losses;
	size_t			 nr_losses;
};

static void *arena__alloc(struct trace_tables *t, size_t size)
{
	struct arena_block *b = t->arena;
	void *p;

	size = (size + 15) & ~(size_t)15;
	if (!b || b->size - b->used < size) {
		size_t room = size > ARENA_BLOCK ? size : ARENA_BLOCK;

		b = malloc(sizeof(*b) + room);
		if (!b)
			return NULL;
		b->next = t->arena;
		b->used = 0;
		b->size = room;
		t->arena = b;
	}
	p = b->data + b->used;
	b->used += size;
	return p;
}

static const void *get(const struct hash_table *by_id, uint32_t id)
{
	const struct hash_slot *s = hash_table__find(by_id, id);

	return s ? s->ptr : NULL;
}

/* The first definition of an id is kept, because pointers to it have been returned. */
static int add(struct hash_table *by_id, uint32_t id, const void *value, bool replace)
{
	struct hash_slot *s = hash_table__at(by_id, id);

	if (!s)
		return -ENOMEM;
	if (!s->ptr || replace)
		s->ptr = (void *)value;
	return 0;
}

struct trace_tables *trace_tables__new(void)
{
	return calloc(1, sizeof(struct trace_tables));
}

void trace_tables__free(struct trace_tables *t)
{
	if (!t)
		return;
	while (t->arena) {
		struct arena_block *next = t->arena->next;

		free(t->arena);
		t->arena = next;
	}
	hash_table__clear(&t->strings);
	hash_table__clear(&t->kinds);
	hash_table__clear(&t->chains);
	hash_table__clear(&t->stacks);
	hash_table__clear(&t->user_stacks);
	hash_table__clear(&t->threads);
	free(t->notes);
	free(t->losses);
	free(t);
}

/* ---- records ---- */

static const char *get_text(struct trace_tables *t, struct cursor *in)
{
	uint32_t id = (uint32_t)get_varint_max(in, UINT32_MAX);
	const char *s;

	if (!id)
		return "";
	s = get(&t->strings, id);
	if (!s)
		in->bad = true;
	return s ? s : "";
}

static int load_string(struct trace_tables *t, struct cursor *in)
{
	uint32_t id = (uint32_t)get_varint_max(in, UINT32_MAX);
	size_t len = (size_t)(in->end - in->p);
	char *s;

	if (in->bad || !id || memchr(in->p, 0, len))
		return -EBADMSG;
	s = arena__alloc(t, len + 1);
	if (!s)
		return -ENOMEM;
	memcpy(s, in->p, len);
	s[len] = '\0';
	return add(&t->strings, id, s, false);
}

static int load_host(struct trace_tables *t, struct cursor *in)
{
	struct trace_host h = { 0 };

	h.hostname = get_text(t, in);
	h.kernel = get_text(t, in);
	h.machine = get_text(t, in);
	h.comm = get_text(t, in);
	h.exe = get_text(t, in);
	h.build_id = get_text(t, in);
	h.tier = get_text(t, in);
	h.tier_hint = get_text(t, in);
	h.runtime = get_text(t, in);
	h.pid = (uint32_t)get_varint_max(in, UINT32_MAX);
	h.nr_cpus = (uint32_t)get_varint_max(in, UINT32_MAX);
	h.attach_ts = get_varint(in);
	h.realtime_ns = get_varint(in);
	h.other_runtimes = in->p < in->end ? get_text(t, in) : "";
	h.sample_hz = in->p < in->end ? (uint32_t)get_varint_max(in, UINT32_MAX) : 0;
	if (in->bad)
		return -EBADMSG;
	if (!t->has_host)
		t->host = h;
	t->has_host = true;
	return 0;
}

static int load_kind(struct trace_tables *t, struct cursor *in)
{
	struct trace_task_kind *k = arena__alloc(t, sizeof(*k));
	uint8_t flags;

	if (!k)
		return -ENOMEM;
	k->id = (uint32_t)get_varint_max(in, UINT32_MAX);
	k->name = get_text(t, in);
	k->name_long = get_text(t, in);
	k->scheduler = get_text(t, in);
	flags = get_byte(in);
	k->blocking = !!(flags & TRACE_KIND_BLOCKING);
	k->unseen_spawns = !!(flags & TRACE_KIND_UNSEEN_SPAWNS);
	k->root = !!(flags & TRACE_KIND_ROOT);
	k->boxed = !!(flags & TRACE_KIND_BOXED);
	return in->bad ? -EBADMSG : add(&t->kinds, k->id, k, false);
}

static int load_chain(struct trace_tables *t, struct cursor *in)
{
	uint32_t id = (uint32_t)get_varint_max(in, UINT32_MAX);
	uint32_t nr = (uint32_t)get_varint_max(in, TRACE_CHAIN_NODES_MAX);
	struct trace_chain *c;
	struct trace_node *nodes;
	uint8_t flags;

	if (in->bad || nr > (size_t)(in->end - in->p))
		return -EBADMSG;
	c = arena__alloc(t, sizeof(*c) + nr * sizeof(*nodes));
	if (!c)
		return -ENOMEM;
	nodes = (struct trace_node *)(c + 1);
	for (uint32_t i = 0; i < nr; i++) {
		nodes[i].kind = get_byte(in);
		nodes[i].key = get_byte(in);
		nodes[i].key_index = get_byte(in);
		nodes[i].nr_children = get_byte(in);
		flags = get_byte(in);
		nodes[i].runtime_own = flags & TRACE_NODE_OWN;
		nodes[i].descriptor = flags >> TRACE_NODE_DESCRIPTOR_SHIFT &
				      TRACE_NODE_DESCRIPTOR_MASK;
		nodes[i].idle = flags >> TRACE_NODE_IDLE_SHIFT;
		nodes[i].line = (uint32_t)get_varint_max(in, UINT32_MAX);
		nodes[i].name = get_text(t, in);
		nodes[i].file = get_text(t, in);
		nodes[i].path = get_text(t, in);
	}
	*c = (struct trace_chain){ .id = id, .nr = nr, .nodes = nodes, .task = "" };
	if (in->p < in->end)
		c->task = get_text(t, in);
	return in->bad ? -EBADMSG : add(&t->chains, id, c, false);
}

static int load_stack(struct trace_tables *t, struct cursor *in)
{
	uint32_t id = (uint32_t)get_varint_max(in, UINT32_MAX);
	uint32_t nr = (uint32_t)get_varint_max(in, TRACE_STACK_FRAMES_MAX);
	struct trace_stack *s;
	const char **frames;

	if (in->bad || nr > (size_t)(in->end - in->p))
		return -EBADMSG;
	s = arena__alloc(t, sizeof(*s) + nr * sizeof(*frames));
	if (!s)
		return -ENOMEM;
	frames = (const char **)(s + 1);
	for (uint32_t i = 0; i < nr; i++)
		frames[i] = get_text(t, in);
	*s = (struct trace_stack){ .id = id, .nr = nr, .frames = frames };
	return in->bad ? -EBADMSG : add(&t->stacks, id, s, false);
}

static int load_user_stack(struct trace_tables *t, struct cursor *in)
{
	uint32_t id = (uint32_t)get_varint_max(in, UINT32_MAX);
	uint32_t nr = (uint32_t)get_varint_max(in, TRACE_STACK_FRAMES_MAX);
	struct trace_user_stack *s;
	struct trace_user_frame *frames;

	if (in->bad || nr > (size_t)(in->end - in->p))
		return -EBADMSG;
	s = arena__alloc(t, sizeof(*s) + nr * sizeof(*frames));
	if (!s)
		return -ENOMEM;
	frames = (struct trace_user_frame *)(s + 1);
	for (uint32_t i = 0; i < nr; i++) {
		frames[i].function = get_text(t, in);
		frames[i].path = get_text(t, in);
		frames[i].line = (uint32_t)get_varint_max(in, UINT32_MAX);
	}
	*s = (struct trace_user_stack){ .id = id, .nr = nr, .frames = frames };
	/* Older recordings do not have them. */
	if (!in->bad && in->p < in->end) {
		s->end = (uint8_t)get_varint_max(in, TRACE_STACK_END_NR - 1);
		s->in_poll = (uint32_t)get_varint_max(in, nr);
	}
	if (!in->bad && in->p < in->end)
		s->of_task = (uint32_t)get_varint_max(in, nr);
	return in->bad ? -EBADMSG : add(&t->user_stacks, id, s, false);
}

static int load_thread(struct trace_tables *t, struct cursor *in)
{
	uint32_t tid = (uint32_t)get_varint_max(in, UINT32_MAX);
	const char *name = get_text(t, in);

	/* A thread may change its name: the last one is kept. */
	return in->bad ? -EBADMSG : add(&t->threads, tid, name, true);
}

static int load_note(struct trace_tables *t, struct cursor *in)
{
	const char *text = get_text(t, in);
	const char **notes;

	if (in->bad)
		return -EBADMSG;
	notes = reallocarray(t->notes, t->nr_notes + 1, sizeof(*notes));
	if (!notes)
		return -ENOMEM;
	t->notes = notes;
	t->notes[t->nr_notes++] = text;
	return 0;
}

static int load_loss(struct trace_tables *t, struct cursor *in)
{
	const char *cause = get_text(t, in);
	uint64_t total = get_varint(in);
	struct loss *losses;
	size_t i;

	if (in->bad)
		return -EBADMSG;
	for (i = 0; i < t->nr_losses; i++)
		if (!strcmp(t->losses[i].cause, cause)) {
			t->losses[i].total = total;
			return 0;
		}
	if (t->nr_losses == 256)	/* real files have a few causes */
		return -EBADMSG;
	losses = reallocarray(t->losses, t->nr_losses + 1, sizeof(*losses));
	if (!losses)
		return -ENOMEM;
	t->losses = losses;
	t->losses[t->nr_losses++] = (struct loss){ .cause = cause, .total = total };
	return 0;
}

static int load_totals(struct trace_tables *t, struct cursor *in)
{
	t->totals.end_ts = get_varint(in);
	t->totals.probe_hits = get_varint(in);
	t->totals.cpu_ns = get_varint(in);
	t->totals.target_cpu_ns = get_varint(in);
	t->totals.ended_by = get_text(t, in);
	if (in->bad)
		return -EBADMSG;
	t->has_totals = true;
	return 0;
}

static int load_record(struct trace_tables *t, uint8_t type, struct cursor *in)
{
	switch (type) {
	case TRACE_RECORD_HOST:
		return load_host(t, in);
	case TRACE_RECORD_STRING:
		return load_string(t, in);
	case TRACE_RECORD_TASK_KIND:
		return load_kind(t, in);
	case TRACE_RECORD_CHAIN:
		return load_chain(t, in);
	case TRACE_RECORD_STACK:
		return load_stack(t, in);
	case TRACE_RECORD_USER_STACK:
		return load_user_stack(t, in);
	case TRACE_RECORD_THREAD:
		return load_thread(t, in);
	case TRACE_RECORD_NOTE:
		return load_note(t, in);
	case TRACE_RECORD_LOSS:
		return load_loss(t, in);
	case TRACE_RECORD_TOTALS:
		return load_totals(t, in);
	}
	return 0;
}

int trace_tables__load(struct trace_tables *t, const uint8_t *in, size_t len, uint32_t nr)
{
	struct cursor c = { .p = in, .end = in + len };

	while (nr--) {
		uint8_t type = get_byte(&c);
		uint64_t size = get_varint(&c);
		struct cursor record = { .p = c.p };
		int err;

		if (c.bad || size > (size_t)(c.end - c.p))
			return -EBADMSG;
		record.end = c.p + size;
		err = load_record(t, type, &record);
		if (err)
			return err;
		c.p = record.end;
	}
	return c.p == c.end ? 0 : -EBADMSG;
}

/* ---- look-ups ---- */

const struct trace_host *trace_tables__host(const struct trace_tables *t)
{
	return t->has_host ? &t->host : NULL;
}

const struct trace_totals *trace_tables__totals(const struct trace_tables *t)
{
	return t->has_totals ? &t->totals : NULL;
}

const char *trace_tables__string(const struct trace_tables *t, uint32_t id)
{
	return get(&t->strings, id);
}

const struct trace_task_kind *trace_tables__task_kind(const struct trace_tables *t, uint32_t id)
{
	return get(&t->kinds, id);
}

const struct trace_chain *trace_tables__chain(const struct trace_tables *t, uint32_t id)
{
	return get(&t->chains, id);
}

const struct trace_stack *trace_tables__stack(const struct trace_tables *t, uint32_t id)
{
	return get(&t->stacks, id);
}

const struct trace_user_stack *trace_tables__user_stack(const struct trace_tables *t, uint32_t id)
{
	return get(&t->user_stacks, id);
}

const char *trace_tables__thread(const struct trace_tables *t, uint32_t tid)
{
	return get(&t->threads, tid);
}

const char *const *trace_tables__notes(const struct trace_tables *t, size_t *nr)
{
	*nr = t->nr_notes;
	return t->notes;
}

bool trace_tables__loss(const struct trace_tables *t, size_t i, const char **cause,
			uint64_t *total)
{
	if (i >= t->nr_losses)
		return false;
	*cause = t->losses[i].cause;
	*total = t->losses[i].total;
	return true;
}
