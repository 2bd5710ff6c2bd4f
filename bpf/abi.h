/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the BPF programs and the recorder share: the configuration, the numbers of all
 * events and losses, and the layout of the runtime probes' events in the ring buffers.
 * The events of a kernel source are in its own header (kernel-events/NAME.h).
 *
 * These layouts exist only between kernel and recorder; the file has its own
 * (src/trace/event.h). Enums are append-only nevertheless, so that a number never
 * changes its meaning.
 */
#ifndef DWELL_ABI_H
#define DWELL_ABI_H

#include "walk.h"

#define RAW_COMM_LEN		16

/*
 * A record in a ring buffer is one event, or a batch: several events, each directly
 * behind the previous one. The size of an event comes from raw_size() or from its
 * source's table of events.
 */
#define BATCH_BYTES	1024	/* a power of two */
#define BATCH_EVENT_MAX	96	/* bytes; the largest event that may be in a batch */

/* The same numbers as in src/trace/event.h; the recorder checks this at compile time. */
enum raw_poll_result {
	RAW_PENDING	= 0,
	RAW_READY	= 1,
	RAW_UNKNOWN	= 2,
};

enum raw_type {
	RAW_POLL_BEGIN	= 1,
	RAW_POLL_END	= 2,
	RAW_WAKE	= 3,
	RAW_TASK_NEW	= 4,
	RAW_TASK_DROP	= 5,
	RAW_CHAIN	= 6,	/* defines a chain id */
	RAW_RETURN	= 7,	/* the return address of a poll that may have no probe */
	RAW_OFF_CPU	= 8,
	RAW_STACK	= 9,	/* defines a kernel stack id */
	RAW_EPOLL_WAIT	= 10,
	RAW_EPOLL_READY	= 11,
	RAW_FD_ADD	= 12,
	RAW_FD_DEL	= 13,
	RAW_LOST	= 14,
	RAW_THREAD	= 15,	/* the name of a thread */
	RAW_THREAD_EXIT	= 16,
	RAW_EXEC	= 17,
	RAW_POLLS_GONE	= 18,	/* hdr.nr: polls of the thread that are still going on, or
				 * RAW_POLLS_ANY; others have returned unseen */
	RAW_JOB_NEW	= 19,
	RAW_URING_SUBMIT = 20,
	RAW_URING_STEP	= 21,
	RAW_URING_WAIT	= 22,
	RAW_URING_FD	= 23,
	RAW_URING_PATH	= 24,
	RAW_USER_STACK	= 25,	/* never among the events: in a ring of its own */
	RAW_THROTTLED	= 26,
	RAW_FILE	= 27,	/* defines the id of a file */
	RAW_SLEPT_ON	= 28,
	RAW_WAKE_STACK	= 29,
	RAW_FUTEX	= 30,
	RAW_TYPE_NR
};

/* A poll has returned whose begin was not seen; not known how many still go on. */
#define RAW_POLLS_ANY	0xff

struct raw_hdr {
	__u64	ts;		/* ns, CLOCK_MONOTONIC */
	__u32	tid;
	__u16	cpu;
	__u8	type;		/* enum raw_type */
	__u8	nr;		/* elements that follow, if any do */
};

struct raw_poll_begin {
	struct raw_hdr	hdr;
	__u64		task;
	__u32		fn;		/* index into the image's functions */
	__u32		pad;
};

struct raw_poll_end {
	struct raw_hdr	hdr;		/* hdr.nr: number of keys */
	__u64		task;
	__u32		chain;
	__u8		result;		/* enum raw_poll_result */
	__u8		pad[3];
	struct walk_keys keys;		/* only hdr.nr of the values are sent */
};

/* RAW_WAKE, RAW_TASK_NEW, RAW_TASK_DROP */
struct raw_task {
	struct raw_hdr	hdr;
	__u64		task;
};

/* A blocking job is put into the pool's queue. */
struct raw_job {
	struct raw_hdr	hdr;
	__u64		task;
	__u64		poll;		/* run-time address of its poll function */
};

struct raw_chain {
	struct raw_hdr	hdr;		/* hdr.nr: number of tokens */
	__u32		chain;
	__u32		fn;		/* the task kind that it was first seen in */
	__u32		tokens[WALK_MAX_TOKENS];
};

struct raw_return {
	struct raw_hdr	hdr;
	__u64		addr;		/* run-time address */
};

/*
 * The user-space registers of a thread; see thread_regs in process.bpf.c. If the thread
 * sleeps in the kernel, they are those at its system call. If it runs, they are those
 * of the caller of the last poll function, or else those at its last entry into the
 * kernel.
 */
#define RAW_SAVED_REGS	6	/* rbx, rbp, r12 to r15: the callee-saved registers */

struct raw_thread_regs {
	__u32	tid;
	__u32	pad;
	__u64	fs;		/* FS base: where its thread-local variables are */
	__u64	ip;
	__u64	sp;
	__u64	saved[RAW_SAVED_REGS];
};

/*
 * Polls that began on a thread before the probes were in place, and Pending roots in
 * its frames: see seed_polls in poll.bpf.c.
 */
#define RAW_UNDER_WAY	4	/* of one thread; the outermost is first */

struct raw_under_way {
	__u32	nr;
	__u32	works;	/* the innermost poll is of a task that is no root and no job */
	struct {
		__u64	task;
		__u64	sp;	/* rsp at the poll function's entry */
		__u32	fn;
		__u32	root;	/* enum thread_poll_root */
	}	polls[RAW_UNDER_WAY];
	struct {
		__u64	task;	/* 0: none */
		__u64	sp;	/* as for a poll */
		__u32	fn;
		__u32	root;
	}	pending[RAW_UNDER_WAY];	/* indexed by the number of polls around the root */
};

/* Where a probe finds a root: see struct image_root_site. */
struct root_place {
	__u64	vaddr;		/* of the probe, at link time */
	__u32	fn;
	__s32	off;
	__u8	reg;		/* enum image_reg */
	__u8	deref;
	__u8	shares;		/* its thread does other work while the root is Pending */
	__u8	pad[5];
};

#define RAW_KSYM_LEN	64

/*
 * A kernel address, and the name of the function there, ended by NUL: "vfs_read", "ext4_read [ext4]";
 * a number in hexadecimal if the kernel has none. See ksym_name in ksym.bpf.c.
 */
struct raw_ksym {
	__u64	addr;
	__u64	name[RAW_KSYM_LEN / 8];
};

/* What seed_polls has set up for one thread. */
struct raw_seeded {
	__u32	tid;
	__u32	nr;		/* how many of raw_under_way.polls, the outermost first */
	__u32	pending;	/* one bit for each root of raw_under_way.pending that was set up */
	__u32	pad;
};

/*
 * The events that a thread still holds when the recording ends: see thread_batches in
 * poll.bpf.c.
 */
struct raw_batch {
	__u32	len;
	__u32	nr;
	__u8	events[BATCH_BYTES];
};

struct raw_lost {
	struct raw_hdr	hdr;
	__u64		first;
	__u64		count;
};

struct raw_thread {
	struct raw_hdr	hdr;
	char		comm[RAW_COMM_LEN];
};

/* What a probe is for: bits 57 to 63 of its cookie. */
enum probe_kind {
	PROBE_POLL_BEGIN	= 0,
	PROBE_POLL_END		= 1,
	PROBE_WAKE		= 2,
	PROBE_NEW		= 3,
	PROBE_DROP		= 4,	/* freed, completed or cancelled: all the same here */
	PROBE_ROOT_BEGIN	= 5,
	PROBE_ROOT_PARK		= 6,	/* a function that the thread of a Pending root calls */
	PROBE_ROOT_CALLS	= 7,	/* the call itself */
	PROBE_ROOT_GONE		= 8,
	PROBE_ROOT_WAKE		= 9,
	PROBE_ROOT_CLONE	= 10,
	PROBE_JOB		= 11,
	PROBE_JOB_BEGIN		= 12,	/* as PROBE_POLL_BEGIN, of a blocking job */
};

#define PROBE_KIND_SHIFT	57

/*
 * Why something was not recorded. The name of a cause is where it is counted: in a
 * kernel source (kernel-events/NAME.c), else in record/losses.c. Append only.
 */
enum raw_loss {
	LOSS_RING		= 0,	/* ring buffer full */
	LOSS_THREAD_STATE	= 1,	/* no memory for a thread's state */
	LOSS_POLL_NESTED	= 2,	/* nested deeper than THREAD_MAX_POLLS */
	LOSS_POLL_UNENDED	= 3,	/* a poll's end was not seen */
	LOSS_CHAIN_MAP		= 4,	/* chain table full */
	LOSS_STACK_MAP		= 5,	/* kernel-stack table full */
	LOSS_FD_RANGE		= 6,	/* fd number beyond MAX_FDS */
	LOSS_FD_MAP		= 7,	/* table of tokens or of sockets full */
	LOSS_EPOLL_EVENTS	= 8,	/* returned events could not be read */
	LOSS_WALK		= 9,	/* chain not read: all walk buffers in use */
	LOSS_SWITCH		= 10,	/* a switch to or from a CPU not seen */
	LOSS_URING_MAP		= 11,	/* table of io_uring instances full */
	LOSS_USER_STACK_MAP	= 12,	/* user-stack table full */
	LOSS_USER_STACK		= 13,	/* no room for a user stack at that moment */
	LOSS_NR
};

/* One for each CPU. */
struct counters {
	__u64	loss[LOSS_NR];
	__u64	hits;		/* runs of uprobe programs */
	__u64	timed;		/* runs that were timed, one in COUNTER_SAMPLE */
	__u64	timed_ns;	/* total duration of the timed runs */
};

#define COUNTER_SAMPLE	64

#define RECIPE_WAYS	8	/* remembered walks for each type of task; a power of two */
#define MAX_RECIPES	4096	/* types of task whose walks are remembered */

#define IO_BLOCK	64

struct bpf_config {
	__u32	io_wakers;	/* 1: the other io_ fields are valid */
	__u32	io_base;	/* where the waker block begins, relative to the token */
	__u32	io_reader;	/* in the block: a waker's data pointer */
	__u32	io_writer;
	__u32	io_reader_vt;	/* in the block: its vtable pointer (0 in memory: no waker) */
	__u32	io_writer_vt;
	__u32	io_list;	/* in the block: first of a list of waiters; IO_BLOCK: none */
	__u32	io_len;		/* size of the block, at most IO_BLOCK */
	__u32	nr_rings;
	__u32	nr_cells;
	__u32	hide_switches;	/* for tests: ignore one in this many switches in */
	__u32	job_vtable;	/* in a job's header: the pointer to its vtable */
	__u32	job_poll;	/* in the vtable: its poll function */
	__u32	cpu_limit;	/* the target's cgroup may not always run: see throttled.bpf.h */
	__u32	operations;	/* io_uring's are followed */
};

#ifndef __bpf__
/*
 * The size of an event of the runtime's probes that may be in a batch. 0: the event is
 * a record of its own, or belongs to a kernel source (see struct source_event).
 */
static inline unsigned int raw_size(const struct raw_hdr *hdr)
{
	switch (hdr->type) {
	case RAW_POLL_BEGIN:
		return sizeof(struct raw_poll_begin);
	case RAW_POLL_END:
		return sizeof(struct raw_poll_end) -
		       (WALK_MAX_KEYS - (hdr->nr < WALK_MAX_KEYS ? hdr->nr : WALK_MAX_KEYS)) *
		       sizeof(__u64);
	case RAW_WAKE: case RAW_TASK_NEW: case RAW_TASK_DROP:
		return sizeof(struct raw_task);
	case RAW_JOB_NEW:
		return sizeof(struct raw_job);
	case RAW_POLLS_GONE:
		return sizeof(struct raw_hdr);
	}
	return 0;
}

_Static_assert(sizeof(struct raw_poll_end) <= BATCH_EVENT_MAX, "batch");
_Static_assert(sizeof(struct raw_thread_regs) == 80, "raw_thread_regs");
_Static_assert(sizeof(struct raw_under_way) == 200, "raw_under_way");
_Static_assert(sizeof(struct root_place) == 24, "root_place");
_Static_assert(sizeof(struct raw_seeded) == 16, "raw_seeded");
_Static_assert(sizeof(struct raw_hdr) == 16, "raw_hdr");
_Static_assert(sizeof(struct raw_poll_begin) == 32, "raw_poll_begin");
_Static_assert(sizeof(struct raw_poll_end) == 72, "raw_poll_end");
_Static_assert(sizeof(struct raw_task) == 24, "raw_task");
_Static_assert(sizeof(struct raw_job) == 32, "raw_job");
#endif

#endif /* DWELL_ABI_H */
