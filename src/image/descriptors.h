/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which futures hold a descriptor of the reactor themselves, apart from the futures
 * that they contain. Only these can wait for a descriptor themselves.
 *
 * It must not know the tables that the walk uses.
 */
#ifndef DWELL_IMAGE_DESCRIPTORS_H
#define DWELL_IMAGE_DESCRIPTORS_H

#include "image/holders.h"

struct descriptors;

/* @ts and @holders are used as long as the object lives. NULL: no memory. */
struct descriptors *descriptors__new(const struct types *ts, struct holders *holders);
void descriptors__free(struct descriptors *ds);

/*
 * Does a future of type @d hold a descriptor? The search covers what lies in it by
 * value or behind references, boxes and Arcs, but not the futures that the walk visits:
 * they are answered for themselves. Queues are behind other pointers, and are not
 * searched.
 */
enum image_descriptor descriptors__of(struct descriptors *ds, const struct die *d);

#endif /* DWELL_IMAGE_DESCRIPTORS_H */
