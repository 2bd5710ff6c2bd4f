/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The scheduler's events between kernel and recorder, and its state for a thread.
 * Defined once for both sides.
 */
#ifndef DWELL_SCHED_EVENTS_H
#define DWELL_SCHED_EVENTS_H

#include "abi.h"

#define RAW_STACK_FRAMES	32

enum raw_off_reason {
	RAW_OFF_PREEMPTED	= 0,
	RAW_OFF_ASLEEP		= 1,
	RAW_OFF_DISK		= 2,
	RAW_OFF_STOPPED		= 3,
};

/* Where the times of a thread's wakeup and of its return to a CPU come from. */
enum raw_off_told {
	RAW_OFF_SEEN	= 0,	/* both were seen when they happened */
	RAW_OFF_TOLD	= 1,	/* one or both were taken from the scheduler's counters */
	RAW_OFF_UNSEEN	= 2,	/* the return was missed; it was at the event's time or earlier */
};

struct raw_off_cpu {
	struct raw_hdr	hdr;		/* hdr.ts: when it was switched in */
	__u64		out;
	__u64		wake;		/* when it was woken; 0: not seen */
	__u32		waker;		/* tid; 0: an interrupt, or not seen */
	__u32		stack;
	__u8		reason;		/* enum raw_off_reason */
	__u8		open;
	__u8		told;		/* enum raw_off_told */
	__u8		pad;
	__s32		syscall;	/* that it slept in, x86-64 number; -1: none */
};

/* A period that has not ended when the recording does: see sched_open in sched.bpf.c. */
struct raw_open_period {
	struct raw_off_cpu	off;
	__u32			on;	/* id of the file that it sleeps on; 0: not known */
	__u32			pad;
};

/*
 * More of the period off the CPU that the next raw_off_cpu of this thread reports, which has the
 * same time. RAW_THROTTLED: for how many ns its cgroup did not allow it to run, from its begin
 * or from its wakeup on. RAW_SLEPT_ON: the id of the file that it slept on (kernel-events/file.h).
 */
struct raw_off_more {
	struct raw_hdr	hdr;
	__u64		value;
};

struct raw_stack {
	struct raw_hdr	hdr;		/* hdr.nr: number of frames */
	__u32		stack;
	__u32		pad;
	__u64		ips[RAW_STACK_FRAMES];
};

#define SLEEPER_NS	1000000ull	/* shorter sleeps are over before a stack is read */

/*
 * A thread that sleeps in a poll: see sched_sleepers in sched.bpf.c. The registers are
 * those at its system call.
 */
struct raw_sleeper {
	__u32	tid;
	__u32	pad;
	__u64	out;		/* as in struct raw_off_cpu */
	__u64	ip;
	__u64	sp;
	__u64	saved[RAW_SAVED_REGS];
};

/*
 * The scheduler source's state for a thread, part of struct thread. Written by the
 * scheduler's hooks, under the run queue's lock.
 */
struct sched_thread {
	__u64	off_ts;		/* 0: on a CPU */
	__u64	wake_ts;
	__u32	waker;
	__u32	off_stack;
	__u32	off_reason;
	__s32	off_syscall;
	__u64	off_arrival;	/* struct sched_counters's value at that time */
	__u64	off_delay;
	__u64	in_ts;		/* last switch in that was seen; 0: none, or off CPU */
	__u64	scratch;
	__u64	told_ts;	/* off_ts of the period that sched_sleepers last told of */
	__u64	throttled_rq;	/* see throttled.bpf.h; 0: no time of it is measured */
	__u64	throttled_ns;
	__u64	fault_inode;	/* of the file whose page was last looked for: see file.bpf.c */
	__u32	off_on;		/* id of the file that it sleeps on: see file.bpf.h */
	__u32	pad;
};

#ifndef __bpf__
_Static_assert(sizeof(struct raw_off_cpu) == 48, "raw_off_cpu");
_Static_assert(sizeof(struct raw_off_cpu) <= BATCH_EVENT_MAX, "batch");
_Static_assert(sizeof(struct raw_open_period) == 56, "raw_open_period");
_Static_assert(sizeof(struct raw_off_more) == 24, "raw_off_more");
_Static_assert(sizeof(struct raw_off_more) <= BATCH_EVENT_MAX, "batch");
_Static_assert(sizeof(struct raw_stack) == 280, "raw_stack");
_Static_assert(sizeof(struct raw_sleeper) == 80, "raw_sleeper");
_Static_assert(sizeof(struct sched_thread) == 104, "sched_thread");
#endif

#endif /* DWELL_SCHED_EVENTS_H */
