/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of descriptors. See fd_name.h.
 */
#include "kernel-events/fd_name.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LISTENERS_MAX	1024	/* connections of further ones are named by their ports */

static bool is_inet(const struct raw_fd *fd)
{
	return fd->family == AF_INET || fd->family == AF_INET6;
}

/* ---- listeners ---- */

int listeners__add(struct listeners *l, const struct raw_fd *fd)
{
	struct raw_fd *list;
	size_t room;

	if (!is_inet(fd) || fd->sk_type != SOCK_STREAM || fd->sk_state != TCP_LISTEN)
		return 0;
	for (size_t i = 0; i < l->nr; i++)
		if (l->list[i].family == fd->family && l->list[i].local_port == fd->local_port &&
		    !memcmp(l->list[i].local, fd->local, sizeof(fd->local)))
			return 0;
	if (l->nr == LISTENERS_MAX)
		return 0;
	if (l->nr == l->room) {
		room = l->room ? l->room * 2 : 8;
		list = reallocarray(l->list, room, sizeof(*list));
		if (!list)
			return -ENOMEM;
		l->list = list;
		l->room = room;
	}
	l->list[l->nr++] = *fd;
	return 0;
}

void listeners__clear(struct listeners *l)
{
	free(l->list);
	*l = (struct listeners){ 0 };
}

/* @addr as an IPv6 address; an IPv4 one becomes ::ffff:a.b.c.d. */
static struct in6_addr address(const struct raw_fd *fd, const uint8_t *addr)
{
	struct in6_addr a = { 0 };

	if (fd->family == AF_INET6) {
		memcpy(&a, addr, sizeof(a));
		return a;
	}
	a.s6_addr[10] = a.s6_addr[11] = 0xff;
	memcpy(a.s6_addr + 12, addr, 4);
	return a;
}

static bool is_wildcard(const struct in6_addr *a)
{
	return IN6_IS_ADDR_UNSPECIFIED(a) || (IN6_IS_ADDR_V4MAPPED(a) && !a->s6_addr32[3]);
}

const struct raw_fd *listeners__of(const struct listeners *l, const struct raw_fd *fd)
{
	struct in6_addr local = address(fd, fd->local);
	const struct raw_fd *any = NULL;

	for (size_t i = 0; i < l->nr; i++) {
		struct in6_addr a = address(&l->list[i], l->list[i].local);

		if (l->list[i].local_port != fd->local_port)
			continue;
		if (IN6_ARE_ADDR_EQUAL(&a, &local))
			return &l->list[i];
		if (is_wildcard(&a))
			any = &l->list[i];
	}
	return any;
}

/* ---- names ---- */

/* "10.0.0.7", "2001:db8::1"; with brackets where a port follows. */
static void print_address(const struct raw_fd *fd, const uint8_t *addr, bool brackets,
			  char out[INET6_ADDRSTRLEN + 2])
{
	struct in6_addr a = address(fd, addr);
	char text[INET6_ADDRSTRLEN];

	if (IN6_IS_ADDR_V4MAPPED(&a)) {
		inet_ntop(AF_INET, a.s6_addr + 12, out, INET6_ADDRSTRLEN);
		return;
	}
	inet_ntop(AF_INET6, &a, text, sizeof(text));
	snprintf(out, INET6_ADDRSTRLEN + 2, brackets ? "[%s]" : "%s", text);
}

static void accepted_name(const struct raw_fd *fd, const struct raw_fd *listener, char *out,
			  size_t size)
{
	char peer[INET6_ADDRSTRLEN + 2], here[INET6_ADDRSTRLEN + 2] = "";
	struct in6_addr local = address(listener, listener->local);

	print_address(fd, fd->remote, false, peer);
	if (!is_wildcard(&local))
		print_address(listener, listener->local, true, here);
	snprintf(out, size, "tcp %s → %s:%u", peer, here, listener->local_port);
}

static void inet_name(const struct listeners *l, const struct raw_fd *fd, char *out, size_t size)
{
	const char *proto = fd->sk_type == SOCK_DGRAM ? "udp" : "tcp", *state = "";
	bool remote = fd->remote_port, stream = fd->sk_type == SOCK_STREAM;
	const struct raw_fd *listener = stream && remote ? listeners__of(l, fd) : NULL;
	char text[INET6_ADDRSTRLEN + 2];

	if (listener) {
		accepted_name(fd, listener, out, size);
		return;
	}
	if (stream && !remote)
		state = fd->sk_state == TCP_LISTEN ? "listen " : "not connected ";
	print_address(fd, remote ? fd->remote : fd->local, true, text);
	snprintf(out, size, "%s %s%s:%u", proto, state, text,
		 remote ? fd->remote_port : fd->local_port);
}

static void unix_name(const struct raw_fd *fd, char *out, size_t size)
{
	int len = fd->unix_len < RAW_UNIX_PATH ? fd->unix_len : RAW_UNIX_PATH;

	if (!len)
		snprintf(out, size, "unix socket %llu", (unsigned long long)fd->ino);
	else if (fd->unix_path[0])
		snprintf(out, size, "unix %.*s", len, fd->unix_path);
	else
		snprintf(out, size, "unix @%.*s", len - 1, fd->unix_path + 1);
}

/*
 * Files, devices, anonymous inodes: the target of the link /proc/PID/fd/N, if the
 * descriptor is still open.
 */
static void link_name(pid_t pid, const struct raw_fd *fd, char *out, size_t size)
{
	char link[64], target[FD_NAME_MAX - 16];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, fd->fd);
	n = readlink(link, target, sizeof(target) - 1);
	if (n <= 0) {
		snprintf(out, size, "fd %d (inode %llu)", fd->fd, (unsigned long long)fd->ino);
		return;
	}
	target[n] = '\0';
	if (!strncmp(target, "anon_inode:", 11))
		snprintf(out, size, "%s", target + 11);
	else
		snprintf(out, size, "file %s", target);
}

void fd_name(pid_t pid, const struct listeners *l, const struct raw_fd *fd, char *out, size_t size)
{
	if (is_inet(fd))
		inet_name(l, fd, out, size);
	else if (fd->family == AF_UNIX)
		unix_name(fd, out, size);
	else if ((fd->mode & S_IFMT) == S_IFIFO)
		snprintf(out, size, "pipe %llu", (unsigned long long)fd->ino);
	else if ((fd->mode & S_IFMT) == S_IFSOCK)
		snprintf(out, size, "socket %llu (family %u)", (unsigned long long)fd->ino,
			 fd->family);
	else
		link_name(pid, fd, out, size);
}
