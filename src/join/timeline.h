/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of a join between two events: threads, tasks, and what has been charged so
 * far. Private to src/join.
 *
 * join.c dispatches the events: to task.c what happens to a task, to task_seen.c what is read
 * of it from memory; to thread.c what a thread does (its polls, its history, its driver); to
 * listing.c what the runtime's lists contain. split.c explains a wait that has ended,
 * charge.c charges time to a
 * task, result.c makes what join.h provides, with frames.c, follow.c, job_kinds.c, notes.c
 * and selection.c.
 *
 * A file calls only files on later lines:
 *
 *	join.c
 *	listing.c
 *	task_seen.c
 *	task.c
 *	thread.c	split.c, ready.c
 *	jobs.c		job_kinds.c
 *	charge.c	the drivers: see driver.h
 *
 * thread.c detects polls whose end is missing, but only task.c knows what that means
 * for the task: thread.c calls join->poll_broken(), which join.c sets. split.c reads
 * tasks and threads and changes none.
 */
#ifndef DWELL_JOIN_TIMELINE_H
#define DWELL_JOIN_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "join/by_wake.h"
#include "join/driver.h"
#include "join/fds.h"
#include "join/history.h"
#include "join/join.h"
#include "join/kinds.h"
#include "join/map.h"
#include "join/frame_names.h"
#include "join/part.h"
#include "join/pieces.h"
#include "join/samples.h"
#include "join/sink.h"
#include "join/sink_sums.h"
#include "join/sleeps.h"
#include "join/wakers.h"
#include "join/account.h"
#include "join/stops.h"
#include "join/windows.h"

#define PIECES_MAX	64	/* kept apart within one poll */
#define POLLS_MAX	32	/* nested on one thread */
#define POLL_WORDS	8	/* futexes that are told apart within one poll */

/* Losses found by the join; named in result.c. */
enum join_loss {
	JOIN_LOSS_POLL,		/* begin or end of a poll not seen */
	JOIN_LOSS_DROP,		/* drop of a task not seen */
	JOIN_LOSS_HISTORY,	/* wait begins before the worker's history */
	JOIN_LOSS_NESTED,	/* polls nested deeper than POLLS_MAX */
	JOIN_LOSS_NR
};

enum task_state {
	TASK_READY	= 0,	/* spawned or woken, not polled yet */
	TASK_RUNNING	= 1,
	TASK_IDLE	= 2,	/* Pending, not woken */
	TASK_LIMBO	= 3,	/* not known; the cause is in @why */
	TASK_DONE	= 4,	/* completed, but its memory still exists */
};

#define NO_WAIT	UINT64_MAX

struct task {
	uint64_t	 addr;		/* of the task's header */
	uint64_t	 life;		/* see struct charged */
	uint64_t	 start;		/* begin of its life */
	uint64_t	 since;		/* begin of its state; RUNNING: see struct poll */
	uint64_t	 charged;	/* ns charged so far */
	uint64_t	 waited_ns;	/* READY: duration of the wait; NO_WAIT: begin not seen */
	uint32_t	 kind;		/* UNKNOWN_KIND until its first poll is seen */
	uint32_t	 polled;	/* kind of that poll; .kind may be what is boxed in it */
	uint32_t	 chain;		/* of the current or the last wait */
	uint16_t	 branch;	/* of the chain, that ended the wait */
	uint8_t		 state;		/* enum task_state */
	uint8_t		 why;		/* enum part; READY: how it became so; LIMBO: cause */
	bool		 woken;		/* RUNNING: woken since the poll began */
	bool		 woken_by_other;/* … by another thread than the polling one */
	bool		 waited;	/* READY: after a wait at (chain, branch) */
	bool		 begin_unseen;	/* IDLE: begin of the wait not seen */
	bool		 resumed;	/* IDLE: part of the wait was charged before a loss */
	bool		 unsure;	/* IDLE: result of the last poll not known */
	bool		 undecided;	/* branch not known; the next poll may tell */
	bool		 unnamed;	/* boxed, and what it holds is not known yet */
	bool		 at_fd;		/* IDLE: its waker is at fd_token, for fd_dir */
	bool		 job;		/* its kind is a blocking job's */
	uint8_t		 fd_dir;
	uint8_t		 missed;	/* listings in a row that it was missing in */
	uint8_t		 nr_keys;
	uint32_t	 woken_on;	/* READY: tid of the thread that woke or spawned it; 0 */
	uint32_t	 self_wakes;	/* polls in a row that it woke itself in */
	uint32_t	 polled_on;	/* tid of the thread that polled it last; 0: not seen */
	struct walk_keys keys;
	uint64_t	 fd_token;
	uint64_t	 seen_at;	/* when a listing last contained it; 0: never */
	struct thread	*thread;	/* RUNNING: polls it; NULL: not known */
	struct deferred	*deferred;	/* not passed on yet: see charge.c */
	struct task	*next_free;
};

/* A poll that has begun on a thread and has not ended. */
struct poll {
	struct task	*task;		/* NULL: dropped in this poll, or polled elsewhere */
	uint64_t	 addr, life;	/* of the task */
	uint32_t	 kind;
	uint32_t	 from;		/* chain that it had waited at; NO_CHAIN: none is known */
	uint64_t	 begin;
	uint64_t	 since;		/* time up to here is in pieces */
	uint32_t	 blocks_on;	/* if blocks: kind of the root that it waits for */
	bool		 outer;		/* another poll has begun inside it */
	bool		 blocks;	/* sleeps until a Pending root is woken */
	bool		 placed;	/* each piece has its place, and equal ones stay apart */
	bool		 job;		/* of a blocking job: see jobs.h */
	bool		 spawn_seen;	/* job: when it was queued is known */
	uint64_t	 ended;		/* job: when it ended, before its poll's end; 0 */
	uint64_t	 summed_to;	/* job: see jobs__make_room() */
	/* if its pieces have no place: the futexes that are told apart */
	uint64_t	 words[POLL_WORDS];
	uint32_t	 nr_words;
	uint32_t	 nr_summed;
	uint32_t	*samples;	/* numbers: met since what was charged last */
	size_t		 nr_samples, cap_samples;
	struct pieces	 pieces;	/* charged when the poll's end is seen; a job's are kept */
};

struct thread {
	uint32_t	 tid;
	uint64_t	 last;		/* time of its last event */
	struct history	 history;
	/* the last period whose user stack was read: off.out, and the stack */
	uint64_t	 slept_out;
	uint32_t	 slept_stack;
	/* the period that ends at this time: how long its cgroup did not allow it to run */
	uint64_t	 throttled_end, throttled_ns;
	/* … and the name of the file that it slept on (string id) */
	uint64_t	 slept_on_end;
	uint32_t	 slept_on;
	/* … or the address of the futex that it slept at */
	uint64_t	 futex_end, futex_word;
	/* the wake that it makes at this time: the user stack */
	uint64_t	 wake_at;
	uint32_t	 wake_user;
	struct ready_window *ready;	/* what ready.c remembers; NULL: nothing */
	struct poll	*polls;		/* innermost last */
	uint32_t	 nr_polls, polls_size;
	/* Indexed by enum driver_id; NULL: it never waited in that driver. */
	struct driver	*drivers[DRIVER_NR];
	struct driver	*dispatches;	/* back from it, no poll begun or ended since */
	struct driver	*drives;	/* waited in it outside any poll */
	bool		 works;		/* it has polled a task that is no job and no root */
	uint64_t	 instance;	/* of drives: see driver_ops */
};

struct join {
	struct trace_reader	*reader;
	/* Called for a poll of @t since @begin without a reliable end: see task__doubt(). */
	void			(*poll_broken)(struct join *j, struct task *t, uint64_t begin,
					       enum part why);
	struct frame_names		*names;
	struct accounts		*accounts;
	struct sink_sums	 sums;		/* the sink that every join has */
	struct sink		*sinks;
	bool			 moments;	/* a sink wants them */
	struct pieces		 scratch;
	struct pieces		 ready;		/* of the ready time that is being charged */
	/* &scratch if a sink wants placed intervals, else NULL */
	struct pieces		*placed;
	struct fds		 fds;
	struct windows		 windows;
	struct stops		 stops;
	struct sleeps		 sleeps;
	struct map		 files;		/* string ids of their names, by number */
	struct wakers		 wakers;
	struct samples		 samples;
	struct map		 tasks, threads;
	struct map		 kinds;		/* struct kind by id */
	struct map		 listed;	/* kinds of tasks that were in a list */
	uint64_t		 listing_looks;	/* see listing.c */
	struct task		*free_tasks;
	void			*drivers[DRIVER_NR];	/* for all threads; see driver_ops.forget */
	/*
	 * The thread that last came back from a driver outside of any poll, and the one
	 * that last went to sleep in one. NULL: none, or it has exited.
	 */
	struct thread		*drove, *in_driver;
	uint32_t		 nr_workers;	/* threads that have polled tasks so far */
	bool			 many_drivers;	/* threads have driven more than one instance */
	uint64_t		 start, end;
	uint64_t		 overflows;	/* completions that io_uring had no room for */
	struct by_wake		 by_wake;
	bool			 lossy;		/* events were lost so far */
	bool			 exited;	/* the target, before the recording ended */
	/*
	 * All has been read, and what each thread did up to the end is known. Before, a
	 * thread that sleeps looks as if it ran.
	 */
	bool			 settled;
	struct join_totals	 totals;
	uint64_t		 losses[JOIN_LOSS_NR];
	uint64_t		 lost_events[TRACE_LOST_NR];
	int			 err;		/* the first error */
	uint64_t		 violations;	/* tasks whose time was not conserved */
	char			 why[256];
	/* Results. */
	struct join_row		*rows;
	struct join_frame	*row_frames;
	size_t			 nr_rows;
	struct join_point	*points;
	size_t			 nr_points;
	struct join_sum		*point_sums;
	struct blocks		*blocks;	/* see blocks.h */
	struct join_job		*jobs;		/* see job_kinds.h */
	size_t			 nr_jobs;
	struct sampled		*sampled;	/* see sampled.h */
	struct join_frame	*point_frames;
	struct join_sum		*loss_sums;
	size_t			 nr_losses;
	const char		**notes;
	const char		*unpolled;	/* see unpolled.h */
	size_t			 nr_notes;
	const char		**task_names;
	size_t			 nr_task_names;
	const char		*selected;	/* pattern, NULL: all tasks */
	struct follow		*follow;	/* see follow.h; NULL: waits are not followed */
	struct followed		*followed;	/* see followed.h */
	enum join_idle		 idle;
	uint64_t		 left_out_ns;	/* because of idle */
	struct join_totals	 shown;		/* of the selected tasks */
};

/* Keep the first error; join__run() stops after the current event. */
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

/* @th spawns it. */
void task__new(struct join *j, uint64_t addr, const struct thread *th, uint64_t now);
void task__wake(struct join *j, uint64_t addr, struct thread *waker, uint64_t now);
void task__begin(struct join *j, uint64_t addr, uint32_t kind, struct thread *th, uint64_t now);
void task__end(struct join *j, const struct trace_event *ev, struct thread *th, uint64_t now);
void task__drop(struct join *j, uint64_t addr, struct thread *th, uint64_t now);
void task__finish_all(struct join *j, uint64_t now);
void task__free_all(struct join *j);
/*
 * A poll of @t, begun at @begin, is not fully known: the task is LIMBO since then
 * because of @why.
 */
void task__doubt(struct join *j, struct task *t, uint64_t begin, enum part why);

/* ---- task_seen.c ---- */

/* The task was read from a runtime's list. Returns it if it is alive, else NULL. */
struct task *task__seen(struct join *j, const struct trace_event *ev, uint64_t now);
/* The task has ended unseen, at @known or later, and is found missing at @now. */
void task__vanish(struct join *j, struct task *t, uint64_t known, uint64_t now);
/* The task's waker is registered with a descriptor. */
void task__waiter(struct join *j, const struct trace_event *ev, uint64_t now);

/* ---- charge.c ---- */

/* Charge a piece of time of @t to (@chain, @branch), or to no wait. */
void task__charge(struct join *j, struct task *t, uint32_t chain, uint16_t branch,
		  const struct piece *p);
void task__charge_piece(struct join *j, struct task *t, const struct piece *p);
void task__charge_unknown(struct join *j, struct task *t, enum part why, uint64_t from,
			  uint64_t to);
/* Report the end of the current or the last wait of @t; for @ns see enum wait_end. */
void task__note_wait(struct join *j, struct task *t, enum wait_end wait, uint64_t ns);
/* Sample @number was met while @t was running. */
void task__note_sample(struct join *j, struct task *t, uint32_t number);
/*
 * The last wait was ended by @branch; NO_BRANCH: it will never be known which, and the innermost
 * node that contains all of those that it can be takes its place. Passes on what was deferred
 * for it, unless the kind is still unknown.
 */
void task__decide(struct join *j, struct task *t, uint16_t branch);
/* The kind of @t has become known. */
void task__name(struct join *j, struct task *t, uint32_t kind);
/* It waits at @chain, which tells what a boxed task holds. */
void task__unbox(struct join *j, struct task *t, uint32_t chain);
/* Pass on everything that was deferred, known or not. */
void task__flush(struct join *j, struct task *t);

/* Tell the sinks what happens to @t at @now; @by: the thread that does it, or NULL. */
void task__tell(struct join *j, const struct task *t, enum moment what, const struct thread *by,
		uint64_t now);
/* Tell them that the life of @t ends. */
void task__tell_end(struct join *j, const struct task *t, enum task_end how, uint64_t now);

/* ---- listing.c ---- */

/* @t was found in one of the runtime's lists. */
void listings__met(struct join *j, struct task *t);
/* A listing has gone through all lists, from @begin to @now. */
void listings__complete(struct join *j, uint64_t begin, uint64_t now);

/* ---- thread.c ---- */

/* The thread @tid, created on its first event, which is at @now. NULL: no memory. */
struct thread *thread__get(struct join *j, uint32_t tid, uint64_t now);
void thread__off_cpu(struct join *j, struct thread *th, const struct trace_event *ev, uint64_t now);
/* @ev belongs to driver @ops: the thread came back from it, or it found something. */
/* The user stack of @th, which sleeps in a poll, has been read. */
void thread__sleep_stack(struct thread *th, const struct trace_event *ev);
/* @th slept on the file of that number, in the period that ends now. */
void thread__slept_on(struct join *j, struct thread *th, const struct trace_event *ev);
/* The cgroup of @th did not allow it to run, in the period that ends now. */
void thread__throttled(struct thread *th, const struct trace_event *ev);
/* For how long, in the period that @ev tells the end of. */
static inline uint64_t thread__throttled_ns(const struct thread *th, const struct trace_event *ev)
{
	return th->throttled_end == ev->ts ? th->throttled_ns : 0;
}

/* @th slept at that futex, in the period that ends now. */
void thread__futex(struct thread *th, const struct trace_event *ev);
/* Where @th makes its next wake, which has the same time. */
void thread__wakes_at(struct thread *th, const struct trace_event *ev);
/* The user stack of @th as it makes a wake at @now; 0: not taken. */
static inline uint32_t thread__wake_stack(const struct thread *th, uint64_t now)
{
	return th->wake_at == now ? th->wake_user : 0;
}

void thread__driver_event(struct join *j, struct thread *th, const struct driver_ops *ops,
			  const struct trace_event *ev, uint64_t now);
/* @ev is a sample of the thread that ran on a CPU; nothing else is changed by it. 0 or -ENOMEM. */
int thread__sample(struct join *j, const struct trace_event *ev);
/*
 * Of the polls on @th only the outermost @nr are still going on; the ends of the others
 * were not seen. If there are no more than @nr, a poll that was never seen has ended.
 */
void thread__polls_gone(struct join *j, struct thread *th, uint32_t nr);
void thread__exit(struct join *j, struct thread *th, uint64_t now);
void thread__free_all(struct join *j);
/* The innermost poll; NULL: none. */
static inline struct poll *thread__poll(const struct thread *th)
{
	return th->nr_polls ? &th->polls[th->nr_polls - 1] : NULL;
}

/* Does @th sleep in a driver now? */
static inline bool thread__in_driver(const struct thread *th)
{
	return history__now(&th->history).doing == DOING_DRIVER;
}

void thread__push_poll(struct join *j, struct thread *th, struct task *t, uint64_t now);
/*
 * The poll of the task at @addr on @th has ended: charge its time. False: no such poll
 * is open on @th.
 */
bool thread__pop_poll(struct join *j, struct thread *th, uint64_t addr, uint64_t now);
/*
 * The same for a poll whose task was dropped inside it or is polled elsewhere by now;
 * nothing is charged.
 */
bool thread__pop_orphan(struct join *j, struct thread *th, uint64_t addr, uint64_t now);
/* Charge the poll of @t up to @now; the poll stays open without a task. */
void thread__orphan_poll(struct join *j, struct thread *th, struct task *t, uint64_t now);
/*
 * The innermost poll on @th sleeps until a Pending root of kind *@kind is woken. NULL:
 * it no longer does.
 */
void thread__blocks_on(struct thread *th, const uint32_t *kind);
/* The poll of the task at @addr that is open on @th; NULL: none. */
const struct poll *thread__poll_of(const struct thread *th, uint64_t addr);
/* Remove the poll of @t without charging it. Returns when it began. */
uint64_t thread__forget_poll(struct join *j, struct thread *th, struct task *t);
/* Charge all open polls up to the end of the recording. */
void thread__finish_all(struct join *j, uint64_t now);

/* ---- split.c: changes nothing in the join, except what drivers remember ---- */

#define SPLIT_MAX	88
#define SPLIT_HINTS	8	/* a power of two */

struct split {
	unsigned int	nr;
	struct piece	parts[SPLIT_MAX];	/* add up to the wait */
	uint8_t		hint[SPLIT_HINTS];	/* likely index of a part, by part and detail */
	/* if not NULL, the parts are here, each with its place in time */
	struct pieces	*placed;
	int		err;			/* -ENOMEM: placed is incomplete */
	uint32_t	source;			/* of the parts to come: see struct piece */
	uint16_t	branch;			/* that ended the wait; or NO_BRANCH */
	bool		undecided;		/* the next poll may tell which branch */
	bool		yielded;		/* the task yielded: no wait */
	/* when .on was ready is told by the wake of the thread that waited for it */
	bool		by_wake;
	struct detail	on;
	/* the wait was for this blocking job; NULL: for none, or it is not known what it did */
	const struct poll *job;
	unsigned int	forgotten;		/* how often a history had been overwritten */
};

/* For how much of the wait the task was idle (see idle.h), in ns. */
uint64_t split__idle_ns(const struct split *s);
/* Split the wait of @t, IDLE since t->since, which @waker (NULL: not known) ended at @now. */
void split__wake(struct join *j, const struct task *t, const struct thread *waker,
		 uint64_t now, struct split *out);
/*
 * The leaves of @t's wait (one bit each) that wait for the end of a task that is alive
 * and not in its poll: such a leaf cannot have ended the wait.
 */
uint64_t split__not_joined(const struct join *j, const struct task *t);
/*
 * Split the wait of @t up to @now, where it has not been woken. @otherwise: the part
 * for time that nothing more is known of.
 */
void split__open(const struct join *j, const struct task *t, uint64_t now,
		 enum part otherwise, struct split *out);

/* ---- ready.c ---- */

/*
 * Divides [@from, @to), in which a task was ready for the reason @part, by what @worker did
 * (NULL: not known). The pieces replace those in @out; they have their places, in order
 * of time, if a sink wants that. 0 or -ENOMEM.
 */
int ready__divide(const struct join *j, struct thread *worker, enum part part, uint64_t from,
		  uint64_t to, struct pieces *out);
/* What @detail says is of a worker that took the task from elsewhere. */
void ready__taken(struct detail *detail);
/*
 * The worker in whose queue @t is, READY and not polled: the one that woke it in a poll
 * which goes on. NULL: not known, or it cannot be told yet what that worker does.
 */
struct thread *ready__worker(const struct join *j, const struct task *t);

/* ---- result.c ---- */

int result__make(struct join *j);
void result__free(struct join *j);

/* What @d is about, as a frame. NULL: no memory. */
const char *detail_name(struct join *j, struct detail d);

/* ---- notes.c ---- */

int notes__make(struct join *j);

/* ---- selection.c ---- */

/* Is this kind of tasks selected? Is this name of tasks? */
bool selection__has(struct join *j, uint32_t kind);
bool selection__has_name(const struct join *j, const char *task);
/* Is time of this kind selected? The duration of a wait, @idle_ns of which the task was idle. */
bool selection__has_sum(const struct join *j, const struct sum_key *key);
uint64_t selection__of_wait(const struct join *j, uint64_t ns, uint64_t idle_ns);
/* Count the tasks and total up the selected ones, from what result.c has made. */
int selection__make(struct join *j);

#endif /* DWELL_JOIN_TIMELINE_H */
