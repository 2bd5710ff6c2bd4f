/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the cgroup of a process allows it, of version 1 or 2: how far it was throttled, since it
 * had used up what CPU time it may have.
 */
#ifndef DWELL_INSPECT_CGROUP_H
#define DWELL_INSPECT_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The folder of @pid's cgroup for @controller, to @out: in the hierarchy of version 1 that has
 * the controller, else (and with NULL) in that of version 2. False: there is none.
 */
bool cgroup__folder(pid_t pid, const char *controller, char *out, size_t size);

/* The number behind @word in file @name of @folder; false: there is none. */
bool cgroup__number(const char *folder, const char *name, const char *word, uint64_t *out);

/* The CPU controller's counters of a cgroup (cpu.stat), all since it was made. */
struct cgroup_cpu {
	char		path[PATH_MAX];		/* of its folder; the caller sets it */
	uint64_t	ts;			/* when they were read */
	uint64_t	periods, throttled;	/* number of periods; of those throttled */
	uint64_t	throttled_ns;		/* of all CPUs together */
};

/* Read the counters of the cgroup at s->path. False: it has none. */
bool cgroup_cpu__read(struct cgroup_cpu *s);
/* Go to the parent; a limit may be that of a parent. False: there is none. */
bool cgroup_cpu__up(struct cgroup_cpu *s);
/* So much CPU time it may have in each period. False: as much as it wants, or not known. */
bool cgroup_cpu__limit(const struct cgroup_cpu *s, uint64_t *quota_ns, uint64_t *period_ns);

#endif /* DWELL_INSPECT_CGROUP_H */
