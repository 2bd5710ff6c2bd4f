/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which futures have a descriptor of the reactor in their hands, beside the
 * futures in them: only these can wait for one themselves.
 *
 * It must not know of the tables that the walk uses.
 */
#ifndef DWELL_IMAGE_DESCRIPTORS_H
#define DWELL_IMAGE_DESCRIPTORS_H

#include "image/holders.h"

struct descriptors;

/* NULL: no memory. @ts and @holders are used as long as the object lives. */
struct descriptors *descriptors__new(const struct types *ts, struct holders *holders);
void descriptors__free(struct descriptors *ds);

/*
 * What can be told of the future of type @d. Looked at is what lies in it, by
 * value or behind references, boxes and Arcs, but no future that the walk comes
 * to: that one waits for itself. What is in a queue is behind other pointers.
 */
enum image_descriptor descriptors__of(struct descriptors *ds, const struct die *d);

#endif /* DWELL_IMAGE_DESCRIPTORS_H */
