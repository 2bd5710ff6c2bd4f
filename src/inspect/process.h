/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A live process from outside: its properties, its memory, its CPU time, its end. Only
 * reads; never stops it or writes to it.
 */
#ifndef DWELL_INSPECT_PROCESS_H
#define DWELL_INSPECT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct iovec;

struct process {
	pid_t		pid;		/* in dwell's pid namespace */
	int		pidfd;		/* readable when the process has exited */
	/* its executable: that very file, whatever is at its path */
	int		exe_fd;
	char		exe[64];	/* a path in /proc to open the executable by */
	char		exe_name[256];	/* its path as the process sees it */
	char		comm[64];
	uint64_t	cpu_start;	/* ns of CPU time when it was found */
	uint64_t	cpu_last;	/* ns when it was last read */
};

/* No process yet; process__close() is allowed. */
void process__init(struct process *p);
/* Find process @pid. 0, or negative errno with *@why (valid until the next call) for the user. */
int process__find(struct process *p, pid_t pid, const char **why);
/* Close descriptors. */
void process__close(struct process *p);

/* Are the processes in /proc those that system calls use? If not, *@why explains it. */
bool process__visible(const char **why);
/* A step of process__find(), for a process that is our child. 0 or negative errno. */
int process__open_pidfd(struct process *p, const char **why);
/* Open the program that it runs now: exe_fd, and the names. */
int process__open_exe(struct process *p);

/* The load bias of the executable: run-time minus link-time address. 0 or negative errno. */
int process__load_bias(const struct process *p, uint64_t first_vaddr, uint64_t *bias);
/* Its CPU time in ns; once it is gone, the last value read. */
uint64_t process__cpu_ns(struct process *p);
/* Read @len bytes of its memory; 0 or negative errno. */
int process__read(const struct process *p, uint64_t addr, void *buf, size_t len);
/*
 * Read as much of it as possible, from the beginning; the number of bytes, or negative
 * errno.
 */
ssize_t process__read_some(const struct process *p, uint64_t addr, void *buf, size_t len);
/*
 * Read @nr parts, each from @from to @to, in as few calls as possible; @ok tells which of
 * them were read. Both lists are as for process_vm_readv().
 */
void process__read_many(const struct process *p, struct iovec *to, struct iovec *from, size_t nr,
			bool *ok);
bool process__exited(const struct process *p);

#endif /* DWELL_INSPECT_PROCESS_H */
