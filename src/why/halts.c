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
#include <unistd.h>

#include "base/clock.h"
#include "base/quantity.h"
#include "why/why.h"

#define MIN_SHARE	10	/* one part in so many of the time, throttled, is told */
#define LONG_NS		500000000ull	/* a span in which a cgroup's periods can be counted */

/* How far the process's CPU cgroup, or the nearest of its parents that ever was, is throttled. */
struct cgroup_state {
	char		path[PATH_MAX];		/* of cpu.stat */
	uint64_t	ts;
	uint64_t	periods, throttled;	/* number of periods; of those throttled */
	uint64_t	throttled_ns;
};

/* ---- cgroups ---- */

/* The folder where hierarchy @kind ("cgroup2"; "cgroup" with @option) is mounted. */
static bool mount_of(const char *kind, const char *option, char *out, size_t size)
{
	char dir[PATH_MAX], type[64], options[512], line[PATH_MAX + 1024], padded[600], wanted[80];
	bool found = false;
	FILE *f = fopen("/proc/self/mounts", "re");

	while (f && !found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %4095s %63s %511s", dir, type, options) != 3 ||
		    strcmp(type, kind))
			continue;
		snprintf(padded, sizeof(padded), ",%s,", options);
		snprintf(wanted, sizeof(wanted), ",%s,", option ? option : "");
		found = !option || strstr(padded, wanted);
	}
	if (f)
		fclose(f);
	if (found)
		snprintf(out, size, "%s", dir);
	return found;
}

/* The cgroup of @pid in version 2's hierarchy (@controller NULL), or in that of version 1. */
static bool cgroup_of(pid_t pid, const char *controller, char *out, size_t size)
{
	char path[64], line[PATH_MAX + 256], padded[300], wanted[80];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;

		if (!second)
			continue;
		*second = '\0';
		snprintf(padded, sizeof(padded), ",%.250s,", first + 1);
		snprintf(wanted, sizeof(wanted), ",%s,", controller ? controller : "");
		found = controller ? strstr(padded, wanted) != NULL : !first[1];
		second[1 + strcspn(second + 1, "\n")] = '\0';
		if (found)
			snprintf(out, size, "%s", second + 1);
	}
	if (f)
		fclose(f);
	return found;
}

/* The folder of @pid's cgroup for @controller: of version 1 if that has it, else of 2. */
static bool folder_of(pid_t pid, const char *controller, char *out, size_t size)
{
	char mount[PATH_MAX], path[PATH_MAX];
	int n;

	if (!(cgroup_of(pid, controller, path, sizeof(path)) &&
	      mount_of("cgroup", controller, mount, sizeof(mount))) &&
	    !(cgroup_of(pid, NULL, path, sizeof(path)) &&
	      mount_of("cgroup2", NULL, mount, sizeof(mount))))
		return false;
	n = snprintf(out, size, "%s%s", mount, path);
	return n > 0 && (size_t)n < size;
}

/* The number behind @word in file @name of @folder; false: there is none. */
static bool number_of(const char *folder, const char *name, const char *word, uint64_t *out)
{
	char path[PATH_MAX], line[256];
	size_t len = strlen(word);
	bool found = false;
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return false;
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		found = !strncmp(line, word, len) && line[len] == ' ';
		if (found)
			*out = strtoull(line + len, NULL, 10);
	}
	if (f)
		fclose(f);
	return found;
}

static bool read_stat(struct cgroup_state *s)
{
	uint64_t us = 0;

	s->ts = clock__now();
	if (!number_of(s->path, "cpu.stat", "nr_periods", &s->periods) ||
	    !number_of(s->path, "cpu.stat", "nr_throttled", &s->throttled))
		return false;
	/* version 1 tells ns, version 2 µs */
	if (number_of(s->path, "cpu.stat", "throttled_usec", &us))
		s->throttled_ns = us * 1000;
	else
		number_of(s->path, "cpu.stat", "throttled_time", &s->throttled_ns);
	return true;
}

struct cgroup_state *why__cgroup(const struct why *y)
{
	struct cgroup_state *s = calloc(1, sizeof(*s));
	char *slash;

	if (!s || !folder_of(y->p.target->pid, "cpu", s->path, sizeof(s->path)))
		goto none;
	/* a limit may be that of a parent */
	while (!read_stat(s) || !s->throttled) {
		slash = strrchr(s->path, '/');
		if (!slash || slash == s->path || access(s->path, F_OK))
			goto none;
		*slash = '\0';
	}
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
	struct cgroup_state now;
	uint64_t span, lost;
	char text[2][QUANTITY_MAX];
	struct why_finding *f;

	if (!y->cgroup || !wants_cpu(y))
		return;
	now = *y->cgroup;
	if (!read_stat(&now))
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
	char folder[PATH_MAX], own[PATH_MAX], path[2 * PATH_MAX], state[32] = "";
	uint64_t frozen = 0;
	FILE *f;

	if (folder_of(pid, "freezer", folder, sizeof(folder))) {
		snprintf(path, sizeof(path), "%s/freezer.state", folder);
		f = fopen(path, "re");
		if (f && !fgets(state, sizeof(state), f))
			*state = '\0';
		if (f)
			fclose(f);
	}
	if (!strcmp(state, "FROZEN\n"))
		return true;
	return cgroup_of(pid, NULL, own, sizeof(own)) &&
	       mount_of("cgroup2", NULL, folder, sizeof(folder)) &&
	       snprintf(path, sizeof(path), "%s%s", folder, own) < (int)sizeof(path) &&
	       number_of(path, "cgroup.events", "frozen", &frozen) && frozen;
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
