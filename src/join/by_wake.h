/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waits for descriptors that became ready without a tracepoint: only what comes over sockets
 * has one. When they were ready is told by the wake of the thread that waited in epoll. If
 * no thread waited, it is not known, and such waits are not counted here.
 */
#ifndef DWELL_JOIN_BY_WAKE_H
#define DWELL_JOIN_BY_WAKE_H

#include <stdint.h>

struct detail;
struct join;

#define BY_WAKE_KINDS	16	/* kinds that are told; programs have a few */

struct by_wake {
	uint64_t	waits;
	/* a name of each kind, as ids of strings: "pipe from sh (pid 12)" is a pipe */
	uint32_t	names[BY_WAKE_KINDS];
	uint32_t	nr;
	uint32_t	last;		/* the string that was met last */
};

/* A wait for what @on names has ended. */
void by_wake__count(struct join *j, struct detail on);
/* What there were, for the user; lives as long as @j. NULL: no memory. */
const char *by_wake__note(struct join *j);

#endif /* DWELL_JOIN_BY_WAKE_H */
