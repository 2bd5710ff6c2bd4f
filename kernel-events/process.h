/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the iterator that finds the target reports, defined once for both sides. (A
 * thread's registers are in abi.h, since their reader does not know kernel sources.)
 */
#ifndef DWELL_PROCESS_EVENTS_H
#define DWELL_PROCESS_EVENTS_H

#include "abi.h"

/*
 * The target, from its id in the recorder's pid namespace: see target_process in
 * process.bpf.c.
 */
struct raw_process {
	__u32	tgid;		/* in the first pid namespace, as tracepoints see it */
};

/* A thread of the target, by both ids: see thread_ids in process.bpf.c. */
struct raw_thread_id {
	__u32	tid;		/* in the first pid namespace, as in all events */
	__u32	own;		/* in the recorder's; 0: it has none there */
};

#ifndef __bpf__
_Static_assert(sizeof(struct raw_process) == 4, "raw_process");
_Static_assert(sizeof(struct raw_thread_id) == 8, "raw_thread_id");
#endif

#endif /* DWELL_PROCESS_EVENTS_H */
