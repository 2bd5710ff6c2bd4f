/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The report's part about threads that did not get to their tasks: where polls slept and
 * whom that delayed, and what workers did while tasks were ready.
 */
#include <inttypes.h>

#include "output/text.h"

#define BLOCKS_SHOWN	10
#define CALLERS_SHOWN	3
#define KERNEL_SHOWN	5
#define FUTEXES_SHOWN	3
#define DELAYS_SHOWN	3
#define READY_SHOWN	5
#define READY_MIN	1000	/* a share of all time below one in so many is not told */

static void print_source(struct flow *f, const struct join_place *p)
{
	flow__put(f, "%s", p->function);
	if (*p->file)
		text__path(f, p->foreign ? p->path : p->file, p->line);
}

static void print_head(struct text_report *t, const struct join_block *b, size_t rank)
{
	struct flow *f = &t->flow;

	fprintf(t->out, "%3zu. ", rank);
	flow__begin_behind(f, 5);
	if (*b->place.function)
		print_source(f, &b->place);
	else
		flow__words(f, "(place not seen)");
	flow__words(f, "—");
	flow__words(f, *b->what ? b->what : *b->kernel ? b->kernel : "not known what for");
	flow__end(f);
	flow__begin(f, 5);
	flow__put(f, "%s%s,", b->job ? "blocking job " : task_noun(b->task), b->task);
	flow__put(f, "blocked %s,", duration(b->ns).s);
	if (b->times > 1)
		flow__put(f, "%s times (longest %s)", count(b->times).s, duration(b->longest).s);
	else
		flow__put(f, "once");
	flow__end(f);
}

/* The program's own functions around the place. */
static void print_callers(struct flow *f, const struct join_block *b)
{
	const struct join_place *place = NULL;
	unsigned int shown = 0;

	for (size_t i = 0; i < b->nr_stack && shown < CALLERS_SHOWN; i++) {
		const struct join_place *p = &b->stack[i];

		if (!place) {
			if (p->function == b->place.function && p->line == b->place.line)
				place = p;
			continue;
		}
		if (p->foreign || !*p->file)
			continue;
		if (!shown++) {
			flow__begin(f, 5);
			flow__words(f, "called by");
		} else {
			flow__put(f, "<");
		}
		print_source(f, p);
	}
	if (shown)
		flow__end(f);
}

static void print_kernel(struct flow *f, const struct join_block *b)
{
	size_t nr = b->nr_kernel, shown;

	/* Each system call came by these. */
	while (nr > 1 && (!strcmp(b->kernel_stack[nr - 1], "do_syscall_64") ||
			  !strncmp(b->kernel_stack[nr - 1], "entry_SYSCALL", 13)))
		nr--;
	shown = nr < KERNEL_SHOWN ? nr : KERNEL_SHOWN;
	if (!shown)
		return;
	flow__begin(f, 5);
	flow__put(f, "kernel:");
	for (size_t i = 0; i < shown; i++)
		flow__put(f, "%s%s", i ? "< " : "", b->kernel_stack[i]);
	if (shown < nr)
		flow__put(f, "< …");
	flow__end(f);
}

/* Places that have the same one wait for the same thing. */
static void print_futexes(struct flow *f, const struct join_block *b)
{
	size_t shown = b->nr_futexes < FUTEXES_SHOWN ? b->nr_futexes : FUTEXES_SHOWN;

	if (!shown)
		return;
	flow__begin(f, 5);
	flow__put(f, "futex");
	for (size_t i = 0; i < shown; i++)
		flow__put(f, "%#" PRIx64 " (%s)%s", b->futexes[i].word,
			  duration(b->futexes[i].ns).s, i + 1 < b->nr_futexes ? "," : "");
	if (b->nr_futexes > shown)
		flow__put(f, "and %s more", count(b->nr_futexes - shown).s);
	flow__end(f);
}

static void print_waker(struct flow *f, const struct join_block *b)
{
	if (!*b->waker && !*b->waker_place.function)
		return;
	flow__begin(f, 5);
	flow__words(f, "woken by thread");
	flow__put(f, "%s", *b->waker ? b->waker : "?");
	if (*b->waker_place.function) {
		flow__put(f, "in");
		print_source(f, &b->waker_place);
	}
	flow__end(f);
}

static void print_delays(struct flow *f, const struct join_block *b)
{
	size_t shown = b->nr_delays < DELAYS_SHOWN ? b->nr_delays : DELAYS_SHOWN;

	if (!shown)
		return;
	flow__begin(f, 5);
	flow__words(f, "meanwhile its worker delayed:");
	for (size_t i = 0; i < shown; i++) {
		const struct join_delay *d = &b->delays[i];

		const char *more = i + 1 < b->nr_delays ? "," : "";

		flow__put(f, "%s%s", task_noun(d->task), d->task);
		if (d->ready_ns)
			flow__put(f, "(%s ready%s%s", duration(d->ready_ns).s,
				  d->await_ns ? "," : ")", d->await_ns ? "" : more);
		if (d->await_ns) {
			flow__put(f, "%s%s", d->ready_ns ? "" : "(", duration(d->await_ns).s);
			flow__words(f, "after what it");
			flow__put(f, "waits for)%s", more);
		}
	}
	if (b->nr_delays > shown)
		flow__put(f, "and %s more", count(b->nr_delays - shown).s);
	flow__end(f);
}

static void print_list(struct text_report *t, const struct join_block *list, size_t nr,
		       const char *head, size_t top)
{
	size_t shown = nr < top ? nr : top;
	struct flow *f = &t->flow;

	if (!nr)
		return;
	fputc('\n', t->out);
	flow__begin(f, 0);
	flow__words(f, head);
	flow__put(f, shown < nr ? "(%zu of %zu;" : "(%zu of %zu):", shown, nr);
	if (shown < nr)
		flow__put(f, "--top %zu for all):", nr);
	flow__end(f);
	for (size_t i = 0; i < shown; i++) {
		print_head(t, &list[i], i + 1);
		print_callers(f, &list[i]);
		print_kernel(f, &list[i]);
		print_futexes(f, &list[i]);
		print_waker(f, &list[i]);
		print_delays(f, &list[i]);
	}
}

static void print_stacks(struct text_report *t)
{
	const struct join_stacks *s = join__stacks(t->join);
	struct flow *f = &t->flow;

	if (!s)
		return;
	fputc('\n', t->out);
	flow__begin(f, 0);
	flow__put(f, "User stacks of %s sleeps:",
		  count(s->complete.times + s->cut.times + s->missing.times).s);
	flow__put(f, "%s to the thread's start,", count(s->complete.times).s);
	flow__put(f, "%s cut, %s missing.", count(s->cut.times).s, count(s->missing.times).s);
	flow__end(f);
}

static void print_ready(struct text_report *t)
{
	const struct join_totals *totals = join__totals(t->join);
	uint64_t all = totals->segments[JOIN_READY];
	struct flow *f = &t->flow;
	size_t nr, shown;
	const struct join_sum *ready = join__ready(t->join, &nr);

	if (!nr || all < totals->lifetime_ns / READY_MIN)
		return;
	shown = nr < READY_SHOWN ? nr : READY_SHOWN;
	fputc('\n', t->out);
	flow__begin(f, 0);
	flow__words(f, "While tasks were ready:");
	for (size_t i = 0; i < shown; i++)
		flow__put(f, "%s %s%s", ready[i].name, percent(ready[i].ns, all).s,
			  i + 1 < nr ? "," : ".");
	if (shown < nr)
		flow__put(f, "and %s more.", count(nr - shown).s);
	flow__end(f);
}

void text_blocks__print(struct text_report *t, size_t top)
{
	size_t nr, jobs;
	const struct join_block *blocks = join__blocks(t->join, &nr);

	for (jobs = 0; jobs < nr && !blocks[jobs].job;)
		jobs++;
	top = top ? top : BLOCKS_SHOWN;
	print_ready(t);
	print_list(t, blocks, jobs, "Places that blocked inside a poll, the longest first", top);
	print_list(t, blocks + jobs, nr - jobs, "Where blocking jobs slept, the longest first", top);
	print_stacks(t);
}
