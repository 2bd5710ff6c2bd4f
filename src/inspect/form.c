// SPDX-License-Identifier: GPL-2.0
/* What the tasks of each runtime look like in the target's memory. See form.h. */
#include "inspect/form.h"

#include <stdlib.h>

/* ---- reading ---- */

const struct image_path *form__layout(const struct forms *fs, const struct form *f, uint16_t l)
{
	return image__layout(fs->img, f->runtime, l);
}

static bool read_word(const struct forms *fs, uint64_t addr, uint64_t *out)
{
	return !process__read(fs->target, addr, out, sizeof(*out));
}

/* Reads a word at an offset in a structure, not behind a pointer. */
static bool read_field(const struct forms *fs, const struct form *f, uint64_t base, uint16_t l,
		       uint64_t *out)
{
	const struct image_path *p = form__layout(fs, f, l);

	return p->ok && !p->nr_hops && read_word(fs, base + p->off[0], out);
}

bool form__read_status(const struct forms *fs, const struct form *f, uint64_t header,
		       uint64_t *out)
{
	*out = 0;
	return !process__read(fs->target, header + f->status.off, out, f->status.width);
}

/* ---- forms ---- */

/* Collects what is needed to find the tasks of runtimes[@runtime] in this program. */
static bool add_form(struct forms *fs, unsigned int runtime)
{
	const struct runtime_tasks *t = runtimes[runtime]->tasks;
	const struct image_path *vtable, *next;
	struct form *f = &fs->list[fs->nr];

	if (!t || fs->nr == FORMS_MAX)
		return false;
	*f = (struct form){ .runtime = runtime, .tasks = t };
	vtable = form__layout(fs, f, t->header_vtable);
	next = form__layout(fs, f, t->trailer_next);
	f->linked = t->trailer_next != RUNTIME_NO_LAYOUT;
	if (!form__layout(fs, f, (uint16_t)runtimes[runtime]->status_layout)->ok || !vtable->ok ||
	    vtable->nr_hops || (f->linked && (!next->ok || next->nr_hops)))
		return false;
	f->reactor = runtimes[runtime]->reactor;
	f->status = image__status(fs->img, runtime);
	f->vtable = vtable->off[0];
	f->next = next->off[0];
	f->head_size = f->status.off + f->status.width;
	if (f->head_size < f->vtable + sizeof(uint64_t))
		f->head_size = f->vtable + sizeof(uint64_t);
	if (f->head_size > WALK_WINDOW)
		return false;
	f->vtables = task_vtables__new(fs->img, fs->target, fs->bias, runtime);
	if (!f->vtables)
		return false;
	fs->nr++;
	return true;
}

struct forms *forms__new(const struct image *img, const struct process *target, uint64_t bias)
{
	struct forms *fs = calloc(1, sizeof(*fs));

	if (!fs)
		return NULL;
	fs->img = img;
	fs->target = target;
	fs->bias = bias;
	for (unsigned int i = 0; runtimes[i]; i++)
		add_form(fs, i);
	if (!fs->nr) {
		free(fs);
		return NULL;
	}
	return fs;
}

void forms__free(struct forms *fs)
{
	if (!fs)
		return;
	for (size_t i = 0; i < fs->nr; i++)
		task_vtables__free(fs->list[i].vtables);
	free(fs);
}

bool form__task(const struct forms *fs, const struct form *f, uint64_t header,
		struct task_vtable *out)
{
	uint64_t addr;

	return header && !(header % 8) && read_word(fs, header + f->vtable, &addr) &&
	       task_vtables__find(f->vtables, addr, out);
}

const struct form *forms__task(const struct forms *fs, uint64_t header, struct task_vtable *out)
{
	for (size_t i = 0; i < fs->nr; i++)
		if (form__task(fs, &fs->list[i], header, out))
			return &fs->list[i];
	return NULL;
}

const struct image_path *form__context(const struct forms *fs, const struct form *f)
{
	const struct image_path *p = form__layout(fs, f, f->tasks->context);

	return p->ok && !p->nr_hops && p->size == 16 ? p : NULL;
}

/* ---- reactor objects ---- */

#define MIN_ADDRESS	4096	/* nothing is mapped below */

static int waiters_of(const struct forms *fs, const struct form *f, uint64_t token,
		      int (*each)(void *ctx, uint64_t task, unsigned int dir), void *ctx)
{
	const struct runtime_reactor *r = f->reactor;
	uint64_t task, vtable, waiter, interest;
	int err = 0;

	if (read_field(fs, f, token, r->reader_vtable, &vtable) && vtable &&
	    read_field(fs, f, token, r->reader, &task))
		err = each(ctx, task, WALK_DIR_READ);
	if (!err && read_field(fs, f, token, r->writer_vtable, &vtable) && vtable &&
	    read_field(fs, f, token, r->writer, &task))
		err = each(ctx, task, WALK_DIR_WRITE);
	if (err || !read_field(fs, f, token, r->waiters, &waiter))
		return err;
	for (int i = 0; waiter && i < 64 && !err; i++) {
		if (read_field(fs, f, waiter, r->waiter_vtable, &vtable) && vtable &&
		    read_field(fs, f, waiter, r->waiter_waker, &task)) {
			unsigned int dir = WALK_DIR_READ | WALK_DIR_WRITE;

			if (read_field(fs, f, waiter, r->waiter_interest, &interest))
				dir = (interest & r->interest_read ? WALK_DIR_READ : 0) |
				      (interest & r->interest_write ? WALK_DIR_WRITE : 0);
			err = each(ctx, task, dir);
		}
		if (!read_field(fs, f, waiter, r->waiter_next, &waiter))
			break;
	}
	return err;
}

int forms__waiters(const struct forms *fs, uint64_t token,
		   int (*each)(void *ctx, uint64_t task, unsigned int dir), void *ctx)
{
	int err = 0;

	if (token < MIN_ADDRESS || token % 8)
		return 0;
	for (size_t i = 0; i < fs->nr && !err; i++)
		if (fs->list[i].reactor)
			err = waiters_of(fs, &fs->list[i], token, each, ctx);
	return err;
}
