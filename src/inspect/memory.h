/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The target's memory in blocks, each read twice: it is calls that cost, and what
 * is looked for mostly lies close together. Both copies are handed out, since what
 * is not the same in both was being changed.
 *
 * It must not know what the memory holds.
 */
#ifndef DWELL_INSPECT_MEMORY_H
#define DWELL_INSPECT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/process.h"

struct memory;

/* NULL: no memory. @t must outlive it. */
struct memory *memory__new(const struct process *t);
void memory__free(struct memory *m);

/*
 * Copy @len bytes at @addr, of the block's first reading to @first and of its
 * second to @again; either may be NULL. *@ts (ns of CLOCK_MONOTONIC; may be NULL)
 * is a moment before the first. False: not in one block, not readable, or memory
 * is asked for all over the place, so that blocks would cost more than they save:
 * read it by itself.
 */
bool memory__copy(struct memory *m, uint64_t addr, size_t len, void *first, void *again,
		  uint64_t *ts);
/* Forget all blocks. */
void memory__forget(struct memory *m);

#endif /* DWELL_INSPECT_MEMORY_H */
