/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an engineer calls a descriptor, from what the kernel says of it. It must
 * not know of events, nor of BPF maps.
 */
#ifndef DWELL_FD_NAME_H
#define DWELL_FD_NAME_H

#include <stddef.h>
#include <sys/types.h>

#include "kernel-events/fd.h"

#define FD_NAME_MAX	192

/*
 * The sockets on which the program has been listening: their connections are told
 * by them. An address stays when its socket is closed, since connections do.
 */
struct listeners {
	struct raw_fd	*list;
	size_t		 nr, room;
};

/* Remember @fd if it listens. 0 or -ENOMEM. */
int listeners__add(struct listeners *l, const struct raw_fd *fd);
/* The one whose connection @fd is, one of its very address before one of all; or NULL. */
const struct raw_fd *listeners__of(const struct listeners *l, const struct raw_fd *fd);
void listeners__clear(struct listeners *l);

/*
 * The name of @fd, of process @pid, into @out:
 *
 *	tcp 10.0.0.7:5432		a connection that the program has made
 *	tcp 10.0.0.9 → :8080		one that it has accepted: from where, to which of
 *					@l. The client's port would say nothing
 *	tcp listen 127.0.0.1:8080
 *	pipe 81234, unix /run/x.sock, eventfd, file /dev/null, …
 */
void fd_name(pid_t pid, const struct listeners *l, const struct raw_fd *fd, char *out, size_t size);

#endif /* DWELL_FD_NAME_H */
