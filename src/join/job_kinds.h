/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Blocking jobs by kind, as the report shows them: how long they were in the pool's queue,
 * and how long they ran. Private to src/join.
 */
#ifndef DWELL_JOIN_JOB_KINDS_H
#define DWELL_JOIN_JOB_KINDS_H

#include "join/timeline.h"

/*
 * A job of kind @id was in the queue for @ns: since its spawn if that was seen, else since a
 * task began to wait for it. 0 or -ENOMEM.
 */
int job_kinds__queued(struct map *kinds, uint32_t id, uint64_t ns, bool spawn_seen);
/* A job of kind @id has ended @ns after it began. 0 or -ENOMEM. */
int job_kinds__ran(struct map *kinds, uint32_t id, uint64_t ns);
/* Free what kind @k has; called by kinds__clear(). */
void job_times__free(struct job_times *t);
/* Sets j->jobs. 0 or -ENOMEM. */
int job_kinds__make(struct join *j);

#endif /* DWELL_JOIN_JOB_KINDS_H */
