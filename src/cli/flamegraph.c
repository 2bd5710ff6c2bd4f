// SPDX-License-Identifier: GPL-2.0
/*
 * dwell flamegraph: from a recorded file (or folded stacks) to a picture.
 * What the picture says above its frames is put together here.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/quantity.h"
#include "base/say.h"
#include "base/text_file.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/load.h"
#include "flamegraph/flamegraph.h"
#include "join/join.h"
#include "trace/trace.h"

#define DEFAULT_OUTPUT	"dwell.svg"

enum { OPT_TITLE = 256, OPT_WIDTH, OPT_MINWIDTH, OPT_TASK, OPT_FOLDED };

static const struct argp_option options[] = {
	{ "input", 'i', "FILE", 0, "Read FILE (default " CLI_DEFAULT_FILE ", - for standard input)", 0 },
	{ "output", 'o', "FILE", 0, "Write to FILE (default " DEFAULT_OUTPUT ", - for standard output)", 0 },
	{ "title", OPT_TITLE, "TITLE", 0, "The picture's title", 0 },
	{ "width", OPT_WIDTH, "PX", 0, "Width of the still image (default 1200); a browser fits it to the window", 0 },
	{ "minwidth", OPT_MINWIDTH, "PX", 0, "Merge narrower frames into one (default 0.1)", 0 },
	{ "task", OPT_TASK, "PATTERN", 0, "Only tasks whose name matches: 'app::*'", 0 },
	{ "folded", OPT_FOLDED, "us|ns", OPTION_ARG_OPTIONAL, "The input is folded stacks, weights in this unit (default us)", 1 },
	{ 0 }
};

#define NOTES_MAX	64

struct arguments {
	const char	*input, *output;
	const char	*title, *task;
	uint32_t	 width, minwidth;
	uint64_t	 folded_unit;		/* ns; 0: a recorded file */
};

/* The words above the frames; all owned. */
struct words {
	char	*title, *subtitle;
	char	*notes[NOTES_MAX + 1];
	size_t	 unshown;		/* notes beyond these */
	size_t	 nr_notes;
	char	*unpolled;	/* or NULL */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;
	unsigned long width;
	double minwidth;
	char *end;

	switch (key) {
	case 'i':
	case ARGP_KEY_ARG:
		return arguments__input(state, &a->input, arg);
	case 'o':
		a->output = arg;
		break;
	case OPT_TASK:
		a->task = arg;
		break;
	case OPT_TITLE:
		a->title = arg;
		break;
	case OPT_WIDTH:
		width = strtoul(arg, &end, 10);
		if (*end || width < FLAMEGRAPH_WIDTH_MIN || width > FLAMEGRAPH_WIDTH_MAX)
			return arguments__wrong(state, "not a width between %d and %d px: %s",
						FLAMEGRAPH_WIDTH_MIN, FLAMEGRAPH_WIDTH_MAX, arg);
		a->width = width;
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
		if (!a->input)
			a->input = CLI_DEFAULT_FILE;
		if (a->task && a->folded_unit)
			return arguments__wrong(state, "--task is of a recording, and --folded reads "
						"none");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	options, parse, "[FILE]",
	"Draw where the tasks' time went as a flame graph: an SVG that stands alone and, in a "
	"browser, can be zoomed and searched.",
	NULL, NULL, NULL
};

static const char *display_name(const char *path, const char *stream)
{
	return strcmp(path, "-") ? path : stream;
}

/* Remember @text, made by asprintf(); NULL is lack of memory. */
static int words__note(struct words *w, char *text)
{
	if (!text)
		return -ENOMEM;
	if (w->nr_notes < NOTES_MAX) {
		w->notes[w->nr_notes++] = text;
		return 0;
	}
	w->unshown++;
	free(text);
	return 0;
}

__attribute__((format(printf, 1, 2)))
static char *format(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	return text;
}

static int words__losses(struct words *w, const struct join *j)
{
	const struct join_sum *losses;
	char count[QUANTITY_MAX];
	struct text_file t;
	size_t nr, i;
	FILE *f;

	losses = join__losses(j, &nr);
	if (!nr)
		return 0;
	f = text_file__open(&t);
	if (!f)
		return -ENOMEM;
	fputs("lost: ", f);
	for (i = 0; i < nr; i++)
		fprintf(f, "%s%s %s", i ? ", " : "", losses[i].name,
			quantity__count(losses[i].ns, count));
	return words__note(w, text_file__close(&t));
}

static int words__notes(struct words *w, const struct loaded *l)
{
	const struct trace_reader *r = l->reader;
	const struct join *j = l->join;
	const struct trace_host *host = trace_reader__host(r);
	const char *torn = trace_reader__torn(r);
	const char *const *notes;
	char count[QUANTITY_MAX];
	size_t nr, i;
	int err = 0;

	if (l->status == -EPROTO)
		err = words__note(w, format("time was not conserved: %s", join__why(j)));
	if (!err && torn)
		err = words__note(w, format("%s", torn));
	if (!err)
		err = words__losses(w, j);
	if (!err && host->tier && strcmp(host->tier, "full") && host->tier_hint && *host->tier_hint)
		err = words__note(w, format("tier %s: %s", host->tier, host->tier_hint));
	notes = join__notes(j, &nr);
	for (i = 0; i < nr && !err; i++)
		err = words__note(w, format("%s", notes[i]));
	if (!err && w->unshown) {
		char *more = format("and %s more; dwell report shows all",
				    quantity__count(w->unshown, count));

		w->notes[w->nr_notes] = more;
		w->nr_notes += !!more;
		err = more ? 0 : -ENOMEM;
	}
	return err;
}

static int words__from_trace(struct words *w, const struct loaded *l)
{
	const struct trace_host *host = trace_reader__host(l->reader);
	const struct join_totals *t = join__totals(l->join);
	char wall[QUANTITY_MAX], life[QUANTITY_MAX], tasks[QUANTITY_MAX];
	const char *comm = host->comm && *host->comm ? host->comm : "?", *pattern;
	struct join_all all;
	size_t nr_losses;

	join__losses(l->join, &nr_losses);
	pattern = join__selected(l->join, &all);
	w->title = pattern ? format("%s: where the time of tasks '%s' went", comm, pattern) :
			     format("%s: where the tasks' time went", comm);
	w->subtitle = format("%s, pid %u%s%s · recorded for %s on %u CPU%s · "
			     "%s task%s, %s of task time · tier %s · %s",
			     comm, host->pid, host->runtime && *host->runtime ? ", " : "",
			     host->runtime ? host->runtime : "",
			     quantity__time(t->wall_ns, wall), host->nr_cpus,
			     host->nr_cpus == 1 ? "" : "s", quantity__count(t->tasks_seen, tasks),
			     t->tasks_seen == 1 ? "" : "s", quantity__time(t->lifetime_ns, life),
			     host->tier && *host->tier ? host->tier : "not known",
			     nr_losses ? "with losses" : "nothing lost");
	w->unpolled = join__unpolled(l->join) ? format("%s", join__unpolled(l->join)) : NULL;
	if (!w->title || !w->subtitle || !w->unpolled != !join__unpolled(l->join))
		return -ENOMEM;
	return words__notes(w, l);
}

static void words__free(struct words *w)
{
	free(w->title);
	free(w->subtitle);
	free(w->unpolled);
	while (w->nr_notes)
		free(w->notes[--w->nr_notes]);
}

static const char *describe(int err)
{
	if (err == -EOVERFLOW)
		return "the times add up to more than 584 years: too much for one picture";
	return strerror(-err);
}

/* *@status: what the command returns if all else goes well. */
static int add_trace(struct flamegraph *fg, const char *name, const struct arguments *a,
		     struct words *w, int *status)
{
	const struct join_row *rows;
	struct loaded l;
	size_t nr;
	int err;

	err = load__trace(&l, name, a->input, a->task);
	if (err)
		return err;
	*status = l.status;
	rows = join__rows(l.join, &nr);
	for (size_t i = 0; i < nr && !err; i++)
		err = flamegraph__add(fg, rows[i].frames, rows[i].nr, rows[i].ns);
	if (!err)
		err = words__from_trace(w, &l);
	if (err)
		say__line("%s: %s: %s", name, a->input, describe(err));
	load__free(&l);
	return err;
}

static int add_folded(struct flamegraph *fg, const char *name, const char *path, uint64_t unit)
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
	err = flamegraph__add_folded(fg, in, unit, &line);
	if (err)
		say__line("%s: %s: line %zu: %s", name, display_name(path, "standard input"), line,
			  err == -EINVAL ? "not a folded stack (FRAME;FRAME;... WEIGHT)" :
					   describe(err));
	if (!is_stdin)
		fclose(in);
	return err;
}

/* A picture cut off is no picture: it is removed again. */
static int draw(struct flamegraph *fg, const char *name, const struct flamegraph_opts *opts,
		const char *path)
{
	bool is_stdout = !strcmp(path, "-");
	struct stat st;
	FILE *out;
	int err;

	out = is_stdout ? stdout : fopen(path, "w");
	if (!out) {
		err = -errno;
		say__line("%s: %s: %s", name, path, strerror(-err));
		return err;
	}
	err = flamegraph__render(fg, opts, out);
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
	struct arguments a = { .output = DEFAULT_OUTPUT };
	struct flamegraph_opts opts = { 0 };
	struct words words = { 0 };
	struct flamegraph *fg;
	int err, status = 0;

	err = arguments__parse(&argp, argc, argv, 0, &a);
	if (err)
		return err;
	fg = flamegraph__new();
	if (!fg) {
		say__line("%s: %s", argv[0], strerror(ENOMEM));
		return -ENOMEM;
	}
	err = a.folded_unit ? add_folded(fg, argv[0], a.input, a.folded_unit) :
			      add_trace(fg, argv[0], &a, &words, &status);
	if (err)
		goto out;
	if (!flamegraph__total(fg))
		say__line("%s: %s: no task time in it, the picture is empty%s%s", argv[0],
			  display_name(a.input, "standard input"), words.unpolled ? ": " : "",
			  words.unpolled ? words.unpolled : "");
	opts.title = a.title ? a.title : words.title;
	opts.subtitle = words.subtitle;
	opts.notes = (const char *const *)words.notes;
	opts.nr_notes = words.nr_notes;
	opts.width = a.width;
	opts.minwidth = a.minwidth;
	err = draw(fg, argv[0], &opts, a.output);
	if (!err)
		err = status;
out:
	words__free(&words);
	flamegraph__free(fg);
	return err;
}
