/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For how long a runnable thread was not allowed to run, because its cgroup, or a parent of
 * it, had used up its CPU time (cpu.max). There is no tracepoint for that. But the run queue
 * of a cgroup on a CPU (struct cfs_rq) has a sum of the times in which it was throttled while
 * threads were in it (throttled_clock_self_time, since Linux 6.6), and since when it is
 * throttled now. What the sum grows by while a thread is runnable is the thread's part. A
 * thread that is moved to another CPU meanwhile has not run on either, so its first run queue
 * counts.
 *
 * Since Linux 6.18 a thread is throttled when it returns to user mode, and a thread that wakes
 * up gets that far.
 */
#ifndef DWELL_THROTTLED_BPF_H
#define DWELL_THROTTLED_BPF_H

#include "off_cpu.bpf.h"

#define THROTTLED_MIN	2000	/* ns; less is not told from the clocks' jitter */

/* The sum of @rq, which is in the run queue's clock, at @ts. */
static __always_inline __u64 throttled_until(const struct cfs_rq *rq, __u64 ts)
{
	__u64 since = BPF_CORE_READ(rq, throttled_clock_self);
	__u64 sum = BPF_CORE_READ(rq, throttled_clock_self_time);
	__u64 now = ts - sched_skew;

	return since && sched_skew && now > since ? sum + (now - since) : sum;
}

/* @task, whose state is @t, is runnable and not on a CPU from @ts on. */
static __always_inline void throttled_begin(struct thread *t, struct task_struct *task, __u64 ts)
{
	struct cfs_rq *rq = NULL;

	if (!config.cpu_limit || !bpf_core_field_exists(rq->throttled_clock_self_time) ||
	    !bpf_core_field_exists(task->se.cfs_rq))
		return;
	rq = BPF_CORE_READ(task, se.cfs_rq);
	t->sched.throttled_rq = (__u64)rq;
	t->sched.throttled_ns = rq ? throttled_until(rq, ts) : 0;
}

/* For how many ns of the period @off it was runnable, but not allowed to run, until @ts. */
static __always_inline __u64 throttled_for(const struct thread *t, const struct raw_off_cpu *off,
					   __u64 ts)
{
	struct cfs_rq *rq = (struct cfs_rq *)t->sched.throttled_rq;
	__u64 from = off->reason == RAW_OFF_PREEMPTED ? off->out : off->wake;
	__u64 ns;

	if (!config.cpu_limit || !bpf_core_field_exists(rq->throttled_clock_self_time) || !rq)
		return 0;
	ns = throttled_until(rq, ts) - t->sched.throttled_ns;
	/* a cgroup that is gone leaves something else there */
	if ((__s64)ns < THROTTLED_MIN || !from || from >= ts)
		return 0;
	return ns < ts - from ? ns : ts - from;
}

/* It is on a CPU again at @ts, after the period @off. */
static __always_inline void throttled_end(struct thread *t, const struct raw_off_cpu *off, __u64 ts,
					  __u32 tid)
{
	__u64 ns = throttled_for(t, off, ts);

	t->sched.throttled_rq = 0;
	if (ns)
		off_cpu_tell(t, RAW_THROTTLED, ns, ts, tid);
}

#endif /* DWELL_THROTTLED_BPF_H */
