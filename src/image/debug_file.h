/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the DWARF of an executable is: in itself, in a separate debug file, in
 * a package or single files of split DWARF; found, checked to belong to it,
 * and loaded.
 *
 * It knows names of files and sections. It must not know what an entry means,
 * nor what Rust is.
 */
#ifndef DWELL_IMAGE_DEBUG_FILE_H
#define DWELL_IMAGE_DEBUG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "image/binary.h"
#include "image/image.h"
#include "image/units.h"

struct debug_file;

/*
 * Find the DWARF of @b, which must outlive *@out: the file that the user named,
 * the executable itself, /usr/lib/debug by build-id, .gnu_debuglink, debuginfod.
 *
 * 0 also if there is none: debug_file__path is "" then. An error only out of
 * memory, or if the file that the user named cannot be used (-ENOENT and other
 * errno of open; -ENOEXEC no debug file of this program): *@why, never NULL,
 * says what; it is valid until the next call in this thread.
 */
int debug_file__open(struct debug_file **out, const struct binary *b,
		     const struct image_opts *opts, const char **why);
/* Units point into its sections: free what was loaded first. NULL is fine. */
void debug_file__free(struct debug_file *df);

/*
 * Add the units to @di, those of split DWARF too, each with its skeleton, and
 * sort them. Once only. *@torn: parts are damaged or missing, the notes say
 * which; what is built from them is not worth caching. 0, -ENOMEM, or -EIO: a
 * file was changed while it was read.
 */
int debug_file__load(struct debug_file *df, struct debug_info *di, bool *torn);
/* 0, or -EIO if one of its files has been changed since it was opened. */
int debug_file__check(const struct debug_file *df);

/* The file with the DWARF, "" if there is none; the executable's path if it is that. */
const char *debug_file__path(const struct debug_file *df);

/* The file with the best function symbols: never NULL, valid until debug_file__free. */
Elf *debug_file__symbols(const struct debug_file *df);

/* What was found on the way and could not be used, and why: lines for the user. */
const char *const *debug_file__notes(const struct debug_file *df, size_t *nr);

#endif /* DWELL_IMAGE_DEBUG_FILE_H */
