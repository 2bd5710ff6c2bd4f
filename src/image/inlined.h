/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finds the copies of a function that the compiler has inlined: where each begins, and
 * which register holds an argument there, according to debug information.
 *
 * It must not know what the function is, nor what its code looks like.
 */
#ifndef DWELL_IMAGE_INLINED_H
#define DWELL_IMAGE_INLINED_H

#include "image/die.h"

struct inlined_copy {
	uint64_t	start, end;	/* vaddr; the argument is in its register in this range */
	unsigned int	reg;		/* DWARF number, 0 (rax) to 15 (r15) */
};

typedef void (*inlined_found)(void *ctx, const struct inlined_copy *copy);

/*
 * Find the copies of @fn, the entry with its name, in its own unit. @arg counts
 * parameters from 0. Left out are copies whose argument is not in a register at the
 * first instruction, and all in split DWARF.
 */
void inlined__find(struct debug_info *di, const struct die *fn, unsigned int arg,
		   inlined_found found, void *ctx);
/*
 * The same in all other units, where link-time optimization may have put them. Goes
 * through all debug information.
 */
void inlined__find_elsewhere(struct debug_info *di, const struct die *fn, unsigned int arg,
			     inlined_found found, void *ctx);

#endif /* DWELL_IMAGE_INLINED_H */
