/* SPDX-License-Identifier: GPL-2.0 */
/* What `dwell why' tells of a recording. See why_recording.h. */
#include "cli/why_recording.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/duration.h"
#include "base/quantity.h"
#include "base/say.h"
#include "cli/arguments.h"
#include "cli/load.h"
#include "cli/looks.h"
#include "join/join.h"

#define SLOWEST_MAX	100000

void why_recording__init(struct why_recording *o)
{
	*o = (struct why_recording){ 0 };
	for (int i = 0; i < LINT_NR; i++)
		o->past.limits[i] = lints[i].limit;
}

/* ---- options ---- */

static error_t set_time(const struct argp_state *state, const char *option, const char *arg,
			uint64_t *ns)
{
	if (duration__parse(arg, ns))
		return arguments__wrong(state, "--%s is a time, as 10s, 500ms, 2m or 1.5 are, not "
					"%s", option, *arg ? arg : "nothing");
	return 0;
}

static error_t set_limit(const struct argp_state *state, struct why_recording *o, int id,
			 const char *arg)
{
	const struct lint *lint = &lints[id];
	uint64_t *limit = &o->past.limits[id];

	if (!strcmp(arg, "off")) {
		*limit = LINT_OFF;
		return 0;
	}
	if (lint->unit == LINT_TIME)
		return set_time(state, lint->option, arg, limit);
	if (!arguments__number(arg, 1, lint->unit == LINT_PERCENT ? 100 : 1000000, limit))
		return arguments__wrong(state, "--%s is a number%s, or off, not %s", lint->option,
					lint->unit == LINT_PERCENT ? " from 1 to 100" : "", arg);
	return 0;
}

error_t why_recording__parse(struct why_recording *o, int key, char *arg,
			     const struct argp_state *state)
{
	uint64_t n;

	switch (key) {
	case OPT_AT:
		o->asked_by = "--at";
		o->past.has_at = true;
		return set_time(state, "at", arg, &o->past.at);
	case OPT_SLOWEST:
		o->asked_by = "--slowest";
		if (!arguments__number(arg, 1, SLOWEST_MAX, &n))
			return arguments__wrong(state, "--slowest is a number of waits, not %s", arg);
		o->past.slowest = n;
		return 0;
	}
	if (key <= OPT_SLOWEST || key > OPT_SLOWEST + LINT_NR)
		return ARGP_ERR_UNKNOWN;
	o->asked_by = "a limit of a lint";
	return set_limit(state, o, key - OPT_SLOWEST - 1, arg);
}

/* ---- the answer ---- */

static int attach(void *ctx, struct join *j)
{
	return past__attach(ctx, j);
}

static int finish(const struct why_recording *o, const char *name, struct past *p)
{
	char wall[QUANTITY_MAX];
	int err = past__finish(p);

	if (err == -ERANGE)
		say__line("%s: %s: --at is behind the end: the recording is %s long", name, o->input,
			  quantity__time(join__totals(p->join)->wall_ns, wall));
	else if (err == -ENOENT)
		say__line("%s: %s: no task has such a name or id: %s", name, o->input,
			  o->past.pattern);
	else if (err)
		say__line("%s: out of memory", name);
	return err;
}

static int print_json(const struct past *p, const struct look *look)
{
	json_t *all = past__to_json(p);
	int err = all ? look__add_to_json(look, all) : -ENOMEM;

	if (!err && (json_dumpf(all, stdout, JSON_INDENT(1)) || fputc('\n', stdout) == EOF))
		err = -EIO;
	json_decref(all);
	return err;
}

static int print(const struct why_recording *o, const struct past *p, const struct look *look)
{
	if (o->json)
		return print_json(p, look);
	if (!o->past.slowest && !o->past.pattern)
		look__text(look, stdout);
	if (o->past.has_at)
		past__text_at(p, stdout);
	if (o->past.slowest)
		past__text_slowest(p, stdout);
	if (o->past.pattern) {
		look__text_tasks(look, o->past.pattern, stdout);
		past__text_tasks(p, stdout);
	}
	if (!o->past.has_at && !o->past.slowest && !o->past.pattern)
		past__text(p, stdout);
	return 0;
}

int why_recording__run(const struct why_recording *o, const char *name)
{
	struct loaded l = { 0 };
	struct look look = { .found = false };
	struct past *p;
	int err = past__new(&o->past, &p);

	if (err) {
		say__line("%s: out of memory", name);
		past__free(p);
		return err;
	}
	err = load__trace_with(&l, name, o->input, NULL, attach, p);
	if (err) {
		past__free(p);
		return err;
	}
	if (join__unpolled(l.join))
		say__line("%s: %s: %s", name, o->input, join__unpolled(l.join));
	err = look__load(&look, l.reader, o->past.has_at ? &o->past.at : NULL);
	if (look.why)
		say__line("%s: %s: %s", name, o->input, look.why);
	if (!err)
		err = finish(o, name, p);
	if (!err) {
		err = print(o, p, &look);
		if (err)
			say__line("%s: cannot write: %s", name, strerror(-err));
	}
	past__free(p);
	look__free(&look);
	if (!err)
		err = l.status;
	load__free(&l);
	return err;
}
