/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of a join between two events: threads, tasks, and what has been
 * charged so far. Private to src/join.
 *
 * join.c hands out the events, to task.c what a task goes through, to thread.c what a
 * thread does (its polls, its history, its driver), to listing.c what the runtime's
 * lists tell. split.c explains a wait that has ended, charge.c gives time to a task,
 * result.c makes what join.h shows, with notes.c and selection.c.
 *
 * Calls go down, from one line to a later one, and never up:
 *
 *	join.c
 *	listing.c
 *	task.c
 *	thread.c	split.c
 *	charge.c	the drivers: see driver.h
 *
 * thread.c finds polls whose ends are missing, and only task.c knows what that means:
 * it is told by join->poll_broken(), which join.c sets. split.c reads tasks and
 * threads, and changes none.
 */
#ifndef DWELL_JOIN_TIMELINE_H
#define DWELL_JOIN_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "join/driver.h"
#include "join/fds.h"
#include "join/history.h"
#include "join/join.h"
#include "join/kinds.h"
#include "join/map.h"
#include "join/names.h"
#include "join/part.h"
#include "join/pieces.h"
#include "join/sink.h"
#include "join/sink_sums.h"
#include "join/site.h"
#include "join/stops.h"
#include "join/windows.h"

#define PIECES_MAX	64	/* kept apart in one poll */
#define POLLS_MAX	32	/* nested on one thread */

/* Losses found here; names in result.c. */
enum join_loss {
	JOIN_LOSS_POLL,		/* a poll's begin or end was not seen */
	JOIN_LOSS_DROP,		/* a task's drop was not seen */
	JOIN_LOSS_HISTORY,	/* a wait reaches back before what is known of the worker */
	JOIN_LOSS_NESTED,	/* polls nested deeper than POLLS_MAX */
	JOIN_LOSS_NR
};

enum task_state {
	TASK_READY	= 0,	/* spawned or woken, not polled yet */
	TASK_RUNNING	= 1,
	TASK_IDLE	= 2,	/* Pending, not woken */
	TASK_LIMBO	= 3,	/* not known, because of limbo_part */
	TASK_DONE	= 4,	/* completed, its memory is still there */
};

#define NO_WAIT	UINT64_MAX

struct task {
	uint64_t	 addr;		/* of its header */
	uint64_t	 life;		/* its number: see struct charged */
	uint64_t	 start;		/* of its life */
	uint64_t	 since;		/* of its state; RUNNING: its poll knows */
	uint64_t	 charged;	/* time given to some segment so far */
	uint64_t	 waited_ns;	/* READY: the wait that was, NO_WAIT: not all of it seen */
	uint32_t	 kind;		/* UNKNOWN_KIND until its first poll is seen */
	uint32_t	 polled;	/* kind of that poll; .kind may be what is boxed in it */
	uint32_t	 chain;		/* of the wait that is, or the last that was */
	uint16_t	 branch;	/* that ended that wait */
	uint8_t		 state;		/* enum task_state */
	uint8_t		 why;		/* enum part: READY: how; LIMBO: cause */
	bool		 woken;		/* RUNNING: by a wake during the poll */
	bool		 woken_by_other;/* … and not only by the thread that polls it */
	bool		 waited;	/* READY: after a wait at (chain, branch) */
	bool		 cut;		/* IDLE: its begin was not seen */
	bool		 resumed;	/* … and part of it was charged before a loss */
	bool		 unsure;	/* IDLE: the poll's result is not known */
	bool		 undecided;	/* which branch ended the wait: its next poll may tell */
	bool		 unnamed;	/* boxed, and what it holds is not known yet */
	bool		 at_fd;		/* IDLE: its waker was seen at fd_token, for fd_dir */
	uint8_t		 fd_dir;
	uint8_t		 missed;	/* listings in which it was not, since it was seen */
	uint8_t		 nr_keys;
	uint32_t	 self_wakes;	/* polls in succession after which it had woken itself */
	struct walk_keys keys;
	uint64_t	 fd_token;
	uint64_t	 seen_at;	/* in a list, 0: never */
	struct thread	*thread;	/* RUNNING: polls it; NULL: not known */
	struct deferred	*deferred;	/* charged while the kind or the branch was not known */
	struct task	*next_free;
};

/* A poll that has begun on a thread and not ended. */
struct poll {
	struct task	*task;		/* NULL: dropped in this poll, or polled elsewhere */
	uint64_t	 addr;		/* of the task */
	uint32_t	 kind;
	uint64_t	 begin;
	uint64_t	 since;		/* time up to here is in pieces */
	uint32_t	 blocks_on;	/* kind of the root that it blocks on, which is Pending */
	bool		 outer;		/* another poll has begun inside it */
	bool		 blocks;	/* … it does */
	struct pieces	 pieces;	/* charged when the end proves them */
};

struct thread {
	uint32_t	 tid;
	uint64_t	 last;		/* its last event */
	struct history	 history;
	struct poll	*polls;		/* innermost last */
	uint32_t	 nr_polls, polls_size;
	/* By enum driver_id; NULL: it never waited in that one. */
	struct driver	*drivers[DRIVER_NR];
	struct driver	*dispatches;	/* it is back from this; no poll has begun or ended since */
	struct driver	*drives;	/* it waited in this outside of any poll, … */
	uint64_t	 instance;	/* … and in which of its kind */
};

struct join {
	struct trace_reader	*reader;
	/* A poll of @t that began at @begin has no end that can be trusted: see task__doubt(). */
	void			(*poll_broken)(struct join *j, struct task *t, uint64_t begin,
					       enum part why);
	struct names		*names;
	struct sites		*sites;
	struct sink_sums	 sums;		/* the first of the sinks */
	struct sink		*sinks;
	struct pieces		 scratch;
	struct pieces		*placed;	/* scratch, if a sink wants places; else NULL */
	struct fds		 fds;
	struct windows		 windows;
	struct stops		 stops;
	struct map		 tasks, threads;
	struct map		 kinds;		/* struct kind by its id */
	struct map		 listed;	/* kinds of tasks that are in the runtime's lists */
	uint64_t		 listing_looks;	/* at places of the table of tasks: see listing.c */
	struct task		*free_tasks;
	void			*drivers[DRIVER_NR];	/* what each keeps for all threads */
	uint64_t		 start, end;
	bool			 lossy;		/* something was lost up to now */
	struct join_totals	 totals;
	uint64_t		 losses[JOIN_LOSS_NR];
	uint64_t		 lost_events[TRACE_LOST_NR];
	int			 err;		/* first lack of memory */
	uint64_t		 violations;	/* tasks whose time was not conserved */
	char			 why[256];
	/* Results. */
	struct join_row		*rows;
	struct join_frame	*row_frames;
	size_t			 nr_rows;
	struct join_point	*points;
	size_t			 nr_points;
	struct join_sum		*point_sums;
	struct join_frame	*point_frames;
	struct join_sum		*loss_sums;
	size_t			 nr_losses;
	const char		**notes;
	const char		*unpolled;	/* see unpolled.h */
	size_t			 nr_notes;
	const char		**task_names;
	size_t			 nr_task_names;
	const char		*selected;	/* pattern, NULL: all tasks */
	struct join_totals	 shown;		/* of those that are selected */
};

/* The first failure stays; join__run() ends at the next event. */
static inline void join__note_err(struct join *j, int err)
{
	if (err && !j->err)
		j->err = err;
}

/* ---- task.c ---- */

static inline struct task *task__find(const struct join *j, uint64_t addr)
{
	return map__get(&j->tasks, addr);
}

void task__new(struct join *j, uint64_t addr, uint64_t now);
/* The task, if it is alive: it was met in one of the runtime's lists. */
struct task *task__seen(struct join *j, const struct trace_event *ev, uint64_t now);
void task__wake(struct join *j, uint64_t addr, struct thread *waker, uint64_t now);
void task__begin(struct join *j, uint64_t addr, uint32_t kind, struct thread *th, uint64_t now);
void task__end(struct join *j, const struct trace_event *ev, struct thread *th, uint64_t now);
void task__drop(struct join *j, uint64_t addr, struct thread *th, uint64_t now);
void task__finish_all(struct join *j, uint64_t now);
void task__free_all(struct join *j);
/* A poll of @t that has begun at @begin cannot be trusted: not known since then. */
void task__doubt(struct join *j, struct task *t, uint64_t begin, enum part why);

/* Its end was lost, at @cut or later, and so is what it did since; it is gone at @now. */
void task__vanish(struct join *j, struct task *t, uint64_t cut, uint64_t now);
/* Its waker is registered with a descriptor. */
void task__waiter(struct join *j, const struct trace_event *ev, uint64_t now);

/* ---- charge.c ---- */

/* Time that @t spent at (@chain, @branch), or in no wait. */
void task__charge(struct join *j, struct task *t, uint32_t chain, uint16_t branch,
		  const struct piece *p);
void task__charge_piece(struct join *j, struct task *t, const struct piece *p);
void task__charge_unknown(struct join *j, struct task *t, enum part why, uint64_t from,
			  uint64_t to);
/* Of the wait that @t is in, or was in last. */
void task__note_wait(struct join *j, struct task *t, enum wait_end wait, uint64_t ns);
/*
 * The branch that ended the last wait is @branch, or will never be known. What
 * waited for it is summed, unless the kind is still to come.
 */
void task__decide(struct join *j, struct task *t, uint16_t branch);
/* Its kind has become known. */
void task__name(struct join *j, struct task *t, uint32_t kind);
/* It waits at @chain, which tells what a boxed task holds. */
void task__unbox(struct join *j, struct task *t, uint32_t chain);
/* What was put off is summed, whether it can be named or not. */
void task__flush(struct join *j, struct task *t);

/* ---- listing.c ---- */

/* @t was met in one of the runtime's lists. */
void listings__met(struct join *j, struct task *t);
/* All lists have been gone through, from @begin to @now. */
void listings__complete(struct join *j, uint64_t begin, uint64_t now);

/* ---- thread.c ---- */

/* Of an event at @now; never seen before: a new one. NULL: no memory. */
struct thread *thread__get(struct join *j, uint32_t tid, uint64_t now);
void thread__off_cpu(struct join *j, struct thread *th, const struct trace_event *ev, uint64_t now);
/* @ev is of driver @ops: the thread came back from it, or it found something. */
void thread__driver_event(struct join *j, struct thread *th, const struct driver_ops *ops,
			  const struct trace_event *ev, uint64_t now);
/*
 * Of the polls on @th only the outermost @nr go on; when the others ended is not
 * known. If there are not more: one of which nothing is known has ended.
 */
void thread__polls_gone(struct join *j, struct thread *th, uint32_t nr);
void thread__exit(struct join *j, struct thread *th, uint64_t now);
void thread__free_all(struct join *j);
/* The innermost poll, or NULL. */
static inline struct poll *thread__poll(const struct thread *th)
{
	return th->nr_polls ? &th->polls[th->nr_polls - 1] : NULL;
}

void thread__push_poll(struct join *j, struct thread *th, struct task *t, uint64_t now);
/*
 * The poll of @addr on @th has ended: its time is charged, its task is RUNNING
 * no more. False: no such poll is open there.
 */
bool thread__pop_poll(struct join *j, struct thread *th, uint64_t addr, uint64_t now);
/*
 * The same for a poll whose task was dropped inside it, or has gone on elsewhere:
 * nothing is charged.
 */
bool thread__pop_orphan(struct join *j, struct thread *th, uint64_t addr, uint64_t now);
/* Charge the poll of @t up to @now, and leave it there without a task. */
void thread__orphan_poll(struct join *j, struct thread *th, struct task *t, uint64_t now);
/*
 * A root of @kind, or NULL, is Pending, and the innermost poll on @th sleeps until it is
 * woken: it blocks on it.
 */
void thread__blocks_on(struct thread *th, const uint32_t *kind);
/* Forget the poll of @t; returns when it began. Nothing is charged. */
uint64_t thread__forget_poll(struct join *j, struct thread *th, struct task *t);
/* Charge all polls up to the end of the recording. */
void thread__finish_all(struct join *j, uint64_t now);

/* ---- split.c: it changes nothing of the join; only drivers remember what they were asked ---- */

#define SPLIT_MAX	64
#define SPLIT_HINTS	8	/* a power of two */

struct split {
	unsigned int	nr;
	struct piece	parts[SPLIT_MAX];	/* add up to the wait */
	uint8_t		hint[SPLIT_HINTS];	/* where one may be, by part and detail */
	struct pieces	*placed;		/* not NULL: they are here, each in its place */
	int		err;			/* … or -ENOMEM: not all */
	uint16_t	branch;			/* that ended it, or NO_BRANCH */
	bool		undecided;		/* the next poll may tell which branch it was */
	bool		yielded;		/* there was nothing to wait for */
	unsigned int	forgotten;		/* how often a history did not reach back to it */
};

/* Why @t, IDLE since t->since, was woken by @waker (NULL: not known) at @now. */
void split__wake(const struct join *j, const struct task *t, const struct thread *waker,
		 uint64_t now, struct split *out);
/*
 * The leaves of @t's wait (a bit for each) that wait for the end of a task that goes
 * on: since such a task is not in its poll, none of them can have ended the wait.
 */
uint64_t split__not_joined(const struct join *j, const struct task *t);
/* What is known of the wait of @t up to @now, where it does not end. */
void split__open(const struct join *j, const struct task *t, uint64_t now,
		 enum part otherwise, struct split *out);

/* ---- result.c ---- */

int result__make(struct join *j);
void result__free(struct join *j);

/* ---- notes.c ---- */

int notes__make(struct join *j);

/* ---- selection.c ---- */

/* Are tasks of this kind, or of one called so, among those that are asked for? */
bool selection__has(struct join *j, uint32_t kind);
bool selection__has_name(const struct join *j, const char *task);
/* Counts of tasks, and the totals of those that are asked for, from what result.c has made. */
int selection__make(struct join *j);

#endif /* DWELL_JOIN_TIMELINE_H */
