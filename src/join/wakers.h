/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who woke: a task, and the await from which it had gone on when it did. Each different
 * pair has a number, since a detail has room for one. It must not know of time.
 */
#ifndef DWELL_JOIN_WAKERS_H
#define DWELL_JOIN_WAKERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash_table.h"

struct waker {
	uint32_t	kind;		/* of the task */
	uint32_t	chain;		/* that it had waited at; 0: its first poll, or not known */
};

struct wakers {
	struct waker		*list;
	size_t			 nr, room;
	struct hash_table	 known;		/* index + 1 by kind and chain */
};

/* The number of @kind and @chain, or -ENOMEM. */
int64_t wakers__number(struct wakers *w, uint32_t kind, uint32_t chain);
const struct waker *wakers__get(const struct wakers *w, uint32_t number);
void wakers__clear(struct wakers *w);

#endif /* DWELL_JOIN_WAKERS_H */
