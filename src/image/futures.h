/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The explorer: from the type of a future to the tables by which the walk finds what it
 * waits for.
 *
 * It knows how debug information describes coroutines, combinators and hand-written
 * futures; the leaves of a runtime come from the adapters. It must not know functions,
 * probes or files.
 */
#ifndef DWELL_IMAGE_FUTURES_H
#define DWELL_IMAGE_FUTURES_H

#include "image/awaits.h"
#include "image/holders.h"
#include "image/model.h"
#include "image/names.h"
#include "image/types.h"

struct futures;

/* All arguments are used as long as the object lives. NULL: no memory. */
struct futures *futures__new(struct model *m, const struct types *ts, struct rust_names *names,
			     struct awaits *awaits, struct line_files *lines);
void futures__free(struct futures *f);

/*
 * The index of the future type at @d in the model's tables; it is added if it is new.
 * WALK_NONE: no memory. What it contains is explored by futures__explore().
 */
uint32_t futures__add(struct futures *f, const struct die *d);
/* Explore all types that were added, and the types that they contain. 0 or -ENOMEM. */
int futures__explore(struct futures *f);

/*
 * "{closure web.rs:40}" of the closure whose environment is @env. NULL: where it begins is
 * not known, or no memory. Caller frees.
 */
char *futures__closure(const struct futures *f, const struct die *env);

/* What the explorer goes by to tell futures from other types; valid as long as @f. */
struct holders *futures__holders(struct futures *f);
/* The entry of future type @type, as it was added. */
const struct die *futures__die(const struct futures *f, uint32_t type);

#endif /* DWELL_IMAGE_FUTURES_H */
