/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two sets of recordings, compared: what a unit of work costs before and after, at which places
 * that has changed, and how sure it is.
 *
 *	diff__new(&opts, &d);
 *	p = …					a profile of diff__names(d)
 *	diff__add(d, side, p);			for each recording; takes it
 *	diff__compare(d);
 *	diff__text(d, stdout);			see text.h
 *
 * A change counts if it is more than chance would make of it among so many places, and more
 * than a share (opts.least) of the whole. The whole is worse if a place is, unless it is better
 * in all.
 */
#ifndef DWELL_DIFF_H
#define DWELL_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "diff/match.h"
#include "diff/profile.h"
#include "diff/statistics.h"

#define DIFF_LEAST	0.02	/* of the time of a unit: less is no change */
/*
 * The same if a side has one recording. Its windows do not tell how runs differ, and two runs of
 * one build were seen to differ by 5 % on a busy machine.
 */
#define DIFF_LEAST_ALONE 0.10
#define DIFF_CHANCE	0.01	/* of one wrong change among all places */

/* What the cost is of. */
enum diff_unit {
	UNIT_SECOND,		/* of the recording */
	UNIT_REQUEST,		/* a wait for a request that ended, see join/idle.h */
	UNIT_TASK,		/* a task, of those that match, that has ended */
	UNIT_AWAIT,		/* a wait, at the places that match, that has ended */
};

struct diff_opts {
	/*
	 * What the unit is: a pattern, as fnmatch() has it, for names of tasks, or if none matches
	 * that ended, of the functions of awaits. NULL: requests if both sides have some, else
	 * seconds.
	 */
	const char	*per;
	/* see above; negative: DIFF_LEAST, or DIFF_LEAST_ALONE */
	double		 least;
};

enum verdict {
	VERDICT_SAME,
	VERDICT_WORSE,
	VERDICT_BETTER,
};

/* Why a place costs more or less. */
enum diff_change {
	CHANGE_NONE,
	CHANGE_LONGER,		/* each time, or (a place without times) in all */
	CHANGE_SHORTER,
	CHANGE_MORE_OFTEN,
	CHANGE_LESS_OFTEN,
	CHANGE_NEW,
	CHANGE_GONE,
};

/* A part of what a place costs. */
struct diff_part {
	const char		*name;
	struct difference	 cost;		/* ns of a unit */
	uint32_t		 cause;		/* index + 1 of the place that explains it; 0 */
};

/* A place that has costs of one kind. */
struct diff_place {
	uint8_t			 kind;		/* enum cost_kind: of the times */
	bool			 is[SIDES];	/* it is there on this side, as: */
	struct cost_key		 key[SIDES];	/* its part is "" */
	struct difference	 cost;		/* ns of a unit, without idle time */
	struct difference	 times;		/* waits of a unit; await only */
	struct difference	 each;		/* ns of one wait; await only */
	double			 p;		/* of the change, among all places */
	enum verdict		 verdict;
	bool			 small;		/* it has changed, but by less than diff__least() */
	enum diff_change	 change;
	struct diff_part	*parts;		/* the largest change first */
	size_t			 nr_parts, room_parts;
	/* what of its change, ns of a unit, is that of other places; and what of theirs is its */
	double			 explained, explains;
	uint32_t		 number;	/* while they are being sorted */
};

struct diff;

/* 0 or -ENOMEM. @opts is copied, its patterns stay the caller's. */
int diff__new(const struct diff_opts *opts, struct diff **out);
void diff__free(struct diff *d);
/* For profile__new(). */
struct frame_names *diff__names(struct diff *d);
/* Adds a recording to @side, 0 or 1. 0, or -ENOMEM: then @p is still the caller's. */
int diff__add(struct diff *d, unsigned int side, struct profile *p);
/*
 * 0, -ENOMEM; or -EINVAL: they cannot be compared, for a reason that diff__why() has in one
 * line.
 */
int diff__compare(struct diff *d);
const char *diff__why(const struct diff *d);

/* ---- results ---- */

/* Of all places: ns of a unit, without idle time. */
const struct difference *diff__total(const struct diff *d, enum verdict *verdict);
enum diff_unit diff__unit(const struct diff *d);
/* Less than so many ns of a unit is no change. */
double diff__least(const struct diff *d);
/* How many units of work @side has. */
double diff__units(const struct diff *d, unsigned int side);
/* How many recording @i of @side has; 0 if its windows stand for repeats. */
double diff__units_of(const struct diff *d, unsigned int side, size_t i);
/* What stands for repeats: the recordings of @side, or (*@windows) windows of the only one. */
size_t diff__repeats(const struct diff *d, unsigned int side, bool *windows);
/* All places; those that have changed first, by what they explain. */
const struct diff_place *diff__places(const struct diff *d, size_t *nr);
/* The profiles of @side. */
const struct profile *const *diff__profiles(const struct diff *d, unsigned int side, size_t *nr);
/* What was not compared, or makes results doubtful, in lines. */
const char *const *diff__notes(const struct diff *d, size_t *nr);

#endif /* DWELL_DIFF_H */
