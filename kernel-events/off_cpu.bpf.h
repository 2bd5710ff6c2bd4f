/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A thread's period off the CPU: how it begins, how it ends and the event that
 * tells of it.
 *
 * The end is usually a switch that the scheduler's tracepoint reports. But a
 * kernel may hide what happens while one of its own processes runs (guests of
 * sandboxes do), and the switch from such a process to a thread of the target
 * with it. A thread that runs its own code, or leaves a CPU again, was back all
 * the same, and since when and how long it had been runnable the scheduler has
 * noted in the thread itself.
 */
#ifndef DWELL_OFF_CPU_BPF_H
#define DWELL_OFF_CPU_BPF_H

#include "maps.bpf.h"

/* Between rq_clock and the hook: as much is forgiven when clocks are compared. */
#define SKEW_JITTER	50000
#define SKEW_STEP	2000	/* ns; smaller changes are not worth a write that all CPUs see */

/* CLOCK_MONOTONIC minus the scheduler's clock, in ns; 0: not known yet. */
extern __s64 sched_skew;

/*
 * The scheduler's account of a thread (kernel/sched/stats.h, CONFIG_SCHED_INFO):
 * last_arrival is when it came to its CPU last, last_queued since when it has
 * been runnable (0: it is not), both in the run queue's clock; run_delay is all
 * the time it was runnable and not running. Zeros where the kernel keeps none.
 */
struct sched_account {
	__u64	arrival;
	__u64	queued;
	__u64	delay;
};

static __always_inline void sched_account_read(struct sched_account *acc,
					       const struct task_struct *task)
{
	acc->arrival = acc->queued = acc->delay = 0;
	if (!bpf_core_field_exists(task->sched_info.last_arrival))
		return;
	acc->arrival = task->sched_info.last_arrival;
	acc->queued = task->sched_info.last_queued;
	acc->delay = task->sched_info.run_delay;
}

/* What the clocks differ by, learnt from a thread that came at @in and arrived at @arrival. */
static __always_inline void sched_skew_learn(__u64 in, __u64 arrival)
{
	__s64 skew = in - arrival, change = skew - sched_skew;

	if (arrival && (change > SKEW_STEP || change < -SKEW_STEP))
		sched_skew = skew;
}

/* @clock, of the scheduler, as CLOCK_MONOTONIC within @from and @to; 0: it is not. */
static __always_inline __u64 sched_time(__u64 clock, __u64 from, __u64 to)
{
	__s64 skew = sched_skew;
	__u64 ts = clock + skew;

	if (!clock || !skew || ts + SKEW_JITTER < from || ts > to + SKEW_JITTER)
		return 0;
	return ts < from ? from : ts > to ? to : ts;
}

/* The period that ends, taken out of the thread's state. */
static __always_inline void off_cpu_take(struct raw_off_cpu *ev, const struct thread *t)
{
	ev->out = t->sched.off_ts;
	ev->wake = t->sched.wake_ts && t->sched.wake_ts < t->sched.off_ts ? t->sched.off_ts :
									    t->sched.wake_ts;
	ev->waker = t->sched.waker;
	ev->stack = t->sched.off_stack;
	ev->reason = t->sched.off_reason;
	ev->open = 0;
	ev->syscall = t->sched.off_syscall;
	ev->told = RAW_OFF_SEEN;
	ev->pad = 0;
}

/* Send @off, which ended at @in. */
static __always_inline void off_cpu_send(struct thread *t, const struct raw_off_cpu *off,
					 __u64 in, __u32 tid)
{
	struct raw_off_cpu *ev;

	if (!t->batch_busy) {
		ev = event_add(t, sizeof(*ev), in, tid, RAW_OFF_CPU);
		__builtin_memcpy((char *)ev + sizeof(ev->hdr), (char *)off + sizeof(off->hdr),
				 sizeof(*off) - sizeof(off->hdr));
		event_added(t, sizeof(*ev));
		return;
	}
	/* It was preempted while it wrote an event of its own. */
	ev = event_reserve(sizeof(*ev), in, tid, RAW_OFF_CPU);
	if (!ev)
		return;
	__builtin_memcpy((char *)ev + sizeof(ev->hdr), (char *)off + sizeof(off->hdr),
			 sizeof(*off) - sizeof(off->hdr));
	event_submit(ev);
}

/*
 * When and how @off ended, by the scheduler's account of @task, at @now at the
 * latest. Returns the time at which it was back.
 */
static __always_inline __u64 off_cpu_told(struct raw_off_cpu *off, const struct thread *t,
					  const struct task_struct *task, __u64 now)
{
	struct sched_account acc;
	__u64 in;

	sched_account_read(&acc, task);
	in = acc.arrival == t->sched.off_arrival ? 0 : sched_time(acc.arrival, off->out, now);
	if (!in) {
		off->told = RAW_OFF_UNSEEN;
		return now;
	}
	off->told = RAW_OFF_TOLD;
	if (off->wake > in)
		off->wake = in;
	if (off->reason != RAW_OFF_PREEMPTED && !off->wake) {
		off->wake = in - (acc.delay - t->sched.off_delay);
		if (off->wake < off->out || off->wake > in)
			off->wake = off->out;
	}
	return in;
}

/*
 * @t, that is @task, is or has been on a CPU by @now. If it counts as off CPU
 * still, its return was not seen: it is told from the scheduler's account.
 * For programs that run in the thread, before their own event.
 */
static __noinline void off_cpu_return(struct thread *t, struct task_struct *task, __u64 now)
{
	struct raw_off_cpu off = {};
	__u64 in;

	off_cpu_take(&off, t);
	in = off_cpu_told(&off, t, task, now);
	/* Preempted just now, it was found off by the hook, and is told already. */
	if (!off.out || !__sync_bool_compare_and_swap(&t->sched.off_ts, off.out, 0))
		return;
	if (off.told == RAW_OFF_UNSEEN)
		count_loss(LOSS_SWITCH);
	t->sched.wake_ts = 0;
	t->sched.waker = 0;
	off_cpu_send(t, &off, in, task->pid);
}

static __always_inline void on_cpu(struct thread *t, struct task_struct *task, __u64 now)
{
	if (t->sched.off_ts)
		off_cpu_return(t, task, now);
}

#endif /* DWELL_OFF_CPU_BPF_H */
