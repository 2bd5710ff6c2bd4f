/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The flame graph of a recording: the join's rows as stacks of frames, with title,
 * subtitle and notes above.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "flamegraph/flamegraph.h"
#include "output/output.h"
#include "output/svg_words.h"

static int words__make(struct svg_words *w, const struct join *j, const struct trace_reader *r)
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
	w->title = pattern ? svg_words__format("%s: where the time of tasks '%s' went%s", comm,
					       pattern, left) :
			     svg_words__format("%s: where the tasks' time went%s", comm, left);
	w->subtitle = svg_words__format(
		"%s, pid %u%s%s · recorded for %s on %u CPU%s · "
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
	return svg_words__notes(w, j, r);
}

static int write_picture(const struct join *j, const struct trace_reader *r,
			 const struct output_opts *opts, FILE *out)
{
	struct flamegraph *fg = flamegraph__new();
	struct svg_words words = { 0 };
	const struct join_row *rows;
	int err = fg ? 0 : -ENOMEM;
	size_t nr;

	rows = join__rows(j, &nr);
	for (size_t i = 0; i < nr && !err; i++)
		err = flamegraph__add(fg, rows[i].frames, rows[i].nr, rows[i].ns);
	if (!err)
		err = words__make(&words, j, r);
	if (!err)
		err = svg_words__render(&words, fg, opts, out);
	svg_words__free(&words);
	flamegraph__free(fg);
	return err;
}

const struct output_format output_svg = {
	.name		= "svg",
	.extension	= "svg",
	.write		= write_picture,
};
