/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names of losses.
 */
#include "record/losses.h"

static const char *const names[LOSS_NR] = {
	[LOSS_RING]		= "ring buffer full",
	[LOSS_THREAD_STATE]	= "no memory for a thread's state",
	[LOSS_POLL_NESTED]	= "polls nested too deep",
	[LOSS_POLL_UNENDED]	= "end of a poll not seen",
	[LOSS_CHAIN_MAP]	= "chain table full",
	[LOSS_STACK_MAP]	= "kernel stack table full",
	[LOSS_FD_RANGE]		= "fd number too high",
	[LOSS_FD_MAP]		= "fd table full",
	[LOSS_EPOLL_EVENTS]	= "epoll events not read",
	[LOSS_WALK]		= "await chain not read",
};

const char *loss_name(enum raw_loss cause)
{
	return cause < LOSS_NR ? names[cause] : "unknown";
}
