/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Searches the target's heap for pointers into the program's constants: what has a vtable has
 * the address of one. The heap is all memory that is private, writable, of no file, and not a
 * thread's stack, where there are copies of what was moved and rests of what is gone.
 *
 * It reads only pages that are there: to read others would bring them into the target's memory.
 * It must not know what is searched for.
 */
#ifndef DWELL_INSPECT_HEAP_H
#define DWELL_INSPECT_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "inspect/process.h"

struct heap;

/* NULL: no memory. @t must outlive the object. */
struct heap *heap__new(const struct process *t);
void heap__free(struct heap *h);

/* From now on do what a kernel before 6.7 leaves to do: read of each page whether it is there. */
void heap__read_pagemap(struct heap *h);

/*
 * A thread's stack, which is not searched: from @sp (0: not known) down, and up to the thread
 * pointer @fs, if that is in the same mapping, as it is but for the main thread. 0 or -ENOMEM.
 */
int heap__leave_out(struct heap *h, uint64_t sp, uint64_t fs);
/* Forget all stacks, so that those of today can be told. */
void heap__forget_stacks(struct heap *h);
/* Begin a search. 0, or negative errno: what is mapped cannot be found out. */
int heap__begin(struct heap *h);
/*
 * Continue it by a part of some hundred kB: calls @each with the address of each word that
 * points into the program's constants, and the word. 1: there is more; 0: it is over; negative
 * errno, or the negative result of @each.
 */
int heap__step(struct heap *h, int (*each)(void *ctx, uint64_t at, uint64_t word), void *ctx);
/*
 * The last search could not begin, or something could not be read in it: pages that are swapped
 * out, for example, or before Linux 6.7 a mapping of more than 64 GiB.
 */
bool heap__incomplete(const struct heap *h);

#endif /* DWELL_INSPECT_HEAP_H */
