/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Other processes that tasks wait for: children, by pidfds, and the ends of pipes.
 */
#ifndef DWELL_WHY_CHILDREN_H
#define DWELL_WHY_CHILDREN_H

#include "why/why.h"

/* Wait @wait is for the end of process @child: tell, if that cannot come. */
void child__waits(struct why *y, uint32_t wait, pid_t child);

/*
 * Wait @wait is for descriptor @fd. If that is a pipe whose other end a child has, tell if the
 * child waits for this process, or does not take what is written.
 */
void child__pipe(struct why *y, uint32_t wait, int fd);

/* The name of process @pid; "?": it is gone. */
void child__name(pid_t pid, char *out, size_t size);
/* "process 123 (sleep), which sleeps: a sleep of the thread" */
void child__say(pid_t pid, char *out, size_t size);
/* "a read of fd 9, a pipe to or from process 123 (cat)"; "": it is no pipe. @way: "read". */
void child__say_pipe(pid_t pid, int fd, const char *way, char *out, size_t size);

#endif /* DWELL_WHY_CHILDREN_H */
