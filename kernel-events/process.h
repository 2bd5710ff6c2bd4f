/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the iterator that finds the target tells the recorder. One definition for both
 * sides. A thread's registers are in abi.h: who reads its stack knows no source.
 */
#ifndef DWELL_PROCESS_EVENTS_H
#define DWELL_PROCESS_EVENTS_H

#include "abi.h"

/* The target, by its id in the recorder's pid namespace: see the iterator in process.bpf.c. */
struct raw_process {
	__u32	tgid;		/* in the first pid namespace, where tracepoints are */
};

#ifndef __bpf__
_Static_assert(sizeof(struct raw_process) == 4, "raw_process");
#endif

#endif /* DWELL_PROCESS_EVENTS_H */
