/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The process that is recorded: found by pid or launched; its facts, its
 * memory, its CPU time, its end. Only reads; it never stops or writes to it.
 */
#ifndef DWELL_RECORD_TARGET_H
#define DWELL_RECORD_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct target {
	pid_t		pid;		/* in dwell's pid namespace */
	int		pidfd;		/* readable when it has exited */
	int		exe_fd;		/* its executable: that very file, whatever has its name */
	int		go;		/* launched: write a byte to let it exec, else -1 */
	int		go_status;	/* launched: errno of a failed exec comes out here */
	bool		launched;	/* a child of dwell's */
	char		exe[64];	/* what to open, in /proc where it runs */
	char		exe_name[256];	/* its path as the target sees it */
	char		comm[64];
	uint64_t	cpu_start;	/* ns of CPU time at attach */
	uint64_t	cpu_last;	/* ns at the last look */
};

/* No process yet: target__close() is fine. */
void target__init(struct target *t);
/* Find process @pid. 0, or negative errno with *@why (valid until the next call) for the user. */
int target__find(struct target *t, pid_t pid, const char **why);
/*
 * Prepare @argv as a child that waits, before exec, for target__go(). Errors
 * as above; a command that cannot be found is one of them.
 */
int target__launch(struct target *t, char **argv, const char **why);
/* A launched child has not been told to exec: there is nothing of it to be seen yet. */
bool target__waits(const struct target *t);
/* Let the launched child exec. 0 or negative errno of the exec. */
int target__go(struct target *t);
/*
 * A launched child that runs: if it has executed another program since the last
 * look, take that one. 1: it has, 0: it has not, negative errno: it is gone.
 */
int target__follow_exec(struct target *t);
/* Where the executable is loaded: run-time minus link-time address. 0 or negative errno. */
int target__load_bias(const struct target *t, uint64_t first_vaddr, uint64_t *bias);
/* Look at its CPU time (ns since it began); the last value known once it is gone. */
uint64_t target__cpu_ns(struct target *t);
/* Read @len bytes of its memory; 0 or negative errno. */
int target__read(const struct target *t, uint64_t addr, void *buf, size_t len);
/* As much of it as can be read, from its beginning; the number of bytes, or negative errno. */
ssize_t target__read_some(const struct target *t, uint64_t addr, void *buf, size_t len);
bool target__exited(const struct target *t);
/*
 * Close descriptors. A launched child that has not ended is asked to end
 * (SIGTERM). False: it has not within TARGET_GRACE_MS, and runs on.
 */
bool target__close(struct target *t);

#define TARGET_GRACE_MS	3000

#endif /* DWELL_RECORD_TARGET_H */
