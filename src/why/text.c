// SPDX-License-Identifier: GPL-2.0
/* Findings and tasks as text. See why.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "why/graph.h"
#include "why/why.h"

#define MAX_PARTIES	24	/* of a finding that are shown */
#define MAX_GROUPS	40	/* of tasks that wait at one place */

static void print_place(FILE *out, struct why_place at)
{
	char text[64] = "";

	if (at.line)
		snprintf(text, sizeof(text), "%s:%" PRIu32, at.file, at.line);
	fprintf(out, "%-24s", text);
}

static void print_finding(const struct why *y, const struct why_finding *f, size_t i, FILE *out)
{
	char span[QUANTITY_MAX];

	(void)y;
	fprintf(out, "%zu. %s: %s.\n", i + 1, f->kind, f->text);
	for (size_t k = 0; k < f->nr_parties && k < MAX_PARTIES; k++) {
		const struct why_party *p = &f->parties[k];

		fprintf(out, "     %-8s ", p->role);
		print_place(out, p->place);
		fprintf(out, " %s", p->text);
		if (p->count > 1)
			fprintf(out, " (%" PRIu32 " such)", p->count);
		fputc('\n', out);
	}
	if (f->nr_parties > MAX_PARTIES)
		fprintf(out, "     … and %zu more\n", f->nr_parties - MAX_PARTIES);
	if (f->resource)
		fprintf(out, "     %s\n", f->resource);
	if (f->since_ns)
		fprintf(out, "     unchanged for at least %s\n\n", quantity__time(f->since_ns, span));
	else
		fprintf(out, "     so in each look\n\n");
}

/* ---- tasks by where they wait ---- */

struct group {
	const char		*task;
	enum picture_state	 state;
	struct why_place	 at;
	char			 in[128];
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

static void print_tasks(const struct why *y, FILE *out)
{
	struct group *groups = calloc(y->p.nr_tasks + 1, sizeof(*groups));
	size_t nr = 0;

	for (uint32_t i = 0; i < y->p.nr_tasks && groups; i++) {
		const struct picture_task *t = &y->p.tasks[i];
		struct group g = { .task = why__task(y, i), .state = t->state, .root = t->root,
				   .at = { "", "", 0 } };
		size_t at;

		for (uint32_t k = t->waits; k < t->waits + t->nr_waits; k++) {
			if (y->p.waits[k].unpolled)
				continue;
			g.at = why__wait_place(y, k);
			snprintf(g.in, sizeof(g.in), "%s", why__waits_in(y, k));
			break;
		}
		at = find_group(groups, nr, &g);
		if (at == nr)
			groups[nr++] = g;
		groups[at].nr++;
	}
	if (groups)
		qsort(groups, nr, sizeof(*groups), group_cmp);
	fprintf(out, "%zu task%s\n", y->p.nr_tasks, y->p.nr_tasks == 1 ? "" : "s");
	for (size_t i = 0; i < nr && i < MAX_GROUPS; i++) {
		fprintf(out, "  %6" PRIu32 "  ", groups[i].nr);
		print_place(out, groups[i].at);
		fprintf(out, " %s%s %s%s%s\n", groups[i].task, groups[i].root ? " (root)" : "",
			why__state(groups[i].state), *groups[i].in ? " in " : "", groups[i].in);
	}
	if (nr > MAX_GROUPS)
		fprintf(out, "  … and %zu more places\n", nr - MAX_GROUPS);
	free(groups);
}

void why__text(const struct why *y, FILE *out)
{
	if (!y->nr_findings)
		fprintf(out, "No finding: nobody waits for what cannot come, as far as can be seen.\n\n");
	for (size_t i = 0; i < y->nr_findings; i++)
		print_finding(y, &y->findings[i], i, out);
	if (y->p.incomplete)
		fprintf(out, "Not all tasks, or not all that they have, could be read in time.\n");
	if (y->p.untold)
		fprintf(out, "%u threads are in polls of tasks that are not known.\n", y->p.untold);
	print_tasks(y, out);
}
