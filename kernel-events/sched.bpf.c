/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The scheduler source: when a thread of the target is off the CPU, why, since when it
 * was runnable again, and who woke it. One event for a period off the CPU, sent at its
 * end, so that a switch costs one event, not three.
 */
#include "off_cpu.bpf.h"
#include "file.bpf.h"
#include "throttled.bpf.h"
#include "user_stack.bpf.h"

#define TASK_INTERRUPTIBLE	0x0001	/* include/linux/sched.h, same since 4.14 */
#define TASK_UNINTERRUPTIBLE	0x0002
#define TASK_STOPPED		0x0004	/* of a whole process; not a tracer's stop */
#define TASK_DEAD		0x0080

#define SYS_FUTEX	202	/* arch/x86/entry/syscalls/syscall_64.tbl */

struct stack_buf {
	__u64	ips[RAW_STACK_FRAMES];
};

/* A buffer. The scheduler's hooks run with preemption disabled and do not nest. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stack_buf);
} stack_bufs SEC(".maps");

/* Hash of a stack's addresses → its id. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u32);
} stacks SEC(".maps");

__u32 next_stack;
__s64 sched_skew;

/*
 * Changes whenever a thread goes to sleep in a poll whose user stack is not known to its end;
 * increments may be lost.
 */
__u64 sleeps_in_polls;

/* A hash of the first @nr addresses in @buf. */
__noinline __u64 stack_hash(struct stack_buf *buf, int nr)
{
	__u64 hash = 0x51ed270b27b4f3cfull;
	int i;

	for (i = 0; buf && i < RAW_STACK_FRAMES; i++) {
		if (i >= nr)
			break;
		hash = (hash ^ buf->ips[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
	}
	return hash;
}

/*
 * The id of the kernel stack of @len bytes in @buf, defined by an event if it is new;
 * 0: none.
 */
static __always_inline __u32 stack_add(struct stack_buf *buf, long len, __u64 ts, __u32 tid)
{
	struct raw_stack *def;
	__u32 id, *known;
	__u64 hash;
	int nr;

	if (len <= 0)
		return 0;
	nr = len / sizeof(__u64);
	hash = stack_hash(buf, nr);
	known = bpf_map_lookup_elem(&stacks, &hash);
	if (known)
		return *known;
	id = __sync_fetch_and_add(&next_stack, 1) + 1;
	if (bpf_map_update_elem(&stacks, &hash, &id, BPF_NOEXIST)) {
		known = bpf_map_lookup_elem(&stacks, &hash);	/* another CPU added it first */
		if (known)
			return *known;
		count_loss(LOSS_STACK_MAP);
		return 0;
	}
	def = event_reserve(sizeof(*def), ts, tid, RAW_STACK);
	if (!def) {
		bpf_map_delete_elem(&stacks, &hash);
		return 0;
	}
	def->hdr.nr = nr;
	def->stack = id;
	bpf_probe_read_kernel(def->ips, sizeof(def->ips), buf->ips);
	event_submit(def);
	return id;
}

/* The id of the current thread's kernel stack; 0: none. */
static __always_inline __u32 stack_intern(void *ctx, __u64 ts, __u32 tid)
{
	__u32 zero = 0;
	struct stack_buf *buf = bpf_map_lookup_elem(&stack_bufs, &zero);

	return buf ? stack_add(buf, bpf_get_stack(ctx, buf->ips, sizeof(buf->ips), 0), ts, tid) : 0;
}

/* Why a thread in state @state, which is not 0, sleeps. */
static __always_inline __u32 sleep_reason(unsigned int state)
{
	if (state & TASK_STOPPED)
		return RAW_OFF_STOPPED;
	return state & TASK_UNINTERRUPTIBLE ? RAW_OFF_DISK : RAW_OFF_ASLEEP;
}

#define PF_IO_WORKER	0x00000010	/* include/linux/sched.h */

/* Is @task a kernel thread of the target's for io_uring (io-wq), with something to do? */
static __always_inline bool io_wq_works(struct task_struct *task)
{
	struct io_worker *worker = NULL;

	if (!(task->flags & PF_IO_WORKER) || !bpf_core_field_exists(task->worker_private) ||
	    !bpf_core_field_exists(worker->cur_work))
		return false;
	worker = task->worker_private;
	return worker && BPF_CORE_READ(worker, cur_work);
}

/* The system call that a thread is in, whose registers in user mode are @regs; -1: none. */
static __always_inline __s32 syscall_of(const struct pt_regs *regs)
{
	__s64 nr = regs->orig_ax;

	return nr >= 0 && nr < 32767 ? nr : -1;
}

/* The address of the futex at which @t, whose registers are @regs, sleeps; 0: at none. */
static __always_inline __u64 futex_of(const struct thread *t, const struct pt_regs *regs)
{
	return t->sched.off_syscall == SYS_FUTEX ? regs->di : 0;
}

/* The user stack of the current thread, which goes to sleep in a poll. */
static __always_inline void user_stack_take(struct thread *t, __u64 ts)
{
	__u64 known = user_stack_intern(t, 0, ts);

	t->sched.off_user = known;
	t->sched.off_cut = known >> 32;
	if (!t->sched.off_user || t->sched.off_cut)
		sleeps_in_polls++;
}

static __always_inline void switched_out(void *ctx, struct task_struct *prev, bool preempt,
					 unsigned int state, __u64 ts)
{
	struct sched_counters acc;
	struct thread *t;

	t = state & TASK_DEAD ? bpf_task_storage_get(&threads, prev, NULL, 0) : thread_get(prev);
	if (!t)
		return;
	sched_counters_read(&acc, prev);
	on_cpu(t, ts);
	if (t->sched.in_ts)
		sched_skew_learn(t->sched.in_ts, acc.arrival);
	t->sched.in_ts = 0;
	/* Send its events before those of the thread that runs here next. */
	if (t->batch_len && !t->batch_busy)
		event_flush(t);
	if (state & TASK_DEAD)
		return;
	t->sched.off_stack = 0;
	t->sched.off_user = 0;
	t->sched.off_cut = 0;
	t->sched.off_syscall = -1;
	t->sched.throttled_rq = 0;
	t->sched.off_on = FILE_NONE;
	t->sched.off_word = 0;
	if (preempt || !state) {
		t->sched.off_reason = RAW_OFF_PREEMPTED;
		throttled_begin(t, prev, ts);
	} else {
		struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(prev);
		bool polls = thread_polls(t);

		t->sched.off_reason = sleep_reason(state);
		/* the registers of a thread of io-wq are those of the thread that made it */
		if (!(prev->flags & PF_IO_WORKER))
			t->sched.off_syscall = syscall_of(regs);
		if (polls || io_wq_works(prev))
			t->sched.off_stack = stack_intern(ctx, ts, prev->pid);
		if (polls) {
			t->sched.off_on = file_slept_on(t, prev, regs, ts);
			t->sched.off_word = futex_of(t, regs);
			user_stack_take(t, ts);
		}
	}
	/*
	 * A wakeup just before the switch is a race with it, and counts for this sleep.
	 * An older one was for a thread that was still running.
	 */
	if (t->sched.wake_ts && ts - t->sched.wake_ts > 50000)
		t->sched.wake_ts = 0;
	t->sched.off_arrival = acc.arrival;
	t->sched.off_delay = acc.delay;
	t->sched.off_ts = ts;
}

/*
 * The period of @t off the CPU ends. @queued: when the thread last became runnable, as in struct
 * sched_counters. Global: see GLOBAL_FN.
 */
__noinline int off_cpu_end(struct thread *t, __u64 queued, __u64 ts, __u32 tid)
{
	struct raw_off_cpu off = {};

	if (!t)
		return 0;
	off_cpu_take(&off, t);
	if (!off.wake && off.reason != RAW_OFF_PREEMPTED) {
		off.wake = sched_time(queued, off.out, ts);
		if (off.wake)
			off.told = RAW_OFF_TOLD;
	}
	off_cpu_tell_on(t, t->sched.off_on, t->sched.off_word, ts, tid);
	throttled_end(t, &off, ts, tid);
	off_cpu_send(t, &off, ts, tid);
	t->sched.off_ts = 0;
	t->sched.in_ts = ts;
	t->sched.wake_ts = 0;
	t->sched.waker = 0;
	t->sched.waker_user = 0;
	return 0;
}

static __always_inline void switched_in(struct task_struct *next, __u64 ts)
{
	struct thread *t = bpf_task_storage_get(&threads, next, NULL, 0);
	struct sched_counters acc;

	if (!t)
		return;
	if (!t->sched.off_ts) {
		if (t->sched.in_ts)
			count_loss(LOSS_SWITCH);
		t->sched.in_ts = ts;
		return;
	}
	thread_name(t, next, ts);
	sched_counters_read(&acc, next);
	off_cpu_end(t, acc.queued, ts, next->pid);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	bool out = prev->tgid == target_tgid, in = next->tgid == target_tgid;
	__u64 ts;

	if ((!out && !in) || !enabled)
		return 0;
	ts = bpf_ktime_get_ns();
	if (out)
		switched_out(ctx, prev, preempt, prev_state, ts);
	if (in && !(config.hide_switches && !(bpf_get_prandom_u32() % config.hide_switches)))
		switched_in(next, ts);
	return 0;
}

#define THREAD_SIZE	(16 << 10)	/* arch/x86/include/asm/page_64_types.h */
#define PF_KTHREAD	0x00200000

/*
 * Is the current thread waking, in a system call, or an interrupt that runs on its CPU?
 * preempt_count cannot be read where kallsyms has no data symbols. But on x86-64,
 * interrupts in kernel mode run on a stack of their own, and interrupts in user mode
 * have a negative orig_ax, which a system call has not.
 */
static __always_inline bool in_system_call(void *ctx, struct thread *t, struct task_struct *task)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	__u64 at;

	if (task->flags & PF_KTHREAD)
		return false;
	/*
	 * Through memory, because the verifier does not allow a context pointer to be
	 * compared.
	 */
	*(void *volatile *)&t->sched.scratch = ctx;
	at = *(volatile __u64 *)&t->sched.scratch;
	if (at - (__u64)task->stack >= THREAD_SIZE)
		return false;
	return (__s64)regs->orig_ax >= 0;
}

/* In bpf/poll.bpf.c. */
int tell_completed(struct thread *t, __u64 ts, __u32 tid);
__u64 wake_stack(struct thread *t, __u32 probe, __u64 ts);

/*
 * A thread that sleeps in block_on because its root is Pending is woken for one reason:
 * the root is to be polled again. So whoever wakes the thread wakes the root. Another process
 * wakes no futex of this one's: it sends a signal, and the thread sleeps on after that. On its
 * way there the thread may sleep for something else, which no signal interrupts: for the lock
 * of the process's memory in a page fault, say.
 */
static __always_inline void root_woken(struct thread *t, struct task_struct *waker, __u64 ts,
				       __u32 tid)
{
	struct thread_root *r = &t->pending[t->depth & (THREAD_MAX_POLLS - 1)];
	struct raw_off_more *more;
	struct raw_task *ev;
	struct thread *own;
	__u32 user = 0;

	if (!r->root || r->shares || r->woken || t->sched.off_reason != RAW_OFF_ASLEEP)
		return;
	if (tid && waker->tgid != target_tgid && t->sched.off_syscall == SYS_FUTEX)
		return;
	r->woken = 1;
	if (tid && waker->tgid == target_tgid) {
		own = bpf_task_storage_get(&threads, waker, NULL, 0);
		tell_completed(own, ts, tid);
		/* If a probe has seen it wake the root, that told it. */
		if (own && own->woken != r->root)
			user = wake_stack(own, 0, ts);
	}
	more = user ? event_reserve(sizeof(*more), ts, tid, RAW_WAKE_STACK) : NULL;
	if (more) {
		more->value = user;
		event_submit(more);
	}
	ev = event_reserve(sizeof(*ev), ts, tid, RAW_WAKE);
	if (!ev)
		return;
	ev->task = r->root;
	event_submit(ev);
}

/*
 * Where the current thread, @waker, which is in a system call, wakes one that sleeps at a futex
 * in a poll: another thread's code tells most of such a wait.
 */
static __always_inline void waker_take(struct thread *t, struct task_struct *waker)
{
	struct thread *own;

	if (!t->sched.off_ts || !thread_polls(t) || t->sched.off_syscall != SYS_FUTEX ||
	    waker->tgid != target_tgid)
		return;
	own = bpf_task_storage_get(&threads, waker, NULL, 0);
	if (own)
		t->sched.waker_user = user_stack_intern(own, 0, t->sched.wake_ts);
}

SEC("tp_btf/sched_waking")
int BPF_PROG(sched_waking, struct task_struct *p)
{
	struct task_struct *waker;
	struct thread *t;

	if (p->tgid != target_tgid || !enabled)
		return 0;
	t = bpf_task_storage_get(&threads, p, NULL, 0);
	if (!t)
		return 0;
	/* The first wakeup after the switch counts; one from before the switch is replaced. */
	if (t->sched.off_ts && t->sched.wake_ts >= t->sched.off_ts)
		return 0;
	t->sched.wake_ts = bpf_ktime_get_ns();
	throttled_begin(t, p, t->sched.wake_ts);
	waker = bpf_get_current_task_btf();
	t->sched.waker_user = 0;
	t->sched.waker = in_system_call(ctx, t, waker) ? waker->pid : 0;
	if (t->sched.waker)
		waker_take(t, waker);
	if (t->sched.off_ts)
		root_woken(t, waker, t->sched.wake_ts, t->sched.waker);
	return 0;
}

/* Buffer of the iterator, which may be preempted and so must not share stack_bufs. */
static struct stack_buf snapshot_buf;

/*
 * Run by the recorder over the target's threads: sched_snapshot at attach, to treat
 * sleeping threads as off the CPU from now on; sched_open at the end, to report the
 * periods that have not ended.
 */
SEC("iter/task")
int sched_snapshot(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct sched_counters acc;
	struct pt_regs *regs;
	struct thread *t;
	__u64 ts;

	if (!task || task->tgid != target_tgid || !task->__state)
		return 0;
	t = thread_get(task);
	if (!t || t->sched.off_ts)
		return 0;
	t->sched.off_reason = sleep_reason(task->__state);
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	t->sched.off_syscall = task->flags & PF_IO_WORKER ? -1 : syscall_of(regs);
	t->sched.off_user = 0;
	t->sched.off_cut = 0;
	/*
	 * The thread may be in a poll that no probe knows of yet, so its stack is
	 * always taken.
	 */
	ts = bpf_ktime_get_ns();
	t->sched.off_stack = stack_add(&snapshot_buf,
				 bpf_get_task_stack(task, snapshot_buf.ips,
						    sizeof(snapshot_buf.ips), 0),
				 ts, task->pid);
	t->sched.off_on = task->flags & PF_IO_WORKER ? FILE_NONE :
						       file_slept_on(t, task, regs, ts);
	t->sched.off_word = futex_of(t, regs);
	sched_counters_read(&acc, task);
	t->sched.off_arrival = acc.arrival;
	t->sched.off_delay = acc.delay;
	/* Not the time of the switch, which happened before the hook was in place. */
	t->sched.off_ts = enabled_ts ? enabled_ts : ts;
	return 0;
}

SEC("iter/task")
int sched_open(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct raw_open_period open = {};
	struct raw_off_cpu *ev = &open.off;
	struct sched_counters acc;
	struct thread *t;
	__u64 now;

	if (!task || task->tgid != target_tgid)
		return 0;
	t = bpf_task_storage_get(&threads, task, NULL, 0);
	if (!t || !t->sched.off_ts)
		return 0;
	now = bpf_ktime_get_ns();
	ev->hdr.tid = task->pid;
	ev->hdr.type = RAW_OFF_CPU;
	off_cpu_take(ev, t);
	sched_counters_read(&acc, task);
	if (acc.arrival == t->sched.off_arrival)
		ev->told = RAW_OFF_OPEN;
	/*
	 * The thread may be back without that having been seen, and without having
	 * passed a probe since.
	 */
	ev->hdr.ts = ev->told == RAW_OFF_OPEN ? now : off_cpu_told(ev, t, task, now);
	if (ev->told == RAW_OFF_UNSEEN)
		count_loss(LOSS_SWITCH);
	open.on = t->sched.off_on;
	open.word = t->sched.off_word;
	if (ev->told == RAW_OFF_OPEN)
		open.throttled = throttled_for(t, ev, now);
	bpf_seq_write(ctx->meta->seq, &open, sizeof(open));
	return 0;
}

/*
 * Run by the recorder now and then: the threads that have slept in a poll for a while and
 * whose stacks are not known, each once in a period. The recorder reads their stacks.
 */
SEC("iter/task")
int sched_sleepers(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct raw_sleeper s = {};
	struct pt_regs *regs;
	struct thread *t;

	if (!task || task->tgid != target_tgid || !task->__state)
		return 0;
	t = bpf_task_storage_get(&threads, task, NULL, 0);
	if (!t || !thread_polls(t))
		return 0;
	s.out = t->sched.off_ts;
	if (!s.out || s.out == t->sched.told_ts || bpf_ktime_get_ns() - s.out < SLEEPER_NS)
		return 0;
	if (t->sched.off_reason != RAW_OFF_ASLEEP && t->sched.off_reason != RAW_OFF_DISK)
		return 0;
	/* No stack is taken twice. */
	if (t->sched.off_user && !t->sched.off_cut)
		return 0;
	t->sched.told_ts = s.out;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	s.tid = task->pid;
	s.poll_sp = innermost_sp(t);
	s.ip = regs->ip;
	s.sp = regs->sp;
	regs_saved(s.saved, regs);
	bpf_seq_write(ctx->meta->seq, &s, sizeof(s));
	return 0;
}
