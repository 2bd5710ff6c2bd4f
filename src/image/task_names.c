// SPDX-License-Identifier: GPL-2.0
/*
 * What tasks are called. See task_names.h. It must not know of functions or probes.
 */
#include "image/task_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/holders.h"

#define MAX_LAYERS	64	/* around the future that gives a task its name */

/* What is met on the way from a task's future to what is in it, while there is one way. */
struct layers {
	uint32_t	body;		/* the first async fn, block or closure of the program */
	uint32_t	written;	/* the first future that somebody wrote by hand */
	uint32_t	own;		/* the first async fn of the runtime */
	uint32_t	frame;		/* the first that is more than a pointer */
	bool		boxed;		/* the way ends at a dyn Future */
};

static const struct image_type *image_type(const struct task_names *n, uint32_t type)
{
	return model__at(n->m, MODEL_TYPES, type);
}

/*
 * The only future that any variant of @type holds; WALK_NONE: none, more, or a dyn
 * Future, and then *@dyn is set.
 */
static uint32_t only_future(const struct task_names *n, uint32_t type, bool *dyn)
{
	const struct walk_type *wt = model__at(n->m, MODEL_WALK_TYPES, type);
	uint32_t found = WALK_NONE;
	bool any = false;

	*dyn = false;
	/* the default variant stands behind the others */
	for (uint32_t v = 0; v <= wt->nr_variants; v++) {
		uint32_t at = v < wt->nr_variants ? wt->first_variant + v : wt->default_variant;
		const struct walk_variant *wv;
		bool d;

		if (at == WALK_NONE)
			break;
		wv = model__at(n->m, MODEL_WALK_VARIANTS, at);
		if (!wv->nr_arcs)
			continue;
		d = wv->arc_mode == WALK_ARC_DYN;
		if (wv->nr_arcs > 1 || (any && (found != wv->arc_type || *dyn != d))) {
			*dyn = false;
			return WALK_NONE;
		}
		any = true;
		*dyn = d;
		found = wv->arc_type;
	}
	return *dyn ? WALK_NONE : found;
}

/* Is @t of a runtime, of std or of a library that adapts futures? It tells nothing then. */
static bool is_adapter(const struct task_names *n, const struct image_type *t)
{
	return t->kind == IMAGE_TYPE_TRANSPARENT || t->runtime_own ||
	       name__is_below_any(model__text(n->m, t->name), library_adapters);
}

static struct layers layers_of(const struct task_names *n, uint32_t type)
{
	struct layers l = { WALK_NONE, WALK_NONE, WALK_NONE, WALK_NONE, false };

	for (int i = 0; i < MAX_LAYERS && type != WALK_NONE; i++) {
		const struct image_type *t = image_type(n, type);
		bool body = t->kind == IMAGE_TYPE_FN;

		if (body && !t->runtime_own) {
			l.body = type;
			break;
		}
		if (body && l.own == WALK_NONE)
			l.own = type;
		if (l.written == WALK_NONE && !is_adapter(n, t))
			l.written = type;
		if (l.frame == WALK_NONE && t->kind != IMAGE_TYPE_TRANSPARENT)
			l.frame = type;
		type = only_future(n, type, &l.boxed);
	}
	l.boxed &= l.body == WALK_NONE && l.written == WALK_NONE;
	return l;
}

/*
 * The name of what is in the wrappers that a runtime puts around each task, if the one
 * at @type is such. NULL: it is none, or no memory.
 */
static char *name_of_hidden(const struct task_names *n, uint32_t type)
{
	struct die d = *futures__die(n->futures, type);
	char *name, *shorter;
	int layers;

	for (layers = 0; layers < MAX_LAYERS; layers++) {
		const struct runtime_wrapper *w = holders__wrapper(n->ts, &d);
		struct type_member m;

		if (!w || !holders__is_hidden(w) || !type__member(n->ts, &d, w->main, &m))
			break;
		d = m.type;
	}
	if (!layers)
		return NULL;
	name = rust_names__type(n->names, &d);
	shorter = name ? name__shorten(name, true) : NULL;
	free(name);
	return shorter;
}

/* "web::run {async block web.rs:112}" */
static char *name_of_type(const struct task_names *n, uint32_t type, image_str *begin)
{
	const struct image_type *t = image_type(n, type);
	const char *name = model__text(n->m, t->shortname);
	char *text;

	*begin = t->begin;
	if (!t->begin)
		return strdup(name);
	return asprintf(&text, "%s %s", name, model__text(n->m, t->begin)) < 0 ? NULL : text;
}

char *task_names__of(const struct task_names *n, uint32_t type, bool *boxed, image_str *begin)
{
	struct layers l = layers_of(n, type);
	image_str unused;
	char *name;

	begin = begin ? begin : &unused;
	*begin = 0;
	*boxed = l.boxed;
	if (l.body != WALK_NONE)
		return name_of_type(n, l.body, begin);
	if (l.written != WALK_NONE)
		return name_of_type(n, l.written, begin);
	name = name_of_hidden(n, type);
	if (name)
		return name;
	/* all that is known is the runtime's, LocalSet::run_until say */
	if (l.own != WALK_NONE)
		return name_of_type(n, l.own, begin);
	if (l.frame != WALK_NONE && !l.boxed)
		return name_of_type(n, l.frame, begin);
	/* "Pin" says nothing, "Pin<Box<(dyn Future<Output=()> + Send), Global>>" what is known */
	return name__shorten(model__text(n->m, image_type(n, type)->name), true);
}

void task_names__behind_dyn(const struct task_names *n)
{
	for (uint32_t i = 0; i < n->m->tables[MODEL_VTABLES].nr && !n->m->err; i++) {
		const struct image_vtable *vt = model__at(n->m, MODEL_VTABLES, i);
		struct image_type *t;
		image_str task = 0;
		bool boxed;
		char *text;

		if (vt->type == WALK_NONE || image_type(n, vt->type)->task)
			continue;
		text = task_names__of(n, vt->type, &boxed, NULL);
		if (!text)
			n->m->err = -ENOMEM;
		/* one dyn Future in another: the walk goes on */
		if (!boxed)
			task = model__str(n->m, text);
		t = model__at(n->m, MODEL_TYPES, vt->type);
		t->task = task;
		free(text);
	}
}
