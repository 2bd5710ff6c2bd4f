/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text that is written to a FILE and returned as a string.
 *
 *	FILE *out = text_file__open(&t);
 *
 *	fprintf(out, "%s: %d", name, nr);
 *	return text_file__close(&t);
 *
 * Memory may run out at any write or when the file is closed, which stdio does not
 * report reliably. Then no string is returned.
 */
#ifndef DWELL_BASE_TEXT_FILE_H
#define DWELL_BASE_TEXT_FILE_H

#include <stdio.h>
#include <stdlib.h>

struct text_file {
	FILE	*file;
	char	*text;
	size_t	 len;
};

/* NULL: no memory. */
static inline FILE *text_file__open(struct text_file *t)
{
	*t = (struct text_file){ 0 };
	t->file = open_memstream(&t->text, &t->len);
	return t->file;
}

/* The text, which the caller frees. NULL: there was not enough memory. */
static inline char *text_file__close(struct text_file *t)
{
	int bad = ferror(t->file);

	bad |= fclose(t->file);
	if (bad) {
		free(t->text);
		t->text = NULL;
	}
	return t->text;
}

#endif /* DWELL_BASE_TEXT_FILE_H */
