/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finds polls in progress when the recording begins: a thread that sleeps in a poll, or
 * runs a blocking job for an hour, causes no event before that ends. Its stack shows
 * the poll: it contains the poll function's return address and, near to it or in a
 * register, the task.
 *
 * It must not know how a task is recognised in memory (alive.h), nor what the results
 * are used for.
 */
#ifndef DWELL_INSPECT_UNDER_WAY_H
#define DWELL_INSPECT_UNDER_WAY_H

#include <stdbool.h>
#include <stdint.h>

#include "abi.h"
#include "image/image.h"
#include "inspect/alive.h"
#include "inspect/process.h"

struct under_way;

/*
 * All arguments must outlive the object. Without @alive (NULL) no tasks are found.
 * NULL: no memory.
 */
struct under_way *under_way__new(const struct image *img, const struct process *target,
				 uint64_t bias, const struct alive *alive);
void under_way__free(struct under_way *u);

/*
 * Examine the stack of the thread with registers @regs. 0 or -ENOMEM. 1: nothing was
 * found, but the stack changed in the meantime and seems to contain a block_on; try
 * again.
 */
int under_way__look(struct under_way *u, const struct raw_thread_regs *regs);
/*
 * After all threads: decide which tasks are being polled. Returns the number of threads
 * with a poll whose task is not known, or -ENOMEM.
 */
int under_way__settle(struct under_way *u);
/*
 * The next thread that is in polls or blocks on a root: *@tid, its out->nr polls, the
 * outermost first, and its Pending roots. False: there are no more.
 */
bool under_way__next(struct under_way *u, uint32_t *tid, struct raw_under_way *out);

#endif /* DWELL_INSPECT_UNDER_WAY_H */
