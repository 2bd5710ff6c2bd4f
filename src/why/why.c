// SPDX-License-Identifier: GPL-2.0
/* Pictures, and findings about them. See why.h. */
#include "why/why.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/hash_table.h"
#include "symbol/source_lines.h"
#include "why/elsewhere.h"
#include "why/graph.h"

#define SECOND_NS	60000000	/* from the first picture to the second */
#define THIRD_NS	1000000000	/* to the third, if something may be just slow */
#define MORE_LOOKS	8
#define MAX_MISSED	2	/* looks that may meet a thread when it does not sleep */
#define MORE_NS		2700000		/* between them, at least */

/* ---- pictures ---- */

static bool same_waits(const struct picture *p, const struct picture_task *t,
		       const struct picture *q, const struct picture_task *u)
{
	if (t->nr_waits != u->nr_waits || t->chain.hash != u->chain.hash || t->fn != u->fn ||
	    t->state != u->state || t->tid != u->tid)
		return false;
	for (uint32_t i = 0; i < t->nr_waits; i++) {
		const struct picture_wait *v = &p->waits[t->waits + i];
		const struct picture_wait *w = &q->waits[u->waits + i];

		if (v->unpolled != w->unpolled || !walk_key__same(v->key, w->key) ||
		    v->node != w->node || v->needs != w->needs)
			return false;
	}
	return true;
}

/* A thread that has not run since. */
static const struct picture_thread *thread_of(const struct picture *p, uint32_t tid)
{
	for (size_t i = 0; i < p->nr_threads; i++)
		if (p->threads[i].tid == tid)
			return &p->threads[i];
	return NULL;
}

static bool same_place(const struct picture_thread *t, const struct picture_thread *u)
{
	return u->syscall == t->syscall && u->regs.sp == t->regs.sp && u->regs.ip == t->regs.ip &&
	       t->state != 'R' && u->state != 'R';
}

/*
 * @t, which is not where @u was, may have been met just when it woke up to sleep again, in the
 * same poll: then it is taken to be where it was.
 */
static void miss(struct picture_thread *t, const struct picture_thread *u)
{
	if (u->missed == MAX_MISSED || !t->nr_polls || t->nr_polls != u->nr_polls ||
	    (u->state == 'R' && t->state == 'R'))
		return;
	if (u->state == 'R') {	/* it was the first look that met it awake */
		t->missed = (uint8_t)(u->missed + 1);
		t->asleep = true;
		return;
	}
	t->regs = u->regs;
	t->syscall = u->syscall;
	memcpy(t->args, u->args, sizeof(t->args));
	t->state = u->state;
	t->missed = (uint8_t)(u->missed + 1);
	t->missing = true;
	t->asleep = true;
}

static void compare_threads(const struct picture *before, struct picture *now)
{
	for (size_t i = 0; i < now->nr_threads; i++) {
		struct picture_thread *t = &now->threads[i];
		const struct picture_thread *u = thread_of(before, t->tid);

		if (!u || (before->still && !u->asleep))
			continue;
		t->missed = u->missed;
		t->asleep = same_place(t, u);
		t->still = t->asleep && u->switches == t->switches && (!before->still || u->still);
		if (!t->asleep)
			miss(t, u);
	}
}

/* Was a thread, which was asleep in a poll before, not met asleep in the last look? */
static bool is_missing(const struct picture *p)
{
	for (size_t i = 0; i < p->nr_threads; i++)
		if (p->threads[i].missing)
			return true;
	return false;
}

static void compare_pools(const struct picture *before, struct picture *now)
{
	for (size_t i = 0; i < now->nr_pools; i++) {
		struct picture_pool *pool = &now->pools[i];

		for (size_t k = 0; k < before->nr_pools; k++)
			if (before->pools[k].id == pool->id)
				pool->always = pool->full && before->pools[k].full &&
					       (!before->still || before->pools[k].always);
	}
}

/* Which tasks of @now are as they were in @before? @old: which were so already; or NULL. */
static bool *compare(const struct picture *before, const bool *old, struct picture *now)
{
	bool *steady = calloc(now->nr_tasks + 1, sizeof(*steady));
	struct hash_table ids = { .nr = 0 };

	compare_threads(before, now);
	compare_pools(before, now);
	for (size_t i = 0; i < before->nr_tasks && steady; i++) {
		struct hash_slot *slot = hash_table__at(&ids, before->tasks[i].id);

		if (!slot) {
			free(steady);
			steady = NULL;
			break;
		}
		slot->value = i + 1;
	}
	for (size_t i = 0; i < now->nr_tasks && steady; i++) {
		const struct hash_slot *slot = hash_table__find(&ids, now->tasks[i].id);
		size_t at = slot ? slot->value - 1 : 0;

		steady[i] = slot && (!old || old[at]) &&
			    same_waits(before, &before->tasks[at], now, &now->tasks[i]);
	}
	hash_table__clear(&ids);
	return steady;
}

/* Take the next picture and keep what is the same in it. */
static int take_next(struct why *y, const struct picture_registers *regs)
{
	struct picture next;
	bool *steady;
	int err;

	err = picture__take(&next, y->p.img, y->p.target, y->p.bias, regs);
	steady = err ? NULL : compare(&y->p, y->steady, &next);
	if (!steady) {
		picture__free(&next);
		return err ? err : -ENOMEM;
	}
	next.still = true;
	y->span_ns += next.ts - y->p.ts;
	picture__free(&y->p);
	free(y->steady);
	y->p = next;
	y->steady = steady;
	return 0;
}

static int look_again(struct why *y, uint64_t ns, const struct picture_registers *regs)
{
	const struct timespec pause = { .tv_sec = (time_t)(ns / 1000000000),
					.tv_nsec = (long)(ns % 1000000000) };

	nanosleep(&pause, NULL);
	return take_next(y, regs);
}

/* ---- findings ---- */

struct why_finding *why__add(struct why *y, const char *kind, unsigned int rank)
{
	struct why_finding *f;

	if (array__room(&y->findings, &y->cap_findings, y->nr_findings, sizeof(*f))) {
		y->err = -ENOMEM;
		return NULL;
	}
	f = &y->findings[y->nr_findings++];
	*f = (struct why_finding){ .kind = kind, .rank = rank, .since_ns = y->span_ns };
	return f;
}

void why__say(struct why *y, struct why_finding *f, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	free(f->text);
	if (vasprintf(&f->text, format, ap) < 0) {
		f->text = NULL;
		y->err = -ENOMEM;
	}
	va_end(ap);
}

/* Is @task new in party number @at? */
static bool is_new(struct why *y, struct why_finding *f, size_t at, uint32_t task)
{
	struct hash_slot *slot = hash_table__at(&f->counted, (uint64_t)at << 32 | task);

	if (!slot) {
		y->err = -ENOMEM;
		return false;
	}
	if (slot->value)
		return false;
	slot->value = 1;
	return true;
}

void why__party(struct why *y, struct why_finding *f, const char *role, uint32_t task,
		struct answer_place place, const char *format, ...)
{
	struct why_party *p;
	char *text;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0)
		goto nomem;
	for (size_t i = 0; i < f->nr_parties; i++) {
		p = &f->parties[i];
		if (!strcmp(p->role, role) && !strcmp(p->text, text) &&
		    p->place.line == place.line && !strcmp(p->place.file, place.file)) {
			p->count += is_new(y, f, i, task);
			free(text);
			return;
		}
	}
	if (array__room(&f->parties, &f->cap_parties, f->nr_parties, sizeof(*p))) {
		free(text);
		goto nomem;
	}
	f->parties[f->nr_parties++] = (struct why_party){ .role = role, .task = task, .count = 1,
							   .place = place, .text = text };
	is_new(y, f, f->nr_parties - 1, task);
	return;
nomem:
	y->err = -ENOMEM;
}

static int finding_cmp(const void *a, const void *b)
{
	const struct why_finding *x = a, *y = b;

	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static void free_findings(struct why *y)
{
	for (size_t i = 0; i < y->nr_findings; i++) {
		struct why_finding *f = &y->findings[i];

		for (size_t k = 0; k < f->nr_parties; k++)
			free(f->parties[k].text);
		free(f->parties);
		hash_table__clear(&f->counted);
		free(f->text);
		free(f->resource);
	}
	y->nr_findings = 0;
}

static int find(struct why *y)
{
	int err;

	free_findings(y);
	graph__free(y->g);
	err = graph__make(y->g, &y->p, y->steady);
	if (!err && elsewhere__mark(y)) {
		graph__free(y->g);
		err = graph__make(y->g, &y->p, y->steady);
	}
	if (err || y->err)
		return err ? err : y->err;
	if (why__find_halts(y))
		return y->err;
	why__find_deadlocks(y);
	why__find_lost_wakes(y);
	why__find_blocked(y);
	why__find_kernel_side(y);
	why__find_sockets(y);
	why__find_windows(y);
	why__find_chains(y);
	if (y->nr_findings)
		qsort(y->findings, y->nr_findings, sizeof(*y->findings), finding_cmp);
	return y->err;
}

/* Is there a finding that needs to stand? */
static bool stands(const struct why *y)
{
	for (size_t i = 0; i < y->nr_findings; i++)
		if (!y->findings[i].moves)
			return true;
	return false;
}

int why__look(struct why *y, const struct image *img, const struct process *target, uint64_t bias,
	      const struct picture_registers *regs)
{
	char exe[64];
	int err;

	*y = (struct why){ .g = calloc(1, sizeof(*y->g)) };
	snprintf(exe, sizeof(exe), "/proc/self/fd/%d", target->exe_fd);
	y->lines = source_lines__new(exe, image__debug_path(img));
	if (!y->g || !y->lines)
		return -ENOMEM;
	err = picture__take(&y->p, img, target, bias, regs);
	if (!err) {
		y->cgroup = why__cgroup(y);
		why__watch_sockets(y, SECOND_NS);
		err = take_next(y, regs);
	}
	if (!err)
		err = find(y);
	/* what a moment later is still so may be over in the next */
	if (!err && stands(y))
		err = look_again(y, THIRD_NS, regs);
	/*
	 * Two tasks that answer each other are often found both waiting, each for the other:
	 * looks at irregular times tell them from two that stand.
	 */
	for (uint64_t i = 0; stands(y) && !err && i < MORE_LOOKS +
			     (is_missing(&y->p) ? MAX_MISSED + 1 : 0); i++)
		err = look_again(y, MORE_NS * (1 + i * 7 % 5), regs);
	if (!err && stands(y))
		err = find(y);
	return err;
}

void why__free(struct why *y)
{
	free_findings(y);
	free(y->findings);
	free(y->fds);
	free(y->watched);
	free(y->cgroup);
	hash_table__clear(&y->connections);
	if (y->g)
		graph__free(y->g);
	free(y->g);
	source_lines__free(y->lines);
	picture__free(&y->p);
	free(y->steady);
}
