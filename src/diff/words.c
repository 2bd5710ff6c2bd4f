/* SPDX-License-Identifier: GPL-2.0 */
/* Names of a comparison's results. See words.h. */
#include "diff/words.h"

#include <stdio.h>
#include <string.h>

const char *cost_kind__name(uint8_t kind)
{
	static const char *const names[COST_TIMES] = {
		[COST_AWAIT] = "await",		[COST_READY] = "ready",
		[COST_RUNNING] = "running",	[COST_PREEMPTED] = "preempted",
		[COST_BLOCKED] = "blocked",	[COST_UNATTRIBUTED] = "unattributed",
	};

	return kind < COST_TIMES ? names[kind] : "";
}

const char *verdict__name(enum verdict v)
{
	static const char *const names[] = {
		[VERDICT_SAME] = "no change", [VERDICT_WORSE] = "worse", [VERDICT_BETTER] = "better",
	};

	return names[v];
}

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "web.rs:12", "web.rs:12 → web.rs:15"; "" if no line is known. */
static void lines(const struct diff_place *p, char *out, size_t size)
{
	const struct cost_key *a = p->is[0] ? &p->key[0] : &p->key[1];
	const struct cost_key *b = p->is[1] ? &p->key[1] : &p->key[0];

	if (!*b->path)
		*out = '\0';
	else if (a->line == b->line && a->path == b->path)
		snprintf(out, size, " (%s:%u)", base(b->path), b->line);
	else
		snprintf(out, size, " (%s:%u → %s:%u)", base(a->path), a->line, base(b->path),
			 b->line);
}

char *place__name(const struct diff_place *p, char out[PLACE_MAX])
{
	const struct cost_key *key = &p->key[p->is[1] ? 1 : 0];
	char at[128];

	lines(p, at, sizeof(at));
	if (*key->function)
		snprintf(out, PLACE_MAX, "%s%s%s%s", key->function, at, *key->what ? " on " : "",
			 key->what);
	else if (p->kind == COST_AWAIT || p->kind == COST_BLOCKED)
		snprintf(out, PLACE_MAX, "(place not seen)%s%s", *key->what ? " on " : "", key->what);
	else
		snprintf(out, PLACE_MAX, "task %s", key->task);
	return out;
}

const char *place__change(const struct diff_place *p)
{
	static const char *const verbs[COST_TIMES][2] = {
		[COST_AWAIT] = { "waits longer", "waits shorter" },
		[COST_READY] = { "is ready for longer before it is polled", "is polled sooner" },
		[COST_RUNNING] = { "runs longer", "runs shorter" },
		[COST_PREEMPTED] = { "waits longer for a CPU", "waits shorter for a CPU" },
		[COST_BLOCKED] = { "blocks its thread longer", "blocks its thread shorter" },
		[COST_UNATTRIBUTED] = { "is less known", "is better known" },
	};

	switch (p->change) {
	case CHANGE_NONE:
		return "no change";
	case CHANGE_LONGER:
		return verbs[p->kind][0];
	case CHANGE_SHORTER:
		return verbs[p->kind][1];
	case CHANGE_MORE_OFTEN:
		return "waits more often";
	case CHANGE_LESS_OFTEN:
		return "waits less often";
	case CHANGE_NEW:
		return "is new";
	case CHANGE_GONE:
		return "is gone";
	}
	return "";
}

const char *unit__name(enum diff_unit u)
{
	static const char *const names[] = {
		[UNIT_SECOND] = "second", [UNIT_REQUEST] = "request", [UNIT_TASK] = "task",
		[UNIT_AWAIT] = "await",
	};

	return names[u];
}

const char *unit__what(enum diff_unit u)
{
	static const char *const what[] = {
		[UNIT_SECOND] = "a second of the recording",
		[UNIT_REQUEST] = "a request: data that came over a connection that waited for it",
		[UNIT_TASK] = "a task that ended, of those that --per names",
		[UNIT_AWAIT] = "a wait that ended, of those that --per names",
	};

	return what[u];
}
