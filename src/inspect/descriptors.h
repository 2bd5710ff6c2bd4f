/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The descriptors that a process has registered with epoll, and what the kernel has for
 * them: bytes in sockets' queues, the process behind a pidfd. From /proc and sock_diag.
 */
#ifndef DWELL_INSPECT_DESCRIPTORS_H
#define DWELL_INSPECT_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum descriptor_kind {
	DESCRIPTOR_OTHER	= 0,
	DESCRIPTOR_SOCKET	= 1,
	DESCRIPTOR_PIDFD	= 2,
};

struct descriptor {
	int			fd;
	int			epfd;	/* of the epoll instance */
	uint64_t		token;	/* that it is registered with */
	enum descriptor_kind	kind;
	uint64_t		ino;	/* of a socket */
	pid_t			pid;	/* of a pidfd; 0: not known, or it has ended */
	/* of a socket, if queues_known: bytes (of a listener: connections) to be taken */
	bool			queues_known;
	uint32_t		to_read;
};

/*
 * The descriptors in the epoll instances of @pid: *@nr in *@out, which the caller frees. 0 or
 * negative errno.
 */
int descriptors__list(pid_t pid, struct descriptor **out, size_t *nr);

/* Ask the kernel for the queues of the sockets among them; what it does not tell is left. */
void descriptors__ask(pid_t pid, struct descriptor *list, size_t nr);

/*
 * The number in a link such as "pipe:[1234]" of descriptor @fd of @pid, if it begins with
 * @kind ("pipe:["); 0: it does not.
 */
uint64_t descriptor__ino(pid_t pid, int fd, const char *kind);

#endif /* DWELL_INSPECT_DESCRIPTORS_H */
