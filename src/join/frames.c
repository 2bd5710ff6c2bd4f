/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The frames of a stack, from what time is added up by. Only this file knows what a stack
 * looks like; it must not know what it is for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "join/crate_path.h"
#include "join/frames.h"
#include "join/probe_stack.h"
#include "trace/task_frames.h"

/*
 * The most frames that all stacks together may have, some 30 frames for each of 250,000
 * stacks. Further stacks have a gap in place of their chain.
 */
#define FRAMES_MAX	(1u << 23)

static int frames__room(struct frames *f, size_t more)
{
	size_t size = f->size ? f->size : 1024;
	struct join_frame *list;

	while (size < f->nr + more)
		size *= 2;
	if (size == f->size)
		return 0;
	list = reallocarray(f->list, size, sizeof(*list));
	if (!list)
		return -ENOMEM;
	f->list = list;
	f->size = size;
	return 0;
}

int frames__add(struct frames *f, const char *name, enum join_frame_kind kind)
{
	int err = name ? frames__room(f, 1) : -ENOMEM;

	if (!err)
		f->list[f->nr++] = (struct join_frame){ name, (uint8_t)kind };
	return err;
}

static int frames__add_gap(struct join *j, struct frames *f, const char *name)
{
	return frames__add(f, frame_names__safe(j->names, name), JOIN_FRAME_GAP);
}

static int frames__add_stack(struct join *j, struct frames *f, uint32_t id)
{
	const struct trace_stack *st = trace_reader__stack(j->reader, id);
	int err = 0;

	for (uint32_t i = st ? st->nr : 0; i-- && !err;)
		err = frames__add(f, frame_names__safef(j->names, "%s_[k]", st->frames[i]),
				  JOIN_FRAME_KERNEL);
	return err;
}

static int frames__add_chain(struct join *j, struct frames *f, const struct account *account)
{
	int err, nr;

	if (f->nr > FRAMES_MAX && account->chain != NO_CHAIN)
		return frames__add_gap(j, f, "[gap: too many different stacks]");
	err = frames__room(f, ACCOUNT_FRAMES_MAX);
	if (err)
		return err;
	nr = accounts__frames(j->accounts, account->chain, account->branch, f->list + f->nr);
	if (nr < 0)
		return nr;
	f->nr += (size_t)nr;
	return 0;
}

int frames__add_task(struct join *j, struct frames *f, const struct account *account)
{
	const struct trace_host *host = trace_reader__host(j->reader);
	int err;

	err = frames__add(f, frame_names__safe(j->names, *host->comm ? host->comm : "[unknown]"),
			  JOIN_FRAME_COMM);
	if (!err)
		err = frames__add(f, accounts__task_name(j->accounts, account->kind),
				  JOIN_FRAME_TASK);
	return err ? err : frames__add_chain(j, f, account);
}

static const struct sleep *sum_sleep(const struct join *j, const struct sum_key *k)
{
	return k->detail.kind == DETAIL_SLEEP ? sleeps__get(&j->sleeps, k->detail.id) : NULL;
}

/* The part of a sum. A kernel stack that shows a uprobe's trap makes it PART_PROBE. */
static enum part sum_part(const struct join *j, const struct sum_key *k)
{
	const struct sleep *s = sum_sleep(j, k);

	if (k->part == PART_NONE && s && probe_stack__is(trace_reader__stack(j->reader, s->stack)))
		return PART_PROBE;
	return k->part;
}

const char *frames__place_name(struct join *j, const struct trace_user_frame *f)
{
	const char *base = strrchr(f->path, '/');
	char crate[CRATE_PATH_MAX];

	base = base ? base + 1 : f->path;
	if (!f->line || !*base)
		return frame_names__safe(j->names, *f->function ? f->function : "?");
	return frame_names__safef(j->names, "%s (%s:%u)", f->function,
				  crate_path__needed(base) ? crate_path(f->path, crate) : base,
				  f->line);
}

/*
 * The functions of user stack @id of a thread in a poll, from the task's own inwards: see
 * task_frames__of(). Where the poll is not found they are all there is, behind a gap.
 */
static int frames__add_user(struct join *j, struct frames *f, uint32_t id)
{
	const struct trace_user_stack *st = trace_reader__user_stack(j->reader, id);
	uint32_t of_task = st ? task_frames__of(st) : 0;
	uint32_t nr = of_task ? of_task : st ? st->nr : 0;
	int err = 0;

	if (f->nr > FRAMES_MAX)
		return frames__add_gap(j, f, "[gap: too many different stacks]");
	if (!nr)
		err = frames__add_gap(j, f, "[gap: user stack not known]");
	else if (!of_task && st->end == TRACE_STACK_CUT)
		err = frames__add_gap(j, f, st->frames[--nr].function);
	else if (!of_task)
		err = frames__add_gap(j, f, st->end == TRACE_STACK_START ?
						    "[gap: poll not found in the user stack]" :
						    "[gap: user stack not known up to the poll]");
	while (nr-- && !err)
		err = frames__add(f, frames__place_name(j, &st->frames[nr]), JOIN_FRAME_PLACE);
	return err;
}

/* Where in the program the thread sleeps, on which file, and in what; before that in which job. */
static int frames__add_sleep(struct join *j, struct frames *f, const struct sleep *s)
{
	const char *on;
	int err = 0;

	if (s->job)
		err = frames__add(f, accounts__task_detail(j->accounts, "", s->job - 1),
				  JOIN_FRAME_DETAIL);
	if (!err && s->user)
		err = frames__add_user(j, f, s->user);
	if (!err && s->blocks_on)
		return frames__add(f,
				   frame_names__safef(j->names, "block_on of %s",
						      accounts__task_name(j->accounts, s->root)),
				   JOIN_FRAME_DETAIL);
	on = sleep__on(s, trace_reader__stack(j->reader, s->stack)) ?
	     trace_reader__string(j->reader, s->on) : NULL;
	if (!err && on)
		err = frames__add(f, frame_names__safe(j->names, on), JOIN_FRAME_DETAIL);
	return err ? err : frames__add_stack(j, f, s->stack);
}

int frames__add_sample(struct join *j, struct frames *f, uint32_t sample)
{
	const struct sample *s;
	int err;

	if (!sample)
		return 0;
	if (sample == NOT_DIVIDED)
		return frames__add_gap(j, f, "[gap: too many different stacks]");
	s = samples__get(&j->samples, sample - 1);
	err = frames__add_user(j, f, s->user);
	return err ? err : frames__add_stack(j, f, s->kernel);
}

/* An operation, and in what a thread of the kernel's slept for it. */
static int frames__add_operation(struct join *j, struct frames *f, uint32_t id)
{
	uint32_t stack = 0;
	int err = frames__add(f, driver__operation(j, id, &stack), JOIN_FRAME_DETAIL);

	return err ? err : frames__add_stack(j, f, stack);
}

/* The segment, the part and the detail. */
static int frames__add_what(struct join *j, struct frames *f, const struct sum_key *k,
			    enum join_frame_kind kind)
{
	enum part part = sum_part(j, k);
	int err;

	err = frames__add(f, frame_names__safe(j->names, join_segment__frame(k->segment)), kind);
	if (!err && part != PART_NONE)
		err = frames__add(f, frame_names__safe(j->names, part__name(part)),
				  JOIN_FRAME_PART);
	if (err || k->detail.kind == DETAIL_NONE)
		return err;
	if (k->detail.kind == DETAIL_SLEEP)
		return frames__add_sleep(j, f, sum_sleep(j, k));
	if (k->detail.kind == DETAIL_OPERATION)
		return frames__add_operation(j, f, k->detail.id);
	return frames__add(f, detail_name(j, k->detail), JOIN_FRAME_DETAIL);
}

int frames__add_sum(struct join *j, struct frames *f, const struct sum_key *k)
{
	int err = frames__add_task(j, f, accounts__account(j->accounts, k->account));

	return err ? err : frames__add_what(j, f, k, JOIN_FRAME_SEGMENT);
}

int frames__add_followed(struct join *j, struct frames *f, const struct sum_key *k)
{
	int err = frames__add_chain(j, f, accounts__account(j->accounts, k->account));

	return err ? err : frames__add_what(j, f, k, JOIN_FRAME_FOLLOWED);
}
