/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why a recording has no poll in it. For example, the program contains a runtime that
 * dwell follows but runs its tasks on another one; or it had nothing to do.
 */
#ifndef DWELL_JOIN_UNPOLLED_H
#define DWELL_JOIN_UNPOLLED_H

struct join;

/*
 * Called after the sums are made. *@why is the reason and what to do about it, in one
 * line that lives as long as the join. *@why is NULL if polls were seen, or if tasks at
 * rest were seen and the program has no other runtime. 0 or -ENOMEM.
 */
int unpolled__why(struct join *j, const char **why);

#endif /* DWELL_JOIN_UNPOLLED_H */
