/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What blocking jobs are called: by the function that they run, or that holds the closure
 * that they run. It must not know of layouts.
 */
#ifndef DWELL_IMAGE_JOB_NAMES_H
#define DWELL_IMAGE_JOB_NAMES_H

#include "image/copies.h"
#include "image/names.h"
#include "image/site.h"
#include "runtime/runtime.h"

struct job_names {
	const struct types	*ts;
	struct rust_names	*names;
	struct site_finder	*sites;
	const struct copies	*copies;
	const struct runtime	*rt;
};

/*
 * What the job runs whose future is @future; its poll function is @fn_die, at @vaddr. All
 * functions of one signature have the same type in debug information, but the symbols
 * of what is inlined into the poll function spell their names. Caller frees; NULL: not
 * known, or no memory.
 */
char *job_names__of(const struct job_names *n, uint64_t vaddr, const struct die *fn_die,
		    const struct die *future);
/* The closure's environment, if it runs one. */
bool job_names__closure(const struct job_names *n, const struct die *future, struct die *out);

#endif /* DWELL_IMAGE_JOB_NAMES_H */
