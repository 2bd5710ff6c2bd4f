/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Await points as the report shows them: a place in the code of one kind of tasks, with what
 * the waits there were for. Private to src/join.
 */
#ifndef DWELL_JOIN_POINTS_H
#define DWELL_JOIN_POINTS_H

#include "join/timeline.h"

/* Sets j->points, those with the most time first. 0 or -ENOMEM. */
int points__make(struct join *j);

#endif /* DWELL_JOIN_POINTS_H */
