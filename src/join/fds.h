/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What epoll tokens stand for: descriptors and their names over time.
 */
#ifndef DWELL_JOIN_FDS_H
#define DWELL_JOIN_FDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "join/part.h"

#define ANY_EPFD	(-1)

/* What is known of a descriptor's part in a conversation. */
struct fd_talk {
	uint8_t		role;		/* enum trace_fd_role */
	/* at the end of the recording: the program has sent since data came last */
	bool		sent_known, sent;
	bool		seen;		/* data has come at all, since it was registered */
};

struct fds {
	struct fd_entry	*entries;
	uint32_t	 nr, size;
	uint64_t	 added;		/* (token, epfd) pairs added in total */
	struct hash_key	 hash;
};

/* 0 or -ENOMEM. */
int fds__add(struct fds *f, uint64_t token, int32_t epfd, int32_t fd, uint32_t name,
	     uint8_t role);
/* The recording ends; @sent and @seen as in struct fd_talk, of all entries of @token and @fd. */
void fds__turn(struct fds *f, uint64_t token, int32_t fd, bool sent, bool seen);
/*
 * The descriptor was removed from epoll. Its entry keeps the name until the token is
 * reused, because the wait that the close ended is named by it.
 */
void fds__del(struct fds *f, uint64_t token, int32_t epfd);
/* How to name the descriptor; DETAIL_NONE if the token is not known. @epfd may be ANY_EPFD. */
struct detail fds__name(const struct fds *f, uint64_t token, int32_t epfd);
/* The same of its part in a conversation; role TRACE_FD_OTHER if the token is not known. */
struct fd_talk fds__talk(const struct fds *f, uint64_t token, int32_t epfd);
void fds__clear(struct fds *f);

#endif /* DWELL_JOIN_FDS_H */
