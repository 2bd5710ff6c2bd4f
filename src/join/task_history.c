/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The last intervals of each task, sorted by time. They arrive nearly sorted; only
 * intervals that were deferred have to be inserted. See sink.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "join/join.h"
#include "join/map.h"
#include "join/account.h"
#include "join/task_history.h"

struct task_history {
	uint64_t		 life;
	bool			 forgot;
	uint32_t		 nr, size;
	struct task_interval	*list;
};

struct task_histories {
	struct sink	sink;
	struct map	tasks;		/* struct task_history by address */
};

static struct task_history *history_of(struct task_histories *h, uint64_t task)
{
	struct task_history *t = map__get(&h->tasks, task);

	if (t)
		return t;
	t = calloc(1, sizeof(*t));
	if (t && map__add(&h->tasks, task, t)) {
		free(t);
		t = NULL;
	}
	return t;
}

static int task_history__room(struct task_history *t)
{
	uint32_t size = t->size ? t->size * 2 : 4;
	struct task_interval *list;

	if (t->nr < t->size)
		return 0;
	if (t->size == TASK_HISTORY_MAX) {
		t->nr /= 2;
		memmove(t->list, t->list + t->size - t->nr, t->nr * sizeof(*t->list));
		t->forgot = true;
		return 0;
	}
	list = reallocarray(t->list, size, sizeof(*list));
	if (!list)
		return -ENOMEM;
	t->list = list;
	t->size = size;
	return 0;
}

static int interval(struct sink *s, const struct task_interval *iv)
{
	struct task_history *t = history_of((struct task_histories *)s, iv->of.task);
	uint32_t at;

	if (!t)
		return -ENOMEM;
	if (t->life != iv->of.life) {
		t->life = iv->of.life;
		t->forgot = false;
		t->nr = 0;
	}
	if (task_history__room(t))
		return -ENOMEM;
	for (at = t->nr; at && t->list[at - 1].piece.from > iv->piece.from; at--)
		;
	memmove(&t->list[at + 1], &t->list[at], (t->nr - at) * sizeof(*t->list));
	t->list[at] = *iv;
	t->nr++;
	return 0;
}

static const struct sink_ops ops = { .placed = true, .interval = interval };

struct task_histories *task_histories__new(void)
{
	struct task_histories *h = calloc(1, sizeof(*h));

	if (h)
		h->sink.ops = &ops;
	return h;
}

struct sink *task_histories__sink(struct task_histories *h)
{
	return &h->sink;
}

/* Passes on the part [@from, @to) of @iv. */
static void pass_part(const struct task_interval *iv, uint64_t from, uint64_t to,
		      void (*piece)(void *arg, const struct task_interval *iv), void *arg)
{
	struct task_interval part = *iv;

	part.piece.from = from;
	part.piece.ns = to - from;
	if (from < to)
		piece(arg, &part);
}

void task_histories__divide(const struct task_histories *h, uint64_t task, uint64_t from,
			    uint64_t to,
			    void (*piece)(void *arg, const struct task_interval *iv), void *arg)
{
	const struct task_history *t = map__get(&h->tasks, task);
	const struct task_interval unknown = {
		.of = { .task = task, .life = t ? t->life : 0, .kind = UNKNOWN_KIND,
			.branch = NO_BRANCH },
		.piece = { .segment = JOIN_UNATTRIBUTED, .part = PART_HISTORY },
	};

	for (uint32_t i = t ? t->nr : 0; i-- && from < to;) {
		const struct piece *p = &t->list[i].piece;
		uint64_t begin = p->from > from ? p->from : from;
		uint64_t end = p->from + p->ns < to ? p->from + p->ns : to;

		if (p->from >= to)
			continue;
		if (end <= from)
			break;
		pass_part(&unknown, end, to, piece, arg);
		pass_part(&t->list[i], begin, end, piece, arg);
		to = begin;
	}
	pass_part(&unknown, from, to, piece, arg);
}

bool task_histories__forgot(const struct task_histories *h, uint64_t task)
{
	const struct task_history *t = map__get(&h->tasks, task);

	return t && t->forgot;
}

void task_histories__free(struct task_histories *h)
{
	if (!h)
		return;
	for (uint32_t i = 0; i < h->tasks.size; i++) {
		struct task_history *t = h->tasks.entries[i].value;

		if (t)
			free(t->list);
		free(t);
	}
	map__clear(&h->tasks);
	free(h);
}
