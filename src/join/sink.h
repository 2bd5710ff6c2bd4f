/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the join produces and who receives it: the time of tasks, as intervals, and the
 * ends of their waits. The sums are one sink (sink_sums.c), the tasks' histories are another
 * (task_history.c). A sink is one file and needs no knowledge of events.
 *
 *	static int interval(struct sink *s, const struct task_interval *iv) { … }
 *	static const struct sink_ops ops = { .placed = true, .interval = interval };
 *
 *	join__new(reader, &j);
 *	join__add_sink(j, &(struct sink){ .ops = &ops });
 *	join__run(j);
 */
#ifndef DWELL_JOIN_SINK_H
#define DWELL_JOIN_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "join/part.h"
#include "trace/event.h"

struct join;
struct sink;

/* Whose time is charged: one life of a task, and the wait that the time belongs to. */
struct charged {
	/* address of its header, which other lives may have had too */
	uint64_t	task;
	uint64_t	life;		/* 1, 2, …: unique within a recording */
	uint64_t	born;		/* when this life began */
	uint32_t	kind;		/* UNKNOWN_KIND: the task was never polled */
	uint32_t	chain;		/* NO_CHAIN: the time belongs to no wait */
	uint16_t	branch;		/* of the chain: see account.h */
};

/* A piece of time, with what it was. */
struct piece {
	uint8_t		segment;	/* enum join_segment */
	uint8_t		part;		/* enum part */
	struct detail	detail;
	/*
	 * await, placed, if the detail is a task that ended the wait or is joined: its life; else
	 * 0, as for lives beyond UINT32_MAX
	 */
	uint32_t	source;
	/* when it begins; only valid if placed: see struct sink_ops */
	uint64_t	from;
	uint64_t	ns;		/* duration */
	/* blocked: in how many periods off the CPU, and the longest of them */
	uint32_t	times;
	/*
	 * blocked, in a blocking job: number + 1 of the sleep as a wait for the job has it (see
	 * struct sleep); 0: none
	 */
	uint32_t	joined;
	uint64_t	longest;
};

/* The intervals of one life leave no gaps and do not overlap. */
struct task_interval {
	struct charged	of;
	struct piece	piece;		/* ns > 0 */
};

/* What is counted at an await point besides time; the value that comes with it. */
enum wait_end {
	WAIT_FINISHED,		/* the wait ended; duration of the await */
	WAIT_IN_POLL,		/* woken before the poll returned; 0 */
	WAIT_OPEN,		/* begin or end not seen; no value */
	WAIT_POLLED,		/* the ready time ended; its duration */
	WAIT_TOTAL,		/* await + ready of one wait */
	WAIT_SELF_WAKE,		/* a poll without a wait; how many in a row so far */
};

/* What happens to a task at one moment. */
enum moment {
	MOMENT_READY,		/* given to the runtime, or found in a queue of it */
	MOMENT_WOKEN,		/* its waker was called; in its own poll too */
	MOMENT_POLLED,		/* a poll begins */
	MOMENT_PENDING,		/* it waits: a poll has ended, or it was found so */
	MOMENT_DOUBT,		/* from here on it is not known what it does */
	MOMENT_ENDED,		/* its life ends */
};

/* A thread, and the task that it polled when it did something. */
struct actor {
	uint32_t	tid;		/* 0: not known */
	uint32_t	kind;		/* UNKNOWN_KIND: it polled none */
	uint64_t	task, life;	/* 0: it polled none */
	bool		driver;		/* it had just come back from its driver */
};

struct task_moment {
	struct charged		 of;	/* chain: PENDING only */
	uint8_t			 what;	/* enum moment */
	uint8_t			 nr_keys;
	bool			 unseen;	/* PENDING: it began to wait earlier */
	bool			 spawned;	/* READY: by a spawn that was seen */
	uint8_t			 end;	/* ENDED: enum task_end */
	uint64_t		 at;
	struct actor		 by;	/* who wakes, spawns, polls it */
	const struct walk_keys	*keys;	/* PENDING: those of the leaves */
};

struct sink_ops {
	/*
	 * True: each interval is passed on as it was, with its begin in piece.from.
	 * False: equal pieces of one wait or one poll may be passed on as one, without
	 * piece.from, which costs less. If any sink of a join sets it, all its sinks
	 * get placed intervals.
	 */
	bool	placed;
	/*
	 * Receives an interval. If placed, the intervals of one wait or one poll come
	 * in order of time; but a wait may come after the poll that followed it, if
	 * only this poll told what the wait was for. 0, or a negative errno, which ends
	 * the join.
	 */
	int	(*interval)(struct sink *s, const struct task_interval *iv);
	/*
	 * Receives the end of a wait; @ns is the value described at enum wait_end.
	 * NULL: the sink does not need it. 0 or negative errno.
	 */
	int	(*wait)(struct sink *s, const struct charged *of, enum wait_end wait, uint64_t ns);
	/*
	 * Receives a sample of a CPU that was met in running time of a task: its number (see
	 * samples.h). NULL: the sink does not need it. 0 or negative errno.
	 */
	int	(*sample)(struct sink *s, const struct charged *of, uint32_t number);
	/*
	 * Receives what happens to a task when it happens, in order of time, but for DOUBT,
	 * which tells of an earlier moment. The intervals before it may come later. NULL: the
	 * sink does not need it. 0 or negative errno.
	 */
	int	(*moment)(struct sink *s, const struct task_moment *m);
};

struct sink {
	const struct sink_ops	*ops;
	struct sink		*next;		/* the join's list */
};

/* Called before join__run(). @s stays the caller's and must outlive join__run(). */
void join__add_sink(struct join *j, struct sink *s);

#endif /* DWELL_JOIN_SINK_H */
