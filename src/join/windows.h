/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Windows of time in which events are missing.
 */
#ifndef DWELL_JOIN_WINDOWS_H
#define DWELL_JOIN_WINDOWS_H

#include <stdbool.h>
#include <stdint.h>

#define WINDOWS_MAX	4096	/* kept apart; older ones are joined */

struct windows {
	struct window {
		uint64_t	first, last;
	}		*list;		/* apart, in order */
	uint32_t	 nr, size;
	uint64_t	 last;		/* end of the latest, 0: none */
};

/* In order of @first. 0 or -ENOMEM. */
int windows__add(struct windows *w, uint64_t first, uint64_t last);

uint64_t windows__cut_slow(const struct windows *w, uint64_t since, uint64_t now);

/*
 * What was known at @since is known until the moment returned, which is @now
 * if nothing was lost between.
 */
static inline uint64_t windows__cut(const struct windows *w, uint64_t since, uint64_t now)
{
	return __builtin_expect(w->last <= since, 1) ? now : windows__cut_slow(w, since, now);
}

void windows__clear(struct windows *w);

#endif /* DWELL_JOIN_WINDOWS_H */
