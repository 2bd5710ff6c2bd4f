/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The target's code at the probe sites: whether it is the code that the model
 * was made from, and whether it is left as it was.
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
 * Is the code around @site, in the file that the target runs and in its memory,
 * the model's? Reading it also brings its page into the page cache, which the
 * kernel relies on when it puts a probe there. @bias: where the program is loaded;
 * NULL: it does not run yet, the file is all there is. 0, -ENOEXEC: it is another
 * code; *@why (static) says so to the user; or another negative errno.
 */
int code__check(const struct process *t, const struct image_site *site, const uint64_t *bias,
		const char **why);

/* Of the sites of @img, how many have a breakpoint in the target's memory. */
size_t code__breakpoints(const struct process *t, const struct image *img, uint64_t bias);

#endif /* DWELL_RECORD_CODE_H */
