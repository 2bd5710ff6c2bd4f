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
		fd_note_turn(s, (const void *)key, s->ready);
	}
	return 0;
}

/*
 * Somebody has sent something over a socket. Attached by the recorder once the target has a
 * socket whose sends have to be counted, and sets sends_counted: see enum fd_counts.
 */
SEC("raw_tp/sock_send_length")
int sock_sent(__u64 *args)
{
	__u64 key = args[0];
	struct fd_state *s;
	__u32 *fd;

	if ((int)args[1] <= 0 || sock_filtered(key))
		return 0;
	fd = bpf_map_lookup_elem(&socks, &key);
	s = fd ? bpf_map_lookup_elem(&fds, fd) : NULL;
	if (s && s->counts)
		__sync_fetch_and_add(&s->sends, 1);
	return 0;
}
