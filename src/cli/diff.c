/* SPDX-License-Identifier: GPL-2.0 */
/* dwell diff: what got slower between two recordings, or two sets of them. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/say.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/load.h"
#include "diff/diff.h"
#include "diff/text.h"
#include "join/sink.h"

struct files {
	const char	**list;
	size_t		 nr, room;
};

struct options {
	struct files		 side[SIDES];
	struct files		 plain;		/* without -a and -b: two of them */
	struct diff_opts	 diff;
	bool			 json;
};

enum { KEY_PER = 0x100, KEY_LEAST, KEY_JSON };

static const struct argp_option options[] = {
	{ "before", 'a', "FILE", 0, "a recording of before; may be repeated", 0 },
	{ "after", 'b', "FILE", 0, "a recording of after; may be repeated", 0 },
	{ "json", KEY_JSON, NULL, 0, "one JSON object, with all places", 0 },
	{ "per", KEY_PER, "PATTERN", 0, "costs of each task whose name matches, or of each wait in a function that does: 'app::handle*'", 0 },
	{ "least", KEY_LEAST, "PERCENT", 0, "of the time of a unit: less is no change (2; with one recording on a side 10)", 0 },
	{ 0 },
};

static error_t add(struct files *f, const char *path)
{
	if (array__room(&f->list, &f->room, f->nr, sizeof(*f->list)))
		return ENOMEM;
	f->list[f->nr++] = path;
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	double percent;
	char *end;

	switch (key) {
	case 'a':
		return add(&o->side[0], arg);
	case 'b':
		return add(&o->side[1], arg);
	case ARGP_KEY_ARG:
		return add(&o->plain, arg);
	case KEY_JSON:
		o->json = true;
		return 0;
	case KEY_PER:
		if (!*arg)
			return arguments__wrong(state, "--per names no task and no function");
		o->diff.per = arg;
		return 0;
	case KEY_LEAST:
		percent = strtod(arg, &end);
		/* strtod() takes blanks, signs, exponents and names of numbers, too */
		if (!*arg || arg[strspn(arg, "0123456789.")] || end == arg || *end ||
		    !(percent <= 100))
			return arguments__wrong(state, "--least is a percentage, 0 to 100, not %s", arg);
		o->diff.least = percent / 100;
		return 0;
	case ARGP_KEY_END:
		if (o->plain.nr && (o->plain.nr != 2 || o->side[0].nr || o->side[1].nr))
			return arguments__wrong(state, "two recordings, or -a FILE and -b FILE for each of several");
		if (o->plain.nr) {
			error_t err = add(&o->side[0], o->plain.list[0]);

			return err ? err : add(&o->side[1], o->plain.list[1]);
		}
		if (o->side[0].nr && !o->side[1].nr)
			return arguments__wrong(state, "-a, and nothing to compare it with: -b FILE is missing");
		if (o->side[1].nr && !o->side[0].nr)
			return arguments__wrong(state, "-b, and nothing to compare it with: -a FILE is missing");
		if (!o->side[0].nr)
			return arguments__wrong(state, "two recordings are to be given, before and after");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int prepare(void *ctx, struct join *j)
{
	join__add_sink(j, profile__sink(ctx, j));
	return 0;
}

/* Read @path as a recording of @side. 0, or negative errno with the message printed. */
static int take(struct diff *d, const char *name, unsigned int side, const char *path, bool windows)
{
	struct profile *p;
	struct loaded l;
	int err = profile__new(diff__names(d), windows, &p);

	if (err)
		goto memory;
	err = load__trace_with(&l, name, path, NULL, prepare, p);
	if (err) {
		profile__free(p);
		return err;
	}
	p->facts.path = path;
	err = profile__finish(p, l.reader);
	if (l.status == -EPROTO && !err) {
		/* that has been said; its times are not to be relied on */
		profile__free(p);
		load__free(&l);
		return -EPROTO;
	}
	load__free(&l);
	if (!err)
		err = diff__add(d, side, p);
	if (!err)
		return 0;
	profile__free(p);
memory:
	say__line("%s: out of memory", name);
	return err;
}

/* 0: no change or better; 1: worse; or negative errno with the message printed. */
static int compare(const struct options *o, const char *name, struct diff *d)
{
	enum verdict verdict;
	int err = 0;

	for (unsigned int side = 0; side < SIDES; side++)
		for (size_t i = 0; i < o->side[side].nr && !err; i++)
			err = take(d, name, side, o->side[side].list[i], o->side[side].nr == 1);
	if (err)
		return err;
	err = diff__compare(d);
	if (err) {
		say__line("%s: %s", name, err == -EINVAL ? diff__why(d) : strerror(-err));
		return err;
	}
	if (o->json)
		err = diff__json(d, stdout);
	else
		diff__text(d, stdout);
	if (err) {
		say__line("%s: cannot write the comparison: %s", name, strerror(-err));
		return err;
	}
	/* an output that is not complete must not look as if something were worse */
	if (fflush(stdout) || ferror(stdout)) {
		err = errno ? -errno : -EIO;
		say__line("%s: standard output: %s", name, strerror(-err));
		return err;
	}
	diff__total(d, &verdict);
	return verdict == VERDICT_WORSE;
}

int cmd_diff(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "BEFORE AFTER\n-a FILE... -b FILE...",
		.doc = "Tell what got slower, where, and how sure that is.\v"
		       "With several recordings of each, the intervals tell how much runs differ anyway. "
		       "The exit status is 0 if nothing is worse, 1 if something is, 2 after an error.",
	};
	struct options o = { .diff.least = -1 };
	struct diff *d = NULL;
	int err;

	err = arguments__parse(&argp, argc, argv, 0, &o);
	if (!err) {
		err = diff__new(&o.diff, &d);
		if (err)
			say__line("%s: out of memory", argv[0]);
		else
			err = compare(&o, argv[0], d);
		diff__free(d);
		err = err < 0 ? CLI_USAGE : err;
	}
	free(o.plain.list);
	free(o.side[0].list);
	free(o.side[1].list);
	return err;
}
