/* SPDX-License-Identifier: GPL-2.0 */
/*
 * epoll's events between kernel and recorder, defined once for both. The events of its
 * descriptors are in fd.h.
 */
#ifndef DWELL_EPOLL_EVENTS_H
#define DWELL_EPOLL_EVENTS_H

#include "abi.h"

#define MAX_EPOLL_EVENTS	1024	/* handled of one return of epoll_wait */

struct raw_epoll_wait {
	struct raw_hdr	hdr;
	__s32		nr;
	__s32		epfd;
};

struct raw_epoll_ready {
	struct raw_hdr	hdr;
	__u64		token;
	__u64		ready;
	__u64		reader;
	__u64		writer;
	__u32		events;
	__u32		turn;	/* enum fd_turn */
};

#ifndef __bpf__
_Static_assert(sizeof(struct raw_epoll_wait) == 24, "raw_epoll_wait");
_Static_assert(sizeof(struct raw_epoll_wait) <= BATCH_EVENT_MAX, "batch");
_Static_assert(sizeof(struct raw_epoll_ready) == 56, "raw_epoll_ready");
_Static_assert(sizeof(struct raw_epoll_ready) <= BATCH_EVENT_MAX, "batch");
#endif

#endif /* DWELL_EPOLL_EVENTS_H */
