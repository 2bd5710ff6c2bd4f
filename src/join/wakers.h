/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who woke: a task, and the await from which it had gone on when it did, or a thread; and where
 * in the program, if that was taken. Each different one has a number, since a detail has room for
 * one. It must not know of time.
 */
#ifndef DWELL_JOIN_WAKERS_H
#define DWELL_JOIN_WAKERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "trace/trace.h"

struct waker {
	uint32_t	kind;		/* of the task; UNKNOWN_KIND: it was a thread */
	uint32_t	chain;		/* that it had waited at; 0: its first poll, or not known */
	uint32_t	tid;		/* of the thread; 0: it was a task */
	uint32_t	user;		/* user stack id, as it woke; 0: not taken */
};

struct wakers {
	struct waker		*list;
	size_t			 nr, room;
	struct hash_table	 known;		/* index + 1 by content */
};

/* The number of @waker, or -ENOMEM. */
int64_t wakers__number(struct wakers *w, const struct waker *waker);
const struct waker *wakers__get(const struct wakers *w, uint32_t number);
void wakers__clear(struct wakers *w);

/*
 * Of the stack of a thread that wakes (NULL is fine), the innermost function that is in the
 * program's own sources; NULL: there is none. What libraries do on the way to the wake tells
 * nothing.
 */
const struct trace_user_frame *waker__place(const struct trace_user_stack *st);

#endif /* DWELL_JOIN_WAKERS_H */
