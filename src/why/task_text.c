// SPDX-License-Identifier: GPL-2.0
/*
 * One task in depth: its await points, what it waits for, who could end that and what those
 * wait for in turn, and what the task has meanwhile. See why.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "why/graph.h"
#include "why/why.h"

#define MAX_DEPTH	6	/* of those who could end a wait, and so on */
#define MAX_EDGES	8	/* of one wait that are shown */

static void indent(FILE *out, unsigned int depth)
{
	fprintf(out, "%*s", (int)(4 + 2 * depth), "");
}

static void print_place(FILE *out, struct why_place at)
{
	if (at.line)
		fprintf(out, "%s:%" PRIu32 " ", at.file, at.line);
}

static void print_key(const struct why *y, uint32_t wait, FILE *out)
{
	const struct picture_wait *w = &y->p.waits[wait];
	const struct graph_wait *g = &y->g->waits[wait];
	char text[QUANTITY_MAX];

	switch (w->key.kind) {
	case WALK_KEY_ADDRESS:
		fprintf(out, " at 0x%" PRIx64, (uint64_t)w->key.value);
		break;
	case WALK_KEY_DEADLINE:
		if (w->key.value > y->p.ts)
			fprintf(out, ", %s to go", quantity__time(w->key.value - y->p.ts, text));
		else
			fprintf(out, ", %s ago", quantity__time(y->p.ts - w->key.value, text));
		break;
	case WALK_KEY_UNREAD:
		fprintf(out, " (what it is could not be read)");
		break;
	default:
		break;
	}
	if (w->node && w->queued && !w->needs)
		fprintf(out, ", granted");
	else if (g->place != WALK_NONE)
		fprintf(out, ", %" PRIu32 " before it in the queue", g->place);
	if (g->nr_edges && !g->closed)
		fprintf(out, ", perhaps by others too");
}

/* Who could end wait @wait, and what they wait for. */
static void print_enders(const struct why *y, uint32_t wait, bool *seen, unsigned int depth,
			 FILE *out);

static void print_waits(const struct why *y, uint32_t task, bool *seen, unsigned int depth,
			FILE *out)
{
	const struct picture_task *t = &y->p.tasks[task];

	if (seen[task]) {
		indent(out, depth);
		fprintf(out, "(told above)\n");
		return;
	}
	seen[task] = true;
	for (uint32_t i = t->waits; i < t->waits + t->nr_waits; i++) {
		if (y->p.waits[i].unpolled)
			continue;
		indent(out, depth);
		fprintf(out, "waits at ");
		print_place(out, why__wait_place(y, i));
		fprintf(out, "in %s", why__waits_in(y, i));
		print_key(y, i, out);
		fputc('\n', out);
		print_enders(y, i, seen, depth + 1, out);
	}
}

static void print_enders(const struct why *y, uint32_t wait, bool *seen, unsigned int depth,
			 FILE *out)
{
	const struct graph_wait *w = &y->g->waits[wait];
	const char *local;

	if (depth > MAX_DEPTH)
		return;
	for (uint32_t i = w->edges; i < w->edges + w->nr_edges; i++) {
		const struct graph_edge *e = &y->g->edges[i];

		indent(out, depth);
		if (i == w->edges + MAX_EDGES) {
			fprintf(out, "… and %" PRIu32 " more\n", w->nr_edges - MAX_EDGES);
			return;
		}
		switch (e->reason) {
		case GRAPH_HANDLE:
			print_place(out, why__handle_place(y, e->by, &local));
			fprintf(out, "%s has %s\n", why__task(y, e->to),
				*local ? local : "a handle to it");
			break;
		case GRAPH_AHEAD:
			print_place(out, why__wait_place(y, e->by));
			fprintf(out, "%s is before it in the queue\n", why__task(y, e->to));
			break;
		case GRAPH_GRANTED:
			print_place(out, why__wait_place(y, e->by));
			fprintf(out, "%s has been granted it\n", why__task(y, e->to));
			break;
		case GRAPH_JOINED:
			fprintf(out, "%s is the task that it joins\n", why__task(y, e->to));
			break;
		}
		print_waits(y, e->to, seen, depth + 1, out);
	}
}

static void print_has(const struct why *y, const struct picture_task *t, FILE *out)
{
	const struct image_handle *types;
	const char *local;
	size_t nr;

	types = image__handles(y->p.img, &nr);
	for (uint32_t i = t->handles; i < t->handles + t->nr_handles; i++) {
		const struct picture_handle *h = &y->p.handles[i];
		struct why_place at = why__handle_place(y, i, &local);

		fprintf(out, "    has %s, a %s of 0x%" PRIx64 " ", *local ? local : "a value",
			image__str(y->p.img, types[h->handle].name), h->object);
		if (at.line)
			fprintf(out, "(%s:%" PRIu32 ")", at.file, at.line);
		fprintf(out, "%s\n", h->unpolled ? ", in a future that is not polled" : "");
	}
}

static void print_task(const struct why *y, uint32_t task, bool *seen, FILE *out)
{
	const struct picture_task *t = &y->p.tasks[task];
	const struct image_variant *variants;
	const struct image_type *types;
	size_t nr, nr_types;

	variants = image__variants(y->p.img, &nr);
	types = image__types(y->p.img, &nr_types);
	fprintf(out, "%s%s (0x%" PRIx64 ") %s%s\n", why__task(y, task), t->root ? ", a root" : "",
		t->id, why__state(t->state), y->g->stuck[task] ? ", and nobody can end that" : "");
	for (uint32_t i = t->frames; i < t->frames + t->nr_frames; i++) {
		const struct picture_frame *f = &y->p.frames[i];

		if (f->kept_at != WALK_NONE || f->variant >= nr || f->type >= nr_types ||
		    !variants[f->variant].line)
			continue;
		fprintf(out, "  %s:%" PRIu32 "  %s\n", image__str(y->p.img, variants[f->variant].file),
			variants[f->variant].line, image__str(y->p.img, types[f->type].shortname));
	}
	print_waits(y, task, seen, 0, out);
	print_has(y, t, out);
	fputc('\n', out);
}

size_t why__task_text(const struct why *y, const char *pattern, FILE *out)
{
	bool *seen = calloc(y->p.nr_tasks + 1, sizeof(*seen));
	uint64_t id = strtoull(pattern, NULL, 16);
	size_t nr = 0;

	for (uint32_t i = 0; i < y->p.nr_tasks && seen; i++) {
		if (!strstr(why__task(y, i), pattern) &&
		    !(id && !strncmp(pattern, "0x", 2) && y->p.tasks[i].id == id))
			continue;
		memset(seen, 0, y->p.nr_tasks * sizeof(*seen));
		print_task(y, i, seen, out);
		nr++;
	}
	free(seen);
	return nr;
}
