/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Threads that sleep inside of a poll: where in the program, in what, and for which lock, as
 * their stacks show it. A thread counts if it was asleep there in each picture.
 *
 * It must not know whom they keep waiting.
 */
#ifndef DWELL_WHY_SLEEPERS_H
#define DWELL_WHY_SLEEPERS_H

#include "why/why.h"

#define SLEEPER_WORDS	160

/* A thread that sleeps in a poll. */
struct sleeper {
	const struct picture_thread	*thread;
	struct answer_place		 at;
	char				 words[SLEEPER_WORDS];	/* what it sleeps in */
	uint32_t			 task;		/* whose poll it is in */
	uint32_t			 root;		/* that it blocks on; WALK_NONE: none */
	bool				 job;		/* a blocking job's poll */
	bool				 outside;	/* in a disk, in DNS, … */
	/* the lock that it waits for: its address; 0: it waits for none, or that is not known */
	uint64_t			 lock;
	/* the handle of a task that holds that lock; WALK_NONE: none was found */
	uint32_t			 held_by;
	bool				 sure;		/* it holds it now: see locks.h */
};

/*
 * The sleepers of the last picture, in an array that the caller frees. @jobs: blocking jobs,
 * too, that block on nothing. An error is in y->err.
 */
struct sleeper *sleepers__find(struct why *y, bool jobs, size_t *nr);

/* What a thread of @pid sleeps in, by the kernel's functions; "something in the kernel". */
const char *sleepers__kernel_words(pid_t pid, const struct picture_thread *t);

/* The sleeper of @list whose thread is @tid; NULL: there is none. */
const struct sleeper *sleepers__of(const struct sleeper *list, size_t nr, uint32_t tid);

/* Add @s to a finding: where it sleeps, in what, and what its root waits for. */
void sleepers__add(struct why *y, struct why_finding *f, const struct sleeper *s);

/*
 * Does whoever holds the lock of @s never get to drop it, since it is itself a sleeper, in a ring
 * of such, or since no thread is left that would tell it of I/O and timers (not @driven)?
 */
bool sleepers__deadlocked(const struct why *y, const struct sleeper *list, size_t nr,
			  const struct sleeper *s, bool driven);

#endif /* DWELL_WHY_SLEEPERS_H */
