/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In what threads sleep inside a poll: each different sleep has a number. It must not
 * know of time or of tasks.
 */
#ifndef DWELL_JOIN_SLEEPS_H
#define DWELL_JOIN_SLEEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "trace/trace.h"

struct sleep {
	uint32_t	stack;		/* kernel stack id; 0: not taken */
	uint32_t	user;		/* user stack id; 0: not taken */
	uint32_t	waker;		/* thread that woke it; 0: if waker_user is 0 */
	uint32_t	waker_user;	/* user stack id of that thread, as it did; 0: not taken */
	int32_t		syscall;	/* x86-64 number; -1: none */
	uint32_t	on;		/* string id: name of the file; 0: on none, or not known */
	uint32_t	root;		/* if blocks_on: the kind of the root */
	uint32_t	blocks_on;	/* it sleeps in block_on, since a root is Pending */
	/* kind id + 1 of the blocking job that sleeps, if a task waits for it; 0: its own time */
	uint32_t	job;
	uint32_t	unused;		/* 0: sleeps are compared by content */
	uint64_t	word;		/* address of the futex; 0: at none, or not told apart */
};

struct sleeps {
	struct sleep		*list;
	size_t			 nr, cap;
	struct hash_table	 known;		/* index + 1 by content */
};

/* Is there room for sleeps that differ by the futex alone? There may be millions of futexes. */
bool sleeps__word_room(const struct sleeps *s);
/* The number of @sleep, or -ENOMEM. */
int64_t sleeps__number(struct sleeps *s, const struct sleep *sleep);
const struct sleep *sleeps__get(const struct sleeps *s, uint32_t number);
void sleeps__clear(struct sleeps *s);

/*
 * The innermost function of user stack @st (NULL is fine) that is in the program's own
 * sources; else the innermost that is not std's, which without line tables is one whose name is
 * Rust's; else the innermost of std's; else NULL.
 */
const struct trace_user_frame *sleep__place(const struct trace_user_stack *st);
/*
 * What such a sleep is, in words: "a file lock", "a pipe that is full". @stack is its
 * kernel stack (NULL: not known). A static string; NULL: no words for it.
 */
const char *sleep__words(const struct sleep *s, const struct trace_stack *stack);
/*
 * What a thread that sleeps at a futex waits for, by the functions that called it: a lock of
 * std or of a library, another thread's end. A static string; NULL: they do not tell.
 */
const char *sleep__futex(const struct trace_user_stack *st);
/*
 * Does it sleep at a futex of its own, at which nobody else does, whatever it waits for? So do
 * thread::park and what is made of it, and parking_lot's locks.
 */
bool sleep__parks(const struct trace_user_stack *st);

/* Does it sleep on the file s->on? A page fault may be of something else. */
bool sleep__on(const struct sleep *s, const struct trace_stack *stack);

#endif /* DWELL_JOIN_SLEEPS_H */
