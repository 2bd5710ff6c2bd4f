/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of kernel sources, look-ups in it, and a function to run a BPF iterator,
 * which several sources need.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel-events/source.h"

extern const struct kernel_source source_sched;
extern const struct kernel_source source_process;
extern const struct kernel_source source_epoll;
extern const struct kernel_source source_socket;
extern const struct kernel_source source_io_uring;
extern const struct kernel_source source_file;

const struct kernel_source *const kernel_sources[] = {
	&source_sched,
	&source_process,
	&source_epoll,
	&source_socket,
	&source_io_uring,
	&source_file,
	NULL,
};

void source_types__fill(struct source_types *types)
{
	*types = (struct source_types){};
	for (const struct kernel_source *const *s = kernel_sources; *s; s++) {
		for (const struct source_event *e = (*s)->events; e && e->type; e++) {
			types->source[e->type] = *s;
			types->batched[e->type] = e->batched;
		}
	}
}

const struct source_loss *source_loss(enum raw_loss cause)
{
	for (const struct kernel_source *const *s = kernel_sources; *s; s++)
		for (const struct source_loss *l = (*s)->losses; l && l->name; l++)
			if (l->cause == cause)
				return l;
	return NULL;
}

int source_iterate(struct bpf_program *prog, pid_t pid, size_t size,
		   int (*each)(void *arg, const void *record), void *arg)
{
	union bpf_iter_link_info info = {};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts);
	struct bpf_link *link;
	char buf[16384];
	size_t have = 0, at;
	int fd = -1, err = 0;
	ssize_t n;

	info.task.pid = pid;
	opts.link_info = &info;
	opts.link_info_len = sizeof(info);
	link = bpf_program__attach_iter(prog, &opts);
	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0) {
		err = -errno;
		goto out;
	}
	for (;;) {
		n = read(fd, buf + have, sizeof(buf) - have);
		if (n < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			err = -errno;
			break;
		}
		if (!n)
			break;
		have += n;
		for (at = 0; have - at >= size && !err; at += size)
			err = each(arg, buf + at);
		if (err)
			break;
		memmove(buf, buf + at, have - at);
		have -= at;
	}
	close(fd);
out:
	bpf_link__destroy(link);
	return err;
}
