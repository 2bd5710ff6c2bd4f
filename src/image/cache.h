/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Models on disk, by build-id. It must not know what a model holds.
 */
#ifndef DWELL_IMAGE_CACHE_H
#define DWELL_IMAGE_CACHE_H

#include <stdint.h>

#include "image/binary.h"
#include "image/image.h"
#include "image/model.h"

/*
 * What the model of @b would be built from, as a number: the executable, and
 * the debug file that the user named. 0: nothing that a cache could tell by.
 */
uint64_t cache__key(const struct binary *b, const struct image_opts *opts);
/* The cached model of @b; NULL if there is none that is whole and right. */
struct image *cache__load(const struct binary *b, const struct image_opts *opts, uint64_t key);
/* Keep @block. That it could not be written is no error: the next run builds it again. */
void cache__store(const struct binary *b, const struct image_opts *opts,
		  const struct model_block *block);

#endif /* DWELL_IMAGE_CACHE_H */
