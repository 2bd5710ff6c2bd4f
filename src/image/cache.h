/* SPDX-License-Identifier: GPL-2.0 */
/* Models on disk, by build-id. It must not know what a model contains. */
#ifndef DWELL_IMAGE_CACHE_H
#define DWELL_IMAGE_CACHE_H

#include <stdint.h>

#include "image/binary.h"
#include "image/image.h"
#include "image/model.h"

/*
 * A number for everything that the model of @b is built from: the executable, and the
 * debug file that the user named. 0: no key is possible, do not use the cache.
 */
uint64_t cache__key(const struct binary *b, const struct image_opts *opts);
/* The cached model of @b; NULL: none that is complete and matches. */
struct image *cache__load(const struct binary *b, const struct image_opts *opts, uint64_t key);
/* Store @block. Failing to write is not an error: the next run builds the model again. */
void cache__store(const struct binary *b, const struct image_opts *opts,
		  const struct model_block *block);

#endif /* DWELL_IMAGE_CACHE_H */
