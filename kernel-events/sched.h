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
	RAW_OFF_OPEN	= 3,	/* it has not returned, and the recording ends */
};

struct raw_off_cpu {
	struct raw_hdr	hdr;		/* hdr.ts: when it was switched in */
	__u64		out;
	__u64		wake;		/* when it was woken; 0: not seen */
	__u32		waker;		/* tid; 0: an interrupt, or not seen */
	__u32		stack;
	__u32		user;		/* id of its user stack; 0: not captured */
	__s16		syscall;	/* that it slept in, x86-64 number; -1: none */
	__u8		reason;		/* enum raw_off_reason */
	__u8		told;		/* enum raw_off_told */
	__u32		waker_user;	/* id of its waker's user stack; 0: not captured */
	__u32		pad;
};

/* A period that has not ended when the recording does: see sched_open in sched.bpf.c. */
struct raw_open_period {
	struct raw_off_cpu	off;
	__u32			on;	/* id of the file that it sleeps on; 0: not known */
	__u32			pad;
	__u64			word;	/* address of the futex that it sleeps at; 0: at none */
	__u64			throttled;	/* ns in which its cgroup did not allow it to run */
};

/*
 * More of the period off the CPU that the next raw_off_cpu of this thread reports, which has the
 * same time. RAW_THROTTLED: for how many ns its cgroup did not allow it to run, from its begin
 * or from its wakeup on. RAW_SLEPT_ON: the id of the file that it slept on (kernel-events/file.h).
 * RAW_FUTEX: the address of the futex that it slept at.
 *
 * RAW_WAKE_STACK: the id of the user stack of this thread as it makes its next RAW_WAKE, which has
 * the same time.
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

#define RAW_USER_STACKS		16384	/* that can be told apart */
#define RAW_USER_STACKS_RING	(2u << 20)
#define RAW_USER_STACK_BYTES	(64u << 10)	/* of a stack; a multiple of the page size */

/*
 * The user stack of a thread that goes to sleep in a poll, that wakes such a one, or that wakes a
 * task, in a ring of its own.
 */
struct raw_user_stack {
	struct raw_hdr	hdr;
	__u32		id;
	__u32		len;		/* how many bytes follow: the stack, from sp on */
	__u64		key;		/* what it looks like: see user_stack.bpf.h */
	__u64		form;		/* the key of its forms */
	__u32		looked;		/* bytes that the forms may be in */
	__u32		pad;
	__u64		poll_sp;	/* rsp at the entry of the innermost poll function */
	__u64		ip;		/* the registers are those at its entry into the kernel */
	__u64		sp;
	__u64		saved[RAW_SAVED_REGS];
};

/*
 * Where return addresses are on stacks: in bytes from sp, ascending. Stacks with the same ip
 * that have the same words in these places have the same frames.
 */
#define RAW_FORM_WORDS	62
#define RAW_FORMS	8	/* of stacks with the same key of forms */

struct user_stack_form {
	__u16	nr;
	__u16	reach;		/* in words; the last one ends there */
	__u16	off[RAW_FORM_WORDS];
};

struct user_stack_forms {
	__u32			nr;
	__u32			pad;
	struct user_stack_form	list[RAW_FORMS];
};

static inline __u64 user_stack_mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 29;
}

#define USER_STACK_LOOK	0x51ed270b27b4f3cfull	/* a hash of all words that look like code */
#define USER_STACK_FORM	0x2545f4914f6cdd1dull	/* a hash of the words in the places of a form */

struct user_stack_known {
	__u32	id;
	__u32	cut;	/* set by the recorder: it does not reach the thread's start */
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
	__u64	poll_sp;	/* as in struct raw_user_stack */
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
	__u32	off_user;	/* as in struct raw_off_cpu */
	__u32	off_cut;	/* … and it does not reach the thread's start */
	__u64	throttled_rq;	/* see throttled.bpf.h; 0: no time of it is measured */
	__u64	throttled_ns;
	__u64	fault_inode;	/* of the file whose page was last looked for: see file.bpf.c */
	__u32	off_on;		/* id of the file that it sleeps on: see file.bpf.h */
	__u32	waker_user;	/* as in struct raw_off_cpu */
	__u64	off_word;	/* address of the futex that it sleeps at in a poll; 0: at none */
};

#ifndef __bpf__
_Static_assert(sizeof(struct raw_off_cpu) == 56, "raw_off_cpu");
_Static_assert(sizeof(struct raw_off_cpu) <= BATCH_EVENT_MAX, "batch");
_Static_assert(sizeof(struct raw_open_period) == 80, "raw_open_period");
_Static_assert(sizeof(struct raw_off_more) == 24, "raw_off_more");
_Static_assert(sizeof(struct raw_off_more) <= BATCH_EVENT_MAX, "batch");
_Static_assert(sizeof(struct raw_user_stack) == 120, "raw_user_stack");
_Static_assert(sizeof(struct user_stack_form) == 128, "user_stack_form");
_Static_assert(sizeof(struct user_stack_forms) == 1032, "user_stack_forms");
_Static_assert(sizeof(struct user_stack_known) == 8, "user_stack_known");
_Static_assert(sizeof(struct raw_stack) == 280, "raw_stack");
_Static_assert(sizeof(struct raw_sleeper) == 88, "raw_sleeper");
_Static_assert(sizeof(struct sched_thread) == 120, "sched_thread");
#endif

#endif /* DWELL_SCHED_EVENTS_H */
