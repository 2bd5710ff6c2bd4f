/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tasks did lately, as history.h has it of threads: a sink that keeps the last
 * intervals of each task, so that a wait for a task can be cut by what that one did.
 * It costs memory for each task that was ever seen, so the sums do without it:
 *
 *	h = task_histories__new();
 *	join__add_sink(j, task_histories__sink(h));
 */
#ifndef DWELL_JOIN_TASK_HISTORY_H
#define DWELL_JOIN_TASK_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "join/sink.h"

#define TASK_HISTORY_MAX	128	/* intervals of one task, at least half of it the latest */

struct task_histories;

/* NULL: no memory. Freed by task_histories__free(), after the join has run. */
struct task_histories *task_histories__new(void);
/* What join__add_sink() takes; a part of @h. */
struct sink *task_histories__sink(struct task_histories *h);
/*
 * Cut [@from, @to) by what the last life of the task at address @task did, and hand over
 * each piece, latest first, as an interval of its own. What is not known (before its
 * life, too long ago, not told yet) is one of JOIN_UNATTRIBUTED, PART_HISTORY.
 */
void task_histories__cut(const struct task_histories *h, uint64_t task, uint64_t from, uint64_t to,
			 void (*piece)(void *arg, const struct task_interval *iv), void *arg);
/* Whether intervals of that life were dropped since there were too many. */
bool task_histories__forgot(const struct task_histories *h, uint64_t task);
/* NULL is fine. */
void task_histories__free(struct task_histories *h);

#endif /* DWELL_JOIN_TASK_HISTORY_H */
