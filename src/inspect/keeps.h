/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a suspended task has: the futures that it awaits, those that it keeps without polling
 * them, the leaves of both, and handles.
 *
 * It must not know how tasks are found.
 */
#ifndef DWELL_INSPECT_KEEPS_H
#define DWELL_INSPECT_KEEPS_H

#include "inspect/picture.h"

struct keeps;

/* For the tasks of @p. NULL: no memory. */
struct keeps *keeps__new(struct picture *p);
/* @k may be NULL. */
void keeps__free(struct keeps *k);

/*
 * Fill in the chain and the ranges of task number @task, which is not running, from the
 * target's memory. Of one that is being polled by a thread asleep: what it had when it was last
 * suspended, as handles that are `polled', and neither chain nor waits. 0 or -ENOMEM.
 */
int keeps__of(struct keeps *k, uint32_t task);

#endif /* DWELL_INSPECT_KEEPS_H */
