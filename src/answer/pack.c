// SPDX-License-Identifier: GPL-2.0
/*
 * An answer as bytes, and back. See answer.h.
 *
 *	answer	= version ts span flags untold texts section*
 *	texts	= length bytes			that many bytes: texts, each with a NUL at its end
 *	section	= nr item*			in the order of the sections below
 *
 * All numbers are varints (see trace/varint.h). A text is its offset in texts. An index is
 * stored plus one, so that ANSWER_NONE is 0. Fields may be added at the end of a section's
 * items only with a new version.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answer/answer.h"
#include "base/array.h"
#include "base/utf8.h"
#include "trace/varint.h"

#define VERSION		1
#define TEXTS_MAX	(64u << 20)	/* bytes that are accepted */

/* ---- packing ---- */

struct bytes {
	uint8_t		*p;
	size_t		 nr, cap;
	bool		 failed;
};

struct packer {
	struct bytes		 body, texts;
	struct hash_table	 offsets;	/* of texts, plus 1, by their address */
	struct hash_table	 contents;	/* the same, by their contents */
};

static void put(struct bytes *b, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len-- && !b->failed) {
		b->failed = array__room(&b->p, &b->cap, b->nr, 1);
		if (!b->failed)
			b->p[b->nr++] = *p++;
	}
}

static void number(struct bytes *b, uint64_t v)
{
	uint8_t buf[VARINT_MAX];

	put(b, buf, (size_t)(put_varint(buf, v) - buf));
}

static void num(struct packer *k, uint64_t v)
{
	number(&k->body, v);
}

static void idx(struct packer *k, uint32_t index)
{
	num(k, (uint64_t)(index + 1));	/* in 32 bits: ANSWER_NONE is 0 */
}

/* Where @text is among the texts, plus 1. */
static uint64_t offset_of(struct packer *k, const char *text)
{
	uint64_t key = hash_table__key(&k->contents, text, strlen(text));

	for (;; key++) {
		struct hash_slot *slot = hash_table__at(&k->contents, key);

		if (!slot) {
			k->body.failed = true;
			return 1;
		}
		if (!slot->value) {
			slot->value = k->texts.nr + 1;
			put(&k->texts, text, strlen(text) + 1);
			return slot->value;
		}
		if (!strcmp((const char *)k->texts.p + slot->value - 1, text))
			return slot->value;
	}
}

static void text(struct packer *k, const char *text)
{
	struct hash_slot *slot = hash_table__at(&k->offsets, (uintptr_t)text);

	if (!slot) {
		k->body.failed = true;
		return;
	}
	if (!slot->value)
		slot->value = offset_of(k, text);
	num(k, slot->value - 1);
}

static void place(struct packer *k, struct answer_place p)
{
	text(k, p.function);
	text(k, p.file);
	num(k, p.line);
}

static void pack_findings(struct packer *k, const struct answer *a)
{
	num(k, a->nr_findings);
	for (const struct answer_finding *f = a->findings; f < a->findings + a->nr_findings; f++) {
		text(k, f->kind);
		text(k, f->text);
		text(k, f->resource);
		num(k, f->since_ns);
		num(k, f->nr_parties);
	}
	num(k, a->nr_parties);
	for (const struct answer_party *p = a->parties; p < a->parties + a->nr_parties; p++) {
		text(k, p->role);
		text(k, p->text);
		idx(k, p->task);
		num(k, p->count);
		place(k, p->place);
	}
}

static void pack_tasks(struct packer *k, const struct answer *a)
{
	num(k, a->nr_tasks);
	for (const struct answer_task *t = a->tasks; t < a->tasks + a->nr_tasks; t++) {
		num(k, t->id);
		text(k, t->name);
		num(k, t->state);
		num(k, (uint64_t)t->root | (uint64_t)t->stuck << 1 | (uint64_t)t->own << 2);
		text(k, t->queue);
		num(k, t->after_ns);
		num(k, t->since_ns);
		num(k, t->nr_chain);
		num(k, t->nr_waits);
		num(k, t->nr_has);
	}
	num(k, a->nr_places);
	for (size_t i = 0; i < a->nr_places; i++)
		place(k, a->places[i]);
}

static void pack_waits(struct packer *k, const struct answer *a)
{
	num(k, a->nr_waits);
	for (const struct answer_wait *w = a->waits; w < a->waits + a->nr_waits; w++) {
		place(k, w->place);
		text(k, w->in);
		idx(k, w->resource);
		idx(k, w->before);
		idx(k, w->ahead);
		num(k, (uint64_t)w->unpolled | (uint64_t)w->granted << 1 |
		       (uint64_t)w->open << 2 | (uint64_t)w->unread << 3);
	}
	num(k, a->nr_has);
	for (const struct answer_has *h = a->has; h < a->has + a->nr_has; h++) {
		text(k, h->local);
		text(k, h->type);
		num(k, h->object);
		place(k, h->place);
		num(k, h->unpolled);
	}
}

static void pack_resources(struct packer *k, const struct answer *a)
{
	num(k, a->nr_resources);
	for (const struct answer_resource *r = a->resources; r < a->resources + a->nr_resources;
	     r++) {
		num(k, r->kind);
		text(k, r->name);
		num(k, r->value);
		text(k, r->text);
		num(k, r->nr_holders);
	}
	num(k, a->nr_holders);
	for (const struct answer_holder *h = a->holders; h < a->holders + a->nr_holders; h++) {
		num(k, h->reason);
		idx(k, h->task);
		idx(k, h->by);
	}
}

static void pack_threads(struct packer *k, const struct answer *a)
{
	num(k, a->nr_threads);
	for (const struct answer_thread *t = a->threads; t < a->threads + a->nr_threads; t++) {
		num(k, t->tid);
		text(k, t->name);
		num(k, (unsigned char)t->state);
		num(k, zigzag(t->syscall));
		idx(k, t->task);
	}
	num(k, a->nr_pools);
	for (const struct answer_pool *p = a->pools; p < a->pools + a->nr_pools; p++) {
		num(k, p->threads);
		num(k, p->idle);
		num(k, p->queued);
		num(k, p->limit);
	}
}

int answer__pack(const struct answer *a, uint8_t **out, size_t *len)
{
	struct packer k = { .body = { .nr = 0 } };
	struct bytes all = { .nr = 0 };
	bool failed;

	pack_findings(&k, a);
	pack_tasks(&k, a);
	pack_waits(&k, a);
	pack_resources(&k, a);
	pack_threads(&k, a);
	number(&all, VERSION);
	number(&all, a->ts);
	number(&all, a->span_ns);
	number(&all, a->incomplete);
	number(&all, a->untold);
	number(&all, k.texts.nr);
	put(&all, k.texts.p, k.texts.nr);
	put(&all, k.body.p, k.body.nr);
	failed = k.body.failed || k.texts.failed || all.failed;
	hash_table__clear(&k.offsets);
	hash_table__clear(&k.contents);
	free(k.body.p);
	free(k.texts.p);
	if (failed) {
		free(all.p);
		return -ENOMEM;
	}
	*out = all.p;
	*len = all.nr;
	return 0;
}

/* ---- unpacking ---- */

struct unpacker {
	struct answer	*a;
	struct cursor	 in;
	char		*texts;
	size_t		 nr_texts;
	bool		 nomem;
};

static uint64_t get_num(struct unpacker *u, uint64_t max)
{
	return get_varint_max(&u->in, max);
}

static uint32_t get_idx(struct unpacker *u)
{
	return (uint32_t)get_num(u, UINT32_MAX) - 1;
}

static bool get_flag(uint64_t flags, unsigned int bit)
{
	return flags >> bit & 1;
}

static const char *get_text(struct unpacker *u)
{
	uint64_t at = get_varint(&u->in);
	const char *own;

	if (at >= u->nr_texts) {
		u->in.bad = true;
		return "";
	}
	own = answer__text(u->a, u->texts + at);
	u->nomem |= !own;
	return own ? own : "";
}

static struct answer_place get_place(struct unpacker *u)
{
	struct answer_place p;

	p.function = get_text(u);
	p.file = get_text(u);
	p.line = (uint32_t)get_num(u, UINT32_MAX);
	return p;
}

/* Room for a section, whose items each take @least bytes; NULL: there are none. */
static void *get_section(struct unpacker *u, size_t size, size_t least, size_t *nr)
{
	uint64_t items = get_num(u, (uint64_t)(u->in.end - u->in.p) / least);
	void *room = u->in.bad || !items ? NULL : calloc(items, size);

	u->nomem |= !u->in.bad && items && !room;
	*nr = room ? (size_t)items : 0;
	return room;
}

static bool good(const struct unpacker *u)
{
	return !u->in.bad && !u->nomem;
}

/* The next @nr of a list: *@first is where they begin. They must be there: see check(). */
static uint32_t get_range(struct unpacker *u, uint32_t *first, size_t *next)
{
	uint32_t nr = (uint32_t)get_num(u, UINT32_MAX);

	*first = (uint32_t)*next;
	*next += nr;
	return nr;
}

static void unpack_findings(struct unpacker *u, size_t *parties)
{
	struct answer *a = u->a;

	*parties = 0;
	a->findings = get_section(u, sizeof(*a->findings), 5, &a->nr_findings);
	for (size_t i = 0; i < a->nr_findings && good(u); i++) {
		struct answer_finding *f = &a->findings[i];

		f->kind = get_text(u);
		f->text = get_text(u);
		f->resource = get_text(u);
		f->since_ns = get_varint(&u->in);
		f->nr_parties = get_range(u, &f->parties, parties);
	}
	a->parties = get_section(u, sizeof(*a->parties), 7, &a->nr_parties);
	for (size_t i = 0; i < a->nr_parties && good(u); i++) {
		struct answer_party *p = &a->parties[i];

		p->role = get_text(u);
		p->text = get_text(u);
		p->task = get_idx(u);
		p->count = (uint32_t)get_num(u, UINT32_MAX);
		p->place = get_place(u);
	}
}

struct ends {
	size_t	parties, places, waits, has, holders;	/* that the ranges need */
};

static void unpack_tasks(struct unpacker *u, struct ends *ends)
{
	struct answer *a = u->a;

	a->tasks = get_section(u, sizeof(*a->tasks), 10, &a->nr_tasks);
	for (size_t i = 0; i < a->nr_tasks && good(u); i++) {
		struct answer_task *t = &a->tasks[i];
		uint64_t flags, own;

		t->id = get_varint(&u->in);
		t->name = get_text(u);
		t->state = get_num(u, ANSWER_STATE_NR - 1);
		flags = get_varint(&u->in);
		t->root = get_flag(flags, 0);
		t->stuck = get_flag(flags, 1);
		own = flags >> 2;
		t->queue = get_text(u);
		t->after_ns = get_varint(&u->in);
		t->since_ns = get_varint(&u->in);
		t->nr_chain = get_range(u, &t->chain, &ends->places);
		t->own = own <= t->nr_chain ? (uint32_t)own : 0;
		t->nr_waits = get_range(u, &t->waits, &ends->waits);
		t->nr_has = get_range(u, &t->has, &ends->has);
	}
	a->places = get_section(u, sizeof(*a->places), 3, &a->nr_places);
	for (size_t i = 0; i < a->nr_places && good(u); i++)
		a->places[i] = get_place(u);
}

static void unpack_waits(struct unpacker *u)
{
	struct answer *a = u->a;

	a->waits = get_section(u, sizeof(*a->waits), 8, &a->nr_waits);
	for (size_t i = 0; i < a->nr_waits && good(u); i++) {
		struct answer_wait *w = &a->waits[i];
		uint64_t flags;

		w->place = get_place(u);
		w->in = get_text(u);
		w->resource = get_idx(u);
		w->before = get_idx(u);
		w->ahead = get_idx(u);
		flags = get_varint(&u->in);
		w->unpolled = get_flag(flags, 0);
		w->granted = get_flag(flags, 1);
		w->open = get_flag(flags, 2);
		w->unread = get_flag(flags, 3);
	}
	a->has = get_section(u, sizeof(*a->has), 7, &a->nr_has);
	for (size_t i = 0; i < a->nr_has && good(u); i++) {
		struct answer_has *h = &a->has[i];

		h->local = get_text(u);
		h->type = get_text(u);
		h->object = get_varint(&u->in);
		h->place = get_place(u);
		h->unpolled = get_num(u, 1);
	}
}

static void unpack_resources(struct unpacker *u, struct ends *ends)
{
	struct answer *a = u->a;

	a->resources = get_section(u, sizeof(*a->resources), 5, &a->nr_resources);
	for (size_t i = 0; i < a->nr_resources && good(u); i++) {
		struct answer_resource *r = &a->resources[i];

		r->kind = get_num(u, ANSWER_KIND_NR - 1);
		r->name = get_text(u);
		r->value = get_varint(&u->in);
		r->text = get_text(u);
		r->nr_holders = get_range(u, &r->holders, &ends->holders);
	}
	a->holders = get_section(u, sizeof(*a->holders), 3, &a->nr_holders);
	for (size_t i = 0; i < a->nr_holders && good(u); i++) {
		struct answer_holder *h = &a->holders[i];

		h->reason = get_num(u, ANSWER_REASON_NR - 1);
		h->task = get_idx(u);
		h->by = get_idx(u);
	}
}

static void unpack_threads(struct unpacker *u)
{
	struct answer *a = u->a;

	a->threads = get_section(u, sizeof(*a->threads), 5, &a->nr_threads);
	for (size_t i = 0; i < a->nr_threads && good(u); i++) {
		struct answer_thread *t = &a->threads[i];
		char state;

		t->tid = (uint32_t)get_num(u, UINT32_MAX);
		t->name = get_text(u);
		state = (char)get_num(u, 0x7f);
		t->state = state > ' ' && state < 0x7f ? state : '?';
		t->syscall = unzigzag(get_varint(&u->in));
		t->task = get_idx(u);
	}
	a->pools = get_section(u, sizeof(*a->pools), 4, &a->nr_pools);
	for (size_t i = 0; i < a->nr_pools && good(u); i++) {
		a->pools[i].threads = get_varint(&u->in);
		a->pools[i].idle = get_varint(&u->in);
		a->pools[i].queued = get_varint(&u->in);
		a->pools[i].limit = get_varint(&u->in);
	}
}

static bool in_list(uint32_t index, size_t nr)
{
	return index == ANSWER_NONE || index < nr;
}

/* Do all indices lead into their lists? Sets the tasks of the waits, which are not stored. */
static bool check(struct answer *a, const struct ends *ends)
{
	bool ok = ends->parties == a->nr_parties && ends->places == a->nr_places &&
		  ends->waits == a->nr_waits && ends->has == a->nr_has &&
		  ends->holders == a->nr_holders;

	for (size_t i = 0; i < a->nr_parties; i++)
		ok &= in_list(a->parties[i].task, a->nr_tasks);
	for (size_t i = 0; i < a->nr_waits; i++)
		ok &= in_list(a->waits[i].resource, a->nr_resources) &&
		      in_list(a->waits[i].ahead, a->nr_waits);
	for (size_t i = 0; i < a->nr_holders; i++) {
		const struct answer_holder *h = &a->holders[i];

		ok &= h->task < a->nr_tasks &&
		      (h->reason == ANSWER_JOINED ||
		       h->by < (h->reason == ANSWER_HAS ? a->nr_has : a->nr_waits));
	}
	for (size_t i = 0; i < a->nr_threads; i++)
		ok &= in_list(a->threads[i].task, a->nr_tasks);
	for (uint32_t i = 0; ok && i < a->nr_tasks; i++)
		for (uint32_t k = 0; k < a->tasks[i].nr_waits; k++)
			a->waits[a->tasks[i].waits + k].task = i;
	return ok;
}

/* The texts, in a copy that ends with a NUL. */
static void unpack_texts(struct unpacker *u)
{
	uint64_t nr = get_num(u, TEXTS_MAX);

	if (u->in.bad || nr > (size_t)(u->in.end - u->in.p)) {
		u->in.bad = true;
		return;
	}
	u->texts = malloc(nr + 1);
	if (!u->texts) {
		u->nomem = true;
		return;
	}
	memcpy(u->texts, u->in.p, nr);
	u->texts[nr] = '\0';
	u->nr_texts = nr;
	u->in.p += nr;
	for (size_t at = 0; at < nr; at += strlen(u->texts + at) + 1)
		utf8__make_printable(u->texts + at);
}

int answer__unpack(struct answer *a, const uint8_t *in, size_t len)
{
	struct unpacker u = { .a = a, .in = { .p = in, .end = in + len } };
	struct ends ends = { .parties = 0 };

	if (get_varint(&u.in) != VERSION)
		return -EBADMSG;
	a->ts = get_varint(&u.in);
	a->span_ns = get_varint(&u.in);
	a->incomplete = get_num(&u, 1);
	a->untold = (uint32_t)get_num(&u, UINT32_MAX);
	unpack_texts(&u);
	if (good(&u))
		unpack_findings(&u, &ends.parties);
	if (good(&u))
		unpack_tasks(&u, &ends);
	if (good(&u))
		unpack_waits(&u);
	if (good(&u))
		unpack_resources(&u, &ends);
	if (good(&u))
		unpack_threads(&u);
	free(u.texts);
	if (u.nomem)
		return -ENOMEM;
	return u.in.bad || u.in.p != u.in.end || !check(a, &ends) ? -EBADMSG : 0;
}
