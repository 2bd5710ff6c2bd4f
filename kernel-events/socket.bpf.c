/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets: the moment at which data, or a connection to accept, is there to
 * be read. Not an event of its own: it is kept with the descriptor and goes
 * out with the epoll_wait that returns it.
 */
#include "fd.bpf.h"

/* A raw tracepoint, since it is the address that counts: to be hashed it must be a number. */
SEC("?raw_tp/sk_data_ready")
int sk_data_ready(__u64 *args)
{
	__u64 key = args[0];
	struct fd_state *s;
	__u32 *fd;

	if (sock_filtered(key))
		return 0;
	fd = bpf_map_lookup_elem(&socks, &key);
	if (!fd)
		return 0;
	s = bpf_map_lookup_elem(&fds, fd);
	if (s && !s->ready)
		s->ready = bpf_ktime_get_ns();
	return 0;
}
