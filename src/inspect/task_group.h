/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads tasks at known addresses, and those that they lead to, each twice, and says what state
 * they are in and what they await. A task of a list has the address of the next one, so a
 * cursor moves through the list.
 *
 * The cost is in the number of calls, not of bytes. A list leads from task to task, but
 * a runtime has many lists (tokio: several for each worker). So the next tasks of many
 * lists are read in one call, each with as many bytes as the type of the task before it
 * suggests. A second call reads them again; what is equal is believed.
 *
 * It must not know where lists begin.
 */
#ifndef DWELL_INSPECT_TASK_GROUP_H
#define DWELL_INSPECT_TASK_GROUP_H

#include <stddef.h>
#include <stdint.h>

#include "inspect/alive.h"
#include "inspect/form.h"
#include "inspect/schedulers.h"

struct task_group;

/* All of the arguments must outlive it. @found is called with each task. NULL: no memory. */
struct task_group *task_group__new(const struct forms *forms, const struct schedulers *schedulers,
				   alive_found found, void *ctx);
void task_group__free(struct task_group *g);

/* Forget all cursors, and which tasks have been visited. */
void task_group__begin(struct task_group *g);
/* Begin at the task at @header (0: there is none), of a scheduler of @kind. 0 or -ENOMEM. */
int task_group__add(struct task_group *g, uint64_t header, const struct scheduler_kind *kind);
/* Forget all cursors. */
void task_group__cut(struct task_group *g);
/* Cursors that have not reached the end of their list. */
size_t task_group__left(const struct task_group *g);
/* Tasks that have been visited. */
size_t task_group__seen(const struct task_group *g);
/*
 * Read the next task of each cursor, of some tens of them at most. 0, negative errno, or the
 * negative result of found().
 */
int task_group__step(struct task_group *g);

#endif /* DWELL_INSPECT_TASK_GROUP_H */
