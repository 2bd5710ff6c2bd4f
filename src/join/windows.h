/* SPDX-License-Identifier: GPL-2.0 */
/* The times in which events were lost. */
#ifndef DWELL_JOIN_WINDOWS_H
#define DWELL_JOIN_WINDOWS_H

#include <stdbool.h>
#include <stdint.h>

#define WINDOWS_MAX	4096	/* kept apart; the oldest are merged */

struct windows {
	struct window {
		uint64_t	first, last;
	}		*list;		/* sorted, not overlapping */
	uint32_t	 nr, size;
	uint64_t	 last;		/* end of the latest; 0: none */
};

/* Must be called in order of @first. 0 or -ENOMEM. */
int windows__add(struct windows *w, uint64_t first, uint64_t last);

uint64_t windows__known_until_slow(const struct windows *w, uint64_t since, uint64_t now);

/*
 * The moment up to which a state that began at @since is known: the begin of the first
 * loss after @since, or @now if there was none before @now.
 */
static inline uint64_t windows__known_until(const struct windows *w, uint64_t since, uint64_t now)
{
	if (__builtin_expect(w->last <= since, 1))
		return now;
	return windows__known_until_slow(w, since, now);
}

void windows__clear(struct windows *w);

#endif /* DWELL_JOIN_WINDOWS_H */
