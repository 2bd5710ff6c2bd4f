/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text in lines of a given width: words go on in the next line, further in, where
 * they do not fit. A word is what one call gives, with spaces or not:
 *
 *	struct flow f = { .out = out, .columns = 80 };
 *
 *	flow__begin(&f, 2);
 *	flow__put(&f, "%s (pid %u)", name, pid);
 *	flow__words(&f, "is not there any more");
 *	flow__end(&f);
 *
 * A word that is longer than a line is broken, behind "::", ',', '/' and the like
 * if it can be; of one longer than three lines the middle is left out, since names
 * tell by their beginning and by their end. All of it is made printable here:
 * names are what the file says they are.
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
	bool	 no_memory;	/* for a word, at some time: it was cut off */
};

/* Begin a paragraph @indent columns in; its other lines begin two further. */
void flow__begin(struct flow *f, size_t indent);
/* The same where the caller has written that much of the line. */
void flow__begin_behind(struct flow *f, size_t indent);
__attribute__((format(printf, 2, 3)))
void flow__put(struct flow *f, const char *fmt, ...);
/* Each word of running text by itself. */
void flow__words(struct flow *f, const char *text);
void flow__end(struct flow *f);

#endif /* DWELL_OUTPUT_FLOW_H */
