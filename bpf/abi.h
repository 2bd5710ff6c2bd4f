/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the BPF programs and the recorder share: the configuration, the numbers of
 * all events and losses, and the events of the runtime's probes as they stand in
 * the ring buffers. The events of a kernel source are in its own header
 * (kernel-events/NAME.h), which gives each of its numbers a meaning.
 *
 * These events live only between kernel and recorder; the file has its own
 * form (src/trace/event.h). Enums are append-only all the same, so that a
 * decoder never meets a number with another meaning.
 */
#ifndef DWELL_ABI_H
#define DWELL_ABI_H

#include "walk.h"

#define RAW_COMM_LEN		16

/*
 * A record in a ring is one event, or a batch of them, one behind the other:
 * raw_size(), or its source's table of events, tells where the next one begins.
 */
#define BATCH_BYTES	1024	/* a power of two */
#define BATCH_EVENT_MAX	96	/* bytes of the largest event in a batch */

/* The same numbers as in src/trace/event.h; the recorder asserts it. */
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
	RAW_CHAIN	= 6,	/* a chain id is defined */
	RAW_RETURN	= 7,	/* a poll function's return address without a probe */
	RAW_OFF_CPU	= 8,
	RAW_STACK	= 9,	/* a kernel stack id is defined */
	RAW_EPOLL_WAIT	= 10,
	RAW_EPOLL_READY	= 11,
	RAW_FD_ADD	= 12,
	RAW_FD_DEL	= 13,
	RAW_LOST	= 14,
	RAW_THREAD	= 15,	/* a thread's name */
	RAW_THREAD_EXIT	= 16,
	RAW_EXEC	= 17,
	RAW_POLLS_GONE	= 18,	/* nr: polls still under way on the thread, others have returned;
				 * or RAW_POLLS_ANY */
	RAW_TYPE_NR
};

/* A poll that began unseen has returned; how many go on is not known. */
#define RAW_POLLS_ANY	0xff

struct raw_hdr {
	__u64	ts;		/* ns, CLOCK_MONOTONIC */
	__u32	tid;
	__u16	cpu;
	__u8	type;		/* enum raw_type */
	__u8	nr;		/* of the tail's elements, where there is one */
};

struct raw_poll_begin {
	struct raw_hdr	hdr;
	__u64		task;
	__u32		fn;		/* index into the image's functions */
	__u32		pad;
};

struct raw_poll_end {
	struct raw_hdr	hdr;		/* nr: keys */
	__u64		task;
	__u32		chain;
	__u8		result;		/* enum raw_poll_result */
	__u8		pad[3];
	struct walk_keys keys;		/* nr of their values are sent */
};

/* RAW_WAKE, RAW_TASK_NEW, RAW_TASK_DROP */
struct raw_task {
	struct raw_hdr	hdr;
	__u64		task;
};

struct raw_chain {
	struct raw_hdr	hdr;		/* nr: tokens */
	__u32		chain;
	__u32		fn;		/* task kind in which it was first seen */
	__u32		tokens[WALK_MAX_TOKENS];
};

struct raw_return {
	struct raw_hdr	hdr;
	__u64		addr;		/* run-time address */
};

/*
 * A thread at rest in the kernel, as its own code left it: see the iterator in
 * process.bpf.c. Of one that runs, what it was like when it last entered the kernel.
 */
#define RAW_SAVED_REGS	6	/* rbx, rbp, r12 to r15: those that calls preserve */

struct raw_thread_regs {
	__u32	tid;
	__u32	pad;
	__u64	fs;		/* where its thread-local variables are */
	__u64	ip;
	__u64	sp;
	__u64	saved[RAW_SAVED_REGS];
};

/*
 * A poll that was under way on a thread before there were probes, and a root that was
 * Pending in one of its frames: see poll.bpf.c.
 */
#define RAW_UNDER_WAY	4	/* of one thread, the outermost first */

struct raw_under_way {
	__u32	nr;
	__u32	pad;
	struct {
		__u64	task;
		__u64	sp;	/* rsp at the poll function's entry */
		__u32	fn;
		__u32	root;	/* of a root: 1, or 2 where its thread shares: see root_place */
	}	polls[RAW_UNDER_WAY];
	struct {
		__u64	task;	/* 0: none */
		__u64	sp;	/* as of a poll */
		__u32	fn;
		__u32	root;
	}	pending[RAW_UNDER_WAY];	/* by the number of polls around it */
};

/* Where a probe finds a root: see struct image_root_site. */
struct root_place {
	__u64	vaddr;		/* of the probe */
	__u32	fn;
	__s32	off;
	__u8	reg;		/* enum image_reg */
	__u8	deref;
	__u8	shares;		/* its thread does other things while the root is Pending */
	__u8	pad[5];
};

/* A thread that has been told of its polls that were under way. */
struct raw_seeded {
	__u32	tid;
	__u32	nr;		/* of struct raw_under_way's, from the first on */
	__u32	pending;	/* a bit for each root that is Pending since */
	__u32	pad;
};

/* A thread's batch that is still with it at the end: see the iterator in poll.bpf.c. */
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

/*
 * Why something was not recorded. Who counts a cause has its name: a kernel source
 * (kernel-events/NAME.c), else record/losses.c. Append only.
 */
enum raw_loss {
	LOSS_RING		= 0,	/* ring buffer full */
	LOSS_THREAD_STATE	= 1,	/* no memory for a thread's state */
	LOSS_POLL_NESTED	= 2,	/* polls nested deeper than we follow */
	LOSS_POLL_UNENDED	= 3,	/* a poll's end was not seen */
	LOSS_CHAIN_MAP		= 4,	/* chain table full */
	LOSS_STACK_MAP		= 5,	/* kernel-stack table full */
	LOSS_FD_RANGE		= 6,	/* fd number beyond MAX_FDS */
	LOSS_FD_MAP		= 7,	/* token or socket table full */
	LOSS_EPOLL_EVENTS	= 8,	/* returned events not read */
	LOSS_WALK		= 9,	/* await chain not read: too many at once */
	LOSS_SWITCH		= 10,	/* a thread's return to a CPU, or leave, not seen */
	LOSS_NR
};

/* Per CPU. */
struct counters {
	__u64	loss[LOSS_NR];
	__u64	hits;		/* uprobe programs run */
	__u64	timed;		/* of these, timed: one in COUNTER_SAMPLE … */
	__u64	timed_ns;	/* … and how long they took */
};

#define COUNTER_SAMPLE	64

#define RECIPE_WAYS	8	/* remembered walks of one type of task; a power of two */
#define MAX_RECIPES	4096	/* types of task of which they are */

#define IO_BLOCK	64

struct bpf_config {
	__u32	io_wakers;	/* 1: io_reader, io_writer are valid */
	__u32	io_base;	/* offset from the token of the block that holds both */
	__u32	io_reader;	/* offsets in that block of a waker's data pointer … */
	__u32	io_writer;
	__u32	io_reader_vt;	/* … and of its vtable pointer (0: no waker) */
	__u32	io_writer_vt;
	__u32	io_list;	/* … and of the first of a list of waiters; IO_BLOCK: not known */
	__u32	io_len;		/* bytes of the block, at most IO_BLOCK */
	__u32	nr_rings;
	__u32	nr_cells;
	__u32	hide_switches;	/* tests: one in so many returns to a CPU is not seen */
};

#ifndef __bpf__
/*
 * Bytes of an event of the runtime's probes that may be in a batch; 0: it stands alone in
 * its record, or is a kernel source's (see struct source_event).
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
#endif

#endif /* DWELL_ABI_H */
