/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The target's code at the probe sites: does it equal the model's, and is it unchanged
 * after the recording?
 *
 * It must not know how a site was chosen, or how a probe is put there.
 */
#ifndef DWELL_RECORD_CODE_H
#define DWELL_RECORD_CODE_H

#include <stddef.h>
#include <stdint.h>

#include "image/image.h"
#include "inspect/process.h"

/*
 * Does the code around @site equal the model's, both in the file that the target runs
 * and in its memory? Reading also brings the page into the page cache, which the kernel
 * needs when it puts a probe there. @bias: the load bias; NULL: the program does not
 * run yet, only the file is compared. 0; -ENOEXEC: different, and *@why (static) says
 * so; or another negative errno.
 */
int code__check(const struct process *t, const struct image_site *site, const uint64_t *bias,
		const char **why);

/* The same for all probe sites of @img. */
int code__check_all(const struct process *t, const struct image *img, const uint64_t *bias,
		    const char **why);

/* The number of sites of @img that have a breakpoint in the target's memory. */
size_t code__breakpoints(const struct process *t, const struct image *img, uint64_t bias);

#endif /* DWELL_RECORD_CODE_H */
