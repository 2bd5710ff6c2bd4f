/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finds the future of a chain that waits for a descriptor when no leaf's key names it:
 * all that is known is that the task's waker is registered with the descriptor.
 *
 * It must not know tasks or time.
 */
#ifndef DWELL_JOIN_WAITER_H
#define DWELL_JOIN_WAITER_H

#include "join/account.h"

/*
 * The node of the future. If it may be one of several: the innermost node that contains
 * them, with BRANCH_FORK. NO_BRANCH: the chain is not known.
 */
uint16_t waiter__of_descriptor(const struct shape *sh);

#endif /* DWELL_JOIN_WAITER_H */
