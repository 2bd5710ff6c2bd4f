/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The join turns events, in order of time, into timelines of threads and tasks, and
 * these into sums of time: rows (time by stack, for folded stacks and flame graphs),
 * await points and totals.
 *
 * Every output is made from what this header provides, so all outputs show the same
 * times. It must not know what an output looks like.
 */
#ifndef DWELL_JOIN_H
#define DWELL_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/trace.h"

/* What a task does at a given moment: exactly one of these. */
enum join_segment {
	JOIN_RUNNING		= 0,	/* on a CPU, in its poll */
	JOIN_PREEMPTED		= 1,	/* in its poll, runnable, not on a CPU */
	JOIN_BLOCKED		= 2,	/* in its poll, its thread sleeps */
	JOIN_AWAIT		= 3,	/* Pending, not woken */
	JOIN_READY		= 4,	/* woken or spawned, not polled yet */
	JOIN_UNATTRIBUTED	= 5,	/* not known; the next frame says why */
	JOIN_SEGMENT_NR
};

/* The name ("running"), and the name as a frame ("[running]"). Static strings. */
const char *join_segment__name(enum join_segment s);
const char *join_segment__frame(enum join_segment s);

/* What a frame stands for; outputs choose colours and filters by it. */
enum join_frame_kind {
	JOIN_FRAME_COMM		= 0,	/* the process: always the first frame */
	JOIN_FRAME_TASK		= 1,	/* the task's kind: always the second */
	JOIN_FRAME_AWAIT	= 2,	/* "path::function (file.rs:12)" */
	JOIN_FRAME_AWAIT_OWN	= 3,	/* the same, inside the runtime's crate or std */
	JOIN_FRAME_WRAPPER	= 4,	/* "Timeout", "select! {2}" */
	JOIN_FRAME_BRANCHES	= 5,	/* "{A | B}": not known which of them ended the wait */
	JOIN_FRAME_LEAF		= 6,	/* the leaf future */
	JOIN_FRAME_OPAQUE	= 7,	/* a hand-written future whose inside is not known */
	JOIN_FRAME_GAP		= 8,	/* "[gap: …]"; below a wait, "[follow: …]" */
	JOIN_FRAME_SEGMENT	= 9,	/* "[await]": exactly one in each row */
	JOIN_FRAME_PART		= 10,	/* part of a segment: "no data", "worker busy" */
	JOIN_FRAME_DETAIL	= 11,	/* what a part is about: a peer, a task, a thread */
	JOIN_FRAME_KERNEL	= 12,	/* "pipe_read_[k]", outermost first */
	/* blocked, running: "path::function (file.rs:12)", a place of the program */
	JOIN_FRAME_PLACE	= 13,
	JOIN_FRAME_FOLLOWED	= 14,	/* below a wait: "[running]" of the task that it is for */
	JOIN_FRAME_NR
};

/*
 * A name is not empty and can stand in a folded line: valid UTF-8, no ';', no control
 * character, no number after a space at its end. Within one join equal names have equal
 * pointers.
 */
struct join_frame {
	const char	*name;
	uint8_t		 kind;		/* enum join_frame_kind */
};

/* A stack, root first, and the time spent in exactly this stack. */
struct join_row {
	const struct join_frame	*frames;
	uint32_t		 nr;
	uint8_t			 segment;	/* enum join_segment */
	uint64_t		 ns;		/* > 0 */
};

/* A named sum: of a part, of a detail, of a loss. */
struct join_sum {
	const char	*name;
	uint64_t	 ns;		/* nanoseconds, or a count for a loss */
	size_t		 others;	/* how many further items it includes, or JOIN_UNCOUNTED */
};

#define JOIN_UNCOUNTED	SIZE_MAX	/* includes an unknown number of items */

/* Quantiles of finished durations, exact to 0.5 %; max is exact. */
struct join_quantiles {
	uint64_t	count;
	uint64_t	p50, p99, max;
};

/*
 * A task spins if it is polled this many times in a row without waiting, that is if
 * before each of these polls it woke itself during its own poll or yielded (yield_now).
 * Any other wait, even one of no duration, ends the row.
 */
#define JOIN_SPIN	1000

/* A place in the source where tasks of one kind wait for one kind of leaf. */
struct join_point {
	const char		*task;		/* frame name, as in the rows */
	const char		*function;	/* "": not known */
	const char		*file;		/* base name */
	const char		*path;		/* path from its crate on: see crate_path.h */
	uint32_t		 line;		/* 0: not known */
	bool			 foreign;	/* the source is a dependency's, or std's */
	const char		*leaf;		/* "": not known */
	uint64_t		 count;		/* waits whose begin and end were seen */
	uint64_t		 woken_in_poll;	/* of these, woken before the poll returned */
	uint64_t		 open;		/* waits whose begin or end was not seen */
	uint64_t		 self_wakes;	/* polls without waiting: see JOIN_SPIN */
	uint64_t		 spin;		/* the longest row of them, of one task */
	uint64_t		 await_ns;	/* all waits, open ones too */
	uint64_t		 ready_ns;
	struct join_quantiles	 await;		/* of the counted waits */
	struct join_quantiles	 ready;
	struct join_quantiles	 total;		/* await + ready of each wait */
	const struct join_sum	*split;		/* adds up to await_ns; largest first */
	size_t			 nr_split;
	const struct join_sum	*details;	/* peers, wakers, culprits; largest first */
	size_t			 nr_details;
	/*
	 * If it is in a dependency: the program's own awaits that led there, "f (x.rs:1) < g
	 * (x.rs:2)", the innermost first; each with the time of waits (not of ready).
	 */
	const struct join_sum	*callers;
	size_t			 nr_callers;
	const struct join_frame	*stack;		/* of its longest row: from the task to the leaf */
	size_t			 nr_stack;
	/* what the sources of waits here did meanwhile; none if join__follow() was not called */
	const struct join_followed *followed;
	size_t			 nr_followed;
};

/* Tasks of one kind that a worker did not get to because it was blocked. */
struct join_delay {
	const char	*task;		/* frame name */
	uint64_t	ready_ns;	/* woken, in the worker's queue */
	uint64_t	await_ns;	/* what they waited for had happened: nobody looked */
};

/* One of the functions that a thread slept in, in the program. */
struct join_place {
	const char	*function;	/* "": not known */
	const char	*file;		/* base name */
	const char	*path;		/* as in struct join_point */
	uint32_t	 line;		/* 0: not known */
	bool		 foreign;	/* a dependency's, or std's */
};

/* A futex at which threads slept. */
struct join_futex {
	uint64_t	word;		/* its address in the program */
	uint64_t	ns;
	uint64_t	times;
};

/*
 * Time of waits for other tasks, by what these did meanwhile: a tree, each entry before what is
 * below it, siblings the longest first. At depth 0 are waits, below each what the task did that
 * it was for; if that one waited for another task, it goes on below that. What is directly below
 * an entry adds up to it, if there is anything.
 */
struct join_followed {
	const char		*task;		/* frame name; "": @why or @others tells */
	uint8_t			 segment;	/* enum join_segment: what that task did */
	uint32_t		 depth;		/* entries that this one is below */
	uint32_t		 below;		/* how many of the entries behind it are below it */
	/*
	 * await: where it waited, as of a join_point. blocked, and running if CPUs were sampled:
	 * the innermost function of the program's own. Else, and if not known: function "".
	 */
	struct join_place	 place;
	const char		*leaf;		/* await: what it waited for; or "" */
	const char		*part;		/* of the segment: "until deadline"; or "" */
	const char		*detail;	/* a peer, a task, what was slept for; or "" */
	const char		*why;		/* "[follow: cycle]": why no more is told; or "" */
	size_t			 others;	/* how many siblings it is, with less time; or 0 */
	uint64_t		 ns;
};

/* A place where tasks of one kind slept in their polls, and so kept a thread from others. */
struct join_block {
	const char		*task;		/* frame name, as in the rows */
	bool			 job;		/* a blocking job: its thread is there for that */
	struct join_place	 place;		/* innermost one of the program's own; function "": not seen */
	const char		*what;		/* slept for, in words; "" */
	const char		*kernel;	/* kernel function that slept; "": not known */
	uint64_t		 ns;
	uint64_t		 times;		/* periods of sleep */
	uint64_t		 longest;	/* ns */
	/* Of its longest sum: the functions of the program and the kernel's, innermost first. */
	const struct join_place	*stack;
	size_t			 nr_stack;
	const char *const	*kernel_stack;
	size_t			 nr_kernel;
	/* … and the thread that ended its longest sum, with what it called; "": not seen. */
	const char		*waker;
	struct join_place	 waker_place;
	/* The futexes at which it slept, as far as they are known, the most time first. */
	const struct join_futex	*futexes;
	size_t			 nr_futexes;
	/* Whom tasks of this kind delayed, here or elsewhere: at the kind's first place only. */
	const struct join_delay	*delays;
	size_t			 nr_delays;
};

/* Periods of sleep in polls. */
struct join_stack_sum {
	uint64_t	times;
	uint64_t	ns;
};

/* How far the user stacks of all periods of sleep in polls reach. */
struct join_stacks {
	bool			known;		/* the recording tells */
	struct join_stack_sum	complete;	/* to where the thread began */
	struct join_stack_sum	cut;		/* not so far; their last frame says why */
	struct join_stack_sum	missing;	/* there is none */
};

/* Blocking jobs of one kind: what spawn_blocking and the like give to a pool of threads. */
struct join_job {
	const char		*task;		/* frame name, as in the rows */
	uint64_t		 count;		/* jobs seen, those that did not end too */
	uint64_t		 alive_at_end;	/* queued or running when the recording ended */
	/* In the pool's queue, of the jobs for which it is known. */
	struct join_quantiles	 queue;
	/*
	 * Of these, so many counted from the begin of the wait for the job, since its spawn was
	 * not seen.
	 */
	uint64_t		 queue_from_wait;
	struct join_quantiles	 run;		/* from begin to end, of the jobs that ended */
	uint64_t		 segments[JOIN_SEGMENT_NR];	/* of all these jobs */
	uint64_t		 throttled_ns;	/* of these: preempted, by their cgroup's limit */
};

/* A function of the program in which tasks of one kind were on a CPU, by samples. */
struct join_hot {
	const char		*task;		/* frame name, as in the rows */
	bool			 job;		/* a blocking job */
	/*
	 * The innermost function of the program's own, at the line that the most samples
	 * have; function "": none is known.
	 */
	struct join_place	 place;
	uint64_t		 samples;
	uint64_t		 ns;		/* of the kind's running time, by its samples */
	uint64_t		 running_ns;	/* of all tasks of this kind */
	uint64_t		 in_kernel;	/* samples in which the kernel worked for it … */
	uint64_t		 in_probes;	/* … or in a probe, of dwell or another tool */
	const char		*kernel;	/* what the most of in_kernel called there; "" */
	const char		*self;		/* innermost function of the most samples; "" */
	uint64_t		 self_samples;
};

/* Samples of the CPUs. */
struct join_on_cpu {
	uint32_t		 hz;		/* a second and CPU; 0: none were taken */
	uint64_t		 samples;	/* of threads of the program */
	uint64_t		 in_tasks, in_jobs;
	uint64_t		 outside;	/* in no poll: of runtimes, and of other threads */
	uint64_t		 unplaced;	/* in polls of which too little is known */
	uint64_t		 lost;		/* besides: of whatever program */
	const struct join_hot	*hot;		/* the most time first */
	size_t			 nr_hot;
	/* Samples outside, by the threads' names; the most first. ns is a count. */
	const struct join_sum	*threads;
	size_t			 nr_threads;
};

struct join_totals {
	uint64_t	start_ts, end_ts;	/* the time that the sums cover */
	uint64_t	wall_ns;
	uint64_t	events;
	uint64_t	polls;			/* begun, and those in progress at the start */
	uint64_t	tasks_seen;
	uint64_t	tasks_alive_at_end;
	uint64_t	tasks_completed;
	uint64_t	tasks_cancelled;	/* dropped before they completed */
	uint64_t	tasks_ended_unseen;	/* ended; not known whether completed */
	uint64_t	unplaced_waits;		/* of no duration, await point not known */
	uint64_t	told_switches;		/* from the scheduler's counters */
	/* Sums saturate at UINT64_MAX ns (584 years); so do those of rows and points. */
	uint64_t	lifetime_ns;		/* sum over tasks of end - start */
	uint64_t	segments[JOIN_SEGMENT_NR];	/* add up to lifetime_ns */
};

/* Which times the results contain, by whether the task was idle (see idle.h). */
enum join_idle {
	JOIN_IDLE_SHOW	= 0,	/* all */
	JOIN_IDLE_HIDE	= 1,	/* those in which it was not; of a wait, the rest of it counts */
	JOIN_IDLE_ONLY	= 2,	/* only those in which it was */
};

/* The whole recording, whatever tasks were selected: see join__select(). */
struct join_all {
	uint64_t	tasks_seen;
	uint64_t	lifetime_ns;
};

struct join;

/* @r stays the caller's and must outlive the join. 0 or negative errno. */
int join__new(struct trace_reader *r, struct join **out);
/*
 * Called before join__run(): limit the results to tasks whose kind's name matches
 * @pattern (as fnmatch() does, case-sensitive). @pattern stays the caller's. Losses and
 * notes still cover the whole recording.
 */
void join__select(struct join *j, const char *pattern);
/* Called before join__run(): leave out times by whether the task was idle. */
void join__select_idle(struct join *j, enum join_idle idle);
#define JOIN_FOLLOW_DEPTH	4	/* as usual */
#define JOIN_FOLLOW_DEPTH_MAX	16

/*
 * Called before join__run(): below a wait that a task ended, or that is for the end of a task,
 * rows go on with what that task did meanwhile, and those that it waited for in turn, @depth
 * tasks deep, from 1 to JOIN_FOLLOW_DEPTH_MAX; await points have it, too. No time is changed by
 * it, but that more is known of a wait for a long job, and no details of one wait are merged. 0
 * or -ENOMEM.
 */
int join__follow(struct join *j, unsigned int depth);
/*
 * Read all events and compute the sums. 0 or negative errno. -EPROTO: time was not
 * conserved (join__why() says where); the results are valid nevertheless. After any
 * other error there are no results.
 */
int join__run(struct join *j);
/* When the time that is charged begins, ns of CLOCK_MONOTONIC; known before join__run(). */
uint64_t join__begin(const struct join *j);
/* What went wrong in join__run(), in one line; "" if nothing went wrong. */
const char *join__why(const struct join *j);
void join__free(struct join *j);

/* ---- results: valid until join__free(); the same data give the same order ---- */

const struct join_totals *join__totals(const struct join *j);
/* How many threads have polled tasks. */
uint32_t join__workers(const struct join *j);
/* The pattern, or NULL. *@all is set to the numbers of the whole recording. */
const char *join__selected(const struct join *j, struct join_all *all);
/* What join__select_idle() has set; *@ns: how much time of the selected tasks is left out by it. */
enum join_idle join__idle(const struct join *j, uint64_t *ns);
/* How deep waits are followed; 0: they are not. */
unsigned int join__follow_depth(const struct join *j);
/* The names of all kinds of tasks that were seen, selected or not, sorted. */
const char *const *join__task_names(const struct join *j, size_t *nr);
/* Rows, one per stack, sorted by the bytes of their folded lines. */
const struct join_row *join__rows(const struct join *j, size_t *nr);
/* Await points, the largest await_ns + ready_ns first. */
const struct join_point *join__points(const struct join *j, size_t *nr);
/* Places that blocked, the most time first; blocking jobs are behind all others. */
const struct join_block *join__blocks(const struct join *j, size_t *nr);
/* Of the selected tasks; NULL: the recording does not tell. */
const struct join_stacks *join__stacks(const struct join *j);
/* Kinds of blocking jobs, the one that ran longest in all first. */
const struct join_job *join__jobs(const struct join *j, size_t *nr);
/* What the samples of the CPUs tell, of the selected tasks; the counts are of all. */
const struct join_on_cpu *join__on_cpu(const struct join *j);
/* What workers did while tasks were ready, the most time first. */
const struct join_sum *join__ready(const struct join *j, size_t *nr);
/* Why time of tasks is unattributed, the most time first. */
const struct join_sum *join__unattributed(const struct join *j, size_t *nr);
/* Losses by cause, from the recorder and from the join; none is 0. */
const struct join_sum *join__losses(const struct join *j, size_t *nr);
/* Remarks for the user, from the recorder and from the join. */
const char *const *join__notes(const struct join *j, size_t *nr);

/*
 * If no poll was recorded: why, and what to do about it; it is also the first note.
 * NULL: polls were recorded, or there is nothing to say.
 */
const char *join__unpolled(const struct join *j);

#endif /* DWELL_JOIN_H */
