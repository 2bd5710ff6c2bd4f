/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kinds of schedulers of all runtimes in a program (struct runtime_list), and which of
 * them a task belongs to.
 *
 * It must not know how a scheduler, or its lists, are found.
 */
#ifndef DWELL_INSPECT_SCHEDULERS_H
#define DWELL_INSPECT_SCHEDULERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"
#include "inspect/form.h"

#define SCHEDULERS_MAX	32	/* kinds, in all runtimes */

struct scheduler_kind {
	const struct form		*form;
	const struct runtime_list	*list;
};

struct schedulers {
	const struct image	*img;
	const struct image_fn	*fns;
	struct scheduler_kind	 kinds[SCHEDULERS_MAX];
	size_t			 nr;
};

/* Collect the kinds of all @forms, which must outlive @s. False: there are too many. */
bool schedulers__init(struct schedulers *s, const struct forms *forms);
/*
 * The kind of scheduler of the tasks of @f whose poll function has index @fn in the image. NULL:
 * not known.
 */
const struct scheduler_kind *schedulers__of(const struct schedulers *s, const struct form *f,
					    uint32_t fn);

#endif /* DWELL_INSPECT_SCHEDULERS_H */
