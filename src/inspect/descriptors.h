/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The descriptors that a process has registered with epoll, and what the kernel has for
 * them: sockets' states and queues, the process behind a pidfd. From /proc and sock_diag.
 */
#ifndef DWELL_INSPECT_DESCRIPTORS_H
#define DWELL_INSPECT_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum descriptor_kind {
	DESCRIPTOR_OTHER	= 0,
	DESCRIPTOR_SOCKET	= 1,
	DESCRIPTOR_PIDFD	= 2,
};

/* States of TCP: the kernel's include/net/tcp_states.h. */
enum descriptor_tcp_state {
	DESCRIPTOR_TCP_ESTABLISHED = 1, DESCRIPTOR_TCP_SYN_SENT, DESCRIPTOR_TCP_SYN_RECV,
	DESCRIPTOR_TCP_FIN_WAIT1, DESCRIPTOR_TCP_FIN_WAIT2, DESCRIPTOR_TCP_TIME_WAIT,
	DESCRIPTOR_TCP_CLOSE, DESCRIPTOR_TCP_CLOSE_WAIT, DESCRIPTOR_TCP_LAST_ACK,
	DESCRIPTOR_TCP_LISTEN, DESCRIPTOR_TCP_CLOSING,
};

/* A TCP socket, as the kernel's struct inet_diag_msg and struct tcp_info tell. */
struct descriptor_tcp {
	uint8_t		state;		/* enum descriptor_tcp_state; 0: it is none, or not known */
	char		local[56], peer[56];	/* "127.0.0.1:80" */
	uint32_t	limit;		/* of a listener: connections that may wait */
	uint32_t	to_send;	/* bytes that were written and are not acknowledged */
	bool		info_known;	/* the rest */
	uint32_t	unsent;		/* … of these, bytes that have not been sent once */
	uint32_t	in_flight;	/* segments that were sent and are not acknowledged */
	uint32_t	window;		/* bytes that the peer has room for */
	uint32_t	mss;		/* bytes of the largest segment */
	uint32_t	retransmits;	/* of what is in flight */
};

struct descriptor {
	int			fd;
	int			epfd;	/* of the epoll instance */
	uint64_t		token;	/* that it is registered with */
	enum descriptor_kind	kind;
	uint64_t		ino;	/* of a socket */
	pid_t			pid;	/* of a pidfd; 0: not known, or it has ended */
	/* of a socket, if queues_known: bytes (of a listener: connections) to be taken */
	bool			queues_known;
	uint32_t		to_read;
	struct descriptor_tcp	tcp;
};

/*
 * The descriptors in the epoll instances of @pid: *@nr in *@out, which the caller frees. 0 or
 * negative errno.
 */
int descriptors__list(pid_t pid, struct descriptor **out, size_t *nr);

/* Ask the kernel for the queues of the sockets among them; what it does not tell is left. */
void descriptors__ask(pid_t pid, struct descriptor *list, size_t nr);
/* The same for established TCP connections alone, which is quicker. */
void descriptors__ask_tcp(pid_t pid, struct descriptor *list, size_t nr);
/* "established", "connecting", …: a state of TCP in words. */
const char *descriptor__tcp_state(uint8_t state);

/*
 * The number in a link such as "pipe:[1234]" of descriptor @fd of @pid, if it begins with
 * @kind ("pipe:["); 0: it does not.
 */
uint64_t descriptor__ino(pid_t pid, int fd, const char *kind);

/* Is descriptor @fd of @pid open for @mode only: O_RDONLY, as the end of a pipe is that is read? */
bool descriptor__opened_for(pid_t pid, int fd, unsigned int mode);

#endif /* DWELL_INSPECT_DESCRIPTORS_H */
