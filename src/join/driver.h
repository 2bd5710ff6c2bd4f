/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a thread waits in when it has nothing to poll: its driver. The join needs
 * three things of one: when the thread came back from it (returned), what it found
 * there (ready), and what a task was woken for by a thread that has just come back
 * (why, and what else it may have been). A driver is one file that implements
 * struct driver_ops, and one line in DRIVERS below; epoll.c is the example.
 *
 * Beyond this header nobody knows descriptors' events, tokens or system calls.
 */
#ifndef DWELL_JOIN_DRIVER_H
#define DWELL_JOIN_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "join/part.h"
#include "join/site.h"
#include "trace/event.h"

/* All drivers: X(NAME) for struct driver_ops driver_NAME. */
#define DRIVERS(X) \
	X(epoll)

enum driver_id {
#define DRIVER_ID(name)	DRIVER_##name,
	DRIVERS(DRIVER_ID)
#undef DRIVER_ID
	DRIVER_NR
};

struct join;
struct task;
struct driver_ops;

/* Of one thread: the head of what an implementation keeps. */
struct driver {
	const struct driver_ops	*ops;
	uint64_t		 returned;	/* the thread came back from it last; 0: never */
	uint64_t		 woke;		/* end of its sleep in it before that, 0: none */
	uint64_t		 sleep_end;	/* the same of the wait that goes on now */
};

/* What a task was woken for. */
struct cause {
	uint16_t	branch;		/* the node that waits for it, or as of a site */
	uint8_t		part;		/* enum part: of the time until it was there */
	struct detail	detail;		/* what it is */
	uint64_t	ready;		/* when it was there; 0: not seen */
	uint64_t	looked;		/* ready 0: when the driver had last found it not there */
};

struct driver_ops {
	uint8_t		id;		/* enum driver_id */
	uint8_t		returned_by;	/* enum trace_event_type: see returned() */
	uint8_t		ready_by;	/* … and ready() */
	uint8_t		waiting;	/* enum part: time in it when there is something to do */

	/* Does a thread that sleeps in this system call wait in such a driver? */
	bool		(*waits_in)(int syscall);
	/* Which of several of its kind @ev, a returned_by, is about. */
	uint64_t	(*instance)(const struct trace_event *ev);

	/* NULL: no memory. The caller sets the head. */
	struct driver	*(*new)(void);
	void		(*free)(struct driver *d);
	/* The thread is back from it; @d->returned is now. 0 or -ENOMEM. */
	int		(*returned)(struct join *j, struct driver *d, const struct trace_event *ev);
	/*
	 * It found something for the thread; @d is NULL if that has gone on, or has never
	 * come back from it. 0 or -ENOMEM.
	 */
	int		(*ready)(struct join *j, struct driver *d, const struct trace_event *ev);

	/*
	 * Questions about a wake of @t, which waits at @sh, by a thread that is back from
	 * @d and has done nothing else since. They are asked in this order, with others
	 * (deadlines) in between, and @d may remember what it has answered.
	 *
	 * What that found is what @t waits for.
	 */
	bool		(*why)(const struct join *j, struct driver *d, const struct task *t,
			       const struct shape *sh, struct cause *cause);
	/* Not all that @t waits for is known: the part that the wait was, in words. */
	enum part	(*blind)(const struct join *j, const struct driver *d);
	/* All of that is known, but not all that was found: it can only be this. */
	bool		(*unread)(const struct join *j, const struct driver *d,
				  const struct task *t, const struct shape *sh,
				  struct cause *cause);

	/* What a key of WALK_KEY_IO stands for; DETAIL_NONE: nothing that this one knows. */
	struct detail	(*name)(const struct join *j, uint64_t key);
	/* What it keeps for all threads together is freed. */
	void		(*forget)(struct join *j);
};

/* By enum driver_id. */
extern const struct driver_ops *const drivers[DRIVER_NR];

/* Those that an event of this type, or a sleep in this system call, is about; or NULL. */
const struct driver_ops *driver__of_event(uint8_t type);
const struct driver_ops *driver__of_syscall(int syscall);
/* What a key of WALK_KEY_IO stands for, whichever driver it is of. */
struct detail driver__name(const struct join *j, uint64_t key);
/* What time is called in which nothing is there for those who wait for @dir (enum walk_dir). */
static inline enum part driver__idle_part(unsigned int dir)
{
	return dir == WALK_DIR_WRITE ? PART_NO_ROOM : PART_NO_DATA;
}

#endif /* DWELL_JOIN_DRIVER_H */
