/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Variables whose value was moved on to a thread without tasks. All states of a coroutine list what
 * it captured, moved out or not: `async move { thread::spawn(move || tx.send(1)); … }` does not
 * have `tx` any more, though it is still listed. So are structs and enums out of which a member was
 * moved.
 *
 * It must not know findings.
 */
#ifndef DWELL_WHY_ELSEWHERE_H
#define DWELL_WHY_ELSEWHERE_H

#include "why/why.h"

/*
 * Of the handles in such variables that tasks of a deadlock wait for, mark those that a thread
 * outside of any task has, too, on its stack or in a register. True: there are
 * some, and the graph is to be made anew. An error is in y->err.
 */
bool elsewhere__mark(struct why *y);

#endif /* DWELL_WHY_ELSEWHERE_H */
