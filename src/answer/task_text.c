// SPDX-License-Identifier: GPL-2.0
/*
 * One task in depth: its await points, what it waits for, who could end that and what those
 * wait for in turn, and what the task has meanwhile. See answer.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "answer/answer.h"
#include "base/quantity.h"

#define MAX_DEPTH	6	/* of those who could end a wait, and so on */
#define MAX_HOLDERS	8	/* of one resource that are shown */
#define MAX_STACK	24	/* functions of a stack that are shown */

static void indent(FILE *out, unsigned int depth)
{
	fprintf(out, "%*s", (int)(4 + 2 * depth), "");
}

static void print_place(FILE *out, struct answer_place at)
{
	if (at.line)
		fprintf(out, "%s:%" PRIu32 " ", at.file, at.line);
}

static void print_resource(const struct answer *a, const struct answer_wait *w, FILE *out)
{
	const struct answer_resource *r = NULL;
	char text[QUANTITY_MAX];

	if (w->unread)
		fprintf(out, " (what it is could not be read)");
	if (w->resource != ANSWER_NONE)
		r = &a->resources[w->resource];
	if (r && r->kind == ANSWER_ADDRESS)
		fprintf(out, " at 0x%" PRIx64, r->value);
	if (r && r->kind == ANSWER_TIMER)
		fprintf(out, ", %s %s", quantity__time(r->value > a->ts ? r->value - a->ts :
								       a->ts - r->value, text),
			r->value > a->ts ? "to go" : "ago");
	if (r && *r->text)
		fprintf(out, " (%s)", r->text);
	if (w->granted)
		fprintf(out, ", granted");
	else if (w->before != ANSWER_NONE)
		fprintf(out, ", %" PRIu32 " before it in the queue", w->before);
	if (w->open && r && r->nr_holders)
		fprintf(out, ", perhaps by others too");
}

static void print_enders(const struct answer *a, const struct answer_wait *w, bool *seen,
			 unsigned int depth, FILE *out);

static void print_waits(const struct answer *a, uint32_t task, bool *seen, unsigned int depth,
			FILE *out)
{
	const struct answer_task *t = &a->tasks[task];

	if (seen[task]) {
		indent(out, depth);
		fprintf(out, "(told above)\n");
		return;
	}
	seen[task] = true;
	for (uint32_t i = t->waits; i < t->waits + t->nr_waits; i++) {
		const struct answer_wait *w = &a->waits[i];

		if (w->unpolled)
			continue;
		indent(out, depth);
		fprintf(out, "waits at ");
		print_place(out, w->place);
		fprintf(out, "in %s", w->in);
		print_resource(a, w, out);
		fputc('\n', out);
		print_enders(a, w, seen, depth + 1, out);
	}
}

static void print_holder(const struct answer *a, const struct answer_holder *h, FILE *out)
{
	const char *task = a->tasks[h->task].name;

	switch (h->reason) {
	case ANSWER_HAS:
		print_place(out, a->has[h->by].place);
		fprintf(out, "%s has %s\n", task,
			*a->has[h->by].local ? a->has[h->by].local : "a handle to it");
		break;
	case ANSWER_GRANTED:
		print_place(out, a->waits[h->by].place);
		fprintf(out, "%s has been granted it\n", task);
		break;
	case ANSWER_JOINED:
		fprintf(out, "%s is the task that it joins\n", task);
		break;
	case ANSWER_REASON_NR:
		break;
	}
}

/* Who could end wait @w, and what they wait for. */
static void print_enders(const struct answer *a, const struct answer_wait *w, bool *seen,
			 unsigned int depth, FILE *out)
{
	const struct answer_resource *r = NULL;
	uint32_t shown = 0;

	if (depth > MAX_DEPTH)
		return;
	if (w->resource != ANSWER_NONE)
		r = &a->resources[w->resource];
	for (uint32_t i = 0; r && i < r->nr_holders; i++) {
		const struct answer_holder *h = &a->holders[r->holders + i];

		if (h->reason == ANSWER_GRANTED && &a->waits[h->by] == w)
			continue;
		indent(out, depth);
		if (shown++ == MAX_HOLDERS) {
			fprintf(out, "… and %" PRIu32 " more\n", r->nr_holders - i);
			break;
		}
		print_holder(a, h, out);
		print_waits(a, h->task, seen, depth + 1, out);
	}
	if (w->ahead == ANSWER_NONE)
		return;
	indent(out, depth);
	print_place(out, a->waits[w->ahead].place);
	fprintf(out, "%s is before it in the queue\n", a->tasks[a->waits[w->ahead].task].name);
	print_waits(a, a->waits[w->ahead].task, seen, depth + 1, out);
}

static void print_has(const struct answer *a, const struct answer_task *t, FILE *out)
{
	for (uint32_t i = t->has; i < t->has + t->nr_has; i++) {
		const struct answer_has *h = &a->has[i];

		fprintf(out, "    has %s, a %s of 0x%" PRIx64 " ", *h->local ? h->local : "a value",
			h->type, h->object);
		if (h->place.line)
			fprintf(out, "(%s:%" PRIu32 ")", h->place.file, h->place.line);
		fprintf(out, "%s\n", h->unpolled ? ", in a future that is not polled" : "");
	}
}

/* Where the thread is that polls task number @task. */
static void print_poll(const struct answer *a, uint32_t task, FILE *out)
{
	for (size_t i = 0; i < a->nr_threads; i++) {
		const struct answer_thread *t = &a->threads[i];

		if (t->task != task || !t->nr_frames)
			continue;
		fprintf(out, "    thread %" PRIu32 " (%s) polls it, and is in\n", t->tid, t->name);
		for (uint32_t k = t->frames; k < t->frames + t->nr_frames; k++) {
			const struct answer_place *p = &a->frames[k].place;

			if (k == t->frames + MAX_STACK)
				break;
			if (!*p->function)
				continue;
			fprintf(out, "      %s", p->function);
			if (p->line)
				fprintf(out, " (%s:%" PRIu32 ")", p->file, p->line);
			fputc('\n', out);
		}
		if (t->nr_frames > MAX_STACK)
			fprintf(out, "      … and %" PRIu32 " more\n", t->nr_frames - MAX_STACK);
		else if (!t->complete)
			fprintf(out, "      … what called it is not known\n");
	}
}

static void print_task(const struct answer *a, uint32_t task, bool *seen, FILE *out)
{
	const struct answer_task *t = &a->tasks[task];

	fprintf(out, "%s%s (0x%" PRIx64 ") %s%s%s%s\n", t->name, t->root ? ", a root" : "", t->id,
		answer_state__words(t->state), *t->queue ? ", in " : "", t->queue,
		t->stuck ? ", and nobody can end that" : "");
	for (uint32_t i = t->chain; i < t->chain + t->nr_chain; i++)
		fprintf(out, "  %s:%" PRIu32 "  %s\n", a->places[i].file, a->places[i].line,
			a->places[i].function);
	print_waits(a, task, seen, 0, out);
	print_has(a, t, out);
	print_poll(a, task, out);
	fputc('\n', out);
}

size_t answer__print_tasks(const struct answer *a, const char *pattern, FILE *out)
{
	bool *seen = calloc(a->nr_tasks + 1, sizeof(*seen));
	uint64_t id = strncmp(pattern, "0x", 2) ? 0 : strtoull(pattern, NULL, 16);
	size_t nr = 0;

	for (uint32_t i = 0; i < a->nr_tasks && seen; i++) {
		if (!strstr(a->tasks[i].name, pattern) && !(id && a->tasks[i].id == id))
			continue;
		memset(seen, 0, a->nr_tasks * sizeof(*seen));
		print_task(a, i, seen, out);
		nr++;
	}
	free(seen);
	return nr;
}
