/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The runtime's functions in an executable: which there are, which task type
 * each poll function is for, where a task's future lies, and where to probe.
 *
 * It must not know what is inside of a future.
 */
#ifndef DWELL_IMAGE_FUNCTIONS_H
#define DWELL_IMAGE_FUNCTIONS_H

#include "image/binary.h"
#include "image/futures.h"
#include "image/model.h"
#include "image/site.h"
#include "image/types.h"

struct functions;

/* NULL: no memory. @futures may be NULL (no DWARF). All are used while it lives. */
struct functions *functions__new(struct model *m, const struct binary *b, const struct types *ts,
				 struct rust_names *names, struct futures *futures);
void functions__free(struct functions *fs);

/*
 * Find all functions of all runtimes by DWARF (if there is any) and by symbol,
 * add them to the model with their probe sites; the futures of their tasks go
 * to the explorer. Returns the number found, or -ENOMEM.
 */
int functions__find(struct functions *fs);
/*
 * Add the type of a root, the future at @future that a block_on of @rt polls: its
 * index, with everything but the site, or WALK_NONE. There is debug information.
 */
uint32_t functions__add_root(struct functions *fs, const struct runtime *rt, uint64_t vaddr,
			     const struct die *future);
/* Is the function that the index notes @path, generics aside? */
bool functions__is(const struct scan_fn *fn, const char *path);
/* Name the task kinds: after the futures have been explored. */
void functions__name_tasks(struct functions *fs);
/* Places to which poll functions return, as far as the code shows them. */
void functions__find_returns(struct functions *fs);
/* The adapters' layouts, for what the recorder reads of the runtime itself. */
void functions__find_layouts(struct functions *fs);

#endif /* DWELL_IMAGE_FUNCTIONS_H */
