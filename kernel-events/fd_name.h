/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of descriptors, as an engineer would put them, from what the kernel knows, and the
 * roles of sockets. It must not know BPF maps.
 */
#ifndef DWELL_FD_NAME_H
#define DWELL_FD_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "kernel-events/fd.h"
#include "kernel-events/fd_holders.h"
#include "kernel-events/fd_servers.h"
#include "trace/event.h"

#define FD_NAME_MAX	192

/*
 * The sockets on which the program has listened. An accepted connection is named by its
 * listener. A listener stays here when its socket is closed, since its connections stay
 * open.
 */
struct listeners {
	struct raw_fd	*list;
	size_t		 nr, room;
};

/* Remember @fd if it listens. 0 or -ENOMEM. */
int listeners__add(struct listeners *l, const struct raw_fd *fd);
/*
 * The listener that accepted connection @fd: one on its exact address is preferred to
 * one on all addresses. NULL: none.
 */
const struct raw_fd *listeners__of(const struct listeners *l, const struct raw_fd *fd);
void listeners__clear(struct listeners *l);

/* What names go by. */
struct fd_namer {
	pid_t			 pid;		/* the process whose descriptors are named */
	const struct listeners	*listeners;
	struct fd_holders	*holders;	/* NULL: other processes are not searched */
	struct fd_servers	*servers;	/* with holders; NULL: servers are not looked for */
	bool			 many;		/* so many peers that their pids are left out */
	/* no numbers of pipes and sockets, which come and go: "pipe, read end" */
	bool			 unnumbered;
};

/*
 * Is @fd an end of a conversation that is no TCP connection: a unix socket that has a peer, or a
 * UDP socket that is connected?
 */
bool fd_talks(const struct raw_fd *fd);

/* On which end of a conversation @fd is. */
enum trace_fd_role fd_role(const struct listeners *l, const struct raw_fd *fd);

/*
 * Writes the name of @fd to @out:
 *
 *	tcp 10.0.0.7:5432		a connection that the program has made
 *	tcp 127.0.0.1:5432 (postgres)	… to a program of this machine, which listens there
 *	tcp 10.0.0.9 → :8080		one that it has accepted: the client's address and the
 *					listener in @l (the client's port tells nothing)
 *	tcp listen 127.0.0.1:8080
 *	udp 10.0.0.7:53			its peer; udp bound 0.0.0.0:53: it has none
 *	unix /run/x.sock		to which the program has connected
 *	unix sh (pid 12) → /run/x.sock	accepted, from whom
 *	unix listen @abstract, unix bound /run/x.sock
 *	unix socketpair, other end: sh (pid 12)
 *	pipe from sh (pid 12)		which has the end that is written; pipe to …
 *	pipe 81234, read end		it is not known who has the other end
 *	pidfd of sh (pid 12), signalfd of SIGINT, SIGTERM, eventfd, timerfd,
 *	inotify of /etc/app and 2 more
 *	fifo /run/x, file /dev/null, …
 *
 * Of what is no socket, /proc is asked: a descriptor that is closed by then is "fd 7 (inode 1)".
 */
void fd_name(const struct fd_namer *n, const struct raw_fd *fd, char *out, size_t size);

#endif /* DWELL_FD_NAME_H */
