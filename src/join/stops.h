/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When the target stood still because it was stopped by a signal.
 *
 * In such a time nothing can happen, and so nothing is late by the program's
 * own fault. What it waits for from outside (data, room, a deadline) goes on
 * waiting as it did until it is there; all that follows, and all that only the
 * program itself can do (wake, poll, look at its timers) is "stopped".
 *
 * Threads are stopped all together, but each when it comes to it: the process
 * stands still from the last moment at which another thread is known to have done
 * something, and until the first one goes on.
 */
#ifndef DWELL_JOIN_STOPS_H
#define DWELL_JOIN_STOPS_H

#include <stdbool.h>
#include <stdint.h>

#define STOPS_MAX	(1u << 20)

struct stop {
	uint64_t	from, to;
	uint64_t	before;		/* ns in the stops before this one */
};

struct stops {
	struct stop	*list;		/* apart, in order */
	uint32_t	 nr, size;
	uint64_t	 last;		/* end of the latest, 0: none */
	uint64_t	 ns;		/* in all of them */
	/* The latest events of two different threads, the later first. */
	struct {
		uint64_t	ts;
		uint32_t	tid;
	}		 active[2];
};

/* Thread @tid ran at @ts; times never go back. */
static inline void stops__active(struct stops *s, uint32_t tid, uint64_t ts)
{
	if (s->active[0].tid != tid)
		s->active[1] = s->active[0];
	s->active[0].ts = ts;
	s->active[0].tid = tid;
}

/* Thread @tid was stopped from @out to @in, which is now. 0 or -ENOMEM. */
int stops__add(struct stops *s, uint32_t tid, uint64_t out, uint64_t in);

uint64_t stops__before_slow(const struct stops *s, uint64_t ts);

/* Time in stops before @ts, in ns. */
static inline uint64_t stops__before(const struct stops *s, uint64_t ts)
{
	return s->last <= ts ? s->ns : stops__before_slow(s, ts);
}

/* Time of [@from, @to) in stops, in ns. */
static inline uint64_t stops__within(const struct stops *s, uint64_t from, uint64_t to)
{
	return s->last > from && from < to ? stops__before(s, to) - stops__before(s, from) : 0;
}

/* Since when it has been stopped, if it is at @now; else @now. */
static inline uint64_t stops__begin(const struct stops *s, uint64_t now)
{
	return s->nr && s->last == now ? s->list[s->nr - 1].from : now;
}

/*
 * Cut [@from, @to) at the stops in it, and hand over each piece, in order of time:
 * those that are in a stop and those between.
 */
void stops__cut(const struct stops *s, uint64_t from, uint64_t to,
		void (*piece)(void *arg, uint64_t from, uint64_t to, bool stopped), void *arg);

void stops__clear(struct stops *s);

#endif /* DWELL_JOIN_STOPS_H */
