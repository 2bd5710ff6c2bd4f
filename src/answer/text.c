// SPDX-License-Identifier: GPL-2.0
/* Findings and tasks as text. See answer.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "answer/answer.h"
#include "base/quantity.h"

#define MAX_PARTIES	24	/* of a finding that are shown */
#define MAX_GROUPS	40	/* of tasks that wait at one place */

static void print_place(FILE *out, struct answer_place at)
{
	char text[64] = "";

	if (at.line)
		snprintf(text, sizeof(text), "%s:%" PRIu32, at.file, at.line);
	fprintf(out, "%-24s", text);
}

static void print_finding(const struct answer *a, size_t i, FILE *out)
{
	const struct answer_finding *f = &a->findings[i];
	char span[QUANTITY_MAX];

	fprintf(out, "%zu. %s: %s.\n", i + 1, f->kind, f->text);
	for (uint32_t k = 0; k < f->nr_parties && k < MAX_PARTIES; k++) {
		const struct answer_party *p = &a->parties[f->parties + k];

		fprintf(out, "     %-8s ", p->role);
		print_place(out, p->place);
		fprintf(out, " %s", p->text);
		if (p->count > 1)
			fprintf(out, " (%" PRIu32 " such)", p->count);
		fputc('\n', out);
	}
	if (f->nr_parties > MAX_PARTIES)
		fprintf(out, "     … and %" PRIu32 " more\n", f->nr_parties - MAX_PARTIES);
	if (*f->resource)
		fprintf(out, "     %s\n", f->resource);
	if (f->since_ns)
		fprintf(out, "     unchanged for at least %s\n\n", quantity__time(f->since_ns, span));
	else
		fprintf(out, "     so in each look\n\n");
}

/* ---- tasks by where they wait ---- */

struct group {
	const char		*task;
	enum answer_state	 state;
	struct answer_place	 at;
	const char		*in;
	uint32_t		 nr;
	bool			 root;
};

static int group_cmp(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return x->nr != y->nr ? (x->nr < y->nr ? 1 : -1) : strcmp(x->task, y->task);
}

static size_t find_group(struct group *groups, size_t nr, const struct group *g)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(groups[i].task, g->task) && groups[i].state == g->state &&
		    groups[i].at.line == g->at.line && !strcmp(groups[i].at.file, g->at.file) &&
		    !strcmp(groups[i].in, g->in))
			return i;
	return nr;
}

static void print_groups(const struct answer *a, FILE *out)
{
	struct group *groups = calloc(a->nr_tasks + 1, sizeof(*groups));
	size_t nr = 0;

	for (size_t i = 0; i < a->nr_tasks && groups; i++) {
		const struct answer_task *t = &a->tasks[i];
		struct group g = { .task = t->name, .state = t->state, .root = t->root,
				   .at = { "", "", 0 }, .in = "" };
		size_t at;

		/* its innermost await point in own code, if what is awaited there is not known */
		if (t->nr_chain)
			g.at = a->places[t->chain + (t->own ? t->own : t->nr_chain) - 1];
		for (uint32_t k = t->waits; k < t->waits + t->nr_waits; k++) {
			if (a->waits[k].unpolled)
				continue;
			g.at = a->waits[k].place;
			g.in = a->waits[k].in;
			break;
		}
		at = find_group(groups, nr, &g);
		if (at == nr)
			groups[nr++] = g;
		groups[at].nr++;
	}
	if (groups)
		qsort(groups, nr, sizeof(*groups), group_cmp);
	fprintf(out, "%zu task%s\n", a->nr_tasks, a->nr_tasks == 1 ? "" : "s");
	for (size_t i = 0; i < nr && i < MAX_GROUPS; i++) {
		fprintf(out, "  %6" PRIu32 "  ", groups[i].nr);
		print_place(out, groups[i].at);
		fprintf(out, " %s%s %s%s%s\n", groups[i].task, groups[i].root ? " (root)" : "",
			answer_state__words(groups[i].state), *groups[i].in ? " in " : "",
			groups[i].in);
	}
	if (nr > MAX_GROUPS)
		fprintf(out, "  … and %zu more places\n", nr - MAX_GROUPS);
	free(groups);
}

void answer__print_findings(const struct answer *a, FILE *out)
{
	if (!a->nr_findings)
		fprintf(out, "No finding: nobody waits for what cannot come, as far as can be seen.\n\n");
	for (size_t i = 0; i < a->nr_findings; i++)
		print_finding(a, i, out);
	if (a->incomplete)
		fprintf(out, "Not all tasks, or not all that they have, could be read in time.\n");
	if (a->untold)
		fprintf(out, "%" PRIu32 " threads are in polls of tasks that are not known.\n",
			a->untold);
}

void answer__print(const struct answer *a, FILE *out)
{
	answer__print_findings(a, out);
	print_groups(a, out);
}
