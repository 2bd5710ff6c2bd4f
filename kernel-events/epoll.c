/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Decodes epoll's events; and finds registrations that were made before attach, from
 * /proc/PID/fdinfo and the kernel's list of open files.
 */
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "abi.h"
#include "base/clock.h"
#include "dwell.skel.h"
#include "kernel-events/epoll.h"
#include "kernel-events/fd.h"
#include "kernel-events/source.h"

/*
 * Count what programs send, once the target has a socket for which that is needed. On a kernel
 * that does not tell (before 6.3), whose turn it is on such a socket is not known.
 */
static void count_sends(struct source_ctx *ctx, const struct raw_fd *fd)
{
	if (ctx->counts_sends || !fd_talks(fd))
		return;
	ctx->counts_sends = true;
	ctx->skel->links.sock_sent =
		bpf_program__attach_raw_tracepoint(ctx->skel->progs.sock_sent, "sock_send_length");
	if (ctx->skel->links.sock_sent)
		ctx->skel->bss->sends_counted = 1;
}

static int fd_event(struct source_ctx *ctx, const struct raw_fd *fd, struct trace_event *ev)
{
	int err;

	ev->fd.token = fd->token;
	ev->fd.epfd = fd->epfd;
	ev->fd.fd = fd->fd;
	ev->fd.name = 0;
	ev->fd.role = TRACE_FD_OTHER;
	if (fd->hdr.type == RAW_FD_DEL) {
		ev->type = TRACE_FD_DEL;
		return 1;
	}
	ev->type = TRACE_FD_ADD;
	count_sends(ctx, fd);
	err = source_fd_name(ctx, fd, &ev->fd.name);
	ev->fd.role = fd_role(&ctx->listeners, fd);
	return err;
}

static int epoll_decode(struct source_ctx *ctx, const struct raw_hdr *raw, struct trace_event *ev)
{
	const struct raw_epoll_wait *wait = (const struct raw_epoll_wait *)raw;
	const struct raw_epoll_ready *ready = (const struct raw_epoll_ready *)raw;

	switch (raw->type) {
	case RAW_EPOLL_WAIT:
		ev->type = TRACE_EPOLL_WAIT;
		ev->epoll.nr = wait->nr;
		ev->epoll.epfd = wait->epfd;
		return 1;
	case RAW_EPOLL_READY:
		ev->type = TRACE_EPOLL_READY;
		ev->ready.token = ready->token;
		ev->ready.ready = ready->ready;
		ev->ready.reader = ready->reader;
		ev->ready.writer = ready->writer;
		ev->ready.events = ready->events;
		if (ready->turn & FD_TURN_KNOWN)
			ev->ready.events |= TRACE_READY_TURN;
		if (ready->turn & FD_TURN_SENT)
			ev->ready.events |= TRACE_READY_SENT;
		if (ready->turn & FD_TURN_FIRST)
			ev->ready.events |= TRACE_READY_FIRST;
		return 1;
	case RAW_FD_ADD:
	case RAW_FD_DEL:
		return fd_event(ctx, (const struct raw_fd *)raw, ev);
	}
	return 0;
}

/* ---- registrations made before attach ---- */

struct open_files {
	struct raw_fd	*fds;
	size_t		 nr, room;
};

static int collect_file(void *arg, const void *record)
{
	struct open_files *files = arg;
	struct raw_fd *grown;

	if (files->nr == files->room) {
		files->room = files->room ? files->room * 2 : 64;
		grown = realloc(files->fds, files->room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		files->fds = grown;
	}
	memcpy(&files->fds[files->nr++], record, sizeof(struct raw_fd));
	return 0;
}

static int by_fd(const void *a, const void *b)
{
	const struct raw_fd *x = a, *y = b;

	return x->fd < y->fd ? -1 : x->fd > y->fd;
}

static struct raw_fd *find_file(struct open_files *files, int fd)
{
	const struct raw_fd key = { .fd = fd };

	return files->nr ? bsearch(&key, files->fds, files->nr, sizeof(key), by_fd) : NULL;
}

/*
 * Like fd_remember() in the kernel; skips descriptors that the kernel side has seen since. */
static void remember(struct source_ctx *ctx, const struct raw_fd *fd, bool connected)
{
	int tokens = bpf_map__fd(ctx->skel->maps.tokens);
	int socks = bpf_map__fd(ctx->skel->maps.socks);
	int fds = bpf_map__fd(ctx->skel->maps.fds);
	struct fd_state state = { .token = fd->token, .sk = fd->sk, .known = 1,
				  .written = fd->written, .seen = 1, .epfd = fd->epfd,
				  .tcp = fd->last != FD_LAST_UNKNOWN,
				  .counts = fd_talks(fd) ? FD_COUNTS_SOON : FD_COUNTS_NOT };
	uint32_t index = fd->fd;

	if (fd->fd < 0 || fd->fd >= MAX_FDS)
		return;
	if (bpf_map_update_elem(tokens, &fd->token, &index, BPF_NOEXIST))
		return;
	/* any other number than it has now: the next data come after something was sent */
	if (fd->last == FD_LAST_SENT || (fd->last == FD_LAST_BOTH && !connected))
		state.written--;
	bpf_map_update_elem(fds, &index, &state, BPF_ANY);
	if (fd->sk) {
		uint32_t bit = SOCK_FILTER_BIT(fd->sk);

		bpf_map_update_elem(socks, &fd->sk, &index, BPF_NOEXIST);
		__atomic_fetch_or(&ctx->skel->bss->sock_filter[bit / 64], 1ull << bit % 64,
				  __ATOMIC_RELAXED);
	}
}

static int registrations(struct source_ctx *ctx, struct open_files *files, int epfd)
{
	struct trace_event ev;
	char path[64], line[256];
	struct raw_fd *fd;
	unsigned long long token;
	unsigned int events;
	int tfd, err = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", ctx->pid, epfd);
	f = fopen(path, "re");
	if (!f)
		return 0;	/* closed in the meantime */
	while (!err && fgets(line, sizeof(line), f)) {
		/* fs/eventpoll.c, ep_show_fdinfo() */
		if (sscanf(line, "tfd: %d events: %x data: %llx", &tfd, &events, &token) != 3)
			continue;
		fd = find_file(files, tfd);
		if (!fd)
			continue;
		fd->token = token;
		fd->epfd = epfd;
		fd->events = events;
		fd->hdr.type = RAW_FD_ADD;
		remember(ctx, fd, fd_role(&ctx->listeners, fd) == TRACE_FD_CONNECTED);
		memset(&ev, 0, sizeof(ev));
		ev.ts = ctx->attach_ts;
		err = fd_event(ctx, fd, &ev);
		if (err > 0)
			err = trace_writer__event(ctx->trace, &ev);
	}
	fclose(f);
	return err;
}

static int epoll_start(struct source_ctx *ctx)
{
	struct open_files files = {};
	char path[64], link[64], target[64];
	struct dirent *d;
	ssize_t n;
	DIR *dir;
	int err;

	err = source_iterate(ctx->skel->progs.fd_snapshot, ctx->pid, sizeof(struct raw_fd),
			     collect_file, &files);
	if (files.nr)
		qsort(files.fds, files.nr, sizeof(*files.fds), by_fd);
	for (size_t i = 0; i < files.nr && !err; i++)
		err = listeners__add(&ctx->listeners, &files.fds[i]);
	if (err)
		goto out;
	snprintf(path, sizeof(path), "/proc/%d/fd", ctx->pid);
	dir = opendir(path);
	if (!dir)
		goto out;	/* the target has ended; the recorder will notice */
	while (!err && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(link, sizeof(link), "/proc/%d/fd/%.16s", ctx->pid, d->d_name);
		n = readlink(link, target, sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		if (!strcmp(target, "anon_inode:[eventpoll]"))
			err = registrations(ctx, &files, atoi(d->d_name));
	}
	closedir(dir);
out:
	free(files.fds);
	return err;
}

/* ---- the end ---- */

/* Tell whether the program has sent something over @fd since data came last. */
static int tell_turn(struct source_ctx *ctx, const struct raw_fd *fd)
{
	struct trace_event ev = { .ts = clock__now(), .type = TRACE_FD_TURN };
	struct fd_state state;
	uint32_t index = fd->fd;

	if (fd->fd < 0 || fd->fd >= MAX_FDS || (fd->last == FD_LAST_UNKNOWN && !fd_talks(fd)) ||
	    bpf_map_lookup_elem(bpf_map__fd(ctx->skel->maps.fds), &index, &state) ||
	    !state.known || state.sk != fd->sk || (!state.tcp && state.counts != FD_COUNTS))
		return 0;
	ev.fd.token = state.token;
	ev.fd.epfd = -1;
	ev.fd.fd = fd->fd;
	ev.fd.sent = state.written != (state.tcp ? fd->written : state.sends);
	ev.fd.seen = state.seen;
	ev.fd.came = state.came;
	return trace_writer__event(ctx->trace, &ev);
}

/* For waits that are still open. */
static int epoll_stop(struct source_ctx *ctx)
{
	struct open_files files = {};
	int err = source_iterate(ctx->skel->progs.fd_snapshot, ctx->pid, sizeof(struct raw_fd),
				 collect_file, &files);

	for (size_t i = 0; i < files.nr && !err; i++)
		err = tell_turn(ctx, &files.fds[i]);
	free(files.fds);
	return err;
}

static const struct source_event events[] = {
	{ RAW_EPOLL_WAIT, sizeof(struct raw_epoll_wait) },
	{ RAW_EPOLL_READY, sizeof(struct raw_epoll_ready) },
	{ RAW_FD_ADD, 0 },
	{ RAW_FD_DEL, 0 },
	{}
};

static const struct source_loss losses[] = {
	{
		LOSS_FD_RANGE, "fd number too high",
		"descriptors from 65536 on are not followed: waits on them have no name",
	},
	{
		LOSS_FD_MAP, "fd table full",
		"more descriptors than are followed: waits on some of them have no name",
	},
	{
		LOSS_EPOLL_EVENTS, "epoll events not read",
		"epoll_wait returned more than 1024 events at once, or its buffer was not in memory: "
		"the waits that these ended are not split",
	},
	{}
};

const struct kernel_source source_epoll = {
	.name	= "epoll",
	.events	= events,
	.losses	= losses,
	.start	= epoll_start,
	.stop	= epoll_stop,
	.decode	= epoll_decode,
};
