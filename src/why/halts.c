// SPDX-License-Identifier: GPL-2.0
/*
 * A process that cannot run, whatever its tasks do: stopped by a signal or a tracer, frozen or
 * throttled by its cgroup.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "inspect/cgroup.h"
#include "why/why.h"

#define MIN_SHARE	10	/* one part in so many of the time, throttled, is told */
#define LONG_NS		500000000ull	/* a span in which a cgroup's periods can be counted */

/* ---- cgroups ---- */

struct cgroup_cpu *why__cgroup(const struct why *y)
{
	struct cgroup_cpu *s = calloc(1, sizeof(*s));

	if (!s || !cgroup__folder(y->p.target->pid, "cpu", s->path, sizeof(s->path)))
		goto none;
	/* a limit may be that of a parent */
	while (!cgroup_cpu__read(s) || !s->throttled)
		if (!cgroup_cpu__up(s))
			goto none;
	return s;
none:
	free(s);
	return NULL;
}

/* Is there a task that could run? */
static bool wants_cpu(const struct why *y)
{
	for (size_t i = 0; i < y->p.nr_tasks; i++)
		if (y->p.tasks[i].state != PICTURE_IDLE)
			return true;
	return false;
}

static void throttled(struct why *y)
{
	struct cgroup_cpu now;
	uint64_t span, lost;
	char text[2][QUANTITY_MAX];
	struct why_finding *f;

	if (!y->cgroup || !wants_cpu(y))
		return;
	now = *y->cgroup;
	if (!cgroup_cpu__read(&now))
		return;
	span = now.ts - y->cgroup->ts;
	lost = now.throttled_ns - y->cgroup->throttled_ns;
	/* too short for a period to end: whether it was so before tells if a longer look pays */
	if (y->span_ns < LONG_NS ? MIN_SHARE * now.throttled < now.periods
				 : MIN_SHARE * lost < span || now.throttled == y->cgroup->throttled)
		return;
	f = why__add(y, "throttled", 3);
	if (!f)
		return;
	f->since_ns = 0;
	why__say(y, f, "the process has used up what CPU time its cgroup may have, in %" PRIu64 " of %"
		 PRIu64 " periods: it was held back for %s, CPUs added up, "
		 "within %s",
		 now.throttled - y->cgroup->throttled, now.periods - y->cgroup->periods,
		 quantity__time(lost, text[0]), quantity__time(span, text[1]));
	for (uint32_t i = 0; i < y->p.nr_tasks; i++)
		if (y->p.tasks[i].state == PICTURE_READY)
			why__party(y, f, "victim", i, (struct answer_place){ "", "", 0 },
				   "%s is ready to be polled", why__task(y, i));
	f->resource = strdup(now.path);
	if (!f->resource)
		y->err = -ENOMEM;
}

static bool is_frozen(pid_t pid)
{
	char folder[PATH_MAX], path[2 * PATH_MAX], state[32] = "";
	uint64_t frozen = 0;
	FILE *f;

	if (cgroup__folder(pid, "freezer", folder, sizeof(folder))) {
		snprintf(path, sizeof(path), "%s/freezer.state", folder);
		f = fopen(path, "re");
		if (f && !fgets(state, sizeof(state), f))
			*state = '\0';
		if (f)
			fclose(f);
	}
	if (!strcmp(state, "FROZEN\n"))
		return true;
	return cgroup__folder(pid, NULL, folder, sizeof(folder)) &&
	       cgroup__number(folder, "cgroup.events", "frozen", &frozen) && frozen;
}

/* ---- stops ---- */

static pid_t tracer_of(pid_t pid)
{
	char path[64], line[256];
	int tracer = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "TracerPid: %d", &tracer) == 1)
			break;
	if (f)
		fclose(f);
	return tracer;
}

/* Is every thread stopped? */
static bool all_stopped(const struct why *y)
{
	for (size_t i = 0; i < y->p.nr_threads; i++)
		if (y->p.threads[i].state != 'T' && y->p.threads[i].state != 't')
			return false;
	return y->p.nr_threads;
}

bool why__find_halts(struct why *y)
{
	bool stopped = all_stopped(y), frozen = !stopped && is_frozen(y->p.target->pid);
	pid_t tracer = stopped ? tracer_of(y->p.target->pid) : 0;
	struct why_finding *f;

	if (!stopped && !frozen) {
		throttled(y);
		return false;
	}
	f = why__add(y, "stopped", 0);
	if (!f)
		return true;
	if (frozen)
		why__say(y, f, "every thread is stopped: the cgroup of the process is frozen");
	else if (tracer)
		why__say(y, f, "every thread is stopped, by process %d, which traces it", (int)tracer);
	else
		why__say(y, f, "every thread is stopped by a signal (SIGSTOP or its kin; SIGCONT lets it "
			 "go on)");
	return true;
}
