/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One decoded event: what happened, as the recorder writes it and the join reads it.
 * packing.h describes its form on disk; which probe or ring it came from is known only
 * to the recorder.
 *
 * All times are ns of CLOCK_MONOTONIC. A task is identified by the address of its
 * header. Addresses are reused: a task's life extends from its first event after one
 * TRACE_TASK_DROP to the next TRACE_TASK_DROP.
 *
 * In recordings of version 1 all keys have kind WALK_KEY_NONE: the key's kind is that
 * of the chain's leaf, and a key of kind IO has its direction in the low two bits of
 * its value.
 */
#ifndef DWELL_TRACE_EVENT_H
#define DWELL_TRACE_EVENT_H

#include <stdint.h>

#include "walk.h"

/* On disk: append only, never renumber. */
enum trace_event_type {
	TRACE_POLL_BEGIN	= 1,	/* poll: the thread has entered a task's poll function */
	TRACE_POLL_END		= 2,	/* end: the poll function has returned */
	TRACE_WAKE		= 3,	/* task: this thread has called its waker */
	TRACE_TASK_NEW		= 4,	/* task: this thread has given it to the runtime */
	TRACE_TASK_DROP		= 5,	/* task: it has ended, or its memory is being freed */
	TRACE_TASK_SEEN		= 6,	/* seen: found alive in the target's memory */
	TRACE_OFF_CPU		= 7,	/* off: the thread is back on a CPU; when it was off */
	TRACE_EPOLL_WAIT	= 8,	/* epoll: epoll_wait returned */
	/* ready: one descriptor that it returned, at the same time */
	TRACE_EPOLL_READY	= 9,
	TRACE_FD_ADD		= 10,	/* fd: registered with an epoll instance */
	TRACE_FD_DEL		= 11,	/* fd: deregistered */
	TRACE_LOST		= 12,	/* lost: events are missing in this CPU's stream; sorted
					 * at the time of the first of them */
	TRACE_THREAD_EXIT	= 13,	/* the thread has exited */
	TRACE_PROCESS_EXIT	= 14,	/* the target has exited or executed another program */
	TRACE_POLLS_GONE	= 15,	/* polls: some polls of the thread have returned whose
					 * begin or end was not seen */
	/* waiter: a waker that was found registered with a descriptor */
	TRACE_FD_WAITER		= 16,
	/* listed: all tasks in the runtime's lists have been seen */
	TRACE_TASKS_LISTED	= 17,
	/* sleep: user stack of a thread that sleeps in a poll */
	TRACE_SLEEP_STACK	= 18,
	TRACE_URING_SUBMIT	= 19,	/* submit: an operation was given to io_uring */
	TRACE_URING_STEP	= 20,	/* step: what became of an operation */
	TRACE_URING_WAIT	= 21,	/* waited: io_uring_enter returned, having waited */
	TRACE_URING_FD		= 22,	/* file: what a descriptor is that operations name */
	/*
	 * fd: after the end of the recording, whether the program has sent something over this
	 * connection since data came last
	 */
	TRACE_FD_TURN		= 23,
	TRACE_CPU_SAMPLE	= 24,	/* sample: what the thread was doing on a CPU */
	/*
	 * throttled: of the period off the CPU that this thread's next OFF_CPU tells of, which
	 * has the same time
	 */
	TRACE_THROTTLED		= 25,
	/* slept_on: likewise of the next OFF_CPU, which is a sleep */
	TRACE_SLEPT_ON		= 26,
	TRACE_FILE		= 27,	/* named: the name of a file that threads sleep on */
	/*
	 * wake_stack: where in the program this thread makes its next WAKE, which has the same
	 * time; only of threads whose polls and driver do not tell what they wake for
	 */
	TRACE_WAKE_STACK	= 28,
	TRACE_FUTEX		= 29,	/* futex: as SLEPT_ON, of a sleep at a futex in a poll */
	TRACE_EVENT_NR
};

/* On which end of a conversation a descriptor is. */
enum trace_fd_role {
	TRACE_FD_OTHER		= 0,	/* on none, or not known */
	TRACE_FD_LISTENS	= 1,
	TRACE_FD_ACCEPTED	= 2,	/* its peer has connected to the program */
	TRACE_FD_CONNECTED	= 3,	/* the program has connected to its peer */
};

/*
 * Whose turn it was on a connection when data came, in the upper half of ready.events, which
 * epoll leaves free.
 */
#define TRACE_READY_TURN	0x10000u	/* the other two are known */
#define TRACE_READY_SENT	0x20000u	/* the program has sent since data came before */
#define TRACE_READY_FIRST	0x40000u	/* none had come before, since it was registered */

enum trace_poll_result {
	TRACE_POLL_PENDING	= 0,
	TRACE_POLL_READY	= 1,	/* completed, or cancelled */
	TRACE_POLL_UNKNOWN	= 2,	/* its result could not be read */
};

enum trace_off_reason {
	TRACE_OFF_PREEMPTED	= 0,	/* still runnable when switched out */
	TRACE_OFF_ASLEEP	= 1,	/* interruptible sleep */
	TRACE_OFF_DISK		= 2,	/* uninterruptible sleep */
	TRACE_OFF_STOPPED	= 3,	/* the whole process was stopped by a signal */
};

/* Where the times come from at which a thread was woken and came back to a CPU. */
enum trace_off_told {
	/* both were seen as they happened (a wake may be missing) */
	TRACE_OFF_SEEN		= 0,
	TRACE_OFF_TOLD		= 1,	/* one or both from the scheduler's counters */
	TRACE_OFF_UNSEEN	= 2,	/* not known; it was back at the event's time or earlier */
};

enum trace_lost_cause {
	TRACE_LOST_RING		= 0,	/* ring buffer full */
	TRACE_LOST_WRITER	= 1,	/* the recorder could not write */
	TRACE_LOST_DAMAGED	= 2,	/* added by the reader: a chunk of the file is damaged */
	TRACE_LOST_NR
};

enum trace_task_state {
	TRACE_TASK_IDLE		= 0,	/* Pending, not woken */
	TRACE_TASK_NOTIFIED	= 1,	/* woken, waits in a run queue */
	TRACE_TASK_RUNNING	= 2,	/* being polled */
	TRACE_TASK_UNKNOWN	= 3,	/* alive, but changed while it was read */
};

/* What becomes of an operation of io_uring after its submission. */
enum trace_uring_step {
	TRACE_URING_ARMED	= 1,	/* it waits until its file is ready; res: POLLIN … */
	TRACE_URING_READY	= 2,	/* its file has become ready */
	TRACE_URING_PUNTED	= 3,	/* given to a kernel thread (io-wq), because it may block */
	TRACE_URING_DONE	= 4,	/* completed; res: its result */
	TRACE_URING_OVERFLOW	= 5,	/* completed, and the completion queue was full */
};

/* In place of an operation's descriptor. */
#define TRACE_URING_NO_FD	(-1)	/* it is on none, or names its file by a path */
#define TRACE_URING_FIXED_FD	(-2)	/* on a registered file that is not known */
/* This and smaller numbers: a file that was registered with a ring, numbered by the recorder. */
#define TRACE_URING_FILE	(-16)

/* In an operation's opcode: it makes no descriptor, but a registered file. */
#define TRACE_URING_DIRECT	0x80u

/*
 * In uring flags: further completions of the same operation follow (IORING_CQE_F_MORE). Of the
 * completion of a poll, TRACE_READY_* as well.
 */
#define TRACE_URING_MORE	2u

struct trace_event {
	uint64_t	ts;
	uint32_t	tid;		/* the thread that did it; 0: none (TRACE_LOST) */
	uint16_t	cpu;		/* the stream that it belongs to */
	uint8_t		type;		/* enum trace_event_type */
	union {
		/* TRACE_WAKE, TRACE_TASK_NEW, TRACE_TASK_DROP */
		struct {
			uint64_t	task;
		} task;
		struct {
			uint64_t	task;
			uint32_t	kind;	/* id of a task kind */
		} poll;
		struct {
			uint64_t	task;
			uint32_t	chain;	/* id of a chain; 0: none */
			uint8_t		result;	/* enum trace_poll_result */
			uint8_t		nr_keys;
			struct walk_keys keys;	/* of the chain's leaves */
		} end;
		struct {
			uint64_t	task;
			uint32_t	kind;
			uint32_t	chain;
			uint8_t		state;	/* enum trace_task_state */
			uint8_t		nr_keys;
			struct walk_keys keys;
		} seen;
		struct {
			uint64_t	out;	/* when it was switched out */
			/* when it was woken; 0: it did not sleep, or not seen */
			uint64_t	wake;
			/* thread that woke it; 0: an interrupt, or not known */
			uint32_t	waker;
			uint32_t	stack;	/* id of a kernel stack; 0: not taken */
			uint32_t	user;	/* id of a user stack; 0: not taken */
			uint32_t	waker_user;	/* the same of its waker, as it woke it */
			uint8_t		reason;	/* enum trace_off_reason */
			uint8_t		open;	/* the recording ended before it was back */
			uint8_t		woken;	/* if open: it had been woken */
			uint8_t		told;	/* if not open: enum trace_off_told */
			int16_t		syscall;/* that it slept in, x86-64 number; -1: none */
		} off;
		/*
		 * For how long its cgroup did not allow the thread to run, from when it was
		 * runnable on.
		 */
		struct {
			uint64_t	ns;
		} throttled;
		struct {
			uint32_t	file;	/* that it slept on: see TRACE_FILE */
		} slept_on;
		struct {
			uint32_t	user;	/* id in the user-stack table */
		} wake_stack;
		struct {
			uint64_t	word;	/* its address */
		} futex;
		struct {
			uint32_t	file;
			uint32_t	name;	/* string id, as in fd.name: "file /srv/x on vda1" */
		} named;
		struct {
			int32_t		nr;	/* return value of epoll_wait */
			int32_t		epfd;
		} epoll;
		struct {
			uint64_t	token;	/* epoll_event.data */
			uint64_t	ready;	/* when the kernel saw it become ready, since it
						 * was last returned; 0: not seen */
			uint64_t	reader;	/* task whose waker waits for reading; 0: none;
						 * 1: there is a list of waiters */
			uint64_t	writer;	/* task whose waker waits for writing; likewise */
			uint32_t	events;	/* EPOLLIN …, and TRACE_READY_* */
		} ready;
		struct {
			uint64_t	token;
			int32_t		epfd;
			int32_t		fd;
			uint32_t	name;	/* string id of its name: "tcp 10.0.0.1:80" */
			uint8_t		role;	/* FD_ADD: enum trace_fd_role */
			uint8_t		sent;	/* FD_TURN: see there */
			uint8_t		seen;	/* FD_TURN: data has come since it was registered */
			uint64_t	came;	/* FD_TURN: when, the last time; 0: not seen */
		} fd;
		struct {
			uint32_t	nr;	/* how many of the polls begun on the thread
						 * still go on, the outermost ones; if fewer have
						 * begun, all of them */
		} polls;
		struct {
			uint64_t	token;
			uint64_t	task;
			uint8_t		dir;	/* 1 reading, 2 writing, 3 either */
		} waiter;
		struct {
			uint64_t	begin;	/* when the first task was read */
		} listed;
		struct {
			uint64_t	out;	/* off.out of the period in which it sleeps */
			uint32_t	stack;	/* id in the user-stack table */
		} sleep;
		struct {
			uint32_t	user;	/* id in the user-stack table; 0: not known */
			uint32_t	kernel;	/* id of a kernel stack; 0: it was in user mode */
		} sample;
		struct {
			uint64_t	user_data;	/* with ring: which operation */
			uint32_t	ring;		/* number of the instance of io_uring */
			int32_t		fd;		/* or TRACE_URING_NO_FD, … */
			uint32_t	path;		/* NO_FD: string id of a path; 0: none */
			uint8_t		opcode;		/* enum io_uring_op, TRACE_URING_DIRECT */
		} submit;
		/* tid: 0 if it happened in an interrupt, or in another process */
		struct {
			uint64_t	user_data;
			uint32_t	ring;
			int32_t		res;		/* see enum trace_uring_step */
			uint32_t	flags;		/* DONE: TRACE_URING_MORE, … */
			uint8_t		step;		/* enum trace_uring_step */
		} step;
		struct {
			int32_t		nr;	/* return value of io_uring_enter */
			int32_t		fd;	/* of the ring */
		} waited;
		struct {
			int32_t		fd;
			uint32_t	name;	/* string id, as in fd.name; from now on */
			uint8_t		role;	/* enum trace_fd_role */
		} file;
		struct {
			/* time of the first lost event; ts is that of the last */
			uint64_t	first;
			uint64_t	count;
			uint8_t		cause;	/* enum trace_lost_cause */
		} lost;
	};
};

#endif /* DWELL_TRACE_EVENT_H */
