// SPDX-License-Identifier: GPL-2.0
/*
 * Stacks of threads that sleep in a poll and were not captured. See sleepers.h.
 *
 * A stack is read while its thread sleeps, or so it seems: if the thread has woken up
 * meanwhile, its period off the CPU ended before the event of the stack, and the join
 * does not bring the two together.
 */
#include "record/sleepers.h"

#include <errno.h>
#include <stdlib.h>

#include "abi.h"
#include "base/array.h"
#include "base/clock.h"
#include "dwell.skel.h"
#include "kernel-events/sched.h"
#include "kernel-events/source.h"

#define LOOK_NS		20000000ull	/* between looks, at least */
#define LOOK_SHARE	50		/* … and so many times what the last one took */
#define LOOK_MAX_NS	5000000ull	/* at a time: the rings are to be drained */
struct sleepers {
	struct sleepers_opts	 opts;
	uint64_t		 next;		/* when to look, ns of CLOCK_MONOTONIC */
	uint64_t		 sleeps;	/* sleeps_in_polls at the last look */
	bool			 again;		/* a sleep was too short at the last look */
	struct raw_sleeper	*queue;		/* told of, not looked at yet */
	size_t			 nr_queue, cap_queue, queue_at;
};

struct sleepers *sleepers__new(const struct sleepers_opts *opts)
{
	struct sleepers *s = calloc(1, sizeof(*s));

	if (s) {
		s->opts = *opts;
		s->again = true;
	}
	return s;
}

void sleepers__free(struct sleepers *s)
{
	if (!s)
		return;
	free(s->queue);
	free(s);
}

static int look_at(struct sleepers *s, const struct raw_sleeper *raw)
{
	struct trace_event ev = { .type = TRACE_SLEEP_STACK, .tid = raw->tid };
	int64_t id = user_stacks__read(s->opts.stacks, raw);

	if (id <= 0)
		return (int)id;
	ev.ts = clock__now();
	ev.sleep.out = raw->out;
	ev.sleep.stack = (uint32_t)id;
	return trace_writer__event(s->opts.trace, &ev);
}

static int enqueue(void *ctx, const void *record)
{
	struct sleepers *s = ctx;

	if (array__room(&s->queue, &s->cap_queue, s->nr_queue, sizeof(*s->queue)))
		return -ENOMEM;
	s->queue[s->nr_queue++] = *(const struct raw_sleeper *)record;
	return 0;
}

/* Ask who sleeps, if somebody may have gone to sleep since the last time. */
static int ask(struct sleepers *s)
{
	uint64_t sleeps = s->opts.skel->bss->sleeps_in_polls;
	int err;

	s->nr_queue = s->queue_at = 0;
	if (sleeps == s->sleeps && !s->again)
		return 0;
	s->again = sleeps != s->sleeps;
	s->sleeps = sleeps;
	err = source_iterate(s->opts.skel->progs.sched_sleepers, 0, sizeof(struct raw_sleeper),
			     enqueue, s);
	/* Of a target that is gone there are no threads. */
	return err == -ESRCH || err == -ENOENT ? 0 : err;
}

int sleepers__look(struct sleepers *s)
{
	uint64_t begin = clock__now(), took;
	int err = 0;

	if (begin < s->next)
		return 0;
	if (s->queue_at == s->nr_queue)
		err = ask(s);
	do {
		if (!err && s->queue_at < s->nr_queue)
			err = look_at(s, &s->queue[s->queue_at++]);
		took = clock__now() - begin;
	} while (!err && s->queue_at < s->nr_queue && took < LOOK_MAX_NS);
	took *= LOOK_SHARE;
	s->next = begin + (took > LOOK_NS ? took : LOOK_NS);
	return err;
}
