/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Vtables of the tasks of one runtime: what each says of its tasks, read once. They are
 * constants of the program, so they stay as they are.
 *
 * It must not know how tasks are found.
 */
#ifndef DWELL_INSPECT_TASK_VTABLES_H
#define DWELL_INSPECT_TASK_VTABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"
#include "inspect/process.h"

struct task_vtable {
	uint64_t	addr;
	uint64_t	trailer;	/* offsets from the task's header, in bytes … */
	uint64_t	scheduler;
	uint32_t	fn;		/* index of the poll function */
};

struct task_vtables;

/*
 * Of the tasks of runtimes[@runtime]. NULL: no memory, or their vtables have a form that
 * is not known. @bias is what
 * run-time addresses exceed link-time ones by. @img and @t must outlive it.
 */
struct task_vtables *task_vtables__new(const struct image *img, const struct process *t,
				       uint64_t bias, unsigned int runtime);
void task_vtables__free(struct task_vtables *vs);

/* What lies at @addr, if it is the vtable of a task: one whose poll function is known. */
bool task_vtables__find(struct task_vtables *vs, uint64_t addr, struct task_vtable *out);

#endif /* DWELL_INSPECT_TASK_VTABLES_H */
