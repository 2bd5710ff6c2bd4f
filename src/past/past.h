/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a recording tells of the question why tasks wait: what the lints found, the slowest
 * single waits and polls, what each task did at a moment, the history of some tasks. It
 * is collected while the join reads the recording; memory is bounded by the number of
 * tasks alive and by what is asked for.
 *
 *	past__new(&opts, &p);
 *	past__attach(p, j);			before join__run(j)
 *	join__run(j);
 *	past__finish(p);
 *	past__text(p, stdout);			or one of the others
 */
#ifndef DWELL_PAST_H
#define DWELL_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "join/episodes.h"
#include "lint/lint.h"
#include "past/longest.h"

#define PAST_LIVES	8	/* whose history is shown */
#define PAST_EPISODES	24	/* the longest ones of a life that are shown */

struct past_opts {
	uint64_t	 limits[LINT_NR];
	size_t		 slowest;	/* how many waits and polls; 0: none */
	bool		 has_at;
	uint64_t	 at;		/* ns since the recording began */
	/*
	 * The history of tasks whose name contains it, or whose id it is ("0x7f…"); NULL:
	 * of none. Stays the caller's.
	 */
	const char	*pattern;
};

/* A life whose history was asked for. */
struct past_life {
	struct charged	of;
	uint64_t	to;		/* end of the life, or of the recording */
	uint8_t		end;		/* enum task_end */
	bool		spawned;	/* its spawn was seen, by: */
	struct actor	spawner;
	uint64_t	waits, polls;	/* how many */
	uint64_t	segments[JOIN_SEGMENT_NR];	/* add up to to - of.born */
	struct longest	longest;	/* of all of its episodes */
};

struct past {
	struct past_opts	 opts;
	struct join		*join;
	struct episodes		*episodes;
	struct lints		*lints;
	struct longest		 waits, polls;
	uint64_t		 moment;	/* opts.at on the recording's clock */
	struct episode		*states;	/* at that moment, one of each task */
	size_t			 nr_states, cap_states;
	struct past_life	*lives;		/* PAST_LIVES at most, the first ones */
	size_t			 nr_lives, cap_lives;
	uint64_t		 other_lives;	/* that match, too */
};

/* 0 or -ENOMEM; free it in either case. */
int past__new(const struct past_opts *opts, struct past **out);
/* @j must outlive @p, and is to be run once. 0 or -ENOMEM. */
int past__attach(struct past *p, struct join *j);
/*
 * After join__run(). 0, -ENOMEM; -ERANGE: the moment is not in the recording; -ENOENT: no
 * task matches the pattern.
 */
int past__finish(struct past *p);
void past__free(struct past *p);

/* ---- as text ---- */

/* Findings, then where tasks waited longest. */
void past__text(const struct past *p, FILE *out);
/* What each task did at the moment asked for. */
void past__text_at(const struct past *p, FILE *out);
/* The slowest waits and polls. */
void past__text_slowest(const struct past *p, FILE *out);
/* The history of the tasks asked for. */
void past__text_tasks(const struct past *p, FILE *out);

/* ---- as JSON ---- */

struct json_t;

/*
 * All that was asked for, and the findings and longest waits anyway, as an object that the
 * caller frees. Times are ns, moments ns since the recording began. NULL: no memory.
 */
struct json_t *past__to_json(const struct past *p);

/* ---- for the files of this folder ---- */

/* @at on the recording's clock as ns since its begin; 0 if before. */
uint64_t past__since(const struct past *p, uint64_t at);
/* Who woke the task of @e: "itself", "task web::db", "the driver", "thread main". */
void past__waker(const struct past *p, const struct episode *e, char *out, size_t size);
/*
 * The place of @e: where a wait is; where the thread slept in a poll, or the wait before
 * it. *@what: its leaf, or what the thread slept in; "". 0 or -ENOMEM.
 */
int past__place(const struct past *p, const struct episode *e, struct join_place *out,
		const char **what);
/* The parts of @e whose segments are in @segments (a bit each), in words, largest first. */
void past__parts(const struct past *p, const struct episode *e, unsigned int segments, char *out,
		 size_t size);
/* The name of a task of this kind; "?": no memory. */
const char *past__task(const struct past *p, uint32_t kind);
/* What a task does in @e: "waits", "is ready", "is polled", "not known what it does". */
const char *past__state(const struct past *p, const struct episode *e);

#endif /* DWELL_PAST_H */
