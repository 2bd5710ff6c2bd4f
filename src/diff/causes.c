/* SPDX-License-Identifier: GPL-2.0 */
/* What explains a change. See causes.h. */
#include "diff/causes.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The text behind @word in @text; NULL: it is not in there. */
static const char *behind(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	return at ? at + strlen(word) : NULL;
}

/* Is @name what @text begins with, up to its end or to @next? */
static bool begins(const char *text, const char *name, const char *next)
{
	size_t len = strlen(name);

	return *name && !strncmp(text, name, len) &&
	       (!text[len] || !strncmp(text + len, next, strlen(next)));
}

/* Does the change of @p count, in the direction of @change? */
static bool counts(const struct diff_place *p, double change)
{
	return p->verdict != VERDICT_SAME && (p->cost.change > 0) == (change > 0);
}

/* The key of the side on which the part is named: that of after, if it is there. */
static const struct cost_key *key_of(const struct diff_place *p)
{
	return &p->key[p->is[1] ? 1 : 0];
}

/* Is @p the await behind " after " in @text, as in "by task X after f (x.rs:12)"? */
static bool is_await_after(const struct diff_place *p, const char *text)
{
	const char *after = behind(text, " after ");

	return after && p->kind == COST_AWAIT && begins(after, key_of(p)->function, " (");
}

/* The place of the task named at @task that explains @change best; @after: text with its await. */
static const struct diff_place *explains(const struct diff *d, const char *task, const char *after,
					 unsigned int kinds, const struct diff_place *not,
					 double change)
{
	const struct diff_place *best = NULL;

	for (size_t i = 0; i < d->nr_places; i++) {
		const struct diff_place *p = &d->places[i];

		if (p == not || !counts(p, change) || !begins(task, key_of(p)->task, " after "))
			continue;
		if (!(kinds & 1u << p->kind) && !(after && is_await_after(p, after)))
			continue;
		if (!best || fabs(p->cost.change) > fabs(best->cost.change))
			best = p;
	}
	return best;
}

/* What the part @name of place @p is due to; NULL: to the place itself. */
static const struct diff_place *cause_of(const struct diff *d, const struct diff_place *p,
					 const struct diff_part *part)
{
	static const struct {
		const char	*word;
		unsigned int	 kinds;		/* of costs that explain it, a bit each */
	} ways[] = {
		{ "worker blocked in task ", 1u << COST_BLOCKED },
		{ "worker that was blocked in task ", 1u << COST_BLOCKED },
		{ "worker blocked: task ", 1u << COST_BLOCKED },
		{ "worker busy with task ", 1u << COST_RUNNING },
		{ "worker that was busy with task ", 1u << COST_RUNNING },
		{ "worker busy: task ", 1u << COST_RUNNING },
		{ "job blocked: blocking job ", 1u << COST_BLOCKED },
		{ "job running: blocking job ", 1u << COST_RUNNING },
		{ "until woken: by task ", 1u << COST_BLOCKED | 1u << COST_RUNNING },
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		const char *task = behind(part->name, ways[i].word);

		if (task)
			return explains(d, task, part->name, ways[i].kinds, p, part->cost.change);
	}
	return NULL;
}

int causes__find(struct diff *d)
{
	for (size_t i = 0; i < d->nr_places; i++) {
		struct diff_place *p = &d->places[i];

		for (size_t k = 0; k < p->nr_parts && p->verdict != VERDICT_SAME; k++) {
			const struct diff_place *cause = cause_of(d, p, &p->parts[k]);
			struct diff_place *c = cause ? &d->places[cause - d->places] : NULL;

			if (!c)
				continue;
			p->parts[k].cause = (uint32_t)(c - d->places) + 1;
			p->explained += p->parts[k].cost.change;
			c->explains += p->parts[k].cost.change;
		}
	}
	return 0;
}

void causes__sort(struct diff *d, int (*cmp)(const void *a, const void *b))
{
	struct diff_place *was = d->places, *sorted = calloc(d->nr_places + 1, sizeof(*sorted));
	uint32_t *now = calloc(d->nr_places + 1, sizeof(*now));

	/* without memory they stay as they are, which is right too */
	if (!sorted || !now) {
		free(sorted);
		free(now);
		return;
	}
	for (size_t i = 0; i < d->nr_places; i++) {
		sorted[i] = was[i];
		sorted[i].number = (uint32_t)i;
	}
	if (d->nr_places)
		qsort(sorted, d->nr_places, sizeof(*sorted), cmp);
	for (size_t i = 0; i < d->nr_places; i++)
		now[sorted[i].number] = (uint32_t)i;
	for (size_t i = 0; i < d->nr_places; i++)
		for (size_t k = 0; k < sorted[i].nr_parts; k++)
			if (sorted[i].parts[k].cause)
				sorted[i].parts[k].cause = now[sorted[i].parts[k].cause - 1] + 1;
	free(was);
	free(now);
	d->places = sorted;
}
