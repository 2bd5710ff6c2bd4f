// SPDX-License-Identifier: GPL-2.0
/* dwell flamegraph: draws a recording, the difference of two, or folded stacks. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/say.h"
#include "base/text_file.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/flamegraph_diff.h"
#include "cli/load.h"
#include "flamegraph/flamegraph.h"
#include "join/join.h"
#include "output/output.h"

#define DEFAULT_OUTPUT	"dwell.svg"

enum {
	OPT_TITLE = 256, OPT_WIDTH, OPT_MINWIDTH, OPT_TASK, OPT_FOLDED, OPT_IDLE, OPT_FOLLOW,
	OPT_DIFF,
};

static const struct argp_option options[] = {
	{ "input", 'i', "FILE", 0, "Read FILE (default " CLI_DEFAULT_FILE ", - for standard input)", 0 },
	{ "output", 'o', "FILE", 0, "Write to FILE (default " DEFAULT_OUTPUT ", - for standard output)", 0 },
	{ "title", OPT_TITLE, "TITLE", 0, "The picture's title", 0 },
	{ "width", OPT_WIDTH, "PX", 0, "Width of the still image (default 1200); a browser fits it to the window", 0 },
	{ "minwidth", OPT_MINWIDTH, "PX", 0, "Merge narrower frames into one (default 0.1)", 0 },
	{ "task", OPT_TASK, "PATTERN", 0, "Only tasks whose name matches: 'app::*'", 0 },
	{ "idle", OPT_IDLE, "show|hide|only", 0, "Waits of tasks that have nothing to do: without these (hide, the default), all times, or only these", 0 },
	ARGUMENTS_FOLLOW(OPT_FOLLOW, "Below a wait for another task: what that did meanwhile, so many tasks deep (4)"),
	{ "diff", OPT_DIFF, NULL, 0, "What changed between two recordings; or, with --folded, between two weights of each stack", 0 },
	{ "folded", OPT_FOLDED, "us|ns", OPTION_ARG_OPTIONAL, "The input is folded stacks, weights in this unit (default us)", 1 },
	{ 0 }
};

struct arguments {
	const char	*input, *output;
	const char	*title, *task;
	enum join_idle	 idle;
	unsigned int	 follow;		/* how deep */
	bool		 diff;
	const char	*after;			/* of two recordings; input is before */
	uint32_t	 width, minwidth;
	uint64_t	 folded_unit;		/* ns; 0: the input is a recording */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;
	uint64_t width;
	double minwidth;
	char *end;

	switch (key) {
	case 'i':
	case ARGP_KEY_ARG:
		return arguments__inputs(state, &a->input, &a->after, a->diff, arg);
	case 'o':
		a->output = arg;
		break;
	case OPT_TASK:
		a->task = arg;
		break;
	case OPT_IDLE:
		return arguments__idle(state, &a->idle, arg);
	case OPT_DIFF:
		a->diff = true;
		break;
	case OPT_FOLLOW:
		return arguments__follow(state, &a->follow, arg);
	case OPT_TITLE:
		a->title = arg;
		break;
	case OPT_WIDTH:
		if (!arguments__number(arg, FLAMEGRAPH_WIDTH_MIN, FLAMEGRAPH_WIDTH_MAX, &width))
			return arguments__wrong(state, "not a width between %d and %d px: %s",
						FLAMEGRAPH_WIDTH_MIN, FLAMEGRAPH_WIDTH_MAX, arg);
		a->width = (uint32_t)width;
		break;
	case OPT_MINWIDTH:
		minwidth = strtod(arg, &end);
		if (*end || !(minwidth >= 0.01 && minwidth <= 100))
			return arguments__wrong(state, "not a width between 0.01 and 100 px: %s",
						arg);
		a->minwidth = minwidth * 100 + 0.5;
		break;
	case OPT_FOLDED:
		if (!arg || !strcmp(arg, "us"))
			a->folded_unit = 1000;
		else if (!strcmp(arg, "ns"))
			a->folded_unit = 1;
		else
			return arguments__wrong(state, "not a unit of weights, us or ns: %s", arg);
		break;
	case ARGP_KEY_END:
		if (a->diff && !a->folded_unit && !a->after)
			return arguments__wrong(state, "--diff compares two recordings, before and "
						"after");
		if (a->after && (!a->diff || a->folded_unit))
			return arguments__input(state, &a->input, a->after);
		if (!a->input)
			a->input = CLI_DEFAULT_FILE;
		if (a->task && a->folded_unit)
			return arguments__wrong(state, "--task is of a recording, and --folded reads "
						"none");
		if (a->follow && a->folded_unit)
			return arguments__wrong(state, "--follow is of a recording, and --folded "
						"reads none");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	options, parse, "[FILE]\n--diff BEFORE AFTER",
	"Draw where the tasks' time went as a flame graph: an SVG that stands alone and, in a "
	"browser, can be zoomed and searched.",
	NULL, NULL, NULL
};

static const char *display_name(const char *path, const char *stream)
{
	return strcmp(path, "-") ? path : stream;
}

static const char *describe(int err)
{
	if (err == -EOVERFLOW)
		return "the times add up to more than 584 years: too much for one picture";
	return strerror(-err);
}

static void say_empty(const char *name, const char *path, const char *unpolled)
{
	say__line("%s: %s: no task time in it, the picture is empty%s%s", name,
		  display_name(path, "standard input"), unpolled ? ": " : "",
		  unpolled ? unpolled : "");
}

/* *@status is set to the result of the command if nothing else fails. */
static int draw_trace(const char *name, const struct arguments *a, FILE *out, int *status)
{
	const struct output_opts opts = { .title = a->title, .width = a->width,
					  .minwidth = a->minwidth };
	struct loaded l;
	size_t nr;
	int err;

	err = load__trace(&l, name, a->input, a->task, a->idle, a->follow);
	if (err)
		return err;
	*status = l.status;
	err = output_format__write(output_format__find("svg"), l.join, l.reader, &opts, out);
	join__rows(l.join, &nr);
	if (err)
		say__line("%s: %s: %s", name, a->input, describe(err));
	else if (!nr)
		say_empty(name, a->input, join__unpolled(l.join));
	load__free(&l);
	return err;
}

static int draw_diff(const char *name, const struct arguments *a, FILE *out, int *status)
{
	const struct flamegraph_diff f = {
		.paths = { a->input, a->after },
		.task = a->task,
		.idle = a->idle,
		.follow = a->follow,
		.output = { .title = a->title, .width = a->width, .minwidth = a->minwidth },
	};

	return flamegraph_diff__draw(name, &f, out, status);
}

static int add_folded(struct flamegraph *fg, const char *name, const char *path, uint64_t unit,
		      bool diff)
{
	bool is_stdin = !strcmp(path, "-");
	FILE *in = is_stdin ? stdin : fopen(path, "r");
	size_t line = 0;
	int err;

	if (!in) {
		err = -errno;
		say__line("%s: %s: %s", name, path, strerror(-err));
		return err;
	}
	err = diff ? flamegraph__add_folded_change(fg, in, unit, &line) :
		     flamegraph__add_folded(fg, in, unit, &line);
	if (err)
		say__line("%s: %s: line %zu: %s", name, display_name(path, "standard input"), line,
			  err != -EINVAL ? describe(err) :
			  diff ? "not a folded stack (FRAME;FRAME;... BEFORE AFTER)" :
				 "not a folded stack (FRAME;FRAME;... WEIGHT)");
	if (!is_stdin)
		fclose(in);
	return err;
}

static int draw_folded(const char *name, const struct arguments *a, FILE *out)
{
	const struct flamegraph_opts opts = { .title = a->title, .width = a->width,
					      .minwidth = a->minwidth };
	struct flamegraph *fg = flamegraph__new();
	int err;

	if (!fg) {
		say__line("%s: %s", name, strerror(ENOMEM));
		return -ENOMEM;
	}
	err = add_folded(fg, name, a->input, a->folded_unit, a->diff);
	if (err)
		goto out;
	if (!flamegraph__total(fg))
		say_empty(name, a->input, NULL);
	err = flamegraph__render(fg, &opts, out);
	if (err)
		say__line("%s: %s: %s", name, a->input, describe(err));
out:
	flamegraph__free(fg);
	return err;
}

/* An incomplete picture is removed. */
static int write_picture(const char *name, const struct text_file *picture, const char *path)
{
	bool is_stdout = !strcmp(path, "-");
	struct stat st;
	int err = 0;
	FILE *out;

	out = is_stdout ? stdout : fopen(path, "w");
	if (!out) {
		err = -errno;
		say__line("%s: %s: %s", name, path, strerror(-err));
		return err;
	}
	errno = 0;
	fwrite(picture->text, 1, picture->len, out);
	if (fflush(out) || ferror(out))
		err = errno ? -errno : -EIO;
	if (!is_stdout && fclose(out) && !err)
		err = -errno;
	if (!err)
		return 0;
	say__line("%s: %s: %s", name, display_name(path, "standard output"), strerror(-err));
	if (!is_stdout && !stat(path, &st) && S_ISREG(st.st_mode))
		unlink(path);
	return err;
}

int cmd_flamegraph(int argc, char **argv)
{
	/* a picture is about what is slow */
	struct arguments a = { .output = DEFAULT_OUTPUT, .idle = JOIN_IDLE_HIDE };
	struct text_file picture;
	int err, status = 0;
	FILE *out;

	err = arguments__parse(&argp, argc, argv, 0, &a);
	if (err)
		return err;
	/* The picture is completed first, because the file may contain an older one. */
	out = text_file__open(&picture);
	if (!out) {
		say__line("%s: %s", argv[0], strerror(ENOMEM));
		return -ENOMEM;
	}
	err = a.folded_unit ? draw_folded(argv[0], &a, out) :
	      a.diff	    ? draw_diff(argv[0], &a, out, &status) :
			      draw_trace(argv[0], &a, out, &status);
	if (!text_file__close(&picture) && !err) {
		say__line("%s: %s", argv[0], strerror(ENOMEM));
		err = -ENOMEM;
	}
	if (!err)
		err = write_picture(argv[0], &picture, a.output);
	free(picture.text);
	return err ? err : status;
}
