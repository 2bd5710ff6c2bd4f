// SPDX-License-Identifier: GPL-2.0
/* Threads that sleep inside of a poll. See sleepers.h. */
#include "why/sleepers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "inspect/unwind.h"
#include "join/sleeps.h"
#include "why/locks.h"
#include "why/objects.h"
#include "why/stacks.h"

#define NAMED		256	/* functions of a stack */
#define KERNEL_FRAMES	32

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

/* The stack of a thread, the innermost function first. */
struct stack {
	struct trace_user_frame	frames[NAMED];
	uint32_t		 nr;
	uint32_t		 place;		/* the program's own frame; nr: there is none */
	bool			 way;		/* it has given its worker to another thread */
};

/* 1: there is no room for more. */
static int add_function(void *ctx, const struct stack_function *f)
{
	struct stack *st = ctx;

	if (!*f->function && !*f->path)
		return 0;
	st->frames[st->nr++] = (struct trace_user_frame){ f->function, f->path, f->line };
	st->way |= gives_way(f->function);
	return st->nr == NAMED;
}

static void read_stack(const struct why *y, struct unwinder *u, const struct picture_thread *t,
		       struct stack *st)
{
	struct trace_user_stack stack = { .frames = st->frames };
	const struct trace_user_frame *place;

	st->nr = 0;
	st->way = false;
	stack__walk(y, u, t, add_function, st);
	stack.nr = st->nr;
	place = sleep__place(&stack);
	st->place = place ? (uint32_t)(place - st->frames) : st->nr;
}

static struct answer_place place_of(const struct stack *st)
{
	const struct trace_user_frame *f = &st->frames[st->place];
	const char *base;

	if (st->place == st->nr)
		return (struct answer_place){ "", "", 0 };
	base = strrchr(f->path, '/');
	return (struct answer_place){ f->function, base ? base + 1 : f->path, f->line };
}

const char *sleepers__kernel_words(pid_t pid, const struct picture_thread *t)
{
	char path[64], names[KERNEL_FRAMES][64], line[256];
	const char *frames[KERNEL_FRAMES];
	struct trace_stack stack = { .frames = frames };
	struct sleep s = { .syscall = (int32_t)t->syscall };
	const char *words;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%" PRIu32 "/stack", pid, t->tid);
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
	words = sleep__words(&s, stack.nr ? &stack : NULL);
	return words ? words : "something in the kernel";
}

/* ---- who sleeps ---- */

static bool is_job(const struct why *y, uint32_t task)
{
	const struct image_fn *fns;
	size_t nr;

	fns = image__fns(y->p.img, &nr);
	return y->p.tasks[task].fn < nr && fns[y->p.tasks[task].fn].blocking;
}

/* What a job should not sleep in for long: outside of the program, and not its own doing. */
static bool is_outside(const char *words)
{
	static const char *const outside[] = { "a disk", "an answer of ", "a page fault", "memory (" };

	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		if (!strncmp(words, outside[i], strlen(outside[i])))
			return true;
	return false;
}

/* Does a thread in such a system call possibly look for a host? libc polls its sockets. */
static bool may_resolve(const struct picture_thread *t)
{
	return t->syscall == SYS_poll || t->syscall == SYS_ppoll || t->syscall == SYS_recvfrom ||
	       t->syscall == SYS_recvmsg;
}

static bool may_be_slow(const struct why *y, const struct picture_thread *t)
{
	return t->still && (may_resolve(t) ||
			    is_outside(sleepers__kernel_words(y->p.target->pid, t)));
}

/* std's sys/net/connection/socket/mod.rs (before 1.86 sys_common/net.rs) around getaddrinfo */
static bool resolves(const struct stack *st)
{
	for (uint32_t i = 0; i < st->nr; i++)
		if (strstr(st->frames[i].function, "LookupHost") ||
		    strstr(st->frames[i].function, "lookup_host") ||
		    strstr(st->frames[i].function, "resolve_socket_addr"))
			return true;
	return false;
}

static void find_words(const struct why *y, const struct stack *st, struct sleeper *s)
{
	struct lock_wait w = { .held_by = WALK_NONE };
	char object[128];

	s->held_by = WALK_NONE;
	if (s->thread->syscall == SYS_futex)
		w = lock__of(y, s->thread, st->frames, st->nr, st->place);
	s->lock = w.lock;
	s->held_by = w.held_by;
	s->sure = w.sure;
	s->outside = may_resolve(s->thread) && resolves(st);
	if (s->outside) {
		snprintf(s->words, sizeof(s->words), "an answer to getaddrinfo (DNS)");
		return;
	}
	object__words(y->p.target->pid, s->thread, object, sizeof(object));
	if (w.call && w.lock)
		snprintf(s->words, sizeof(s->words), "%s of the lock at 0x%" PRIx64, w.call, w.lock);
	else
		snprintf(s->words, sizeof(s->words), "%s%s%s",
			 w.call ? w.call : sleepers__kernel_words(y->p.target->pid, s->thread),
			 *object ? ": " : "", object);
	s->outside = is_outside(s->words);
}

/* May @s sleep there? A root on a thread of its own may, and so may a job. */
static bool is_free_to(const struct why *y, const struct sleeper *s, bool jobs)
{
	const struct picture_task *t = &y->p.tasks[s->task];

	if (s->job)
		return !jobs && s->root == WALK_NONE && !may_be_slow(y, s->thread);
	return t->root && !t->shares && s->root == WALK_NONE;
}

static bool look_at(const struct why *y, struct unwinder *u, struct stack *st, bool jobs,
		    const struct picture_thread *t, struct sleeper *s)
{
	if (!t->asleep || !t->nr_polls || !y->steady[t->polls[t->nr_polls - 1]])
		return false;
	*s = (struct sleeper){ .thread = t, .task = t->polls[t->nr_polls - 1],
			       .root = t->blocks_in == t->nr_polls ? t->blocks_on : WALK_NONE };
	s->job = is_job(y, s->task);
	if (is_free_to(y, s, jobs))
		return false;
	read_stack(y, u, t, st);
	if (st->way)
		return false;
	s->at = place_of(st);
	find_words(y, st, s);
	return true;
}

struct sleeper *sleepers__find(struct why *y, bool jobs, size_t *nr)
{
	struct sleeper *list = calloc(y->p.nr_threads + 1, sizeof(*list));
	struct unwinder *u = unwinder__new(y->p.target);
	struct stack *st = malloc(sizeof(*st));

	*nr = 0;
	for (size_t i = 0; i < y->p.nr_threads && list && u && st; i++)
		*nr += look_at(y, u, st, jobs, &y->p.threads[i], &list[*nr]);
	if (!list || !u || !st)
		y->err = -ENOMEM;
	unwinder__free(u);
	free(st);
	return list;
}

const struct sleeper *sleepers__of(const struct sleeper *list, size_t nr, uint32_t tid)
{
	for (size_t i = 0; i < nr; i++)
		if (list[i].thread->tid == tid)
			return &list[i];
	return NULL;
}

/* Does @task wait for nothing but I/O and timers, or for a thread to poll it? */
static bool needs_driver(const struct why *y, uint32_t task)
{
	const struct picture_task *t = &y->p.tasks[task];
	bool any = t->state == PICTURE_READY;

	for (uint32_t i = t->waits; i < t->waits + t->nr_waits && t->state == PICTURE_IDLE; i++) {
		const struct walk_key key = y->p.waits[i].key;

		if (y->p.waits[i].unpolled)
			continue;
		any = true;
		if (key.kind != WALK_KEY_DEADLINE && key.kind != WALK_KEY_IO)
			return false;
	}
	return any;
}

bool sleepers__deadlocked(const struct why *y, const struct sleeper *list, size_t nr,
			  const struct sleeper *s, bool driven)
{
	/* as many steps as there are sleepers: it has come round */
	for (size_t i = 0; i <= nr; i++) {
		const struct picture_task *t;
		uint32_t task;

		if (!s || s->held_by == WALK_NONE || !s->sure)
			return false;
		task = y->p.handles[s->held_by].task;
		t = &y->p.tasks[task];
		if (t->state == PICTURE_IDLE || t->state == PICTURE_READY)
			return !driven && y->steady[task] && needs_driver(y, task);
		if (t->state != PICTURE_POLLED)
			return false;
		s = sleepers__of(list, nr, t->tid);
	}
	return true;
}

void sleepers__add(struct why *y, struct why_finding *f, const struct sleeper *s)
{
	const struct picture_task *root = s->root == WALK_NONE ? NULL : &y->p.tasks[s->root];
	uint32_t wait = root && root->nr_waits ? root->waits : WALK_NONE;

	why__party(y, f, "blocks", s->task, s->at, "%s sleeps in thread %" PRIu32 " (%s): %s%s%s",
		   why__task(y, s->task), s->thread->tid, s->thread->name, s->words, root ? ", blocks on " : "", root ? why__task(y, s->root) : "");
	if (wait != WALK_NONE)
		why__party(y, f, "waits", s->root, why__wait_place(y, wait), "%s waits in %s",
			   why__task(y, s->root), why__waits_in(y, wait));
}
