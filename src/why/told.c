// SPDX-License-Identifier: GPL-2.0
/* From what was found out to an answer that stands by itself. See why.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "why/graph.h"
#include "why/stacks.h"
#include "why/why.h"

struct telling {
	const struct why	*y;
	struct answer		*a;
	struct hash_table	 resources;	/* index + 1, by kind and value */
};

static const char *text_of(struct telling *t, const char *text)
{
	const char *own = answer__text(t->a, text);

	if (!own)
		t->a->incomplete = true;
	return own ? own : "";
}

static struct answer_place place_of(struct telling *t, struct answer_place at)
{
	return (struct answer_place){ text_of(t, at.function), text_of(t, at.file), at.line };
}

/* ---- findings ---- */

static int tell_finding(struct telling *t, const struct why_finding *f)
{
	struct answer *a = t->a;

	if (array__room(&a->findings, &a->cap_findings, a->nr_findings, sizeof(*a->findings)))
		return -ENOMEM;
	a->findings[a->nr_findings++] = (struct answer_finding){
		.kind = text_of(t, f->kind), .text = text_of(t, f->text ? f->text : ""),
		.resource = text_of(t, f->resource ? f->resource : ""), .since_ns = f->since_ns,
		.parties = (uint32_t)a->nr_parties, .nr_parties = (uint32_t)f->nr_parties,
	};
	for (size_t i = 0; i < f->nr_parties; i++) {
		const struct why_party *p = &f->parties[i];

		if (array__room(&a->parties, &a->cap_parties, a->nr_parties, sizeof(*a->parties)))
			return -ENOMEM;
		a->parties[a->nr_parties++] = (struct answer_party){
			.role = text_of(t, p->role), .task = p->task, .count = p->count,
			.place = place_of(t, p->place), .text = text_of(t, p->text),
		};
	}
	return 0;
}

/* ---- resources ---- */

/* "semaphore", "timer"; else the leaf that waits: "tokio::sync::oneshot::Receiver". */
static void resource_name(const struct why *y, const struct picture_wait *w, char *out,
			  size_t size)
{
	const struct image_type *types;
	const char *name;
	size_t nr;

	switch (w->key.kind) {
	case WALK_KEY_IO:
		name = "descriptor";
		break;
	case WALK_KEY_DEADLINE:
		name = "timer";
		break;
	case WALK_KEY_TASK:
		name = "task";
		break;
	default:
		types = image__types(y->p.img, &nr);
		name = w->node ? "semaphore" :
		       image__str(y->p.img, types[y->p.frames[w->frame].type].shortname);
		break;
	}
	snprintf(out, size, "%.*s", (int)strcspn(name, "<"), name);
}

static enum answer_kind resource_kind(unsigned int key)
{
	switch (key) {
	case WALK_KEY_IO:	return ANSWER_IO;
	case WALK_KEY_DEADLINE:	return ANSWER_TIMER;
	case WALK_KEY_TASK:	return ANSWER_TASK;
	case WALK_KEY_ADDRESS:	return ANSWER_ADDRESS;
	}
	return ANSWER_OTHER;
}

/* "2 permits free"; "" if that is not known. */
static void resource_text(const struct why *y, const struct picture_wait *w, char *out, size_t size)
{
	uint64_t free;
	bool closed;

	*out = '\0';
	for (unsigned int r = 0; w->node && runtimes[r]; r++) {
		if (!picture__permits(&y->p, r, w->key.value, &free, &closed))
			continue;
		snprintf(out, size, "%llu permit%s free%s", (unsigned long long)free,
			 free == 1 ? "" : "s", closed ? ", closed" : "");
		return;
	}
}

/* Who could end wait @at, the first for its resource. */
static int tell_holders(struct telling *t, uint32_t at, struct answer_resource *r)
{
	static const enum answer_reason reasons[] = {
		[GRAPH_HANDLE] = ANSWER_HAS, [GRAPH_GRANTED] = ANSWER_GRANTED,
		[GRAPH_JOINED] = ANSWER_JOINED,
	};
	const struct graph *g = t->y->g;
	const struct graph_wait *w = &g->waits[at];
	struct answer *a = t->a;

	r->holders = (uint32_t)a->nr_holders;
	for (uint32_t i = w->edges; i <= w->edges + w->nr_edges; i++) {
		struct answer_holder h = { ANSWER_GRANTED, t->y->p.waits[at].task, at };

		if (i < w->edges + w->nr_edges) {
			if (g->edges[i].reason == GRAPH_AHEAD)
				continue;
			h = (struct answer_holder){ reasons[g->edges[i].reason], g->edges[i].to,
						    g->edges[i].by };
		} else if (!w->granted) {
			break;
		}
		if (array__room(&a->holders, &a->cap_holders, a->nr_holders, sizeof(h)))
			return -ENOMEM;
		a->holders[a->nr_holders++] = h;
		r->nr_holders++;
	}
	return 0;
}

/* The resource of wait @at: *@out, or ANSWER_NONE. */
static int resource_of(struct telling *t, uint32_t at, uint32_t *out)
{
	const struct picture_wait *w = &t->y->p.waits[at];
	enum answer_kind kind = resource_kind(w->key.kind);
	uint64_t key = w->key.value ^ (uint64_t)kind << 56;
	struct answer *a = t->a;
	struct hash_slot *slot;
	struct answer_resource r;
	char text[128], name[128];

	*out = ANSWER_NONE;
	if (kind == ANSWER_OTHER)
		return 0;
	slot = hash_table__at(&t->resources, key);
	if (!slot)
		return -ENOMEM;
	if (slot->value) {
		*out = (uint32_t)slot->value - 1;
		return 0;
	}
	resource_text(t->y, w, text, sizeof(text));
	resource_name(t->y, w, name, sizeof(name));
	r = (struct answer_resource){ .kind = kind, .name = text_of(t, name),
				      .value = w->key.value, .text = text_of(t, text) };
	if (tell_holders(t, at, &r) ||
	    array__room(&a->resources, &a->cap_resources, a->nr_resources, sizeof(r)))
		return -ENOMEM;
	*out = (uint32_t)a->nr_resources;
	a->resources[a->nr_resources++] = r;
	slot->value = a->nr_resources;
	return 0;
}

/* ---- tasks ---- */

static int tell_wait(struct telling *t, uint32_t at)
{
	const struct picture_wait *w = &t->y->p.waits[at];
	const struct graph_wait *g = &t->y->g->waits[at];
	struct answer *a = t->a;
	struct answer_wait told = {
		.task = w->task, .place = place_of(t, why__wait_place(t->y, at)),
		.in = text_of(t, why__waits_in(t->y, at)), .before = g->place,
		.ahead = ANSWER_NONE, .unpolled = w->unpolled,
		.granted = w->node && w->queued && !w->needs, .open = !g->closed,
		.unread = w->key.kind == WALK_KEY_UNREAD,
	};

	for (uint32_t i = g->edges; i < g->edges + g->nr_edges; i++)
		if (t->y->g->edges[i].reason == GRAPH_AHEAD)
			told.ahead = t->y->g->edges[i].by;
	if (array__room(&a->waits, &a->cap_waits, a->nr_waits, sizeof(told)) ||
	    resource_of(t, at, &told.resource))
		return -ENOMEM;
	a->waits[a->nr_waits++] = told;
	return 0;
}

static int tell_has(struct telling *t, uint32_t at)
{
	const struct picture_handle *h = &t->y->p.handles[at];
	const struct image_handle *types;
	struct answer *a = t->a;
	const char *local;
	struct answer_place place = why__handle_place(t->y, at, &local);
	size_t nr;

	types = image__handles(t->y->p.img, &nr);
	if (array__room(&a->has, &a->cap_has, a->nr_has, sizeof(*a->has)))
		return -ENOMEM;
	a->has[a->nr_has++] = (struct answer_has){
		.local = text_of(t, local),
		.type = text_of(t, image__str(t->y->p.img, types[h->handle].name)),
		.object = h->object, .place = place_of(t, place), .unpolled = h->unpolled,
	};
	return 0;
}

/* The await points of a task, outermost first. */
static int tell_chain(struct telling *t, const struct picture_task *from, struct answer_task *told)
{
	const struct picture *p = &t->y->p;
	const struct image_variant *variants;
	const struct image_type *types;
	struct answer *a = t->a;
	size_t nr, nr_types;

	variants = image__variants(p->img, &nr);
	types = image__types(p->img, &nr_types);
	told->chain = (uint32_t)a->nr_places;
	for (uint32_t i = from->frames; i < from->frames + from->nr_frames; i++) {
		const struct picture_frame *f = &p->frames[i];

		if (f->kept_at != WALK_NONE || f->variant >= nr || f->type >= nr_types ||
		    !variants[f->variant].line)
			continue;
		if (array__room(&a->places, &a->cap_places, a->nr_places, sizeof(*a->places)))
			return -ENOMEM;
		a->places[a->nr_places++] = place_of(t, (struct answer_place){
			image__str(p->img, types[f->type].shortname),
			image__str(p->img, variants[f->variant].file), variants[f->variant].line });
		told->nr_chain++;
		if (why__is_own(t->y, i))
			told->own = told->nr_chain;
	}
	return 0;
}

static enum answer_state state_of(enum picture_state state)
{
	switch (state) {
	case PICTURE_IDLE:	return ANSWER_IDLE;
	case PICTURE_READY:	return ANSWER_READY;
	case PICTURE_POLLED:	return ANSWER_POLLED;
	case PICTURE_MOVING:	break;
	}
	return ANSWER_MOVING;
}

static int tell_task(struct telling *t, uint32_t task)
{
	char queue[WHY_QUEUE_MAX];
	const struct picture_task *from = &t->y->p.tasks[task];
	struct answer *a = t->a;
	struct answer_task told = {
		.id = from->id, .name = text_of(t, why__task(t->y, task)),
		.state = state_of(from->state), .root = from->root, .stuck = t->y->g->stuck[task],
		.queue = text_of(t, why__queue(t->y, task, queue)),
		.after_ns = from->ts > t->y->p.ts ? from->ts - t->y->p.ts : 0,
		.since_ns = t->y->steady[task] ? t->y->span_ns : 0,
		.waits = from->waits, .nr_waits = from->nr_waits,
		.has = from->handles, .nr_has = from->nr_handles,
	};

	if (tell_chain(t, from, &told) ||
	    array__room(&a->tasks, &a->cap_tasks, a->nr_tasks, sizeof(told)))
		return -ENOMEM;
	a->tasks[a->nr_tasks++] = told;
	return 0;
}

static int tell_threads(struct telling *t)
{
	const struct picture *p = &t->y->p;
	struct answer *a = t->a;

	for (size_t i = 0; i < p->nr_threads; i++) {
		const struct picture_thread *th = &p->threads[i];

		if (array__room(&a->threads, &a->cap_threads, a->nr_threads, sizeof(*a->threads)))
			return -ENOMEM;
		a->threads[a->nr_threads++] = (struct answer_thread){
			.tid = th->tid, .name = text_of(t, th->name), .state = th->state,
			.syscall = th->syscall,
			.task = th->nr_polls ? th->polls[th->nr_polls - 1] : ANSWER_NONE,
		};
	}
	for (size_t i = 0; i < p->nr_pools; i++) {
		if (array__room(&a->pools, &a->cap_pools, a->nr_pools, sizeof(*a->pools)))
			return -ENOMEM;
		a->pools[a->nr_pools++] = (struct answer_pool){
			p->pools[i].threads, p->pools[i].idle, p->pools[i].queued,
			p->pools[i].limit };
	}
	return 0;
}

int why__answer(const struct why *y, bool stacks, struct answer *a)
{
	struct telling t = { .y = y, .a = a };
	int err = 0;

	answer__init(a);
	a->ts = y->p.ts;
	a->span_ns = y->span_ns;
	a->incomplete = y->p.incomplete;
	a->untold = y->p.untold;
	for (size_t i = 0; i < y->nr_findings && !err; i++)
		err = tell_finding(&t, &y->findings[i]);
	for (uint32_t i = 0; i < y->p.nr_tasks && !err; i++)
		err = tell_task(&t, i);
	for (uint32_t i = 0; i < y->p.nr_waits && !err; i++)
		err = tell_wait(&t, i);
	for (uint32_t i = 0; i < y->p.nr_handles && !err; i++)
		err = tell_has(&t, i);
	if (!err)
		err = tell_threads(&t);
	if (!err && stacks)
		err = stacks__tell(y, a);
	hash_table__clear(&t.resources);
	return err;
}
