/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each task did lately, as history.h does it for threads: a sink that keeps the
 * last intervals of each task. A wait for a task is divided by what that task did. It
 * costs memory for every task ever seen, so it is only added where it is needed:
 *
 *	h = task_histories__new();
 *	join__add_sink(j, task_histories__sink(h));
 */
#ifndef DWELL_JOIN_TASK_HISTORY_H
#define DWELL_JOIN_TASK_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "join/sink.h"

#define TASK_HISTORY_MAX	128	/* intervals of one task */

struct task_histories;

/* NULL: no memory. The caller frees it with task_histories__free() after the join has run. */
struct task_histories *task_histories__new(void);
/* The sink to pass to join__add_sink(); part of @h. */
struct sink *task_histories__sink(struct task_histories *h);
/*
 * Divide [@from, @to) by the intervals of the latest life of the task at address @task,
 * and call @piece for each piece, the latest first. Time that is not known (before the
 * life, too long ago, not passed on yet) is a piece of JOIN_UNATTRIBUTED, PART_HISTORY.
 */
void task_histories__divide(const struct task_histories *h, uint64_t task, uint64_t from,
			    uint64_t to,
			    void (*piece)(void *arg, const struct task_interval *iv), void *arg);
/* Were intervals of that life dropped because there were too many? */
bool task_histories__forgot(const struct task_histories *h, uint64_t task);
/* @h may be NULL. */
void task_histories__free(struct task_histories *h);

#endif /* DWELL_JOIN_TASK_HISTORY_H */
