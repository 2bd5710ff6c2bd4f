/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the iterators over the target's threads tell the recorder. One definition
 * for both sides.
 */
#ifndef DWELL_PROCESS_EVENTS_H
#define DWELL_PROCESS_EVENTS_H

#include "abi.h"

/* The target, by its id in the recorder's pid namespace: see the iterator in process.bpf.c. */
struct raw_process {
	__u32	tgid;		/* in the first pid namespace, where tracepoints are */
};

/*
 * A thread at rest in the kernel, as its own code left it: see the iterator in
 * process.bpf.c. Of one that runs, what it was like when it last entered the kernel.
 */
#define RAW_SAVED_REGS	6	/* rbx, rbp, r12 to r15: those that calls preserve */

struct raw_thread_regs {
	__u32	tid;
	__u32	pad;
	__u64	fs;		/* where its thread-local variables are */
	__u64	ip;
	__u64	sp;
	__u64	saved[RAW_SAVED_REGS];
};

#ifndef __bpf__
_Static_assert(sizeof(struct raw_process) == 4, "raw_process");
_Static_assert(sizeof(struct raw_thread_regs) == 80, "raw_thread_regs");
#endif

#endif /* DWELL_PROCESS_EVENTS_H */
