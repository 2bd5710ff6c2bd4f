// SPDX-License-Identifier: GPL-2.0
/*
 * Tasks that are alive when recording begins. See alive.h; the way through the
 * runtime's structures is told in runtime/tokio.h.
 */
#include "record/alive.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/tokio.h"

#define MAX_LISTS	64	/* schedulers in one process */
#define MAX_TASKS	(1u << 20)
#define MAX_SHARDS	4096
#define TRIES		4

/* Bits of tokio's Header.state (task/state.rs, stable since 1.0). */
#define STATE_RUNNING	1
#define STATE_COMPLETE	2
#define STATE_NOTIFIED	4

/* A kind of scheduler: where in its shared part the list of tasks is. */
struct list_layout {
	const char		*scheduler;	/* as image_fn.scheduler has it */
	enum tokio_layout	 shards, nr_shards, shard_head, shard, head;
};

static const struct list_layout kinds[] = {
	{ "multi_thread", TOKIO_MT_SHARDS, TOKIO_MT_NR_SHARDS, TOKIO_MT_SHARD_HEAD,
	  TOKIO_MT_SHARD, TOKIO_MT_HEAD },
	{ "current_thread", TOKIO_CT_SHARDS, TOKIO_CT_NR_SHARDS, TOKIO_CT_SHARD_HEAD,
	  TOKIO_CT_SHARD, TOKIO_CT_HEAD },
	/* a LocalSet has one list and no shards */
	{ "", TOKIO_LOCAL_HEAD, TOKIO_LOCAL_HEAD, TOKIO_LOCAL_HEAD, TOKIO_LOCAL_HEAD,
	  TOKIO_LOCAL_HEAD },
};

#define LOCAL	(&kinds[2])

struct alive {
	const struct image		*img;
	const struct target		*target;
	const struct image_fn		*fns;
	const struct walk_cell		*cells;
	size_t				 nr_fns, nr_cells;
	uint64_t			 bias;
	uint64_t			 lists[MAX_LISTS];	/* shared parts seen */
	unsigned int			 nr_lists;
	uint64_t			*seen;			/* tasks, open addressing */
	size_t				 nr_seen, slots;
	alive_found			 found;
	void				*ctx;
};

static const struct image_path *layout(const struct alive *a, enum tokio_layout l)
{
	return image__layout(a->img, 0, l);
}

static bool read_word(const struct alive *a, uint64_t addr, uint64_t *out)
{
	return !target__read(a->target, addr, out, sizeof(*out));
}

/* A word at an offset of a structure that is part of it, not behind a pointer. */
static bool read_field(const struct alive *a, uint64_t base, enum tokio_layout l, uint64_t *out)
{
	const struct image_path *p = layout(a, l);

	return p->ok && !p->nr_hops && read_word(a, base + p->off[0], out);
}

struct alive *alive__new(const struct image *img, const struct target *target, uint64_t bias,
			 alive_found found, void *ctx)
{
	static const enum tokio_layout needed[] = {
		TOKIO_HEADER_STATE, TOKIO_HEADER_VTABLE, TOKIO_VTABLE_POLL, TOKIO_VTABLE_TRAILER,
		TOKIO_VTABLE_SCHEDULER, TOKIO_TRAILER_NEXT,
	};
	struct alive *a;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!image__layout(img, 0, needed[i])->ok)
			return NULL;
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->img = img;
	a->target = target;
	a->bias = bias;
	a->found = found;
	a->ctx = ctx;
	a->fns = image__fns(img, &a->nr_fns);
	a->cells = image__cells(img, &a->nr_cells);
	return a;
}

void alive__free(struct alive *a)
{
	if (!a)
		return;
	free(a->seen);
	free(a);
}

/* False: it was there before, or there is no memory. */
static bool alive__mark(struct alive *a, uint64_t task)
{
	size_t at;

	if (2 * a->nr_seen >= a->slots) {
		size_t slots = a->slots ? a->slots * 2 : 1024;
		uint64_t *grown = calloc(slots, sizeof(*grown));

		if (!grown)
			return false;
		for (size_t i = 0; i < a->slots; i++) {
			if (!a->seen[i])
				continue;
			at = (a->seen[i] >> 6) & (slots - 1);
			while (grown[at])
				at = (at + 1) & (slots - 1);
			grown[at] = a->seen[i];
		}
		free(a->seen);
		a->seen = grown;
		a->slots = slots;
	}
	at = (task >> 6) & (a->slots - 1);
	for (; a->seen[at]; at = (at + 1) & (a->slots - 1))
		if (a->seen[at] == task)
			return false;
	a->seen[at] = task;
	a->nr_seen++;
	return true;
}

/* The poll function of the task at @header; NULL: it is none. *@vtable: its table. */
static const struct image_fn *task_fn(const struct alive *a, uint64_t header, uint64_t *vtable)
{
	uint64_t poll;

	if (!header || header % 8 || !read_field(a, header, TOKIO_HEADER_VTABLE, vtable) ||
	    !*vtable || !read_field(a, *vtable, TOKIO_VTABLE_POLL, &poll))
		return NULL;
	poll -= a->bias;
	for (size_t i = 0; i < a->nr_fns; i++)
		if (a->fns[i].role == RUNTIME_FN_POLL && a->fns[i].vaddr == poll)
			return &a->fns[i];
	return NULL;
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static bool same(const struct walk_answer *a, const struct walk_answer *b)
{
	return a->nr_tokens == b->nr_tokens && a->nr_keys == b->nr_keys && a->hash == b->hash &&
	       !memcmp(a->keys, b->keys, a->nr_keys * sizeof(a->keys[0]));
}

/* What the task does now, if it can be told. */
static void look(const struct alive *a, const struct image_fn *fn, struct alive_task *t)
{
	static const struct walk_cell unknown = { .root_type = WALK_NONE };
	const struct walk_cell *cell = fn->cell < a->nr_cells ? &a->cells[fn->cell] : &unknown;

	for (int i = 0; i < TRIES; i++) {
		struct walk_answer again;
		uint64_t state, then;

		t->ts = now();
		t->known = false;
		if (!read_field(a, t->task, TOKIO_HEADER_STATE, &state))
			return;
		t->state = state & STATE_RUNNING  ? TRACE_TASK_RUNNING :
			   state & STATE_NOTIFIED ? TRACE_TASK_NOTIFIED :
						    TRACE_TASK_IDLE;
		t->known = true;
		if (t->state != TRACE_TASK_IDLE)
			return;
		walk__task(a->img, a->target, a->bias, cell, t->task, &t->walk);
		walk__task(a->img, a->target, a->bias, cell, t->task, &again);
		if (read_field(a, t->task, TOKIO_HEADER_STATE, &then) && state == then &&
		    same(&t->walk, &again))
			return;
		t->known = false;
	}
}

/* The kind of scheduler that the tasks of @fn are of. */
static const struct list_layout *kind_of(const struct alive *a, const struct image_fn *fn)
{
	const char *scheduler = image__str(a->img, fn->scheduler);
	const struct list_layout *k = kinds;

	while (k != LOCAL && strcmp(scheduler, k->scheduler))
		k++;
	return k;
}

static int report(struct alive *a, uint64_t header, const struct image_fn *fn)
{
	struct alive_task t = { .task = header, .fn = (uint32_t)(fn - a->fns) };
	uint64_t state;

	if (!alive__mark(a, header) || !read_field(a, header, TOKIO_HEADER_STATE, &state) ||
	    (state & STATE_COMPLETE))
		return 0;
	look(a, fn, &t);
	return a->found(a->ctx, &t);
}

/* All tasks from @header on, each leading to the next. */
static int walk_list(struct alive *a, uint64_t header, const struct list_layout *k)
{
	uint64_t vtable, trailer;
	int err;

	for (unsigned int i = 0; header && i < MAX_TASKS; i++) {
		const struct image_fn *fn = task_fn(a, header, &vtable);

		/* it changed while it was read, or what led here was no list */
		if (!fn || kind_of(a, fn) != k)
			return 0;
		err = report(a, header, fn);
		if (err < 0)
			return err;
		if (!read_field(a, vtable, TOKIO_VTABLE_TRAILER, &trailer) ||
		    !read_field(a, header + trailer, TOKIO_TRAILER_NEXT, &header))
			return 0;
	}
	return 0;
}

static int walk_shards(struct alive *a, uint64_t shared, const struct list_layout *k)
{
	const struct image_path *shards = layout(a, k->shards), *nr = layout(a, k->nr_shards);
	const struct image_path *head = layout(a, k->shard_head), *shard = layout(a, k->shard);
	uint64_t first, count, task;
	int err;

	if (!nr->ok || nr->nr_hops != 1 || head->nr_hops != 2 || !shard->ok || !shard->size ||
	    !read_word(a, shared + shards->off[1], &first) ||
	    !read_word(a, shared + nr->off[1], &count))
		return 0;
	for (uint64_t i = 0; i < count && i < MAX_SHARDS; i++) {
		if (!read_word(a, first + i * shard->size + head->off[2], &task))
			return 0;
		err = walk_list(a, task, k);
		if (err < 0)
			return err;
	}
	return 0;
}

/* All tasks of the scheduler of kind @k whose shared part is at @shared. */
static int walk_shared(struct alive *a, uint64_t shared, const struct list_layout *k)
{
	const struct image_path *p = layout(a, k->shards);
	uint64_t task;

	if (k != LOCAL && p->ok && p->nr_hops == 1)
		return walk_shards(a, shared, k);
	p = layout(a, k->head);
	if (!p->ok || p->nr_hops != 1 || !read_word(a, shared + p->off[1], &task))
		return 0;
	return walk_list(a, task, k);
}

static bool walked(const struct alive *a, uint64_t shared)
{
	for (unsigned int i = 0; i < a->nr_lists; i++)
		if (a->lists[i] == shared)
			return true;
	return a->nr_lists == MAX_LISTS;
}

/* The list that the task is in, if it has not been walked. */
static int walk_owner(struct alive *a, const struct image_fn *fn, uint64_t header, uint64_t vtable)
{
	uint64_t off, shared;

	if (!read_field(a, vtable, TOKIO_VTABLE_SCHEDULER, &off) ||
	    !read_word(a, header + off, &shared) || !shared || walked(a, shared))
		return 0;
	a->lists[a->nr_lists++] = shared;
	return walk_shared(a, shared, kind_of(a, fn));
}

/* What may be the address of a scheduler's shared part: which kind it is, its tasks tell. */
static int try_shared(struct alive *a, uint64_t shared)
{
	size_t before = a->nr_seen;
	int err;

	if (shared < 4096 || shared % 8 || walked(a, shared))
		return 0;
	for (const struct list_layout *k = kinds; k != LOCAL; k++) {
		err = walk_shared(a, shared, k);
		if (err < 0)
			return err;
		if (a->nr_seen == before)
			continue;
		a->lists[a->nr_lists++] = shared;
		break;
	}
	return 0;
}

bool alive__knows_threads(const struct alive *a)
{
	const struct image_path *p = layout(a, TOKIO_CONTEXT_HANDLE);
	size_t nr;

	image__tls(a->img, &nr);
	return nr && p->ok && !p->nr_hops && p->size == 16;
}

size_t alive__nr_found(const struct alive *a)
{
	return a->nr_seen;
}

int alive__thread(struct alive *a, uint64_t fs)
{
	const struct image_path *p = layout(a, TOKIO_CONTEXT_HANDLE);
	const struct image_tls *tls;
	uint64_t words[2];
	size_t nr;
	int err;

	if (!alive__knows_threads(a))
		return 0;
	tls = image__tls(a->img, &nr);
	for (size_t i = 0; i < nr; i++) {
		/* The context lies before the variable's state, or (made on first use) behind. */
		for (uint64_t at = 0; at <= 8; at += 8) {
			uint64_t off = at + p->off[0];

			if (off + sizeof(words) > tls[i].size ||
			    target__read(a->target, fs + (uint64_t)tls[i].off + off, words,
					 sizeof(words)))
				continue;
			for (int w = 0; w < 2; w++) {
				err = try_shared(a, words[w]);
				if (err < 0)
					return err;
			}
		}
	}
	return 0;
}

int alive__task(struct alive *a, uint64_t header)
{
	uint64_t vtable;
	const struct image_fn *fn = task_fn(a, header, &vtable);

	/* jobs are in no list, and one that ends makes room for another at its address */
	return fn && !fn->blocking ? walk_owner(a, fn, header, vtable) : 0;
}

int alive__token(struct alive *a, uint64_t token)
{
	static const enum tokio_layout wakers[] = { TOKIO_IO_READER, TOKIO_IO_WRITER };
	uint64_t task, waiter;
	int err;

	if (token < 4096 || token % 8)
		return 0;	/* the runtime's own descriptors have small numbers */
	for (size_t i = 0; i < 2; i++) {
		if (!read_field(a, token, wakers[i], &task))
			continue;
		err = alive__task(a, task);
		if (err < 0)
			return err;
	}
	if (!read_field(a, token, TOKIO_IO_WAITERS, &waiter))
		return 0;
	for (int i = 0; waiter && i < 64; i++) {
		if (read_field(a, waiter, TOKIO_IO_WAITER_WAKER, &task)) {
			err = alive__task(a, task);
			if (err < 0)
				return err;
		}
		if (!read_field(a, waiter, TOKIO_IO_WAITER_NEXT, &waiter))
			break;
	}
	return 0;
}
