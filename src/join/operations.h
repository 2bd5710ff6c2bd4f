/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The operations of io_uring that are or were on their way, and how they are named.
 *
 * An operation is found by its ring and its user_data. The program reuses the latter, so
 * the last submission is meant; an operation that has completed is kept for a while, until
 * the wake that it causes has been explained by it.
 *
 * It must not know tasks.
 */
#ifndef DWELL_JOIN_OPERATIONS_H
#define DWELL_JOIN_OPERATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "join/map.h"
#include "join/pieces.h"
#include "trace/event.h"

#define OPERATION_PHASES	3

struct operation {
	/* where it has been in the kernel, in order; further phases replace the last one */
	struct {
		uint8_t		part;		/* enum part */
		uint64_t	since;
	}		phases[OPERATION_PHASES];
	uint8_t		nr_phases;	/* at least one */
	bool		submitted;	/* its submission was seen, at phases[0].since */
	bool		direct;		/* what it accepts is a registered file, not a descriptor */
	bool		more;		/* it has completed, and further completions follow */
	bool		told;		/* its completion has explained a wake */
	uint32_t	name;		/* number of its name */
	struct pieces	wq;		/* its time with a thread of io-wq, if that is known */
	/*
	 * If it receives: who was to speak on the connection when it completed, or, until then,
	 * who is to speak (TRACE_READY_*); and on which end of it the program is.
	 */
	uint32_t	turn;
	uint8_t		role;		/* enum trace_fd_role */
	bool		receives;
	uint64_t	ready;		/* when its file became ready, if armed; 0: not seen */
	uint64_t	done;		/* when it completed; 0: not yet */
};

struct operations {
	struct map		 rings;		/* struct ring by number */
	struct map		 workers;	/* struct worker by thread: those of io-wq */
	struct map		 submitters;	/* struct submitter by thread */
	struct map		 files;		/* struct operation_file by descriptor or file */
	/* names of operations: what, and on what */
	struct hash_table	 name_of;	/* → number + 1 */
	struct operation_name {
		uint8_t		opcode;
		bool		unseen;		/* its submission was not seen */
		int32_t		fd;		/* or TRACE_URING_NO_FD, … */
		uint32_t	string;		/* of the descriptor, or a path; 0: no name */
		uint32_t	stack;		/* kernel stack in which io-wq slept for it; 0 */
	}			*names;
	uint32_t		 nr_names, names_size;
};

/* @ev, of any of the types of io_uring but TRACE_URING_WAIT, at @now. 0 or -ENOMEM. */
int operations__event(struct operations *o, const struct trace_event *ev, uint64_t now);
/*
 * A thread in no poll was off the CPU until @now. If it has a kernel stack, it slept for an
 * operation, and is a thread of io-wq. When it was runnable again, its cgroup did not allow it to
 * run for @throttled ns. 0 or -ENOMEM.
 */
int operations__off_cpu(struct operations *o, const struct trace_event *ev, uint64_t throttled,
			uint64_t now);
/*
 * The operation @user_data of the rings that thread @tid submits to. Of several rings' it is that
 * which was submitted last: a runtime that has several rings for a thread uses a number again
 * when the operation before has ended. If the thread submits to none (the kernel does it for it,
 * IORING_SETUP_SQPOLL), of the only ring that there is, or operations__only(). NULL: none is known.
 */
struct operation *operations__of_thread(const struct operations *o, uint32_t tid,
					uint64_t user_data);
/*
 * The only operation @user_data, of any ring, whose completion was not seen or has not
 * explained a wake; NULL: there is none, or there are several.
 */
struct operation *operations__only(const struct operations *o, uint64_t user_data);
/* "read", "accept", …; NULL: not known. */
const char *operation__opcode(uint8_t opcode);
void operations__clear(struct operations *o);

#endif /* DWELL_JOIN_OPERATIONS_H */
