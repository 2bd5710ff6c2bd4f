/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The await-chain walk from outside, for tasks that are at rest and of which no
 * event tells: walk_step.h, which the BPF program runs too, through the target's
 * memory.
 *
 * It must not know how a task was found nor what is made of the answer.
 */
#ifndef DWELL_INSPECT_WALK_H
#define DWELL_INSPECT_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"
#include "inspect/process.h"

struct walker;

struct walk_answer {
	struct walk_chain	chain;
	bool			far;		/* it depends on more than the window */
};

/* @bias: run-time less link-time address. NULL: no memory. @img and @target must outlive it. */
struct walker *walker__new(const struct image *img, const struct process *target, uint64_t bias);
/* NULL is fine. */
void walker__free(struct walker *w);

/*
 * Walk the task at @task, whose allocation is @cell. @window: its first @len bytes,
 * read by the caller just now; 0: none were.
 */
void walker__task(struct walker *w, const struct walk_cell *cell, uint64_t task,
		  const void *window, size_t len, struct walk_answer *out);

#endif /* DWELL_INSPECT_WALK_H */
