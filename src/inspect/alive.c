// SPDX-License-Identifier: GPL-2.0
/*
 * Finds tasks that are alive although no event shows them. See alive.h. The way through
 * a runtime's structures comes from its adapter (struct runtime_tasks).
 */
#include "inspect/alive.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "inspect/form.h"
#include "inspect/heap.h"
#include "inspect/schedulers.h"
#include "inspect/task_group.h"

#define MAX_LISTS	4096		/* schedulers in one process */
#define TRIED		1024		/* addresses known not to be; a power of two */
#define MAX_SHARDS	65536		/* lists of one scheduler that contain more than one task */
#define MAX_TASKS	(1u << 24)	/* in one pass; more would need too much memory */
#define LOOKS_MAX	4096		/* places searched for a task, to identify a scheduler */
#define STACK_BYTES	(64u << 10)	/* of a thread's stack that are searched */
#define MAX_CONTEXTS	64		/* schedulers without tasks */

struct list {
	uint64_t			 shared;
	const struct scheduler_kind	*kind;
};

struct alive {
	const struct image	*img;
	const struct process	*target;
	const struct image_fn	*fns;
	struct forms		*forms;
	struct schedulers	 schedulers;
	struct task_group	*group;
	struct heap		*heap;
	bool			 searches;		/* in each pass, the heap … */
	bool			 search_due, searching;	/* … in the next one; in this one, still */
	struct list		*lists;
	size_t			 nr_lists, list_room;
	struct context {
		uint64_t	shared;
		unsigned int	runtime;
	}			 contexts[MAX_CONTEXTS];
	size_t			 nr_contexts;
	/* addresses that are not a scheduler's, by hash */
	uint64_t		 tried[TRIED];
	/* places searched for the current scheduler */
	unsigned int		 tries;
	bool			 incomplete;		/* some lists may have been left out */
	/* begin of the pass; 0: no pass is in progress */
	uint64_t		 began;
	bool			 truncated;
};

/* ---- reading ---- */

static bool read_word(const struct alive *a, uint64_t addr, uint64_t *out)
{
	return !process__read(a->target, addr, out, sizeof(*out));
}

/* ---- life ---- */

/* Are there tasks, of any of @nr poll functions, that only a search finds? */
static bool needs_search(const struct alive *a, size_t nr)
{
	const struct scheduler_kind *kind;

	for (size_t i = 0; i < nr; i++) {
		if (a->fns[i].role != RUNTIME_FN_POLL || a->fns[i].blocking)
			continue;
		for (size_t k = 0; k < a->forms->nr; k++) {
			const struct form *f = &a->forms->list[k];

			kind = f->runtime == a->fns[i].runtime ?
				       schedulers__of(&a->schedulers, f, (uint32_t)i) : NULL;
			if (kind && kind->list->searched)
				return true;
		}
	}
	return false;
}

struct alive *alive__new(const struct image *img, const struct process *target, uint64_t bias,
			 alive_found found, void *ctx)
{
	struct alive *a = calloc(1, sizeof(*a));
	size_t nr;

	if (!a)
		return NULL;
	a->img = img;
	a->target = target;
	a->fns = image__fns(img, &nr);
	a->forms = forms__new(img, target, bias);
	if (a->forms && schedulers__init(&a->schedulers, a->forms))
		a->group = task_group__new(a->forms, &a->schedulers, found, ctx);
	a->heap = heap__new(target);
	if (!a->group || !a->heap) {
		alive__free(a);
		return NULL;
	}
	a->searches = a->search_due = needs_search(a, nr);
	return a;
}

void alive__free(struct alive *a)
{
	if (!a)
		return;
	heap__free(a->heap);
	task_group__free(a->group);
	forms__free(a->forms);
	free(a->lists);
	free(a);
}

/* ---- lists ---- */

static int add_cursor(struct alive *a, uint64_t header, const struct scheduler_kind *kind)
{
	return task_group__add(a->group, header, kind);
}

/*
 * Calls @each with the first task of each list of the scheduler at @shared; returns the
 * first result that is not 0.
 */
static int each_head(struct alive *a, const struct list *of,
		     int (*each)(struct alive *a, uint64_t header,
				 const struct scheduler_kind *kind))
{
	const struct scheduler_kind *k = of->kind;
	const struct runtime_list *t = k->list;
	const struct image_path *shards = form__layout(a->forms, k->form, t->shards);
	const struct image_path *nr = form__layout(a->forms, k->form, t->nr_shards);
	const struct image_path *head = form__layout(a->forms, k->form, t->shard_head);
	const struct image_path *shard = form__layout(a->forms, k->form, t->shard);
	const struct image_path *only = form__layout(a->forms, k->form, t->head);
	uint64_t first, count, task;
	int err = 0;

	if (!t->sharded || !shards->ok || shards->nr_hops != 1) {
		if (!only->ok || only->nr_hops != 1 ||
		    !read_word(a, of->shared + only->off[1], &task))
			return 0;
		return each(a, task, k);
	}
	if (!nr->ok || nr->nr_hops != 1 || !head->ok || head->nr_hops == 1 || !shard->ok ||
	    !shard->size || !read_word(a, of->shared + shards->off[1], &first) ||
	    !read_word(a, of->shared + nr->off[1], &count) ||
	    count > (k->form->linked ? MAX_SHARDS : MAX_TASKS))
		return 0;
	for (uint64_t i = 0; i < count && !err; i++) {
		if (!read_word(a, first + i * shard->size + head->off[head->nr_hops], &task))
			break;
		err = each(a, task, k);
	}
	return err;
}

/* 1: this is a task of a scheduler of that kind. */
static int is_task(struct alive *a, uint64_t header, const struct scheduler_kind *kind)
{
	struct task_vtable v;

	if (a->tries++ == LOOKS_MAX)
		return -ENOENT;
	return form__task(a->forms, kind->form, header, &v) &&
	       schedulers__of(&a->schedulers, kind->form, v.fn) == kind;
}

static bool known_list(const struct alive *a, uint64_t shared)
{
	for (size_t i = 0; i < a->nr_lists; i++)
		if (a->lists[i].shared == shared)
			return true;
	return false;
}

/* Begins a pass, if none is in progress: no task has been seen yet. */
static void begin_pass(struct alive *a)
{
	if (a->began)
		return;
	a->began = clock__now();
	a->truncated = false;
	task_group__begin(a->group);
}

static int add_list(struct alive *a, uint64_t shared, const struct scheduler_kind *kind)
{
	if (a->nr_lists == MAX_LISTS) {
		a->incomplete = true;
		return 0;
	}
	if (array__room(&a->lists, &a->list_room, a->nr_lists, sizeof(*a->lists)))
		return -ENOMEM;
	a->lists[a->nr_lists] = (struct list){ shared, kind };
	begin_pass(a);
	return each_head(a, &a->lists[a->nr_lists++], add_cursor);
}

static void note_context(struct alive *a, uint64_t shared, unsigned int runtime)
{
	for (size_t i = 0; i < a->nr_contexts; i++)
		if (a->contexts[i].shared == shared)
			return;
	if (a->nr_contexts < MAX_CONTEXTS)
		a->contexts[a->nr_contexts++] = (struct context){ shared, runtime };
}

/*
 * Tries an address as that of a scheduler's shared part; which kind it is follows from
 * its tasks.
 */
static int try_shared(struct alive *a, const struct form *f, uint64_t shared, uint64_t until)
{
	uint64_t *tried = &a->tried[shared / 8 % TRIED];

	if (shared < 4096 || shared % 8 || *tried == shared || known_list(a, shared))
		return 0;
	for (size_t i = 0; i < a->schedulers.nr; i++) {
		const struct scheduler_kind *k = &a->schedulers.kinds[i];

		if (k->form != f || !k->list->sharded)
			continue;
		/* A scheduler without tasks has many empty lists to look at. */
		if (clock__now() > until) {
			a->incomplete = true;
			return 0;
		}
		a->tries = 0;
		if (each_head(a, &(struct list){ shared, k }, is_task) > 0)
			return add_list(a, shared, k);
	}
	*tried = shared;
	note_context(a, shared, f->runtime);
	return 0;
}

int alive__again(struct alive *a)
{
	int err = 0;

	a->began = 0;
	begin_pass(a);
	a->search_due = a->searches;
	for (size_t i = 0; i < a->nr_lists && !err; i++)
		err = each_head(a, &a->lists[i], add_cursor);
	return err;
}

/* ---- the search of the heap ---- */

/* May what looks like a task of @f at @header be one that was freed? */
static bool is_rest(const struct alive *a, const struct form *f, uint64_t header)
{
	uint64_t state;

	return !form__read_status(a->forms, f, header, &state) ||
	       (f->tasks->held && !(state & f->tasks->held)) ||
	       (state & f->tasks->whole) != f->tasks->whole;
}

/* A word at @at points into the program's constants, where vtables are. */
static int found_word(void *ctx, uint64_t at, uint64_t word)
{
	struct alive *a = ctx;
	int err = 0;

	for (size_t i = 0; i < a->forms->nr && !err; i++) {
		const struct form *f = &a->forms->list[i];
		const struct scheduler_kind *kind;
		struct task_vtable v;

		if (!task_vtables__find(f->vtables, word, &v))
			continue;
		kind = schedulers__of(&a->schedulers, f, v.fn);
		if (!kind || !kind->list->searched || a->fns[v.fn].blocking ||
		    is_rest(a, f, at - f->vtable))
			continue;
		if (kind->list->head != RUNTIME_NO_LAYOUT)
			err = alive__task(a, at - f->vtable);
		else
			err = task_group__add(a->group, at - f->vtable, kind);
	}
	return err;
}

static void begin_search(struct alive *a)
{
	a->search_due = false;
	begin_pass(a);
	a->searching = !heap__begin(a->heap);
}

static int step_search(struct alive *a)
{
	int err = heap__step(a->heap, found_word, a);

	a->searching = err > 0;
	return err < 0 ? err : 0;
}

int alive__leave_out(struct alive *a, uint64_t sp, uint64_t fs)
{
	return a->searches ? heap__leave_out(a->heap, sp, fs) : 0;
}

void alive__forget_stacks(struct alive *a)
{
	heap__forget_stacks(a->heap);
}

bool alive__searches(const struct alive *a)
{
	return a->searches;
}

/* ---- passes ---- */

static bool is_left(const struct alive *a)
{
	return a->searching || task_group__left(a->group);
}

int alive__step(struct alive *a, uint64_t until)
{
	uint64_t ts;
	int err = 0;

	if (a->search_due)
		begin_search(a);
	while (is_left(a) && !err) {
		err = task_group__left(a->group) ? task_group__step(a->group) : step_search(a);
		ts = clock__now();
		if (ts - a->began > ALIVE_PASS_NS || task_group__seen(a->group) >= MAX_TASKS) {
			a->truncated = is_left(a);
			a->searching = false;
			task_group__cut(a->group);
		}
		if (!err && is_left(a) && ts >= until)
			return 1;
	}
	if (!err)
		a->began = 0;
	return err;
}

bool alive__truncated(const struct alive *a)
{
	return a->truncated || a->incomplete || heap__incomplete(a->heap);
}

bool alive__knows_threads(const struct alive *a)
{
	const struct image_tls *tls;
	size_t nr;

	if (a->searches)
		return true;
	tls = image__tls(a->img, &nr);
	for (size_t i = 0; i < a->forms->nr; i++) {
		if (form__layout(a->forms, &a->forms->list[i],
				 a->forms->list[i].tasks->on_stack)->ok)
			return true;
		for (size_t k = 0; k < nr; k++)
			if (tls[k].runtime == a->forms->list[i].runtime &&
			    form__context(a->forms, &a->forms->list[i]))
				return true;
	}
	return false;
}

size_t alive__nr_lists(const struct alive *a)
{
	return a->nr_lists;
}

uint64_t alive__scheduler(const struct alive *a, size_t i, const char **kind,
			  unsigned int *runtime)
{
	*kind = a->lists[i].kind->list->scheduler;
	*runtime = a->lists[i].kind->form->runtime;
	return a->lists[i].shared;
}

size_t alive__nr_contexts(const struct alive *a)
{
	return a->nr_contexts;
}

uint64_t alive__context(const struct alive *a, size_t i, unsigned int *runtime)
{
	*runtime = a->contexts[i].runtime;
	return a->contexts[i].shared;
}

/* ---- how to find lists ---- */

static int look_at_context(struct alive *a, const struct form *f, const struct image_tls *tls,
			   uint64_t fs, uint64_t until)
{
	const struct image_path *p = form__context(a->forms, f);
	uint64_t words[2];
	int err;

	/* The context lies before the variable's state, or (if created lazily) behind it. */
	for (uint64_t at = 0; p && at <= 8; at += 8) {
		uint64_t off = at + p->off[0];

		if (off + sizeof(words) > tls->size ||
		    process__read(a->target, fs + (uint64_t)tls->off + off, words, sizeof(words)))
			continue;
		for (int w = 0; w < 2; w++) {
			err = try_shared(a, f, words[w], until);
			if (err < 0)
				return err;
		}
	}
	return 0;
}

/*
 * Searches words on the stack that point into a scheduler's shared part at the offset
 * that @f says.
 */
static int look_at_stack(struct alive *a, const struct form *f, const uint64_t *words, size_t nr,
			 uint64_t until)
{
	const struct image_path *p = form__layout(a->forms, f, f->tasks->on_stack);
	int err = 0;

	for (size_t i = 0; p->ok && p->nr_hops == 1 && i < nr && !err; i++)
		if (words[i] > p->off[1] && words[i] >> 47 == 0)
			err = try_shared(a, f, words[i] - p->off[1], until);
	return err;
}

int alive__stack(struct alive *a, uint64_t sp, uint64_t until)
{
	uint64_t *words = NULL;
	ssize_t n = 0;
	int err = 0;

	for (size_t i = 0; i < a->forms->nr && !err; i++) {
		const struct form *f = &a->forms->list[i];

		if (f->tasks->on_stack == RUNTIME_NO_LAYOUT)
			continue;
		if (!words) {
			words = malloc(STACK_BYTES);
			if (!words)
				return -ENOMEM;
			n = process__read_some(a->target, sp, words, STACK_BYTES);
		}
		err = look_at_stack(a, f, words, n > 0 ? (size_t)n / sizeof(*words) : 0, until);
	}
	free(words);
	return err;
}

int alive__thread(struct alive *a, uint64_t fs, uint64_t until)
{
	const struct image_tls *tls;
	size_t nr;
	int err;

	tls = image__tls(a->img, &nr);
	for (size_t i = 0; i < a->forms->nr; i++) {
		for (size_t k = 0; k < nr; k++) {
			if (tls[k].runtime != a->forms->list[i].runtime)
				continue;
			err = look_at_context(a, &a->forms->list[i], &tls[k], fs, until);
			if (err < 0)
				return err;
		}
	}
	return 0;
}

int alive__task(struct alive *a, uint64_t header)
{
	const struct scheduler_kind *kind;
	const struct form *f;
	struct task_vtable v;
	uint64_t shared;

	f = forms__task(a->forms, header, &v);
	kind = f ? schedulers__of(&a->schedulers, f, v.fn) : NULL;
	/* jobs are in no list, and a job's memory is soon reused */
	if (!kind || kind->form->tasks->vtable_scheduler == RUNTIME_NO_LAYOUT ||
	    a->fns[v.fn].blocking || !read_word(a, header + v.scheduler, &shared) || !shared ||
	    known_list(a, shared))
		return 0;
	return add_list(a, shared, kind);
}

bool alive__polled(const struct alive *a, uint64_t header, uint32_t *fn)
{
	struct task_vtable v;
	const struct form *f = forms__task(a->forms, header, &v);
	uint64_t state;

	/* where the state word does not tell, it may be */
	if (!f || !form__read_status(a->forms, f, header, &state) ||
	    (f->status.running && !(state & f->status.running)) ||
	    (state & f->status.complete))
		return false;
	*fn = v.fn;
	return true;
}

/* ---- reactor objects ---- */

int alive__waiters(const struct alive *a, uint64_t token,
		   int (*each)(void *ctx, uint64_t task, unsigned int dir), void *ctx)
{
	return forms__waiters(a->forms, token, each, ctx);
}

static int to_list(void *ctx, uint64_t task, unsigned int dir)
{
	(void)dir;
	return alive__task(ctx, task);
}

int alive__token(struct alive *a, uint64_t token)
{
	return alive__waiters(a, token, to_list, a);
}
