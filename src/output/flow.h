/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text filled into lines of a given width; lines after the first are indented further.
 * A word is what one call writes, whether it contains spaces or not:
 *
 *	struct flow f = { .out = out, .columns = 80 };
 *
 *	flow__begin(&f, 2);
 *	flow__put(&f, "%s (pid %u)", name, pid);
 *	flow__words(&f, "is not there any more");
 *	flow__end(&f);
 *
 * A word longer than a line is broken, if possible behind "::", ',', '/' and the like.
 * Of a word longer than three lines the middle is left out, because names are
 * recognised by their beginning and end. Control characters are made harmless here:
 * names come from the recorded file and may contain anything.
 */
#ifndef DWELL_OUTPUT_FLOW_H
#define DWELL_OUTPUT_FLOW_H

#include <stdbool.h>
#include <stdio.h>

#define FLOW_COLUMNS_MIN	40

struct flow {
	FILE	*out;
	size_t	 columns;	/* at least FLOW_COLUMNS_MIN */
	size_t	 at, indent;
	bool	 fresh;		/* nothing on this line yet */
	bool	 no_memory;	/* for some word, which is truncated */
};

/* Begin a paragraph that is indented by @indent columns. */
void flow__begin(struct flow *f, size_t indent);
/* The same if the caller has already written @indent columns of the line. */
void flow__begin_behind(struct flow *f, size_t indent);
__attribute__((format(printf, 2, 3)))
void flow__put(struct flow *f, const char *fmt, ...);
/* Write running text, word by word. */
void flow__words(struct flow *f, const char *text);
void flow__end(struct flow *f);

#endif /* DWELL_OUTPUT_FLOW_H */
