/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The report for people: what was recorded, where the tasks' time went, and the await
 * points with the most time, in lines of the requested width.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "base/sum.h"
#include "base/utf8.h"
#include "join/crate_path.h"
#include "output/flow.h"
#include "output/report.h"
#include "output/text.h"

#define COLUMNS		80	/* if the caller gives no width */
#define POINTS_SHOWN	20
#define SPINS_SHOWN	3
#define DETAILS_SHOWN	3
#define UNATTRIBUTED_MIN 1000	/* less than this part of all time is not explained */
#define CALLERS_SHOWN	3	/* … and as many of the program's lines that wait there */
#define BAR_MAX		48
#define BAR_USEFUL	10	/* if bars are at most this long, words say more */

/* ---- head ---- */

static void print_remark(struct flow *f, const char *head, const char *text)
{
	if (!text)
		return;
	flow__begin(f, 2);
	flow__put(f, "%s", head);
	flow__words(f, text);
	flow__end(f);
}

static void print_recording(struct text_report *t)
{
	const struct trace_host *h = trace_reader__host(t->reader);
	const struct trace_totals *end = trace_reader__totals(t->reader);
	const char *torn = trace_reader__torn(t->reader);
	struct flow *f = &t->flow;

	flow__begin(f, 0);
	flow__put(f, "%s", *h->comm ? h->comm : "(no name)");
	flow__put(f, "(pid %u%s%s)", h->pid, *h->exe ? ", " : "", h->exe);
	flow__put(f, "on %s,", *h->hostname ? h->hostname : "a host without a name");
	flow__put(f, "Linux %s %s,", h->kernel, h->machine);
	flow__put(f, "runtime %s", *h->runtime ? h->runtime : "unknown");
	if (*h->other_runtimes)
		flow__put(f, "(also in it, not followed: %s)", h->other_runtimes);
	flow__end(f);
	flow__begin(f, 2);
	flow__put(f, "Recorded %s", duration(join__totals(t->join)->wall_ns).s);
	flow__put(f, "(ended by: %s).", !end ? "the end of the truncated file" : *end->ended_by ? end->ended_by
										  : "unknown");
	flow__put(f, "Tier %s%s", *h->tier ? h->tier : "unknown", *h->tier_hint ? ":" : ".");
	flow__words(f, h->tier_hint);
	flow__end(f);
	print_remark(f, "TORN:", torn);
	print_remark(f, "NOTHING POLLED:", join__unpolled(t->join));
}

static void print_tasks(struct text_report *t)
{
	const struct join_totals *totals = join__totals(t->join);
	struct flow *f = &t->flow;
	struct join_all all;
	const char *pattern = join__selected(t->join, &all);

	flow__begin(f, 2);
	if (pattern) {
		flow__words(f, "Only tasks that match");
		flow__put(f, "'%s',", pattern);
		flow__put(f, "%s of %s:", count(totals->tasks_seen).s, count(all.tasks_seen).s);
	} else {
		flow__put(f, "%s task%s:", count(totals->tasks_seen).s, plural(totals->tasks_seen));
	}
	flow__put(f, "%s completed,", count(totals->tasks_completed).s);
	flow__put(f, "%s cancelled,", count(totals->tasks_cancelled).s);
	if (totals->tasks_ended_unseen) {
		flow__put(f, "%s", count(totals->tasks_ended_unseen).s);
		flow__words(f, "ended unseen (completed or not),");
	}
	flow__put(f, "%s alive", count(totals->tasks_alive_at_end).s);
	flow__words(f, "at the end.");
	flow__end(f);
}

static void print_losses(struct text_report *t)
{
	struct flow *f = &t->flow;
	size_t nr;
	const struct join_sum *lost = join__losses(t->join, &nr);

	flow__begin(f, 2);
	if (!nr) {
		flow__put(f, "Nothing was lost.");
		flow__end(f);
		return;
	}
	flow__put(f, "LOST:");
	for (size_t i = 0; i < nr; i++)
		flow__put(f, "%s (%s)%s", lost[i].name, count(lost[i].ns).s,
			  i + 1 < nr ? "," : ".");
	/* Without some samples the running time is what it was. */
	if (nr > 1 || strcmp(lost[0].name, TRACE_LOSS_SAMPLES))
		flow__words(f, "Time that this hides is [unattributed].");
	flow__end(f);
}

/* If the share is too small to mean anything, prints the CPU time per second instead. */
static void print_cpu_cost(struct text_report *t, const struct trace_totals *end)
{
	uint64_t wall_ns = join__totals(t->join)->wall_ns;
	double seconds = (double)wall_ns / 1e9;
	struct flow *f = &t->flow;

	flow__put(f, "%s of CPU,", duration(end->cpu_ns).s);
	if (!end->target_cpu_ns) {
		flow__words(f, "the target used none that was measured.");
		return;
	}
	if (end->target_cpu_ns >= wall_ns / 100) {
		flow__put(f, "%s", percent(end->cpu_ns, end->target_cpu_ns).s);
		flow__words(f, "of the target's");
		flow__put(f, "%s.", duration(end->target_cpu_ns).s);
		return;
	}
	flow__put(f, "%s", duration((uint64_t)((double)end->cpu_ns / seconds + 0.5)).s);
	flow__words(f, "in each second; the target used");
	flow__put(f, "%s", duration(end->target_cpu_ns).s);
	flow__words(f, "in all.");
}

static void print_cost(struct text_report *t)
{
	const struct trace_totals *end = trace_reader__totals(t->reader);
	uint64_t events = join__totals(t->join)->events;
	struct flow *f = &t->flow;

	flow__begin(f, 2);
	flow__put(f, "Cost:");
	flow__put(f, "%s event%s,", count(events).s, plural(events));
	if (!end) {
		flow__words(f, "CPU time not known (the recording has no end).");
	} else {
		flow__put(f, "%s probe hit%s,", count(end->probe_hits).s, plural(end->probe_hits));
		print_cpu_cost(t, end);
	}
	flow__end(f);
}

/* ---- spins ---- */

static uint64_t running_ns(const struct join *j, const char *task)
{
	size_t nr;
	const struct join_row *rows = join__rows(j, &nr);
	uint64_t ns = 0;

	for (size_t i = 0; i < nr; i++)
		if (rows[i].segment == JOIN_RUNNING && rows[i].frames[1].name == task)
			sum__add(&ns, rows[i].ns);
	return ns;
}

/* The point with the longest row of self-wakes, of a task that is not in @done. */
static const struct join_point *next_spin(const struct text_report *t, const char **done,
					  size_t nr_done)
{
	size_t nr;
	const struct join_point *points = join__points(t->join, &nr), *best = NULL;

	for (size_t i = 0; i < nr; i++) {
		size_t d = 0;

		if (points[i].spin < (best ? best->spin + 1 : JOIN_SPIN))
			continue;
		while (d < nr_done && done[d] != points[i].task)
			d++;
		if (d == nr_done)
			best = &points[i];
	}
	return best;
}

static void print_spin(struct flow *f, const struct join_point *p)
{
	flow__words(f, "polled");
	flow__put(f, "%s times", count(p->spin).s);
	flow__words(f, "in a row without a wait, because it woke itself or yielded");
}

static void print_place(struct text_report *t, const struct join_point *p);

static void print_spins(struct text_report *t)
{
	const char *done[SPINS_SHOWN];
	const struct join_point *p;
	struct flow *f = &t->flow;
	size_t nr = 0;

	while (nr < SPINS_SHOWN && (p = next_spin(t, done, nr))) {
		done[nr++] = p->task;
		flow__begin(f, 2);
		flow__put(f, "SPIN:");
		flow__put(f, "%s%s,", task_noun(p->task), p->task);
		flow__put(f, "at");
		print_place(t, p);
		flow__put(f, "—");
		print_spin(f, p);
		flow__words(f, "(tasks of its kind were on a CPU for");
		flow__put(f, "%s)", duration(running_ns(t->join, p->task)).s);
		flow__end(f);
	}
	if (nr == SPINS_SHOWN && next_spin(t, done, nr))
		print_remark(f, "SPIN:", "and other tasks, flagged in the list below");
}

/* ---- segments ---- */

static const char *const meaning[JOIN_SEGMENT_NR] = {
	[JOIN_RUNNING]		= "on a CPU, in a poll",
	[JOIN_PREEMPTED]	= "in a poll, waiting for a CPU",
	[JOIN_BLOCKED]		= "in a poll, the worker asleep",
	[JOIN_AWAIT]		= "pending",
	[JOIN_READY]		= "woken, waiting for a worker",
	[JOIN_UNATTRIBUTED]	= "not known",
};

/*
 * The length of a bar for all of the time, such that no line gets wider than @room,
 * with the bar and (if @meanings) the explanation.
 */
static size_t bar_scale(const struct join_totals *t, size_t room, bool meanings)
{
	double scale = BAR_MAX;

	for (int i = 0; i < JOIN_SEGMENT_NR; i++) {
		size_t words = meanings ? strlen(meaning[i]) + 1 : 0;
		double share = t->lifetime_ns ? (double)t->segments[i] / (double)t->lifetime_ns : 0;
		double fits = room > words ? (double)(room - words) : 0;

		if (room + 1 < words)
			return 0;
		if (share * scale > fits)
			scale = fits / share;
	}
	return (size_t)scale;
}

static void print_segments(struct text_report *t)
{
	const struct join_totals *totals = join__totals(t->join);
	size_t width = 9, room, scale;
	struct join_all all;
	bool meanings = true;
	uint64_t left_out;

	if (join__selected(t->join, &all))
		fprintf(t->out, "\nThese tasks' time: %s of %s\n", duration(totals->lifetime_ns).s,
			duration(all.lifetime_ns).s);
	else
		fprintf(t->out, "\nThe tasks' time: %s\n", duration(totals->lifetime_ns).s);
	if (join__idle(t->join, &left_out) != JOIN_IDLE_SHOW)
		fprintf(t->out, "  (%s, --idle: %s are left out)\n",
			join__idle(t->join, &left_out) == JOIN_IDLE_HIDE ? "without idle waits" :
									   "idle waits only",
			duration(left_out).s);
	for (int i = 0; i < JOIN_SEGMENT_NR; i++) {
		struct text d = duration(totals->segments[i]);
		size_t n = utf8__columns(d.s, strlen(d.s)) + 1;

		width = n > width ? n : width;
	}
	/* minus "  unattributed " and the numbers */
	room = t->flow.columns > 26 + width ? t->flow.columns - 26 - width : 0;
	scale = bar_scale(totals, room, true);
	if (scale < BAR_USEFUL) {
		meanings = false;
		scale = bar_scale(totals, room, false);
	}
	for (int i = 0; i < JOIN_SEGMENT_NR; i++) {
		uint64_t ns = totals->segments[i];
		double share = totals->lifetime_ns ? (double)ns / (double)totals->lifetime_ns : 0;
		size_t bar = (size_t)(share * (double)scale + 0.5);

		fprintf(t->out, "  %-13s", join_segment__name(i));
		text__right(t->out, duration(ns).s, width);
		text__right(t->out, percent(ns, totals->lifetime_ns).s, 9);
		if (bar || meanings)
			fputs("  ", t->out);
		for (size_t k = 0; k < bar && k < BAR_MAX; k++)
			fputc('#', t->out);
		if (meanings)
			fprintf(t->out, "%s%s", bar ? " " : "", meaning[i]);
		fputc('\n', t->out);
	}
}

/* Why time is unattributed, if that is enough to ask. */
static void print_unattributed(struct text_report *t)
{
	const struct join_totals *totals = join__totals(t->join);
	struct flow *f = &t->flow;
	size_t nr;
	const struct join_sum *why = join__unattributed(t->join, &nr);

	if (!nr || totals->segments[JOIN_UNATTRIBUTED] < totals->lifetime_ns / UNATTRIBUTED_MIN)
		return;
	fputc('\n', t->out);
	flow__begin(f, 0);
	flow__words(f, "Unattributed:");
	for (size_t i = 0; i < nr; i++)
		flow__put(f, "%s %s%s", why[i].name, duration(why[i].ns).s, i + 1 < nr ? "," : ".");
	flow__end(f);
}

/* ---- await points ---- */

/* Does another await point lie in a different file with the same base name? */
static bool is_ambiguous(const struct join *j, const struct join_point *p)
{
	size_t nr;
	const struct join_point *points = join__points(j, &nr);

	for (size_t i = 0; i < nr; i++)
		/* equal names have equal pointers */
		if (points[i].file == p->file && points[i].path != p->path)
			return true;
	return false;
}

/*
 * Prints the source position: by base name if that is clear, else with the path in the
 * crate.
 */
static void print_source(struct text_report *t, const struct join_point *p)
{
	bool whole = *p->path && (p->foreign || crate_path__needed(p->file) ||
				  is_ambiguous(t->join, p));

	text__path(&t->flow, whole ? p->path : p->file, p->line);
}

static void print_place(struct text_report *t, const struct join_point *p)
{
	struct flow *f = &t->flow;

	if (*p->function)
		flow__put(f, "%s", p->function);
	else
		flow__put(f, "%s", *p->leaf ? p->leaf : "(await point not known)");
	if (*p->function && *p->file)
		print_source(t, p);
	if (*p->function && *p->leaf)
		flow__put(f, "on %s", p->leaf);
}

static const char *comma(bool more)
{
	return more ? "," : "";
}

/* Prints the number and the durations of the waits whose begin and end were seen. */
static void print_whole_waits(struct flow *f, const struct join_point *p, bool more)
{
	bool all_in_poll = p->woken_in_poll == p->count;
	bool some_in_poll = p->woken_in_poll && !all_in_poll;

	flow__put(f, "%s wait%s%s", count(p->count).s, plural(p->count),
		  comma(all_in_poll || (p->count == 1 && !p->open && more)));
	if (all_in_poll) {
		flow__words(f, p->count > 1 ? "all woken while" : "woken while");
		flow__put(f, "polled%s", comma(more));
		return;
	}
	if (p->count > 1)
		flow__put(f, "(p50 %s, p99 %s, max %s)%s", duration(p->await.p50).s,
			  duration(p->await.p99).s, duration(p->await.max).s,
			  comma(some_in_poll || more));
	else if (p->open)
		flow__put(f, "of %s%s", duration(p->await.max).s, comma(more));
	if (some_in_poll)
		flow__put(f, "%s woken while polled%s", count(p->woken_in_poll).s, comma(more));
}

static void print_times(struct text_report *t, const struct join_point *p)
{
	struct flow *f = &t->flow;

	flow__begin(f, 5);
	flow__put(f, "await %s,", duration(p->await_ns).s);
	if (p->count)
		print_whole_waits(f, p, p->open || p->ready_ns);
	if (p->count && p->open)
		flow__put(f, "%s more open%s", count(p->open).s, comma(p->ready_ns));
	else if (p->open)
		flow__put(f, "%s open wait%s%s", count(p->open).s, plural(p->open),
			  comma(p->ready_ns));
	if (p->ready_ns)
		flow__put(f, "then ready %s", duration(p->ready_ns).s);
	if (p->ready_ns && p->ready.count > 1)
		flow__put(f, "(p50 %s, p99 %s)", duration(p->ready.p50).s,
			  duration(p->ready.p99).s);
	flow__end(f);
}

static void print_details(struct flow *f, const struct join_point *p)
{
	size_t shown = p->nr_details < DETAILS_SHOWN ? p->nr_details : DETAILS_SHOWN;
	bool uncounted = false;
	uint64_t more = 0;

	for (size_t i = 0; i < shown; i++)
		flow__put(f, "%s%s %s%s", i ? "" : "— ", p->details[i].name,
			  duration(p->details[i].ns).s, i + 1 < p->nr_details ? "," : "");
	for (size_t i = shown; i < p->nr_details; i++) {
		uncounted |= p->details[i].others == JOIN_UNCOUNTED;
		more += 1 + (uncounted ? 0 : p->details[i].others);
	}
	if (more)
		flow__put(f, "and %s%s more", uncounted ? "at least " : "", count(more).s);
}

/* Where the program waits for a future of a dependency. */
static void print_callers(struct text_report *t, const struct join_point *p)
{
	size_t shown = p->nr_callers < CALLERS_SHOWN ? p->nr_callers : CALLERS_SHOWN;
	struct flow *f = &t->flow;

	if (!shown)
		return;
	flow__begin(f, 5);
	flow__put(f, "called by");
	for (size_t i = 0; i < shown; i++)
		flow__put(f, "%s %s%s", p->callers[i].name, duration(p->callers[i].ns).s,
			  i + 1 < p->nr_callers ? "," : "");
	if (shown < p->nr_callers)
		flow__put(f, "and %s more", count(p->nr_callers - shown).s);
	flow__end(f);
}

static void print_split(struct text_report *t, const struct join_point *p)
{
	struct flow *f = &t->flow;

	if (!p->nr_split)
		return;
	flow__begin(f, 5);
	for (size_t i = 0; i < p->nr_split; i++)
		flow__put(f, "%s %s%s", p->split[i].name,
			  percent(p->split[i].ns, p->await_ns).s, i + 1 < p->nr_split ? "," : "");
	print_details(f, p);
	flow__end(f);
}

static void print_point(struct text_report *t, const struct join_point *p, size_t rank)
{
	struct flow *f = &t->flow;

	fprintf(t->out, "%3zu. ", rank);
	flow__begin_behind(f, 5);
	print_place(t, p);
	flow__end(f);
	flow__begin(f, 5);
	flow__put(f, "%s%s", task_noun(p->task), p->task);
	flow__end(f);
	print_callers(t, p);
	if (p->spin >= JOIN_SPIN) {
		flow__begin(f, 5);
		flow__put(f, "SPIN:");
		print_spin(f, p);
		flow__end(f);
	}
	print_times(t, p);
	print_split(t, p);
	t->flow.no_memory |= text_followed__print(t, p) != 0;
}

static void print_points(struct text_report *t)
{
	static const char *const order[OUTPUT_SORT_NR] = {
		[OUTPUT_SORT_TOTAL]	= "the longest await + ready",
		[OUTPUT_SORT_AWAIT]	= "the longest await",
		[OUTPUT_SORT_READY]	= "the longest ready",
		[OUTPUT_SORT_COUNT]	= "the most waits",
		[OUTPUT_SORT_P99]		= "the largest p99",
		[OUTPUT_SORT_MAX]		= "the longest single wait",
	};
	size_t all;

	join__points(t->join, &all);
	if (!all) {
		fputs("\nNo task waited for anything.\n", t->out);
		return;
	}
	fputc('\n', t->out);
	flow__begin(&t->flow, 0);
	flow__words(&t->flow, "Await points,");
	flow__words(&t->flow, order[t->sort]);
	flow__put(&t->flow, "first");
	flow__put(&t->flow, t->shown < all ? "(%zu of %zu;" : "(%zu of %zu):", t->shown, all);
	if (t->shown < all)
		flow__put(&t->flow, "--top %zu for all):", all);
	flow__end(&t->flow);
	for (size_t i = 0; i < t->shown; i++)
		print_point(t, t->points[i], i + 1);
}

static void print_notes(struct text_report *t)
{
	size_t nr;
	const char *const *notes = join__notes(t->join, &nr);

	/* printed at the top already */
	size_t first = nr && notes[0] == join__unpolled(t->join);

	if (nr > first)
		fputs("\nNotes:\n", t->out);
	for (size_t i = first; i < nr; i++) {
		fputs("  - ", t->out);
		flow__begin_behind(&t->flow, 4);
		t->flow.indent = 2;
		flow__words(&t->flow, notes[i]);
		flow__end(&t->flow);
	}
}

static int write_text(const struct join *j, const struct trace_reader *r,
		      const struct output_opts *opts, FILE *out)
{
	struct text_report t = { .join = j, .reader = r, .out = out };

	t.sort = opts->sort;
	t.flow.out = out;
	t.flow.columns = opts->columns ? opts->columns : COLUMNS;
	if (t.flow.columns < FLOW_COLUMNS_MIN)
		t.flow.columns = FLOW_COLUMNS_MIN;
	t.points = output_report__points(j, opts, POINTS_SHOWN, &t.shown);
	if (!t.points)
		return -ENOMEM;
	print_recording(&t);
	print_tasks(&t);
	print_losses(&t);
	print_spins(&t);
	print_cost(&t);
	print_segments(&t);
	print_unattributed(&t);
	text_on_cpu__print(&t, opts->top);
	text_jobs__print(&t, opts->top);
	text_blocks__print(&t, opts->top);
	print_points(&t);
	print_notes(&t);
	free(t.points);
	if (t.flow.no_memory)
		return -ENOMEM;
	return ferror(out) ? (errno ? -errno : -EIO) : 0;
}

const struct output_format output_text = {
	.name		= "text",
	.extension	= "txt",
	.write		= write_text,
};
