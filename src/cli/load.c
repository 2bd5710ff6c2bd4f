/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a file name to a finished join, with messages for everything that may be wrong
 * with the file.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/quantity.h"
#include "base/say.h"
#include "base/text_file.h"
#include "cli/load.h"
#include "join/join.h"

#define NAMES_SHOWN	5

/* No task's name matches @task: print the names that there are. */
static int say_no_task(const struct loaded *l, const char *name, const char *task)
{
	size_t nr, shown;
	const char *const *names = join__task_names(l->join, &nr);
	struct text_file t;
	FILE *out = text_file__open(&t);
	char *text;

	if (!out)
		return -ENOMEM;
	shown = nr > NAMES_SHOWN ? NAMES_SHOWN : nr;
	for (size_t i = 0; i < shown; i++)
		fprintf(out, "%s%s", i ? ", " : "", names[i]);
	if (nr > shown)
		fprintf(out, ", and %zu more", nr - shown);
	text = text_file__close(&t);
	say__line("%s: no task matches '%s' (a pattern: '*' is any text); there %s: %s", name, task,
		  nr == 1 ? "is" : "are", !nr ? "none" : text ? text : "others");
	free(text);
	return -ENOENT;
}

static bool nothing_matches(const struct join *j)
{
	struct join_all all;

	return join__selected(j, &all) && !join__totals(j)->tasks_seen;
}

struct choice {
	enum join_idle	idle;
	unsigned int	follow;
};

static int choose(void *ctx, struct join *j)
{
	const struct choice *c = ctx;

	join__select_idle(j, c->idle);
	return c->follow ? join__follow(j, c->follow) : 0;
}

int load__trace(struct loaded *l, const char *name, const char *path, const char *task,
		enum join_idle idle, unsigned int follow)
{
	struct choice choice = { .idle = idle, .follow = follow };

	return load__trace_with(l, name, path, task, choose, &choice);
}

int load__trace_with(struct loaded *l, const char *name, const char *path, const char *task,
		     int (*prepare)(void *ctx, struct join *j), void *ctx)
{
	char count[QUANTITY_MAX];
	const char *why, *torn;
	uint64_t damaged;
	int err;

	*l = (struct loaded){ 0 };
	err = trace_reader__open(path, &l->reader, &why);
	if (err) {
		say__line("%s: %s", name, why);
		return err;
	}
	torn = trace_reader__torn(l->reader);
	if (torn) {
		say__line("%s: %s: %s; what was recorded before is shown", name, path, torn);
		l->status = -ENODATA;
	}
	err = join__new(l->reader, &l->join);
	if (!err && prepare)
		err = prepare(ctx, l->join);
	if (err) {
		say__line("%s: out of memory", name);
		goto fail;
	}
	if (task)
		join__select(l->join, task);
	err = join__run(l->join);
	if (err == -EPROTO) {
		say__line("%s: error: %s; please report this with the file", name,
			  join__why(l->join));
		l->status = err;
	} else if (err) {
		say__line("%s: cannot read %s: %s", name, path, join__why(l->join));
		goto fail;
	}
	damaged = trace_reader__damaged(l->reader);
	if (damaged) {
		say__line("%s: %s: damaged chunks held %s event%s; the time of these is [unattributed]",
			  name, path, quantity__count(damaged, count), damaged == 1 ? "" : "s");
		if (!l->status)
			l->status = -EBADMSG;
	}
	if (!nothing_matches(l->join))
		return 0;
	err = say_no_task(l, name, task);
fail:
	load__free(l);
	return err;
}

void load__free(struct loaded *l)
{
	join__free(l->join);
	trace_reader__free(l->reader);
	*l = (struct loaded){ 0 };
}
