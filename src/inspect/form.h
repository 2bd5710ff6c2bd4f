/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tasks, and the reactor's objects for descriptors, look like in the target's
 * memory: for each runtime whose adapter describes them (struct runtime_tasks, struct
 * runtime_reactor), with the offsets of this program.
 *
 * It must not know how tasks are listed.
 */
#ifndef DWELL_INSPECT_FORM_H
#define DWELL_INSPECT_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"
#include "inspect/process.h"
#include "inspect/task_vtables.h"
#include "runtime/runtime.h"

#define FORMS_MAX	8	/* runtimes in one program */

/* What the tasks of one runtime look like. */
struct form {
	unsigned int			 runtime;	/* index into runtimes[] */
	const struct runtime_tasks	*tasks;
	const struct runtime_reactor	*reactor;	/* NULL: its objects are not described */
	struct walk_status		 status;
	/* offsets in the header and in the trailer */
	uint32_t			 vtable, next;
	bool				 linked;	/* a task has a pointer to the next one */
	size_t				 head_size;	/* bytes that contain status and vtable */
	struct task_vtables		*vtables;
};

struct forms {
	const struct image	*img;
	const struct process	*target;
	uint64_t		 bias;		/* run-time minus link-time address */
	struct form		 list[FORMS_MAX];
	size_t			 nr;
};

/* NULL: no memory, or no runtime of this program is described. */
struct forms *forms__new(const struct image *img, const struct process *target, uint64_t bias);
/* @fs may be NULL. */
void forms__free(struct forms *fs);

/* The path of layout @l of @f's runtime in this program. */
const struct image_path *form__layout(const struct forms *fs, const struct form *f, uint16_t l);
/* Read the state word of the task at @header; false: it cannot be read. */
bool form__read_status(const struct forms *fs, const struct form *f, uint64_t header,
		       uint64_t *out);
/* The vtable of the task at @header, if it is one of @f; false: it is not. */
bool form__task(const struct forms *fs, const struct form *f, uint64_t header,
		struct task_vtable *out);
/* The same for all runtimes; NULL: it is not a task. */
const struct form *forms__task(const struct forms *fs, uint64_t header, struct task_vtable *out);
/* Where a thread's context has the scheduler of @f; NULL: not known. */
const struct image_path *form__context(const struct forms *fs, const struct form *f);
/*
 * Find who waits in the reactor object at @token: calls @each with the task and what it
 * waits for (enum walk_dir). 0 or the result of @each.
 */
int forms__waiters(const struct forms *fs, uint64_t token,
		   int (*each)(void *ctx, uint64_t task, unsigned int dir), void *ctx);

#endif /* DWELL_INSPECT_FORM_H */
