// SPDX-License-Identifier: GPL-2.0
/* Findings, tasks and threads as JSON. See why.h. */
#include <errno.h>
#include <inttypes.h>

#include <jansson.h>

#include "why/graph.h"
#include "why/why.h"

static json_t *place_of(struct why_place at)
{
	return json_pack("{s:s, s:s, s:i}", "function", at.function, "file", at.file, "line",
			 (int)at.line);
}

static json_t *id_of(const struct why *y, uint32_t task)
{
	return json_sprintf("0x%" PRIx64, y->p.tasks[task].id);
}

static json_t *finding_of(const struct why *y, const struct why_finding *f)
{
	json_t *tasks = json_array(), *where = json_array();

	for (size_t i = 0; i < f->nr_parties; i++) {
		const struct why_party *p = &f->parties[i];
		json_t *at = place_of(p->place);

		json_object_set_new(at, "role", json_string(p->role));
		json_object_set_new(at, "text", json_string(p->text));
		json_object_set_new(at, "count", json_integer(p->count));
		if (p->task != WALK_NONE) {
			json_object_set_new(at, "task", id_of(y, p->task));
			json_array_append_new(tasks, id_of(y, p->task));
		}
		json_array_append_new(where, at);
	}
	return json_pack("{s:s, s:s, s:I, s:o, s:o, s:s?}", "kind", f->kind, "text", f->text,
			 "since_ns", (json_int_t)f->since_ns, "tasks", tasks, "where", where,
			 "resource", f->resource);
}

static const char *state_of(enum picture_state state)
{
	switch (state) {
	case PICTURE_IDLE:	return "idle";
	case PICTURE_READY:	return "ready";
	case PICTURE_POLLED:	return "polled";
	case PICTURE_MOVING:	return "moving";
	}
	return "";
}

/* The await points, outermost first. */
static json_t *chain_of(const struct why *y, const struct picture_task *t)
{
	const struct image_variant *variants;
	const struct image_type *types;
	json_t *chain = json_array();
	size_t nr, nr_types;

	variants = image__variants(y->p.img, &nr);
	types = image__types(y->p.img, &nr_types);
	for (uint32_t i = t->frames; i < t->frames + t->nr_frames; i++) {
		const struct picture_frame *f = &y->p.frames[i];

		if (f->kept_at != WALK_NONE || f->variant >= nr || f->type >= nr_types ||
		    !variants[f->variant].line)
			continue;
		json_array_append_new(chain, place_of((struct why_place){
			image__str(y->p.img, types[f->type].shortname),
			image__str(y->p.img, variants[f->variant].file),
			variants[f->variant].line }));
	}
	return chain;
}

static json_t *task_of(const struct why *y, uint32_t task)
{
	const struct picture_task *t = &y->p.tasks[task];
	const char *leaf = NULL;

	for (uint32_t i = t->waits; i < t->waits + t->nr_waits && !leaf; i++)
		if (!y->p.waits[i].unpolled)
			leaf = why__waits_in(y, i);
	return json_pack("{s:o, s:s, s:s, s:b, s:o, s:s?}", "id", id_of(y, task), "task",
			 why__task(y, task), "state", state_of(t->state), "root", t->root, "chain",
			 chain_of(y, t), "leaf", leaf);
}

static json_t *thread_of(const struct why *y, const struct picture_thread *t)
{
	json_t *polls = json_array();
	char state[2] = { t->state, '\0' };

	for (uint32_t i = 0; i < t->nr_polls; i++)
		json_array_append_new(polls, id_of(y, t->polls[i]));
	return json_pack("{s:i, s:s, s:s, s:I, s:o}", "tid", (int)t->tid, "name", t->name, "state",
			 state, "syscall", (json_int_t)t->syscall, "polls", polls);
}

int why__json(const struct why *y, FILE *out)
{
	json_t *findings = json_array(), *tasks = json_array(), *threads = json_array();
	json_t *pools = json_array(), *all;
	int err;

	for (size_t i = 0; i < y->nr_findings; i++)
		json_array_append_new(findings, finding_of(y, &y->findings[i]));
	for (uint32_t i = 0; i < y->p.nr_tasks; i++)
		json_array_append_new(tasks, task_of(y, i));
	for (size_t i = 0; i < y->p.nr_threads; i++)
		json_array_append_new(threads, thread_of(y, &y->p.threads[i]));
	for (size_t i = 0; i < y->p.nr_pools; i++) {
		const struct picture_pool *p = &y->p.pools[i];

		json_array_append_new(pools, json_pack("{s:I, s:I, s:I, s:I}", "threads",
						       (json_int_t)p->threads, "idle",
						       (json_int_t)p->idle, "queued",
						       (json_int_t)p->queued, "limit",
						       (json_int_t)p->limit));
	}
	all = json_pack("{s:o, s:o, s:o, s:{s:o}}", "findings", findings, "tasks", tasks, "threads",
			threads, "runtime", "pools", pools);
	if (!all)
		return -ENOMEM;
	err = json_dumpf(all, out, JSON_INDENT(1)) ? -ENOMEM : 0;
	fputc('\n', out);
	json_decref(all);
	return err;
}
