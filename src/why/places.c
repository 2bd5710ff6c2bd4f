// SPDX-License-Identifier: GPL-2.0
/* Names and places of tasks, waits and handles, as findings tell them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "join/crate_path.h"
#include "why/why.h"

static const struct picture_task *task_of(const struct why *y, uint32_t task)
{
	return &y->p.tasks[task];
}

const char *why__task(const struct why *y, uint32_t task)
{
	const struct picture_task *t = task_of(y, task);
	const struct image_type *types;
	const struct image_fn *fns;
	size_t nr, nr_types;

	fns = image__fns(y->p.img, &nr);
	types = image__types(y->p.img, &nr_types);
	if (t->fn >= nr)
		return "unknown task";
	/* nothing but a Box: by what is found in it */
	for (uint32_t i = t->frames; fns[t->fn].boxed && i < t->frames + t->nr_frames; i++) {
		uint32_t type = y->p.frames[i].type;

		if (type < nr_types && types[type].task)
			return image__str(y->p.img, types[type].task);
	}
	return image__str(y->p.img, fns[t->fn].task);
}

const char *why__queue(const struct why *y, uint32_t task, char *out)
{
	const struct picture_task *t = task_of(y, task);
	const char *name = "";

	for (size_t i = 0; i < y->p.nr_threads; i++)
		if (y->p.threads[i].tid == t->queue_tid)
			name = y->p.threads[i].name;
	*out = '\0';
	switch (t->queue) {
	case PICTURE_QUEUE_UNKNOWN:
		break;
	case PICTURE_QUEUE_SLOT:
	case PICTURE_QUEUE_LOCAL:
		snprintf(out, WHY_QUEUE_MAX, "the %s of thread %" PRIu32 " (%s)",
			 t->queue == PICTURE_QUEUE_SLOT ? "LIFO slot" : "queue", t->queue_tid, name);
		break;
	case PICTURE_QUEUE_SHARED:
		snprintf(out, WHY_QUEUE_MAX, "the queue of all workers");
		break;
	}
	return out;
}

/* Is @frame inside of the future of frame @outer? */
static bool is_inside(const struct why *y, const struct picture_frame *outer,
		      const struct picture_frame *frame)
{
	const struct walk_type *types;
	size_t nr;

	types = image__walk_types(y->p.img, &nr);
	return outer->type < nr && frame->addr - outer->addr < types[outer->type].size;
}

/* How near is an await point to those who read the finding? */
enum whose { RUNTIMES, CRATES, OWN };

static enum whose whose(const struct why *y, const struct image_type *t,
			const struct image_variant *v)
{
	if (t->runtime_own)
		return RUNTIMES;
	return crate_path__foreign(image__str(y->p.img, v->path)) ? CRATES : OWN;
}

/*
 * The innermost await point of the program's own code around frame number @frame of @task; else
 * the innermost in a crate, else of any. A future that is not behind a pointer lies inside of the
 * one that awaits it; otherwise the last await point before it in the walk is taken.
 */
static uint32_t await_around(const struct why *y, uint32_t task, uint32_t frame, bool *of_program)
{
	const struct picture_task *t = task_of(y, task);
	const struct picture_frame *leaf = &y->p.frames[frame];
	const struct image_variant *variants;
	const struct image_type *types;
	uint32_t best[] = { WALK_NONE, WALK_NONE, WALK_NONE };	/* by enum whose */
	size_t nr, nr_types;

	variants = image__variants(y->p.img, &nr);
	types = image__types(y->p.img, &nr_types);
	for (int inside = 1; inside >= 0 && best[OWN] == WALK_NONE; inside--) {
		for (uint32_t i = frame; i-- > t->frames;) {
			const struct picture_frame *f = &y->p.frames[i];
			enum whose of;

			if (f->kept_at != leaf->kept_at || f->part != leaf->part)
				break;
			if (f->variant >= nr || f->type >= nr_types || !variants[f->variant].line ||
			    (inside && !is_inside(y, f, leaf)))
				continue;
			of = whose(y, &types[f->type], &variants[f->variant]);
			if (best[of] == WALK_NONE)
				best[of] = i;
			if (of == OWN)
				break;
		}
	}
	*of_program = best[OWN] != WALK_NONE || best[CRATES] != WALK_NONE;
	return best[OWN] != WALK_NONE ? best[OWN] :
	       best[CRATES] != WALK_NONE ? best[CRATES] : best[RUNTIMES];
}

static uint32_t await_of(const struct why *y, uint32_t wait, bool *of_program)
{
	const struct picture_wait *w = &y->p.waits[wait];

	return await_around(y, w->task, w->frame, of_program);
}

/* The outermost future of those that are kept in one variable with the leaf of @wait. */
static uint32_t kept_of(const struct why *y, uint32_t wait)
{
	const struct picture_wait *w = &y->p.waits[wait];
	const struct picture_frame *leaf = &y->p.frames[w->frame];
	uint32_t at = w->frame;

	while (at > task_of(y, w->task)->frames && y->p.frames[at - 1].kept_at == leaf->kept_at &&
	       y->p.frames[at - 1].part == leaf->part)
		at--;
	return at;
}

static struct answer_place place_of_variant(const struct why *y, uint32_t variant)
{
	const struct image_variant *variants;
	const struct image_type *types;
	size_t nr, nr_types;

	variants = image__variants(y->p.img, &nr);
	types = image__types(y->p.img, &nr_types);
	if (variant >= nr || variants[variant].type >= nr_types)
		return (struct answer_place){ "", "", 0 };
	return (struct answer_place){ image__str(y->p.img, types[variants[variant].type].shortname),
				   image__str(y->p.img, variants[variant].file),
				   variants[variant].line };
}

const char *why__up_to(const struct why *y, uint32_t task, char *out)
{
	const struct picture_task *t = task_of(y, task);
	const struct image_type *types;
	uint32_t type, last = 0;
	size_t nr;

	types = image__types(y->p.img, &nr);
	type = t->nr_frames ? y->p.frames[t->frames].type : WALK_NONE;
	if (type < nr)
		last = types[type].last_line;
	*out = '\0';
	if (last)
		snprintf(out, WHY_QUEUE_MAX, " (up to %s:%" PRIu32 ")",
			 place_of_variant(y, y->p.frames[t->frames].variant).file, last);
	return out;
}

/* Where variable @part is declared, in the function whose await point @variant is; its name. */
static struct answer_place place_of_part(const struct why *y, uint32_t variant, uint32_t part,
				      const char **local)
{
	const struct image_part *parts;
	struct answer_place place = place_of_variant(y, variant);
	size_t nr;

	*local = "";
	parts = image__parts(y->p.img, &nr);
	if (part >= nr)
		return place;
	*local = image__str(y->p.img, parts[part].name);
	if (parts[part].line) {
		place.file = image__str(y->p.img, parts[part].file);
		place.line = parts[part].line;
	}
	return place;
}

struct answer_place why__kept_place(const struct why *y, uint32_t frame, const char **local)
{
	const struct picture_frame *f = &y->p.frames[frame];

	*local = "";
	if (f->kept_at == WALK_NONE)
		return (struct answer_place){ "", "", 0 };
	return place_of_part(y, f->kept_at, f->part, local);
}

struct answer_place why__wait_place(const struct why *y, uint32_t wait)
{
	const struct picture_wait *w = &y->p.waits[wait];
	const struct picture_frame *leaf = &y->p.frames[w->frame];
	const char *local;
	bool of_program;
	uint32_t at = await_of(y, wait, &of_program);

	if (at != WALK_NONE && (of_program || leaf->kept_at == WALK_NONE))
		return place_of_variant(y, y->p.frames[at].variant);
	/* a future of the runtime's that is kept in a variable: where that is declared */
	return why__kept_place(y, w->frame, &local);
}

bool why__is_own(const struct why *y, uint32_t frame)
{
	const struct picture_frame *f = &y->p.frames[frame];
	const struct image_variant *variants;
	const struct image_type *types;
	size_t nr, nr_types;

	variants = image__variants(y->p.img, &nr);
	types = image__types(y->p.img, &nr_types);
	return f->variant < nr && f->type < nr_types && variants[f->variant].line &&
	       whose(y, &types[f->type], &variants[f->variant]) == OWN;
}

struct answer_place why__frame_place(const struct why *y, uint32_t task, uint32_t frame)
{
	bool of_program;
	uint32_t at = why__is_own(y, frame) ? frame : await_around(y, task, frame, &of_program);

	return place_of_variant(y, y->p.frames[at == WALK_NONE ? frame : at].variant);
}

struct answer_place why__await_before(const struct why *y, uint32_t wait, const char *module)
{
	const struct image_variant *variants;
	const struct walk_variant *walk_variants;
	const struct image_type *types;
	uint32_t at, best = WALK_NONE;
	size_t nr, nr_types, nr_walk;
	bool of_program;

	variants = image__variants(y->p.img, &nr);
	types = image__types(y->p.img, &nr_types);
	walk_variants = image__walk_variants(y->p.img, &nr_walk);
	at = await_of(y, wait, &of_program);
	for (uint32_t v = 0; at != WALK_NONE && v < nr && v < nr_walk; v++) {
		const struct picture_frame *f = &y->p.frames[at];
		uint32_t awaited = walk_variants[v].arc_type;

		if (variants[v].type != f->type || !variants[v].line ||
		    variants[v].line >= variants[f->variant].line ||
		    walk_variants[v].nr_arcs != 1 || awaited >= nr_types ||
		    !strstr(image__str(y->p.img, types[awaited].name), module))
			continue;
		if (best == WALK_NONE || variants[v].line > variants[best].line)
			best = v;
	}
	return best == WALK_NONE ? (struct answer_place){ "", "", 0 } : place_of_variant(y, best);
}

/* "tokio::sync::mpsc::bounded::Sender::send" → "Sender::send"; generics are cut off. */
static const char *last_two(const char *name)
{
	const char *end = name + strcspn(name, "<"), *at = end;

	for (int words = 0; at > name; at--)
		if (at[0] == ':' && at[-1] == ':' && ++words == 2)
			return at + 1;
	return name;
}

const char *why__waits_in(const struct why *y, uint32_t wait)
{
	static char text[256];
	const struct picture_wait *w = &y->p.waits[wait];
	const struct image_type *types;
	bool of_program;
	uint32_t at = await_of(y, wait, &of_program), next;
	const char *name;
	size_t nr;

	next = of_program ? at + 1 : y->p.frames[w->frame].kept_at != WALK_NONE ?
	       kept_of(y, wait) : at == WALK_NONE ? w->frame : at + 1;
	types = image__types(y->p.img, &nr);
	/* what the program calls, not what that consists of */
	while (next < w->frame && (types[y->p.frames[next].type].kind == IMAGE_TYPE_TRANSPARENT ||
				   !types[y->p.frames[next].type].runtime_own))
		next++;
	name = last_two(image__str(y->p.img, types[y->p.frames[next].type].shortname));
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(name, "<"), name);
	return text;
}

struct answer_place why__handle_place(const struct why *y, uint32_t handle, const char **local)
{
	const struct picture_handle *h = &y->p.handles[handle];

	return place_of_part(y, y->p.frames[h->frame].variant, h->part, local);
}
