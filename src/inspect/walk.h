/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The await-chain walk from outside, for tasks at rest that no event shows:
 * walk_step.h, which the BPF programs use too, on the target's memory.
 *
 * It must not know how a task was found nor what the result is used for.
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
	bool			far;		/* the walk depends on more than the window */
};

/*
 * @bias: run-time minus link-time address. @img and @target must outlive the object.
 * NULL: no memory.
 */
struct walker *walker__new(const struct image *img, const struct process *target, uint64_t bias);
/* @w may be NULL. */
void walker__free(struct walker *w);

/*
 * Walk the task at @task, whose allocation is @cell. @window: its first @len bytes,
 * which the caller has just read; @len may be 0.
 */
void walker__task(struct walker *w, const struct walk_cell *cell, uint64_t task,
		  const void *window, size_t len, struct walk_answer *out);

/* The same for a future of type @type at @addr, whoever has it. */
void walker__future(struct walker *w, uint32_t type, uint64_t addr, struct walk_answer *out);

/* Called with each future that a walk visits, outer ones first. */
typedef void walker_visit(void *ctx, uint64_t addr, uint32_t type, uint32_t variant);
/* From now on walks call @visit; NULL: nothing. */
void walker__on_visit(struct walker *w, walker_visit *visit, void *ctx);

/* The type of future of the vtable at @addr (run time); WALK_NONE: not known. */
uint32_t walker__vtable(const struct walker *w, uint64_t addr);

#endif /* DWELL_INSPECT_WALK_H */
