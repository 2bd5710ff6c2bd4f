/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The maps that all BPF programs share, the state of a thread, and how an event gets
 * into a ring buffer. Every .bpf.c file includes this one: the definitions are weak,
 * and the linker merges them.
 */
#ifndef DWELL_MAPS_BPF_H
#define DWELL_MAPS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "abi.h"
#include "kernel-events/sched.h"

#define THREAD_MAX_POLLS	RAW_UNDER_WAY	/* nested on one thread */
#define THREAD_CHAINS		8	/* chain ids cached by a thread */
#define LAST_RECIPES	16	/* a power of two */

#define BATCH_NS	10000000ull	/* ns; the oldest event of a batch waits no longer */

#ifndef barrier
#define barrier() asm volatile("" ::: "memory")
#endif

enum thread_poll_root {
	POLL_OF_TASK	= 0,
	POLL_OF_ROOT	= 1,
	POLL_SHARES	= 2,	/* a root whose thread does other work while it is Pending */
};

/* A poll that has begun on a thread and not yet returned. */
struct thread_poll {
	__u64	task;
	/* rsp at the poll function's entry; of a root: as if it had been called */
	__u64	sp;
	__u32	fn;
	__u8	dropped;	/* freed or completed by this thread during the poll */
	__u8	again;		/* it is a root that was Pending before */
	__u8	looks;		/* see cookie_looks() */
	__u8	root;		/* enum thread_poll_root */
};

/* A Pending root in a frame of the thread. */
struct thread_root {
	__u64	root;		/* 0: none */
	__u64	sp;		/* as in struct thread_poll */
	__u32	shares;		/* the thread does other work meanwhile */
	__u32	woken;		/* its wake has been sent */
};

/*
 * State of a thread: of the runtime's probes and of the scheduler source. Other kernel
 * sources have a task storage of their own, as epoll has.
 */
struct thread {
	/* Polls. Written only by the thread itself, in its uprobes. */
	struct thread_poll	polls[THREAD_MAX_POLLS];
	__u32			depth;
	/*
	 * It polls tasks or waits in a driver, and is in no job and no block_on that began after
	 * that: what it does when it wakes a task is known without its stack.
	 */
	__u32			works;
	/* by the number of polls around it */
	struct thread_root	pending[THREAD_MAX_POLLS];
	__u32			named;		/* RAW_THREAD sent */
	__u64			ended_sp;	/* frames up to here have ended */
	struct {
		__u64	ret, sp, saved[RAW_SAVED_REGS];
	}			entered;	/* caller of the last poll: see thread_regs */
	__u64			woken;		/* task last woken, until the next poll begins */

	struct sched_thread	sched;		/* here because every probe looks at it first */

	struct {
		__u64	hash;
		__u64	id;
	} chains[THREAD_CHAINS];
	__u8	last_recipe[LAST_RECIPES];	/* by group: the recipe that matched last */

	/* Events that are not in a ring buffer yet: see event_add(). */
	__u32			batch_len;
	__u32			batch_nr;
	__u32			batch_busy;	/* an event is being written */
	__u64			batch_first;	/* time of its first event */
	__u8			batch[BATCH_BYTES + BATCH_EVENT_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps") __weak;

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);		/* set before load */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);			/* one per CPU, set before load */
	__uint(key_size, sizeof(__u32));
	__array(values, struct ring);
} rings SEC(".maps") __weak;

/* Events lost on this CPU since the last one that was sent. */
struct cpu_lost {
	__u64	first;
	__u64	count;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cpu_lost);
} cpu_lost SEC(".maps") __weak;


struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counters);
} counters SEC(".maps") __weak;

extern const volatile struct bpf_config config;

/*
 * The target's process id in the first pid namespace. Set before any program runs for
 * the target.
 */
extern __u32 target_tgid;

/* Set when all probes are in place; events before that would be incomplete. */
extern bool enabled;
extern __u64 enabled_ts;	/* a moment before enabled was set */

static __always_inline void count_losses(enum raw_loss cause, __u64 nr)
{
	__u32 zero = 0;
	struct counters *c = bpf_map_lookup_elem(&counters, &zero);

	if (c)
		c->loss[cause] += nr;
}

static __always_inline void count_loss(enum raw_loss cause)
{
	count_losses(cause, 1);
}

/*
 * Begin of a probe's program: counts it, and times one in COUNTER_SAMPLE. Programs do
 * not migrate, so hit_end() is passed the counters of the same CPU.
 */
static __always_inline __u64 hit_begin(struct counters **counted)
{
	__u32 zero = 0;
	struct counters *c = bpf_map_lookup_elem(&counters, &zero);

	*counted = c;
	if (!c || ++c->hits % COUNTER_SAMPLE)
		return 0;
	return bpf_ktime_get_ns();
}

static __always_inline void hit_end(struct counters *c, __u64 begin)
{
	if (!c || !begin)
		return;
	c->timed++;
	c->timed_ns += bpf_ktime_get_ns() - begin;
}

/* Send RAW_LOST for what this CPU has lost. False: the ring buffer is full. */
static __always_inline bool lost_tell(void *ring, struct cpu_lost *lost, __u64 ts, __u32 cpu)
{
	struct raw_lost *l = bpf_ringbuf_reserve(ring, sizeof(*l), 0);

	if (!l)
		return false;
	l->hdr.ts = ts;
	l->hdr.tid = 0;
	l->hdr.cpu = cpu;
	l->hdr.type = RAW_LOST;
	l->hdr.nr = 0;
	l->first = lost->first;
	l->count = lost->count;
	lost->count = 0;
	bpf_ringbuf_submit(l, BPF_RB_NO_WAKEUP);
	return true;
}

/*
 * Reserve an event in this CPU's ring buffer and fill in its header. If events were
 * lost on this CPU, RAW_LOST is sent first, so that the reader knows where the gap is.
 * NULL: the ring buffer is full; this is counted.
 */
static __always_inline void *event_reserve(__u32 size, __u64 ts, __u32 tid, __u8 type)
{
	__u32 zero = 0, cpu = bpf_get_smp_processor_id();
	__u32 slot = cpu < config.nr_rings ? cpu : cpu % (config.nr_rings ?: 1);
	struct cpu_lost *lost = bpf_map_lookup_elem(&cpu_lost, &zero);
	void *ring = bpf_map_lookup_elem(&rings, &slot);
	struct raw_hdr *hdr;

	if (!ring || !lost)
		return NULL;
	if (lost->count && !lost_tell(ring, lost, ts, cpu))
		goto full;
	hdr = bpf_ringbuf_reserve(ring, size, 0);
	if (!hdr)
		goto full;
	hdr->ts = ts;
	hdr->tid = tid;
	hdr->cpu = cpu;
	hdr->type = type;
	hdr->nr = 0;
	return hdr;
full:
	if (!lost->count)
		lost->first = ts;
	lost->count++;
	count_loss(LOSS_RING);
	return NULL;
}

static __always_inline void event_submit(void *event)
{
	/* The recorder polls often enough; a wakeup would cost more than the event. */
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

/*
 * A function that is not static is verified once by itself, rather than on every path
 * that calls it: the programs load in a fraction of the time. It returns int because
 * older verifiers demand a scalar; what it gets a pointer to may be missing, for all that
 * the verifier knows. Weak, because several files have it.
 */
#define GLOBAL_FN __weak __noinline

/* Send the thread's batch to this CPU's ring buffer. */
GLOBAL_FN int event_flush(struct thread *t)
{
	__u32 zero = 0, cpu = bpf_get_smp_processor_id(), len;
	__u32 slot = cpu < config.nr_rings ? cpu : cpu % (config.nr_rings ?: 1);
	struct cpu_lost *lost = bpf_map_lookup_elem(&cpu_lost, &zero);
	void *ring = bpf_map_lookup_elem(&rings, &slot);
	bool full;

	if (!t)
		return 0;
	len = t->batch_len;
	t->batch_len = 0;
	if (!ring || !lost || !len)
		return 0;
	/* Earlier losses are sent first, so that the reader knows where the gap is. */
	full = lost->count && !lost_tell(ring, lost, t->batch_first, cpu);
	/*
	 * Checked right before use, because older verifiers lose the bounds of spilled
	 * values.
	 */
	asm volatile("" : "+r"(len));
	if (len > BATCH_BYTES)
		return 0;
	if (full || bpf_ringbuf_output(ring, t->batch, len, BPF_RB_NO_WAKEUP)) {
		if (!lost->count)
			lost->first = t->batch_first;
		lost->count += t->batch_nr;
		count_losses(LOSS_RING, t->batch_nr);
	}
	return 0;
}

/*
 * Reserve an event in the thread's batch and fill in its header. The batch is sent when
 * it is full, when it is BATCH_NS old, and when the thread leaves its CPU: using the
 * ring buffer for each event would cost the target more than everything else in a
 * probe. event_added() must follow.
 */
static __always_inline void *event_add(struct thread *t, __u32 size, __u64 ts, __u32 tid, __u8 type)
{
	struct raw_hdr *hdr;
	__u32 len;

	/*
	 * From here on the scheduler's hook, which may run at any moment, does not use
	 * the batch.
	 */
	t->batch_busy = 1;
	barrier();
	len = t->batch_len;
	if (len + size > BATCH_BYTES || (len && ts - t->batch_first > BATCH_NS)) {
		event_flush(t);
		len = 0;
	}
	if (!len) {
		t->batch_first = ts;
		t->batch_nr = 0;
	}
	hdr = (struct raw_hdr *)&t->batch[len & (BATCH_BYTES - 1)];
	hdr->ts = ts;
	hdr->tid = tid;
	hdr->cpu = bpf_get_smp_processor_id();
	hdr->type = type;
	hdr->nr = 0;
	return hdr;
}

static __always_inline void event_added(struct thread *t, __u32 size)
{
	t->batch_nr++;
	t->batch_len += size;
	barrier();
	t->batch_busy = 0;
}

/* The callee-saved registers of @regs, in the order of struct raw_thread_regs. */
static __always_inline void regs_saved(__u64 *saved, const struct pt_regs *regs)
{
	saved[0] = regs->bx;
	saved[1] = regs->bp;
	saved[2] = regs->r12;
	saved[3] = regs->r13;
	saved[4] = regs->r14;
	saved[5] = regs->r15;
}

/* Is @t in a poll? */
static __always_inline bool thread_polls(const struct thread *t)
{
	return t->depth;
}

/* State of the current thread, created on first use. NULL: no memory, which is counted. */
static __always_inline struct thread *thread_get(struct task_struct *task)
{
	struct thread *t = bpf_task_storage_get(&threads, task, NULL, 0);

	if (t)
		return t;
	t = bpf_task_storage_get(&threads, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!t)
		count_loss(LOSS_THREAD_STATE);
	return t;
}

struct thread_comm {
	char	name[RAW_COMM_LEN];
};

GLOBAL_FN int thread_tell_name(struct thread *t, const struct thread_comm *comm, __u64 ts,
			       __u32 tid)
{
	struct raw_thread *ev;

	if (!t || !comm)
		return 0;
	ev = event_reserve(sizeof(*ev), ts, tid, RAW_THREAD);
	if (!ev)
		return 0;
	t->named = 1;
	__builtin_memcpy(ev->comm, comm->name, sizeof(ev->comm));
	event_submit(ev);
	return 0;
}

/* Send a thread's name once, before its first event. */
static __always_inline void thread_name(struct thread *t, struct task_struct *task, __u64 ts)
{
	struct thread_comm comm = {};

	if (t->named)
		return;
	bpf_probe_read_kernel(comm.name, sizeof(comm.name), task->comm);
	thread_tell_name(t, &comm, ts, task->pid);
}

#endif /* DWELL_MAPS_BPF_H */
