/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which runtimes an executable has in it, by its symbols: those with an adapter
 * and others. A program can have several, and run its tasks on one of them only.
 *
 * It must not know which of them runs.
 */
#ifndef DWELL_IMAGE_RUNTIMES_H
#define DWELL_IMAGE_RUNTIMES_H

#include "image/binary.h"
#include "image/model.h"

/*
 * Fill MODEL_RUNTIMES, after MODEL_FNS and from the symbols that @b has loaded.
 * Lack of memory is noted in @m->err.
 */
void runtimes__find(struct model *m, const struct binary *b);

#endif /* DWELL_IMAGE_RUNTIMES_H */
