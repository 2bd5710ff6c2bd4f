// SPDX-License-Identifier: GPL-2.0
/*
 * Finds polls in progress when the recording begins. See under_way.h.
 *
 * A word on the stack that equals the address behind a runtime's call of a poll
 * function is that call's return address, or left over from an earlier call. The task's
 * address is in a callee-saved register, or was saved by one of the functions called
 * since, so it is below that word. Frames are found by the tables for exceptions
 * (unwind.h), or, where there is none, by words that look like return addresses. A
 * left-over word leads to no task that is being polled, which the task's own state
 * shows, or to one that another thread polls (claims.h).
 */
#include "inspect/under_way.h"

#include <stdlib.h>
#include <string.h>

#include "base/bisect.h"
#include "inspect/claims.h"
#include "inspect/unwind.h"

#define STACK_BYTES	(256u << 10)	/* of a thread's stack that are searched */
#define CALLER_WORDS	32		/* above the return address: the runtime's frame */
#define CLAIMS_OF_THREAD	16	/* return addresses that are examined */
#define FRAMES		512
#define ROOT_RANGES	64	/* ranges that contain each other */
#define READS_OF_THREAD	16384		/* words of a stack that are followed */

struct under_way {
	const struct process	*target;
	const struct alive	*alive;
	uint64_t		 bias;
	const struct image_root_range *roots;	/* link-time addresses, sorted */
	size_t			 nr_roots;
	uint64_t		*returns;	/* link-time addresses, sorted */
	size_t			 nr_returns;
	uint64_t		 stack[STACK_BYTES / 8];
	size_t			 nr_words;
	uint64_t		 sp;
	unsigned int		 reads;		/* left for the current thread */
	struct unwinder		*unwinder;
	/* a root whose own frame does not tell its location */
	struct claim		 unplaced;
	const struct image_fn	*fns;
	struct claims		 claims;
	size_t			 next;		/* the next claim to return */
};

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

struct under_way *under_way__new(const struct image *img, const struct process *target,
				 uint64_t bias, const struct alive *alive)
{
	struct under_way *u = calloc(1, sizeof(*u));
	const struct image_return *r;
	size_t nr;

	if (!u)
		return NULL;
	u->target = target;
	u->alive = alive;
	u->bias = bias;
	u->roots = image__root_ranges(img, &u->nr_roots);
	u->fns = image__fns(img, &nr);
	r = image__returns(img, &u->nr_returns);
	u->returns = calloc(u->nr_returns + 1, sizeof(*u->returns));
	u->unwinder = unwinder__new(target);
	if (!u->returns || !u->unwinder) {
		under_way__free(u);
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
	claims__free(&u->claims);
	unwinder__free(u->unwinder);
	free(u->returns);
	free(u);
}

static bool is_return(const struct under_way *u, uint64_t word)
{
	word -= u->bias;
	return u->nr_returns && word >= u->returns[0] && word <= u->returns[u->nr_returns - 1] &&
	       bsearch(&word, u->returns, u->nr_returns, sizeof(word), by_value);
}

/* The innermost range of a block_on's code that contains @pc; NULL: none. */
static const struct image_root_range *root_range(const struct under_way *u, uint64_t pc)
{
	size_t at = BISECT(u->nr_roots, k, u->roots[k].start <= pc - u->bias);
	const struct image_root_range *holder = NULL;

	pc -= u->bias;
	for (unsigned int i = 0; i < ROOT_RANGES && at-- > 0; i++) {
		if (pc < u->roots[at].start || pc >= u->roots[at].end)
			continue;
		if (!u->roots[at].holds)
			return &u->roots[at];
		if (!holder)
			holder = &u->roots[at];
	}
	return holder;
}

/* The location of the root of @r, from its frame; 0: not known. */
static uint64_t root_in(const struct under_way *u, const struct image_root_range *r,
			const struct unwind_frame *f)
{
	/* the registers, in the order of struct raw_thread_regs */
	static const uint8_t saved[RAW_SAVED_REGS] = { IMAGE_REG_BX, IMAGE_REG_BP, IMAGE_REG_R12,
						       IMAGE_REG_R13, IMAGE_REG_R14,
						       IMAGE_REG_R15 };
	uint64_t at = 0;

	if (r->loc.reg == IMAGE_REG_SP)
		at = f->sp;
	for (size_t i = 0; i < RAW_SAVED_REGS; i++)
		if (saved[i] == r->loc.reg)
			at = f->saved[i];
	if (!at)
		return 0;
	at += (uint64_t)(int64_t)r->loc.off;
	return r->loc.deref && process__read(u->target, at, &at, sizeof(at)) ? 0 : at;
}

/*
 * Checks whether the frame at @f, of a function that has called another one, belongs to
 * a block_on, or to its caller, which tells the root's location if block_on does not.
 */
static int look_for_root(struct under_way *u, uint32_t tid, const struct unwind_frame *f)
{
	const struct image_root_range *r = root_range(u, f->innermost ? f->pc : f->pc - 1);
	struct claim c = { .tid = tid, .sp = f->sp - 8, .nr = 1 };

	if (!r || (r->holds && !u->unplaced.nr))
		return 0;
	if (r->holds) {
		c = u->unplaced;
		u->unplaced.nr = 0;
		if (u->fns[c.tasks[0].fn].task_long != u->fns[r->fn].task_long)
			return 0;
	} else {
		c.tasks[0].fn = r->fn;
		c.root = r->shares ? 2 : 1;
		c.pending = !r->polling;
		if (r->loc.reg == IMAGE_REG_NR) {
			u->unplaced = c;
			return 0;
		}
	}
	c.tasks[0].task = root_in(u, r, f);
	return c.tasks[0].task ? claims__add(&u->claims, &c) : 0;
}

/* If @word is the address of a task that is being polled, it becomes a candidate for @c. */
static void consider(struct under_way *u, struct claim *c, uint64_t word)
{
	uint32_t fn;

	/* not a small number, nor in the stack, nor outside of user memory */
	if (!u->alive || word < 4096 || word % 8 || word >> 47 || word - u->sp < u->nr_words * 8)
		return;
	for (unsigned int i = 0; i < c->nr; i++)
		if (c->tasks[i].task == word)
			return;
	if (!u->reads) {
		c->more = true;
		return;
	}
	u->reads--;
	if (!alive__polled(u->alive, word, &fn))
		return;
	if (c->nr == CLAIM_TASKS) {
		c->more = true;
		return;
	}
	c->tasks[c->nr].task = word;
	c->tasks[c->nr++].fn = fn;
}

static void consider_words(struct under_way *u, struct claim *c, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < u->nr_words; i++)
		consider(u, c, u->stack[i]);
}

/*
 * The poll @c returns to the word at @at. Its caller is the runtime, which may still
 * have the task's address.
 */
static int add_claim(struct under_way *u, struct claim *c, size_t at)
{
	if (!c->nr)
		consider_words(u, c, at + 1, at + CALLER_WORDS);
	/* without a task that is being polled, the word is left over */
	return c->nr ? claims__add(&u->claims, c) : 0;
}

/*
 * Examines frame by frame, from the innermost, *@f, to the last that can be found.
 * *@from is set to the first word that was not in these frames; to the end, if the
 * thread's first frame was reached.
 */
static int look_at_frames(struct under_way *u, uint32_t tid, struct unwind_frame *f, size_t *from)
{
	int step = 1, err = look_for_root(u, tid, f);

	for (unsigned int i = 0; i < FRAMES && !err; i++) {
		const struct unwind_frame callee = *f;
		struct claim c = { .tid = tid };
		size_t at;

		step = unwinder__step(u->unwinder, f);
		if (step != 1)
			break;
		at = (size_t)(f->sp - 8 - u->sp) / 8;
		*from = at + 1;
		if (is_return(u, f->pc)) {
			c.sp = f->sp - 8;
			for (size_t k = 0; k < RAW_SAVED_REGS; k++)
				consider(u, &c, callee.saved[k]);
			consider_words(u, &c, (size_t)(callee.sp - u->sp) / 8, at);
			err = add_claim(u, &c, at);
		}
		/* A root in the frame that polls a task is around that poll. */
		if (!err)
			err = look_for_root(u, tid, f);
	}
	if (!step)
		*from = u->nr_words;
	return err;
}

/*
 * Where there is no table for frames, from @f on: any word from @from on that is a
 * possible return address may be one. The task is in a register, or saved by the
 * functions called since, that is between the previous return address and this one.
 */
static int look_at_words(struct under_way *u, uint32_t tid, const struct unwind_frame *f,
			 size_t from)
{
	bool in_registers = true;
	unsigned int nr = 0;
	int err;

	for (size_t i = from; i < u->nr_words && nr < CLAIMS_OF_THREAD && u->reads; i++) {
		struct claim c = { .tid = tid, .sp = u->sp + i * 8 };

		if (!is_return(u, u->stack[i]))
			continue;
		for (size_t k = 0; in_registers && k < RAW_SAVED_REGS; k++)
			consider(u, &c, f->saved[k]);
		consider_words(u, &c, from, i);
		err = add_claim(u, &c, i);
		if (err)
			return err;
		if (c.nr == 1) {
			from = i + 1;
			in_registers = false;
		}
		nr += c.nr != 0;
	}
	return 0;
}

static bool has_return(const struct under_way *u, bool *root)
{
	bool any = false;

	*root = false;
	for (size_t i = 0; i < u->nr_words && !*root; i++) {
		*root = root_range(u, u->stack[i] - 1);
		any |= *root || is_return(u, u->stack[i]);
	}
	return any;
}

int under_way__look(struct under_way *u, const struct raw_thread_regs *regs)
{
	struct unwind_frame f = { .pc = regs->ip, .innermost = true, .sp = regs->sp };
	size_t from = 0, claims = u->claims.nr;
	bool root;
	ssize_t n;
	int err;

	memcpy(f.saved, regs->saved, sizeof(f.saved));
	u->sp = regs->sp;
	u->reads = READS_OF_THREAD;
	u->unplaced.nr = 0;
	n = process__read_some(u->target, regs->sp, u->stack, sizeof(u->stack));
	u->nr_words = n > 0 ? (size_t)n / 8 : 0;
	if (regs->sp % 8 || !has_return(u, &root))
		return 0;
	err = look_at_frames(u, regs->tid, &f, &from);
	if (!err)
		err = look_at_words(u, regs->tid, &f, from);
	return err ? err : root && from < u->nr_words && u->claims.nr == claims;
}

int under_way__settle(struct under_way *u)
{
	return claims__settle(&u->claims);
}

static void put_claim(const struct under_way *u, const struct claim *c, struct raw_under_way *out)
{
	if (c->pending && out->nr < RAW_UNDER_WAY) {
		out->pending[out->nr].task = c->tasks[0].task;
		out->pending[out->nr].fn = c->tasks[0].fn;
		out->pending[out->nr].root = c->root;
		out->pending[out->nr].sp = c->sp;
	} else if (!c->pending && out->nr < RAW_UNDER_WAY) {
		out->polls[out->nr].task = c->tasks[0].task;
		out->polls[out->nr].fn = c->tasks[0].fn;
		out->polls[out->nr].root = c->root;
		out->polls[out->nr++].sp = c->sp;
		out->works = !c->root && !u->fns[c->tasks[0].fn].blocking;
	}
}

bool under_way__next(struct under_way *u, uint32_t *tid, struct raw_under_way *out)
{
	const struct claims *cs = &u->claims;
	bool any = false;

	memset(out, 0, sizeof(*out));
	while (u->next < cs->nr && !any) {
		size_t first = u->next, end = first;

		*tid = cs->list[first].tid;
		while (end < cs->nr && cs->list[end].tid == *tid)
			end++;
		u->next = end;
		/* they were found from the innermost outwards */
		for (size_t i = end; i-- > first;) {
			if (!cs->list[i].told)
				continue;
			put_claim(u, &cs->list[i], out);
			any = true;
		}
	}
	return any;
}
