/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Vtables of trait objects that can be polled, from their addresses to the types behind
 * them. A type may have several.
 *
 * It must not know how a type is explored.
 */
#ifndef DWELL_IMAGE_VTABLES_H
#define DWELL_IMAGE_VTABLES_H

#include "image/futures.h"
#include "image/model.h"
#include "image/types.h"

/*
 * Add the vtables of Future, Stream and similar traits to the model, and their types to
 * the explorer.
 */
void vtables__add(struct model *m, const struct types *ts, struct futures *f);

#endif /* DWELL_IMAGE_VTABLES_H */
