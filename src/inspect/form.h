/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tasks, and the objects that a reactor knows descriptors by, look like in the
 * target's memory: for each runtime whose adapter says so (struct runtime_tasks,
 * struct runtime_reactor), with the offsets of this program.
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
	const struct runtime_reactor	*reactor;	/* NULL: its objects are not known */
	struct walk_status		 status;
	uint32_t			 vtable, next;	/* offsets in header and trailer */
	bool				 linked;	/* a task leads to the next one */
	size_t				 head_size;	/* bytes that hold status and vtable */
	struct task_vtables		*vtables;
};

struct forms {
	const struct image	*img;
	const struct process	*target;
	uint64_t		 bias;		/* run-time less link-time address */
	struct form		 list[FORMS_MAX];
	size_t			 nr;
};

/* NULL: no memory, or of no runtime it is known in this program. */
struct forms *forms__new(const struct image *img, const struct process *target, uint64_t bias);
/* NULL is fine. */
void forms__free(struct forms *fs);

/* The resolved path of layout @l of @f's runtime. */
const struct image_path *form__layout(const struct forms *fs, const struct form *f, uint16_t l);
/* The state word of the task at @header; false: it cannot be read. */
bool form__read_status(const struct forms *fs, const struct form *f, uint64_t header,
		       uint64_t *out);
/* The vtable of the task at @header, of @f; false: it is none. */
bool form__task(const struct forms *fs, const struct form *f, uint64_t header,
		struct task_vtable *out);
/* The same, of whichever runtime it is; NULL: it is none. */
const struct form *forms__task(const struct forms *fs, uint64_t header, struct task_vtable *out);
/* The words of a thread's context in which @f has its scheduler; NULL: it is not known. */
const struct image_path *form__context(const struct forms *fs, const struct form *f);
/*
 * Who waits in the reactor object at @token: calls @each with the task and with what for
 * (enum walk_dir). 0 or what @each returned.
 */
int forms__waiters(const struct forms *fs, uint64_t token,
		   int (*each)(void *ctx, uint64_t task, unsigned int dir), void *ctx);

#endif /* DWELL_INSPECT_FORM_H */
