/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Decides which task a poll in progress is of, if there are several candidates. A task
 * is polled by one thread, once. So a task that has been assigned to one poll is no
 * candidate for others.
 *
 * It must not know how polls and candidates are found.
 */
#ifndef DWELL_INSPECT_CLAIMS_H
#define DWELL_INSPECT_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLAIM_TASKS	8	/* candidates for a poll */

/* What looks like a poll in progress. */
struct claim {
	uint32_t	tid;
	uint64_t	sp;		/* rsp at the poll function's entry */
	/* once settled: it is of tasks[0], which no other claim has */
	bool		told;
	uint8_t		root;		/* of a root: enum thread_poll_root; 0: of a task */
	bool		pending;	/* the root is not being polled there */
	bool		more;		/* there are further candidates that are not in tasks[] */
	/* candidates in tasks[]; once settled: those that are left */
	unsigned int	nr;
	struct {
		uint64_t	task;
		uint32_t	fn;	/* index of its poll function */
	}		tasks[CLAIM_TASKS];
};

struct claims {
	struct claim	*list;
	size_t		 nr, room;
};

/*
 * Add a copy of @c. The claims of a thread must be added in sequence, the innermost
 * first. 0 or -ENOMEM.
 */
int claims__add(struct claims *cs, const struct claim *c);
/*
 * Assign tasks to claims. A claim without a result has either no candidates left (it is
 * a remainder of an earlier poll) or too many. Returns the number of threads with too
 * many, or -ENOMEM.
 */
int claims__settle(struct claims *cs);
/* Free what was allocated; not @cs itself. */
void claims__free(struct claims *cs);

#endif /* DWELL_INSPECT_CLAIMS_H */
