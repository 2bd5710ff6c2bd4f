/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finds roots: the futures that block_on and similar functions poll, and the places in
 * the code where a poll of one begins, where it ends, and where block_on has finished
 * with it.
 *
 * It must not know processes, nor which functions block on futures: adapters tell that.
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
	struct hash_table	 words;		/* addresses stored in memory, by their places */
	struct hash_table	 final;		/* functions: 2, does not return; 1, may return */
	struct hash_table	 fns;		/* types of roots that were found, in MODEL_FNS */
	bool			 knows_words;
};

/*
 * Find all code of @form, a function of @rt, by debug information; fill MODEL_FNS,
 * MODEL_ROOT_SITES, MODEL_ROOT_RANGES and MODEL_RETURNS. Errors are noted in r->m->err.
 * If not all of a root could be found, a note is added to the model.
 */
void roots__find(struct roots *r, const struct runtime *rt, const struct runtime_root *form);
void roots__free(struct roots *r);
/* Called when all roots have been found: sort the ranges. */
void roots__sort(struct model *m);

#endif /* DWELL_IMAGE_ROOTS_H */
