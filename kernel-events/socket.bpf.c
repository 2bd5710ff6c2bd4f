/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The socket source: when data, or a connection to accept, became available. This is
 * not an event of its own: the time is stored with the descriptor and sent with the
 * epoll_wait that returns it.
 */
#include "fd.bpf.h"

/*
 * A raw tracepoint, because the socket's address has to be hashed: as a BTF pointer the
 * verifier would not allow arithmetic with it.
 */
SEC("raw_tp/sk_data_ready")
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
	if (s && !s->ready) {
		s->ready = bpf_ktime_get_ns();
		if (s->tcp)
			fd_note_turn(s, (const void *)key, s->ready);
	}
	return 0;
}
