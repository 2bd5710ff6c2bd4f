/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finds the DWARF of an executable, checks that it belongs to it, and loads it. It may
 * be in the executable, in a separate debug file, or, as split DWARF, in a package or
 * in single files.
 *
 * It knows the names of files and sections. It must not know what an entry means, nor
 * what Rust is.
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
 * Find the DWARF of @b, which must outlive *@out. Tried in this order: the file that
 * the user named, the executable itself, /usr/lib/debug by build-id, .gnu_debuglink,
 * debuginfod.
 *
 * Returns 0 even if there is none; debug_file__path() is "" then. Errors: no memory, or
 * the file that the user named cannot be used (-ENOENT and other errno of open;
 * -ENOEXEC: not a debug file of this program). *@why, never NULL, explains it, and is
 * valid until the next call in this thread.
 */
int debug_file__open(struct debug_file **out, const struct binary *b,
		     const struct image_opts *opts, const char **why);
/* Units point into the file's sections: free what was loaded first. @df may be NULL. */
void debug_file__free(struct debug_file *df);

/*
 * Add the units to @di, those of split DWARF with their skeletons, and sort them. To be
 * called once. *@torn is set if parts are damaged or missing, which the notes explain;
 * a model that is built from them should not be cached. 0, -ENOMEM, or -EIO: a file
 * changed while it was read.
 */
int debug_file__load(struct debug_file *df, struct debug_info *di, bool *torn);
/* 0, or -EIO if one of the files has changed since it was opened. */
int debug_file__check(const struct debug_file *df);

/* The path of the file with the DWARF, which may be the executable's; "" if there is none. */
const char *debug_file__path(const struct debug_file *df);

/* The file with the best function symbols: never NULL, valid until debug_file__free(). */
Elf *debug_file__symbols(const struct debug_file *df);

/* Notes for the user: files that were found and could not be used, and why. */
const char *const *debug_file__notes(const struct debug_file *df, size_t *nr);

#endif /* DWELL_IMAGE_DEBUG_FILE_H */
