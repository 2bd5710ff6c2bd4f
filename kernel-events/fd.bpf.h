/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The descriptors that the target has in epoll: the token of each, what the kernel
 * knows of it, and since when it is ready. Written by the epoll source, updated by the
 * socket source.
 */
#ifndef DWELL_FD_BPF_H
#define DWELL_FD_BPF_H

#include "maps.bpf.h"

#include "kernel-events/fd.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MAX_FDS);
	__type(key, __u32);
	__type(value, struct fd_state);
} fds SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_FDS);
	__type(key, __u64);
	__type(value, __u32);
} tokens SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_FDS);
	__type(key, __u64);
	__type(value, __u32);
} socks SEC(".maps") __weak;

/*
 * Where the target listens. The events of a listener and of its first connection may be
 * in the ring buffers of two CPUs and be read in the wrong order; then the recorder
 * looks here.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, struct raw_listener);
	__type(value, __u8);
} listening SEC(".maps") __weak;

/*
 * A Bloom filter of the sockets in socks: one bit for each hash of a socket's address.
 * Most sockets of a machine are not the target's, and are rejected quickly.
 */
__u64 sock_filter[SOCK_FILTER_BITS / 64] __weak;

/* Set by the recorder: sends are counted from now on. See sock_sent in socket.bpf.c. */
__u32 sends_counted __weak;

static __always_inline bool sock_filtered(__u64 sk)
{
	__u32 bit = SOCK_FILTER_BIT(sk);

	return !(sock_filter[bit / 64 % (SOCK_FILTER_BITS / 64)] & 1ull << bit % 64);
}

#define S_IFMT		0170000
#define S_IFSOCK	0140000
#define S_IFREG		0100000
#define SOCK_STREAM	1
#define SOCK_DGRAM	2
#define TCP_LISTEN	10
#define IPPROTO_TCP	6
#define AF_UNIX		1
#define AF_INET		2
#define AF_INET6	10

/* The recorder's pid namespace (its address, 0: not known), and its level. */
extern __u64 own_pid_ns;
extern __u32 own_pid_level;

#define PIDTYPE_TGID	1

/* The process @pid: its id in the recorder's namespace, and its name. */
static __always_inline void fd_describe_peer(struct raw_fd *fd, struct pid *pid)
{
	__u32 links = bpf_core_field_offset(struct task_struct, pid_links) +
		      PIDTYPE_TGID * bpf_core_type_size(struct hlist_node);
	struct upid *number = (void *)((__u64)pid + bpf_core_field_offset(struct pid, numbers) +
				       own_pid_level * bpf_core_type_size(struct upid));
	struct hlist_node *first;

	if (BPF_CORE_READ(pid, level) >= own_pid_level &&
	    (__u64)BPF_CORE_READ(number, ns) == own_pid_ns)
		fd->peer_pid = BPF_CORE_READ(number, nr);
	first = BPF_CORE_READ(pid, tasks[PIDTYPE_TGID].first);
	if (first)
		BPF_CORE_READ_STR_INTO(&fd->peer_comm,
				       (struct task_struct *)((__u64)first - links), comm);
}

static __always_inline void fd_describe_unix(struct raw_fd *fd, struct unix_sock *u)
{
	struct unix_sock *peer = (struct unix_sock *)BPF_CORE_READ(u, peer);
	struct unix_address *addr = BPF_CORE_READ(u, addr), *theirs;
	struct pid *pid;
	int len;

	if (addr)
		fd->unix_ends |= FD_UNIX_NAMED;
	if (peer) {
		theirs = BPF_CORE_READ(peer, addr);
		fd->unix_ends |= theirs ? FD_UNIX_PEER | FD_UNIX_PEER_NAMED : FD_UNIX_PEER;
		if (!addr)
			addr = theirs;
		fd->peer_ino = BPF_CORE_READ(&peer->sk, sk_socket, file, f_inode, i_ino);
		pid = BPF_CORE_READ(&u->sk, sk_peer_pid);
		if (pid)
			fd_describe_peer(fd, pid);
	}
	if (!addr)
		return;
	len = BPF_CORE_READ(addr, len) - 2;
	if (len > 0 && len <= RAW_UNIX_PATH) {
		fd->unix_len = len;
		bpf_core_read(fd->unix_path, sizeof(fd->unix_path), &addr->name[0].sun_path);
	}
}

/* Store the addresses of socket @sk, as the kernel has them now; /proc would be racy. */
static __always_inline void fd_describe_sock(struct raw_fd *fd, struct sock *sk)
{
	__be16 dport;

	fd->sk = (__u64)sk;
	fd->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	fd->sk_type = BPF_CORE_READ(sk, sk_type);
	fd->protocol = BPF_CORE_READ(sk, sk_protocol);
	fd->sk_state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (fd->family == AF_INET) {
		__be32 a = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
		__be32 b = BPF_CORE_READ(sk, __sk_common.skc_daddr);

		__builtin_memset(fd->local, 0, sizeof(fd->local));
		__builtin_memset(fd->remote, 0, sizeof(fd->remote));
		__builtin_memcpy(fd->local, &a, 4);
		__builtin_memcpy(fd->remote, &b, 4);
	} else if (fd->family == AF_INET6) {
		/* a kernel without IPv6 has neither the field nor such sockets */
		if (bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)) {
			BPF_CORE_READ_INTO(&fd->local, sk, __sk_common.skc_v6_rcv_saddr);
			BPF_CORE_READ_INTO(&fd->remote, sk, __sk_common.skc_v6_daddr);
		}
	} else if (fd->family == AF_UNIX) {
		fd_describe_unix(fd, (struct unix_sock *)sk);
		return;
	} else {
		return;
	}
	if (fd->protocol == IPPROTO_TCP && fd->sk_state != TCP_LISTEN) {
		const struct tcp_sock *tp = (const struct tcp_sock *)sk;
		__s32 after;

		fd->written = BPF_CORE_READ(tp, write_seq);
		after = BPF_CORE_READ(tp, lsndtime) -
			BPF_CORE_READ((const struct inet_connection_sock *)sk, icsk_ack.lrcvtime);
		fd->last = after > 0 ? FD_LAST_SENT : after < 0 ? FD_LAST_RECEIVED : FD_LAST_BOTH;
	}
	fd->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	dport = BPF_CORE_READ(sk, __sk_common.skc_dport);
	fd->remote_port = __builtin_bswap16(dport);
}

/*
 * @p as a number, through memory: to the verifier, some pointers into the kernel are not, and a
 * global function takes no other ones.
 */
static __always_inline __u64 kernel_address(const void *p)
{
	__u64 out = 0;

	bpf_probe_read_kernel(&out, sizeof(out), &p);
	return out;
}

/* Fill in what the struct file at @at is. */
GLOBAL_FN int fd_describe(struct raw_fd *fd, __u64 at)
{
	struct file *file = (struct file *)at;

	if (!fd)
		return 0;
	fd->mode = BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT;
	fd->ino = BPF_CORE_READ(file, f_inode, i_ino);
	fd->sk = 0;
	fd->family = 0;
	fd->sk_type = 0;
	fd->sk_state = 0;
	fd->local_port = 0;
	fd->remote_port = 0;
	fd->unix_len = 0;
	fd->unix_ends = 0;
	fd->peer_ino = 0;
	fd->peer_pid = 0;
	fd->peer_comm[0] = '\0';
	fd->opened = BPF_CORE_READ(file, f_mode) & (FD_OPENED_READ | FD_OPENED_WRITE);
	fd->last = FD_LAST_UNKNOWN;
	if (fd->mode == S_IFSOCK) {
		struct socket *socket = (struct socket *)BPF_CORE_READ(file, private_data);
		struct sock *sk = BPF_CORE_READ(socket, sk);

		if (sk)
			fd_describe_sock(fd, sk);
	}
	return 0;
}

/*
 * Remember @fd if it listens. If the map is full, the listener's connections are named
 * by their ports.
 */
static __always_inline void fd_listens(const struct raw_fd *fd)
{
	struct raw_listener l = { .family = fd->family, .port = fd->local_port };
	__u8 there = 1;

	if (!fd->sk || fd->sk_type != SOCK_STREAM || fd->sk_state != TCP_LISTEN ||
	    fd->family == AF_UNIX)
		return;
	__builtin_memcpy(l.local, fd->local, sizeof(l.local));
	bpf_map_update_elem(&listening, &l, &there, BPF_ANY);
}

GLOBAL_FN int fd_forget(__u32 fd)
{
	struct fd_state *s = bpf_map_lookup_elem(&fds, &fd);
	__u32 *idx;

	if (!s)
		return 0;
	if (s->known) {
		idx = bpf_map_lookup_elem(&tokens, &s->token);
		if (idx && *idx == fd)
			bpf_map_delete_elem(&tokens, &s->token);
	}
	if (s->sk) {
		idx = bpf_map_lookup_elem(&socks, &s->sk);
		if (idx && *idx == fd)
			bpf_map_delete_elem(&socks, &s->sk);
	}
	s->token = 0;
	s->sk = 0;
	s->ready = 0;
	s->known = 0;
	s->tcp = 0;
	s->turn = 0;
	s->counts = FD_COUNTS_NOT;
	return 0;
}

/* How the sends over @fd are counted from now on. */
static __always_inline __u8 fd_counts(const struct raw_fd *fd)
{
	bool unix_peer = fd->family == AF_UNIX && fd->unix_ends & FD_UNIX_PEER;
	bool udp_peer = (fd->family == AF_INET || fd->family == AF_INET6) &&
			fd->sk_type == SOCK_DGRAM && fd->remote_port;

	if (!fd->sk || (!unix_peer && !udp_peer))
		return FD_COUNTS_NOT;
	return sends_counted ? FD_COUNTS : FD_COUNTS_SOON;
}

static __always_inline void fd_remember(__u32 fd, const struct raw_fd *raw)
{
	__u64 token = raw->token, sk = raw->sk;
	struct fd_state *s = bpf_map_lookup_elem(&fds, &fd);

	if (!s) {
		count_loss(LOSS_FD_RANGE);
		return;
	}
	fd_forget(fd);
	if (bpf_map_update_elem(&tokens, &token, &fd, BPF_ANY) ||
	    (sk && bpf_map_update_elem(&socks, &sk, &fd, BPF_ANY))) {
		count_loss(LOSS_FD_MAP);
		return;
	}
	if (sk) {
		__u32 bit = SOCK_FILTER_BIT(sk);

		__sync_fetch_and_or(&sock_filter[bit / 64 % (SOCK_FILTER_BITS / 64)],
				    1ull << bit % 64);
	}
	s->token = token;
	s->epfd = raw->epfd;
	s->sk = sk;
	s->ready = 0;
	s->known = 1;
	s->written = raw->written;
	s->tcp = raw->last != FD_LAST_UNKNOWN;
	s->counts = s->tcp ? FD_COUNTS_NOT : fd_counts(raw);
	s->sends = s->written;
	s->came = 0;
	s->seen = 0;
	s->turn = 0;
}

/*
 * Data has come over socket @sk of @s: has the program sent anything since before, if that is
 * known?
 */
static __always_inline void fd_note_turn(struct fd_state *s, const void *sk, __u64 now)
{
	__u32 written = s->sends;

	if (s->tcp) {
		written = BPF_CORE_READ((const struct tcp_sock *)sk, write_seq);
	} else if (s->counts != FD_COUNTS) {
		if (!s->counts || !sends_counted)
			return;
		s->counts = FD_COUNTS;	/* of this time it is not known */
		s->turn = 0;
		s->written = written;
		s->came = now;
		s->seen = 1;
		return;
	}
	s->turn = FD_TURN_KNOWN | (written != s->written ? FD_TURN_SENT : 0) |
		  (s->seen ? 0 : FD_TURN_FIRST);
	s->written = written;
	s->came = now;
	s->seen = 1;
}

#endif /* DWELL_FD_BPF_H */
