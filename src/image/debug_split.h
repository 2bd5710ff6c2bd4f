/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Split DWARF: the program has only the skeletons of units; the entries are in packages
 * (.dwp) or single files (.dwo). These are found, paired with the skeletons by dwo_id,
 * and loaded.
 *
 * It must not know what an entry means, except for the split of a unit, nor what Rust
 * is.
 */
#ifndef DWELL_IMAGE_DEBUG_SPLIT_H
#define DWELL_IMAGE_DEBUG_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

#include "image/debug_search.h"
#include "image/elf_file.h"
#include "image/units.h"

struct debug_split {
	struct elf_file	*package;	/* named by the user; NULL once it has been tried */
	struct elf_file	**files;	/* that contain units of the program */
	size_t		 nr, cap;
};

/*
 * Add to @di the split units that belong to the skeletons of @main in it. To be called
 * once. *@torn is set if some are damaged or missing. 0 or -ENOMEM.
 */
int debug_split__load(struct debug_split *sp, struct debug_search *search,
		      const struct elf_file *main, struct debug_info *di, bool *torn);
/* Units point into the files: free what was loaded first. */
void debug_split__free(struct debug_split *sp);

#endif /* DWELL_IMAGE_DEBUG_SPLIT_H */
