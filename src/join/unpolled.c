// SPDX-License-Identifier: GPL-2.0
/* Explains recordings without a poll. See unpolled.h. */
#include "join/unpolled.h"

#include <errno.h>

#include "join/timeline.h"

/* What was seen of the runtime's tasks, in words. */
static const char *seen(struct join *j, const char *runtime)
{
	uint64_t nr = j->totals.tasks_seen;

	if (!nr)
		return frame_names__safef(j->names, "no task of %s was seen", runtime);
	return frame_names__safef(j->names, "no task of %s was seen to be polled (%llu at rest)",
				  runtime, (unsigned long long)nr);
}

int unpolled__why(struct join *j, const char **why)
{
	const struct trace_host *h = trace_reader__host(j->reader);
	const char *runtime = *h->runtime ? h->runtime : "its runtime", *what;

	*why = NULL;
	if (j->totals.polls || (j->totals.tasks_seen && !*h->other_runtimes))
		return 0;
	what = seen(j, runtime);
	if (!what)
		return -ENOMEM;
	if (*h->other_runtimes)
		*why = frame_names__safef(j->names,
					  "%s. The program also contains %s, which dwell does "
					  "not record: its work may run there. To see what runs "
					  "on %s, record while it has work",
					  what, h->other_runtimes, runtime);
	else
		*why = frame_names__safef(j->names,
					  "%s: none existed, and none was spawned during the "
					  "recording. Record while the program has work, or for "
					  "longer",
					  what);
	return *why ? 0 : -ENOMEM;
}
