/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The words of a split: into what parts a segment is cut, and whom a part is
 * about. Their spelling is part of the interface (folded lines, JSON).
 */
#ifndef DWELL_JOIN_PART_H
#define DWELL_JOIN_PART_H

#include <stdint.h>

enum part {
	PART_NONE = 0,
	/* await: a file descriptor */
	PART_NO_DATA,		/* nothing to read yet */
	PART_NO_ROOM,		/* nothing can be written yet */
	PART_NOT_SEEN,		/* it became ready somewhere in here */
	/* await: ready (or due), the worker that will notice is elsewhere */
	PART_RUN_QUEUE,		/* runnable, not on a CPU */
	PART_BUSY,		/* polls another task, or works for the runtime */
	PART_WORKER_BLOCKED,	/* asleep inside a poll */
	PART_PARKED,		/* asleep in the runtime, not in epoll_wait */
	PART_EPOLL,		/* in epoll_wait */
	PART_DISPATCH,		/* back from epoll_wait, on the way to the wake */
	/* await: time */
	PART_DEADLINE,		/* until the deadline */
	PART_TIMER_LATE,	/* after it, asleep in epoll_wait */
	PART_TIMER,		/* a timer whose deadline is not known */
	PART_TIMER_OR_YIELD,	/* … or one who gave way: the driver was only asked */
	PART_TIMER_OR_SIGNAL,	/* woken by the driver, by no descriptor */
	PART_DRIVER,		/* woken by the driver, which does not say by what */
	/* await: anything else */
	PART_YIELDED,		/* gave way of its own will */
	PART_WOKEN,		/* until somebody called the waker */
	PART_NO_WAKE,		/* polled again without a wake: cancelled, or shut down */
	PART_OPEN,		/* not woken by the end */
	PART_CUT,		/* a loss begins here: how it ended is not known */
	PART_HISTORY,		/* the worker's doings are not known so far back */
	/* ready */
	PART_SPAWNED,		/* handed to the runtime, not polled yet */
	PART_IN_POLL,		/* woken before the poll had returned */
	/* running, blocked */
	PART_OTHER_TASK,	/* this poll polls another task */
	PART_PROBE,		/* asleep in a probe, dwell's or another tool's */
	PART_STOPPED,		/* by a signal; in await and ready too: see stops.h */
	/* unattributed: why */
	PART_BEFORE,
	PART_LOST,
	PART_BACK_NOT_SEEN,	/* off CPU, or back already */
	PART_UNMATCHED,
	PART_RESULT,
	PART_END_NOT_SEEN,
	PART_THREAD_GONE,
	/* await: anything else */
	PART_DROPPED,		/* not woken before the task was dropped */
	PART_NR
};

/* Whom a part is about; the id says which. */
enum detail_kind {
	DETAIL_NONE = 0,
	DETAIL_STRING,		/* string id: an fd's name */
	DETAIL_FD,		/* fd without a name */
	DETAIL_TASK,		/* kind id: "task X" */
	DETAIL_BY_TASK,		/* kind id: "by task X" */
	DETAIL_JOINED,		/* kind id: "joined task X" */
	DETAIL_BY_THREAD,	/* tid */
	DETAIL_RUNTIME,		/* the runtime itself */
	DETAIL_STACK,		/* kernel stack id */
	DETAIL_OTHERS,		/* too many to name */
	DETAIL_BLOCK_ON,	/* kind id of a root: "block_on of X" */
	DETAIL_NR
};

struct detail {
	uint8_t		kind;	/* enum detail_kind */
	uint32_t	id;
};

const char *part__name(enum part p);

#endif /* DWELL_JOIN_PART_H */
