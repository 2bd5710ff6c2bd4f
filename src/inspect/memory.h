/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The target's memory in blocks, each of which is read twice: calls are expensive, and
 * what is needed mostly lies close together. Both copies are returned, since bytes that
 * differ were changing.
 *
 * It must not know what the memory contains.
 */
#ifndef DWELL_INSPECT_MEMORY_H
#define DWELL_INSPECT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/process.h"

struct memory;

/* NULL: no memory. @t must outlive the object. */
struct memory *memory__new(const struct process *t);
void memory__free(struct memory *m);

/*
 * Copy @len bytes at @addr: from the first reading to @first, from the second to
 * @again; either may be NULL. *@ts (ns of CLOCK_MONOTONIC; @ts may be NULL) is a moment
 * before the first reading. False: not within one block, not readable, or requests are
 * so scattered that blocks would not pay; then read it directly.
 */
bool memory__copy(struct memory *m, uint64_t addr, size_t len, void *first, void *again,
		  uint64_t *ts);
/* Forget all blocks. */
void memory__forget(struct memory *m);

#endif /* DWELL_INSPECT_MEMORY_H */
