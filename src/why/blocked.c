// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that sleep inside of a poll: where in the program, in what, and whom they keep
 * waiting. A thread counts if it was asleep there in each picture.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "inspect/unwind.h"
#include "join/sleeps.h"
#include "symbol/source_lines.h"
#include "why/graph.h"
#include "why/why.h"

#define FRAMES		96	/* of a stack */
#define NAMED		256	/* of these, with inlined functions */
#define KERNEL_FRAMES	32
#define LATE_NS		50000000ull	/* a timer that is so late is overdue */

/* A thread that sleeps in a poll. */
struct sleeper {
	const struct picture_thread	*thread;
	struct why_place		 at;
	const char			*words;		/* what it sleeps in; or NULL */
	uint32_t			 task;		/* whose poll it is in */
	uint32_t			 root;		/* that it blocks on; WALK_NONE: none */
	bool				 job;		/* a blocking job's poll */
};

/* ---- where it is ---- */

/* Is @function one in which a thread blocks no worker? */
static bool gives_way(const char *function)
{
	size_t len = strlen(function);

	for (unsigned int r = 0; runtimes[r]; r++) {
		for (const char *at = runtimes[r]->gives_way; at; at = strchr(at, '|')) {
			at += *at == '|';
			if (!strncmp(at, function, len) && (!at[len] || at[len] == '|'))
				return true;
		}
	}
	return false;
}

/* Where in the program @t is. *@way: it has given its worker to another thread. */
static struct why_place stack_place(const struct why *y, struct unwinder *u,
				    const struct picture_thread *t, bool *way)
{
	struct unwind_frame f = { .pc = t->regs.ip, .innermost = true, .sp = t->regs.sp };
	struct trace_user_frame frames[NAMED];
	struct trace_user_stack stack = { .frames = frames };
	struct source_frame found[NAMED];
	const struct trace_user_frame *place;
	const char *base;

	*way = false;
	memcpy(f.saved, t->regs.saved, sizeof(f.saved));
	for (unsigned int i = 0; i < FRAMES && stack.nr < NAMED; i++) {
		int nr = source_lines__at(y->lines, f.pc - y->p.bias - (i > 0), found,
					  (int)(NAMED - stack.nr));

		for (int k = 0; k < nr; k++) {
			frames[stack.nr++] = (struct trace_user_frame){
				found[k].function, found[k].path, found[k].line };
			*way |= gives_way(found[k].function);
		}
		if (unwinder__step(u, &f) != 1)
			break;
	}
	place = sleep__place(&stack);
	if (!place)
		return (struct why_place){ "", "", 0 };
	base = strrchr(place->path, '/');
	return (struct why_place){ place->function, base ? base + 1 : place->path, place->line };
}

/* What it sleeps in, by the kernel's functions. */
static const char *sleep_words(const struct why *y, const struct picture_thread *t)
{
	char path[64], names[KERNEL_FRAMES][64], line[256];
	const char *frames[KERNEL_FRAMES];
	struct trace_stack stack = { .frames = frames };
	struct sleep s = { .syscall = (int32_t)t->syscall };
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%" PRIu32 "/stack", y->p.target->pid, t->tid);
	f = fopen(path, "re");
	while (f && stack.nr < KERNEL_FRAMES && fgets(line, sizeof(line), f)) {
		/* [<0>] futex_wait_queue+0x6a/0xa0 */
		if (sscanf(line, "%*s %63[^+\n]", names[stack.nr]) != 1)
			continue;
		frames[stack.nr] = names[stack.nr];
		stack.nr++;
	}
	if (f)
		fclose(f);
	return sleep__words(&s, stack.nr ? &stack : NULL);
}

/* ---- who sleeps ---- */

static bool is_job(const struct why *y, uint32_t task)
{
	const struct image_fn *fns;
	size_t nr;

	fns = image__fns(y->p.img, &nr);
	return y->p.tasks[task].fn < nr && fns[y->p.tasks[task].fn].blocking;
}

/* The sleepers of the picture, in an array that the caller frees. */
static struct sleeper *find_sleepers(struct why *y, size_t *nr)
{
	struct sleeper *list = calloc(y->p.nr_threads + 1, sizeof(*list));
	struct unwinder *u = unwinder__new(y->p.target);

	*nr = 0;
	for (size_t i = 0; i < y->p.nr_threads && list && u; i++) {
		const struct picture_thread *t = &y->p.threads[i];
		struct sleeper *s = &list[*nr];
		bool way;

		if (!t->asleep || !t->nr_polls || !y->steady[t->polls[t->nr_polls - 1]])
			continue;
		*s = (struct sleeper){ .thread = t, .task = t->polls[t->nr_polls - 1],
				       .root = t->blocks_in == t->nr_polls ? t->blocks_on :
									     WALK_NONE };
		s->job = is_job(y, s->task);
		/* a root on a thread of its own may do so */
		if (y->p.tasks[s->task].root && !y->p.tasks[s->task].shares &&
		    s->root == WALK_NONE)
			continue;
		s->at = stack_place(y, u, t, &way);
		/* a job may sleep: that is what it is for */
		if (way || (s->job && s->root == WALK_NONE))
			continue;
		s->words = sleep_words(y, t);
		(*nr)++;
	}
	if (!list || !u)
		y->err = -ENOMEM;
	unwinder__free(u);
	return list;
}

/* ---- whom they keep waiting ---- */

static bool is_in_driver(const struct picture_thread *t)
{
	return t->syscall == SYS_epoll_wait || t->syscall == SYS_epoll_pwait ||
	       t->syscall == SYS_epoll_pwait2;
}

/* Tasks that are ready, and timers that are overdue. */
static void add_victims(struct why *y, struct why_finding *f)
{
	uint64_t now = y->p.ts;

	for (uint32_t i = 0; i < y->p.nr_tasks; i++) {
		const struct picture_task *t = &y->p.tasks[i];
		struct why_place at = { "", "", 0 };

		if (!y->steady[i])
			continue;
		if (t->state == PICTURE_READY) {
			if (t->nr_waits)
				at = why__wait_place(y, t->waits);
			why__party(y, f, "starved", i, at, "%s is ready to be polled", why__task(y, i));
		}
		for (uint32_t k = t->waits; t->state == PICTURE_IDLE && k < t->waits + t->nr_waits;
		     k++) {
			const struct walk_key key = y->p.waits[k].key;

			if (key.kind == WALK_KEY_DEADLINE && !y->p.waits[k].unpolled &&
			    key.value + LATE_NS < now)
				why__party(y, f, "victim", i, why__wait_place(y, k),
					   "%s waits in %s, whose time has passed", why__task(y, i),
					   why__waits_in(y, k));
		}
	}
}

/* Does any thread look for I/O and timers? */
static bool driven(const struct why *y)
{
	for (size_t i = 0; i < y->p.nr_threads; i++)
		if (is_in_driver(&y->p.threads[i]))
			return true;
	return false;
}

/* ---- findings ---- */

static bool is_ready(const struct why *y, uint64_t id)
{
	for (size_t i = 0; i < y->p.nr_tasks; i++)
		if (y->p.tasks[i].id == id)
			return y->p.tasks[i].state == PICTURE_READY;
	return false;
}

/*
 * The task that @s blocks for: of those that the root joins, one that is ready, or (*@queued)
 * one that no list of the runtime has, a job in the queue of the pool.
 */
static bool blocks_for(const struct why *y, const struct sleeper *s, bool *queued)
{
	const struct picture_task *root = s->root == WALK_NONE ? NULL : &y->p.tasks[s->root];

	*queued = false;
	for (uint32_t i = 0; root && i < root->nr_waits; i++) {
		const struct picture_wait *w = &y->p.waits[root->waits + i];

		if (w->unpolled || w->key.kind != WALK_KEY_TASK)
			continue;
		*queued = !y->g->waits[root->waits + i].nr_edges;
		if (*queued || is_ready(y, w->key.value))
			return true;
	}
	return false;
}

static void add_sleeper(struct why *y, struct why_finding *f, const struct sleeper *s)
{
	const struct picture_task *root = s->root == WALK_NONE ? NULL : &y->p.tasks[s->root];
	uint32_t wait = root && root->nr_waits ? root->waits : WALK_NONE;

	why__party(y, f, "blocks", s->task, s->at, "%s sleeps: %s%s%s", why__task(y, s->task),
		   s->words ? s->words : "something in the kernel", root ? ", blocks on " : "",
		   root ? why__task(y, s->root) : "");
	if (wait != WALK_NONE)
		why__party(y, f, "waits", s->root, why__wait_place(y, wait), "%s waits in %s",
			   why__task(y, s->root), why__waits_in(y, wait));
}

static void tell(struct why *y, const struct sleeper *list, size_t nr, const char *kind,
		 unsigned int rank, bool jobs)
{
	const struct sleeper *first = NULL;
	struct why_finding *f;
	bool still = true;
	uint32_t count = 0;

	for (size_t i = 0; i < nr; i++) {
		if (list[i].job != jobs)
			continue;
		/* what the others wait for tells less: a lock that this one holds */
		if (!first || (first->thread->syscall == SYS_futex &&
			       list[i].thread->syscall != SYS_futex))
			first = &list[i];
		count++;
		still &= list[i].thread->still;
	}
	f = first ? why__add(y, kind, rank) : NULL;
	if (!f)
		return;
	why__say(y, f, "%" PRIu32 " thread%s in %s: %s at %s:%" PRIu32 " (%s)%s", count,
		 count == 1 ? " sleeps" : "s sleep", jobs ? "blocking jobs" : "polls",
		 why__task(y, first->task), first->at.file, first->at.line,
		 first->words ? first->words : "something in the kernel",
		 jobs ? "; what they wait for is in the queue of the same pool" :
		 !driven(y) ? "; and no thread looks for I/O and timers" : "");
	if (!still)
		f->since_ns = 0;
	add_sleeper(y, f, first);
	for (size_t i = 0; i < nr; i++)
		if (list[i].job == jobs && &list[i] != first)
			add_sleeper(y, f, &list[i]);
	if (!jobs)
		add_victims(y, f);
}

/* A pool whose threads all have jobs, with more in its queue; NULL: there is none. */
static const struct picture_pool *full_pool(const struct why *y)
{
	for (size_t i = 0; i < y->p.nr_pools; i++) {
		const struct picture_pool *pool = &y->p.pools[i];

		if (pool->queued && !pool->idle && pool->threads >= pool->limit)
			return pool;
	}
	return NULL;
}

void why__find_blocked(struct why *y)
{
	size_t nr = 0;
	struct sleeper *list = find_sleepers(y, &nr);
	bool starves = false, exhausted = false, queued;

	for (size_t i = 0; i < nr; i++) {
		if (list[i].job)
			exhausted |= blocks_for(y, &list[i], &queued) && queued;
		else
			starves |= blocks_for(y, &list[i], &queued) && !queued;
	}
	if (!y->err)
		tell(y, list, nr, starves ? "starved task" : "blocked worker", 1, false);
	/* a job that was not found may also be on a runtime that was not */
	exhausted &= !y->p.incomplete && !y->p.untold && (!y->p.nr_pools || full_pool(y));
	if (!y->err && exhausted)
		tell(y, list, nr, "pool exhausted", 1, true);
	free(list);
}
