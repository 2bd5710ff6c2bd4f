/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The spawn of a blocking job. All jobs of a runtime go through one function, whatever they
 * are; the poll function in a job's vtable tells what it is.
 */
#ifndef DWELL_JOB_BPF_H
#define DWELL_JOB_BPF_H

#include "cookie.bpf.h"
#include "off_cpu.bpf.h"

/* A job is put into the pool's queue. */
static __always_inline int on_job(struct pt_regs *regs, __u64 cookie)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 header = cookie_arg(cookie, regs), vtable = 0, poll = 0, ts;
	struct raw_job *ev;
	struct thread *t;

	if (!enabled || task->tgid != target_tgid)
		return 0;
	t = thread_get(task);
	if (!t)
		return 0;
	ts = bpf_ktime_get_ns();
	on_cpu(t, ts);
	if (bpf_probe_read_user(&vtable, 8, (void *)(header + config.job_vtable)) ||
	    bpf_probe_read_user(&poll, 8, (void *)(vtable + config.job_poll)))
		return 0;
	ev = event_add(t, sizeof(*ev), ts, task->pid, RAW_JOB_NEW);
	ev->task = header;
	ev->poll = poll;
	event_added(t, sizeof(*ev));
	return 0;
}

#endif /* DWELL_JOB_BPF_H */
