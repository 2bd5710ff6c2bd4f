// SPDX-License-Identifier: GPL-2.0
/*
 * Polls that are under way when recording begins. See under_way.h.
 *
 * A word of the stack that is the address behind a runtime's call of a poll
 * function is that call's return address, or is left over from an earlier one. The
 * task's address is in a register that calls preserve, or was saved by one of the
 * functions that have been called since, so below that word. What is left over
 * leads to no task that is being polled, which the task's own state tells.
 */
#include "record/under_way.h"

#include <stdlib.h>
#include <string.h>

#define STACK_BYTES	(256u << 10)	/* of a thread's stack that are looked at */
#define CALLER_WORDS	32		/* above the return address: the runtime's own frame */
#define CANDIDATES	8		/* different tasks that may be meant */

struct under_way {
	const struct target	*target;
	const struct alive	*alive;
	uint64_t		 bias;
	uint64_t		*returns;	/* link-time addresses, sorted */
	size_t			 nr_returns;
	uint64_t		 stack[STACK_BYTES / 8];
	size_t			 nr_words;
	uint64_t		 sp;
};

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

struct under_way *under_way__new(const struct image *img, const struct target *target,
				 uint64_t bias, const struct alive *alive)
{
	struct under_way *u = calloc(1, sizeof(*u));
	const struct image_return *r;

	if (!u)
		return NULL;
	u->target = target;
	u->alive = alive;
	u->bias = bias;
	r = image__returns(img, &u->nr_returns);
	u->returns = calloc(u->nr_returns + 1, sizeof(*u->returns));
	if (!u->returns) {
		free(u);
		return NULL;
	}
	for (size_t i = 0; i < u->nr_returns; i++)
		u->returns[i] = r[i].ret;
	qsort(u->returns, u->nr_returns, sizeof(*u->returns), by_value);
	return u;
}

void under_way__free(struct under_way *u)
{
	if (!u)
		return;
	free(u->returns);
	free(u);
}

static bool is_return(const struct under_way *u, uint64_t word)
{
	word -= u->bias;
	return u->nr_returns && word >= u->returns[0] && word <= u->returns[u->nr_returns - 1] &&
	       bsearch(&word, u->returns, u->nr_returns, sizeof(word), by_value);
}

/* Tasks that are being polled, among words that were looked at. */
struct candidates {
	struct {
		uint64_t	task;
		uint32_t	fn;
	}		list[CANDIDATES];
	unsigned int	nr;
};

static void consider(const struct under_way *u, struct candidates *c,
		     const struct raw_under_way *taken, uint64_t word)
{
	uint32_t fn;

	/* neither a small number, nor a part of the stack, nor outside of user memory */
	if (word < 4096 || word % 8 || word >> 47 || word - u->sp < u->nr_words * 8)
		return;
	for (unsigned int i = 0; i < c->nr; i++)
		if (c->list[i].task == word)
			return;
	for (unsigned int i = 0; i < taken->nr; i++)
		if (taken->polls[i].task == word)
			return;
	if (c->nr == CANDIDATES || !alive__polled(u->alive, word, &fn))
		return;
	c->list[c->nr].task = word;
	c->list[c->nr++].fn = fn;
}

/*
 * The task whose poll returns to the word at @at of the stack. @from: where the
 * frames begin that its poll has called since. How many it may be: if it is not
 * one, none is taken.
 */
static unsigned int find_task(const struct under_way *u, const struct raw_thread_regs *regs,
			      size_t from, size_t at, struct raw_under_way *out)
{
	struct candidates c = { .nr = 0 };
	size_t end = at + CALLER_WORDS < u->nr_words ? at + CALLER_WORDS : u->nr_words;

	for (size_t i = 0; !from && i < RAW_SAVED_REGS; i++)
		consider(u, &c, out, regs->saved[i]);
	for (size_t i = from; i < at; i++)
		consider(u, &c, out, u->stack[i]);
	/* Nobody has saved it below: the runtime, which called, has it still. */
	for (size_t i = at + 1; !c.nr && i < end; i++)
		consider(u, &c, out, u->stack[i]);
	if (c.nr != 1)
		return c.nr;
	out->polls[out->nr].task = c.list[0].task;
	out->polls[out->nr].fn = c.list[0].fn;
	out->polls[out->nr++].sp = u->sp + at * 8;
	return 1;
}

/* From the innermost first, as they are found, to the outermost first. */
static void turn_round(struct raw_under_way *w)
{
	for (unsigned int i = 0; i < w->nr / 2; i++) {
		typeof(w->polls[0]) swap = w->polls[i];

		w->polls[i] = w->polls[w->nr - 1 - i];
		w->polls[w->nr - 1 - i] = swap;
	}
}

void under_way__of(struct under_way *u, const struct raw_thread_regs *regs,
		   struct raw_under_way *out, unsigned int *untold)
{
	size_t from = 0;
	ssize_t n;

	memset(out, 0, sizeof(*out));
	u->sp = regs->sp;
	n = target__read_some(u->target, regs->sp, u->stack, sizeof(u->stack));
	u->nr_words = n > 0 ? (size_t)n / 8 : 0;
	if (regs->sp % 8)
		return;
	for (size_t i = 0; i < u->nr_words && out->nr < RAW_UNDER_WAY; i++) {
		unsigned int tasks;

		if (!is_return(u, u->stack[i]))
			continue;
		tasks = find_task(u, regs, from, i, out);
		if (tasks == 1)
			from = i + 1;
		/* of none that is being polled, the word is left over */
		*untold += tasks > 1;
	}
	turn_round(out);
}
