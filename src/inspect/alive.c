// SPDX-License-Identifier: GPL-2.0
/*
 * Finds tasks that are alive although no event shows them. See alive.h. The way through
 * a runtime's structures comes from its adapter (struct runtime_tasks).
 *
 * The cost is in the number of calls, not of bytes. A list leads from task to task, but
 * a runtime has many lists (tokio: several for each worker). So the next tasks of many
 * lists are read in one call, each with as many bytes as the type of the task before it
 * suggests. A second call reads them again; what is equal is believed.
 */
#include "inspect/alive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "inspect/form.h"
#include "inspect/memory.h"

#define MAX_LISTS	4096		/* schedulers in one process */
#define TRIED		1024		/* addresses known not to be; a power of two */
#define MAX_SHARDS	65536		/* lists of one scheduler that contain more than one task */
#define MAX_TASKS	(1u << 24)	/* in one pass; more would need too much memory */
#define GROUP		64		/* tasks read in one call */
#define LOOKS_MAX	4096		/* places searched for a task, to identify a scheduler */
#define STACK_BYTES	(64u << 10)	/* of a thread's stack that are searched */
#define TRIES		4
#define MAX_CONTEXTS	64		/* schedulers without tasks */

#define MAX_KINDS	32		/* kinds of schedulers, in all runtimes */

/* A kind of scheduler. */
struct list_kind {
	const struct form		*form;
	const struct runtime_list	*list;
};

/* A list of tasks that is being read. */
struct cursor {
	uint64_t			 header;	/* the next task; 0: the end */
	const struct list_kind	*kind;
	/* the last task's, which is usually this one's too */
	struct task_vtable		 guess;
};

struct list {
	uint64_t			 shared;
	const struct list_kind	*kind;
};

/* A task of a group, as it was read. */
struct look {
	struct cursor		*cursor;
	const struct walk_cell	*cell;
	uint64_t		 header, next;
	uint64_t		 ts;			/* before it was read */
	size_t			 len;			/* bytes in win */
	bool			 read, idle;
	bool			 twice;			/* it has been read again into again */
	uint8_t			 win[WALK_WINDOW];
	uint8_t			 again[WALK_WINDOW];
	struct walk_answer	 walk;
};

struct alive {
	const struct image	*img;
	const struct process	*target;
	const struct image_fn	*fns;
	const struct walk_cell	*cells;
	size_t			 nr_fns, nr_cells;
	uint64_t		 bias;
	struct walker		*walker;
	struct memory		*memory;
	struct forms		*forms;
	struct list_kind	 kinds[MAX_KINDS];
	size_t			 nr_kinds;
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
	struct cursor		*cursors;
	size_t			 nr_cursors, cursor_room;
	/* begin of the pass; 0: no pass is in progress */
	uint64_t		 began;
	bool			 truncated;
	uint64_t		*seen;			/* tasks of this pass, open addressing */
	size_t			 nr_seen, slots;
	struct look		*looks;			/* GROUP of them */
	alive_found		 found;
	void			*ctx;
};

/* ---- reading ---- */

static bool read_word(const struct alive *a, uint64_t addr, uint64_t *out)
{
	return !process__read(a->target, addr, out, sizeof(*out));
}

/* The state word of a task that was read. */
static uint64_t status_at(const struct look *l)
{
	const struct walk_status *s = &l->cursor->kind->form->status;
	uint64_t v = 0;

	memcpy(&v, l->win + s->off, s->width);
	return v;
}

static uint64_t vtable_at(const struct look *l)
{
	uint64_t v;

	memcpy(&v, l->win + l->cursor->kind->form->vtable, sizeof(v));
	return v;
}

/* ---- life ---- */

/* Adds the kinds of schedulers of all forms. False: there are more than MAX_KINDS. */
static bool add_kinds(struct alive *a)
{
	for (size_t i = 0; i < a->forms->nr; i++) {
		const struct form *f = &a->forms->list[i];

		for (size_t k = 0; k < f->tasks->nr_lists; k++) {
			if (a->nr_kinds == MAX_KINDS)
				return false;
			a->kinds[a->nr_kinds++] = (struct list_kind){ f, &f->tasks->lists[k] };
		}
	}
	return true;
}

struct alive *alive__new(const struct image *img, const struct process *target, uint64_t bias,
			 alive_found found, void *ctx)
{
	struct alive *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->img = img;
	a->target = target;
	a->bias = bias;
	a->found = found;
	a->ctx = ctx;
	a->fns = image__fns(img, &a->nr_fns);
	a->cells = image__cells(img, &a->nr_cells);
	a->forms = forms__new(img, target, bias);
	a->looks = calloc(GROUP, sizeof(*a->looks));
	a->walker = walker__new(img, target, bias);
	a->memory = memory__new(target);
	if (!a->forms || !a->looks || !a->walker || !a->memory || !add_kinds(a)) {
		alive__free(a);
		return NULL;
	}
	return a;
}

void alive__free(struct alive *a)
{
	if (!a)
		return;
	walker__free(a->walker);
	memory__free(a->memory);
	forms__free(a->forms);
	free(a->cursors);
	free(a->lists);
	free(a->seen);
	free(a->looks);
	free(a);
}

/* ---- tasks of this pass ---- */

static int seen__grow(struct alive *a)
{
	size_t slots = a->slots ? a->slots * 2 : 1024;
	uint64_t *grown = calloc(slots, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	for (size_t i = 0; i < a->slots; i++) {
		size_t at = (a->seen[i] >> 6) & (slots - 1);

		if (!a->seen[i])
			continue;
		while (grown[at])
			at = (at + 1) & (slots - 1);
		grown[at] = a->seen[i];
	}
	free(a->seen);
	a->seen = grown;
	a->slots = slots;
	return 0;
}

/* 1: @task is new in this pass; 0: it has been seen; negative errno. */
static int alive__mark(struct alive *a, uint64_t task)
{
	size_t at;

	if (2 * a->nr_seen >= a->slots && seen__grow(a))
		return -ENOMEM;
	at = (task >> 6) & (a->slots - 1);
	for (; a->seen[at]; at = (at + 1) & (a->slots - 1))
		if (a->seen[at] == task)
			return 0;
	a->seen[at] = task;
	a->nr_seen++;
	return 1;
}

/* ---- tasks ---- */

static const struct walk_cell *cell_of(const struct alive *a, uint32_t fn)
{
	static const struct walk_cell unknown = { .root_type = WALK_NONE };

	return a->fns[fn].cell < a->nr_cells ? &a->cells[a->fns[fn].cell] : &unknown;
}

static bool is_below(const char *name, const char *path)
{
	size_t len = strlen(path);

	return !strncmp(name, path, len) && (!name[len] || !strncmp(name + len, "::", 2));
}

/* The kind of scheduler of the tasks of @fn, of @f. NULL: not known. */
static const struct list_kind *kind_of(const struct alive *a, const struct form *f, uint32_t fn)
{
	const char *scheduler = image__str(a->img, a->fns[fn].scheduler);
	const struct list_kind *other = NULL;

	for (size_t i = 0; i < a->nr_kinds; i++) {
		const struct list_kind *k = &a->kinds[i];

		if (k->form == f && *k->list->scheduler && is_below(scheduler, k->list->scheduler))
			return k;
		if (k->form == f && !*k->list->scheduler)
			other = k;
	}
	return other;
}

static enum trace_task_state state_of(const struct walk_status *s, uint64_t state)
{
	return state & s->running  ? TRACE_TASK_RUNNING :
	       state & s->notified ? TRACE_TASK_NOTIFIED :
				     TRACE_TASK_IDLE;
}

static bool same(const struct walk_chain *a, const struct walk_chain *b)
{
	return a->nr_tokens == b->nr_tokens && a->nr_keys == b->nr_keys && a->hash == b->hash &&
	       walk_keys__same(&a->keys, &b->keys, a->nr_keys);
}

/* Reads a task that changed while it was read again, by itself. */
static void look_again(struct alive *a, struct look *l, struct alive_task *t)
{
	const struct form *f = l->cursor->kind->form;

	for (int i = 0; i < TRIES; i++) {
		struct walk_answer once, again;
		uint64_t state, then;

		t->ts = clock__now();
		t->known = form__read_status(a->forms, f, l->header, &state);
		if (!t->known)
			return;
		t->state = state_of(&f->status, state);
		if (t->state != TRACE_TASK_IDLE)
			return;
		walker__task(a->walker, l->cell, l->header, NULL, 0, &once);
		walker__task(a->walker, l->cell, l->header, NULL, 0, &again);
		t->chain = once.chain;
		if (form__read_status(a->forms, f, l->header, &then) && state == then &&
		    same(&t->chain, &again.chain))
			return;
		t->known = false;
	}
}

/* ---- a group of tasks ---- */

static struct iovec part(const void *p, size_t len)
{
	return (struct iovec){ (void *)(uintptr_t)p, len };
}

static struct iovec there(uint64_t addr, size_t len)
{
	return (struct iovec){ (void *)(uintptr_t)addr, len };
}

/* Prepares reading the task at @c, assuming the type of the last one. */
static void expect(const struct alive *a, struct look *l, struct cursor *c)
{
	l->cursor = c;
	l->header = c->header;
	l->len = c->kind->form->head_size;
	l->cell = c->guess.addr ? cell_of(a, c->guess.fn) : NULL;
	if (l->cell && l->cell->window > l->len && l->cell->window <= sizeof(l->win))
		l->len = l->cell->window;
}

/* The address of the pointer to the task after @l; for an unknown type: the beginning of @l. */
static uint64_t next_at(const struct look *l)
{
	const struct form *f = l->cursor->kind->form;

	return l->cell && f->linked ? l->header + l->cursor->guess.trailer + f->next : l->header;
}

/*
 * Reads the tasks that the last GROUP cursors have reached, and their pointers to the
 * next ones.
 */
static size_t read_group(struct alive *a)
{
	size_t nr = a->nr_cursors < GROUP ? a->nr_cursors : GROUP, n = 0;
	struct iovec to[2 * GROUP], from[2 * GROUP];
	bool ok[2 * GROUP];
	uint64_t ts = clock__now();

	for (size_t i = 0; i < nr; i++) {
		struct look *l = &a->looks[i];

		expect(a, l, &a->cursors[a->nr_cursors - 1 - i]);
		l->twice = memory__copy(a->memory, l->header, l->len, l->win, l->again, &l->ts) &&
			   memory__copy(a->memory, next_at(l), sizeof(l->next), &l->next, NULL,
					NULL);
		if (l->twice)
			continue;
		l->ts = ts;
		to[n] = part(l->win, l->len);
		from[n++] = there(l->header, l->len);
		to[n] = part(&l->next, sizeof(l->next));
		from[n++] = there(next_at(l), sizeof(l->next));
	}
	process__read_many(a->target, to, from, n, ok);
	n = 0;
	for (size_t i = 0; i < nr; i++) {
		struct look *l = &a->looks[i];

		l->read = l->twice || (ok[n] && ok[n + 1]);
		n += l->twice ? 0 : 2;
	}
	return nr;
}

/*
 * Processes a task that was read, and moves its cursor on. 1: it is to be reported; 0:
 * not, or not yet; negative errno.
 */
static int take(struct alive *a, struct look *l)
{
	struct cursor *c = l->cursor;
	const struct form *f = c->kind->form;
	struct task_vtable v;
	uint64_t state;
	int new;

	l->idle = false;
	/* It has changed in the meantime, or this was not a list. */
	if (!l->read || l->header % 8 ||
	    !task_vtables__find(f->vtables, vtable_at(l), &v) || kind_of(a, f, v.fn) != c->kind) {
		c->header = 0;
		return 0;
	}
	if (v.addr != c->guess.addr) {
		/* Not of the same type as the one before: read it again with its own type. */
		c->guess = v;
		return 0;
	}
	new = alive__mark(a, l->header);
	/* Seen before: the list leads back into itself, or into another one. */
	c->header = new > 0 && f->linked ? l->next : 0;
	if (new <= 0)
		return new;
	state = status_at(l);
	if (state & f->status.complete)
		return 0;
	l->idle = state_of(&f->status, state) == TRACE_TASK_IDLE;
	if (l->idle)
		walker__task(a->walker, l->cell, l->header, l->win, l->len, &l->walk);
	return 1;
}

/* Reads the idle ones among @looks again. */
static void read_again(struct alive *a, struct look **looks, size_t nr)
{
	struct iovec to[GROUP], from[GROUP];
	bool ok[GROUP];
	size_t n = 0;

	for (size_t i = 0; i < nr; i++) {
		if (!looks[i]->idle || looks[i]->twice)
			continue;
		to[n] = part(looks[i]->again, looks[i]->len);
		from[n++] = there(looks[i]->header, looks[i]->len);
	}
	process__read_many(a->target, to, from, n, ok);
	n = 0;
	for (size_t i = 0; i < nr; i++)
		if (looks[i]->idle && !looks[i]->twice)
			looks[i]->read = ok[n++];
}

static bool unchanged(struct alive *a, const struct look *l)
{
	struct walk_answer again;

	if (!l->read || memcmp(l->win, l->again, l->len))
		return false;
	if (!l->walk.far)
		return true;
	walker__task(a->walker, l->cell, l->header, l->again, l->len, &again);
	return same(&l->walk.chain, &again.chain);
}

static int tell(struct alive *a, struct look *l)
{
	struct alive_task t = { .task = l->header, .ts = l->ts, .fn = l->cursor->guess.fn,
				.known = true };

	t.state = state_of(&l->cursor->kind->form->status, status_at(l));
	if (l->idle && unchanged(a, l))
		t.chain = l->walk.chain;
	else if (l->idle)
		look_again(a, l, &t);
	return a->found(a->ctx, &t);
}

/* Processes the next task of each list, for GROUP lists at most. */
static int step_group(struct alive *a)
{
	struct look *told[GROUP];
	size_t nr = read_group(a), n = 0, kept = 0;
	int err = 0;

	for (size_t i = 0; i < nr && err >= 0; i++) {
		err = take(a, &a->looks[i]);
		if (err > 0)
			told[n++] = &a->looks[i];
	}
	if (err >= 0)
		read_again(a, told, n);
	for (size_t i = 0; i < n && err >= 0; i++)
		err = tell(a, told[i]);
	/* Remove the cursors of lists that have ended. */
	for (size_t i = 0; i < a->nr_cursors; i++)
		if (a->cursors[i].header)
			a->cursors[kept++] = a->cursors[i];
	a->nr_cursors = kept;
	return err < 0 ? err : 0;
}

/* ---- lists ---- */

static int add_cursor(struct alive *a, uint64_t header, const struct list_kind *kind)
{
	if (!header)
		return 0;
	if (a->nr_cursors == a->cursor_room) {
		size_t room = a->cursor_room ? a->cursor_room * 2 : GROUP;
		struct cursor *grown = reallocarray(a->cursors, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		a->cursors = grown;
		a->cursor_room = room;
	}
	a->cursors[a->nr_cursors++] = (struct cursor){ .header = header, .kind = kind };
	return 0;
}

/*
 * Calls @each with the first task of each list of the scheduler at @shared; returns the
 * first result that is not 0.
 */
static int each_head(struct alive *a, const struct list *of,
		     int (*each)(struct alive *a, uint64_t header, const struct list_kind *kind))
{
	const struct list_kind *k = of->kind;
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
static int is_task(struct alive *a, uint64_t header, const struct list_kind *kind)
{
	struct task_vtable v;

	if (a->tries++ == LOOKS_MAX)
		return -ENOENT;
	return form__task(a->forms, kind->form, header, &v) && kind_of(a, kind->form, v.fn) == kind;
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
	a->nr_seen = 0;
	memory__forget(a->memory);
	if (a->slots)
		memset(a->seen, 0, a->slots * sizeof(*a->seen));
}

static int add_list(struct alive *a, uint64_t shared, const struct list_kind *kind)
{
	if (a->nr_lists == MAX_LISTS) {
		a->incomplete = true;
		return 0;
	}
	if (a->nr_lists == a->list_room) {
		size_t room = a->list_room ? a->list_room * 2 : 16;
		struct list *grown = reallocarray(a->lists, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		a->lists = grown;
		a->list_room = room;
	}
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
	for (size_t i = 0; i < a->nr_kinds; i++) {
		const struct list_kind *k = &a->kinds[i];

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

	a->nr_cursors = 0;
	a->began = 0;
	begin_pass(a);
	for (size_t i = 0; i < a->nr_lists && !err; i++)
		err = each_head(a, &a->lists[i], add_cursor);
	return err;
}

int alive__step(struct alive *a, uint64_t until)
{
	uint64_t ts;
	int err = 0;

	while (a->nr_cursors && !err) {
		err = step_group(a);
		ts = clock__now();
		if (ts - a->began > ALIVE_PASS_NS || a->nr_seen >= MAX_TASKS) {
			a->truncated = a->nr_cursors != 0;
			a->nr_cursors = 0;
		}
		if (!err && a->nr_cursors && ts >= until)
			return 1;
	}
	if (!err)
		a->began = 0;
	return err;
}

bool alive__truncated(const struct alive *a)
{
	return a->truncated || a->incomplete;
}

bool alive__knows_threads(const struct alive *a)
{
	const struct image_tls *tls;
	size_t nr;

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
	const struct list_kind *kind;
	const struct form *f;
	struct task_vtable v;
	uint64_t shared;

	f = forms__task(a->forms, header, &v);
	kind = f ? kind_of(a, f, v.fn) : NULL;
	/* jobs are in no list, and a job's memory is soon reused */
	if (!kind || a->fns[v.fn].blocking || !read_word(a, header + v.scheduler, &shared) ||
	    !shared || known_list(a, shared))
		return 0;
	return add_list(a, shared, kind);
}

bool alive__polled(const struct alive *a, uint64_t header, uint32_t *fn)
{
	struct task_vtable v;
	const struct form *f = forms__task(a->forms, header, &v);
	uint64_t state;

	if (!f || !form__read_status(a->forms, f, header, &state) || !(state & f->status.running) ||
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
