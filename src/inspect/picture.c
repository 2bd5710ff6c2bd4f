// SPDX-License-Identifier: GPL-2.0
/* The picture of a process. See picture.h. */
#include "inspect/picture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "inspect/alive.h"
#include "inspect/keeps.h"
#include "inspect/queues.h"
#include "inspect/under_way.h"

#define FIND_NS		3000000000ull	/* the most time for finding tasks */
#define KEEP_NS		8000000000ull	/* … and for what they have */
#define MAX_FRAMES	(1u << 24)	/* of all tasks */
#define LOOKS		16		/* retries for a thread whose stack changes meanwhile */
#define LOOK_NS		200000		/* between the retries */
#define MAX_POOL	(1u << 24)	/* threads and jobs of a pool; more is not one */

struct taker {
	struct picture		*p;
	struct alive		*alive;
	struct under_way	*under_way;
	uint64_t		 until;
	unsigned int		 moving;	/* threads whose stacks changed */
	bool			 again;		/* only those threads are looked at */
	bool			 polled;	/* polled tasks are in the picture already */
	int			 err;
};

/* ---- threads ---- */

static FILE *open_of(const struct picture *p, uint32_t tid, const char *what)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%" PRIu32 "/%s", p->target->pid, tid, what);
	return fopen(path, "re");
}

/*
 * Its name, its state, and the system call that it is in. It may end meanwhile; then it has
 * no state.
 */
static void describe(const struct picture *p, struct picture_thread *t)
{
	char line[512], *end;
	FILE *f = open_of(p, t->tid, "stat");

	t->state = '?';
	t->syscall = -1;
	if (f && fgets(line, sizeof(line), f)) {
		char *name = strchr(line, '(');

		end = strrchr(line, ')');
		if (name && end && end > name && end[1] == ' ') {
			t->state = end[2];
			*end = '\0';
			snprintf(t->name, sizeof(t->name), "%s", name + 1);
			utf8__make_printable(t->name);
		}
	}
	if (f)
		fclose(f);
	f = open_of(p, t->tid, "syscall");
	if (f && fgets(line, sizeof(line), f) && line[0] >= '0' && line[0] <= '9') {
		t->syscall = strtoll(line, &end, 10);
		for (int i = 0; i < 6; i++)
			t->args[i] = strtoull(end, &end, 16);
	}
	if (f)
		fclose(f);
	f = open_of(p, t->tid, "status");
	while (f && fgets(line, sizeof(line), f)) {
		uint64_t nr;

		if (sscanf(line, "voluntary_ctxt_switches: %" SCNu64, &nr) == 1 ||
		    sscanf(line, "nonvoluntary_ctxt_switches: %" SCNu64, &nr) == 1)
			t->switches += nr;
	}
	if (f)
		fclose(f);
}

static struct picture_thread *thread_of(const struct picture *p, uint32_t tid)
{
	for (size_t i = 0; i < p->nr_threads; i++)
		if (p->threads[i].tid == tid)
			return &p->threads[i];
	return NULL;
}

static int look_at_thread(void *ctx, const void *record)
{
	const struct raw_thread_regs *regs = record;
	struct taker *t = ctx;
	struct picture *p = t->p;
	struct picture_thread *th = thread_of(p, regs->tid);
	int err = 0;

	if (!th) {
		if (array__room(&p->threads, &p->cap_threads, p->nr_threads, sizeof(*p->threads)))
			return -ENOMEM;
		th = &p->threads[p->nr_threads++];
		*th = (struct picture_thread){ .tid = regs->tid, .blocks_on = WALK_NONE };
	} else if (!t->again || !th->moving) {
		return 0;
	}
	th->regs = *regs;
	if (clock__now() > t->until) {
		p->incomplete = true;
		return 0;
	}
	if (!t->again && t->alive && regs->fs)
		err = alive__thread(t->alive, regs->fs, t->until);
	if (!t->again && err >= 0 && t->alive && regs->sp)
		err = alive__stack(t->alive, regs->sp, t->until);
	if (!t->again && err >= 0 && t->alive)
		err = alive__leave_out(t->alive, regs->sp, regs->fs);
	if (err >= 0)
		err = under_way__look(t->under_way, regs);
	th->moving = err > 0;
	t->moving += th->moving;
	return err < 0 ? err : 0;
}

/* ---- tasks ---- */

static struct picture_task *add_task(struct picture *p, uint64_t id, uint32_t fn,
				     enum picture_state state)
{
	struct picture_task *t;

	if (array__room(&p->tasks, &p->cap_tasks, p->nr_tasks, sizeof(*p->tasks)))
		return NULL;
	t = &p->tasks[p->nr_tasks++];
	*t = (struct picture_task){ .id = id, .fn = fn, .state = state };
	return t;
}

static uint32_t task_at(const struct picture *p, uint64_t id)
{
	for (size_t i = 0; i < p->nr_tasks; i++)
		if (p->tasks[i].id == id)
			return (uint32_t)i;
	return WALK_NONE;
}

static int found_task(void *ctx, const struct alive_task *found)
{
	struct taker *t = ctx;
	enum picture_state state = !found->known ? PICTURE_MOVING :
				   found->state == TRACE_TASK_RUNNING ? PICTURE_POLLED :
				   found->state == TRACE_TASK_NOTIFIED ? PICTURE_READY :
									 PICTURE_IDLE;

	if (t->polled && task_at(t->p, found->task) != WALK_NONE)
		return 0;
	return add_task(t->p, found->task, found->fn, state) ? 0 : -ENOMEM;
}

/* The task of a poll, or the root (enum thread_poll_root), which is in no list. */
static int polled(struct picture *p, uint64_t id, uint32_t fn, unsigned int root, uint32_t tid,
		  enum picture_state state, uint32_t *at)
{
	struct picture_task *t;

	*at = task_at(p, id);
	if (*at == WALK_NONE) {
		t = add_task(p, id, fn, state);
		if (!t)
			return -ENOMEM;
		*at = (uint32_t)(t - p->tasks);
	}
	t = &p->tasks[*at];
	t->state = state;
	t->root = root;
	t->shares = root == 2;
	t->tid = tid;
	return 0;
}

static int take_polls(struct taker *t)
{
	struct picture *p = t->p;
	struct raw_under_way w;
	int err = under_way__settle(t->under_way);
	uint32_t tid, at;

	if (err < 0)
		return err;
	p->untold = (unsigned int)err;
	err = 0;
	while (!err && under_way__next(t->under_way, &tid, &w)) {
		struct picture_thread *th = thread_of(p, tid);

		for (uint32_t i = 0; i < w.nr && !err && th; i++) {
			err = polled(p, w.polls[i].task, w.polls[i].fn, w.polls[i].root, tid,
				     PICTURE_POLLED, &at);
			if (!err)
				th->polls[th->nr_polls++] = at;
		}
		for (uint32_t i = 0; i < RAW_UNDER_WAY && !err && th; i++) {
			if (!w.pending[i].task)
				continue;
			err = polled(p, w.pending[i].task, w.pending[i].fn,
				     w.pending[i].root ? w.pending[i].root : 1, tid,
				     PICTURE_IDLE, &at);
			/* of those in its frames, the innermost */
			if (!err) {
				th->blocks_on = at;
				th->blocks_in = i;
			}
		}
	}
	return err;
}

/* The lists that tasks are in which were found by their polls alone, a LocalSet's for example. */
static int lists_of_polled(struct taker *t)
{
	size_t nr = t->p->nr_tasks;
	int err = 0;

	t->polled = true;
	for (size_t i = 0; t->alive && i < nr && !err; i++)
		if (t->p->tasks[i].state == PICTURE_POLLED && !t->p->tasks[i].root)
			err = alive__task(t->alive, t->p->tasks[i].id);
	if (!err && t->alive)
		err = alive__step(t->alive, t->until);
	if (err > 0)
		t->p->incomplete = true;
	return err < 0 ? err : 0;
}

/* ---- pools ---- */

/* The number at the end of layout @l, whose path begins before @shared; false: not known. */
static bool number_at(const struct picture *p, unsigned int runtime, uint16_t l, uint64_t shared,
		      uint64_t *out)
{
	const struct image_path *path = image__layout(p->img, runtime, l);
	uint64_t at = shared;

	*out = 0;
	if (!path->ok || !path->nr_hops || !path->width)
		return false;
	for (unsigned int i = 1; i < path->nr_hops; i++)
		if (process__read(p->target, at + path->off[i], &at, sizeof(at)))
			return false;
	return !process__read(p->target, at + path->off[path->nr_hops], out, path->width);
}

static bool read_pool(const struct picture *p, unsigned int runtime,
		      const struct runtime_pool *from, uint64_t shared, struct picture_pool *out)
{
	*out = (struct picture_pool){ .id = shared };
	if (!number_at(p, runtime, from->threads, shared, &out->threads) ||
	    !number_at(p, runtime, from->idle, shared, &out->idle) ||
	    !number_at(p, runtime, from->queued, shared, &out->queued) ||
	    !number_at(p, runtime, from->limit, shared, &out->limit))
		return false;
	out->full = out->queued && !out->idle && out->threads >= out->limit;
	return true;
}

static int add_pool(struct picture *p, const struct picture_pool *pool)
{
	if (array__room(&p->pools, &p->cap_pools, p->nr_pools, sizeof(*pool)))
		return -ENOMEM;
	p->pools[p->nr_pools++] = *pool;
	return 0;
}

/*
 * A scheduler without tasks: which kind it is, nothing says. A pool is taken from it if it can be
 * one for exactly one kind.
 */
static int take_pool_of_context(struct picture *p, unsigned int runtime, uint64_t shared)
{
	const struct runtime *rt = runtimes[runtime];
	struct picture_pool pool, found;
	unsigned int nr = 0;

	for (size_t k = 0; k < rt->nr_pools; k++) {
		if (!read_pool(p, runtime, &rt->pools[k], shared, &pool) || !pool.threads ||
		    pool.threads > pool.limit || pool.idle > pool.threads ||
		    pool.limit > MAX_POOL || pool.queued > MAX_POOL)
			continue;
		found = pool;
		nr++;
	}
	return nr == 1 ? add_pool(p, &found) : 0;
}

static int take_pools(struct taker *t)
{
	struct picture *p = t->p;
	struct picture_pool pool;
	unsigned int runtime;
	const char *kind;
	int err = queues__of_threads(p);

	for (size_t i = 0; t->alive && i < alive__nr_lists(t->alive) && !err; i++) {
		uint64_t shared = alive__scheduler(t->alive, i, &kind, &runtime);
		const struct runtime *rt = runtimes[runtime];

		err = queues__of_scheduler(p, runtime, kind, shared);
		for (size_t k = 0; k < rt->nr_pools && !err; k++)
			if (!strcmp(rt->pools[k].scheduler, kind) &&
			    read_pool(p, runtime, &rt->pools[k], shared, &pool))
				err = add_pool(p, &pool);
	}
	for (size_t i = 0; t->alive && i < alive__nr_contexts(t->alive) && !err; i++) {
		uint64_t shared = alive__context(t->alive, i, &runtime);

		err = take_pool_of_context(p, runtime, shared);
	}
	return err;
}

/* ---- the picture ---- */

static int find(struct taker *t, const struct picture_registers *regs)
{
	static const struct timespec pause = { .tv_nsec = LOOK_NS };
	int err = regs->each(regs->of, look_at_thread, t);

	t->again = true;
	for (int i = 0; i < LOOKS && t->moving && !err; i++) {
		t->moving = 0;
		nanosleep(&pause, NULL);
		err = regs->each(regs->of, look_at_thread, t);
	}
	if (!err && t->alive)
		err = alive__step(t->alive, t->until);
	if (err > 0 || (t->alive && alive__truncated(t->alive)))
		t->p->incomplete = true;
	err = err < 0 ? err : take_polls(t);
	if (!err)
		err = lists_of_polled(t);
	return err ? err : take_pools(t);
}

/* Is @t being polled by a thread that waits for a lock? Then what it has does not change. */
static bool is_at_lock(const struct picture *p, const struct picture_task *t)
{
	const struct picture_thread *th = t->state == PICTURE_POLLED ? thread_of(p, t->tid) : NULL;

	return th && th->syscall == SYS_futex && th->state != 'R';
}

static int keep_all(struct picture *p)
{
	struct keeps *k = keeps__new(p);
	int err = k ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < p->nr_tasks && !err; i++) {
		if (p->tasks[i].state != PICTURE_IDLE && p->tasks[i].state != PICTURE_READY &&
		    !is_at_lock(p, &p->tasks[i]))
			continue;
		if (clock__now() > p->ts + KEEP_NS || p->nr_frames > MAX_FRAMES) {
			p->incomplete = true;
			break;
		}
		p->tasks[i].ts = clock__now();
		err = keeps__of(k, i);
	}
	keeps__free(k);
	return err;
}

int picture__take(struct picture *p, const struct image *img, const struct process *target,
		  uint64_t bias, const struct picture_registers *regs)
{
	struct taker t = { .p = p };
	int err = -ENOMEM;

	*p = (struct picture){ .img = img, .target = target, .bias = bias, .ts = clock__now() };
	t.until = p->ts + FIND_NS;
	t.alive = alive__new(img, target, bias, found_task, &t);
	t.under_way = under_way__new(img, target, bias, t.alive);
	if (t.under_way)
		err = find(&t, regs);
	for (size_t i = 0; i < p->nr_threads; i++)
		describe(p, &p->threads[i]);
	if (!err)
		err = keep_all(p);
	under_way__free(t.under_way);
	alive__free(t.alive);
	return err;
}

void picture__free(struct picture *p)
{
	free(p->tasks);
	free(p->frames);
	free(p->waits);
	free(p->handles);
	free(p->threads);
	free(p->pools);
	*p = (struct picture){ .img = NULL };
}

/* ---- semaphores ---- */

static bool read_word(const struct picture *p, uint64_t addr, uint64_t *out)
{
	return !process__read(p->target, addr, out, sizeof(*out));
}

ssize_t picture__queue(const struct picture *p, unsigned int runtime, uint64_t addr,
		       uint64_t *nodes, size_t max)
{
	const struct runtime_semaphore *s = runtimes[runtime]->semaphore;
	const struct image_path *first, *next;
	uint64_t node;
	size_t nr = 0;

	if (!s)
		return -ENOTSUP;
	first = image__layout(p->img, runtime, s->first);
	next = image__layout(p->img, runtime, s->waiter_next);
	if (!first->ok || !next->ok || first->nr_hops || next->nr_hops)
		return -ENOTSUP;
	if (!read_word(p, addr + first->off[0], &node))
		return -EFAULT;
	/* the queue may lead back into itself: then it ends at @max */
	while (node && nr < max) {
		nodes[nr++] = node;
		if (!read_word(p, node + next->off[0], &node))
			return -EFAULT;
	}
	return (ssize_t)nr;
}

/* Adds the tasks of the list whose first entry layout @first leads to. */
static ssize_t add_list(const struct picture *p, unsigned int runtime, uint16_t first,
			uint64_t addr, uint64_t *tasks, size_t nr, size_t max)
{
	const struct runtime_set *s = runtimes[runtime]->set;
	const struct image_path *lists = image__layout(p->img, runtime, s->lists);
	const struct image_path *head = image__layout(p->img, runtime, first);
	const struct image_path *next = image__layout(p->img, runtime, s->next);
	const struct image_path *task = image__layout(p->img, runtime, s->task);
	uint64_t entry;

	if (!lists->ok || !head->ok || !next->ok || !task->ok || lists->nr_hops != 1 ||
	    head->nr_hops != 1 || next->nr_hops || task->nr_hops)
		return -ENOTSUP;
	if (!read_word(p, addr - lists->off[1] + head->off[1], &entry))
		return -EFAULT;
	while (entry && nr < max) {
		if (!read_word(p, entry + task->off[0], &tasks[nr++]) ||
		    !read_word(p, entry + next->off[0], &entry))
			return -EFAULT;
	}
	return (ssize_t)nr;
}

ssize_t picture__set(const struct picture *p, unsigned int runtime, uint64_t addr, uint64_t *tasks,
		     size_t max)
{
	const struct runtime_set *s = runtimes[runtime]->set;
	ssize_t nr;

	if (!s)
		return -ENOTSUP;
	nr = add_list(p, runtime, s->idle, addr, tasks, 0, max);
	return nr < 0 ? nr : add_list(p, runtime, s->notified, addr, tasks, (size_t)nr, max);
}

bool picture__permits(const struct picture *p, unsigned int runtime, uint64_t addr, uint64_t *free,
		      bool *closed)
{
	const struct runtime_semaphore *s = runtimes[runtime]->semaphore;
	const struct image_path *permits = s ? image__layout(p->img, runtime, s->permits) : NULL;
	uint64_t v;

	if (!permits || !permits->ok || permits->nr_hops ||
	    !read_word(p, addr + permits->off[0], &v))
		return false;
	*closed = v & s->closed;
	*free = v >> s->shift;
	return true;
}
