/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Makes from the sums what join.h provides: rows with their frames, and losses. Await points
 * and the rest have files of their own. All results are sorted by the data alone, so that equal
 * recordings give equal results.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sum.h"
#include "join/blocks.h"
#include "join/follow.h"
#include "join/followed.h"
#include "join/frames.h"
#include "join/job_kinds.h"
#include "join/others.h"
#include "join/points.h"
#include "join/sampled.h"
#include "join/timeline.h"

static const char *const loss_names[JOIN_LOSS_NR] = {
	[JOIN_LOSS_POLL]	= "poll without its begin or end",
	[JOIN_LOSS_DROP]	= "drop of a task not seen",
	[JOIN_LOSS_HISTORY]	= "worker activity no longer kept",
	[JOIN_LOSS_NESTED]	= "polls nested too deep to follow",
};

static const char *const lost_names[TRACE_LOST_NR] = {
	[TRACE_LOST_RING]	= "ring buffer full",
	[TRACE_LOST_WRITER]	= "file could not be written",
	[TRACE_LOST_DAMAGED]	= "chunk of the file damaged",
};

/* ---- names ---- */

static const char *thread_detail(struct join *j, uint32_t tid)
{
	const char *s = trace_reader__thread_name(j->reader, tid);

	if (s && *s)
		return frame_names__safef(j->names, "by thread %s", s);
	return tid ? frame_names__safef(j->names, "by thread %u", tid)
		   : frame_names__safe(j->names, "by an unknown thread");
}

/* "by thread feeder in f (x.rs:12)", "by task X after f (x.rs:1)" */
static const char *waker_name(struct join *j, const struct waker *waker)
{
	const struct trace_user_frame *place =
		waker__place(trace_reader__user_stack(j->reader, waker->user));
	const char *name, *at;

	name = waker->kind == UNKNOWN_KIND ? thread_detail(j, waker->tid) :
					     accounts__waker_detail(j->accounts, waker->kind,
								    waker->chain);
	if (!name || !place)
		return name;
	at = frames__place_name(j, place);
	return at ? frame_names__safef(j->names, "%s in %s", name, at) : NULL;
}

const char *detail_name(struct join *j, struct detail d)
{
	uint32_t stack;
	const char *s;
	uint32_t job;

	switch (d.kind) {
	case DETAIL_STRING:
		s = trace_reader__string(j->reader, d.id);
		return frame_names__safe(j->names, s ? s : "unnamed descriptor");
	case DETAIL_FD:
		return frame_names__safef(j->names, "fd %d", (int)d.id);
	case DETAIL_TASK:
		return accounts__task_detail(j->accounts, "", d.id);
	case DETAIL_BY_TASK:
	case DETAIL_BY_THREAD_AT:
		return waker_name(j, wakers__get(&j->wakers, d.id));
	case DETAIL_JOINED:
		return accounts__task_detail(j->accounts, "joined ", d.id);
	case DETAIL_BY_THREAD:
		return thread_detail(j, d.id);
	case DETAIL_WORKER_BLOCKED:
		return accounts__task_detail(j->accounts, "worker blocked in ", d.id);
	case DETAIL_WORKER_BUSY:
		return accounts__task_detail(j->accounts, "worker busy with ", d.id);
	case DETAIL_TAKER_BLOCKED:
		return accounts__task_detail(j->accounts,
					     "taken by a worker that was blocked in ", d.id);
	case DETAIL_TAKER_BUSY:
		return accounts__task_detail(j->accounts,
					     "taken by a worker that was busy with ", d.id);
	case DETAIL_WORKER_RUNTIME:
		return frame_names__safe(j->names, "worker busy with the runtime");
	case DETAIL_WORKER_QUEUE:
		return frame_names__safe(j->names, "worker run queue");
	case DETAIL_WORKER_THROTTLED:
		return frame_names__safe(j->names, "worker throttled");
	case DETAIL_WORKER_ASLEEP:
		return frame_names__safe(j->names, "worker asleep");
	case DETAIL_RUNTIME:
		return frame_names__safe(j->names, "runtime");
	case DETAIL_SLEEP:
		job = sleeps__get(&j->sleeps, d.id)->job;
		if (job)
			return accounts__task_detail(j->accounts, "", job - 1);
		break;
	case DETAIL_OPERATION:
		return driver__operation(j, d.id, &stack);
	}
	return frame_names__safe(j->names, OTHERS_UNCOUNTED);
}

/* ---- rows ---- */

/* Iterates over the bytes of a stack's folded line; 0 at the end. */
struct folded {
	const struct join_row	*row;
	uint32_t		 frame;
	const char		*p;
};

static unsigned char folded__next(struct folded *f)
{
	if (*f->p)
		return (unsigned char)*f->p++;
	if (++f->frame >= f->row->nr) {
		f->frame = f->row->nr;
		return 0;
	}
	f->p = f->row->frames[f->frame].name;
	return ';';
}

static int row_order(const void *a, const void *b)
{
	const struct join_row *x = a, *y = b;
	uint32_t same = 0;
	struct folded fx, fy;

	/* Equal names have equal pointers. */
	while (same < x->nr && same < y->nr && x->frames[same].name == y->frames[same].name)
		same++;
	if (same == x->nr || same == y->nr)
		return x->nr < y->nr ? -1 : x->nr > y->nr;
	fx = (struct folded){ x, same, x->frames[same].name };
	fy = (struct folded){ y, same, y->frames[same].name };
	for (;;) {
		unsigned char cx = folded__next(&fx), cy = folded__next(&fy);

		if (cx != cy)
			return cx < cy ? -1 : 1;
		if (!cx)
			return 0;
	}
}

/* A sum that will become a row. */
struct row_sum {
	struct sum_key	 key;
	uint64_t	 ns;
	const char	*task;		/* kinds with the same name share a row */
	uint32_t	 chain;
	uint16_t	 branch;
	uint32_t	 sample;	/* see frames__add_sample() */
};

/* Time on a CPU is divided by samples until it is so many rows; the same for what is followed. */
#define PARTS_MAX	(1u << 20)

static int by_stack(const void *a, const void *b)
{
	const struct row_sum *x = a, *y = b;

	if (x->task != y->task)
		return x->task < y->task ? -1 : 1;
	if (x->chain != y->chain)
		return x->chain < y->chain ? -1 : 1;
	if (x->branch != y->branch)
		return x->branch < y->branch ? -1 : 1;
	if (x->sample != y->sample)
		return x->sample < y->sample ? -1 : 1;
	return sum_key__cmp(&x->key, &y->key);
}

/* The largest first; equal ones in the order in which their accounts were created. */
static int by_size(const void *a, const void *b)
{
	const struct row_sum *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	if (x->key.account != y->key.account)
		return x->key.account < y->key.account ? -1 : 1;
	if (x->sample != y->sample)
		return x->sample < y->sample ? -1 : 1;
	return sum_key__cmp(&x->key, &y->key);
}

/* Merges sums with identical stacks; the result has the account that was created first. */
static size_t merge_stacks(struct row_sum *sums, size_t nr)
{
	size_t out = 0;

	qsort(sums, nr, sizeof(*sums), by_stack);
	for (size_t i = 0; i < nr; i++) {
		struct row_sum *last = out ? &sums[out - 1] : NULL;

		if (!last || by_stack(last, &sums[i])) {
			sums[out++] = sums[i];
			continue;
		}
		sum__add(&last->ns, sums[i].ns);
		if (sums[i].key.account < last->key.account)
			last->key.account = sums[i].key.account;
	}
	qsort(sums, out, sizeof(*sums), by_size);
	return out;
}

/*
 * Divides the time at @sums by the samples in it, if they are not more than *@parts; how many
 * sums it becomes. Without a sample it stays as it is.
 */
static size_t divide_by_samples(struct join *j, struct row_sum *sums, size_t *parts)
{
	const struct row_sum all = *sums;
	uint64_t total, before = 0;
	size_t nr, out = 0;
	const struct sample_count *counts = sampled__in(j, &all.key, &nr, &total);

	if (nr > *parts) {
		sums->sample = NOT_DIVIDED;
		return 1;
	}
	*parts -= nr;
	for (size_t i = 0; i < nr; i++) {
		struct row_sum *part = &sums[out];

		*part = all;
		part->sample = counts[i].sample + 1;
		part->ns = samples__part(all.ns, before, before + counts[i].nr, total);
		before += counts[i].nr;
		out += part->ns > 0;
	}
	return nr ? out : 1;
}

/* How many sums divide_by_samples() may add to all of those that are not followed. */
static size_t parts_of_sums(struct join *j)
{
	size_t parts = 0, nr;
	uint64_t total;

	for (uint32_t i = 0; i < j->sums.sums.size; i++)
		if (j->sums.sums.entries[i].ns) {
			sampled__in(j, &j->sums.sums.entries[i].key, &nr, &total);
			parts += nr;
		}
	return parts < PARTS_MAX ? parts : PARTS_MAX;
}

/* All sums that become rows, *@nr of them; @taken: see follow__taken(). NULL: no memory. */
static struct row_sum *collect_row_sums(struct join *j, const uint64_t *taken, size_t *nr)
{
	size_t parts = parts_of_sums(j);
	struct row_sum *sums = calloc(j->sums.sums.nr + parts + 1, sizeof(*sums));

	*nr = 0;
	for (uint32_t i = 0; sums && i < j->sums.sums.size; i++) {
		const struct sum *s = &j->sums.sums.entries[i];
		const struct account *account;
		struct row_sum *out = &sums[*nr];

		if (!s->ns)
			continue;
		account = accounts__account(j->accounts, s->key.account);
		if (!selection__has(j, account->kind))
			continue;
		if (!selection__has_sum(j, &s->key)) {
			sum__add(&j->left_out_ns, s->ns);
			continue;
		}
		if (s->ns < taken[i] && !j->violations++)
			snprintf(j->why, sizeof(j->why),
				 "time not conserved: waits of %llu ns are followed for %llu ns",
				 (unsigned long long)s->ns, (unsigned long long)taken[i]);
		if (s->ns <= taken[i])
			continue;
		*out = (struct row_sum){ s->key, s->ns - taken[i],
					 accounts__task_name(j->accounts, account->kind),
					 account->chain, account->branch, 0 };
		if (!out->task) {
			free(sums);
			return NULL;
		}
		*nr += divide_by_samples(j, out, &parts);
	}
	if (sums)
		*nr = merge_stacks(sums, *nr);
	return sums;
}

/* Rows, with their frames all in one array. */
struct rows {
	struct join_row	*list;
	size_t		 nr;
	struct frames	 frames;
};

/* The frames from number @first on are a row of its own. */
static void rows__end(struct rows *rows, size_t first, uint8_t segment, uint64_t ns)
{
	rows->list[rows->nr++] = (struct join_row){ .nr = (uint32_t)(rows->frames.nr - first),
						    .segment = segment, .ns = ns };
}

/* The frames of @node, below those of what it was followed from. */
static int add_followed(struct join *j, const struct follow_node *nodes, size_t node,
			struct frames *frames)
{
	uint32_t path[JOIN_FOLLOW_DEPTH_MAX + 2], nr = 0;
	int err = 0;

	for (size_t at = node + 1; at; at = nodes[at - 1].parent)
		path[nr++] = (uint32_t)at - 1;
	while (nr-- && !err) {
		const struct follow_node *n = &nodes[path[nr]];

		if (!n->parent)
			err = frames__add_sum(j, frames, &n->key);
		else if (n->end == FOLLOW_ON)
			err = frames__add_followed(j, frames, &n->key);
		else
			err = frames__add(frames, frame_names__safe(j->names, follow__why(n->end)),
					  JOIN_FRAME_GAP);
	}
	return err;
}

/* Is the wait that @node was followed from selected? */
static bool followed_has(struct join *j, const struct follow_node *nodes, size_t node)
{
	while (nodes[node].parent)
		node = nodes[node].parent - 1;
	return selection__has(j, accounts__account(j->accounts, nodes[node].key.account)->kind) &&
	       selection__has_sum(j, &nodes[node].key);
}

/* Makes a row of @node, or of time on a CPU one for each sample, if *@parts are that many. */
static int fill_followed(struct join *j, const struct follow_node *nodes, size_t node,
			 struct rows *rows, size_t *parts)
{
	const struct follow_node *n = &nodes[node];
	const struct sample_count *counts = NULL;
	uint64_t total, before = 0;
	size_t nr = 0;
	int err = 0;

	if (n->end == FOLLOW_ON)
		counts = sampled__in(j, &n->key, &nr, &total);
	if (!nr || nr > *parts) {
		size_t first = rows->frames.nr;

		err = add_followed(j, nodes, node, &rows->frames);
		if (!err)
			err = frames__add_sample(j, &rows->frames, nr ? NOT_DIVIDED : 0);
		rows__end(rows, first, JOIN_AWAIT, n->ns);
		return err;
	}
	*parts -= nr;
	for (size_t i = 0; i < nr && !err; i++) {
		uint64_t ns = samples__part(n->ns, before, before + counts[i].nr, total);
		size_t first = rows->frames.nr;

		before += counts[i].nr;
		if (!ns)
			continue;
		err = add_followed(j, nodes, node, &rows->frames);
		if (!err)
			err = frames__add_sample(j, &rows->frames, counts[i].sample + 1);
		rows__end(rows, first, JOIN_AWAIT, ns);
	}
	return err;
}

/* Makes a row of each of @sums, and of each followed stack. */
static int fill_rows(struct join *j, const struct row_sum *sums, size_t nr, struct rows *rows)
{
	size_t at = 0, first, nr_nodes, parts = 0, of_node;
	const struct follow_node *nodes = follow__nodes(j->follow, &nr_nodes);
	uint64_t total;
	int err = 0;

	for (size_t i = 0; i < nr_nodes && parts < PARTS_MAX; i++)
		if (nodes[i].end == FOLLOW_ON && nodes[i].ns) {
			sampled__in(j, &nodes[i].key, &of_node, &total);
			parts += of_node;
		}
	if (parts > PARTS_MAX)
		parts = PARTS_MAX;
	rows->list = calloc(nr + nr_nodes + parts + 1, sizeof(*rows->list));
	if (!rows->list)
		return -ENOMEM;
	for (size_t i = 0; i < nr && !err; i++) {
		first = rows->frames.nr;
		err = frames__add_sum(j, &rows->frames, &sums[i].key);
		if (!err)
			err = frames__add_sample(j, &rows->frames, sums[i].sample);
		rows__end(rows, first, sums[i].key.segment, sums[i].ns);
	}
	for (size_t i = 0; i < nr_nodes && !err; i++) {
		if (!nodes[i].ns || !followed_has(j, nodes, i))
			continue;
		err = fill_followed(j, nodes, i, rows, &parts);
	}
	for (size_t i = 0; i < rows->nr && !err; i++) {
		rows->list[i].frames = rows->frames.list + at;
		at += rows->list[i].nr;
	}
	return err;
}

static int make_rows(struct join *j)
{
	struct rows made = { 0 };
	uint64_t *taken = follow__taken(j);
	size_t nr, out = 0;
	struct row_sum *sums = taken ? collect_row_sums(j, taken, &nr) : NULL;
	struct join_row *rows;
	int err = sums ? fill_rows(j, sums, nr, &made) : -ENOMEM;

	free(taken);
	free(sums);
	if (err) {
		free(made.list);
		free(made.frames.list);
		return err;
	}
	rows = made.list;
	qsort(rows, made.nr, sizeof(*rows), row_order);
	for (size_t i = 0; i < made.nr; i++) {
		if (out && !row_order(&rows[out - 1], &rows[i]))
			sum__add(&rows[out - 1].ns, rows[i].ns);
		else
			rows[out++] = rows[i];
	}
	j->rows = rows;
	j->row_frames = made.frames.list;
	err = others__rows(j->names, rows, &out, made.frames.list);
	qsort(rows, out, sizeof(*rows), row_order);
	j->nr_rows = out;
	return err ? err : j->err;
}

/* ---- losses ---- */

static void add_loss(struct join *j, const char *name, uint64_t count)
{
	if (!count)
		return;
	for (size_t i = 0; i < j->nr_losses; i++)
		if (!strcmp(j->loss_sums[i].name, name)) {
			sum__add(&j->loss_sums[i].ns, count);
			return;
		}
	j->loss_sums[j->nr_losses++] = (struct join_sum){ .name = name, .ns = count };
}

static int make_losses(struct join *j)
{
	size_t nr = TRACE_LOST_NR + JOIN_LOSS_NR + 1;
	const char *cause;
	uint64_t total;

	for (size_t i = 0; trace_reader__loss(j->reader, i, &cause, &total); i++)
		nr++;
	j->loss_sums = calloc(nr, sizeof(*j->loss_sums));
	if (!j->loss_sums)
		return -ENOMEM;
	for (size_t i = 0; trace_reader__loss(j->reader, i, &cause, &total); i++) {
		const char *name = frame_names__safe(j->names, cause);

		if (!name)
			return -ENOMEM;
		add_loss(j, name, total);
	}
	/*
	 * The recorder's counters hold all its losses; if the file was truncated before
	 * them, the events of loss are added up instead.
	 */
	if (!j->nr_losses)
		for (int i = 0; i < TRACE_LOST_DAMAGED; i++)
			add_loss(j, lost_names[i], j->lost_events[i]);
	add_loss(j, lost_names[TRACE_LOST_DAMAGED], j->lost_events[TRACE_LOST_DAMAGED]);
	for (int i = 0; i < JOIN_LOSS_NR; i++)
		add_loss(j, loss_names[i], j->losses[i]);
	add_loss(j, "file ends early", !!trace_reader__torn(j->reader));
	return 0;
}

int result__make(struct join *j)
{
	int err = make_rows(j);

	if (!err)
		err = followed__make(j);
	if (!err)
		err = points__make(j);
	if (!err)
		err = blocks__make(j);
	if (!err)
		err = job_kinds__make(j);
	if (!err)
		err = sampled__make(j);
	if (!err)
		err = make_losses(j);
	if (!err)
		err = notes__make(j);
	if (!err)
		err = selection__make(j);
	return err;
}

void result__free(struct join *j)
{
	free(j->rows);
	free(j->row_frames);
	followed__free(j->followed);
	free(j->points);
	free(j->point_sums);
	blocks__free(j->blocks);
	free(j->point_frames);
	free(j->jobs);
	sampled__free(j->sampled);
	free(j->loss_sums);
	free(j->notes);
	free(j->task_names);
}

const struct join_row *join__rows(const struct join *j, size_t *nr)
{
	*nr = j->nr_rows;
	return j->rows;
}

const char *join__unpolled(const struct join *j)
{
	return j->unpolled;
}

const struct join_point *join__points(const struct join *j, size_t *nr)
{
	*nr = j->nr_points;
	return j->points;
}

const struct join_sum *join__losses(const struct join *j, size_t *nr)
{
	*nr = j->nr_losses;
	return j->loss_sums;
}

const char *const *join__notes(const struct join *j, size_t *nr)
{
	*nr = j->nr_notes;
	return j->notes;
}
