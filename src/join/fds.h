/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What epoll tokens stand for: descriptors and their names over time.
 */
#ifndef DWELL_JOIN_FDS_H
#define DWELL_JOIN_FDS_H

#include <stdint.h>

#include "base/hash.h"
#include "join/part.h"

#define ANY_EPFD	(-1)

struct fds {
	struct fd_entry	*entries;
	uint32_t	 nr, size;
	uint64_t	 added;		/* pairs of token and epfd ever */
	struct hash_key	 hash;
};

/* 0 or -ENOMEM. */
int fds__add(struct fds *f, uint64_t token, int32_t epfd, int32_t fd, uint32_t name);
/* It keeps its name until the token is used anew: a wait may be ended by the close. */
void fds__del(struct fds *f, uint64_t token, int32_t epfd);
/* How to name the descriptor; DETAIL_NONE if the token is not known. */
struct detail fds__name(const struct fds *f, uint64_t token, int32_t epfd);
void fds__clear(struct fds *f);

#endif /* DWELL_JOIN_FDS_H */
