// SPDX-License-Identifier: GPL-2.0
/*
 * The way through a runtime's lists of tasks, in memory made by hand: this process
 * is its own target. Whole lists, lists that lead back into themselves or into
 * others, that end in memory that is not there, and long ones.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/model.h"
#include "inspect/alive.h"
#include "runtime/tokio.h"
#include "tests/unit/live_child.h"

#define BIAS	0x10000u
#define POLL	0x4000u		/* link-time address of the poll function */
#define JOB	0x5000u		/* that of a blocking job */

#define RUNNING	1u
#define DONE	2u
#define QUEUED	4u

/* A runtime's structures, as the layouts below say. */
struct vtable {
	uint64_t	poll, trailer, scheduler;
};

struct shard {
	struct task	*head;
	uint64_t	 other;
};

struct shared {
	struct shard	*shards;
	uint64_t	 nr;
};

struct task {
	uint64_t	 state, unused;
	const void	*vtable;
	struct shared	*shared;
	uint64_t	 body[4];
	struct task	*next;
	uint64_t	 room[7];
};

static const struct vtable task_vtable = { POLL + BIAS, offsetof(struct task, next),
					   offsetof(struct task, shared) };
static const struct vtable job_vtable = { JOB + BIAS, offsetof(struct task, next),
					  offsetof(struct task, shared) };
static const struct vtable other_vtable = { 0x1234, 0, 0 };

/* ---- a model of it ---- */

static void put_path(struct model *m, unsigned int layout, unsigned int hops, uint32_t off)
{
	struct image_path *p = model__at(m, MODEL_LAYOUTS, layout);

	p->ok = 1;
	p->nr_hops = (uint8_t)hops;
	p->off[hops] = off;
	p->size = sizeof(struct shard);
}

static void put_fn(struct model *m, uint64_t vaddr, const char *scheduler, bool blocking)
{
	uint32_t at = model__add(m, MODEL_FNS, 1);
	image_str name = model__str(m, scheduler);
	struct image_fn *fn = model__at(m, MODEL_FNS, at);

	fn->vaddr = vaddr;
	fn->role = RUNTIME_FN_POLL;
	fn->cell = WALK_NONE;
	fn->scheduler = name;
	fn->blocking = blocking;
}

static struct image *make_image(void)
{
	struct model_block *block;
	struct image *img;
	struct model m;

	model__init(&m);
	model__add(&m, MODEL_LAYOUTS, TOKIO_LAYOUT_NR);
	put_path(&m, TOKIO_HEADER_STATE, 0, offsetof(struct task, state));
	put_path(&m, TOKIO_HEADER_VTABLE, 0, offsetof(struct task, vtable));
	put_path(&m, TOKIO_VTABLE_POLL, 0, offsetof(struct vtable, poll));
	put_path(&m, TOKIO_VTABLE_TRAILER, 0, offsetof(struct vtable, trailer));
	put_path(&m, TOKIO_VTABLE_SCHEDULER, 0, offsetof(struct vtable, scheduler));
	put_path(&m, TOKIO_TRAILER_NEXT, 0, 0);
	put_path(&m, TOKIO_MT_SHARDS, 1, offsetof(struct shared, shards));
	put_path(&m, TOKIO_MT_NR_SHARDS, 1, offsetof(struct shared, nr));
	put_path(&m, TOKIO_MT_SHARD_HEAD, 2, offsetof(struct shard, head));
	put_path(&m, TOKIO_MT_SHARD, 2, 0);
	put_fn(&m, POLL, "multi_thread", false);
	put_fn(&m, JOB, "", true);
	block = model__freeze(&m, 1);
	assert_non_null(block);
	img = image__adopt(block, block->size, false, "none");
	assert_non_null(img);
	model__free(&m);
	return img;
}

/* ---- a world ---- */

struct world {
	struct image	*img;
	struct process	 target;
	struct alive	*alive;
	struct task	*tasks;
	size_t		 nr, bytes;
	struct shard	 shards[8];
	struct shared	 shared;
	size_t		 found, running, queued, idle;
	int		 answer;	/* of found() */
	unsigned char	*times;		/* by task: how often it was found */
};

static int found(void *ctx, const struct alive_task *t)
{
	struct world *w = ctx;
	size_t i = (size_t)((struct task *)(uintptr_t)t->task - w->tasks);

	assert_true(i < w->nr);
	assert_true(t->known);
	w->times[i]++;
	w->found++;
	w->running += t->state == TRACE_TASK_RUNNING;
	w->queued += t->state == TRACE_TASK_NOTIFIED;
	w->idle += t->state == TRACE_TASK_IDLE;
	return w->answer;
}

/*
 * @nr tasks, one after the other in @shards lists in turn, in memory of whole pages
 * behind which there is none.
 */
static void start(struct world *w, size_t nr, size_t shards)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	memset(w, 0, sizeof(*w));
	w->nr = nr;
	w->bytes = ((nr * sizeof(struct task) + page - 1) & ~(page - 1)) + page;
	w->tasks = mmap(NULL, w->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(w->tasks, MAP_FAILED);
	assert_int_equal(mprotect((char *)w->tasks + w->bytes - page, page, PROT_NONE), 0);
	w->times = calloc(nr + 1, 1);
	w->shared = (struct shared){ w->shards, shards };
	for (size_t i = 0; i < nr; i++) {
		w->tasks[i].vtable = &task_vtable;
		w->tasks[i].shared = &w->shared;
		w->tasks[i].next = i + shards < nr ? &w->tasks[i + shards] : NULL;
	}
	for (size_t i = 0; i < shards && i < nr; i++)
		w->shards[i].head = &w->tasks[i];
	w->img = make_image();
	process__init(&w->target);
	w->target.pid = getpid();
	w->alive = alive__new(w->img, &w->target, BIAS, found, w);
	assert_non_null(w->alive);
}

static void stop(struct world *w)
{
	alive__free(w->alive);
	image__free(w->img);
	munmap(w->tasks, w->bytes);
	free(w->times);
}

static uint64_t in_ns(uint64_t ns)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec + ns;
}

static uint64_t address(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* From the task at @i to all of its lists; each of the first @want is found once, no other. */
static void assert_found(struct world *w, size_t i, size_t want)
{
	assert_int_equal(alive__task(w->alive, address(&w->tasks[i])), 0);
	assert_int_equal(alive__step(w->alive, in_ns(10000000000ull)), 0);
	assert_int_equal(w->found, want);
	for (size_t k = 0; k < w->nr; k++)
		assert_true(w->times[k] <= 1);
}

/* ---- tests ---- */

static void whole_lists(void **state)
{
	static const size_t sizes[] = { 1, 7, 8, 9, 63, 64, 65, 1000, 5000 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t shards = 1; shards <= 8; shards += 7) {
			struct world w;

			start(&w, sizes[i], shards);
			w.tasks[0].state = RUNNING;
			w.tasks[sizes[i] / 2].state |= QUEUED;
			assert_found(&w, 0, sizes[i]);
			assert_int_equal(w.running, 1);
			/* the same lists are not gone through again, unless told to */
			assert_int_equal(alive__task(w.alive, address(&w.tasks[sizes[i] - 1])), 0);
			assert_int_equal(alive__step(w.alive, in_ns(1000000000)), 0);
			assert_int_equal(w.found, sizes[i]);
			assert_int_equal(alive__again(w.alive), 0);
			assert_int_equal(alive__step(w.alive, in_ns(10000000000ull)), 0);
			assert_int_equal(w.found, 2 * sizes[i]);
			assert_false(alive__truncated(w.alive));
			stop(&w);
		}
	}
}

static void states(void **state)
{
	struct world w;

	(void)state;
	start(&w, 64, 8);
	for (size_t i = 0; i < 64; i++)
		w.tasks[i].state = (i % 4 == 0 ? RUNNING : i % 4 == 1 ? QUEUED :
				    i % 4 == 2 ? DONE : 0) | 0x40;
	assert_found(&w, 0, 48);
	assert_int_equal(w.running, 16);
	assert_int_equal(w.queued, 16);
	assert_int_equal(w.idle, 16);
	stop(&w);
}

static void cyclic(void **state)
{
	struct world w;

	(void)state;
	start(&w, 100, 1);
	w.tasks[99].next = &w.tasks[50];
	assert_found(&w, 0, 100);
	stop(&w);
	start(&w, 1, 1);
	w.tasks[0].next = &w.tasks[0];
	assert_found(&w, 0, 1);
	stop(&w);
	/* one list leads into another: each task once all the same */
	start(&w, 800, 8);
	w.tasks[792].next = &w.tasks[3];
	w.tasks[795].next = &w.tasks[0];
	assert_found(&w, 0, 800);
	stop(&w);
}

static void broken(void **state)
{
	struct world w;

	(void)state;
	/* what follows is no task, not there, or not an address */
	start(&w, 100, 1);
	w.tasks[49].next = (struct task *)(uintptr_t)0x10;
	assert_found(&w, 0, 50);
	stop(&w);
	start(&w, 100, 1);
	w.tasks[50].vtable = &other_vtable;
	assert_found(&w, 0, 50);
	stop(&w);
	start(&w, 100, 1);
	w.tasks[49].next = (struct task *)((char *)&w.tasks[50] + 4);
	assert_found(&w, 0, 50);
	stop(&w);
	/* one list ends where memory does; the others go on */
	start(&w, 800, 8);
	w.tasks[400].next = (struct task *)(uintptr_t)(address(w.tasks) + w.bytes + (1ull << 40));
	assert_found(&w, 0, 800 - 49);
	stop(&w);
	/* a scheduler with more lists than there can be */
	start(&w, 8, 1);
	w.shared.nr = 1ull << 40;
	assert_found(&w, 0, 0);
	stop(&w);
}

/* Tasks at the end of what is there: nothing behind it can be read. */
static void at_the_edge(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct world w;

	(void)state;
	start(&w, 2 * page / sizeof(struct task), 1);
	assert_int_equal(w.bytes, 3 * page);
	assert_found(&w, 0, w.nr);
	stop(&w);
}

static void in_steps(void **state)
{
	size_t steps = 0, before = 0, most = 0;
	struct world w;
	int more;

	(void)state;
	start(&w, 200000, 8);
	assert_int_equal(alive__task(w.alive, address(&w.tasks[0])), 0);
	do {
		more = alive__step(w.alive, in_ns(0));
		most = w.found - before > most ? w.found - before : most;
		before = w.found;
		assert_true(++steps < 1000000);
	} while (more > 0);
	assert_int_equal(more, 0);
	assert_int_equal(w.found, 200000);
	/* late as it always is here, it goes on, but by little at a time */
	assert_in_range(most, 1, 64);
	stop(&w);
}

static void told_to_stop(void **state)
{
	struct world w;

	(void)state;
	start(&w, 100, 1);
	w.answer = -EINTR;
	assert_int_equal(alive__task(w.alive, address(&w.tasks[0])), 0);
	assert_int_equal(alive__step(w.alive, in_ns(1000000000)), -EINTR);
	assert_int_equal(w.found, 1);
	stop(&w);
}

/* Of a process that is gone, before or in the middle of it, there is no more. */
static void gone(void **state)
{
	struct world w;
	size_t before;

	(void)state;
	skip_unless_readable();
	for (int steps = 0; steps < 2; steps++) {
		start(&w, 5000, 8);
		w.target.pid = child_begin(child_waits, NULL);
		if (!steps)
			child_end(w.target.pid);
		assert_int_equal(alive__task(w.alive, address(&w.tasks[0])), 0);
		while (steps && !w.found)
			assert_int_equal(alive__step(w.alive, in_ns(0)), 1);
		if (steps)
			child_end(w.target.pid);
		before = w.found;
		assert_int_equal(alive__step(w.alive, in_ns(10000000000ull)), 0);
		/* a block of memory that was read already has some more */
		assert_true(steps ? w.found >= before && w.found < 5000 : !w.found);
		stop(&w);
	}
}

static void polled(void **state)
{
	struct world w;
	uint32_t fn = 99;

	(void)state;
	start(&w, 4, 1);
	w.tasks[1].state = RUNNING;
	w.tasks[2].state = RUNNING | DONE;
	w.tasks[3].state = RUNNING | 0x80;
	w.tasks[3].vtable = &job_vtable;
	assert_false(alive__polled(w.alive, address(&w.tasks[0]), &fn));
	assert_true(alive__polled(w.alive, address(&w.tasks[1]), &fn));
	assert_int_equal(fn, 0);
	assert_false(alive__polled(w.alive, address(&w.tasks[2]), &fn));
	assert_true(alive__polled(w.alive, address(&w.tasks[3]), &fn));
	assert_int_equal(fn, 1);
	assert_false(alive__polled(w.alive, address(&w.tasks[1]) + 8, &fn));
	assert_false(alive__polled(w.alive, 0, &fn));
	assert_false(alive__polled(w.alive, 0x7fff12345678, &fn));
	/* a job is in no list: what it has for a scheduler is not one */
	assert_int_equal(alive__task(w.alive, address(&w.tasks[3])), 0);
	assert_int_equal(alive__nr_lists(w.alive), 0);
	stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_lists),
		cmocka_unit_test(states),
		cmocka_unit_test(cyclic),
		cmocka_unit_test(broken),
		cmocka_unit_test(at_the_edge),
		cmocka_unit_test(in_steps),
		cmocka_unit_test(told_to_stop),
		cmocka_unit_test(gone),
		cmocka_unit_test(polled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
