/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Vtables of trait objects that can be polled: from their addresses to the
 * types behind them. There may be several for one type.
 *
 * It must not know how a type is explored.
 */
#ifndef DWELL_IMAGE_VTABLES_H
#define DWELL_IMAGE_VTABLES_H

#include "image/futures.h"
#include "image/model.h"
#include "image/types.h"

/* Add all of Future, Stream and their kin to the model, and their types to the explorer. */
void vtables__add(struct model *m, const struct types *ts, struct futures *f);

#endif /* DWELL_IMAGE_VTABLES_H */
