/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Roots: the futures that block_on and its like poll, and the places in the code at
 * which a poll of one begins, ends, and at which block_on is done with it.
 *
 * It must not know of processes, nor which functions block on futures: adapters tell.
 */
#ifndef DWELL_IMAGE_ROOTS_H
#define DWELL_IMAGE_ROOTS_H

#include "base/hash_table.h"
#include "image/boundary.h"
#include "image/copies.h"
#include "image/functions.h"
#include "image/model.h"
#include "image/site.h"
#include "image/types.h"
#include "runtime/runtime.h"

struct roots {
	struct model		*m;
	const struct binary	*b;
	const struct types	*ts;
	struct rust_names	*names;
	struct site_finder	*sites;
	struct boundaries	*boundaries;
	const struct copies	*copies;
	struct functions	*functions;
	/* Its own, zero at first; freed by roots__free(). */
	struct hash_table	 seen;		/* types that a form may poll */
	struct hash_table	 words;		/* addresses in memory, by where they are */
	struct hash_table	 final;		/* functions: 2, it does not return; 1, it may */
	struct hash_table	 fns;		/* roots' types that were found, in MODEL_FNS */
	bool			 knows_words;
};

/*
 * Find all code of @form, a function of @rt, by debug information; fill MODEL_FNS,
 * MODEL_ROOT_SITES, MODEL_ROOT_RANGES and MODEL_RETURNS. What fails is noted in
 * r->m->err; a root of which not all could be found has a note of the model.
 */
void roots__find(struct roots *r, const struct runtime *rt, const struct runtime_root *form);
void roots__free(struct roots *r);
/* Once all have been found: put the ranges in order. */
void roots__sort(struct model *m);

#endif /* DWELL_IMAGE_ROOTS_H */
