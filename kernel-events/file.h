/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The events of files that threads sleep on, between kernel and recorder. Defined once for
 * both sides.
 */
#ifndef DWELL_FILE_EVENTS_H
#define DWELL_FILE_EVENTS_H

#include "kernel-events/fd.h"

enum raw_file_id {
	FILE_NONE	= 0,
	FILE_MANY	= 1,	/* one of more than can be told apart */
	FILE_FIRST	= 2,
};

#define RAW_FILE_NAME	64

/* What a file is, sent before anything refers to its id. */
struct raw_file {
	struct raw_fd	fd;	/* fd.fd is -1 if it is mapped: then only mode and ino are set */
	__u64		dev;	/* of its file system, as the kernel has it: major << 20 | minor */
	__u32		id;
	__u32		pad;
	char		name[RAW_FILE_NAME];	/* the last part of its path; "": not known */
};

#ifndef __bpf__
_Static_assert(sizeof(struct raw_file) == 328, "raw_file");
#endif

#endif /* DWELL_FILE_EVENTS_H */
