/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tells whether an instruction begins at an address, which a probe must be sure of: a
 * breakpoint in the middle of an instruction changes it into another one, and the
 * program crashes. Symbols and debug information are not trusted here. The function
 * must be in .eh_frame, and decoding it from its start must reach the address.
 *
 * It must not know what the function is for, nor which instruction makes a good probe
 * site.
 */
#ifndef DWELL_IMAGE_BOUNDARY_H
#define DWELL_IMAGE_BOUNDARY_H

#include <stdbool.h>
#include <stdint.h>

#include "image/binary.h"

struct boundaries;

/* Of program @b, which must outlive the object. NULL: no memory, or no disassembler. */
struct boundaries *boundaries__new(const struct binary *b);
void boundaries__free(struct boundaries *bs);

/* Does a function begin at @vaddr? */
bool boundaries__is_entry(const struct boundaries *bs, uint64_t vaddr);
/* Does an instruction of a function begin at @vaddr? */
bool boundaries__is_insn(struct boundaries *bs, uint64_t vaddr);
/* Does an instruction of a function begin at @vaddr, directly behind a call? */
bool boundaries__is_return(struct boundaries *bs, uint64_t vaddr);
/* The begin of the function that contains @vaddr; 0: none does. */
uint64_t boundaries__entry_of(const struct boundaries *bs, uint64_t vaddr);
/* The end of the function that contains @vaddr. */
uint64_t boundaries__end_of(const struct boundaries *bs, uint64_t vaddr);
/* False: the program has no table of functions, so nothing can be known. */
bool boundaries__any(const struct boundaries *bs);

/* Bytes of code that have been decoded so far: at most the file's size. */
uint64_t boundaries__decoded(const struct boundaries *bs);

/* 0, or -ENOMEM: some of the answers "no" are wrong. */
int boundaries__err(const struct boundaries *bs);

#endif /* DWELL_IMAGE_BOUNDARY_H */
