/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What happened, as the recorder writes it and the joiner reads it: one
 * decoded event. How it is packed on disk is codec.c's matter; where it came
 * from (which probe, which ring) is the recorder's.
 *
 * All times are ns of CLOCK_MONOTONIC. A task is named by the address of its
 * header; addresses are reused, so a task's life goes from its first event
 * after the last TRACE_TASK_DROP to the next one.
 *
 * A key of kind WALK_KEY_NONE is from a recording of version 1: its kind is that of
 * the chain's leaf, and one of kind IO has its direction in the low two bits of its
 * value.
 */
#ifndef DWELL_TRACE_EVENT_H
#define DWELL_TRACE_EVENT_H

#include <stdint.h>

#include "walk.h"

/* On disk: append only, never renumber. */
enum trace_event_type {
	TRACE_POLL_BEGIN	= 1,	/* poll: the thread enters a task's poll function */
	TRACE_POLL_END		= 2,	/* end: it has returned to the runtime */
	TRACE_WAKE		= 3,	/* task: its waker was called by this thread */
	TRACE_TASK_NEW		= 4,	/* task: handed to the runtime (spawned) by this thread */
	TRACE_TASK_DROP		= 5,	/* task: its memory is being freed */
	TRACE_TASK_SEEN		= 6,	/* seen: found alive in memory after attach */
	TRACE_OFF_CPU		= 7,	/* off: the thread is back on a CPU; when it was off */
	TRACE_EPOLL_WAIT	= 8,	/* epoll: epoll_wait returned */
	TRACE_EPOLL_READY	= 9,	/* ready: one fd that it returned; at the same time */
	TRACE_FD_ADD		= 10,	/* fd: registered with an epoll instance */
	TRACE_FD_DEL		= 11,	/* fd: deregistered */
	TRACE_LOST		= 12,	/* lost: events missing in this CPU's stream; read in the
					 * place of the first of them */
	TRACE_THREAD_EXIT	= 13,	/* the thread is gone */
	TRACE_PROCESS_EXIT	= 14,	/* the target is gone or has become another program */
	TRACE_POLLS_GONE	= 15,	/* polls: some of the thread's have returned, whose begin
				 * or end was not seen */
	TRACE_FD_WAITER		= 16,	/* waiter: whose waker a descriptor has, when looked at */
	TRACE_TASKS_LISTED	= 17,	/* listed: all tasks of the runtime's lists were seen */
	TRACE_EVENT_NR
};

enum trace_poll_result {
	TRACE_POLL_PENDING	= 0,
	TRACE_POLL_READY	= 1,	/* completed, or cancelled */
	TRACE_POLL_UNKNOWN	= 2,	/* memory could not be read */
};

enum trace_off_reason {
	TRACE_OFF_PREEMPTED	= 0,	/* still runnable when switched out */
	TRACE_OFF_ASLEEP	= 1,	/* interruptible sleep */
	TRACE_OFF_DISK		= 2,	/* uninterruptible sleep */
	TRACE_OFF_STOPPED	= 3,	/* stopped by a signal, with the whole process */
};

/* From where it is known when the thread was woken and when it was back on a CPU. */
enum trace_off_told {
	TRACE_OFF_SEEN		= 0,	/* as it happened; a wake may be missing */
	TRACE_OFF_TOLD		= 1,	/* one or both from the scheduler's counters */
	TRACE_OFF_UNSEEN	= 2,	/* it was back at the event's time at the latest */
};

enum trace_lost_cause {
	TRACE_LOST_RING		= 0,	/* ring buffer full */
	TRACE_LOST_WRITER	= 1,	/* recorder could not write */
	TRACE_LOST_DAMAGED	= 2,	/* the reader's: a chunk of the file is damaged */
	TRACE_LOST_NR
};

enum trace_task_state {
	TRACE_TASK_IDLE		= 0,	/* Pending, not woken */
	TRACE_TASK_NOTIFIED	= 1,	/* woken, in a run queue */
	TRACE_TASK_RUNNING	= 2,	/* being polled */
	TRACE_TASK_UNKNOWN	= 3,	/* it is there, but changed while it was read */
};

struct trace_event {
	uint64_t	ts;
	uint32_t	tid;		/* thread that did it (0: none, e.g. TRACE_LOST) */
	uint16_t	cpu;		/* stream it belongs to */
	uint8_t		type;		/* enum trace_event_type */
	union {
		/* TRACE_WAKE, TRACE_TASK_NEW, TRACE_TASK_DROP */
		struct {
			uint64_t	task;
		} task;
		struct {
			uint64_t	task;
			uint32_t	kind;	/* id in the task-kind table */
		} poll;
		struct {
			uint64_t	task;
			uint32_t	chain;	/* id in the chain table, 0: none */
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
			uint64_t	out;	/* switched out */
			uint64_t	wake;	/* made runnable, 0: it never slept or not seen */
			uint32_t	waker;	/* thread that woke it, 0: interrupt or not known */
			uint32_t	stack;	/* id in the kernel-stack table, 0: none taken */
			uint8_t		reason;	/* enum trace_off_reason */
			uint8_t		open;	/* still off CPU when the recording ended */
			uint8_t		woken;	/* open only: already runnable */
			uint8_t		told;	/* not open only: enum trace_off_told */
			int16_t		syscall;/* in which it slept, -1: none (x86-64 number) */
		} off;
		struct {
			int32_t		nr;	/* what it returned */
			int32_t		epfd;
		} epoll;
		struct {
			uint64_t	token;	/* epoll_event.data */
			uint64_t	ready;	/* first readiness seen by the kernel since the
						 * last return of this fd, 0: not seen */
			uint64_t	reader;	/* task whose waker waits for reading, 0: none,
						 * 1: several may wait, in a list */
			uint64_t	writer;	/* … for writing */
			uint32_t	events;	/* EPOLLIN … */
		} ready;
		struct {
			uint64_t	token;
			int32_t		epfd;
			int32_t		fd;
			uint32_t	name;	/* string id: "tcp 10.0.0.1:80" */
		} fd;
		struct {
			uint32_t	nr;	/* of the polls that have begun there and are still
						 * under way, the outermost ones; all of them, if
						 * there are fewer */
		} polls;
		struct {
			uint64_t	token;
			uint64_t	task;
			uint8_t		dir;	/* 1 reading, 2 writing, 3 either */
		} waiter;
		struct {
			uint64_t	begin;	/* when the first was looked at */
		} listed;
		struct {
			uint64_t	first;	/* time of the first one lost; the last is at ts */
			uint64_t	count;
			uint8_t		cause;	/* enum trace_lost_cause */
		} lost;
	};
};

#endif /* DWELL_TRACE_EVENT_H */
