/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets: the moment at which data, or a connection to accept, is there to
 * be read. Not an event of its own: it is kept with the descriptor and goes
 * out with the epoll_wait that returns it.
 */
#include "fd.bpf.h"

SEC("?tp_btf/sk_data_ready")
int BPF_PROG(sk_data_ready, struct sock *sk)
{
	__u64 key = (__u64)sk;
	__u32 *fd = bpf_map_lookup_elem(&socks, &key);
	struct fd_state *s;

	if (!fd)
		return 0;
	s = bpf_map_lookup_elem(&fds, fd);
	if (s && !s->ready)
		s->ready = bpf_ktime_get_ns();
	return 0;
}
