/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file source: which file a page fault is of, for sleeps in it. Of sleeps in system calls
 * see file.bpf.h.
 *
 * A raw tracepoint, because only Linux 6.11 and later has it. It is passed when a page of a file
 * is not in the page tables yet and not beside one that was just looked for.
 */
#include "maps.bpf.h"

SEC("raw_tp/mm_filemap_fault")
int BPF_PROG(file_fault, struct address_space *mapping)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *t;

	if (task->tgid != target_tgid || !enabled)
		return 0;
	t = bpf_task_storage_get(&threads, task, NULL, 0);
	if (t && thread_polls(t))
		t->sched.fault_inode = (__u64)BPF_CORE_READ(mapping, host);
	return 0;
}
