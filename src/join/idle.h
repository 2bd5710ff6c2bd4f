/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Idle waits: those of a task that has nothing to do, so that nobody waits for it.
 *
 *	it waits for		idle
 *	a connection to accept	yes
 *	data, on a connection	if the program has sent something since data came before, or if none
 *	that it has accepted	had come: the peer's next request is what it waits for
 *	data, on a connection	if the program has sent nothing since data came before: it has asked
 *	that it has made	for nothing. Otherwise it waits for a reply
 *	the next tick of an	yes
 *	interval
 *	a message of a channel	yes: no work
 *	a signal		yes
 *	the end of tasks	if it is a root: main waits for the tasks that serve
 *
 * If it waits for several, all of them must be idle; a deadline beside others is a limit, and
 * counts for nothing, as do notifications and ends of tasks, which often tell of a shutdown. Only
 * whoever waits for the next request of a connection has no other to answer on it. If the limit
 * ends the wait, it was idle all the same: the message, signal or connection has not come. (Of data
 * it is not known whether a request or the rest of one has not.)
 *
 * What is idle is the time until the event; what a worker does after that is not.
 */
#ifndef DWELL_JOIN_IDLE_H
#define DWELL_JOIN_IDLE_H

#include "join/timeline.h"

/*
 * The part for time without data to read on descriptor @token of epoll instance @epfd;
 * @events: what came then, with TRACE_READY_*.
 */
enum part idle__read_part(const struct join *j, uint64_t token, int32_t epfd, uint32_t events);
/* The same on a descriptor of this role: enum trace_fd_role. */
enum part idle__role_part(uint8_t role, uint32_t events);
/* The same of a wait that is still open at the end of the recording. */
enum part idle__read_part_open(const struct join *j, uint64_t token);
/*
 * @part is that of @t's wait at @sh, which @branch ended. Returns its idle form if the wait was
 * idle, and its plain form if it was not.
 */
enum part idle__part(const struct join *j, const struct task *t, const struct shape *sh,
		     enum part part, uint16_t branch);

/*
 * @t waits at @sh and has not been woken when the recording ends. The part of its wait if that is
 * idle; else PART_NONE.
 */
enum part idle__open(const struct join *j, const struct task *t, const struct shape *sh);

#endif /* DWELL_JOIN_IDLE_H */
