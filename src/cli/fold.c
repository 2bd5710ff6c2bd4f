/* SPDX-License-Identifier: GPL-2.0 */
/* dwell fold: folded stacks, one per line, for flamegraph.pl and similar tools. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/load.h"
#include "diff/comparable.h"
#include "join/join.h"
#include "output/folded_diff.h"
#include "output/output.h"

struct options {
	const char		*input, *task;
	enum join_idle		 idle;
	unsigned int		 follow;	/* how deep */
	bool			 diff;
	const char		*after;		/* with diff; input is before */
	struct output_opts	 output;
};

enum { KEY_TASK = 0x100, KEY_IDLE, KEY_FOLLOW, KEY_DIFF };

static const struct argp_option options[] = {
	{ "input", 'i', "FILE", 0, "the recording; - is standard input (" CLI_DEFAULT_FILE ")", 0 },
	{ "weight", 'w', "us|ns", 0, "unit of the weights (us)", 0 },
	{ "task", KEY_TASK, "PATTERN", 0, "only tasks whose name matches: 'app::*'", 0 },
	{ "idle", KEY_IDLE, "show|hide|only", 0, "waits of tasks that have nothing to do: all times (show), without these, or only these", 0 },
	ARGUMENTS_FOLLOW(KEY_FOLLOW, "below a wait for another task: what that did meanwhile, so many tasks deep (4)"),
	{ "diff", KEY_DIFF, NULL, 0, "two recordings, before and after: two weights for each stack", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'i':
	case ARGP_KEY_ARG:
		return arguments__inputs(state, &o->input, &o->after, o->diff, arg);
	case KEY_DIFF:
		o->diff = true;
		return 0;
	case KEY_TASK:
		o->task = arg;
		return 0;
	case KEY_IDLE:
		return arguments__idle(state, &o->idle, arg);
	case KEY_FOLLOW:
		return arguments__follow(state, &o->follow, arg);
	case 'w':
		if (!strcmp(arg, "us"))
			o->output.weight = OUTPUT_WEIGHT_US;
		else if (!strcmp(arg, "ns"))
			o->output.weight = OUTPUT_WEIGHT_NS;
		else
			return arguments__wrong(state, "--weight is us or ns, not %s", arg);
		return 0;
	case ARGP_KEY_END:
		if (o->diff && !o->after)
			return arguments__wrong(state, "--diff compares two recordings, before and after");
		if (!o->diff && o->after)
			return arguments__input(state, &o->input, o->after);
		if (!o->input)
			o->input = CLI_DEFAULT_FILE;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* May they be compared? 0, or negative errno with the message printed. */
static int check_two(const char *name, const struct options *o, const struct loaded l[SIDES])
{
	struct join *joins[SIDES] = { l[0].join, l[1].join };
	struct profile_facts f[SIDES];
	char *why;
	int err;

	for (unsigned int i = 0; i < SIDES; i++) {
		const struct trace_host *host = trace_reader__host(l[i].reader);

		f[i] = (struct profile_facts){ .path = i ? o->after : o->input, .comm = host->comm,
					       .tier = host->tier,
					       .tasks = join__totals(l[i].join)->tasks_seen };
	}
	err = comparable__refuse_joined((const struct profile_facts *[]){ &f[0], &f[1] }, joins,
					&why);
	if (err)
		say__line("%s: %s", name, err == -EINVAL ? why : strerror(-err));
	free(why);
	return err;
}

/* Folded stacks of both recordings, side by side. */
static int fold_diff(const char *name, const struct options *o)
{
	struct join *joins[SIDES];
	struct loaded l[SIDES];
	int err = load__trace(&l[0], name, o->input, o->task, o->idle, o->follow);

	if (err)
		return err;
	err = load__trace(&l[1], name, o->after, o->task, o->idle, o->follow);
	if (err)
		goto out;
	err = check_two(name, o, l);
	if (err)
		goto both;
	joins[0] = l[0].join;
	joins[1] = l[1].join;
	err = output_folded_diff__write(joins, o->output.weight, stdout);
	if (err)
		say__line("%s: cannot write the stacks: %s", name, strerror(-err));
	else
		err = l[0].status ? l[0].status : l[1].status;
both:
	load__free(&l[1]);
out:
	load__free(&l[0]);
	return err;
}

int cmd_fold(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[FILE]\n--diff BEFORE AFTER",
		.doc = "Print folded stacks: process, task, await frames, leaf, segment and what "
		       "the time went into, with the time as weight.",
	};
	struct options o = { 0 };
	struct loaded l;
	int err;

	err = arguments__parse(&argp, argc, argv, 0, &o);
	if (err)
		return err;
	if (o.diff)
		return fold_diff(argv[0], &o);
	err = load__trace(&l, argv[0], o.input, o.task, o.idle, o.follow);
	if (err)
		return err;
	if (join__unpolled(l.join))
		say__line("%s: %s: %s", argv[0], o.input, join__unpolled(l.join));
	err = output_format__write(output_format__find("folded"), l.join, l.reader, &o.output,
				   stdout);
	if (err)
		say__line("%s: cannot write the stacks: %s", argv[0], strerror(-err));
	else
		err = l.status;
	load__free(&l);
	return err;
}
