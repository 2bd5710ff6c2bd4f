/* SPDX-License-Identifier: GPL-2.0 */
/* The text above a flame graph. See svg_words.h. */
#include "output/svg_words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "base/text_file.h"

/* Takes @text, made by asprintf(); NULL means no memory. */
static int words__note(struct svg_words *w, char *text)
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

char *svg_words__format(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	return text;
}

static int words__losses(struct svg_words *w, const char *whose, const struct join *j)
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
	fprintf(f, "%slost: ", whose);
	for (i = 0; i < nr; i++)
		fprintf(f, "%s%s %s", i ? ", " : "", losses[i].name,
			quantity__count(losses[i].ns, count));
	return words__note(w, text_file__close(&t));
}

int svg_words__limits(struct svg_words *w, const char *whose, const struct join *j,
		      const struct trace_reader *r)
{
	const struct trace_host *host = trace_reader__host(r);
	const char *torn = trace_reader__torn(r);
	int err = 0;

	if (*join__why(j))
		err = words__note(w, svg_words__format("%stime was not conserved: %s", whose,
						join__why(j)));
	if (!err && torn)
		err = words__note(w, svg_words__format("%s%s", whose, torn));
	if (!err)
		err = words__losses(w, whose, j);
	if (!err && host->tier && strcmp(host->tier, "full") && host->tier_hint && *host->tier_hint)
		err = words__note(w, svg_words__format("%stier %s: %s", whose, host->tier,
						      host->tier_hint));
	return err;
}

int svg_words__notes(struct svg_words *w, const struct join *j, const struct trace_reader *r)
{
	int err = svg_words__limits(w, "", j, r);
	const char *const *notes;
	char count[QUANTITY_MAX];
	size_t nr, i;

	notes = join__notes(j, &nr);
	for (i = 0; i < nr && !err; i++)
		err = words__note(w, svg_words__format("%s", notes[i]));
	if (!err && w->unshown) {
		char *more = svg_words__format("and %s more; dwell report shows all",
					       quantity__count(w->unshown, count));

		w->notes[w->nr_notes] = more;
		w->nr_notes += !!more;
		err = more ? 0 : -ENOMEM;
	}
	return err;
}

int svg_words__render(const struct svg_words *w, struct flamegraph *fg,
		      const struct output_opts *opts, FILE *out)
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

void svg_words__free(struct svg_words *w)
{
	free(w->title);
	free(w->subtitle);
	while (w->nr_notes)
		free(w->notes[--w->nr_notes]);
}
