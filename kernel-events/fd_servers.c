/* SPDX-License-Identifier: GPL-2.0 */
/* Who listens where connections lead to. See fd_servers.h. */
#include "kernel-events/fd_servers.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/network.h"

#define SERVERS_MAX	256	/* addresses that are asked for */
#define ANSWER_MS	20

/* Where @fd leads to; of an IPv6 socket's IPv4 address, the latter. */
static struct fd_server server_at(const struct raw_fd *fd)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };
	struct fd_server at = { .family = fd->family, .port = fd->remote_port };

	if (fd->family == AF_INET) {
		memcpy(at.addr, fd->remote, 4);
	} else if (!memcmp(fd->remote, mapped, sizeof(mapped))) {
		at.family = AF_INET;
		memcpy(at.addr, fd->remote + sizeof(mapped), 4);
	} else {
		memcpy(at.addr, fd->remote, sizeof(at.addr));
	}
	return at;
}

/* A loopback address, or the connection's own. */
static bool is_local(const struct raw_fd *fd, const struct fd_server *at)
{
	static const uint8_t loopback[16] = { [15] = 1 };

	if (!memcmp(fd->remote, fd->local, fd->family == AF_INET6 ? 16 : 4))
		return true;
	return at->family == AF_INET ? at->addr[0] == 127 :
				       !memcmp(at->addr, loopback, sizeof(loopback));
}

/* It answers for our network namespace only. Negative: @pid is in another, or there is none. */
static int open_diag(pid_t pid)
{
	const struct timeval limit = { .tv_usec = ANSWER_MS * 1000 };
	int fd = -1;

	if (network__same(pid))
		fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

/* The inode of the socket that listens there; 0: there is none. */
static uint64_t listener_at(int netlink, const struct fd_server *at)
{
	struct {
		struct nlmsghdr		h;
		struct inet_diag_req_v2	r;
	} in = { { sizeof(in), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 0, 0 },
		 { .sdiag_family = (uint8_t)at->family, .sdiag_protocol = IPPROTO_TCP,
		   .idiag_states = 1 << TCP_LISTEN,
		   .id = { .idiag_sport = htons(at->port),
			   .idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } } } };
	_Alignas(struct nlmsghdr) char buf[4096];
	struct nlmsghdr *h = (struct nlmsghdr *)buf;
	const struct inet_diag_msg *m = NLMSG_DATA(h);
	ssize_t n;

	/* with no port at the other end, only one who listens fits */
	memcpy(in.r.id.idiag_src, at->addr, sizeof(at->addr));
	if (send(netlink, &in, sizeof(in), 0) != sizeof(in))
		return 0;
	n = recv(netlink, buf, sizeof(buf), 0);
	if (n <= 0 || !NLMSG_OK(h, (unsigned int)n) || h->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) || m->idiag_state != TCP_LISTEN)
		return 0;
	return m->idiag_inode;
}

static void find(struct fd_servers *s, struct fd_holders *h, pid_t own, struct fd_server *at)
{
	struct fd_end end = { .socket = 1 };
	unsigned int others;
	pid_t pid;

	if (!s->asked)
		s->netlink = open_diag(own);
	s->asked = 1;
	end.ino = s->netlink >= 0 ? listener_at(s->netlink, at) : 0;
	pid = end.ino ? fd_holders__of(h, own, &end, &others) : 0;
	if (pid == own)
		snprintf(at->comm, sizeof(at->comm), "this process");
	else if (pid)
		fd_holder__comm(pid, at->comm);
}

const char *fd_servers__of(struct fd_servers *s, struct fd_holders *h, pid_t own,
			   const struct raw_fd *fd)
{
	struct fd_server new = server_at(fd);

	if (!is_local(fd, &new))
		return "";
	for (size_t i = 0; i < s->nr; i++)
		if (s->list[i].family == new.family && s->list[i].port == new.port &&
		    !memcmp(s->list[i].addr, new.addr, sizeof(new.addr)))
			return s->list[i].comm;
	if (s->nr == SERVERS_MAX || array__room(&s->list, &s->room, s->nr, sizeof(*s->list)))
		return "";
	find(s, h, own, &new);
	s->list[s->nr] = new;
	return s->list[s->nr++].comm;
}

void fd_servers__clear(struct fd_servers *s)
{
	if (s->asked && s->netlink >= 0)
		close(s->netlink);
	free(s->list);
	*s = (struct fd_servers){ 0 };
}
