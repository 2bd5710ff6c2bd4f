/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which task a poll that is under way is of, where several may be meant: each
 * task is polled by one thread and once, so one that is settled is no candidate
 * for any other poll.
 *
 * It must not know how polls and candidates are found.
 */
#ifndef DWELL_INSPECT_CLAIMS_H
#define DWELL_INSPECT_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLAIM_TASKS	8	/* different ones that may be meant by a poll */

/* A poll that seems to be under way. */
struct claim {
	uint32_t	tid;
	uint64_t	sp;		/* rsp at the poll function's entry */
	bool		told;		/* once settled: of tasks[0], and no other has that */
	uint8_t		root;		/* of a root: see struct raw_under_way; 0: of a task */
	bool		pending;	/* … that is not being polled there */
	bool		more;		/* other tasks may be meant, which are not in tasks[] */
	unsigned int	nr;		/* of tasks[]; once settled: of those that are left */
	struct {
		uint64_t	task;
		uint32_t	fn;	/* index of the poll function */
	}		tasks[CLAIM_TASKS];
};

struct claims {
	struct claim	*list;
	size_t		 nr, room;
};

/* A copy of @c; those of one thread one after the other, the innermost first. 0 or -ENOMEM. */
int claims__add(struct claims *cs, const struct claim *c);
/*
 * Tell of which task each is. Of one that is not told either no task is left (what was
 * found is of an earlier poll), or it cannot be told: how many threads have such, or
 * -ENOMEM.
 */
int claims__settle(struct claims *cs);
/* What was allocated; not @cs itself. */
void claims__free(struct claims *cs);

#endif /* DWELL_INSPECT_CLAIMS_H */
