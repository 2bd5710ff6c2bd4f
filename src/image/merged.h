/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Types of tasks whose poll functions the compiler or linker has merged (LLVM's
 * mergefunc, --icf): of functions that are equal byte for byte only one is left, and
 * only the tasks' vtables show that there were two. Whose task is polled by such a
 * function cannot be known; a note says so.
 *
 * The rule: a poll function that N vtables point to is that of N types of tasks. The
 * others are among the types that have no poll function and the same scheduler, and
 * more probably among those of them whose task and future have the same sizes, as most
 * merged ones have. (In 178 programs, built with one to 256 codegen units, no poll
 * function had a second vtable without having been merged. If there is no type without
 * a poll function, nothing is said.) Vtables in programs that are not
 * position-independent have no relocations, so nothing is found there.
 */
#ifndef DWELL_IMAGE_MERGED_H
#define DWELL_IMAGE_MERGED_H

#include "base/hash_table.h"
#include "image/binary.h"
#include "image/cells.h"
#include "image/model.h"
#include "image/names.h"

struct merged {
	struct model		*m;
	const struct binary	*b;
	const struct types	*ts;
	struct rust_names	*names;
	const struct runtime	*rt;		/* whose tasks these are */
	const struct cells	*cells;
	/* Is the task type at @cell never shown? */
	bool			(*hidden)(void *ctx, const struct die *cell);
	void			*ctx;
	/* Private. */
	struct hash_table	 tables;	/* number of words that contain an address */
	/* Lists of cells (index + 1): by scheduler, and by scheduler and sizes. */
	struct hash_table	 unpolled, alike;
	struct unpolled		*list;		/* one for each cell */
};

/*
 * Find the task types of m->cells that have no code. 0: the caller must call
 * merged__free(). -ENOENT: there are none. -ENOMEM, which is also noted in the model.
 */
int merged__find(struct merged *m);
/*
 * May the poll function at @vaddr, of tasks called @name with type key @cell, also be
 * that of other types? If so a note names them.
 */
bool merged__note(struct merged *m, uint64_t vaddr, uint64_t cell, const char *name);
void merged__free(struct merged *m);

#endif /* DWELL_IMAGE_MERGED_H */
