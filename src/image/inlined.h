/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copies of a function that the compiler has inlined: where each begins, and
 * the register that holds an argument there, as debug information tells it.
 *
 * It must not know what the function is, nor what the code looks like.
 */
#ifndef DWELL_IMAGE_INLINED_H
#define DWELL_IMAGE_INLINED_H

#include "image/die.h"

struct inlined_copy {
	uint64_t	start, end;	/* vaddr: the argument is in its register here */
	unsigned int	reg;		/* DWARF's number, 0 (rax) to 15 (r15) */
};

typedef void (*inlined_found)(void *ctx, const struct inlined_copy *copy);

/*
 * Copies of @fn, the entry with its name, in its own unit. @arg counts
 * parameters from 0. Left out is a copy whose argument is not in a
 * register from its first instruction on, and all of split DWARF.
 */
void inlined__find(struct debug_info *di, const struct die *fn, unsigned int arg,
		   inlined_found found, void *ctx);
/*
 * The same in all units but its own, where link-time optimization may put them.
 * Takes as long as it takes to go through all debug information.
 */
void inlined__find_elsewhere(struct debug_info *di, const struct die *fn, unsigned int arg,
			     inlined_found found, void *ctx);

#endif /* DWELL_IMAGE_INLINED_H */
