/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The explorer: from the type of a future to the tables by which the walk
 * finds what it waits for.
 *
 * It knows what a coroutine, a combinator and a hand-written future look like
 * in debug information; what the leaves of a runtime are it is told by the
 * adapters. It must not know of functions, probes or files.
 */
#ifndef DWELL_IMAGE_FUTURES_H
#define DWELL_IMAGE_FUTURES_H

#include "image/awaits.h"
#include "image/model.h"
#include "image/names.h"
#include "image/types.h"

struct futures;

/* NULL: no memory. All arguments are used as long as the object lives. */
struct futures *futures__new(struct model *m, const struct types *ts, struct rust_names *names,
			     struct awaits *awaits, struct line_files *lines);
void futures__free(struct futures *f);

/*
 * The index of the future type at @d in the model's tables, added if it is
 * new; WALK_NONE if there is no memory. What it holds is explored by
 * futures__explore.
 */
uint32_t futures__add(struct futures *f, const struct die *d);
/* Explore all types that were added, and those that they hold. 0 or -ENOMEM. */
int futures__explore(struct futures *f);

/*
 * "{closure web.rs:40}" of the closure whose environment is @env. NULL: where it begins is
 * not known, or no memory. Caller frees.
 */
char *futures__closure(const struct futures *f, const struct die *env);

/* The entry of future type @type, as it was added. */
const struct die *futures__die(const struct futures *f, uint32_t type);

#endif /* DWELL_IMAGE_FUTURES_H */
