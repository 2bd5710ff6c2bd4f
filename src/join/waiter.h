/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which future of a chain waits for a descriptor that no leaf names by a key:
 * all that is known is that the task's waker is registered with it.
 *
 * It must not know of tasks or time.
 */
#ifndef DWELL_JOIN_WAITER_H
#define DWELL_JOIN_WAITER_H

#include "join/site.h"

/*
 * The node of it; where it may be one of several, the last that they have in
 * common, with BRANCH_FORK; NO_BRANCH: nothing of the chain is known.
 */
uint16_t waiter__of_descriptor(const struct shape *sh);

#endif /* DWELL_JOIN_WAITER_H */
