// SPDX-License-Identifier: GPL-2.0
/* Reads tasks, many at once. See task_group.h. */
#include "inspect/task_group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/array.h"
#include "base/clock.h"
#include "inspect/memory.h"
#include "inspect/walk.h"

#define GROUP		64		/* tasks read in one call */
#define TRIES		4

/* A list of tasks that is being read. */
struct cursor {
	uint64_t			 header;	/* the next task; 0: the end */
	const struct scheduler_kind	*kind;
	/* the last task's, which is usually this one's too */
	struct task_vtable		 guess;
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

struct task_group {
	const struct forms		*forms;
	const struct schedulers		*schedulers;
	const struct process		*target;
	const struct image_fn		*fns;
	const struct walk_cell		*cells;
	size_t				 nr_cells;
	struct walker			*walker;
	struct memory			*memory;
	struct cursor			*cursors;
	size_t				 nr_cursors, cursor_room;
	uint64_t			*seen;		/* visited tasks, open addressing */
	size_t				 nr_seen, slots;
	struct look			*looks;		/* GROUP of them */
	alive_found			 found;
	void				*ctx;
};

/* ---- reading ---- */

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

struct task_group *task_group__new(const struct forms *forms, const struct schedulers *schedulers,
				   alive_found found, void *ctx)
{
	struct task_group *g = calloc(1, sizeof(*g));
	size_t nr;

	if (!g)
		return NULL;
	g->forms = forms;
	g->schedulers = schedulers;
	g->target = forms->target;
	g->found = found;
	g->ctx = ctx;
	g->fns = image__fns(forms->img, &nr);
	g->cells = image__cells(forms->img, &g->nr_cells);
	g->looks = calloc(GROUP, sizeof(*g->looks));
	g->walker = walker__new(forms->img, forms->target, forms->bias);
	g->memory = memory__new(forms->target);
	if (!g->looks || !g->walker || !g->memory) {
		task_group__free(g);
		return NULL;
	}
	return g;
}

void task_group__free(struct task_group *g)
{
	if (!g)
		return;
	walker__free(g->walker);
	memory__free(g->memory);
	free(g->cursors);
	free(g->seen);
	free(g->looks);
	free(g);
}

/* ---- visited tasks ---- */

static int seen__grow(struct task_group *g)
{
	size_t slots = g->slots ? g->slots * 2 : 1024;
	uint64_t *grown = calloc(slots, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	for (size_t i = 0; i < g->slots; i++) {
		size_t at = (g->seen[i] >> 6) & (slots - 1);

		if (!g->seen[i])
			continue;
		while (grown[at])
			at = (at + 1) & (slots - 1);
		grown[at] = g->seen[i];
	}
	free(g->seen);
	g->seen = grown;
	g->slots = slots;
	return 0;
}

/* 1: @task is new in this pass; 0: it has been seen; negative errno. */
static int seen__mark(struct task_group *g, uint64_t task)
{
	size_t at;

	if (2 * g->nr_seen >= g->slots && seen__grow(g))
		return -ENOMEM;
	at = (task >> 6) & (g->slots - 1);
	for (; g->seen[at]; at = (at + 1) & (g->slots - 1))
		if (g->seen[at] == task)
			return 0;
	g->seen[at] = task;
	g->nr_seen++;
	return 1;
}

/* ---- tasks ---- */

static const struct walk_cell *cell_of(const struct task_group *g, uint32_t fn)
{
	static const struct walk_cell unknown = { .root_type = WALK_NONE };

	return g->fns[fn].cell < g->nr_cells ? &g->cells[g->fns[fn].cell] : &unknown;
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
static void look_again(struct task_group *g, struct look *l, struct alive_task *t)
{
	const struct form *f = l->cursor->kind->form;

	for (int i = 0; i < TRIES; i++) {
		struct walk_answer once, again;
		uint64_t state, then;

		t->ts = clock__now();
		t->known = form__read_status(g->forms, f, l->header, &state);
		if (!t->known)
			return;
		t->state = state_of(&f->status, state);
		if (t->state != TRACE_TASK_IDLE)
			return;
		walker__task(g->walker, l->cell, l->header, NULL, 0, &once);
		walker__task(g->walker, l->cell, l->header, NULL, 0, &again);
		t->chain = once.chain;
		if (form__read_status(g->forms, f, l->header, &then) && state == then &&
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
static void expect(const struct task_group *g, struct look *l, struct cursor *c)
{
	l->cursor = c;
	l->header = c->header;
	l->len = c->kind->form->head_size;
	l->cell = c->guess.addr ? cell_of(g, c->guess.fn) : NULL;
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
static size_t read_group(struct task_group *g)
{
	size_t nr = g->nr_cursors < GROUP ? g->nr_cursors : GROUP, n = 0;
	struct iovec to[2 * GROUP], from[2 * GROUP];
	bool ok[2 * GROUP];
	uint64_t ts = clock__now();

	for (size_t i = 0; i < nr; i++) {
		struct look *l = &g->looks[i];

		expect(g, l, &g->cursors[g->nr_cursors - 1 - i]);
		l->twice = memory__copy(g->memory, l->header, l->len, l->win, l->again, &l->ts) &&
			   memory__copy(g->memory, next_at(l), sizeof(l->next), &l->next, NULL,
					NULL);
		if (l->twice)
			continue;
		l->ts = ts;
		to[n] = part(l->win, l->len);
		from[n++] = there(l->header, l->len);
		to[n] = part(&l->next, sizeof(l->next));
		from[n++] = there(next_at(l), sizeof(l->next));
	}
	process__read_many(g->target, to, from, n, ok);
	n = 0;
	for (size_t i = 0; i < nr; i++) {
		struct look *l = &g->looks[i];

		l->read = l->twice || (ok[n] && ok[n + 1]);
		n += l->twice ? 0 : 2;
	}
	return nr;
}

/*
 * Processes a task that was read, and moves its cursor on. 1: it is to be reported; 0:
 * not, or not yet; negative errno.
 */
static int take(struct task_group *g, struct look *l)
{
	struct cursor *c = l->cursor;
	const struct form *f = c->kind->form;
	struct task_vtable v;
	uint64_t state;
	int new;

	l->idle = false;
	/* It has changed in the meantime, or this was not a list. */
	if (!l->read || l->header % 8 ||
	    !task_vtables__find(f->vtables, vtable_at(l), &v) ||
	    schedulers__of(g->schedulers, f, v.fn) != c->kind) {
		c->header = 0;
		return 0;
	}
	if (v.addr != c->guess.addr) {
		/* Not of the same type as the one before: read it again with its own type. */
		c->guess = v;
		return 0;
	}
	new = seen__mark(g, l->header);
	/* Seen before: the list leads back into itself, or into another one. */
	c->header = new > 0 && f->linked ? l->next : 0;
	if (new <= 0)
		return new;
	state = status_at(l);
	if (state & f->status.complete)
		return 0;
	l->idle = state_of(&f->status, state) == TRACE_TASK_IDLE;
	if (l->idle)
		walker__task(g->walker, l->cell, l->header, l->win, l->len, &l->walk);
	return 1;
}

/* Reads the idle ones among @looks again. */
static void read_again(struct task_group *g, struct look **looks, size_t nr)
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
	process__read_many(g->target, to, from, n, ok);
	n = 0;
	for (size_t i = 0; i < nr; i++)
		if (looks[i]->idle && !looks[i]->twice)
			looks[i]->read = ok[n++];
}

static bool unchanged(struct task_group *g, const struct look *l)
{
	struct walk_answer again;

	if (!l->read || memcmp(l->win, l->again, l->len))
		return false;
	if (!l->walk.far)
		return true;
	walker__task(g->walker, l->cell, l->header, l->again, l->len, &again);
	return same(&l->walk.chain, &again.chain);
}

static int tell(struct task_group *g, struct look *l)
{
	struct alive_task t = { .task = l->header, .ts = l->ts, .fn = l->cursor->guess.fn,
				.known = true };

	t.state = state_of(&l->cursor->kind->form->status, status_at(l));
	if (l->idle && unchanged(g, l))
		t.chain = l->walk.chain;
	else if (l->idle)
		look_again(g, l, &t);
	return g->found(g->ctx, &t);
}

int task_group__step(struct task_group *g)
{
	struct look *told[GROUP];
	size_t nr = read_group(g), n = 0, kept = 0;
	int err = 0;

	for (size_t i = 0; i < nr && err >= 0; i++) {
		err = take(g, &g->looks[i]);
		if (err > 0)
			told[n++] = &g->looks[i];
	}
	if (err >= 0)
		read_again(g, told, n);
	for (size_t i = 0; i < n && err >= 0; i++)
		err = tell(g, told[i]);
	/* Remove the cursors of lists that have ended. */
	for (size_t i = 0; i < g->nr_cursors; i++)
		if (g->cursors[i].header)
			g->cursors[kept++] = g->cursors[i];
	g->nr_cursors = kept;
	return err < 0 ? err : 0;
}

/* ---- cursors ---- */

void task_group__begin(struct task_group *g)
{
	g->nr_cursors = 0;
	g->nr_seen = 0;
	memory__forget(g->memory);
	if (g->slots)
		memset(g->seen, 0, g->slots * sizeof(*g->seen));
}

int task_group__add(struct task_group *g, uint64_t header, const struct scheduler_kind *kind)
{
	if (!header)
		return 0;
	if (array__room(&g->cursors, &g->cursor_room, g->nr_cursors, sizeof(*g->cursors)))
		return -ENOMEM;
	g->cursors[g->nr_cursors++] = (struct cursor){ .header = header, .kind = kind };
	return 0;
}

void task_group__cut(struct task_group *g)
{
	g->nr_cursors = 0;
}

size_t task_group__left(const struct task_group *g)
{
	return g->nr_cursors;
}

size_t task_group__seen(const struct task_group *g)
{
	return g->nr_seen;
}
