/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What `dwell why` tells of a process at one moment: findings, tasks and their waits, what
 * each wait is for and who could end it, threads. It stands by itself: it is printed, or
 * packed into a recording and read back, without the process or its program.
 *
 * It must not know how any of it was found out.
 */
#ifndef DWELL_ANSWER_H
#define DWELL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/hash_table.h"

#define ANSWER_NONE	0xffffffffu	/* no such index */

/* A place in the program. */
struct answer_place {
	const char	*function;	/* "web::handler"; "": not known */
	const char	*file;		/* base name; "": not known */
	uint32_t	 line;		/* 0: not known */
};

/* Somebody or something that has a part in a finding, and where. */
struct answer_party {
	const char		*role;	/* "waits", "holds", "between", "chain", … */
	uint32_t		 task;	/* or ANSWER_NONE */
	uint32_t		 count;	/* of tasks that are alike there */
	struct answer_place	 place;
	const char		*text;	/* "waits in RwLock::read, second in the queue" */
};

struct answer_finding {
	const char	*kind;		/* "deadlock", "futurelock", … */
	const char	*text;		/* a sentence */
	const char	*resource;	/* a line about what is waited for; "": nothing to say */
	uint64_t	 since_ns;	/* unchanged so long at least; 0: so in each look */
	uint32_t	 parties, nr_parties;	/* a range */
};

/* Packed: append only. */
enum answer_state {
	ANSWER_IDLE	= 0,	/* it waits to be woken */
	ANSWER_READY	= 1,	/* woken, in a queue of the runtime */
	ANSWER_POLLED	= 2,	/* a thread polls it */
	ANSWER_MOVING	= 3,	/* it changed whenever it was looked at */
	ANSWER_STATE_NR
};

struct answer_task {
	uint64_t		 id;	/* address */
	const char		*name;
	enum answer_state	 state;
	bool			 root;
	bool			 stuck;	/* nobody can end what it waits for */
	const char		*queue;	/* that it waits in to be polled; "": not known */
	uint64_t		 after_ns; /* it was read so long after the picture was begun */
	uint64_t		 since_ns; /* so long each look showed the same; 0: it changed */
	uint32_t		 chain, nr_chain;	/* ranges: places, the outermost first; … */
	uint32_t		 waits, nr_waits;	/* … leaves that it waits for; … */
	uint32_t		 has, nr_has;		/* … values that others may wait for */
	/* which of the places, from 1 on, is the last in the program's own code; 0: none */
	uint32_t		 own;
};

/* A leaf that a task waits for, or would if it polled the future that it is in. */
struct answer_wait {
	uint32_t		 task;
	struct answer_place	 place;
	const char		*in;		/* "Sender::send" */
	uint32_t		 resource;	/* or ANSWER_NONE */
	uint32_t		 before;	/* it in the queue; ANSWER_NONE: it is in none */
	uint32_t		 ahead;		/* the wait that is served next, if it is another */
	bool			 unpolled;	/* the task has the future and does not await it */
	bool			 granted;	/* it only has to be polled */
	bool			 open;		/* perhaps others, too, can end it */
	bool			 unread;	/* what it waits for could not be read */
};

/* A value of a task that belongs to a resource: a guard, a sender. */
struct answer_has {
	const char		*local;		/* its variable; "": not known */
	const char		*type;		/* "MutexGuard" */
	uint64_t		 object;	/* address of what it belongs to */
	struct answer_place	 place;		/* where the variable is declared */
	bool			 unpolled;	/* it is in a future that is not polled */
};

/* Packed: append only. */
enum answer_kind {
	ANSWER_OTHER	= 0,
	ANSWER_IO	= 1,	/* value: the reactor's token */
	ANSWER_TIMER	= 2,	/* value: ns of CLOCK_MONOTONIC */
	ANSWER_TASK	= 3,	/* value: its address */
	ANSWER_ADDRESS	= 4,	/* value: of a lock, a channel, … */
	ANSWER_KIND_NR
};

/* What tasks wait for. */
struct answer_resource {
	enum answer_kind	 kind;
	const char		*name;		/* "semaphore", "timer", "oneshot::Receiver" */
	uint64_t		 value;
	const char		*text;		/* its state: "0 permits free"; "": not known */
	uint32_t		 holders, nr_holders;	/* a range: who could end the waits */
};

/* Packed: append only. */
enum answer_reason {
	ANSWER_HAS	= 0,	/* it has a value that belongs to the resource; by: which */
	ANSWER_GRANTED	= 1,	/* it has been granted what is waited for; by: its wait */
	ANSWER_JOINED	= 2,	/* it is the task that is joined */
	ANSWER_REASON_NR
};

struct answer_holder {
	enum answer_reason	 reason;
	uint32_t		 task;
	uint32_t		 by;
};

struct answer_thread {
	uint32_t	 tid;
	const char	*name;
	char		 state;		/* as in /proc */
	int64_t		 syscall;	/* -1: none, or it runs */
	uint32_t	 task;		/* whose poll it is in, the innermost; or ANSWER_NONE */
	/* its user stack, a range, innermost first; not in a recording */
	uint32_t	 frames, nr_frames;
	bool		 complete;	/* the last frame is where the thread began */
};

/* A function on a thread's stack. */
struct answer_frame {
	uint64_t		 pc;	/* return address; of the innermost, where it is */
	struct answer_place	 place;
	bool			 inlined;	/* into the next one, which has the same pc */
};

struct answer_pool {
	uint64_t	threads, idle, queued, limit;
};

struct answer {
	uint64_t		 ts;		/* ns of CLOCK_MONOTONIC */
	uint64_t		 span_ns;	/* between its first look and its last */
	bool			 incomplete;
	uint32_t		 untold;	/* threads with a poll of an unknown task */
	struct answer_finding	*findings;	/* the worst first */
	struct answer_party	*parties;
	struct answer_task	*tasks;
	struct answer_place	*places;
	struct answer_wait	*waits;
	struct answer_has	*has;
	struct answer_resource	*resources;
	struct answer_holder	*holders;
	struct answer_thread	*threads;
	struct answer_frame	*frames;
	struct answer_pool	*pools;
	size_t			 nr_findings, nr_parties, nr_tasks, nr_places, nr_waits, nr_has,
				 nr_resources, nr_holders, nr_threads, nr_frames,
				 nr_pools;
	size_t			 cap_findings, cap_parties, cap_tasks, cap_places, cap_waits,
				 cap_has, cap_resources, cap_holders, cap_threads,
				 cap_frames, cap_pools;
	struct hash_table	 texts;		/* those that belong to it, by their contents */
};

/* Nothing yet. */
void answer__init(struct answer *a);
/* Free what it contains; not @a itself. */
void answer__free(struct answer *a);
/* A copy of @text that lives as long as @a; equal ones are the same. NULL: no memory. */
const char *answer__text(struct answer *a, const char *text);

/*
 * As bytes, which the caller frees: *@len of them in *@out. Equal answers give equal bytes.
 * 0 or -ENOMEM.
 */
int answer__pack(const struct answer *a, uint8_t **out, size_t *len);
/*
 * Read what pack() has written, into @a, which answer__init() was called for. Nothing is
 * trusted: -EBADMSG: these bytes are no answer; -ENOMEM. Free @a in either case.
 */
int answer__unpack(struct answer *a, const uint8_t *in, size_t len);

/* What a task does, after its name: "waits", "is being polled". */
const char *answer_state__words(enum answer_state state);

/* Write the findings, then the tasks by where they wait. */
void answer__print(const struct answer *a, FILE *out);
/* Write the findings alone. */
void answer__print_findings(const struct answer *a, FILE *out);
/*
 * Write each task whose name contains @pattern, or whose id it is ("0x55d0c0ffee"), in depth.
 * Returns how many there are.
 */
size_t answer__print_tasks(const struct answer *a, const char *pattern, FILE *out);
struct json_t;

/* Everything as a JSON object (see doc/why.md), which the caller frees. NULL: no memory. */
struct json_t *answer__to_json(const struct answer *a);
/* Write it. 0, -ENOMEM, -EIO. */
int answer__json(const struct answer *a, FILE *out);

#endif /* DWELL_ANSWER_H */
