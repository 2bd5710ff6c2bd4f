/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which runtimes an executable contains, according to its symbols: those with an
 * adapter, and others. A program can contain several and run its tasks on only one.
 *
 * It must not know which of them runs.
 */
#ifndef DWELL_IMAGE_RUNTIMES_H
#define DWELL_IMAGE_RUNTIMES_H

#include "image/binary.h"
#include "image/model.h"

/*
 * Fill MODEL_RUNTIMES. MODEL_FNS must be filled, and @b must have loaded its symbols.
 * Lack of memory is noted in @m->err.
 */
void runtimes__find(struct model *m, const struct binary *b);

#endif /* DWELL_IMAGE_RUNTIMES_H */
