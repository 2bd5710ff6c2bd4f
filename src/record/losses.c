// SPDX-License-Identifier: GPL-2.0
/*
 * The names of losses, and what can be done about them.
 */
#include "record/losses.h"

static const struct {
	const char	*name;
	const char	*hint;
} losses[LOSS_NR] = {
	[LOSS_RING] = {
		"ring buffer full",
		"events came faster than they were read: record with a larger buffer, for example "
		"--buffer 16384",
	},
	[LOSS_THREAD_STATE] = {
		"no memory for a thread's state",
		"the kernel had no memory for the state of a thread at a moment: record again, with "
		"less load on its memory",
	},
	[LOSS_POLL_NESTED] = {
		"polls nested too deep",
		"a thread polled tasks inside of tasks, more than four deep: the inner ones are not "
		"followed",
	},
	[LOSS_POLL_UNENDED] = {
		"end of a poll not seen",
		"polls returned to a place that had no probe yet, or that can have none: of the first "
		"kind there are few, and only at the beginning; the other has no cure",
	},
	[LOSS_CHAIN_MAP] = {
		"chain table full",
		"more different await chains than are kept apart: record for a shorter time",
	},
	[LOSS_STACK_MAP] = {
		"kernel stack table full",
		"more different kernel stacks than are kept apart: record for a shorter time",
	},
	[LOSS_FD_RANGE] = {
		"fd number too high",
		"descriptors from 65536 on are not followed: waits on them have no name",
	},
	[LOSS_FD_MAP] = {
		"fd table full",
		"more descriptors than are followed: waits on some of them have no name",
	},
	[LOSS_EPOLL_EVENTS] = {
		"epoll events not read",
		"epoll_wait returned more than 1024 events at once, or its buffer was not in memory: "
		"the waits that these ended are not split",
	},
	[LOSS_WALK] = {
		"await chain not read",
		"a thread was preempted while its await chain was read, and others needed the same "
		"memory: record again, with less load on the CPUs",
	},
	[LOSS_SWITCH] = {
		"switch of a thread not seen",
		"the kernel did not report that a thread came to a CPU or left it; since when it was "
		"back is known on kernels with CONFIG_SCHED_INFO, after the first switches",
	},
};

const char *loss_name(enum raw_loss cause)
{
	return cause < LOSS_NR ? losses[cause].name : "unknown";
}

const char *loss_hint(enum raw_loss cause)
{
	return cause < LOSS_NR ? losses[cause].hint : "";
}
