/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Was the target held back during the recording, since its cgroup had used up its CPU time? No
 * event tells: such threads look as if they waited for a CPU.
 */
#ifndef DWELL_RECORD_THROTTLING_H
#define DWELL_RECORD_THROTTLING_H

#include <sys/types.h>

struct throttling;
struct trace_writer;

/* At the begin, of process @pid. NULL: there is nothing to tell. */
struct throttling *throttling__begin(pid_t pid);
/* At the end: a note if it was. @t may be NULL. 0 or negative errno. */
int throttling__tell(const struct throttling *t, struct trace_writer *trace);
void throttling__free(struct throttling *t);

#endif /* DWELL_RECORD_THROTTLING_H */
