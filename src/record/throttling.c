/* SPDX-License-Identifier: GPL-2.0 */
/* Was the target's cgroup throttled? See throttling.h. */
#include "record/throttling.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/quantity.h"
#include "inspect/cgroup.h"
#include "trace/trace.h"

#define LEVELS	8	/* a cgroup and its parents */

struct throttling {
	struct cgroup_cpu	levels[LEVELS];	/* at the begin; the target's own first */
	size_t			nr;
	bool			limited;		/* at the begin */
};

bool throttling__limited(pid_t pid)
{
	struct cgroup_cpu *at = calloc(1, sizeof(*at));
	bool limited = false, more = at && cgroup__folder(pid, "cpu", at->path, sizeof(at->path));
	uint64_t quota, period;

	for (; more && !limited; more = cgroup_cpu__up(at))
		limited = cgroup_cpu__limit(at, &quota, &period);
	free(at);
	return limited;
}

struct throttling *throttling__begin(pid_t pid)
{
	struct throttling *t = calloc(1, sizeof(*t));
	struct cgroup_cpu *at = calloc(1, sizeof(*at));
	bool more = t && at && cgroup__folder(pid, "cpu", at->path, sizeof(at->path));

	for (; more && t->nr < LEVELS; more = cgroup_cpu__up(at))
		if (cgroup_cpu__read(at))
			t->levels[t->nr++] = *at;
	free(at);
	if (t && t->nr) {
		t->limited = throttling__limited(pid);
		return t;
	}
	free(t);
	return NULL;
}

static int note(struct trace_writer *trace, const struct cgroup_cpu *from,
		const struct cgroup_cpu *to, bool limited)
{
	char text[PATH_MAX + 512], lost[QUANTITY_MAX], span[QUANTITY_MAX], limit[128] = "";
	uint64_t quota, period;

	if (cgroup_cpu__limit(to, &quota, &period))
		snprintf(limit, sizeof(limit), " (cpu.max: %s in each %s)",
			 quantity__of_time(quota).s, quantity__of_time(period).s);
	snprintf(text, sizeof(text), "the cgroup %s was throttled for %s, CPUs added up, of %s, in %s "
		 "of %s periods%s: threads that could run were not allowed to, %s", to->path,
		 quantity__time(to->throttled_ns - from->throttled_ns, lost),
		 quantity__time(to->ts - from->ts, span),
		 quantity__of_count(to->throttled - from->throttled).s,
		 quantity__of_count(to->periods - from->periods).s, limit,
		 limited ? "which is told as throttled" : "and look preempted or in a run queue");
	return trace_writer__note(trace, text);
}

int throttling__tell(const struct throttling *t, struct trace_writer *trace)
{
	struct cgroup_cpu *now = calloc(1, sizeof(*now));
	int err = t && !now ? -ENOMEM : 0;
	bool told = false;

	for (size_t i = 0; t && now && i < t->nr && !told; i++) {
		*now = t->levels[i];
		told = cgroup_cpu__read(now) && now->throttled > t->levels[i].throttled;
		if (told)
			err = note(trace, &t->levels[i], now, t->limited);
	}
	free(now);
	return err;
}

void throttling__free(struct throttling *t)
{
	free(t);
}
