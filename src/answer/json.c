// SPDX-License-Identifier: GPL-2.0
/* Findings, tasks, resources and threads as JSON. See answer.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <jansson.h>

#include "answer/answer.h"

static json_t *place_of(struct answer_place at)
{
	return json_pack("{s:s, s:s, s:i}", "function", at.function, "file", at.file, "line",
			 (int)at.line);
}

static json_t *id_of(const struct answer *a, uint32_t task)
{
	return json_sprintf("0x%" PRIx64, a->tasks[task].id);
}

/* What names a resource within the answer: "semaphore 0x5562c0". */
static json_t *resource_id(const struct answer *a, uint32_t resource)
{
	const struct answer_resource *r = &a->resources[resource];

	return json_sprintf("%s 0x%" PRIx64, r->name, r->value);
}

static json_t *finding_of(const struct answer *a, const struct answer_finding *f)
{
	json_t *tasks = json_array(), *where = json_array();

	for (uint32_t i = f->parties; i < f->parties + f->nr_parties; i++) {
		const struct answer_party *p = &a->parties[i];
		json_t *at = place_of(p->place);

		json_object_set_new(at, "role", json_string(p->role));
		json_object_set_new(at, "text", json_string(p->text));
		json_object_set_new(at, "count", json_integer(p->count));
		if (p->task != ANSWER_NONE) {
			json_object_set_new(at, "task", id_of(a, p->task));
			json_array_append_new(tasks, id_of(a, p->task));
		}
		json_array_append_new(where, at);
	}
	return json_pack("{s:s, s:s, s:I, s:o, s:o, s:s?}", "kind", f->kind, "text", f->text,
			 "since_ns", (json_int_t)f->since_ns, "tasks", tasks, "where", where,
			 "resource", *f->resource ? f->resource : NULL);
}

static const char *state_of(enum answer_state state)
{
	switch (state) {
	case ANSWER_IDLE:	return "idle";
	case ANSWER_READY:	return "ready";
	case ANSWER_POLLED:	return "polled";
	case ANSWER_MOVING:	return "moving";
	case ANSWER_STATE_NR:	break;
	}
	return "";
}

/* The await points, outermost first. */
static json_t *chain_of(const struct answer *a, const struct answer_task *t)
{
	json_t *chain = json_array();

	for (uint32_t i = t->chain; i < t->chain + t->nr_chain; i++)
		json_array_append_new(chain, place_of(a->places[i]));
	return chain;
}

static json_t *task_of(const struct answer *a, uint32_t task)
{
	const struct answer_task *t = &a->tasks[task];
	const struct answer_wait *leaf = NULL;
	json_t *resource = json_null();

	for (uint32_t i = t->waits; i < t->waits + t->nr_waits && !leaf; i++)
		if (!a->waits[i].unpolled)
			leaf = &a->waits[i];
	if (leaf && leaf->resource != ANSWER_NONE)
		resource = resource_id(a, leaf->resource);
	return json_pack("{s:o, s:s, s:s, s:b, s:b, s:I, s:I, s:o, s:s?, s:o, s:s?}", "id",
			 id_of(a, task), "task", t->name, "state", state_of(t->state), "root",
			 t->root, "stuck", t->stuck, "after_ns", (json_int_t)t->after_ns,
			 "since_ns", (json_int_t)t->since_ns, "chain", chain_of(a, t), "leaf",
			 leaf ? leaf->in : NULL, "resource", resource, "queue",
			 *t->queue ? t->queue : NULL);
}

/* ---- resources ---- */

static json_t *holder_of(const struct answer *a, const struct answer_holder *h)
{
	struct answer_place at = { "", "", 0 };
	const char *as = "joined", *local = "";
	json_t *holder;

	if (h->reason == ANSWER_HAS) {
		at = a->has[h->by].place;
		as = a->has[h->by].type;
		local = a->has[h->by].local;
	} else if (h->reason == ANSWER_GRANTED) {
		at = a->waits[h->by].place;
		as = "granted";
	}
	holder = place_of(at);
	json_object_set_new(holder, "task", id_of(a, h->task));
	json_object_set_new(holder, "as", json_string(as));
	json_object_set_new(holder, "variable", json_string(local));
	return holder;
}

/* Waits by their resource, and in the order of its queue. */
static int wait_cmp(const void *x, const void *y, void *ctx)
{
	const struct answer_wait *v = &((const struct answer_wait *)ctx)[*(const uint32_t *)x];
	const struct answer_wait *w = &((const struct answer_wait *)ctx)[*(const uint32_t *)y];

	if (v->resource != w->resource)
		return v->resource < w->resource ? -1 : 1;
	if (v->before != w->before)
		return v->before < w->before ? -1 : 1;
	return v < w ? -1 : v > w;
}

static json_t *resource_of(const struct answer *a, uint32_t resource, json_t *waiters)
{
	const struct answer_resource *r = &a->resources[resource];
	json_t *holders = json_array();

	for (uint32_t i = r->holders; i < r->holders + r->nr_holders; i++)
		json_array_append_new(holders, holder_of(a, &a->holders[i]));
	return json_pack("{s:o, s:s, s:o, s:s, s:o, s:o}", "id", resource_id(a, resource), "kind",
			 r->name, "value", r->kind == ANSWER_TIMER ?
			 json_integer((json_int_t)r->value) : json_sprintf("0x%" PRIx64, r->value),
			 "state", r->text, "waiters", waiters, "holders", holders);
}

static json_t *resources_of(const struct answer *a)
{
	uint32_t *order = malloc((a->nr_waits + 1) * sizeof(*order));
	json_t *list = json_array();
	size_t k = 0;

	if (!order)
		return NULL;
	for (uint32_t i = 0; i < a->nr_waits; i++)
		order[i] = i;
	if (a->nr_waits)
		qsort_r(order, a->nr_waits, sizeof(*order), wait_cmp, a->waits);
	for (uint32_t i = 0; i < a->nr_resources; i++) {
		json_t *waiters = json_array();

		for (; k < a->nr_waits && a->waits[order[k]].resource == i; k++)
			if (!a->waits[order[k]].unpolled)
				json_array_append_new(waiters, id_of(a, a->waits[order[k]].task));
		json_array_append_new(list, resource_of(a, i, waiters));
	}
	free(order);
	return list;
}

/* ---- threads, pools ---- */

static json_t *thread_of(const struct answer *a, const struct answer_thread *t)
{
	char state[2] = { t->state, '\0' };
	json_t *polls = json_array(), *stack = json_array();

	for (uint32_t i = t->frames; i < t->frames + t->nr_frames; i++) {
		json_t *frame = place_of(a->frames[i].place);

		json_object_set_new(frame, "pc", json_sprintf("0x%" PRIx64, a->frames[i].pc));
		json_object_set_new(frame, "inlined", json_boolean(a->frames[i].inlined));
		json_array_append_new(stack, frame);
	}
	if (t->task != ANSWER_NONE)
		json_array_append_new(polls, id_of(a, t->task));
	return json_pack("{s:i, s:s, s:s, s:I, s:o, s:o, s:b}", "tid", (int)t->tid, "name",
			 t->name, "state", state, "syscall", (json_int_t)t->syscall, "polls",
			 polls, "stack", stack, "complete", t->complete);
}

struct json_t *answer__to_json(const struct answer *a)
{
	json_t *findings = json_array(), *tasks = json_array(), *threads = json_array();
	json_t *pools = json_array();

	for (size_t i = 0; i < a->nr_findings; i++)
		json_array_append_new(findings, finding_of(a, &a->findings[i]));
	for (uint32_t i = 0; i < a->nr_tasks; i++)
		json_array_append_new(tasks, task_of(a, i));
	for (size_t i = 0; i < a->nr_threads; i++)
		json_array_append_new(threads, thread_of(a, &a->threads[i]));
	for (size_t i = 0; i < a->nr_pools; i++) {
		const struct answer_pool *p = &a->pools[i];

		json_array_append_new(pools, json_pack("{s:I, s:I, s:I, s:I}", "threads",
						       (json_int_t)p->threads, "idle",
						       (json_int_t)p->idle, "queued",
						       (json_int_t)p->queued, "limit",
						       (json_int_t)p->limit));
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:{s:o}}", "findings", findings, "tasks", tasks,
			 "resources", resources_of(a), "threads", threads, "runtime", "pools", pools);
}

int answer__json(const struct answer *a, FILE *out)
{
	json_t *all = answer__to_json(a);
	int err;

	if (!all)
		return -ENOMEM;
	err = json_dumpf(all, out, JSON_INDENT(1)) ? -EIO : 0;
	fputc('\n', out);
	json_decref(all);
	return err;
}
