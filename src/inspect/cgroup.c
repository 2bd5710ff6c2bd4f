// SPDX-License-Identifier: GPL-2.0
/* What the cgroup of a process allows it. See cgroup.h. */
#include "inspect/cgroup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

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

bool cgroup__folder(pid_t pid, const char *controller, char *out, size_t size)
{
	char mount[PATH_MAX], path[PATH_MAX];
	int n;

	if (!(controller && cgroup_of(pid, controller, path, sizeof(path)) &&
	      mount_of("cgroup", controller, mount, sizeof(mount))) &&
	    !(cgroup_of(pid, NULL, path, sizeof(path)) &&
	      mount_of("cgroup2", NULL, mount, sizeof(mount))))
		return false;
	n = snprintf(out, size, "%s%s", mount, path);
	return n > 0 && (size_t)n < size;
}

bool cgroup__number(const char *folder, const char *name, const char *word, uint64_t *out)
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

bool cgroup_cpu__read(struct cgroup_cpu *s)
{
	uint64_t us = 0;

	s->ts = clock__now();
	if (!cgroup__number(s->path, "cpu.stat", "nr_periods", &s->periods) ||
	    !cgroup__number(s->path, "cpu.stat", "nr_throttled", &s->throttled))
		return false;
	/* version 1 tells ns, version 2 µs */
	if (cgroup__number(s->path, "cpu.stat", "throttled_usec", &us))
		s->throttled_ns = us * 1000;
	else
		cgroup__number(s->path, "cpu.stat", "throttled_time", &s->throttled_ns);
	return true;
}

bool cgroup_cpu__up(struct cgroup_cpu *s)
{
	char *slash = strrchr(s->path, '/');

	if (!slash || slash == s->path)
		return false;
	*slash = '\0';
	return !access(s->path, F_OK);
}

/* The first number in file @name of the cgroup; "max" is none. */
static bool first_number(const struct cgroup_cpu *s, const char *name, uint64_t *first,
			 uint64_t *second)
{
	char path[PATH_MAX];
	int nr = 0;
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/%s", s->path, name) >= (int)sizeof(path))
		return false;
	f = fopen(path, "re");
	if (f) {
		nr = fscanf(f, "%" SCNu64 " %" SCNu64, first, second);
		fclose(f);
	}
	return nr >= 1;
}

bool cgroup_cpu__limit(const struct cgroup_cpu *s, uint64_t *quota_ns, uint64_t *period_ns)
{
	uint64_t quota, period = 0, none;

	/* version 1 has -1 for no limit, which comes out as a very large number */
	if (!first_number(s, "cpu.max", &quota, &period) &&
	    !(first_number(s, "cpu.cfs_quota_us", &quota, &none) &&
	      first_number(s, "cpu.cfs_period_us", &period, &none)))
		return false;
	if (!period || quota > UINT64_MAX / 1000 || period > UINT64_MAX / 1000)
		return false;
	*quota_ns = quota * 1000;
	*period_ns = period * 1000;
	return true;
}
