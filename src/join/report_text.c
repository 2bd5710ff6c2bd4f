/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The report for people: what was recorded, where the tasks' time went, and
 * the await points with the longest waits. It fits 100 columns.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "join/join.h"

#define COLUMNS		100
#define POINTS_SHOWN	20
#define DETAILS_SHOWN	3
#define BAR_MAX		48

/* ---- words ---- */

struct text {
	char	s[128];
};

/* Three digits that count and a unit: "1.23 ms". */
static struct text duration(uint64_t ns)
{
	static const struct {
		uint64_t	 unit;
		const char	*name;
	} units[] = { { 3600000000000ull, "h" }, { 60000000000ull, "min" }, { 1000000000, "s" },
		      { 1000000, "ms" }, { 1000, "µs" }, { 1, "ns" } };
	struct text t;
	size_t i = 0;
	double v;

	/* Minutes and hours only when seconds get long. */
	if (ns < 36000000000000ull)
		i = 1;
	if (ns < 600000000000ull)
		i = 2;
	while (i < 5 && ns < units[i].unit)
		i++;
	v = (double)ns / (double)units[i].unit;
	if (units[i].unit == 1)
		snprintf(t.s, sizeof(t.s), "%" PRIu64 " ns", ns);
	else
		snprintf(t.s, sizeof(t.s), v < 9.995 ? "%.2f %s" : v < 99.95 ? "%.1f %s" : "%.0f %s",
			 v, units[i].name);
	return t;
}

/* 1,234,567 */
static struct text count(uint64_t n)
{
	char digits[24];
	struct text t;
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n), at = 0;

	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			t.s[at++] = ',';
		t.s[at++] = digits[i];
	}
	t.s[at] = '\0';
	return t;
}

static struct text percent(uint64_t part, uint64_t whole)
{
	double v = whole ? 100.0 * (double)part / (double)whole : 0;
	struct text t;

	if (part && v < 0.05)
		snprintf(t.s, sizeof(t.s), "<0.1 %%");
	else if (part < whole && v >= 99.95)
		snprintf(t.s, sizeof(t.s), ">99.9 %%");
	else
		snprintf(t.s, sizeof(t.s), "%.1f %%", v);
	return t;
}

static size_t columns(const char *s)
{
	return utf8__columns(s, strlen(s));
}

static void pad(FILE *out, size_t n)
{
	while (n--)
		fputc(' ', out);
}

static void right(FILE *out, const char *s, size_t width)
{
	size_t n = columns(s);

	pad(out, n < width ? width - n : 0);
	fputs(s, out);
}

/*
 * Text that goes on in the next line, indented, where the next word does not
 * fit. A word is what one call gives: names are not broken. All names go through
 * here, and are made printable here: they are what the file says they are.
 */
struct flow {
	FILE	*out;
	size_t	 at, indent;
	bool	 fresh;		/* nothing on this line yet */
};

static void flow__begin(struct flow *f, FILE *out, size_t indent)
{
	*f = (struct flow){ .out = out, .at = indent, .indent = indent, .fresh = true };
	pad(out, indent);
}

__attribute__((format(printf, 2, 3)))
static void flow__put(struct flow *f, const char *fmt, ...)
{
	char s[2048];
	size_t n;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s, sizeof(s), fmt, ap);
	va_end(ap);
	utf8__make_printable(s);
	n = columns(s);
	if (!f->fresh && f->at + 1 + n > COLUMNS) {
		fputc('\n', f->out);
		pad(f->out, f->indent + 2);
		f->at = f->indent + 2;
		f->fresh = true;
	}
	if (!f->fresh) {
		fputc(' ', f->out);
		f->at++;
	}
	fputs(s, f->out);
	f->at += n;
	f->fresh = false;
}

static void flow__end(struct flow *f)
{
	fputc('\n', f->out);
}

/* Words of running text. */
static void flow__words(struct flow *f, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, " \n");

		if (n)
			flow__put(f, "%.*s", (int)n, text);
		text += n;
		text += strspn(text, " \n");
	}
}

/* ---- head ---- */

static void print_losses(const struct join *j, FILE *out)
{
	size_t nr;
	const struct join_sum *lost = join__losses(j, &nr);
	struct flow f;

	flow__begin(&f, out, 2);
	if (!nr) {
		flow__put(&f, "Nothing was lost.");
		flow__end(&f);
		return;
	}
	flow__put(&f, "LOST:");
	for (size_t i = 0; i < nr; i++)
		flow__put(&f, "%s (%s)%s", lost[i].name, count(lost[i].ns).s,
			  i + 1 < nr ? "," : ".");
	flow__words(&f, "Time that this hides is [unattributed].");
	flow__end(&f);
}

static void print_cost(const struct join *j, const struct trace_reader *r, FILE *out)
{
	const struct trace_totals *t = trace_reader__totals(r);
	struct flow f;

	flow__begin(&f, out, 2);
	flow__put(&f, "Cost:");
	flow__put(&f, "%s events,", count(join__totals(j)->events).s);
	if (!t) {
		flow__words(&f, "CPU time not known (the recording has no end).");
		flow__end(&f);
		return;
	}
	flow__put(&f, "%s probe hits,", count(t->probe_hits).s);
	flow__put(&f, "%s of CPU,", duration(t->cpu_ns).s);
	if (t->target_cpu_ns)
		flow__put(&f, "%s of the target's %s.", percent(t->cpu_ns, t->target_cpu_ns).s,
			  duration(t->target_cpu_ns).s);
	else
		flow__words(&f, "the target used none that was measured.");
	flow__end(&f);
}

static void print_head(const struct join *j, const struct trace_reader *r, FILE *out)
{
	const struct trace_host *h = trace_reader__host(r);
	const struct trace_totals *end = trace_reader__totals(r);
	const struct join_totals *t = join__totals(j);
	const char *torn = trace_reader__torn(r);
	struct flow f;

	flow__begin(&f, out, 0);
	flow__put(&f, "%s", *h->comm ? h->comm : "(no name)");
	flow__put(&f, "(pid %u%s%s)", h->pid, *h->exe ? ", " : "", h->exe);
	flow__put(&f, "on %s,", *h->hostname ? h->hostname : "a host without a name");
	flow__put(&f, "Linux %s %s,", h->kernel, h->machine);
	flow__put(&f, "runtime %s", *h->runtime ? h->runtime : "unknown");
	if (*h->other_runtimes)
		flow__put(&f, "(also in it, not followed: %s)", h->other_runtimes);
	flow__end(&f);
	flow__begin(&f, out, 2);
	flow__put(&f, "Recorded %s", duration(t->wall_ns).s);
	flow__put(&f, "(ended by: %s).", !end ? "the file's cut" : *end->ended_by ? end->ended_by
										   : "unknown");
	flow__put(&f, "Tier %s%s", *h->tier ? h->tier : "unknown", *h->tier_hint ? ":" : ".");
	flow__words(&f, h->tier_hint);
	flow__end(&f);
	if (torn) {
		flow__begin(&f, out, 2);
		flow__put(&f, "TORN:");
		flow__words(&f, torn);
		flow__end(&f);
	}
	if (join__unpolled(j)) {
		flow__begin(&f, out, 2);
		flow__put(&f, "NOTHING POLLED:");
		flow__words(&f, join__unpolled(j));
		flow__end(&f);
	}
	flow__begin(&f, out, 2);
	flow__put(&f, "%s task%s:", count(t->tasks_seen).s, t->tasks_seen == 1 ? "" : "s");
	flow__put(&f, "%s completed,", count(t->tasks_completed).s);
	flow__put(&f, "%s dropped before,", count(t->tasks_cancelled).s);
	if (t->tasks_ended_unseen) {
		flow__put(&f, "%s", count(t->tasks_ended_unseen).s);
		flow__words(&f, "ended unseen (completed or not),");
	}
	flow__put(&f, "%s alive at the end.", count(t->tasks_alive_at_end).s);
	flow__end(&f);
	print_losses(j, out);
	print_cost(j, r, out);
}

/* ---- segments ---- */

static void print_segments(const struct join_totals *t, FILE *out)
{
	static const char *const meaning[JOIN_SEGMENT_NR] = {
		[JOIN_RUNNING]		= "on a CPU in their polls",
		[JOIN_PREEMPTED]	= "in their polls, waiting for a CPU",
		[JOIN_BLOCKED]		= "in their polls, the worker asleep",
		[JOIN_AWAIT]		= "pending",
		[JOIN_READY]		= "woken, waiting for a worker",
		[JOIN_UNATTRIBUTED]	= "not known",
	};

	fprintf(out, "\nThe tasks' time: %s\n", duration(t->lifetime_ns).s);
	for (int i = 0; i < JOIN_SEGMENT_NR; i++) {
		uint64_t ns = t->segments[i];
		size_t bar = t->lifetime_ns ? (size_t)((double)ns / (double)t->lifetime_ns *
						       BAR_MAX + 0.5) : 0;

		if (bar > BAR_MAX)
			bar = BAR_MAX;
		fprintf(out, "  %-13s", join_segment__name(i));
		right(out, duration(ns).s, 9);
		right(out, percent(ns, t->lifetime_ns).s, 9);
		fputs("  ", out);
		for (size_t k = 0; k < bar; k++)
			fputc('#', out);
		fprintf(out, "%s%s\n", bar ? " " : "", meaning[i]);
	}
}

/* ---- await points ---- */

static void print_details(const struct join_point *p, struct flow *f)
{
	size_t shown = p->nr_details < DETAILS_SHOWN ? p->nr_details : DETAILS_SHOWN;

	for (size_t i = 0; i < shown; i++)
		flow__put(f, "%s%s %s%s", i ? "" : "— ", p->details[i].name,
			  duration(p->details[i].ns).s, i + 1 < p->nr_details ? "," : "");
	if (p->nr_details > shown)
		flow__put(f, "and %s more", count(p->nr_details - shown).s);
}

static void print_point(const struct join_point *p, size_t rank, FILE *out)
{
	struct flow f;

	fprintf(out, "%3zu. ", rank);
	f = (struct flow){ .out = out, .at = 5, .indent = 5, .fresh = true };
	if (*p->function && *p->file)
		flow__put(&f, "%s (%s:%u)", p->function, p->file, p->line);
	else if (*p->function)
		flow__put(&f, "%s", p->function);
	else
		flow__put(&f, "%s", *p->leaf ? p->leaf : "(await point not known)");
	if (*p->function && *p->leaf)
		flow__put(&f, "on %s", p->leaf);
	flow__end(&f);

	flow__begin(&f, out, 5);
	flow__put(&f, "task %s", p->task);
	flow__end(&f);

	flow__begin(&f, out, 5);
	flow__put(&f, "total %s,", duration(p->await_ns).s);
	flow__put(&f, "%s wait%s%s", count(p->count).s, p->count == 1 ? "" : "s", p->count ? "" : ",");
	if (p->count)
		flow__put(&f, "(p50 %s, p99 %s, max %s),", duration(p->await.p50).s,
			  duration(p->await.p99).s, duration(p->await.max).s);
	if (p->woken_in_poll)
		flow__put(&f, "%s woken while polled,", count(p->woken_in_poll).s);
	if (p->open)
		flow__put(&f, "%s without an end,", count(p->open).s);
	flow__put(&f, "then ready %s", duration(p->ready_ns).s);
	if (p->ready.count)
		flow__put(&f, "(p50 %s, p99 %s)", duration(p->ready.p50).s,
			  duration(p->ready.p99).s);
	flow__end(&f);

	if (!p->nr_split)
		return;
	flow__begin(&f, out, 5);
	for (size_t i = 0; i < p->nr_split; i++)
		flow__put(&f, "%s %s%s", p->split[i].name,
			  percent(p->split[i].ns, p->await_ns).s, i + 1 < p->nr_split ? "," : "");
	print_details(p, &f);
	flow__end(&f);
}

static void print_points(const struct join *j, FILE *out)
{
	size_t nr, shown;
	const struct join_point *points = join__points(j, &nr);

	if (!nr) {
		fputs("\nNo task waited.\n", out);
		return;
	}
	shown = nr < POINTS_SHOWN ? nr : POINTS_SHOWN;
	fprintf(out, "\nAwait points, the longest waits first (%zu of %zu%s):\n", shown, nr,
		shown < nr ? "; --json lists all" : "");
	for (size_t i = 0; i < shown; i++)
		print_point(&points[i], i + 1, out);
}

static void print_notes(const struct join *j, FILE *out)
{
	size_t nr;
	const char *const *notes = join__notes(j, &nr);

	/* that one stands on top */
	size_t first = nr && notes[0] == join__unpolled(j);

	if (nr > first)
		fputs("\nNotes:\n", out);
	for (size_t i = first; i < nr; i++) {
		struct flow f;

		fputs("  - ", out);
		f = (struct flow){ .out = out, .at = 4, .indent = 2, .fresh = true };
		flow__words(&f, notes[i]);
		flow__end(&f);
	}
}

int join_report__text(const struct join *j, const struct trace_reader *r, FILE *out)
{
	print_head(j, r, out);
	print_segments(join__totals(j), out);
	print_points(j, out);
	print_notes(j, out);
	return ferror(out) ? (errno ? -errno : -EIO) : 0;
}
