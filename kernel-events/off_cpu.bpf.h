/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A period of a thread off the CPU: its begin, its end, and the event that reports it.
 *
 * Normally the scheduler's tracepoint reports the end. But a kernel may hide what
 * happens while one of its own processes runs (guests of sandboxes do), including the
 * switch from such a process to a thread of the target. When a thread runs its own code
 * or leaves a CPU again, it must have been back. When it came back, and for how long it
 * had been runnable, is then taken from the scheduler's counters in the task_struct.
 */
#ifndef DWELL_OFF_CPU_BPF_H
#define DWELL_OFF_CPU_BPF_H

#include "maps.bpf.h"

/* ns; tolerance for the delay between the scheduler's clock reading and the hook. */
#define SKEW_JITTER	50000
#define SKEW_STEP	2000	/* ns; smaller changes are not worth a write to shared memory */

/* CLOCK_MONOTONIC minus the scheduler's clock, in ns; 0: not known yet. */
extern __s64 sched_skew;

/*
 * The scheduler's counters for a thread (kernel/sched/stats.h, CONFIG_SCHED_INFO).
 * arrival: when it last came to a CPU. queued: since when it has been runnable, 0 if it
 * is not. Both are in the run queue's clock. delay: the total time that it was runnable
 * and not running. All are 0 if the kernel keeps none.
 */
struct sched_counters {
	__u64	arrival;
	__u64	queued;
	__u64	delay;
};

static __always_inline void sched_counters_read(struct sched_counters *acc,
						const struct task_struct *task)
{
	acc->arrival = acc->queued = acc->delay = 0;
	if (!bpf_core_field_exists(task->sched_info.last_arrival))
		return;
	acc->arrival = task->sched_info.last_arrival;
	acc->queued = task->sched_info.last_queued;
	acc->delay = task->sched_info.run_delay;
}

/*
 * Learn the difference of the clocks from a thread that the hook saw come to its CPU at
 * @in and that has @arrival in its counters.
 */
static __always_inline void sched_skew_learn(__u64 in, __u64 arrival)
{
	__s64 skew = in - arrival, change = skew - sched_skew;

	if (arrival && (change > SKEW_STEP || change < -SKEW_STEP))
		sched_skew = skew;
}

/*
 * @clock, a time of the scheduler, as CLOCK_MONOTONIC, limited to [@from, @to]; 0: it
 * is not in this range.
 */
static __always_inline __u64 sched_time(__u64 clock, __u64 from, __u64 to)
{
	__s64 skew = sched_skew;
	__u64 ts = clock + skew;

	if (!clock || !skew || ts + SKEW_JITTER < from || ts > to + SKEW_JITTER)
		return 0;
	return ts < from ? from : ts > to ? to : ts;
}

/* Copy the period that ends from the thread's state to the event. */
static __always_inline void off_cpu_take(struct raw_off_cpu *ev, const struct thread *t)
{
	ev->out = t->sched.off_ts;
	ev->wake = t->sched.wake_ts && t->sched.wake_ts < t->sched.off_ts ? t->sched.off_ts :
									    t->sched.wake_ts;
	ev->waker = t->sched.waker;
	ev->waker_user = t->sched.waker_user;
	ev->pad = 0;
	ev->stack = t->sched.off_stack;
	ev->user = t->sched.off_user;
	ev->reason = t->sched.off_reason;
	ev->syscall = t->sched.off_syscall;
	ev->told = RAW_OFF_SEEN;
}

/* Send the period @off, which ended at @in. */
GLOBAL_FN int off_cpu_send(struct thread *t, const struct raw_off_cpu *off, __u64 in, __u32 tid)
{
	struct raw_off_cpu *ev;

	if (!t || !off)
		return 0;
	if (!t->batch_busy) {
		ev = event_add(t, sizeof(*ev), in, tid, RAW_OFF_CPU);
		__builtin_memcpy((char *)ev + sizeof(ev->hdr), (char *)off + sizeof(off->hdr),
				 sizeof(*off) - sizeof(off->hdr));
		event_added(t, sizeof(*ev));
		return 0;
	}
	/* The thread was preempted while it was writing an event to its batch. */
	ev = event_reserve(sizeof(*ev), in, tid, RAW_OFF_CPU);
	if (!ev)
		return 0;
	__builtin_memcpy((char *)ev + sizeof(ev->hdr), (char *)off + sizeof(off->hdr),
			 sizeof(*off) - sizeof(off->hdr));
	event_submit(ev);
	return 0;
}

/*
 * Tell @value of the period that off_cpu_send() is about to report, with the same @in: an
 * event of @type, which is a head and one number.
 */
GLOBAL_FN int off_cpu_tell(struct thread *t, __u8 type, __u64 value, __u64 in, __u32 tid)
{
	struct raw_off_more *ev;

	if (!t)
		return 0;
	if (!t->batch_busy) {
		ev = event_add(t, sizeof(*ev), in, tid, type);
		ev->value = value;
		event_added(t, sizeof(*ev));
		return 0;
	}
	ev = event_reserve(sizeof(*ev), in, tid, type);	/* as in off_cpu_send() */
	if (!ev)
		return 0;
	ev->value = value;
	event_submit(ev);
	return 0;
}

/* Tell on what the period was that off_cpu_send() is about to report: a file, or a futex. */
static __always_inline void off_cpu_tell_on(struct thread *t, __u64 on, __u64 word, __u64 in,
					    __u32 tid)
{
	if (on || word)
		off_cpu_tell(t, on ? RAW_SLEPT_ON : RAW_FUTEX, on ?: word, in, tid);
}

/*
 * Fill in the end of @off from the scheduler's counters of @task. Returns the time at
 * which the thread was back, which is @now at the latest.
 */
static __always_inline __u64 off_cpu_told(struct raw_off_cpu *off, const struct thread *t,
					  const struct task_struct *task, __u64 now)
{
	struct sched_counters acc;
	__u64 in;

	sched_counters_read(&acc, task);
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
 * The current thread, whose state is @t, is or was on a CPU at @now. If its state is
 * still off-CPU, the switch in was missed: report the period, with its end from the
 * scheduler's counters. Called before a program writes its own event.
 */
GLOBAL_FN int off_cpu_return(struct thread *t, __u64 now)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct raw_off_cpu off = {};
	__u64 in, on, word;

	if (!t)
		return 0;
	off_cpu_take(&off, t);
	on = t->sched.off_on;
	word = t->sched.off_word;
	in = off_cpu_told(&off, t, task, now);
	/*
	 * The thread may have been preempted in this function since off_cpu_take(). The
	 * scheduler's hook has then called this function itself, and an event for the
	 * period has been sent already.
	 */
	if (!off.out || !__sync_bool_compare_and_swap(&t->sched.off_ts, off.out, 0))
		return 0;
	if (off.told == RAW_OFF_UNSEEN)
		count_loss(LOSS_SWITCH);
	t->sched.wake_ts = 0;
	t->sched.waker = 0;
	t->sched.waker_user = 0;
	off_cpu_tell_on(t, on, word, in, task->pid);
	off_cpu_send(t, &off, in, task->pid);
	return 0;
}

static __always_inline void on_cpu(struct thread *t, __u64 now)
{
	if (t->sched.off_ts)
		off_cpu_return(t, now);
}

#endif /* DWELL_OFF_CPU_BPF_H */
