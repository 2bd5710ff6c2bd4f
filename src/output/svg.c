/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The flame graph of a recording: the join's rows as stacks of frames, with title,
 * subtitle and notes above.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "base/text_file.h"
#include "flamegraph/flamegraph.h"
#include "output/output.h"

#define NOTES_MAX	64

/* The text above the frames; owns all strings. */
struct words {
	char	*title, *subtitle;
	char	*notes[NOTES_MAX + 1];
	size_t	 unshown;		/* further notes that are not shown */
	size_t	 nr_notes;
};

/* Takes @text, made by asprintf(); NULL means no memory. */
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

static int words__notes(struct words *w, const struct join *j, const struct trace_reader *r)
{
	const struct trace_host *host = trace_reader__host(r);
	const char *torn = trace_reader__torn(r);
	const char *const *notes;
	char count[QUANTITY_MAX];
	size_t nr, i;
	int err = 0;

	if (*join__why(j))
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

static int words__make(struct words *w, const struct join *j, const struct trace_reader *r)
{
	const struct trace_host *host = trace_reader__host(r);
	const struct join_totals *t = join__totals(j);
	char wall[QUANTITY_MAX], life[QUANTITY_MAX], tasks[QUANTITY_MAX];
	const char *comm = host->comm && *host->comm ? host->comm : "?", *pattern;
	char left[QUANTITY_MAX + 32];
	struct join_all all;
	uint64_t left_out;
	size_t nr_losses;

	join__losses(j, &nr_losses);
	pattern = join__selected(j, &all);
	*left = '\0';
	switch (join__idle(j, &left_out)) {
	case JOIN_IDLE_SHOW:
		break;
	case JOIN_IDLE_HIDE:
		if (left_out)
			snprintf(left, sizeof(left), ", without %s of idle waits",
				 quantity__of_time(left_out).s);
		break;
	case JOIN_IDLE_ONLY:
		snprintf(left, sizeof(left), ", idle waits only");
		break;
	}
	w->title = pattern ? format("%s: where the time of tasks '%s' went%s", comm, pattern, left) :
			     format("%s: where the tasks' time went%s", comm, left);
	w->subtitle = format("%s, pid %u%s%s · recorded for %s on %u CPU%s · "
			     "%s task%s, %s of task time · tier %s · %s",
			     comm, host->pid, host->runtime && *host->runtime ? ", " : "",
			     host->runtime ? host->runtime : "",
			     quantity__time(t->wall_ns, wall), host->nr_cpus,
			     host->nr_cpus == 1 ? "" : "s", quantity__count(t->tasks_seen, tasks),
			     t->tasks_seen == 1 ? "" : "s", quantity__time(t->lifetime_ns, life),
			     host->tier && *host->tier ? host->tier : "not known",
			     nr_losses ? "with losses" : "nothing lost");
	if (!w->title || !w->subtitle)
		return -ENOMEM;
	return words__notes(w, j, r);
}

static void words__free(struct words *w)
{
	free(w->title);
	free(w->subtitle);
	while (w->nr_notes)
		free(w->notes[--w->nr_notes]);
}

static int render(struct flamegraph *fg, const struct words *w, const struct output_opts *opts,
		  FILE *out)
{
	const struct flamegraph_opts o = {
		.title		= opts->title ? opts->title : w->title,
		.subtitle	= w->subtitle,
		.notes		= (const char *const *)w->notes,
		.nr_notes	= w->nr_notes,
		.width		= opts->width,
		.minwidth	= opts->minwidth,
	};

	return flamegraph__render(fg, &o, out);
}

static int write_picture(const struct join *j, const struct trace_reader *r,
			 const struct output_opts *opts, FILE *out)
{
	struct flamegraph *fg = flamegraph__new();
	struct words words = { 0 };
	const struct join_row *rows;
	int err = fg ? 0 : -ENOMEM;
	size_t nr;

	rows = join__rows(j, &nr);
	for (size_t i = 0; i < nr && !err; i++)
		err = flamegraph__add(fg, rows[i].frames, rows[i].nr, rows[i].ns);
	if (!err)
		err = words__make(&words, j, r);
	if (!err)
		err = render(fg, &words, opts, out);
	words__free(&words);
	flamegraph__free(fg);
	return err;
}

const struct output_format output_svg = {
	.name		= "svg",
	.extension	= "svg",
	.write		= write_picture,
};
