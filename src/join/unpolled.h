/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why a recording has no poll in it: a program can have a runtime that is followed
 * and run its tasks on another one, or have nothing to do meanwhile.
 */
#ifndef DWELL_JOIN_UNPOLLED_H
#define DWELL_JOIN_UNPOLLED_H

struct join;

/*
 * After the sums are made: *@why is the reason and what to do, in one line that
 * lives as long as the join, or NULL if polls were seen, or tasks at rest and no
 * runtime but theirs. 0 or -ENOMEM.
 */
int unpolled__why(struct join *j, const char **why);

#endif /* DWELL_JOIN_UNPOLLED_H */
