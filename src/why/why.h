/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why tasks wait: findings about a live process, from pictures of it taken one after the
 * other. What is found was the same in each of them.
 */
#ifndef DWELL_WHY_H
#define DWELL_WHY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "answer/answer.h"
#include "base/hash_table.h"
#include "inspect/descriptors.h"
#include "inspect/picture.h"

/* Somebody or something that has a part in a finding, and where. */
struct why_party {
	const char	*role;		/* "waits", "holds", "between", "chain", … */
	uint32_t	 task;		/* of the picture; WALK_NONE: none */
	uint32_t	 tid;		/* a thread; 0: none */
	uint32_t	 count;		/* of tasks that are alike there */
	struct answer_place place;
	char		*text;		/* "waits in RwLock::read, second in the queue" */
};

struct why_finding {
	const char		*kind;		/* "deadlock", "futurelock", … */
	unsigned int		 rank;		/* the worst have the lowest */
	char			*text;		/* a sentence */
	char			*resource;	/* or NULL */
	uint64_t		 since_ns;	/* unchanged so long at least; 0: so in each look */
	struct why_party	*parties;
	size_t			 nr_parties, cap_parties;
	bool			 moves;		/* it need not stand: several looks saw it */
	struct hash_table	 counted;	/* party and task, of those in a party's count */
};

struct socket_watch;
struct cgroup_cpu;

struct why {
	struct picture		 p;		/* the last picture */
	bool			*steady;	/* by task: the same in all pictures */
	uint64_t		 span_ns;	/* between the first picture and the last */
	struct graph		*g;
	struct why_finding	*findings;	/* the worst first */
	size_t			 nr_findings, cap_findings;
	struct source_lines	*lines;		/* names of code on stacks */
	/* descriptors in epoll when findings were last looked for, sorted by token */
	struct descriptor	*fds;
	size_t			 nr_fds;
	struct socket_watch	*watched;	/* between the first two pictures; or NULL */
	struct cgroup_cpu	*cgroup;	/* at the first picture; or NULL */
	struct hash_table	 connections;	/* by address: see windows.c */
	int			 err;
};

/*
 * Take pictures of @target and find out. 0 or negative errno; free it in either case.
 * @bias as in picture__take(). @img and @target must outlive it.
 */
int why__look(struct why *y, const struct image *img, const struct process *target, uint64_t bias,
	      const struct picture_registers *regs);
void why__free(struct why *y);

/*
 * What was found out, as an answer that stands by itself; @stacks: with those of all threads,
 * which takes a while. 0 or -ENOMEM; free it in either case.
 */
int why__answer(const struct why *y, bool stacks, struct answer *a);

/* ---- for the files of this folder ---- */

struct graph;

/* Add a finding; NULL: no memory, and y->err is set. */
struct why_finding *why__add(struct why *y, const char *kind, unsigned int rank);
/* Set its sentence. */
void why__say(struct why *y, struct why_finding *f, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Add a party; equal ones (by role, place and text) are counted. */
void why__party(struct why *y, struct why_finding *f, const char *role, uint32_t task,
		struct answer_place place, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

#define WHY_QUEUE_MAX	96

/*
 * The queue in which task @task waits to be polled: "the LIFO slot of thread 12 (tokio-rt-worker)";
 * "": in none, or that is not known. Writes to @out (WHY_QUEUE_MAX bytes), and returns it.
 */
const char *why__queue(const struct why *y, uint32_t task, char *out);
/*
 * " (up to x.rs:14)", where the source of task @task ends; "": not known. Writes to @out
 * (WHY_QUEUE_MAX bytes), and returns it.
 */
const char *why__up_to(const struct why *y, uint32_t task, char *out);
/* The name of task number @task of the picture. */
const char *why__task(const struct why *y, uint32_t task);
/* Where in the program wait @wait is: its innermost await point there. */
struct answer_place why__wait_place(const struct why *y, uint32_t wait);
/* The same of what frame @frame of task @task waits for: in that frame, if it is own code. */
struct answer_place why__frame_place(const struct why *y, uint32_t task, uint32_t frame);
/*
 * The last await point before that of @wait, in the source of the same future, at which something
 * of @module ("::write") is awaited; line 0: there is none.
 */
struct answer_place why__await_before(const struct why *y, uint32_t wait, const char *module);
/* Is frame @frame an await point in the program's own code? */
bool why__is_own(const struct why *y, uint32_t frame);
/* What it waits in: "Sender::send", "oneshot::Receiver". Valid until the next call. */
const char *why__waits_in(const struct why *y, uint32_t wait);
/* Where the variable is declared that handle @handle is in; its name. */
struct answer_place why__handle_place(const struct why *y, uint32_t handle, const char **local);

/*
 * Where the variable is declared that keeps the future of frame @frame, which is not
 * awaited, and its name; line 0: not known, or it is awaited.
 */
struct answer_place why__kept_place(const struct why *y, uint32_t frame, const char **local);

/* Finders: each adds its findings. */
void why__find_deadlocks(struct why *y);
void why__find_lost_wakes(struct why *y);
void why__find_chains(struct why *y);
void why__find_blocked(struct why *y);
void why__find_kernel_side(struct why *y);
void why__find_sockets(struct why *y);
void why__find_windows(struct why *y);
/* True: the process does not run at all, so that what stands tells nothing. */
bool why__find_halts(struct why *y);

/* The first descriptor with @token; NULL: there is none. Others with it follow. */
const struct descriptor *why__descriptor(const struct why *y, uint64_t token);
/* Add what a wait for a descriptor is for, in words, as the finding's resource. */
void why__say_descriptor(struct why *y, struct why_finding *f, uint32_t wait);

/*
 * Let @ns pass. Meanwhile look at the sockets that tasks read from, several times: what is so in
 * some of them and never stands still is found in no picture.
 */
void why__watch_sockets(struct why *y, uint64_t ns);
/* How far the process's cgroup has been throttled until now; NULL: not known. */
struct cgroup_cpu *why__cgroup(const struct why *y);

#endif /* DWELL_WHY_H */
