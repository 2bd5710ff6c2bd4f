/* SPDX-License-Identifier: GPL-2.0 */
/* The text above a flame graph: title, subtitle, and the notes that a recording gives rise to. */
#ifndef DWELL_OUTPUT_SVG_WORDS_H
#define DWELL_OUTPUT_SVG_WORDS_H

#include "flamegraph/flamegraph.h"
#include "output/output.h"

#define NOTES_MAX	64

/* Owns all strings. Zeroed: empty. */
struct svg_words {
	char	*title, *subtitle;
	char	*notes[NOTES_MAX + 1];
	size_t	 unshown;		/* further notes that are not shown */
	size_t	 nr_notes;
};

/* A text that the caller frees. NULL: no memory. */
__attribute__((format(printf, 1, 2)))
char *svg_words__format(const char *fmt, ...);
/*
 * What readers must know of a recording, as notes: losses, a truncated file, its tier if that is
 * not full. Each begins with @whose, "" or as "before: ". 0 or -ENOMEM.
 */
int svg_words__limits(struct svg_words *w, const char *whose, const struct join *j,
		      const struct trace_reader *r);
/* The same, and the notes of the join; only once. 0 or -ENOMEM. */
int svg_words__notes(struct svg_words *w, const struct join *j, const struct trace_reader *r);
/* Draw @fg below it. 0 or negative errno. */
int svg_words__render(const struct svg_words *w, struct flamegraph *fg,
		      const struct output_opts *opts, FILE *out);
void svg_words__free(struct svg_words *w);

#endif /* DWELL_OUTPUT_SVG_WORDS_H */
