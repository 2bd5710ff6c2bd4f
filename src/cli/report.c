/* SPDX-License-Identifier: GPL-2.0 */
/* dwell report: where the time went, as text or as JSON. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/say.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/load.h"
#include "cli/terminal.h"
#include "output/output.h"

struct options {
	const char		*input, *task;
	bool			 json;
	unsigned int		 follow;	/* how deep */
	enum join_idle		 idle;
	struct output_opts	 output;
};

enum { KEY_JSON = 0x100, KEY_TOP, KEY_TASK, KEY_SORT, KEY_IDLE, KEY_FOLLOW };

static const struct argp_option options[] = {
	{ "input", 'i', "FILE", 0, "the recording; - is standard input (" CLI_DEFAULT_FILE ")", 0 },
	{ "json", KEY_JSON, NULL, 0, "one JSON object instead of the table", 0 },
	{ "top", KEY_TOP, "N", 0, "so many await points (20; all in JSON)", 0 },
	{ "task", KEY_TASK, "PATTERN", 0, "only tasks whose name matches: 'app::*'", 0 },
	{ "idle", KEY_IDLE, "show|hide|only", 0, "waits of tasks that have nothing to do: all times (show), without these, or only these", 0 },
	ARGUMENTS_FOLLOW(KEY_FOLLOW, "below a wait for another task: what that did meanwhile, so many tasks deep (4)"),
	{ "sort", KEY_SORT, "KEY", 0, "order: total (await + ready, the default), await, ready, count, p99 or max", 0 },
	{ 0 },
};

static error_t set_top(const struct argp_state *state, const char *arg, size_t *top)
{
	uint64_t n;

	if (!arguments__number(arg, 1, SIZE_MAX, &n))
		return arguments__wrong(state, "--top is a number of await points, not %s", arg);
	*top = n;
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'i':
	case ARGP_KEY_ARG:
		return arguments__input(state, &o->input, arg);
	case KEY_JSON:
		o->json = true;
		return 0;
	case KEY_TOP:
		return set_top(state, arg, &o->output.top);
	case KEY_TASK:
		o->task = arg;
		return 0;
	case KEY_IDLE:
		return arguments__idle(state, &o->idle, arg);
	case KEY_FOLLOW:
		return arguments__follow(state, &o->follow, arg);
	case KEY_SORT:
		if (!output_sort__find(arg, &o->output.sort))
			return arguments__wrong(state, "--sort is total, await, ready, count, p99 or "
						"max, not %s", arg);
		return 0;
	case ARGP_KEY_END:
		if (!o->input)
			o->input = CLI_DEFAULT_FILE;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int cmd_report(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[FILE]",
		.doc = "Show where the time of the tasks went, by task type and await point.\v"
		       "Waits are split by what they were for. `open' waits have a begin or an "
		       "end that was not seen (outside the recording, dropped, lost): they count in "
		       "sums but not in quantiles.",
	};
	struct options o = { 0 };
	struct loaded l;
	int err;

	err = arguments__parse(&argp, argc, argv, 0, &o);
	if (err)
		return err;
	err = load__trace(&l, argv[0], o.input, o.task, o.idle, o.follow);
	if (err)
		return err;
	o.output.columns = terminal__columns(STDOUT_FILENO);
	err = output_format__write(output_format__find(o.json ? "json" : "text"), l.join, l.reader,
				   &o.output, stdout);
	if (err)
		say__line("%s: cannot write the report: %s", argv[0], strerror(-err));
	else
		err = l.status;
	load__free(&l);
	return err;
}
