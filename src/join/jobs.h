/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a blocking job did and when: by that the wait for the job is divided. Private to
 * src/join.
 *
 * A job has one poll, and it wakes the task that waits for it from inside that poll. So
 * what it did is kept where it arises, in the open poll, until the poll's end: each piece
 * with its place in time, the oldest first, without gaps from the poll's begin to @since,
 * or to @ended. Nothing is kept of a job that is over, and an address that is used again
 * belongs to another poll.
 */
#ifndef DWELL_JOIN_JOBS_H
#define DWELL_JOIN_JOBS_H

#include "join/timeline.h"

#define JOB_PIECES_MAX	1024	/* of one job; the older ones are summed up */

/*
 * If poll @p of a job has as many pieces as may be, adds up the older half: the first
 * @nr_summed pieces are then sums of all that it did before @summed_to.
 */
void jobs__make_room(struct poll *p);
/*
 * Passes on what poll @p of a job did in [@from, @to), in order of time but for sums, which
 * have no place in it. Time that is not known is JOIN_UNATTRIBUTED, PART_JOB_UNKNOWN.
 * Returns the time up to which it was passed on: less than @to if the job has ended before
 * or if it has not been told yet what it does.
 */
uint64_t jobs__divide(const struct poll *p, uint64_t from, uint64_t to,
		      void (*piece)(void *arg, const struct piece *p), void *arg);

#endif /* DWELL_JOIN_JOBS_H */
