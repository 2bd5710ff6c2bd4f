/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Was the target held back during the recording, since its cgroup had used up its CPU time? If
 * the cgroup has a limit when the recording begins, each thread's part is told by events (see
 * kernel-events/throttled.bpf.h); if it is given one later, such threads look as if they waited
 * for a CPU.
 */
#ifndef DWELL_RECORD_THROTTLING_H
#define DWELL_RECORD_THROTTLING_H

#include <stdbool.h>
#include <sys/types.h>

struct throttling;
struct trace_writer;

/* Has the cgroup of process @pid, or a parent of it, a limit for its CPU time? */
bool throttling__limited(pid_t pid);
/* At the begin, of process @pid. NULL: there is nothing to tell. */
struct throttling *throttling__begin(pid_t pid);
/* At the end: a note if it was. @t may be NULL. 0 or negative errno. */
int throttling__tell(const struct throttling *t, struct trace_writer *trace);
void throttling__free(struct throttling *t);

#endif /* DWELL_RECORD_THROTTLING_H */
