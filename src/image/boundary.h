/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether an instruction begins at an address: what a probe must be sure of. A
 * breakpoint in the middle of an instruction makes another one of it, and the
 * program dies of that. So the word of symbols and of debug information is not
 * taken for it: the function must be in .eh_frame, and decoding it from its start
 * must come to the address.
 *
 * It must not know what the function is, nor which instruction is a good site.
 */
#ifndef DWELL_IMAGE_BOUNDARY_H
#define DWELL_IMAGE_BOUNDARY_H

#include <stdbool.h>
#include <stdint.h>

#include "image/binary.h"

struct boundaries;

/* Of the program @b, which must outlive it. NULL: no memory, or no decoder. */
struct boundaries *boundaries__new(const struct binary *b);
void boundaries__free(struct boundaries *bs);

/* Does a function begin at @vaddr? */
bool boundaries__is_entry(const struct boundaries *bs, uint64_t vaddr);
/* Does an instruction of a function begin at @vaddr? */
bool boundaries__is_insn(struct boundaries *bs, uint64_t vaddr);
/* The same, and is it the one behind a call? */
bool boundaries__is_return(struct boundaries *bs, uint64_t vaddr);
/* Where the function begins that holds @vaddr; 0: none does. */
uint64_t boundaries__entry_of(const struct boundaries *bs, uint64_t vaddr);
/* … and where it ends. */
uint64_t boundaries__end_of(const struct boundaries *bs, uint64_t vaddr);
/* False: the program has no table of functions at all, so that none is known. */
bool boundaries__any(const struct boundaries *bs);

/* Bytes of code that were decoded for the answers so far: at most the file's size. */
uint64_t boundaries__decoded(const struct boundaries *bs);

/* 0 or -ENOMEM: then some of the answers were no that should have been yes. */
int boundaries__err(const struct boundaries *bs);

#endif /* DWELL_IMAGE_BOUNDARY_H */
