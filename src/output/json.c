/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The report for scripts: one JSON object, described by report.schema.json. Times are
 * nanoseconds. Keys are written in the order of the code, sums with the largest first,
 * so that equal recordings give equal bytes.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text_file.h"
#include "base/utf8.h"
#include "output/report.h"

#define FRAMES_MAX	(1u << 16)	/* of all stacks of places that blocked, together */
#define REPORT_VERSION	1	/* changes when a key changes its meaning or is removed */

static bool is_utf8(const char *s)
{
	size_t len = strlen(s), at = 0;
	bool valid = true;
	uint32_t cp;

	while (at < len && valid)
		at += utf8__read(s + at, len - at, &cp, &valid);
	return valid;
}

/* The recording may contain any bytes; JSON must be UTF-8. */
static json_t *text(const char *s)
{
	json_t *value;
	char *plain;

	if (!s || is_utf8(s))
		return json_string_nocheck(s ? s : "");
	plain = strdup(s);
	if (!plain)
		return NULL;
	for (char *p = plain; *p; p++)
		if (*p & 0x80)
			*p = '?';
	value = json_string_nocheck(plain);
	free(plain);
	return value;
}

static json_t *number(uint64_t v)
{
	return json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v);
}

/*
 * Adds @value to an object. The first failure is kept in *@err, so that callers can
 * check once at the end.
 */
static void set(json_t *o, const char *key, json_t *value, int *err)
{
	if (!value || json_object_set_new(o, key, value))
		*err = -ENOMEM;
}

static void append(json_t *a, json_t *value, int *err)
{
	if (!value || json_array_append_new(a, value))
		*err = -ENOMEM;
}

static json_t *sums(const struct join_sum *list, size_t nr, int *err)
{
	json_t *o = json_object();

	for (size_t i = 0; o && i < nr; i++)
		set(o, list[i].name, number(list[i].ns), err);
	return o;
}

static json_t *recording(const struct trace_reader *r, int *err)
{
	const struct trace_host *h = trace_reader__host(r);
	const struct trace_totals *t = trace_reader__totals(r);
	const char *torn = trace_reader__torn(r);
	json_t *o = json_object();

	if (!o)
		return NULL;
	set(o, "comm", text(h->comm), err);
	set(o, "exe", text(h->exe), err);
	set(o, "pid", number(h->pid), err);
	set(o, "build_id", text(h->build_id), err);
	set(o, "runtime", text(h->runtime), err);
	set(o, "other_runtimes", text(h->other_runtimes), err);
	set(o, "tier", text(h->tier), err);
	set(o, "tier_hint", text(h->tier_hint), err);
	set(o, "hostname", text(h->hostname), err);
	set(o, "kernel", text(h->kernel), err);
	set(o, "machine", text(h->machine), err);
	set(o, "nr_cpus", number(h->nr_cpus), err);
	set(o, "start_realtime_ns", number(h->realtime_ns), err);
	set(o, "ended_by", t ? text(t->ended_by) : json_null(), err);
	set(o, "torn", torn ? text(torn) : json_null(), err);
	return o;
}

static json_t *tasks(const struct join_totals *t, int *err)
{
	json_t *o = json_object();

	if (!o)
		return NULL;
	set(o, "seen", number(t->tasks_seen), err);
	set(o, "alive_at_end", number(t->tasks_alive_at_end), err);
	set(o, "completed", number(t->tasks_completed), err);
	set(o, "cancelled", number(t->tasks_cancelled), err);
	if (t->tasks_ended_unseen)
		set(o, "ended_unseen", number(t->tasks_ended_unseen), err);
	return o;
}

static json_t *segments(const struct join_totals *t, int *err)
{
	json_t *o = json_object();

	for (int i = 0; o && i < JOIN_SEGMENT_NR; i++)
		set(o, join_segment__name(i), number(t->segments[i]), err);
	return o;
}

static void set_place(json_t *o, const struct join_place *p, int *err)
{
	set(o, "function", text(p->function), err);
	set(o, "file", text(p->file), err);
	set(o, "path", text(p->path), err);
	set(o, "line", number(p->line), err);
}

static void set_if_told(json_t *o, const char *key, const char *value, int *err)
{
	if (*value)
		set(o, key, text(value), err);
}

/* Siblings, with what is below each. */
static json_t *followed(const struct join_followed *list, size_t nr, int *err)
{
	json_t *a = json_array();

	for (size_t i = 0; a && i < nr; i += 1 + list[i].below) {
		const struct join_followed *e = &list[i];
		json_t *o = json_object();

		if (!o) {
			*err = -ENOMEM;
			break;
		}
		set_if_told(o, "task", e->task, err);
		if (e->segment < JOIN_SEGMENT_NR && !*e->why)
			set(o, "segment", text(join_segment__name(e->segment)), err);
		if (*e->place.function)
			set_place(o, &e->place, err);
		set_if_told(o, "leaf", e->leaf, err);
		set_if_told(o, "part", e->part, err);
		set_if_told(o, "detail", e->detail, err);
		set_if_told(o, "why", e->why, err);
		if (e->others)
			set(o, "others", number(e->others), err);
		set(o, "ns", number(e->ns), err);
		if (e->below)
			set(o, "followed", followed(e + 1, e->below, err), err);
		append(a, o, err);
	}
	return a;
}

/* @follow: whether waits are followed. */
static json_t *point(const struct join_point *p, bool follow, int *err)
{
	json_t *o = json_object(), *stack = json_array();

	if (!o || !stack) {
		json_decref(o);
		json_decref(stack);
		return NULL;
	}
	set(o, "task", text(p->task), err);
	set(o, "function", text(p->function), err);
	set(o, "file", text(p->file), err);
	set(o, "path", text(p->path), err);
	set(o, "line", number(p->line), err);
	set(o, "leaf", text(p->leaf), err);
	set(o, "count", number(p->count), err);
	set(o, "woken_in_poll", number(p->woken_in_poll), err);
	set(o, "open", number(p->open), err);
	set(o, "self_wakes", number(p->self_wakes), err);
	set(o, "spin", number(p->spin), err);
	set(o, "await_ns", number(p->await_ns), err);
	set(o, "ready_ns", number(p->ready_ns), err);
	set(o, "split", sums(p->split, p->nr_split, err), err);
	set(o, "details", sums(p->details, p->nr_details, err), err);
	if (follow)
		set(o, "followed", followed(p->followed, p->nr_followed, err), err);
	if (p->nr_callers)
		set(o, "callers", sums(p->callers, p->nr_callers, err), err);
	set(o, "p50_ns", number(p->await.p50), err);
	set(o, "p99_ns", number(p->await.p99), err);
	set(o, "max_ns", number(p->await.max), err);
	set(o, "ready_p50_ns", number(p->ready.p50), err);
	set(o, "ready_p99_ns", number(p->ready.p99), err);
	set(o, "ready_max_ns", number(p->ready.max), err);
	set(o, "total_p50_ns", number(p->total.p50), err);
	set(o, "total_p99_ns", number(p->total.p99), err);
	set(o, "total_max_ns", number(p->total.max), err);
	for (size_t i = 0; i < p->nr_stack; i++)
		append(stack, text(p->stack[i].name), err);
	set(o, "stack", stack, err);
	return o;
}

static json_t *points(const struct join *j, const struct output_opts *opts, int *err)
{
	json_t *a = json_array();
	size_t nr;
	const struct join_point **list = output_report__points(j, opts, 0, &nr);

	if (!list)
		*err = -ENOMEM;
	for (size_t i = 0; a && list && i < nr; i++)
		append(a, point(list[i], join__follow_depth(j), err), err);
	free(list);
	return a;
}

static json_t *stack_of(const struct join_block *b, size_t nr, int *err)
{
	json_t *a = json_array();

	for (size_t i = 0; a && i < nr; i++) {
		json_t *o = json_object();

		if (o)
			set_place(o, &b->stack[i], err);
		append(a, o, err);
	}
	return a;
}

static json_t *delays(const struct join_block *b, int *err)
{
	json_t *a = json_array();

	for (size_t i = 0; a && i < b->nr_delays; i++) {
		json_t *o = json_object();

		if (o) {
			set(o, "task", text(b->delays[i].task), err);
			set(o, "ready_ns", number(b->delays[i].ready_ns), err);
			set(o, "await_ns", number(b->delays[i].await_ns), err);
		}
		append(a, o, err);
	}
	return a;
}

static json_t *waker(const struct join_block *b, int *err)
{
	json_t *o = json_object();

	if (!o)
		return NULL;
	set(o, "thread", text(b->waker), err);
	set_place(o, &b->waker_place, err);
	return o;
}

static json_t *futexes(const struct join_block *b, int *err)
{
	json_t *a = json_array();

	for (size_t i = 0; a && i < b->nr_futexes; i++) {
		json_t *o = json_object();
		char word[24];

		snprintf(word, sizeof(word), "%#" PRIx64, b->futexes[i].word);
		if (o) {
			set(o, "address", text(word), err);
			set(o, "blocked_ns", number(b->futexes[i].ns), err);
			set(o, "count", number(b->futexes[i].times), err);
		}
		append(a, o, err);
	}
	return a;
}

/* @frames: how many may still be written of all stacks. */
static json_t *block(const struct join_block *b, size_t *frames, int *err)
{
	size_t nr_stack = b->nr_stack <= *frames ? b->nr_stack : 0;
	size_t nr_kernel = b->nr_kernel <= *frames - nr_stack ? b->nr_kernel : 0;

	json_t *o = json_object(), *kernel = json_array();

	if (!o || !kernel) {
		json_decref(o);
		json_decref(kernel);
		return NULL;
	}
	set(o, "task", text(b->task), err);
	set(o, "job", json_boolean(b->job), err);
	set_place(o, &b->place, err);
	set(o, "what", text(b->what), err);
	set(o, "kernel_function", text(b->kernel), err);
	set(o, "blocked_ns", number(b->ns), err);
	set(o, "count", number(b->times), err);
	set(o, "max_ns", number(b->longest), err);
	*frames -= nr_stack + nr_kernel;
	set(o, "stack", stack_of(b, nr_stack, err), err);
	for (size_t i = 0; i < nr_kernel; i++)
		append(kernel, text(b->kernel_stack[i]), err);
	set(o, "kernel_stack", kernel, err);
	if (b->nr_futexes)
		set(o, "futexes", futexes(b, err), err);
	if (*b->waker || *b->waker_place.function)
		set(o, "woken_by", waker(b, err), err);
	set(o, "delayed", delays(b, err), err);
	return o;
}

static json_t *blocks(const struct join *j, const struct output_opts *opts, int *err)
{
	json_t *a = json_array();
	size_t nr, frames = FRAMES_MAX;
	const struct join_block *list = join__blocks(j, &nr);

	if (opts->top && nr > opts->top)
		nr = opts->top;
	for (size_t i = 0; a && i < nr; i++)
		append(a, block(&list[i], &frames, err), err);
	return a;
}

static json_t *hot(const struct join_hot *h, int *err)
{
	json_t *o = json_object();

	if (!o)
		return NULL;
	set(o, "task", text(h->task), err);
	set(o, "job", json_boolean(h->job), err);
	set_place(o, &h->place, err);
	set(o, "running_ns", number(h->ns), err);
	set(o, "task_running_ns", number(h->running_ns), err);
	set(o, "samples", number(h->samples), err);
	set(o, "kernel_samples", number(h->in_kernel), err);
	set(o, "kernel_function", text(h->kernel), err);
	set(o, "probe_samples", number(h->in_probes), err);
	set(o, "innermost_function", text(h->self), err);
	set(o, "innermost_samples", number(h->self_samples), err);
	return o;
}

/* NULL: CPUs were not sampled. */
static json_t *on_cpu(const struct join *j, const struct output_opts *opts, int *err)
{
	const struct join_on_cpu *c = join__on_cpu(j);
	json_t *o = json_object(), *list = json_array();
	size_t nr = opts->top && c->nr_hot > opts->top ? opts->top : c->nr_hot;

	if (!o || !list) {
		json_decref(o);
		json_decref(list);
		*err = -ENOMEM;
		return NULL;
	}
	set(o, "hz", number(c->hz), err);
	set(o, "samples", number(c->samples), err);
	set(o, "in_tasks", number(c->in_tasks), err);
	set(o, "in_jobs", number(c->in_jobs), err);
	set(o, "in_no_poll", number(c->outside), err);
	set(o, "not_placed", number(c->unplaced), err);
	set(o, "lost", number(c->lost), err);
	set(o, "threads_in_no_poll", sums(c->threads, c->nr_threads, err), err);
	for (size_t i = 0; i < nr; i++)
		append(list, hot(&c->hot[i], err), err);
	set(o, "functions", list, err);
	return o;
}

static json_t *stack_sum(const struct join_stack_sum *s, int *err)
{
	json_t *o = json_object();

	if (!o)
		return NULL;
	set(o, "count", number(s->times), err);
	set(o, "blocked_ns", number(s->ns), err);
	return o;
}

static json_t *user_stacks(const struct join_stacks *s, int *err)
{
	json_t *o = json_object();

	if (!o)
		return NULL;
	set(o, "complete", stack_sum(&s->complete, err), err);
	set(o, "cut", stack_sum(&s->cut, err), err);
	set(o, "missing", stack_sum(&s->missing, err), err);
	return o;
}

static json_t *quantiles(const struct join_quantiles *q, int *err)
{
	json_t *o = json_object();

	if (!o)
		return NULL;
	set(o, "count", number(q->count), err);
	set(o, "p50_ns", number(q->p50), err);
	set(o, "p99_ns", number(q->p99), err);
	set(o, "max_ns", number(q->max), err);
	return o;
}

static json_t *job(const struct join_job *job, int *err)
{
	json_t *o = json_object();

	if (!o)
		return NULL;
	set(o, "task", text(job->task), err);
	set(o, "count", number(job->count), err);
	set(o, "alive_at_end", number(job->alive_at_end), err);
	set(o, "queue", quantiles(&job->queue, err), err);
	set(o, "queue_from_wait", number(job->queue_from_wait), err);
	set(o, "run", quantiles(&job->run, err), err);
	set(o, "running_ns", number(job->segments[JOIN_RUNNING]), err);
	set(o, "preempted_ns", number(job->segments[JOIN_PREEMPTED]), err);
	if (job->throttled_ns)
		set(o, "throttled_ns", number(job->throttled_ns), err);
	set(o, "blocked_ns", number(job->segments[JOIN_BLOCKED]), err);
	set(o, "unattributed_ns", number(job->segments[JOIN_UNATTRIBUTED]), err);
	return o;
}

static json_t *jobs(const struct join *j, int *err)
{
	json_t *a = json_array();
	size_t nr;
	const struct join_job *list = join__jobs(j, &nr);

	for (size_t i = 0; a && i < nr; i++)
		append(a, job(&list[i], err), err);
	return a;
}

/* What was selected, and how much there is in all. */
static json_t *selection(const struct join *j, const struct output_opts *opts, int *err)
{
	json_t *o = json_object();
	struct join_all all;
	const char *task = join__selected(j, &all);
	enum join_idle idle;
	uint64_t left_out;
	size_t nr;

	if (!o)
		return NULL;
	join__points(j, &nr);
	set(o, "task", task ? text(task) : json_null(), err);
	set(o, "sort", text(output_sort__name(opts->sort)), err);
	set(o, "top", opts->top ? number(opts->top) : json_null(), err);
	set(o, "await_points", number(nr), err);
	set(o, "all_tasks_seen", number(all.tasks_seen), err);
	set(o, "all_lifetime_ns", number(all.lifetime_ns), err);
	if (join__follow_depth(j))
		set(o, "follow", number(join__follow_depth(j)), err);
	idle = join__idle(j, &left_out);
	if (idle == JOIN_IDLE_SHOW)
		return o;
	set(o, "idle", text(idle == JOIN_IDLE_HIDE ? "hide" : "only"), err);
	set(o, "left_out_ns", number(left_out), err);
	return o;
}

static json_t *cost(const struct join *j, const struct trace_reader *r, int *err)
{
	const struct trace_totals *t = trace_reader__totals(r);
	json_t *o = json_object();

	if (!o)
		return NULL;
	set(o, "events", number(join__totals(j)->events), err);
	set(o, "probe_hits", t ? number(t->probe_hits) : json_null(), err);
	set(o, "cpu_ns", t ? number(t->cpu_ns) : json_null(), err);
	/* As a share of the target's CPU time, to one millionth. */
	set(o, "target_share",
	    t && t->target_cpu_ns
		    ? json_real(round((double)t->cpu_ns / (double)t->target_cpu_ns * 1e6) / 1e6)
		    : json_null(),
	    err);
	return o;
}

static json_t *notes(const struct join *j, int *err)
{
	json_t *a = json_array();
	size_t nr;
	const char *const *list = join__notes(j, &nr);

	for (size_t i = 0; a && i < nr; i++)
		append(a, text(list[i]), err);
	return a;
}

/*
 * JSON allows control characters from U+007F on to stand unescaped. They are escaped
 * here, so that showing the text is harmless. In JSON all non-ASCII characters are
 * inside strings.
 */
static int write_escaped(const char *s, FILE *out)
{
	size_t len = strlen(s), plain = 0, at = 0;
	bool valid;
	uint32_t cp;

	while (at < len) {
		size_t n = utf8__read(s + at, len - at, &cp, &valid);

		if (cp >= 0x7f && utf8__is_control(cp)) {
			fwrite(s + plain, 1, at - plain, out);
			if (cp > 0xffff)	/* a surrogate pair */
				fprintf(out, "\\u%04X", 0xd7c0 + (cp >> 10));
			fprintf(out, "\\u%04X", cp > 0xffff ? 0xdc00 | (cp & 0x3ff) : cp);
			plain = at + n;
		}
		at += n;
	}
	fwrite(s + plain, 1, at - plain, out);
	fputc('\n', out);
	return ferror(out) ? (errno ? -errno : -EIO) : 0;
}

static int write_json(const json_t *o, FILE *out)
{
	struct text_file t;
	FILE *f = text_file__open(&t);
	bool bad;
	char *s;
	int err;

	if (!f)
		return -ENOMEM;
	bad = json_dumpf(o, f, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
	s = text_file__close(&t);
	err = bad || !s ? -ENOMEM : write_escaped(s, out);
	free(s);
	return err;
}

static int write_report(const struct join *j, const struct trace_reader *r,
			const struct output_opts *opts, FILE *out)
{
	const struct join_totals *t = join__totals(j);
	json_t *o = json_object();
	size_t nr, nr_ready;
	const struct join_sum *lost = join__losses(j, &nr);
	const struct join_sum *ready = join__ready(j, &nr_ready);
	int err = 0;

	if (!o)
		return -ENOMEM;
	set(o, "version", number(REPORT_VERSION), &err);
	set(o, "recording", recording(r, &err), &err);
	set(o, "selection", selection(j, opts, &err), &err);
	set(o, "wall_ns", number(t->wall_ns), &err);
	set(o, "polls", number(t->polls), &err);
	set(o, "tasks", tasks(t, &err), &err);
	set(o, "lifetime_ns", number(t->lifetime_ns), &err);
	set(o, "segments", segments(t, &err), &err);
	set(o, "ready", sums(ready, nr_ready, &err), &err);
	if (join__on_cpu(j)->hz || join__on_cpu(j)->samples)
		set(o, "on_cpu", on_cpu(j, opts, &err), &err);
	set(o, "jobs", jobs(j, &err), &err);
	if (join__stacks(j))
		set(o, "user_stacks", user_stacks(join__stacks(j), &err), &err);
	set(o, "blocked_places", blocks(j, opts, &err), &err);
	set(o, "await_points", points(j, opts, &err), &err);
	set(o, "lost", sums(lost, nr, &err), &err);
	set(o, "cost", cost(j, r, &err), &err);
	set(o, "notes", notes(j, &err), &err);
	if (!err)
		err = write_json(o, out);
	json_decref(o);
	return err;
}

const struct output_format output_json = {
	.name		= "json",
	.extension	= "json",
	.write		= write_report,
};
