/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel says of a descriptor, and what is kept of one. One definition
 * for both sides: the recorder fills the same maps as the programs.
 */
#ifndef DWELL_FD_EVENTS_H
#define DWELL_FD_EVENTS_H

#include "abi.h"

#define RAW_UNIX_PATH	108
#define MAX_FDS		65536	/* fds beyond are not followed, and counted */

/* Sockets are at multiples of 64 and more: the middle of the product tells them apart. */
#define SOCK_FILTER_BITS	65536
#define SOCK_FILTER_BIT(sk)	((__u32)((__u64)(sk) * 0x9e3779b97f4a7c15ull >> 48))

/* What the kernel says of an fd: RAW_FD_ADD, and the task_file iterator. */
struct raw_fd {
	struct raw_hdr	hdr;
	__u64		token;
	__u64		sk;		/* kernel address of the socket, 0: none */
	__u64		ino;
	__s32		epfd;
	__s32		fd;
	__u32		events;		/* asked for */
	__u16		mode;		/* of the inode: S_IFMT */
	__u16		family;
	__u16		sk_type;	/* SOCK_STREAM … */
	__u16		protocol;
	__u16		local_port;	/* host order */
	__u16		remote_port;
	__u8		local[16];
	__u8		remote[16];
	__u8		unix_len;
	__u8		unix_peer;	/* the path is the peer's */
	__u8		sk_state;	/* TCP_LISTEN … */
	__u8		pad[5];
	char		unix_path[RAW_UNIX_PATH];
	__u32		pad2;
};

/* Where the target listens: the key of a map, in which each is before its first connection. */
struct raw_listener {
	__u16		family;
	__u16		port;		/* host order */
	__u8		local[16];
};

/* A descriptor that is in epoll. */
struct fd_state {
	__u64	token;
	__u64	sk;
	__u64	ready;		/* first readiness since it was last returned or asked for */
	__u64	known;		/* it is in epoll: any token may be one, 0 too */
};

#ifndef __bpf__
_Static_assert(sizeof(struct raw_fd) == 216, "raw_fd");
_Static_assert(sizeof(struct raw_listener) == 20, "raw_listener");
_Static_assert(sizeof(struct fd_state) == 32, "fd_state");
#endif

#endif /* DWELL_FD_EVENTS_H */
