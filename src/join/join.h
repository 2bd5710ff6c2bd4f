/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The join: events in order of time become timelines of threads and tasks,
 * and those become sums of time: rows (for folded stacks, flame graphs and
 * whatever else shows time by stack), await points and totals.
 *
 * Every output is made from what this header gives, so that all of them show
 * the same time. It must not know how an output looks.
 */
#ifndef DWELL_JOIN_H
#define DWELL_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/trace.h"

/* What a task does at a moment: exactly one of these. */
enum join_segment {
	JOIN_RUNNING		= 0,	/* on a CPU, in its poll */
	JOIN_PREEMPTED		= 1,	/* in its poll, runnable, not on a CPU */
	JOIN_BLOCKED		= 2,	/* in its poll, its thread asleep */
	JOIN_AWAIT		= 3,	/* Pending, not woken */
	JOIN_READY		= 4,	/* woken or spawned, not polled yet */
	JOIN_UNATTRIBUTED	= 5,	/* not known; the frame below says why */
	JOIN_SEGMENT_NR
};

/* "running" …; with brackets: as a frame. Static strings. */
const char *join_segment__name(enum join_segment s);
const char *join_segment__frame(enum join_segment s);

/* What a frame is, for colours and filters. */
enum join_frame_kind {
	JOIN_FRAME_COMM		= 0,	/* the process: always the first frame */
	JOIN_FRAME_TASK		= 1,	/* the task's kind: always the second */
	JOIN_FRAME_AWAIT	= 2,	/* "path::function (file.rs:12)" */
	JOIN_FRAME_AWAIT_OWN	= 3,	/* the same, inside the runtime's crate or std */
	JOIN_FRAME_WRAPPER	= 4,	/* "Timeout", "select! {2}" */
	JOIN_FRAME_BRANCHES	= 5,	/* "{A | B}": several awaited, which one fired is not known */
	JOIN_FRAME_LEAF		= 6,	/* the leaf future */
	JOIN_FRAME_OPAQUE	= 7,	/* a hand-written future, not looked through */
	JOIN_FRAME_GAP		= 8,	/* "[gap: …]" */
	JOIN_FRAME_SEGMENT	= 9,	/* "[await]": exactly one in each row */
	JOIN_FRAME_PART		= 10,	/* the split in words: "no data", "worker busy" */
	JOIN_FRAME_DETAIL	= 11,	/* whom a part is about: a peer, a task, a thread */
	JOIN_FRAME_KERNEL	= 12,	/* "pipe_read_[k]", outermost first */
	JOIN_FRAME_NR
};

/*
 * A name is never empty and is safe in a folded line: no ';', no control
 * character, valid UTF-8, never ending in space + digits. Equal names of all
 * frames of one join are the same pointer.
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

/* A named sum: a part of a split, a detail, a loss. */
struct join_sum {
	const char	*name;
	uint64_t	 ns;		/* or a count */
	size_t		 others;	/* how many more it is of, or JOIN_UNCOUNTED */
};

#define JOIN_UNCOUNTED	SIZE_MAX	/* nobody knows how many */

/* Quantiles of finished durations; within 0.5 %, max is exact. */
struct join_quantiles {
	uint64_t	count;
	uint64_t	p50, p99, max;
};

/*
 * A task spins that is polled this often in succession without a wait: each time it
 * had woken itself in its own poll, or had given way (yield_now). A wait for
 * anything else, also one of no time, ends the succession.
 */
#define JOIN_SPIN	1000

/* A place in the source where tasks of one kind wait for one kind of leaf. */
struct join_point {
	const char		*task;		/* safe name, as in the rows */
	const char		*function;	/* "" where it is not known */
	const char		*file;		/* base name */
	const char		*path;		/* in its crate: see crate_path.h */
	uint32_t		 line;		/* 0: not known */
	bool			 foreign;	/* in the sources of a dependency, or of std */
	const char		*leaf;		/* "" where it is not known */
	uint64_t		 count;		/* waits that ended, both ends seen */
	uint64_t		 woken_in_poll;	/* of these: woken before the poll had returned */
	uint64_t		 open;		/* waits cut by the start, the end or a loss */
	uint64_t		 self_wakes;	/* waits for nothing: see JOIN_SPIN */
	uint64_t		 spin;		/* most of them in succession, of one task */
	uint64_t		 await_ns;	/* all waits, cut ones too */
	uint64_t		 ready_ns;
	struct join_quantiles	 await;		/* over the count */
	struct join_quantiles	 ready;
	struct join_quantiles	 total;		/* both, wait by wait */
	const struct join_sum	*split;		/* adds up to await_ns; largest first */
	size_t			 nr_split;
	const struct join_sum	*details;	/* peers, wakers, culprits; largest first */
	size_t			 nr_details;
	const struct join_frame	*stack;		/* of its longest row: TASK … leaf */
	size_t			 nr_stack;
};

struct join_totals {
	uint64_t	start_ts, end_ts;	/* what the sums cover */
	uint64_t	wall_ns;
	uint64_t	events;
	uint64_t	polls;			/* begun, those under way at the beginning too */
	uint64_t	tasks_seen;
	uint64_t	tasks_alive_at_end;
	uint64_t	tasks_completed;
	uint64_t	tasks_cancelled;	/* dropped before they were done */
	uint64_t	tasks_ended_unseen;	/* over, whether they were done is not known */
	uint64_t	unplaced_waits;		/* of no time, await point not known */
	uint64_t	told_switches;		/* not seen, known from the scheduler */
	/* Sums stop at UINT64_MAX (584 years), as those of rows and points do. */
	uint64_t	lifetime_ns;		/* sum over tasks of end - start */
	uint64_t	segments[JOIN_SEGMENT_NR];	/* add up to lifetime_ns */
};

/* What is in the recording of tasks that were not asked for: see join__select(). */
struct join_all {
	uint64_t	tasks_seen;
	uint64_t	lifetime_ns;
};

struct join;

/* @r stays the caller's and must outlive the join. 0 or negative errno. */
int join__new(struct trace_reader *r, struct join **out);
/*
 * Before join__run(): the results are to be of those tasks only whose kind's name
 * matches @pattern (as fnmatch() does it, in capitals and small letters), which
 * stays the caller's. Losses and notes are of the whole recording all the same.
 */
void join__select(struct join *j, const char *pattern);
/*
 * Read all events and make the sums. 0 or negative errno. -EPROTO: time was
 * not conserved (join__why() says where); the results can be read still.
 * Other errors: there are no results.
 */
int join__run(struct join *j);
/* What went wrong in join__run(), in one line; "" if nothing did. */
const char *join__why(const struct join *j);
void join__free(struct join *j);

/* ---- results: valid until join__free(), in an order that never varies ---- */

const struct join_totals *join__totals(const struct join *j);
/* The pattern, or NULL; then *@all is what there is beside those that match, and of them. */
const char *join__selected(const struct join *j, struct join_all *all);
/* The names of all kinds of tasks that were seen, selected or not, in alphabetical order. */
const char *const *join__task_names(const struct join *j, size_t *nr);
/* Rows with different stacks, ordered as the bytes of their folded lines. */
const struct join_row *join__rows(const struct join *j, size_t *nr);
/* Await points, the longest await_ns + ready_ns first. */
const struct join_point *join__points(const struct join *j, size_t *nr);
/* Losses by cause: the recorder's and those found while joining; none is 0. */
const struct join_sum *join__losses(const struct join *j, size_t *nr);
/* Remarks for the user: the recorder's and those of what the recording turned out to be. */
const char *const *join__notes(const struct join *j, size_t *nr);

/* Why there is no poll in it, and what to do: also the first of the notes. NULL: no matter. */
const char *join__unpolled(const struct join *j);

#endif /* DWELL_JOIN_H */
