/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Polls that are under way when recording begins: a thread that sleeps in one, or
 * runs a blocking job for an hour, makes no event before it ends. Its stack tells:
 * the place that a poll function returns to stands there, and near to it, or in a
 * register, the task.
 *
 * It must not know how a task is told from other memory (alive.h), nor what is made
 * of the answer.
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

/* NULL: no memory. All must outlive it; without @alive, NULL, no tasks are told. */
struct under_way *under_way__new(const struct image *img, const struct process *target,
				 uint64_t bias, const struct alive *alive);
void under_way__free(struct under_way *u);

/*
 * Look at the stack of the thread with @regs. 0 or -ENOMEM; 1: nothing was found, but the
 * stack moved meanwhile, and a block_on seems to be on it: it is worth another look.
 */
int under_way__look(struct under_way *u, const struct raw_thread_regs *regs);
/*
 * After all threads: tell which tasks are being polled. On how many threads that
 * cannot be told of a poll, or -ENOMEM.
 */
int under_way__settle(struct under_way *u);
/*
 * The next thread that polls, or blocks on a root: *@tid, its polls, the outermost
 * first, out->nr of them, and its roots that are Pending. False: there is no more.
 */
bool under_way__next(struct under_way *u, uint32_t *tid, struct raw_under_way *out);

#endif /* DWELL_INSPECT_UNDER_WAY_H */
