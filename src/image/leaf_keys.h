/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a leaf future to the key that tells what it waits for: paths of an adapter, as offsets
 * in the target.
 */
#ifndef DWELL_IMAGE_LEAF_KEYS_H
#define DWELL_IMAGE_LEAF_KEYS_H

#include <stdint.h>

#include "image/model.h"
#include "image/types.h"
#include "runtime/runtime.h"

/*
 * The adapters' entry for the type at @d; *@at: the way to its key in the walk's table of leaves,
 * to which it is added, or WALK_NONE if the key cannot be found. What a library's future waits for
 * depends on what it holds: of the entries of several runtimes, that counts by which the key is
 * found. NULL: there is no entry.
 */
const struct runtime_leaf *leaf_keys__find(struct model *m, const struct types *ts,
					   const struct die *d, uint32_t *at);

#endif /* DWELL_IMAGE_LEAF_KEYS_H */
