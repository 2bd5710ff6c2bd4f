/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of source files, by the numbers that DW_AT_decl_file uses.
 *
 * Reads only the header of a unit's line-number program: the positions of await points
 * are in the entries themselves, so rows are not needed. It must not know what Rust is.
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

/* NULL: no memory. */
struct line_files *line_files__new(void);
void line_files__free(struct line_files *lf);

/*
 * The name of file @index of unit @u, joined with its directory. NULL: the table has no
 * such entry, or is malformed. Valid until line_files__free().
 */
const char *line_files__path(struct line_files *lf, const struct unit *u, uint64_t index);
/* 0, or -ENOMEM if some name is missing for lack of memory. @lf may be NULL. */
int line_files__err(const struct line_files *lf);

#endif /* DWELL_IMAGE_LINES_H */
