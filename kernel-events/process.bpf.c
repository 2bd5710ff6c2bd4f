/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The target as a process: threads that exit or change their name, and exec, which
 * replaces the program.
 */
#include "maps.bpf.h"

#include "kernel-events/process.h"

SEC("tp_btf/task_rename")
int BPF_PROG(task_rename, struct task_struct *task, const char *comm)
{
	struct raw_thread *ev;

	if (task->tgid != target_tgid || !enabled)
		return 0;
	ev = event_reserve(sizeof(*ev), bpf_ktime_get_ns(), task->pid, RAW_THREAD);
	if (!ev)
		return 0;
	bpf_probe_read_kernel_str(ev->comm, sizeof(ev->comm), comm);
	event_submit(ev);
	return 0;
}

/* Number of execs that are still to come because the recorder launches the target. */
__u32 own_execs;

static __always_inline bool process_event(struct task_struct *task, __u8 type)
{
	struct raw_hdr *ev;

	if (task->tgid != target_tgid || !enabled)
		return false;
	ev = event_reserve(sizeof(*ev), bpf_ktime_get_ns(), task->pid, type);
	if (!ev)
		return false;
	event_submit(ev);
	return true;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	process_event(task, RAW_THREAD_EXIT);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	if (!process_event(task, RAW_EXEC))
		return 0;
	/* A program that replaces the target is not recorded, even if it is the same file. */
	if (own_execs)
		own_execs--;
	else
		enabled = false;
	return 0;
}

/* The recorder's pid namespace, in which the ids are that it and the user know. */
__u64 own_pid_ns;
__u32 own_pid_level;

static __always_inline void find_own_namespace(void)
{
	struct pid *pid = BPF_CORE_READ(bpf_get_current_task_btf(), thread_pid);
	struct upid *number;

	own_pid_level = BPF_CORE_READ(pid, level);
	number = (void *)((__u64)pid + bpf_core_field_offset(struct pid, numbers) +
			  own_pid_level * bpf_core_type_size(struct upid));
	own_pid_ns = (__u64)BPF_CORE_READ(number, ns);
}

/*
 * Run by the recorder for one process, given by its id in the recorder's pid namespace.
 * Tells the process's id in the first pid namespace.
 */
SEC("iter/task")
int target_process(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct raw_process p;

	if (!task)
		return 0;
	find_own_namespace();
	p.tgid = task->tgid;
	bpf_seq_write(ctx->meta->seq, &p, sizeof(p));
	return 0;
}

/*
 * Run by the recorder, after target_process: the ids of the target's threads. The kernel tells
 * what it samples by those of the recorder's pid namespace.
 */
SEC("iter/task")
int thread_ids(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct raw_thread_id id = {};
	struct upid *number;
	struct pid *pid;

	if (!task || task->tgid != target_tgid)
		return 0;
	pid = BPF_CORE_READ(task, thread_pid);
	number = (void *)((__u64)pid + bpf_core_field_offset(struct pid, numbers) +
			  own_pid_level * bpf_core_type_size(struct upid));
	id.tid = task->pid;
	if (BPF_CORE_READ(pid, level) >= own_pid_level &&
	    (__u64)BPF_CORE_READ(number, ns) == own_pid_ns)
		id.own = BPF_CORE_READ(number, nr);
	bpf_seq_write(ctx->meta->seq, &id, sizeof(id));
	return 0;
}

/*
 * Run by the recorder: the user-space registers of each of the target's threads. For a
 * thread that runs, the registers saved at its last entry into the kernel are out of
 * date; the caller of its last poll function is used instead.
 */
SEC("iter/task")
int thread_regs(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct raw_thread_regs r = {};
	struct pt_regs *regs;
	struct thread *t;

	if (!task || task->tgid != target_tgid)
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	r.tid = task->pid;
	r.fs = task->thread.fsbase;
	r.ip = regs->ip;
	r.sp = regs->sp;
	regs_saved(r.saved, regs);
	t = bpf_task_storage_get(&threads, task, NULL, 0);
	if (t && t->entered.sp && !task->__state) {
		r.ip = t->entered.ret - 1;
		r.sp = t->entered.sp + 8;
		__builtin_memcpy(r.saved, t->entered.saved, sizeof(r.saved));
	}
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
