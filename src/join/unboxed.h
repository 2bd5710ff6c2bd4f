/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kinds that no recording lists: those of tasks that are a dyn Future, one for each
 * future that was found in one.
 */
#ifndef DWELL_JOIN_UNBOXED_H
#define DWELL_JOIN_UNBOXED_H

#include "base/hash_table.h"
#include "trace/trace.h"

struct unboxed_kind {
	struct trace_task_kind	kind;
	uint32_t		of;		/* the boxed kind */
};

struct unboxed {
	struct unboxed_kind	*kinds;		/* nr */
	size_t			 nr, cap;
	struct hash_table	 ids;		/* index + 1 by id */
	struct hash_table	 known;		/* index + 1 by name */
	uint32_t		 next;		/* id to try */
};

/*
 * The id of the kind of a task that is of boxed kind @of and holds @task, which lives as
 * long as @u. No kind of @r has it. -ENOMEM.
 */
int64_t unboxed__get(struct unboxed *u, const struct trace_reader *r,
		     const struct trace_task_kind *of, const char *task);
/* NULL: no such kind. Valid until the next unboxed__get(). */
const struct trace_task_kind *unboxed__kind(const struct unboxed *u, uint32_t id);
void unboxed__clear(struct unboxed *u);

#endif /* DWELL_JOIN_UNBOXED_H */
