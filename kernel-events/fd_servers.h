/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The programs of this machine that the target's TCP connections lead to: whoever listens at
 * the address. It is asked of the kernel (sock_diag) and of /proc once for each address,
 * because a connection's own process may be a new one each time, as PostgreSQL's are.
 */
#ifndef DWELL_FD_SERVERS_H
#define DWELL_FD_SERVERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kernel-events/fd.h"
#include "kernel-events/fd_holders.h"

#define FD_SERVER_COMM	16

struct fd_server {
	uint16_t	family, port;
	uint8_t		addr[16];
	char		comm[FD_SERVER_COMM];	/* "": not found */
};

struct fd_servers {
	struct fd_server	*list;
	size_t			 nr, room;
	int			 netlink;	/* once asked: -1 if it cannot be */
	uint8_t			 asked;
};

/*
 * The name of the program that connection @fd of process @own leads to: "postgres",
 * "this process". "": it is on another machine or in another network namespace, or was not
 * found when its address was first seen.
 */
const char *fd_servers__of(struct fd_servers *s, struct fd_holders *h, pid_t own,
			   const struct raw_fd *fd);
void fd_servers__clear(struct fd_servers *s);

#endif /* DWELL_FD_SERVERS_H */
