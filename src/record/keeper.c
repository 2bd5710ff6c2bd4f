// SPDX-License-Identifier: GPL-2.0
/*
 * The process that holds the probes. See keeper.h.
 */
#include "record/keeper.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

struct keeper {
	pid_t	pid;
	int	socket;
};

/* A request of dwell's; the descriptors of the program and the file come with it. */
struct request {
	int32_t		pid;
	uint32_t	nr;
	uint64_t	words[2 * KEEPER_LINK_SITES];	/* the offsets, then the cookies */
};

static size_t request_size(const struct request *rq)
{
	return offsetof(struct request, words) + 2 * rq->nr * sizeof(rq->words[0]);
}

/* Space for a message with descriptors. */
union control {
	struct cmsghdr	head;
	char		room[CMSG_SPACE(2 * sizeof(int))];
};

static int send_fds(int socket, const void *data, size_t len, const int *fds, unsigned int nr)
{
	struct iovec iov = { (void *)(uintptr_t)data, len };
	union control c = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c,
			      .msg_controllen = CMSG_SPACE(nr * sizeof(int)) };
	ssize_t n;

	c.head.cmsg_level = SOL_SOCKET;
	c.head.cmsg_type = SCM_RIGHTS;
	c.head.cmsg_len = CMSG_LEN(nr * sizeof(int));
	memcpy(CMSG_DATA(&c.head), fds, nr * sizeof(int));
	do
		n = sendmsg(socket, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* ---- the child ---- */

/* Receives a request. 0; negative errno: there will be no more. */
static int receive(int socket, struct request *rq, int fds[2])
{
	struct iovec iov = { rq, sizeof(*rq) };
	union control c = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c,
			      .msg_controllen = sizeof(c) };
	ssize_t n;

	do
		n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n ? -errno : -ENODATA;
	if ((size_t)n < offsetof(struct request, words) || rq->nr > KEEPER_LINK_SITES ||
	    (size_t)n != request_size(rq) || c.head.cmsg_len != CMSG_LEN(2 * sizeof(int)))
		return -EPROTO;
	memcpy(fds, CMSG_DATA(&c.head), 2 * sizeof(int));
	return 0;
}

/*
 * Makes a socket pair and sends its second end through the pair itself. When the
 * process has closed both ends, nothing can reach what is queued in it.
 */
static int hoard__new(int hoard[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, hoard))
		return -errno;
	return send_fds(hoard[0], "", 1, &hoard[1], 1);
}

/*
 * Keeps @link as a descriptor that has been sent and not received. If this process is
 * killed, the descriptors that it has open are closed in its own context, with a fatal
 * signal pending, and then the kernel gives up removing a breakpoint. A descriptor in
 * flight is closed by the kernel's garbage collector for sockets instead, which has no
 * signals (net/unix/garbage.c; a work item since Linux 6.9, and in later releases of
 * 6.6).
 */
static int hoard_link(const int hoard[2], int link)
{
	int err = send_fds(hoard[0], "", 1, &link, 1);

	close(link);
	return err;
}

static int make_link(const int hoard[2], const struct request *rq, int prog, int file)
{
	char path[32];
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .uprobe_multi = {
			    .path = path,
			    .offsets = (const unsigned long *)rq->words,
			    .cookies = (const __u64 *)rq->words + rq->nr,
			    .cnt = rq->nr,
			    .pid = (__u32)rq->pid,
		    });
	int link;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	link = bpf_link_create(prog, 0, BPF_TRACE_UPROBE_MULTI, &opts);
	return link < 0 ? link : hoard_link(hoard, link);
}

__attribute__((noreturn))
static void keep(int socket)
{
	static struct request rq;
	int hoard[2], fds[2], err;
	sigset_t all;

	/* Ignore every signal that a terminal, a shell or a supervisor may send to dwell. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "dwell-keeper");
	/* Do not keep any of dwell's pipes, files or mounts open. */
	if (dup2(socket, STDERR_FILENO + 1) < 0)
		_exit(1);
	socket = STDERR_FILENO + 1;
	close_range(socket + 1, ~0u, 0);
	close_range(STDIN_FILENO, STDERR_FILENO, 0);
	if (chdir("/") || hoard__new(hoard))
		_exit(1);
	while (!receive(socket, &rq, fds)) {
		err = make_link(hoard, &rq, fds[0], fds[1]);
		close(fds[0]);
		close(fds[1]);
		if (send(socket, &err, sizeof(err), MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

/* ---- dwell's side ---- */

int keeper__start(struct keeper **out)
{
	struct keeper *k = calloc(1, sizeof(*k));
	int pair[2], err;

	*out = NULL;
	if (!k)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		err = -errno;
		goto fail;
	}
	k->pid = fork();
	if (!k->pid)
		keep(pair[1]);
	err = -errno;
	close(pair[1]);
	if (k->pid < 0) {
		close(pair[0]);
		goto fail;
	}
	k->socket = pair[0];
	*out = k;
	return 0;
fail:
	free(k);
	return err;
}

/* Attaches at most KEEPER_LINK_SITES. */
static int attach_some(struct keeper *k, struct request *rq, const int fds[2])
{
	ssize_t n;
	int err;

	err = send_fds(k->socket, rq, request_size(rq), fds, 2);
	if (err)
		return err == -ECONNRESET ? -EPIPE : err;
	do
		n = recv(k->socket, &err, sizeof(err), 0);
	while (n < 0 && errno == EINTR);
	return n == sizeof(err) ? err : -EPIPE;
}

int keeper__attach(struct keeper *k, int prog_fd, int file_fd, pid_t pid,
		   const uint64_t *offsets, const uint64_t *cookies, size_t nr)
{
	const int fds[2] = { prog_fd, file_fd };
	struct request *rq = calloc(1, sizeof(*rq));
	int err = 0;

	if (!rq)
		return -ENOMEM;
	rq->pid = pid;
	for (size_t at = 0; at < nr && !err; at += rq->nr) {
		rq->nr = nr - at < KEEPER_LINK_SITES ? (uint32_t)(nr - at) : KEEPER_LINK_SITES;
		memcpy(rq->words, offsets + at, rq->nr * sizeof(*offsets));
		memcpy(rq->words + rq->nr, cookies + at, rq->nr * sizeof(*cookies));
		err = attach_some(k, rq, fds);
	}
	free(rq);
	return err;
}

int keeper__fd(const struct keeper *k)
{
	return k->socket;
}

void keeper__end(struct keeper *k)
{
	/* Not only closed: a child that waits to become the target has a copy. */
	if (k)
		shutdown(k->socket, SHUT_RDWR);
}

void keeper__free(struct keeper *k)
{
	if (!k)
		return;
	keeper__end(k);
	close(k->socket);
	while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(k);
}
