// SPDX-License-Identifier: GPL-2.0
/* Values that were moved on to a thread without tasks. See elsewhere.h. */
#include "why/elsewhere.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/unwind.h"
#include "why/graph.h"
#include "why/stacks.h"

#define PAGE		4096
#define MAX_PAGES	256		/* of a stack, from its innermost frame */

/* A handle that may be elsewhere, and the pointer that it consists of. */
struct doubted {
	uint64_t	pointer;
	uint32_t	handle;
};

/* ---- which handles ---- */

/*
 * May @handle have been moved on? A lock's address, which a guard consists of, is also with those
 * who wait for the lock.
 */
static bool is_doubtful(const struct why *y, uint32_t handle)
{
	const struct picture_handle *h = &y->p.handles[handle];
	const struct image_part *part;
	const struct image_handle *type;
	size_t nr;

	part = &image__parts(y->p.img, &nr)[h->part];
	type = &image__handles(y->p.img, &nr)[h->handle];
	return part->temporary || (type->side != RUNTIME_SIDE_HOLDS &&
				   (part->nested || part->kind != IMAGE_PART_HANDLE));
}

/* The pointer to the object, as the handle has it; 0: not known. */
static uint64_t pointer_of(const struct why *y, uint32_t handle)
{
	/* messages go where their receiver goes */
	uint32_t via = y->p.handles[handle].via;
	const struct picture_handle *h = &y->p.handles[via != WALK_NONE ? via : handle];
	const struct image_path *way;
	size_t nr;

	way = &image__handles(y->p.img, &nr)[h->handle].object;
	return way->ok && way->nr_hops ? h->object - way->off[way->nr_hops] : 0;
}

/* Those that the waits of stuck tasks rest on; the caller frees them. */
static struct doubted *find_doubted(struct why *y, size_t *nr)
{
	struct doubted *list = calloc(y->g->nr_edges + 1, sizeof(*list));

	*nr = 0;
	if (!list)
		y->err = -ENOMEM;
	for (size_t i = 0; i < y->g->nr_edges && list; i++) {
		const struct graph_edge *e = &y->g->edges[i];
		uint64_t pointer;

		if (e->reason != GRAPH_HANDLE || !y->g->stuck[e->from] ||
		    !is_doubtful(y, e->by) || y->p.handles[e->by].elsewhere)
			continue;
		pointer = pointer_of(y, e->by);
		if (pointer)
			list[(*nr)++] = (struct doubted){ pointer, e->by };
	}
	return list;
}

/* ---- which threads ---- */

/* Is @function one of the runtime's that poll tasks? */
static bool polls_tasks(const char *function)
{
	for (unsigned int r = 0; runtimes[r]; r++) {
		const char *loop = runtimes[r]->worker_jobs;

		if (loop && !strncmp(function, loop, strlen(loop)))
			return true;
	}
	return false;
}

#define POLLS_TASKS	2

static int look_for_worker(void *ctx, const struct stack_function *f)
{
	(void)ctx;
	return polls_tasks(f->function) ? POLLS_TASKS : 0;
}

/*
 * Is @t no worker, by all of its stack? On that of a worker there are remains of what tasks had,
 * and of tasks as spawned.
 */
static bool is_no_worker(struct why *y, struct unwinder *u, const struct picture_thread *t)
{
	return stack__walk(y, u, t, look_for_worker, NULL) != POLLS_TASKS;
}

/* Does @t poll no task, or a blocking job alone? */
static bool is_outside(const struct why *y, const struct picture_thread *t)
{
	const struct image_fn *fns;
	size_t nr;

	fns = image__fns(y->p.img, &nr);
	if (t->blocks_on != WALK_NONE)
		return false;
	for (uint32_t i = 0; i < t->nr_polls; i++)
		if (y->p.tasks[t->polls[i]].fn >= nr || !fns[y->p.tasks[t->polls[i]].fn].blocking)
			return false;
	return true;
}

/* ---- what they have ---- */

static bool mark(struct why *y, const struct doubted *list, size_t nr, uint64_t word)
{
	bool any = false;

	for (size_t i = 0; i < nr; i++)
		if (list[i].pointer == word)
			any = y->p.handles[list[i].handle].elsewhere = true;
	return any;
}

static bool look_at(struct why *y, const struct picture_thread *t, const struct doubted *list,
		    size_t nr)
{
	uint64_t words[PAGE / sizeof(uint64_t)], at = t->regs.sp & ~7ull;
	bool any = false;

	for (unsigned int i = 0; i < RAW_SAVED_REGS; i++)
		any |= mark(y, list, nr, t->regs.saved[i]);
	for (unsigned int page = 0; page < MAX_PAGES; page++) {
		size_t len = PAGE - at % PAGE;

		if (process__read(y->p.target, at, words, len))
			break;
		for (size_t i = 0; i < len / sizeof(words[0]); i++)
			any |= mark(y, list, nr, words[i]);
		at += len;
	}
	return any;
}

bool elsewhere__mark(struct why *y)
{
	size_t nr = 0;
	struct doubted *list = find_doubted(y, &nr);
	struct unwinder *u = list && nr ? unwinder__new(y->p.target) : NULL;
	bool any = false;

	if (list && nr && !u)
		y->err = -ENOMEM;
	for (size_t i = 0; i < y->p.nr_threads && u; i++) {
		const struct picture_thread *t = &y->p.threads[i];

		if (is_outside(y, t) && is_no_worker(y, u, t))
			any |= look_at(y, t, list, nr);
	}
	unwinder__free(u);
	free(list);
	return any;
}
