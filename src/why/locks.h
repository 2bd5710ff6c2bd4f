/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Locks for which a thread sleeps in a futex: std's and parking_lot's. Such a lock does not
 * know who has it; a guard in a suspended task does.
 *
 * It must not know findings.
 */
#ifndef DWELL_WHY_LOCKS_H
#define DWELL_WHY_LOCKS_H

#include "trace/trace.h"
#include "why/why.h"

struct lock_wait {
	const char	*call;		/* "std's Mutex::lock"; NULL: not known */
	uint64_t	 lock;		/* its address; 0: not known, or it is no lock */
	uint32_t	 held_by;	/* a handle of the picture; WALK_NONE: none was found */
	/*
	 * It holds it now: the future that has the guard is suspended. Else the thread polls that
	 * future, which may have dropped the guard since.
	 */
	bool		 sure;
};

/*
 * What thread @t, asleep in a futex, waits for. @frames: its stack, the innermost function first,
 * of which the first @own are not the program's own.
 */
struct lock_wait lock__of(const struct why *y, const struct picture_thread *t,
			  const struct trace_user_frame *frames, size_t nr, size_t own);

#endif /* DWELL_WHY_LOCKS_H */
