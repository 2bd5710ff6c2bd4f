/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the numbers stand for that sinks are passed: kinds of tasks, chains, details. Names
 * and places are those of join.h's results, and are valid as long as the join.
 */
#ifndef DWELL_JOIN_LOOKUP_H
#define DWELL_JOIN_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "join/join.h"
#include "join/sink.h"

/* What a task of some kind is. */
struct join_kind {
	const char	*name;		/* as in the rows */
	const char	*scheduler;	/* the runtime's name for it; "": not known */
	bool		 job;		/* a blocking job */
	bool		 root;		/* a future that block_on polls */
};

/* In what a thread sleeps inside a poll. */
struct join_sleep {
	struct join_place	 place;		/* as in struct join_block */
	const char		*what;		/* in words; "" */
	const char		*kernel;	/* kernel function; "": not known */
	int			 syscall;	/* x86-64 number; -1: none */
	uint64_t		 futex;		/* address of the futex; 0: at none, or not known */
	bool			 probe;		/* in a probe's trap, not in the program */
	bool			 handed_off;	/* in block_in_place: others do the worker's work */
};

/* A leaf that waits for a time. */
struct join_deadline {
	uint64_t	at;		/* ns of CLOCK_MONOTONIC */
	uint32_t	point;		/* a number for the place that it is awaited at */
};

/* 0 or -ENOMEM. */
int join__kind(struct join *j, uint32_t kind, struct join_kind *out);
/*
 * Where tasks of @kind wait that wait at (@chain, @branch), with the leaf in *@leaf ("": not
 * known); function "": not known. 0 or -ENOMEM.
 */
int join__wait_place(struct join *j, uint32_t kind, uint32_t chain, uint16_t branch,
		     struct join_place *out, const char **leaf);
/*
 * The frames of (@chain, @branch), outermost first, in an array that the caller frees; or
 * NULL: no memory.
 */
struct join_frame *join__chain(struct join *j, uint32_t chain, uint16_t branch, size_t *nr);
/* Writes the deadlines that a task of @kind waits for at @chain to @out; their number. */
size_t join__deadlines(struct join *j, uint32_t kind, uint32_t chain, const struct walk_keys *keys,
		       unsigned int nr_keys, struct join_deadline *out, size_t max);
/* What a detail is about: "tcp 10.0.0.1:80"; "": nothing. NULL: no memory. */
const char *join__detail(struct join *j, struct detail d);
/* What sleep number @number, of a DETAIL_SLEEP, is. 0 or -ENOMEM. */
int join__sleep(struct join *j, uint32_t number, struct join_sleep *out);
/* The name of a thread; "": not known. NULL: no memory. */
const char *join__thread(struct join *j, uint32_t tid);

#endif /* DWELL_JOIN_LOOKUP_H */
