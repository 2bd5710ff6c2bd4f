// SPDX-License-Identifier: GPL-2.0
/*
 * Names and hints for the losses of the probes and of the recorder. Those of a kernel
 * source are in its table.
 */
#include "record/losses.h"

#include "kernel-events/source.h"

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
		"polls returned to a place without a probe: either it was given one only then, which "
		"happens a few times at the beginning, or none can be put there, which has no cure",
	},
	[LOSS_CHAIN_MAP] = {
		"chain table full",
		"there were more different await chains than the table holds: record for a shorter time",
	},
	[LOSS_WALK] = {
		"await chain not read",
		"a thread was preempted while its await chain was read, and others needed the same "
		"memory: record again, with less load on the CPUs",
	},
};

const char *loss_name(enum raw_loss cause)
{
	const struct source_loss *l = source_loss(cause);

	if (l)
		return l->name;
	return cause < LOSS_NR && losses[cause].name ? losses[cause].name : "unknown";
}

const char *loss_hint(enum raw_loss cause)
{
	const struct source_loss *l = source_loss(cause);

	if (l)
		return l->hint;
	return cause < LOSS_NR && losses[cause].hint ? losses[cause].hint : "";
}
