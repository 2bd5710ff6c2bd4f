/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts that a segment is split into, and the details: whom or what a part is
 * about. Their spelling is part of the interface (folded lines, JSON).
 */
#ifndef DWELL_JOIN_PART_H
#define DWELL_JOIN_PART_H

#include <stdbool.h>
#include <stdint.h>

enum part {
	PART_NONE = 0,
	/* await: a file descriptor */
	PART_NO_DATA,		/* nothing to read yet */
	PART_NO_ROOM,		/* nothing can be written yet */
	PART_NOT_SEEN,		/* readiness not seen: it became ready within this time */
	/* await: the descriptor is ready or the timer is due, but the worker has not noticed */
	PART_RUN_QUEUE,		/* runnable, not on a CPU */
	PART_BUSY,		/* polls another task, or runs the runtime's own code */
	PART_WORKER_BLOCKED,	/* asleep inside a poll */
	PART_PARKED,		/* asleep in the runtime, but not in epoll_wait */
	PART_EPOLL,		/* in epoll_wait */
	PART_DISPATCH,		/* back from epoll_wait, wake not reached yet */
	/* await: time */
	PART_DEADLINE,		/* until the deadline */
	PART_TIMER_LATE,	/* after the deadline, asleep in epoll_wait */
	PART_TIMER,		/* a timer whose deadline is not known */
	PART_TIMER_OR_YIELD,	/* a timer, or a task that yielded */
	PART_TIMER_OR_SIGNAL,	/* woken by the driver, not by a descriptor */
	PART_DRIVER,		/* woken by the driver, not known by what */
	/* await: all other leaves */
	PART_YIELDED,		/* the task yielded (yield_now) */
	PART_WOKEN,		/* until somebody called the waker */
	PART_NO_WAKE,		/* polled without a wake: cancelled, or shutdown */
	PART_OPEN,		/* not woken when the recording ended */
	PART_UNTIL_LOSS,	/* events lost from here: its end is not known */
	PART_HISTORY,		/* what the worker did at this time is not known */
	/* ready */
	PART_SPAWNED,		/* given to the runtime, not polled yet */
	PART_IN_POLL,		/* woken before the poll returned */
	/* running, blocked */
	PART_OTHER_TASK,	/* this poll polls another task */
	PART_PROBE,		/* asleep in a probe, of dwell or another tool */
	PART_STOPPED,		/* by a signal; in await and ready too, see stops.h */
	/* unattributed: the cause */
	PART_BEFORE,
	PART_LOST,
	PART_BACK_NOT_SEEN,	/* off the CPU, or back on it already */
	PART_UNMATCHED,
	PART_RESULT,
	PART_END_NOT_SEEN,
	PART_THREAD_GONE,
	/* await: all other leaves */
	PART_DROPPED,		/* dropped before it was woken */
	PART_UNDRIVEN,		/* the deadline has passed; no thread waits in a driver */
	/* await: a blocking job */
	PART_JOB_QUEUED,	/* in the pool's queue, no thread has begun it */
	PART_JOB_RUNNING,	/* on a CPU */
	PART_JOB_RUN_QUEUE,	/* its thread runnable, not on a CPU */
	PART_JOB_BLOCKED,	/* its thread asleep */
	PART_JOB_DONE,		/* it has ended, and its thread has not woken the task yet */
	PART_JOB_UNKNOWN,	/* what it did at this time is not known */
	/* await: nothing to read yet, told by whose turn it is: see idle.h */
	PART_NO_REPLY,
	PART_NO_REQUEST,
	PART_NO_CONNECTION,
	PART_NOT_ASKED,
	/* await: nothing to do */
	PART_NEXT_TICK,
	PART_NO_WORK,
	PART_NO_SIGNAL,
	PART_TASKS_GO_ON,
	/* await: an operation of io_uring */
	PART_NOT_SUBMITTED,	/* built, not given to the kernel yet */
	PART_OPERATION,		/* in the kernel */
	PART_IO_WQ,		/* in the kernel, given to an io-wq thread */
	PART_IO_URING,		/* completed, the worker in io_uring_enter */
	PART_IO_WQ_QUEUE,	/* no io-wq thread has it yet, or its thread waits for a CPU */
	/* runnable, and the cgroup does not allow it to run (cpu.max) */
	PART_THROTTLED,		/* preempted: the thread */
	PART_WORKER_THROTTLED,	/* await: the worker, as PART_RUN_QUEUE */
	PART_JOB_THROTTLED,	/* await: the thread of a blocking job */
	PART_IO_WQ_THROTTLED,	/* await: the io-wq thread that does the operation */
	PART_NR
};

/* What a part is about; the id says which one. */
enum detail_kind {
	DETAIL_NONE = 0,
	DETAIL_STRING,		/* string id: a descriptor's name */
	DETAIL_FD,		/* descriptor without a name */
	DETAIL_TASK,		/* kind id: "task X" */
	DETAIL_BY_TASK,		/* number of a waker, see wakers.h: "by task X after f (x.rs:1)" */
	DETAIL_JOINED,		/* kind id: "joined task X" */
	DETAIL_BY_THREAD,	/* tid */
	DETAIL_RUNTIME,		/* the runtime itself */
	DETAIL_SLEEP,		/* number of a sleep: see sleeps.h */
	DETAIL_OTHERS,		/* merged: too many to name */
	/* ready: what the worker did meanwhile that polled the task, or that has it in its queue */
	DETAIL_WORKER_BLOCKED,	/* kind id: "worker blocked in task X" */
	DETAIL_WORKER_BUSY,	/* kind id: "worker busy with task X" */
	/* the same of a worker that had the task from elsewhere: it may have been taken before */
	DETAIL_TAKER_BLOCKED,	/* kind id: "taken by a worker that was blocked in task X" */
	DETAIL_TAKER_BUSY,	/* kind id: "taken by a worker that was busy with task X" */
	DETAIL_WORKER_RUNTIME,	/* on a CPU in the runtime's code */
	DETAIL_WORKER_QUEUE,	/* runnable, not on a CPU */
	DETAIL_WORKER_ASLEEP,	/* it had nothing to do: parked, or in its driver */
	DETAIL_WORKER_THROTTLED,	/* runnable, and its cgroup does not allow it to run */
	DETAIL_OPERATION,	/* number of an operation's name: see operations.h */
	/* number of a waker that is a thread: "by thread feeder in f (x.rs:1)" */
	DETAIL_BY_THREAD_AT,
	DETAIL_NR
};

struct detail {
	uint8_t		kind;	/* enum detail_kind */
	uint32_t	id;
};

const char *part__name(enum part p);
/* Is it time in which the task has nothing to do, and nobody waits for it? See idle.h. */
bool part__idle(enum part p);

#endif /* DWELL_JOIN_PART_H */
