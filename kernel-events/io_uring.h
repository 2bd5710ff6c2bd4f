/* SPDX-License-Identifier: GPL-2.0 */
/*
 * io_uring's events between kernel and recorder, defined once for both.
 *
 * A ring is an instance of io_uring, numbered in the order in which it was first seen. An
 * operation is identified by its ring and its user_data, which the program reuses: the
 * last submission counts.
 */
#ifndef DWELL_IO_URING_EVENTS_H
#define DWELL_IO_URING_EVENTS_H

#include "abi.h"

#define MAX_RINGS	4096

/* Why an operation has no descriptor. */
#define URING_NO_FD	(-1)		/* it is on none, or names its file by a path */
#define URING_FIXED_FD	(-2)		/* on a registered file that could not be read */
/*
 * This and smaller numbers: a registered file. It has an index in the ring's table, which may
 * be another file's later; so each file has a number of its own, also if it is in several places.
 */
#define URING_FILE	(-16)
/* With the opcode: what the operation opens becomes a registered file, and no descriptor. */
#define URING_DIRECT	0x80

struct raw_uring_submit {
	struct raw_hdr	hdr;
	__u64		user_data;
	__u32		ring;
	__s32		fd;		/* or URING_NO_FD, … */
	__u8		opcode;		/* enum io_uring_op; and URING_DIRECT */
	__u8		pad[7];
};

/* A submission of an operation that names its file by a path. */
#define RAW_URING_PATH_MAX	128	/* with the zero byte; longer paths are cut */

struct raw_uring_path {
	struct raw_hdr	hdr;
	__u64		user_data;
	__u32		ring;
	__u8		opcode;
	__u8		pad[3];
	char		path[RAW_URING_PATH_MAX];
};

/* The same numbers as in src/trace/event.h; the decoder checks this at compile time. */
enum raw_uring_step {
	RAW_URING_ARMED		= 1,
	RAW_URING_READY		= 2,
	RAW_URING_PUNTED	= 3,
	RAW_URING_DONE		= 4,
	RAW_URING_OVERFLOW	= 5,
};

struct raw_uring_step_of {
	struct raw_hdr	hdr;
	__u64		user_data;
	__u32		ring;
	__s32		res;		/* ARMED: the events that it waits for; DONE: the result */
	/* DONE: of the completion (IORING_CQE_F_MORE …); of a poll's, with enum fd_turn << 16 */
	__u32		flags;
	__u8		step;		/* enum raw_uring_step */
	__u8		pad[3];
};

/* io_uring_enter has returned to a thread that had asked it to wait. */
struct raw_uring_wait {
	struct raw_hdr	hdr;
	__s32		nr;
	__s32		fd;
};

/* One of the target's rings, by the address of the kernel's io_ring_ctx. */
struct uring_ring {
	__u32		nr;
	__s32		fd;		/* -1: not known */
};

/* A ring that was open at attach, as the iterator over the target's files sends it. */
struct raw_uring_open {
	__u64		ctx;
	__s32		fd;
	__u32		pad;
};

/* The file that a descriptor was when the target last used it in an operation. */
struct uring_fd {
	__u64		file;
	__u64		ino;
};

/* A registered file, by its address: its number, URING_FILE or less. */
struct uring_file {
	__u64		ino;
	__s32		nr;
	__u32		pad;
};

#define MAX_URING_FILES	4096	/* those used longest ago are forgotten */

/* A TCP connection that the target polls by operations, by the address of its file. */
struct uring_talk {
	__u64	sk;
	__u32	written;	/* as in struct fd_state */
	__u8	came;		/* enum uring_came */
	__u8	pad[3];
};

enum uring_came {
	URING_CAME_NEVER	= 0,	/* the connection has received nothing */
	URING_CAME_BEFORE	= 1,	/* it had, when it was polled first: when is not known */
	URING_CAME_SEEN		= 2,
};

#define MAX_TALKS	16384	/* those polled longest ago are forgotten */

#ifndef __bpf__
_Static_assert(sizeof(struct uring_talk) == 16, "uring_talk");
_Static_assert(sizeof(struct raw_uring_submit) == 40, "raw_uring_submit");
_Static_assert(sizeof(struct raw_uring_submit) <= BATCH_EVENT_MAX, "batch");
_Static_assert(sizeof(struct raw_uring_step_of) == 40, "raw_uring_step_of");
_Static_assert(sizeof(struct raw_uring_step_of) <= BATCH_EVENT_MAX, "batch");
_Static_assert(sizeof(struct raw_uring_wait) == 24, "raw_uring_wait");
_Static_assert(sizeof(struct raw_uring_wait) <= BATCH_EVENT_MAX, "batch");
_Static_assert(sizeof(struct raw_uring_open) == 16, "raw_uring_open");
_Static_assert(sizeof(struct raw_uring_path) == 160, "raw_uring_path");
#endif

#endif /* DWELL_IO_URING_EVENTS_H */
