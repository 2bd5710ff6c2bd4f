/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of source files: what DW_AT_decl_file counts in.
 *
 * Reads the head of a unit's line-number program and no more: positions of
 * await points come with the entries themselves, rows are never needed.
 * It must not know what Rust is.
 */
#ifndef DWELL_IMAGE_LINES_H
#define DWELL_IMAGE_LINES_H

#include "image/die.h"

struct line_files;

/* A line of the source. */
struct source_line {
	const char	*path;		/* of the file, as the line table has it; NULL: not known */
	uint32_t	 line;
};

/* NULL: out of memory. */
struct line_files *line_files__new(void);
void line_files__free(struct line_files *lf);

/*
 * The name of file @index of @u, joined with its directory; NULL if the
 * table has no such entry or does not parse. Valid until line_files__free.
 */
const char *line_files__path(struct line_files *lf, const struct unit *u, uint64_t index);
/* 0, or -ENOMEM if there was no memory for some name. NULL is fine. */
int line_files__err(const struct line_files *lf);

#endif /* DWELL_IMAGE_LINES_H */
