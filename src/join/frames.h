/* SPDX-License-Identifier: GPL-2.0 */
/* The frames of a stack, from what time is added up by. Private to src/join. */
#ifndef DWELL_JOIN_FRAMES_H
#define DWELL_JOIN_FRAMES_H

#include "join/timeline.h"

#define NOT_DIVIDED	UINT32_MAX

/* A growing array of frames. Rows point into it once it is complete. */
struct frames {
	struct join_frame	*list;
	size_t			 nr, size;
};

/* "app::Db::get (db.rs:12)". NULL: no memory. */
const char *frames__place_name(struct join *j, const struct trace_user_frame *f);
/* All add to the end. 0 or -ENOMEM; @name NULL: no memory. */
int frames__add(struct frames *f, const char *name, enum join_frame_kind kind);
/* The process, the kind of task, and the chain that it waits at. */
int frames__add_task(struct join *j, struct frames *f, const struct account *account);
/* These, and the segment, the part and the detail. */
int frames__add_sum(struct join *j, struct frames *f, const struct sum_key *k);
/* What stands below a wait for the task of @k: the same without the process and the task. */
int frames__add_followed(struct join *j, struct frames *f, const struct sum_key *k);
/*
 * What stands below time on a CPU that samples divide: the functions of sample number @sample - 1
 * of the program and the kernel; 0: nothing; NOT_DIVIDED: that there would be too many.
 */
int frames__add_sample(struct join *j, struct frames *f, uint32_t sample);

#endif /* DWELL_JOIN_FRAMES_H */
