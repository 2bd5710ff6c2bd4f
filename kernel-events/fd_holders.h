/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which process has the other end of a pipe, or of a pair of unix sockets. The kernel does
 * not tell; it is looked up in /proc, where the descriptors of all processes are. What
 * searches have found is kept. One takes 20 ms of CPU at most, and all together 50 ms and a
 * hundredth of the time.
 */
#ifndef DWELL_FD_HOLDERS_H
#define DWELL_FD_HOLDERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* An end of a pipe, or a socket. */
struct fd_end {
	uint64_t	ino;
	uint8_t		socket;		/* else a pipe */
	uint8_t		opened;		/* of a pipe: for what, enum fd_opened */
};

struct fd_holder {
	struct fd_end	end;
	pid_t		pid;
	int		fd;
};

struct fd_holders {
	struct fd_holder	*list;		/* sorted by inode and pid */
	size_t			 nr, room;
	pid_t			 last;		/* the highest process id seen; 0: none yet */
	uint64_t		 full_ns;	/* how long the last search of all processes took */
	uint64_t		 left_ns;	/* for how long may be searched, */
	uint64_t		 counted;	/* … at this time; 0: not searched yet */
};

/*
 * A process that has @end, but not @own if another has it as well; 0: none was found.
 * *@others: how many more there are besides it and @own. A process that @own has forked
 * and that has not called exec yet has a copy of all descriptors, which does not count.
 */
pid_t fd_holders__of(struct fd_holders *h, pid_t own, const struct fd_end *end,
		     unsigned int *others);
/* The name of process @pid, as /proc has it; "": it is not there any more. */
void fd_holder__comm(pid_t pid, char comm[16]);
void fd_holders__clear(struct fd_holders *h);

#endif /* DWELL_FD_HOLDERS_H */
