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

#include "kernel-events/fd_watches.h"

#define LISTENERS_MAX	1024	/* connections of further ones are named by their ports */
#define SIGNALS_NAMED	8	/* of a signalfd */
#define COMM		16
#define PROCESS		64	/* bytes of "name (pid N) and N more" */

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

static void inet_name(const struct fd_namer *n, const struct raw_fd *fd, char *out, size_t size)
{
	const char *proto = fd->sk_type == SOCK_DGRAM ? "udp" : "tcp", *state = "";
	bool remote = fd->remote_port, stream = fd->sk_type == SOCK_STREAM;
	const struct raw_fd *listener = stream && remote ? listeners__of(n->listeners, fd) :
							 NULL;
	const char *server = "";
	char text[INET6_ADDRSTRLEN + 2];

	if (listener) {
		accepted_name(fd, listener, out, size);
		return;
	}
	if (!remote)
		state = !stream			     ? "bound " :
			fd->sk_state == TCP_LISTEN ? "listen " : "not connected ";
	print_address(fd, remote ? fd->remote : fd->local, true, text);
	if (stream && remote && n->servers)
		server = fd_servers__of(n->servers, n->holders, n->pid, fd);
	snprintf(out, size, *server ? "%s %s%s:%u (%s)" : "%s %s%s:%u", proto, state, text,
		 remote ? fd->remote_port : fd->local_port, server);
}

/* ---- other processes ---- */

/* "sh (pid 12)"; the process itself is "this process". */
static void print_process(const struct fd_namer *n, pid_t pid, const char *comm, char out[PROCESS])
{
	if (pid == n->pid)
		snprintf(out, PROCESS, "this process");
	else if (pid)
		snprintf(out, PROCESS, "%s (pid %d)", *comm ? comm : "a process", pid);
	else
		snprintf(out, PROCESS, "%s", *comm ? comm : "");
}

/* Who has @end, in words, by /proc. False: not known. */
static bool print_holder(const struct fd_namer *n, const struct fd_end *end, char out[PROCESS])
{
	char comm[COMM] = "";
	unsigned int others;
	pid_t pid = end->ino && n->holders ? fd_holders__of(n->holders, n->pid, end, &others) : 0;
	size_t len;

	if (!pid)
		return false;
	if (pid != n->pid)
		fd_holder__comm(pid, comm);
	print_process(n, pid, comm, out);
	len = strlen(out);
	if (others)
		snprintf(out + len, PROCESS - len, " and %u more", others);
	return true;
}

/* ---- conversations ---- */

bool fd_talks(const struct raw_fd *fd)
{
	if (fd->family == AF_UNIX)
		return fd->unix_ends & FD_UNIX_PEER;
	return is_inet(fd) && fd->sk_type == SOCK_DGRAM && fd->remote_port;
}

enum trace_fd_role fd_role(const struct listeners *l, const struct raw_fd *fd)
{
	if (is_inet(fd)) {
		if (fd->sk_type != SOCK_STREAM)
			return fd_talks(fd) ? TRACE_FD_CONNECTED : TRACE_FD_OTHER;
		if (fd->sk_state == TCP_LISTEN)
			return TRACE_FD_LISTENS;
		return listeners__of(l, fd) ? TRACE_FD_ACCEPTED : TRACE_FD_CONNECTED;
	}
	if (fd->family != AF_UNIX || (fd->sk_type != SOCK_STREAM && fd->sk_type != SOCK_SEQPACKET))
		return TRACE_FD_OTHER;
	if (fd->sk_state == TCP_LISTEN)
		return TRACE_FD_LISTENS;
	/* unix_stream_connect(): an accepted one has its listener's address; a client seldom any */
	switch (fd->unix_ends) {
	case FD_UNIX_PEER | FD_UNIX_NAMED:
		return TRACE_FD_ACCEPTED;
	case FD_UNIX_PEER | FD_UNIX_PEER_NAMED:
		return TRACE_FD_CONNECTED;
	default:
		return TRACE_FD_OTHER;
	}
}

/* ---- unix sockets ---- */

/* "pipe 81234, read end" */
static void numbered(const struct fd_namer *n, const char *what, const struct raw_fd *fd,
		     const char *end, char *out, size_t size)
{
	if (n->unnumbered)
		snprintf(out, size, "%s%s", what, end);
	else
		snprintf(out, size, "%s %llu%s", what, (unsigned long long)fd->ino, end);
}

static void pair_name(const struct fd_namer *n, const struct raw_fd *fd, char *out, size_t size)
{
	const struct fd_end end = { .ino = fd->peer_ino, .socket = 1 };
	char process[PROCESS];

	if (print_holder(n, &end, process))
		snprintf(out, size, "unix socketpair, other end: %s", process);
	else
		numbered(n, "unix socketpair", fd, "", out, size);
}

static void unix_name(const struct fd_namer *n, const struct raw_fd *fd, char *out, size_t size)
{
	int len = fd->unix_len < RAW_UNIX_PATH ? fd->unix_len : RAW_UNIX_PATH;
	bool abstract = len && !fd->unix_path[0];
	enum trace_fd_role role = fd_role(n->listeners, fd);
	char process[PROCESS] = "";
	const char *how = "";

	if (!len && fd->unix_ends == FD_UNIX_PEER) {
		pair_name(n, fd, out, size);
		return;
	}
	if (!len) {
		numbered(n, "unix socket", fd, "", out, size);
		return;
	}
	if (role == TRACE_FD_ACCEPTED) {
		print_process(n, n->many ? 0 : (pid_t)fd->peer_pid, fd->peer_comm, process);
		how = *process ? " → " : "→ ";
	} else if (role == TRACE_FD_LISTENS) {
		how = "listen ";
	} else if (fd->unix_ends == FD_UNIX_NAMED) {
		how = "bound ";
	}
	snprintf(out, size, "unix %s%s%s%.*s", process, how, abstract ? "@" : "",
		 len - abstract, fd->unix_path + abstract);
}

/* ---- what is no socket ---- */

/* The link /proc/PID/fd/N. False: the descriptor is not open any more. */
static bool read_link(pid_t pid, int fd, char *out, size_t size)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, fd);
	n = readlink(link, out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* The descriptor may be another's by now. */
static bool is_fifo(pid_t pid, int fd)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	return !stat(path, &st) && S_ISFIFO(st.st_mode);
}

/* A pipe, or a FIFO, which has a path. */
static void pipe_name(const struct fd_namer *n, const struct raw_fd *fd, char *out, size_t size)
{
	struct fd_end end = { .ino = fd->ino };
	char target[FD_NAME_MAX - 16], process[PROCESS];
	bool reads = fd->opened == FD_OPENED_READ, writes = fd->opened == FD_OPENED_WRITE;

	if (read_link(n->pid, fd->fd, target, sizeof(target)) && *target == '/' &&
	    is_fifo(n->pid, fd->fd)) {
		snprintf(out, size, "fifo %s", target);
		return;
	}
	end.opened = reads ? FD_OPENED_WRITE : FD_OPENED_READ;
	if ((reads || writes) && print_holder(n, &end, process))
		snprintf(out, size, "pipe %s %s", reads ? "from" : "to", process);
	else
		numbered(n, "pipe", fd, reads ? ", read end" : writes ? ", write end" : "", out,
			 size);
}

/* The line of /proc/PID/fdinfo/N that begins with @word, behind that. False: there is none. */
static bool read_fdinfo(pid_t pid, int fd, const char *word, char *line, size_t size)
{
	size_t len = strlen(word);
	bool found = false;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	f = fopen(path, "re");
	while (f && !found && fgets(line, (int)size, f))
		found = !strncmp(line, word, len);
	if (f)
		fclose(f);
	if (found)
		memmove(line, line + len, strlen(line + len) + 1);
	return found;
}

/* fs/pidfs.c, pidfd_show_fdinfo(): -1 if it has ended, 0 if it is not visible from here */
static void pidfd_name(const struct fd_namer *n, int fd, char *out, size_t size)
{
	char line[256], comm[COMM], process[PROCESS];
	int pid = 0;

	if (read_fdinfo(n->pid, fd, "Pid:", line, sizeof(line)))
		pid = atoi(line);
	if (pid > 0) {
		fd_holder__comm(pid, comm);
		print_process(n, pid, comm, process);
		snprintf(out, size, "pidfd of %s", process);
	} else {
		snprintf(out, size, "pidfd%s", pid ? " of a process that has ended" : "");
	}
}

/* fs/signalfd.c, signalfd_show_fdinfo(): bit 0 is signal 1 */
static void signalfd_name(const struct fd_namer *n, int fd, char *out, size_t size)
{
	unsigned long long mask = 0;
	unsigned int named = 0;
	const char *name;
	char line[256];
	int len;

	if (read_fdinfo(n->pid, fd, "sigmask:", line, sizeof(line)))
		mask = strtoull(line, NULL, 16);
	len = snprintf(out, size, "signalfd%s", mask ? " of " : "");
	for (int sig = 1; sig <= 64 && len > 0 && (size_t)len < size; sig++) {
		if (!(mask >> (sig - 1) & 1))
			continue;
		if (named == SIGNALS_NAMED) {
			snprintf(out + len, size - (size_t)len, ", …");
			return;
		}
		name = sigabbrev_np(sig);
		len += name ? snprintf(out + len, size - (size_t)len, "%sSIG%s",
				       named ? ", " : "", name) :
			      snprintf(out + len, size - (size_t)len, "%ssignal %d",
				       named ? ", " : "", sig);
		named++;
	}
}

/* Files, devices, anonymous inodes: by the link, if the descriptor is still open. */
static void link_name(const struct fd_namer *n, const struct raw_fd *fd, char *out, size_t size)
{
	char target[FD_NAME_MAX - 16];
	const char *kind;
	int len;

	/* registered with io_uring: it need not be open as a descriptor */
	if (fd->fd < 0) {
		len = fd->unix_len < RAW_UNIX_PATH ? fd->unix_len : RAW_UNIX_PATH;
		if ((fd->mode & S_IFMT) == S_IFREG && len)
			snprintf(out, size, "file %.*s", len, fd->unix_path);
		else
			snprintf(out, size, "registered file, inode %llu",
				 (unsigned long long)fd->ino);
		return;
	}
	if (!read_link(n->pid, fd->fd, target, sizeof(target))) {
		snprintf(out, size, "fd %d (inode %llu)", fd->fd, (unsigned long long)fd->ino);
		return;
	}
	/* "anon_inode:[eventfd]", "anon_inode:inotify"; of a few kernels "pidfd:[1234]" */
	if (!strncmp(target, "pidfd:", 6))
		strcpy(target, "anon_inode:[pidfd]");
	if (strncmp(target, "anon_inode:", 11)) {
		snprintf(out, size, "file %s", target);
		return;
	}
	kind = target + 11 + (target[11] == '[');
	len = (int)strcspn(kind, "]");
	target[kind - target + len] = '\0';
	if (!strcmp(kind, "pidfd"))
		pidfd_name(n, fd->fd, out, size);
	else if (!strcmp(kind, "signalfd"))
		signalfd_name(n, fd->fd, out, size);
	else if (!strcmp(kind, "inotify"))
		fd_watches__name(n->pid, fd->fd, out, size);
	else
		snprintf(out, size, "%s", kind);
}

void fd_name(const struct fd_namer *n, const struct raw_fd *fd, char *out, size_t size)
{
	if (is_inet(fd))
		inet_name(n, fd, out, size);
	else if (fd->family == AF_UNIX)
		unix_name(n, fd, out, size);
	else if ((fd->mode & S_IFMT) == S_IFIFO)
		pipe_name(n, fd, out, size);
	else if ((fd->mode & S_IFMT) == S_IFSOCK)
		snprintf(out, size, "socket %llu (family %u)", (unsigned long long)fd->ino,
			 fd->family);
	else
		link_name(n, fd, out, size);
}
