/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finds the runtime's functions in an executable: which ones there are, which task type
 * each poll function is for, where a task's future lies, and where to probe.
 *
 * It must not know what a future contains.
 */
#ifndef DWELL_IMAGE_FUNCTIONS_H
#define DWELL_IMAGE_FUNCTIONS_H

#include "image/binary.h"
#include "image/futures.h"
#include "image/model.h"
#include "image/site.h"
#include "image/types.h"

struct functions;

/*
 * @futures may be NULL (no DWARF). All arguments are used as long as the object lives.
 * NULL: no memory.
 */
struct functions *functions__new(struct model *m, const struct binary *b, const struct types *ts,
				 struct rust_names *names, struct futures *futures);
void functions__free(struct functions *fs);

/*
 * Find all functions of all runtimes by DWARF, if there is any, and by symbols. Add
 * them to the model with their probe sites, and the futures of their tasks to the
 * explorer. Returns the number found, or -ENOMEM.
 */
int functions__find(struct functions *fs);
/*
 * Add the type of a root, which is the future at @future that a block_on of @rt polls.
 * Returns its index in the model; everything but the site is filled in. WALK_NONE: no
 * memory. Requires debug information.
 */
uint32_t functions__add_root(struct functions *fs, const struct runtime *rt, uint64_t vaddr,
			     const struct die *future);
/* Is @path the path of the function, without generics? */
bool functions__is(const struct scan_fn *fn, const char *path);
/* Name the kinds of tasks; the futures must have been explored. */
void functions__name_tasks(struct functions *fs);
/* Find the places that poll functions return to, as far as the code shows them. */
void functions__find_returns(struct functions *fs);

#endif /* DWELL_IMAGE_FUNCTIONS_H */
