/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a return address of a poll function to the sites where a probe sees that the
 * poll has ended: the first branch behind it; or, if the calling function itself
 * returns before a branch (as in unoptimised code), the first branch in each of its
 * callers.
 *
 * It must not know runtimes, nor how the return address was found.
 */
#ifndef DWELL_IMAGE_RETURNS_H
#define DWELL_IMAGE_RETURNS_H

#include <stdint.h>

#include "image/boundary.h"
#include "image/image.h"
#include "image/site.h"

/*
 * Call @found with each site for return address @ret (link time); with none if @ret is
 * not a return address. If the only instructions are such that the kernel must
 * single-step them, the site is slow.
 */
void returns__of(struct site_finder *f, struct boundaries *bs, uint64_t ret,
		 void (*found)(void *ctx, const struct image_return *r), void *ctx);

#endif /* DWELL_IMAGE_RETURNS_H */
