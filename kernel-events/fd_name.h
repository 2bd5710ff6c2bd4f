/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of descriptors, as an engineer would put them, from what the kernel knows. It
 * must not know events or BPF maps.
 */
#ifndef DWELL_FD_NAME_H
#define DWELL_FD_NAME_H

#include <stddef.h>
#include <sys/types.h>

#include "kernel-events/fd.h"

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

/*
 * Writes the name of @fd, of process @pid, to @out:
 *
 *	tcp 10.0.0.7:5432		a connection that the program has made
 *	tcp 10.0.0.9 → :8080		one that it has accepted: the client's address and the
 *					listener in @l (the client's port tells nothing)
 *	tcp listen 127.0.0.1:8080
 *	pipe 81234, unix /run/x.sock, eventfd, file /dev/null, …
 */
void fd_name(pid_t pid, const struct listeners *l, const struct raw_fd *fd, char *out, size_t size);

#endif /* DWELL_FD_NAME_H */
