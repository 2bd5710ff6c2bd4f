/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The times in which the target was stopped by a signal (SIGSTOP, SIGTSTP, …).
 *
 * Nothing that happens late in such a time is the program's fault. Waiting for
 * something outside (data, room, a deadline) goes on until it happens. All that the
 * program itself has to do after that (wake, poll, look at its timers) is "stopped"
 * until it runs again.
 *
 * All threads are stopped, but each at its own moment. A stop lasts from the last
 * moment at which another thread is known to have run until the first thread runs
 * again.
 */
#ifndef DWELL_JOIN_STOPS_H
#define DWELL_JOIN_STOPS_H

#include <stdbool.h>
#include <stdint.h>

#define STOPS_MAX	(1u << 20)

struct stop {
	uint64_t	from, to;
	uint64_t	before;		/* ns of all earlier stops */
};

struct stops {
	struct stop	*list;		/* sorted, not overlapping */
	uint32_t	 nr, size;
	uint64_t	 last;		/* end of the latest; 0: none */
	uint64_t	 ns;		/* ns of all stops */
	/* The latest events of two different threads, the later one first. */
	struct {
		uint64_t	ts;
		uint32_t	tid;
	}		 active[2];
};

/* Thread @tid ran at @ts; @ts never decreases. */
static inline void stops__active(struct stops *s, uint32_t tid, uint64_t ts)
{
	if (s->active[0].tid != tid)
		s->active[1] = s->active[0];
	s->active[0].ts = ts;
	s->active[0].tid = tid;
}

/* Thread @tid was stopped from @out to @in, which is the current time. 0 or -ENOMEM. */
int stops__add(struct stops *s, uint32_t tid, uint64_t out, uint64_t in);

uint64_t stops__before_slow(const struct stops *s, uint64_t ts);

/* The time in stops before @ts, in ns. */
static inline uint64_t stops__before(const struct stops *s, uint64_t ts)
{
	return s->last <= ts ? s->ns : stops__before_slow(s, ts);
}

/* The time in stops within [@from, @to), in ns. */
static inline uint64_t stops__within(const struct stops *s, uint64_t from, uint64_t to)
{
	return s->last > from && from < to ? stops__before(s, to) - stops__before(s, from) : 0;
}

/* The begin of the stop that @now is in; @now if it is in none. */
static inline uint64_t stops__begin(const struct stops *s, uint64_t now)
{
	return s->nr && s->last == now ? s->list[s->nr - 1].from : now;
}

/*
 * Divide [@from, @to) at its stops and call @piece for each piece, in order of time:
 * the stops, and the times between them.
 */
void stops__divide(const struct stops *s, uint64_t from, uint64_t to,
		   void (*piece)(void *arg, uint64_t from, uint64_t to, bool stopped), void *arg);

void stops__clear(struct stops *s);

#endif /* DWELL_JOIN_STOPS_H */
