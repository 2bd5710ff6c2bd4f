// SPDX-License-Identifier: GPL-2.0
/* Where ready tasks wait. See queues.h. */
#include "inspect/queues.h"

#include <errno.h>
#include <string.h>

#include "base/hash_table.h"
#include "inspect/picture.h"

#define MAX_SHARED	100000	/* tasks of a queue that are read */

static int by_id(const struct picture *p, struct hash_table *ids)
{
	for (size_t i = 0; i < p->nr_tasks; i++) {
		struct hash_slot *slot;

		if (p->tasks[i].state != PICTURE_READY)
			continue;
		slot = hash_table__at(ids, p->tasks[i].id);
		if (!slot)
			return -ENOMEM;
		slot->value = i + 1;
	}
	return 0;
}

/* The task with the header @id, if it is ready, is in @queue. False: there is none. */
static bool put(struct picture *p, const struct hash_table *ids, uint64_t id,
		enum picture_queue queue, uint32_t tid)
{
	const struct hash_slot *slot = id ? hash_table__find(ids, id) : NULL;

	if (!slot)
		return false;
	p->tasks[slot->value - 1].queue = queue;
	p->tasks[slot->value - 1].queue_tid = tid;
	return true;
}

/* Reads the number that layout @l leads to from @addr, where its path begins. */
static bool number_from(const struct picture *p, unsigned int runtime, uint16_t l, uint64_t addr,
			uint64_t *out)
{
	const struct image_path *path = image__layout(p->img, runtime, l);

	*out = 0;
	if (!path->ok || !path->width)
		return false;
	for (unsigned int i = 0; i < path->nr_hops; i++)
		if (process__read(p->target, addr + path->off[i], &addr, sizeof(addr)) || !addr)
			return false;
	return !process__read(p->target, addr + path->off[path->nr_hops], out, path->width);
}

/* The worker's own queue: a ring. */
static void take_ring(struct picture *p, const struct hash_table *ids, unsigned int runtime,
		      uint64_t context, uint32_t tid)
{
	const struct runtime_queues *q = runtimes[runtime]->queues;
	unsigned int width = image__layout(p->img, runtime, q->tail)->width;
	uint64_t mask = width < 8 ? (1ull << 8 * width) - 1 : ~0ull;
	uint64_t head, tail, ring, id;

	if (!number_from(p, runtime, q->head, context, &head) ||
	    !number_from(p, runtime, q->tail, context, &tail) ||
	    !number_from(p, runtime, q->ring, context, &ring))
		return;
	for (uint64_t i = head & mask; i != tail && ((tail - i) & mask) <= q->ring_size;
	     i = (i + 1) & mask)
		if (!process__read(p->target, ring + 8 * (i & (q->ring_size - 1)), &id, sizeof(id)))
			put(p, ids, id, PICTURE_QUEUE_LOCAL, tid);
}

static void look_at(struct picture *p, const struct hash_table *ids, struct picture_thread *t,
		    const struct image_tls *tls)
{
	const struct runtime_queues *q = runtimes[tls->runtime]->queues;
	const struct image_path *slot;
	uint64_t context = t->regs.fs + (uint64_t)tls->off, id;

	if (!q || !t->regs.fs)
		return;
	slot = image__layout(p->img, tls->runtime, q->slot);
	if (!slot->ok || slot->off[0] + 16 > tls->size)
		return;
	/* The context lies before the variable's state, or (if created lazily) behind it. */
	for (int i = 0; i < 2; i++, context += 8) {
		if (!number_from(p, tls->runtime, q->slot, context, &id))
			continue;
		t->worker = true;
		put(p, ids, id, PICTURE_QUEUE_SLOT, t->tid);
		take_ring(p, ids, tls->runtime, context, t->tid);
	}
}

int queues__of_threads(struct picture *p)
{
	struct hash_table ids = { .nr = 0 };
	const struct image_tls *tls;
	int err = by_id(p, &ids);
	size_t nr;

	tls = image__tls(p->img, &nr);
	for (size_t i = 0; i < p->nr_threads && !err; i++)
		for (size_t k = 0; k < nr; k++)
			look_at(p, &ids, &p->threads[i], &tls[k]);
	hash_table__clear(&ids);
	return err;
}

int queues__of_scheduler(struct picture *p, unsigned int runtime, const char *kind,
			 uint64_t shared)
{
	const struct runtime_queues *q = runtimes[runtime]->queues;
	const struct image_path *first, *next;
	struct hash_table ids = { .nr = 0 };
	uint64_t id = 0;
	int err;

	if (!q || strcmp(q->scheduler, kind))
		return 0;
	first = image__layout(p->img, runtime, q->shared);
	next = image__layout(p->img, runtime, q->next);
	if (!first->ok || first->nr_hops != 1 || !next->ok || next->nr_hops ||
	    process__read(p->target, shared + first->off[1], &id, sizeof(id)))
		return 0;
	err = by_id(p, &ids);
	for (size_t i = 0; i < MAX_SHARED && id && !err; i++)
		if (!put(p, &ids, id, PICTURE_QUEUE_SHARED, 0) ||
		    process__read(p->target, id + next->off[0], &id, sizeof(id)))
			break;
	hash_table__clear(&ids);
	return err;
}
