// SPDX-License-Identifier: GPL-2.0
/*
 * Where in the program threads sleep in a poll. See sleepers.h.
 *
 * A stack is read while its thread sleeps, or so it seems: if the thread has woken up
 * meanwhile, its period off the CPU ended before the event of the stack, and the join
 * does not bring the two together.
 */
#include "record/sleepers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/hash_table.h"
#include "dwell.skel.h"
#include "inspect/unwind.h"
#include "kernel-events/sched.h"
#include "kernel-events/source.h"
#include "symbol/source_lines.h"

#define LOOK_NS		20000000ull	/* between looks, at least */
#define LOOK_SHARE	50		/* … and so many times what the last one took */
#define LOOK_MAX_NS	5000000ull	/* at a time: the rings are to be drained */
#define FRAMES		96		/* of one stack that are kept */
#define STACKS		8192
#define NAMED_FRAMES	512		/* of one stack, inlined functions counted */

struct stack {
	uint32_t	nr;
	uint64_t	pcs[];		/* innermost first; behind a call but for the first */
};

struct sleepers {
	struct sleepers_opts	 opts;
	struct unwinder		*unwinder;	/* NULL: nobody has slept so far */
	struct stack		**stacks;	/* their ids count from 1 */
	size_t			 nr_stacks, cap_stacks;
	struct hash_table	 known;		/* id by content */
	uint64_t		 next;		/* when to look, ns of CLOCK_MONOTONIC */
	uint64_t		 sleeps;	/* sleeps_in_polls at the last look */
	bool			 again;		/* a sleep was too short at the last look */
	bool			 full;
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
	unwinder__free(s->unwinder);
	for (size_t i = 0; i < s->nr_stacks; i++)
		free(s->stacks[i]);
	free(s->stacks);
	free(s->queue);
	hash_table__clear(&s->known);
	free(s);
}

/* ---- looks ---- */

static int64_t add_stack(struct sleepers *s, const uint64_t *pcs, uint32_t nr)
{
	struct stack *st;

	if (array__room(&s->stacks, &s->cap_stacks, s->nr_stacks, sizeof(struct stack *)))
		return -ENOMEM;
	st = malloc(sizeof(*st) + nr * sizeof(*pcs));
	if (!st)
		return -ENOMEM;
	st->nr = nr;
	memcpy(st->pcs, pcs, nr * sizeof(*pcs));
	s->stacks[s->nr_stacks++] = st;
	return (int64_t)s->nr_stacks;
}

/* The id of a stack; 0: there are too many. Or -ENOMEM. */
static int64_t stack_id(struct sleepers *s, const uint64_t *pcs, uint32_t nr)
{
	uint64_t key = hash_table__key(&s->known, (const char *)pcs, nr * sizeof(*pcs));

	for (;; key++) {
		struct hash_slot *slot = hash_table__at(&s->known, key);
		const struct stack *st;
		int64_t id;

		if (!slot)
			return -ENOMEM;
		if (!slot->value) {
			s->full |= s->nr_stacks >= STACKS;
			id = s->full ? 0 : add_stack(s, pcs, nr);
			if (id > 0)
				slot->value = (uint64_t)id;
			return id;
		}
		st = s->stacks[slot->value - 1];
		if (st->nr == nr && !memcmp(st->pcs, pcs, nr * sizeof(*pcs)))
			return (int64_t)slot->value;
	}
}

static int look_at(struct sleepers *s, const struct raw_sleeper *raw)
{
	struct unwind_frame f = { .pc = raw->ip, .innermost = true, .sp = raw->sp };
	struct trace_event ev = { .type = TRACE_SLEEP_STACK, .tid = raw->tid };
	uint64_t pcs[FRAMES];
	uint32_t nr = 0;
	int64_t id;

	if (!s->unwinder) {
		s->unwinder = unwinder__new(s->opts.target);
		if (!s->unwinder)
			return -ENOMEM;
	}
	if (unwinder__again(s->unwinder))
		return -ENOMEM;
	memcpy(f.saved, raw->saved, sizeof(f.saved));
	do
		pcs[nr++] = f.pc;
	while (nr < FRAMES && unwinder__step(s->unwinder, &f) == 1);
	id = stack_id(s, pcs, nr);
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

/* ---- names ---- */

static int write_stack(struct sleepers *s, struct source_lines *lines, uint64_t bias, size_t at)
{
	const struct stack *st = s->stacks[at];
	struct source_frame found[NAMED_FRAMES];
	struct trace_user_frame frames[NAMED_FRAMES];
	struct trace_user_stack out = { .id = (uint32_t)at + 1, .frames = frames };

	for (uint32_t i = 0; i < st->nr && out.nr < NAMED_FRAMES; i++) {
		/* A call may be the last instruction of its line. */
		int nr = source_lines__at(lines, st->pcs[i] - bias - (i > 0), found,
					  (int)(NAMED_FRAMES - out.nr));

		if (nr < 0)
			return nr;
		for (int k = 0; k < nr; k++)
			frames[out.nr++] = (struct trace_user_frame){ found[k].function,
								      found[k].path,
								      found[k].line };
	}
	return trace_writer__user_stack(s->opts.trace, &out);
}

int sleepers__finish(struct sleepers *s)
{
	uint64_t bias = s->opts.skel->bss->load_bias;
	struct source_lines *lines;
	char exe[64];
	int err = 0;

	if (!s->nr_stacks || !s->opts.skel->bss->load_bias_known)
		return 0;
	snprintf(exe, sizeof(exe), "/proc/self/fd/%d", s->opts.target->exe_fd);
	lines = source_lines__new(exe, image__debug_path(s->opts.img));
	if (!lines)
		return -ENOMEM;
	for (size_t i = 0; i < s->nr_stacks && !err; i++)
		err = write_stack(s, lines, bias, i);
	source_lines__free(lines);
	if (!err && s->full)
		err = trace_writer__note(s->opts.trace,
					 "threads slept in polls at more different places than are kept "
					 "apart: of some sleeps only the kernel's side is told");
	return err;
}
