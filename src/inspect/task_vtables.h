/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Vtables of the tasks of one runtime: what each tells about its tasks, read once.
 * Vtables are constants of the program, so they do not change.
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
	uint64_t	trailer;	/* offset from the task's header, in bytes */
	uint64_t	scheduler;
	uint32_t	fn;		/* index of its poll function */
};

struct task_vtables;

/*
 * For the tasks of runtimes[@runtime]. @bias: run-time minus link-time address. @img
 * and @t must outlive the object. NULL: no memory, or the form of their vtables is not
 * known.
 */
struct task_vtables *task_vtables__new(const struct image *img, const struct process *t,
				       uint64_t bias, unsigned int runtime);
void task_vtables__free(struct task_vtables *vs);

/* Read what lies at @addr, if it is the vtable of a task whose poll function is known. */
bool task_vtables__find(struct task_vtables *vs, uint64_t addr, struct task_vtable *out);

#endif /* DWELL_INSPECT_TASK_VTABLES_H */
