/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The adapters' layouts: where in this program the runtime has what is read of it. It must not
 * know what that is used for.
 */
#ifndef DWELL_IMAGE_LAYOUTS_H
#define DWELL_IMAGE_LAYOUTS_H

#include "image/model.h"
#include "image/types.h"

/*
 * Add the layouts of all runtimes to @m, in the order of runtimes[]; those that are not found
 * are not ok. @ts NULL: there is no debug information, and none is found.
 */
void layouts__find(struct model *m, const struct types *ts);

#endif /* DWELL_IMAGE_LAYOUTS_H */
