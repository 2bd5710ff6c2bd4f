/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Task types whose poll functions the compiler has merged (LLVM's mergefunc, a linker's
 * --icf): of functions that are the same, byte for byte, one is left, and nothing but
 * the tables of tasks still tells that there were two. Whose tasks are polled there
 * cannot be told; that it cannot is said.
 *
 * The rule: a poll function to which more than one table leads is that of as many task
 * types, and so may be that of those without one that have the same scheduler: first
 * of those whose tasks and futures are of the same sizes, which most merged ones are.
 * (Of 178 programs, at one to 256 codegen units, none had a second table for a poll
 * function that was not merged; without a type that has no poll function nothing is
 * said.) In programs that are not position-independent tables have no relocations, and
 * nothing is found.
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
	const struct runtime	*rt;		/* whose tasks they are */
	const struct cells	*cells;
	/* Is the task type at @cell one that is never shown? */
	bool			(*hidden)(void *ctx, const struct die *cell);
	void			*ctx;
	/* Private. */
	struct hash_table	 tables;	/* how many words lead to an address */
	/* Lists of cells, each number + 1, by scheduler, and by the sizes too. */
	struct hash_table	 unpolled, alike;
	struct unpolled		*list;		/* of each cell */
};

/*
 * The task types of m->cells that have no code. 0: then merged__free(); -ENOENT: there
 * are none, or -ENOMEM, which is noted.
 */
int merged__find(struct merged *m);
/*
 * May the poll function at @vaddr, of tasks with the type of key @cell, called @name,
 * be that of others too? Then a note names them.
 */
bool merged__note(struct merged *m, uint64_t vaddr, uint64_t cell, const char *name);
void merged__free(struct merged *m);

#endif /* DWELL_IMAGE_MERGED_H */
