/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Readiness of sockets: tells whether this kernel reports the time. The time is sent
 * with epoll's events, so there is nothing to decode.
 */
#include <errno.h>

#include <bpf/libbpf.h>

#include "abi.h"
#include "dwell.skel.h"
#include "kernel-events/source.h"

static int socket_attach(struct dwell_bpf *skel, const char **note)
{
	struct bpf_program *prog = skel->progs.sk_data_ready;

	bpf_program__set_autoattach(skel->progs.sock_sent, false);	/* see epoll.c */
	skel->links.sk_data_ready = bpf_program__attach(prog);
	if (skel->links.sk_data_ready)
		return 0;
	if (errno != ENOENT)
		return -errno;
	bpf_program__set_autoattach(prog, false);
	*note = "this kernel has no sk_data_ready tracepoint (6.3 and later have it): when a "
		"socket became ready is known only if a worker slept for it";
	return 0;
}

const struct kernel_source source_socket = {
	.name		= "socket",
	.attach	= socket_attach,
};
