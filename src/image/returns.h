/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the place that a poll function returns to, to the sites at which a probe
 * sees that it has returned: the first branch there, or, where the caller itself
 * returns before it comes to one (unoptimised code has such callers), the first
 * branch where that one's callers go on.
 *
 * It must not know of runtimes, nor how the place was found.
 */
#ifndef DWELL_IMAGE_RETURNS_H
#define DWELL_IMAGE_RETURNS_H

#include <stdint.h>

#include "image/boundary.h"
#include "image/image.h"
#include "image/site.h"

/*
 * Calls @found with each site for the return address @ret (link time), and not at
 * all for what is no return address. Where the way leads to code that the kernel
 * must single-step, the site is slow.
 */
void returns__of(struct site_finder *f, struct boundaries *bs, uint64_t ret,
		 void (*found)(void *ctx, const struct image_return *r), void *ctx);

#endif /* DWELL_IMAGE_RETURNS_H */
