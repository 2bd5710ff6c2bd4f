/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Makes way for other processes, the target above all: see priority.h.
 */
#include <errno.h>
#include <linux/sched/types.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/priority.h"

#define NICE	 10
#define SLICE_NS 100000 /* the kernel's minimum; it heeds it since Linux 6.12 */

void priority__give_way(void)
{
	/* The policy is SCHED_NORMAL (0), whose runtime is its slice. */
	struct sched_attr attr = { .size = sizeof(attr), .sched_runtime = SLICE_NS };

	errno = 0;
	attr.sched_nice = getpriority(PRIO_PROCESS, 0);
	if (errno || attr.sched_nice < NICE)
		attr.sched_nice = NICE;
	syscall(SYS_sched_setattr, 0, &attr, 0);
}
