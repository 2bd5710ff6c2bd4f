// SPDX-License-Identifier: GPL-2.0
/*
 * User stacks of a recording, and their names. See user_stacks.h.
 */
#include "record/user_stacks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash_table.h"
#include "symbol/source_lines.h"

#define STACKS		8192
#define NAMED_FRAMES	512		/* of one stack, inlined functions counted */

struct stack {
	uint32_t	nr;
	uint64_t	pcs[];		/* innermost first; behind a call but for the first */
};

struct user_stacks {
	struct stack		**list;		/* their ids count from 1 */
	size_t			 nr, cap;
	struct hash_table	 known;		/* id by content */
	bool			 full;
	uint64_t		*returns;	/* run-time addresses */
	size_t			 nr_returns, cap_returns;
};

struct user_stacks *user_stacks__new(void)
{
	return calloc(1, sizeof(struct user_stacks));
}

void user_stacks__free(struct user_stacks *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nr; i++)
		free(s->list[i]);
	free(s->list);
	free(s->returns);
	hash_table__clear(&s->known);
	free(s);
}

int user_stacks__add_return(struct user_stacks *s, uint64_t ret)
{
	if (array__room(&s->returns, &s->cap_returns, s->nr_returns, sizeof(*s->returns)))
		return -ENOMEM;
	s->returns[s->nr_returns++] = ret;
	return 0;
}

static int64_t add_stack(struct user_stacks *s, const uint64_t *pcs, uint32_t nr)
{
	struct stack *st;

	if (array__room(&s->list, &s->cap, s->nr, sizeof(struct stack *)))
		return -ENOMEM;
	st = malloc(sizeof(*st) + nr * sizeof(*pcs));
	if (!st)
		return -ENOMEM;
	st->nr = nr;
	memcpy(st->pcs, pcs, nr * sizeof(*pcs));
	s->list[s->nr++] = st;
	return (int64_t)s->nr;
}

int64_t user_stacks__id(struct user_stacks *s, const uint64_t *pcs, uint32_t nr)
{
	uint64_t key = hash_table__key(&s->known, (const char *)pcs, nr * sizeof(*pcs));

	for (;; key++) {
		struct hash_slot *slot = hash_table__at(&s->known, key);
		const struct stack *st;
		int64_t id;

		if (!slot)
			return -ENOMEM;
		if (!slot->value) {
			s->full |= s->nr >= STACKS;
			id = s->full ? 0 : add_stack(s, pcs, nr);
			if (id > 0)
				slot->value = (uint64_t)id;
			return id;
		}
		st = s->list[slot->value - 1];
		if (st->nr == nr && !memcmp(st->pcs, pcs, nr * sizeof(*pcs)))
			return (int64_t)slot->value;
	}
}

int64_t user_stacks__take(struct user_stacks *s, struct unwinder *u, struct unwind_frame *f)
{
	uint64_t pcs[USER_STACK_FRAMES];
	uint32_t nr = 0;

	do
		pcs[nr++] = f->pc;
	while (nr < USER_STACK_FRAMES && unwinder__step(u, f) == 1);
	return user_stacks__id(s, pcs, nr);
}

/* ---- what is the task's ---- */

/* Does a poll function return to @pc? */
static bool is_return(const struct user_stacks *s, const struct user_stacks_opts *opts,
		      uint64_t pc)
{
	const struct image_return *known;
	size_t nr;

	known = image__returns(opts->img, &nr);
	for (size_t i = 0; i < nr; i++)
		if (known[i].ret == pc - opts->bias)
			return true;
	for (size_t i = 0; i < s->nr_returns; i++)
		if (s->returns[i] == pc)
			return true;
	return false;
}

/* Is @vaddr in a function that polls a root there? */
static bool polls_root(const struct user_stacks_opts *opts, uint64_t vaddr)
{
	const struct image_root_range *ranges;
	size_t nr;

	ranges = image__root_ranges(opts->img, &nr);
	for (size_t i = 0; i < nr; i++)
		if (ranges[i].polling && vaddr >= ranges[i].start && vaddr < ranges[i].end)
			return true;
	return false;
}

/*
 * The functions at one address, [@first, @nr), have a root's poll among them: which of them
 * belong to the block_on, if it was inlined there.
 */
static uint32_t begin_of_block_on(const struct trace_user_frame *frames, uint32_t first,
				  uint32_t nr)
{
	while (first < nr && !strstr(frames[first].function, "::block_on"))
		first++;
	return first;
}

/* "tokio::runtime::task::raw::RawTask::poll": 5 */
static size_t crate_len(const char *function)
{
	const char *colon = strstr(function, "::");

	return colon ? (size_t)(colon - function) : 0;
}

/* Is @function std's, or of the crate of @poller? */
static bool of_runtime(const char *function, const char *poller)
{
	static const char *const std[] = { "std", "core", "alloc" };
	size_t len = crate_len(function);

	if (len && len == crate_len(poller) && !strncmp(function, poller, len))
		return true;
	for (size_t i = 0; i < sizeof(std) / sizeof(*std); i++)
		if (len == strlen(std[i]) && !strncmp(function, std[i], len))
			return true;
	return false;
}

/*
 * Of the frames inside a poll, the innermost @nr, those that are the task's: without what the
 * runtime has around each future. @poller is the function that polls.
 */
static uint32_t without_runtime(const struct trace_user_frame *frames, uint32_t nr,
				const char *poller)
{
	uint32_t own = nr;

	while (own && of_runtime(frames[own - 1].function, poller))
		own--;
	return own ? own : nr;	/* a future of the runtime itself */
}

/* ---- names ---- */

/* Where the frames of a stack that are inside the innermost poll end; 0: not found so far. */
static uint32_t end_of_poll(const struct user_stacks *s, const struct user_stacks_opts *opts,
			    const struct trace_user_stack *st, uint64_t pc, bool innermost,
			    uint32_t first)
{
	if (!innermost && is_return(s, opts, pc))
		return first;
	if (polls_root(opts, pc - opts->bias - !innermost))
		return begin_of_block_on(st->frames, first, st->nr);
	return 0;
}

static int write_stack(const struct user_stacks *s, const struct user_stacks_opts *opts,
		       struct source_lines *lines, size_t at)
{
	uint32_t first, inside = 0;
	const struct stack *st = s->list[at];
	struct source_frame found[NAMED_FRAMES];
	struct trace_user_frame frames[NAMED_FRAMES];
	struct trace_user_stack out = { .id = (uint32_t)at + 1, .frames = frames };

	for (uint32_t i = 0; i < st->nr && out.nr < NAMED_FRAMES; i++) {
		/* A call may be the last instruction of its line. */
		int nr = source_lines__at(lines, st->pcs[i] - opts->bias - (i > 0), found,
					  (int)(NAMED_FRAMES - out.nr));

		if (nr < 0)
			return nr;
		first = out.nr;
		for (int k = 0; k < nr; k++)
			frames[out.nr++] = (struct trace_user_frame){ found[k].function,
								      found[k].path,
								      found[k].line };
		if (!inside)
			inside = end_of_poll(s, opts, &out, st->pcs[i], !i, first);
	}
	if (inside)
		out.of_task = without_runtime(frames, inside,
					      inside < out.nr ? frames[inside].function : "");
	return trace_writer__user_stack(opts->trace, &out);
}

int user_stacks__write(struct user_stacks *s, const struct user_stacks_opts *opts)
{
	struct source_lines *lines;
	char exe[64];
	int err = 0;

	if (!s->nr)
		return 0;
	snprintf(exe, sizeof(exe), "/proc/self/fd/%d", opts->target->exe_fd);
	lines = source_lines__new(exe, image__debug_path(opts->img));
	if (!lines)
		return -ENOMEM;
	for (size_t i = 0; i < s->nr && !err; i++)
		err = write_stack(s, opts, lines, i);
	source_lines__free(lines);
	if (!err && s->full)
		err = trace_writer__note(opts->trace,
					 "there were more different user stacks than are kept apart: of "
					 "some sleeps and samples only the kernel's side is told");
	return err;
}
