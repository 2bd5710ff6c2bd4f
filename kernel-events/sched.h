/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The scheduler's events between kernel and recorder, and what it keeps of a
 * thread. One definition for both sides.
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

/* From where it is known when a thread was woken and back on a CPU. */
enum raw_off_told {
	RAW_OFF_SEEN	= 0,	/* as it happened */
	RAW_OFF_TOLD	= 1,	/* one of them from the scheduler's account */
	RAW_OFF_UNSEEN	= 2,	/* it was back at the event's time at the latest */
};

struct raw_off_cpu {
	struct raw_hdr	hdr;		/* ts: switched in */
	__u64		out;
	__u64		wake;		/* 0: not seen */
	__u32		waker;		/* 0: interrupt or not seen */
	__u32		stack;
	__u8		reason;		/* enum raw_off_reason */
	__u8		open;
	__u8		told;		/* enum raw_off_told */
	__u8		pad;
	__s32		syscall;	/* in which it slept, -1: none (x86-64 number) */
};

struct raw_stack {
	struct raw_hdr	hdr;		/* nr: frames */
	__u32		stack;
	__u32		pad;
	__u64		ips[RAW_STACK_FRAMES];
};

/* What the scheduler's hooks keep of a thread, in struct thread; written under the hooks' locks. */
struct sched_thread {
	__u64	off_ts;		/* 0: on a CPU */
	__u64	wake_ts;
	__u32	waker;
	__u32	off_stack;
	__u32	off_reason;
	__s32	off_syscall;
	__u64	off_arrival;	/* of struct sched_account, then */
	__u64	off_delay;
	__u64	in_ts;		/* seen to come to its CPU; 0: not, or off CPU */
	__u64	scratch;
};

#ifndef __bpf__
_Static_assert(sizeof(struct raw_off_cpu) == 48, "raw_off_cpu");
_Static_assert(sizeof(struct raw_off_cpu) <= BATCH_EVENT_MAX, "batch");
_Static_assert(sizeof(struct raw_stack) == 280, "raw_stack");
_Static_assert(sizeof(struct sched_thread) == 64, "sched_thread");
#endif

#endif /* DWELL_SCHED_EVENTS_H */
