/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A live process, looked at from outside: its facts, its memory, its CPU time, its
 * end. Only reads; it never stops or writes to it.
 */
#ifndef DWELL_INSPECT_PROCESS_H
#define DWELL_INSPECT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
	pid_t		pid;		/* in dwell's pid namespace */
	int		pidfd;		/* readable when it has exited */
	int		exe_fd;		/* its executable: that very file, whatever has its name */
	char		exe[64];	/* what to open, in /proc where it runs */
	char		exe_name[256];	/* its path as the process sees it */
	char		comm[64];
	uint64_t	cpu_start;	/* ns of CPU time when it was found */
	uint64_t	cpu_last;	/* ns at the last look */
};

/* No process yet: process__close() is fine. */
void process__init(struct process *p);
/* Find process @pid. 0, or negative errno with *@why (valid until the next call) for the user. */
int process__find(struct process *p, pid_t pid, const char **why);
/* Close descriptors. */
void process__close(struct process *p);

/* Does /proc show the processes that system calls take? If not, *@why says so. */
bool process__visible(const char **why);
/* Steps of process__find(), for a process that is a child: 0 or negative errno. */
int process__open_pidfd(struct process *p, const char **why);
/* Take the program that runs in it now: exe_fd, and its names. */
int process__open_exe(struct process *p);

/* Where the executable is loaded: run-time minus link-time address. 0 or negative errno. */
int process__load_bias(const struct process *p, uint64_t first_vaddr, uint64_t *bias);
/* Look at its CPU time (ns since it began); the last value known once it is gone. */
uint64_t process__cpu_ns(struct process *p);
/* Read @len bytes of its memory; 0 or negative errno. */
int process__read(const struct process *p, uint64_t addr, void *buf, size_t len);
/* As much of it as can be read, from its beginning; the number of bytes, or negative errno. */
ssize_t process__read_some(const struct process *p, uint64_t addr, void *buf, size_t len);
bool process__exited(const struct process *p);

#endif /* DWELL_INSPECT_PROCESS_H */
