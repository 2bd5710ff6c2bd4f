/* SPDX-License-Identifier: GPL-2.0 */
/* Network namespaces. See network.h. */
#include "base/network.h"

#include <stdio.h>
#include <sys/stat.h>

bool network__same(pid_t pid)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	return !stat("/proc/self/ns/net", &own) && !stat(path, &other) &&
	       own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}
