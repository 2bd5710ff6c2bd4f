// SPDX-License-Identifier: GPL-2.0
/* The rights that recording needs. See rights.h. */
#include "inspect/rights.h"

#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NEEDED	3

static const struct {
	unsigned int	 nr;
	const char	*name;
} needed[NEEDED] = {
	{ CAP_BPF, "CAP_BPF" },
	{ CAP_PERFMON, "CAP_PERFMON" },
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE" },
};

/*
 * The effective capabilities. If they cannot be read, all of them, so that nothing is
 * reported missing.
 */
static uint64_t effective(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, sets))
		return ~0ull;
	return sets[0].effective | (uint64_t)sets[1].effective << 32;
}

/*
 * In a user namespace capabilities apply only to what belongs to it, and the kernel
 * does not.
 */
static bool in_user_namespace(void)
{
	unsigned int inside, outside, count = 0;
	FILE *f = fopen("/proc/self/uid_map", "re");
	int n;

	if (!f)
		return false;
	n = fscanf(f, "%u %u %u", &inside, &outside, &count);
	fclose(f);
	return n == 3 && count != UINT32_MAX;
}

const char *rights__missing(bool others, char *out, size_t size)
{
	unsigned int nr = others ? NEEDED : NEEDED - 1;
	uint64_t have = effective();
	size_t len = 0;

	out[0] = '\0';
	for (unsigned int i = 0; i < nr; i++)
		if (!(have & 1ull << needed[i].nr) && len < size)
			len += (size_t)snprintf(out + len, size - len, "%s%s", len ? ", " : "",
						needed[i].name);
	if (len && len < size)
		snprintf(out + len, size - len,
			 ": not among the rights of dwell: run it as root, or with %s",
			 others ? "CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE" :
				  "CAP_BPF and CAP_PERFMON");
	else if (in_user_namespace())
		snprintf(out, size, "root of a user namespace (a rootless container) has no rights on "
			 "the kernel: run dwell outside of it");
	return out;
}
