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
	pid_t		pid;
	int		pidfd;		/* readable when it has exited */
	int		go;		/* launched: write a byte to let it exec, else -1 */
	int		go_status;	/* launched: errno of a failed exec comes out here */
	bool		launched;
	char		exe[64];	/* what to open and to attach to */
	char		exe_name[256];	/* its path as the target sees it */
	char		comm[64];
	uint64_t	cpu_start;	/* ns of CPU time at attach */
	uint64_t	cpu_last;	/* ns at the last look */
};

/* Find process @pid. 0, or negative errno with *@why (static) for the user. */
int target__find(struct target *t, pid_t pid, const char **why);
/*
 * Prepare @argv as a child that waits, before exec, for target__go(). Errors
 * as above; a command that cannot be found is one of them.
 */
int target__launch(struct target *t, char **argv, const char **why);
/* Let the launched child exec. 0 or negative errno of the exec. */
int target__go(struct target *t);
/* Where the executable is loaded: run-time minus link-time address. 0 or negative errno. */
int target__load_bias(const struct target *t, uint64_t first_vaddr, uint64_t *bias);
/* Look at its CPU time (ns since it began); the last value known once it is gone. */
uint64_t target__cpu_ns(struct target *t);
/* Read @len bytes of its memory; 0 or negative errno. */
int target__read(const struct target *t, uint64_t addr, void *buf, size_t len);
bool target__exited(const struct target *t);
/* Fill in comm again (a launched child has another name after exec). */
void target__name(struct target *t);
/* Reap a launched child (ask it to end first, if it has not), close descriptors. */
void target__close(struct target *t);

#endif /* DWELL_RECORD_TARGET_H */
