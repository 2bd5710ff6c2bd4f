/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel knows of a descriptor, and the state of one. Defined once for both
 * sides: the recorder fills the same maps as the BPF programs.
 */
#ifndef DWELL_FD_EVENTS_H
#define DWELL_FD_EVENTS_H

#include "abi.h"

#define RAW_UNIX_PATH	108
#define MAX_FDS		65536	/* higher fds are not followed, and counted */

/*
 * The addresses of sockets are multiples of at least 64, so the bits in the middle of
 * the product are used to tell them apart.
 */
#define SOCK_FILTER_BITS	65536
#define SOCK_FILTER_BIT(sk)	((__u32)((__u64)(sk) * 0x9e3779b97f4a7c15ull >> 48))

/* A descriptor: sent with RAW_FD_ADD and RAW_FD_DEL, and by the task_file iterator. */
struct raw_fd {
	struct raw_hdr	hdr;
	__u64		token;
	__u64		sk;		/* kernel address of the socket; 0: not a socket */
	__u64		ino;
	__s32		epfd;
	__s32		fd;
	__u32		events;		/* the events that epoll waits for */
	__u16		mode;		/* the inode's mode (S_IFMT) */
	__u16		family;
	__u16		sk_type;	/* SOCK_STREAM … */
	__u16		protocol;
	__u16		local_port;	/* host order */
	__u16		remote_port;
	__u8		local[16];
	__u8		remote[16];
	__u8		unix_len;
	__u8		unix_ends;	/* enum fd_unix */
	__u8		sk_state;	/* TCP_LISTEN …, of unix sockets too */
	__u8		last;		/* enum fd_last */
	__u8		opened;		/* for what: enum fd_opened */
	__u8		pad[3];
	/*
	 * Of a unix socket: its own; if it has none, that of its peer. Of a file that is
	 * registered with io_uring: the last part of its path.
	 */
	char		unix_path[RAW_UNIX_PATH];
	__u32		written;	/* of a TCP connection: see struct fd_state */
	/*
	 * Of a unix socket with a peer. The process: of an accepted one, who has connected; of
	 * one that has connected, who listens; of a pair, who made it. peer_pid is its id for the
	 * recorder (0: not visible there); peer_comm is empty if it has ended.
	 */
	__u64		peer_ino;	/* inode of the other end; 0: it has none yet */
	__u32		peer_pid;
	char		peer_comm[16];
	__u8		pad2[4];
};

/* For what a file is open; a sum of these, the kernel's FMODE_READ and FMODE_WRITE. */
enum fd_opened {
	FD_OPENED_READ	= 1,
	FD_OPENED_WRITE	= 2,
};

/* What a unix socket has; a sum of these. */
enum fd_unix {
	FD_UNIX_NAMED		= 1,	/* an address of its own */
	FD_UNIX_PEER		= 2,	/* a peer */
	FD_UNIX_PEER_NAMED	= 4,	/* … that has an address */
};

/* What was last done over a TCP connection, as far as the kernel's clock (jiffies) tells. */
enum fd_last {
	FD_LAST_UNKNOWN		= 0,
	FD_LAST_SENT		= 1,
	FD_LAST_RECEIVED	= 2,
	FD_LAST_BOTH		= 3,	/* within one tick */
};

/*
 * An address that the target listens on: key of a map, to which a listener is added
 * before its first connection is accepted.
 */
struct raw_listener {
	__u16		family;
	__u16		port;		/* host order */
	__u8		local[16];
};

/* The state of a descriptor that is in epoll. */
struct fd_state {
	__u64	token;
	__u64	sk;
	/* when it became ready, since it was last returned or armed; 0: not ready */
	__u64	ready;
	__u64	known;		/* it is in epoll; needed because any token is valid, 0 too */
	/*
	 * Of a TCP connection (of others see enum fd_counts): when it last became ready (0: not
	 * since it was registered), and the sequence number behind what the program had written
	 * then. If that has changed when it becomes ready again, the program has sent something in
	 * between.
	 */
	__u64	came;
	__u32	written;
	__u8	tcp;		/* it is one */
	__u8	seen;		/* it has become ready since it was registered */
	__u8	turn;		/* enum fd_turn, of the last time that it became ready */
	__u8	counts;		/* enum fd_counts */
	__s32	epfd;		/* the epoll instance in which it was registered last */
	__u32	sends;		/* that were counted; in place of the sequence number */
};

/*
 * Other conversations have no sequence number: what the program sends over a unix socket that
 * has a peer, or a UDP socket that is connected, is counted.
 */
enum fd_counts {
	FD_COUNTS_NOT	= 0,
	FD_COUNTS	= 1,	/* since it was registered, or since data came before */
	FD_COUNTS_SOON	= 2,	/* something may have been missed: once data have come */
};

/* Whose turn it was when data came; a sum of these. */
enum fd_turn {
	FD_TURN_KNOWN	= 1,
	FD_TURN_SENT	= 2,	/* the program has sent something since data came before */
	FD_TURN_FIRST	= 4,	/* no data had come before, since it was registered */
};

#ifndef __bpf__
_Static_assert(sizeof(struct raw_fd) == 248, "raw_fd");
_Static_assert(sizeof(struct raw_listener) == 20, "raw_listener");
_Static_assert(sizeof(struct fd_state) == 56, "fd_state");
#endif

#endif /* DWELL_FD_EVENTS_H */
