/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A driver is what a thread waits in when it has nothing to poll, such as epoll. The
 * join asks three things of a driver: when the thread came back from it (returned),
 * what the driver found (ready), and what a task was woken for by a thread that has
 * just come back (why, blind, unread). A driver is one file that implements struct
 * driver_ops and one line in DRIVERS below; epoll.c is the example.
 *
 * Code outside the drivers knows no readiness events, tokens or system calls.
 */
#ifndef DWELL_JOIN_DRIVER_H
#define DWELL_JOIN_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "join/part.h"
#include "join/account.h"
#include "trace/event.h"

/* All drivers: X(NAME) for each struct driver_ops driver_NAME. */
#define DRIVERS(X) \
	X(epoll) \
	X(io_uring)

enum driver_id {
#define DRIVER_ID(name)	DRIVER_##name,
	DRIVERS(DRIVER_ID)
#undef DRIVER_ID
	DRIVER_NR
};

struct join;
struct pieces;
struct task;
struct thread;
struct driver_ops;

/* State of one driver for one thread. An implementation's own state begins with it. */
struct driver {
	const struct driver_ops	*ops;
	uint64_t		 returned;	/* its last return from it; 0: never */
	uint64_t		 woke;		/* end of its sleep before that; 0: none */
	uint64_t		 sleep_end;	/* end of its sleep in the current wait */
};

#define CAUSE_STEPS	3

/*
 * What a task was woken for: an event (data, room, a completion) that the driver found, or
 * that it was told of.
 */
struct cause {
	uint16_t	branch;		/* node that waits for it; special values as in account.h */
	uint8_t		part;		/* enum part: the time until the event happened */
	struct detail	detail;		/* what the event is about */
	/* parts before that one, each until a moment, in order of time */
	uint8_t		nr_steps;
	struct cause_step {
		uint8_t		part;		/* enum part */
		uint64_t	until;
	}		steps[CAUSE_STEPS];
	/* what is known of the time of .part, or NULL: parts of it, in order, without gaps */
	const struct pieces *pieces;
	uint64_t	ready;		/* when the event happened; 0: not seen */
	bool		by_wake;	/* … as told by the wake of the thread in the driver */
	uint64_t	looked;		/* if ready is 0: when the driver last found nothing */
};

struct driver_ops {
	uint8_t		id;		/* enum driver_id */
	uint8_t		returned_by;	/* enum trace_event_type that returned() takes */
	uint8_t		ready_by;	/* enum trace_event_type that ready() takes; 0: none */
	uint8_t		waiting;	/* enum part: time spent in the driver after an event */

	/* Does a thread that sleeps in system call @syscall wait in this driver? */
	bool		(*waits_in)(int syscall);
	/*
	 * Which instance of the driver @ev is about, for example the epoll descriptor.
	 * @ev is of type returned_by.
	 */
	uint64_t	(*instance)(const struct trace_event *ev);

	/* The caller fills in the struct driver. NULL: no memory. */
	struct driver	*(*new)(void);
	void		(*free)(struct driver *d);
	/* The thread has come back from @d, at @d->returned. 0 or -ENOMEM. May be NULL. */
	int		(*returned)(struct join *j, struct driver *d, const struct trace_event *ev);
	/*
	 * The driver found something for the thread. @d is NULL if the thread has done
	 * something else since it came back, or has never come back from this driver. 0
	 * or -ENOMEM.
	 */
	int		(*ready)(struct join *j, struct driver *d, const struct trace_event *ev);

	/*
	 * The next three explain a wake of task @t by a thread that has come back from
	 * @d and has done nothing else since. @sh is the shape of the chain that @t
	 * waits at. The caller asks them in this order, and checks deadlines between
	 * them; @d may remember its answers.
	 *
	 * True: @t waits for an event that the driver found; *@cause is that event.
	 * May be NULL.
	 */
	bool		(*why)(const struct join *j, struct driver *d, const struct task *t,
			       const struct shape *sh, struct cause *cause);
	/* Asked if not all leaves of @t are known: the part that names the whole wait. */
	enum part	(*blind)(const struct join *j, const struct driver *d);
	/*
	 * Asked if all leaves of @t are known but not all events that the driver found.
	 * True: the unknown event must be *@cause. May be NULL.
	 */
	bool		(*unread)(const struct join *j, const struct driver *d,
				  const struct task *t, const struct shape *sh,
				  struct cause *cause);

	/*
	 * The next four are for drivers that are told in detail what becomes of what tasks
	 * wait for (operations); NULL for others.
	 *
	 * @ev, at @now, is about an operation, whichever thread has done it; or a thread
	 * has been off the CPU (TRACE_OFF_CPU), in no poll. 0 or -ENOMEM.
	 */
	int		(*heard)(struct join *j, const struct trace_event *ev, uint64_t now);
	/*
	 * True: @t, which thread @w wakes, waits for something that has happened, and that
	 * was not the cause of a wake before; *@cause is that. What @w came from does not
	 * matter: a runtime may wake its tasks from another task's poll.
	 */
	bool		(*happened)(const struct join *j, const struct task *t,
				    const struct shape *sh, const struct thread *w,
				    struct cause *cause);
	/*
	 * What leaf @l of @t waits for has not happened as far as is known: fill in *@cause
	 * up to now, with ready 0. False: nothing is known of it.
	 */
	bool		(*outstanding)(const struct join *j, const struct task *t,
				       const struct chain_leaf *l, struct cause *cause);
	/*
	 * The frame for a DETAIL_OPERATION. NULL: no memory. *@stack is the id of the kernel
	 * stack in which a thread of the kernel's slept for it; 0: none.
	 */
	const char	*(*operation)(struct join *j, uint32_t id, uint32_t *stack);

	/* The name for a key of kind WALK_KEY_IO; DETAIL_NONE: not known to this driver. */
	struct detail	(*name)(const struct join *j, uint64_t key);
	/* Free what the driver keeps for all threads together. */
	void		(*forget)(struct join *j);
};

/* Indexed by enum driver_id. */
extern const struct driver_ops *const drivers[DRIVER_NR];

/* The driver that an event of type @type, or a sleep in @syscall, belongs to; NULL: none. */
const struct driver_ops *driver__of_event(uint8_t type);
const struct driver_ops *driver__of_syscall(int syscall);
/* @ev may be about an operation: pass it to the driver that takes such events. 0 or -ENOMEM. */
int driver__heard(struct join *j, const struct trace_event *ev, uint64_t now);
/* As in driver_ops, asked of all drivers. */
bool driver__happened(const struct join *j, const struct task *t, const struct shape *sh,
		      const struct thread *w, struct cause *cause);
bool driver__outstanding(const struct join *j, const struct task *t, const struct chain_leaf *l,
			 struct cause *cause);
const char *driver__operation(struct join *j, uint32_t id, uint32_t *stack);
/* The name for a key of kind WALK_KEY_IO, from whichever driver knows it; or DETAIL_NONE. */
struct detail driver__name(const struct join *j, uint64_t key);
/* The part for time in which a descriptor is not ready for direction @dir (enum walk_dir). */
static inline enum part driver__idle_part(unsigned int dir)
{
	return dir == WALK_DIR_WRITE ? PART_NO_ROOM : PART_NO_DATA;
}

#endif /* DWELL_JOIN_DRIVER_H */
