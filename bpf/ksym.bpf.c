/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of kernel addresses, asked of the kernel one by one: the recorder runs this program
 * for an address. The few that a recording needs are told in microseconds each, while the
 * kernel needs tens of milliseconds to print its whole table (/proc/kallsyms).
 */
#include "maps.bpf.h"

SEC("syscall")
int ksym_name(struct raw_ksym *asked)
{
	__u64 name[RAW_KSYM_LEN / 8] = {};
	int i;

	BPF_SNPRINTF((char *)name, sizeof(name), "%ps", asked->addr);
#pragma unroll
	for (i = 0; i < RAW_KSYM_LEN / 8; i++)
		asked->name[i] = name[i];
	return 0;
}
