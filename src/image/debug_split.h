/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Split units: the program has their skeletons only, their entries are in
 * packages (.dwp) or single files (.dwo). Found, paired by dwo_id, and loaded.
 *
 * It must not know what an entry means beyond the split of a unit, nor what
 * Rust is.
 */
#ifndef DWELL_IMAGE_DEBUG_SPLIT_H
#define DWELL_IMAGE_DEBUG_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

#include "image/debug_search.h"
#include "image/elf_file.h"
#include "image/units.h"

struct debug_split {
	struct elf_file	*package;	/* that the user named, until it is tried */
	struct elf_file	**files;	/* in which units were found */
	size_t		 nr, cap;
};

/*
 * Add to @di the split units of those that it has of @main, each with its
 * skeleton; once only. *@torn is set if some are damaged or missing. 0 or
 * -ENOMEM.
 */
int debug_split__load(struct debug_split *sp, struct debug_search *search,
		      const struct elf_file *main, struct debug_info *di, bool *torn);
/* Units point into its files: free what was loaded first. */
void debug_split__free(struct debug_split *sp);

#endif /* DWELL_IMAGE_DEBUG_SPLIT_H */
