/* SPDX-License-Identifier: GPL-2.0 */
/* Places that blocked, and whom they delayed. See blocks.h. */
#include "join/blocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bisect.h"
#include "base/quantity.h"
#include "base/sum.h"
#include "join/crate_path.h"
#include "join/others.h"
#include "join/probe_stack.h"

struct blocks {
	struct join_stacks	 stacks;
	struct join_block	*list;
	size_t			 nr;
	struct join_place	*places;	/* all stacks, one behind another */
	size_t			 nr_places;
	struct join_futex	*futexes;	/* of all blocks, one behind another */
	struct join_delay	*delays;	/* of all blocks, one behind another */
	struct join_sum		*ready;
	size_t			 nr_ready;
	struct join_sum		*unknown;	/* why time is unattributed */
	size_t			 nr_unknown;
};

/* ---- places ---- */

int blocks__place(struct join *j, const struct trace_user_frame *f, struct join_place *out)
{
	const char *base = strrchr(f->path, '/');
	char crate[CRATE_PATH_MAX];

	base = base ? base + 1 : f->path;
	out->function = frame_names__safe(j->names, *f->function ? f->function : "?");
	out->file = *base ? frame_names__safe(j->names, base) : "";
	out->path = *f->path ? frame_names__safe(j->names, crate_path(f->path, crate)) : "";
	out->line = f->line;
	out->foreign = *f->path && crate_path__foreign(f->path);
	return out->function && out->file && out->path ? 0 : -ENOMEM;
}

static const struct trace_stack *kernel_stack(const struct join *j, const struct sleep *s)
{
	return trace_reader__stack(j->reader, s->stack);
}

/* The functions of @s from @places on; the number of them, or -ENOMEM. */
static int make_stack(struct join *j, const struct sleep *s, struct join_place *places)
{
	const struct trace_user_stack *st = trace_reader__user_stack(j->reader, s->user);

	for (uint32_t i = 0; st && i < st->nr; i++) {
		int err = blocks__place(j, &st->frames[i], &places[i]);

		if (err)
			return err;
	}
	return st ? (int)st->nr : 0;
}

static const char *words(struct join *j, const struct sleep *s)
{
	const char *text, *lock;

	if (s->blocks_on)
		return frame_names__safef(j->names, "block_on of %s",
					  accounts__task_name(j->accounts, s->root));
	text = sleep__words(s, kernel_stack(j, s));
	if (text && !strncmp(text, "a futex ", 8)) {
		lock = sleep__futex(trace_reader__user_stack(j->reader, s->user));
		if (lock)
			return frame_names__safef(j->names, "a futex: %s", lock);
	}
	return text ? frame_names__safe(j->names, text) : "";
}

/* On what it sleeps: "file /srv/db on vda1"; "": not known. */
static const char *object(struct join *j, const struct sleep *s)
{
	const char *on = sleep__on(s, kernel_stack(j, s)) ? trace_reader__string(j->reader, s->on) :
							    NULL;

	return on && *on ? frame_names__safe(j->names, on) : "";
}

/* "a disk: file /srv/db on vda1 and 3 more" */
static const char *words_on(struct join *j, const char *words, const char *on, size_t others)
{
	char more[QUANTITY_MAX];

	if (!*words || !*on)
		return words;
	if (!others)
		return frame_names__safef(j->names, "%s: %s", words, on);
	return frame_names__safef(j->names, "%s: %s and %s more", words, on,
				  quantity__count(others, more));
}

/* The address of the futex, if it tells what it slept for; else 0. */
static uint64_t futex(const struct join *j, const struct sleep *s)
{
	return s->word && !sleep__parks(trace_reader__user_stack(j->reader, s->user)) ? s->word : 0;
}

int blocks__sleep(struct join *j, uint32_t number, struct join_sleep *out)
{
	const struct sleep *s = sleeps__get(&j->sleeps, number);
	const struct trace_user_stack *st = trace_reader__user_stack(j->reader, s->user);
	const struct trace_user_frame *place = sleep__place(st);
	const struct trace_stack *kernel = kernel_stack(j, s);
	const char *on;

	*out = (struct join_sleep){ .place = { "", "", "", 0, false }, .kernel = "",
				    .syscall = s->syscall, .futex = futex(j, s),
				    .probe = probe_stack__is(kernel) };
	if (place && blocks__place(j, place, &out->place))
		return -ENOMEM;
	out->what = words(j, s);
	on = object(j, s);
	if (!out->what || !on)
		return -ENOMEM;
	out->what = words_on(j, out->what, on, 0);
	for (uint32_t i = 0; st && i < st->nr; i++)
		out->handed_off |= strstr(st->frames[i].function, "block_in_place") != NULL;
	if (kernel && kernel->nr)
		out->kernel = frame_names__safe(j->names, kernel->frames[0]);
	return out->what && out->kernel ? 0 : -ENOMEM;
}

/* ---- blocks ---- */

/* A sum of blocked time, with what makes it one of a block. */
struct block_sum {
	struct join_block	 block;
	const struct sleep	*sleep;
	const char		*on;		/* what it slept on; "": not known */
	size_t			 others;	/* how many more objects it slept on */
	uint64_t		 futex;		/* address; 0: it slept at none, or not known */
};

static bool is_block(const struct join *j, const struct sum *s)
{
	const struct sleep *sleep;

	if (!s->ns || s->key.segment != JOIN_BLOCKED || s->key.part != PART_NONE ||
	    s->key.detail.kind != DETAIL_SLEEP)
		return false;
	sleep = sleeps__get(&j->sleeps, s->key.detail.id);
	return !probe_stack__is(kernel_stack(j, sleep));
}

static int make_block(struct join *j, const struct sum *s, struct block_sum *out)
{
	const struct sleep *sleep = sleeps__get(&j->sleeps, s->key.detail.id);
	const struct slept *slept = sink_sums__slept(&j->sums, &s->key);
	uint32_t kind = accounts__account(j->accounts, s->key.account)->kind;
	const struct trace_stack *kernel = kernel_stack(j, sleep);
	const struct trace_user_frame *place;
	struct join_block *b = &out->block;

	*b = (struct join_block){ .task = accounts__task_name(j->accounts, kind), .ns = s->ns,
				  .job = accounts__blocking(j->accounts, kind), .kernel = "",
				  .place = { "", "", "", 0, false }, .waker = "",
				  .waker_place = { "", "", "", 0, false } };
	out->sleep = sleep;
	if (slept) {
		b->times = slept->times;
		b->longest = slept->longest;
	}
	place = sleep__place(trace_reader__user_stack(j->reader, sleep->user));
	if (place && blocks__place(j, place, &b->place))
		return -ENOMEM;
	place = sleep__place(trace_reader__user_stack(j->reader, sleep->waker_user));
	if (place && blocks__place(j, place, &b->waker_place))
		return -ENOMEM;
	if (sleep->waker_user)
		b->waker = join__thread(j, sleep->waker);
	b->what = words(j, sleep);
	out->on = object(j, sleep);
	out->futex = futex(j, sleep);
	if (kernel && kernel->nr)
		b->kernel = frame_names__safe(j->names, kernel->frames[0]);
	return b->task && b->what && b->kernel && b->waker && out->on ? 0 : -ENOMEM;
}

/* The user stack of such a sum: how far it reaches. */
static void count_stack(const struct join *j, const struct sum *s, struct join_stacks *out)
{
	const struct sleep *sleep = sleeps__get(&j->sleeps, s->key.detail.id);
	const struct trace_user_stack *st = trace_reader__user_stack(j->reader, sleep->user);
	const struct slept *slept = sink_sums__slept(&j->sums, &s->key);
	struct join_stack_sum *sum = !st				   ? &out->missing :
				     st->end == TRACE_STACK_START ? &out->complete :
				     st->end == TRACE_STACK_CUT	  ? &out->cut :
								    NULL;

	/* Of a recording that does not tell. */
	out->known |= st && sum;
	if (!sum)
		return;
	sum->times += slept ? slept->times : 0;
	sum__add(&sum->ns, s->ns);
}

/* Jobs behind all others; what is one block lies together. */
static int by_place(const void *a, const void *b)
{
	const struct join_block *x = &((const struct block_sum *)a)->block;
	const struct join_block *y = &((const struct block_sum *)b)->block;
	int c;

	if (x->job != y->job)
		return x->job ? 1 : -1;
	c = strcmp(x->task, y->task);
	if (!c)
		c = strcmp(x->place.path, y->place.path);
	if (!c && x->place.line != y->place.line)
		return x->place.line < y->place.line ? -1 : 1;
	if (!c)
		c = strcmp(x->place.function, y->place.function);
	return c ? c : strcmp(x->what, y->what);
}

/* The same place and the same object. */
static int by_object(const void *a, const void *b)
{
	int c = by_place(a, b);

	return c ? c : strcmp(((const struct block_sum *)a)->on, ((const struct block_sum *)b)->on);
}

/* The longest sum first: it lends the block its stack. */
static int by_sum(const struct block_sum *x, const struct block_sum *y)
{
	int c;

	if (x->block.ns != y->block.ns)
		return x->block.ns > y->block.ns ? -1 : 1;
	c = strcmp(x->block.kernel, y->block.kernel);
	if (c)
		return c;
	if (x->sleep->user != y->sleep->user)
		return x->sleep->user < y->sleep->user ? -1 : 1;
	if (x->sleep->waker_user != y->sleep->waker_user)
		return x->sleep->waker_user < y->sleep->waker_user ? -1 : 1;
	if (x->sleep->waker != y->sleep->waker)
		return x->sleep->waker < y->sleep->waker ? -1 : 1;
	return x->sleep->stack < y->sleep->stack ? -1 : x->sleep->stack > y->sleep->stack;
}

static int by_object_and_time(const void *a, const void *b)
{
	int c = by_object(a, b);

	return c ? c : by_sum(a, b);
}

static int by_place_and_time(const void *a, const void *b)
{
	int c = by_place(a, b);

	return c ? c : by_sum(a, b);
}

static int by_time(const void *a, const void *b)
{
	const struct block_sum *x = a, *y = b;

	if (x->block.job != y->block.job)
		return x->block.job ? 1 : -1;
	if (x->block.ns != y->block.ns)
		return x->block.ns > y->block.ns ? -1 : 1;
	return by_place(a, b);
}

/* The same place and the same futex. */
static int by_futex(const void *a, const void *b)
{
	uint64_t x = ((const struct block_sum *)a)->futex;
	uint64_t y = ((const struct block_sum *)b)->futex;
	int c = by_place(a, b);

	return c ? c : x < y ? -1 : x > y;
}

/* Makes one of those that are @same and lie together; others of the first counts the rest. */
static size_t merge_same(struct block_sum *sums, size_t nr,
			 int (*same)(const void *a, const void *b))
{
	size_t out = 0;

	for (size_t i = 0; i < nr; i++) {
		struct join_block *last = out ? &sums[out - 1].block : NULL;

		if (!last || same(&sums[out - 1], &sums[i])) {
			sums[out] = sums[i];
			sums[out++].others = 0;
			continue;
		}
		sums[out - 1].others++;
		sum__add(&last->ns, sums[i].block.ns);
		sum__add(&last->times, sums[i].block.times);
		if (sums[i].block.longest > last->longest)
			last->longest = sums[i].block.longest;
	}
	return out;
}

/* Those of @sums whose futex is known, one for each place and futex. NULL: no memory. */
static struct block_sum *of_futexes(const struct block_sum *sums, size_t *nr)
{
	struct block_sum *out = calloc(*nr + 1, sizeof(*out));
	size_t n = 0;

	for (size_t i = 0; out && i < *nr; i++)
		if (sums[i].futex)
			out[n++] = sums[i];
	if (out && n) {
		qsort(out, n, sizeof(*out), by_futex);
		n = merge_same(out, n, by_futex);
	}
	*nr = n;
	return out;
}

/* 0 with the number of blocks in *@nr, or -ENOMEM. */
static int merge_blocks(struct join *j, struct block_sum *sums, size_t *nr)
{
	qsort(sums, *nr, sizeof(*sums), by_object_and_time);
	*nr = merge_same(sums, *nr, by_object);
	qsort(sums, *nr, sizeof(*sums), by_place_and_time);
	*nr = merge_same(sums, *nr, by_place);
	for (size_t i = 0; i < *nr; i++) {
		struct block_sum *s = &sums[i];

		s->block.what = words_on(j, s->block.what, s->on, s->others);
		if (!s->block.what)
			return -ENOMEM;
	}
	qsort(sums, *nr, sizeof(*sums), by_time);
	return 0;
}

/* Of *@at_futexes, see of_futexes(), there are *@nr_futexes; the caller frees it. */
static struct block_sum *collect_blocks(struct join *j, struct join_stacks *stacks, size_t *nr,
					struct block_sum **at_futexes, size_t *nr_futexes)
{
	struct block_sum *sums = calloc(j->sums.sums.nr + 1ul, sizeof(*sums));

	*nr = 0;
	for (uint32_t i = 0; sums && i < j->sums.sums.size; i++) {
		const struct sum *s = &j->sums.sums.entries[i];

		if (!is_block(j, s) ||
		    !selection__has(j, accounts__account(j->accounts, s->key.account)->kind))
			continue;
		if (make_block(j, s, &sums[*nr])) {
			free(sums);
			return NULL;
		}
		count_stack(j, s, stacks);
		++*nr;
	}
	*nr_futexes = *nr;
	*at_futexes = sums ? of_futexes(sums, nr_futexes) : NULL;
	if (sums && (!*at_futexes || (*nr && merge_blocks(j, sums, nr)))) {
		free(sums);
		return NULL;
	}
	return sums;
}

/* Blocks of one user stack share its places. @made: where they begin + 1, by stack. */
static int fill_stack(struct join *j, struct blocks *b, const struct sleep *sleep,
		      struct hash_table *made, struct join_block *block)
{
	const struct trace_user_stack *st = trace_reader__user_stack(j->reader, sleep->user);
	struct hash_slot *slot = st ? hash_table__at(made, sleep->user) : NULL;
	int nr;

	if (!st)
		return 0;
	if (!slot)
		return -ENOMEM;
	if (!slot->value) {
		nr = make_stack(j, sleep, b->places + b->nr_places);
		if (nr < 0)
			return nr;
		slot->value = b->nr_places + 1;
		b->nr_places += (size_t)nr;
	}
	block->stack = b->places + slot->value - 1;
	block->nr_stack = st->nr;
	return 0;
}

/* Room for all stacks that any block has, each once. */
static int make_room(struct join *j, struct blocks *b, const struct block_sum *sums)
{
	struct hash_table met = { 0 };
	size_t nr = 1;

	for (size_t i = 0; i < b->nr; i++) {
		uint32_t user = sums[i].sleep->user;
		const struct trace_user_stack *st = trace_reader__user_stack(j->reader, user);
		struct hash_slot *slot = st ? hash_table__at(&met, user) : NULL;

		if (st && !slot) {
			hash_table__clear(&met);
			return -ENOMEM;
		}
		if (!st || slot->value)
			continue;
		slot->value = 1;
		nr += st->nr;
	}
	hash_table__clear(&met);
	b->places = calloc(nr, sizeof(*b->places));
	return b->places ? 0 : -ENOMEM;
}

static int fill_stacks(struct join *j, struct blocks *b, const struct block_sum *sums)
{
	struct hash_table made = { 0 };
	int err = make_room(j, b, sums);

	for (size_t i = 0; i < b->nr && !err; i++) {
		const struct trace_stack *kernel = kernel_stack(j, sums[i].sleep);

		err = fill_stack(j, b, sums[i].sleep, &made, &b->list[i]);
		b->list[i].kernel_stack = kernel ? kernel->frames : NULL;
		b->list[i].nr_kernel = kernel ? kernel->nr : 0;
	}
	hash_table__clear(&made);
	return err;
}

/* ---- at which futexes ---- */

static int by_futex_time(const void *a, const void *b)
{
	const struct join_futex *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return x->word < y->word ? -1 : x->word > y->word;
}

/* @sums are those at futexes, in order of place. */
static int fill_futexes(struct blocks *b, const struct block_sum *sums, size_t nr)
{
	b->futexes = calloc(nr + 1, sizeof(*b->futexes));
	if (!b->futexes)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		b->futexes[i] = (struct join_futex){ sums[i].futex, sums[i].block.ns,
						     sums[i].block.times };
	for (size_t i = 0; i < b->nr; i++) {
		const struct block_sum of = { .block = b->list[i] };
		size_t first = BISECT(nr, k, by_place(&sums[k], &of) < 0), end = first;

		while (end < nr && !by_place(&sums[end], &of))
			end++;
		b->list[i].futexes = b->futexes + first;
		b->list[i].nr_futexes = end - first;
		qsort(b->futexes + first, end - first, sizeof(*b->futexes), by_futex_time);
	}
	return 0;
}

/* ---- whom they delayed ---- */

/* Time of tasks called delay.task that a task called @by took. */
struct delay_sum {
	const char		*by;
	struct join_delay	 delay;
};

static uint64_t delay__ns(const struct join_delay *d)
{
	uint64_t ns = d->ready_ns;

	sum__add(&ns, d->await_ns);
	return ns;
}

/* Names of one join are one object each. */
static int by_names(const void *a, const void *b)
{
	const struct delay_sum *x = a, *y = b;
	int c = strcmp(x->by, y->by);

	return c ? c : strcmp(x->delay.task, y->delay.task);
}

static int by_delay(const void *a, const void *b)
{
	const struct delay_sum *x = a, *y = b;
	uint64_t x_ns = delay__ns(&x->delay), y_ns = delay__ns(&y->delay);
	int c = strcmp(x->by, y->by);

	if (c)
		return c;
	if (x_ns != y_ns)
		return x_ns > y_ns ? -1 : 1;
	return strcmp(x->delay.task, y->delay.task);
}

static bool delays(const struct sum *s)
{
	if (!s->ns)
		return false;
	return (s->key.segment == JOIN_READY && s->key.detail.kind == DETAIL_WORKER_BLOCKED) ||
	       (s->key.segment == JOIN_AWAIT && s->key.part == PART_WORKER_BLOCKED &&
		s->key.detail.kind == DETAIL_TASK);
}

static struct delay_sum *collect_delays(struct join *j, size_t *nr)
{
	struct delay_sum *sums = calloc(j->sums.sums.nr + 1ul, sizeof(*sums));
	size_t out = 0;

	*nr = 0;
	for (uint32_t i = 0; sums && i < j->sums.sums.size; i++) {
		const struct sum *s = &j->sums.sums.entries[i];
		struct delay_sum *d = &sums[*nr];
		uint32_t kind;

		if (!delays(s))
			continue;
		kind = accounts__account(j->accounts, s->key.account)->kind;
		d->by = accounts__task_name(j->accounts, s->key.detail.id);
		d->delay.task = accounts__task_name(j->accounts, kind);
		if (!d->by || !d->delay.task) {
			free(sums);
			return NULL;
		}
		*(s->key.segment == JOIN_READY ? &d->delay.ready_ns : &d->delay.await_ns) = s->ns;
		++*nr;
	}
	if (!sums)
		return NULL;
	qsort(sums, *nr, sizeof(*sums), by_names);
	for (size_t i = 0; i < *nr; i++) {
		if (!out || by_names(&sums[out - 1], &sums[i])) {
			sums[out++] = sums[i];
			continue;
		}
		sum__add(&sums[out - 1].delay.ready_ns, sums[i].delay.ready_ns);
		sum__add(&sums[out - 1].delay.await_ns, sums[i].delay.await_ns);
	}
	*nr = out;
	qsort(sums, out, sizeof(*sums), by_delay);
	return sums;
}

static int fill_delays(struct join *j, struct blocks *b)
{
	size_t nr;
	struct delay_sum *sums = collect_delays(j, &nr);

	bool *told = calloc(nr + 1, sizeof(*told));

	b->delays = calloc(nr + 1, sizeof(*b->delays));
	if (!sums || !told || !b->delays) {
		free(sums);
		free(told);
		return -ENOMEM;
	}
	for (size_t i = 0; i < nr; i++)
		b->delays[i] = sums[i].delay;
	for (size_t i = 0; i < b->nr; i++) {
		struct join_block *block = &b->list[i];
		size_t first = BISECT(nr, k, strcmp(sums[k].by, block->task) < 0), end = first;

		/* The longest block of a task tells of all that it delayed. */
		if (first == nr || sums[first].by != block->task || told[first])
			continue;
		told[first] = true;
		while (end < nr && sums[end].by == block->task)
			end++;
		block->delays = b->delays + first;
		block->nr_delays = end - first;
	}
	free(sums);
	free(told);
	return 0;
}

/* ---- ready ---- */

static int by_sum_name(const void *a, const void *b)
{
	const struct join_sum *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int by_sum_ns(const void *a, const void *b)
{
	const struct join_sum *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* What the time of @key is told by in the list of its segment. NULL: no memory. */
static const char *sum_name(struct join *j, const struct sum_key *key)
{
	if (key->segment == JOIN_UNATTRIBUTED)
		return frame_names__safe(j->names, part__name(key->part));
	return key->detail.kind != DETAIL_NONE ? detail_name(j, key->detail) :
	       frame_names__safe(j->names, key->part == PART_STOPPED ? "stopped" :
								       "worker not known");
}

/* What the time of @segment, of the selected tasks, was, the most first, in *@out. */
static int fill_sums(struct join *j, enum join_segment segment, struct join_sum **out,
		     size_t *nr_out)
{
	struct join_sum *list = calloc(j->sums.sums.nr + 1ul, sizeof(*list));
	size_t nr = 0, merged = 0;

	*out = list;
	if (!list)
		return -ENOMEM;
	for (uint32_t i = 0; i < j->sums.sums.size; i++) {
		const struct sum *s = &j->sums.sums.entries[i];
		const char *name;

		if (!s->ns || s->key.segment != segment ||
		    !selection__has(j, accounts__account(j->accounts, s->key.account)->kind))
			continue;
		name = sum_name(j, &s->key);
		if (!name)
			return -ENOMEM;
		list[nr++] = (struct join_sum){ .name = name, .ns = s->ns };
	}
	qsort(list, nr, sizeof(*list), by_sum_name);
	for (size_t i = 0; i < nr; i++) {
		if (merged && list[merged - 1].name == list[i].name)
			sum__add(&list[merged - 1].ns, list[i].ns);
		else
			list[merged++] = list[i];
	}
	qsort(list, merged, sizeof(*list), by_sum_ns);
	*nr_out = merged;
	return others__sums(j->names, list, nr_out);
}

/* ---- all of it ---- */

int blocks__make(struct join *j)
{
	struct blocks *b = j->blocks = calloc(1, sizeof(*b));
	struct block_sum *at_futexes = NULL, *sums;
	size_t nr_futexes = 0;
	int err = -ENOMEM;

	sums = b ? collect_blocks(j, &b->stacks, &b->nr, &at_futexes, &nr_futexes) : NULL;

	if (sums)
		b->list = calloc(b->nr + 1, sizeof(*b->list));
	if (sums && b->list) {
		for (size_t i = 0; i < b->nr; i++)
			b->list[i] = sums[i].block;
		err = fill_futexes(b, at_futexes, nr_futexes);
		if (!err)
			err = fill_stacks(j, b, sums);
	}
	free(sums);
	free(at_futexes);
	if (!err)
		err = fill_delays(j, b);
	if (!err)
		err = fill_sums(j, JOIN_READY, &b->ready, &b->nr_ready);
	return err ? err : fill_sums(j, JOIN_UNATTRIBUTED, &b->unknown, &b->nr_unknown);
}

void blocks__free(struct blocks *b)
{
	if (!b)
		return;
	free(b->list);
	free(b->places);
	free(b->futexes);
	free(b->delays);
	free(b->ready);
	free(b->unknown);
	free(b);
}

const struct join_block *join__blocks(const struct join *j, size_t *nr)
{
	*nr = j->blocks->nr;
	return j->blocks->list;
}

const struct join_stacks *join__stacks(const struct join *j)
{
	return j->blocks->stacks.known ? &j->blocks->stacks : NULL;
}

const struct join_sum *join__ready(const struct join *j, size_t *nr)
{
	*nr = j->blocks->nr_ready;
	return j->blocks->ready;
}

const struct join_sum *join__unattributed(const struct join *j, size_t *nr)
{
	*nr = j->blocks->nr_unknown;
	return j->blocks->unknown;
}
