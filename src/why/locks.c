// SPDX-License-Identifier: GPL-2.0
/* Locks for which a thread sleeps in a futex. See locks.h. */
#include "why/locks.h"

#include <stdlib.h>
#include <string.h>

/* Where the lock's address is. */
enum lock_way {
	LOCK_NONE,	/* it is not a lock that a guard may hold */
	LOCK_WORD,	/* the futex is in the lock */
	/* the futex is in the thread's own data, and the lock's address is near to it */
	LOCK_NEAR,
};

/* Functions that sleep, by the beginnings of their names, inner ones before outer ones. */
struct lock_call {
	const char	*function;
	const char	*call;
	enum lock_way	 way;
};

/*
 * std: sys/sync/{mutex,rwlock,condvar,once}/futex.rs, thread/, sync/{mpmc,barrier}.rs.
 * parking_lot 0.12: raw_mutex.rs, raw_rwlock.rs, condvar.rs. dashmap 6: lock.rs
 */
static const struct lock_call calls[] = {
	{ "std::sys::sync::mutex::futex::Mutex::lock", "std's Mutex::lock", LOCK_WORD },
	{ "std::sys::sync::rwlock::futex::RwLock::read", "std's RwLock::read", LOCK_WORD },
	{ "std::sys::sync::rwlock::futex::RwLock::write", "std's RwLock::write", LOCK_WORD },
	{ "std::sys::sync::condvar::", "std's Condvar::wait", LOCK_NONE },
	{ "std::sys::sync::once::", "std's Once (OnceLock, LazyLock)", LOCK_NONE },
	{ "std::thread::park", "thread::park", LOCK_NONE },
	{ "std::thread::functions::park", "thread::park", LOCK_NONE },
	{ "std::sys::thread::unix::Thread::join", "the end of another thread", LOCK_NONE },
	{ "std::sys::pal::unix::thread::Thread::join", "the end of another thread", LOCK_NONE },
	{ "std::sync::mpmc::", "a channel of std", LOCK_NONE },
	{ "std::sync::mpsc::", "a channel of std", LOCK_NONE },
	{ "std::sync::barrier::Barrier::wait", "std's Barrier::wait", LOCK_NONE },
	{ "parking_lot::raw_mutex::RawMutex::lock_slow", "parking_lot's Mutex::lock", LOCK_NEAR },
	{ "parking_lot::raw_rwlock::RawRwLock::lock_shared_slow", "parking_lot's RwLock::read",
	  LOCK_NEAR },
	{ "parking_lot::raw_rwlock::RawRwLock::lock_exclusive_slow", "parking_lot's RwLock::write",
	  LOCK_NEAR },
	{ "parking_lot::raw_rwlock::RawRwLock::wait_for_readers", "parking_lot's RwLock::write",
	  LOCK_NEAR },
	{ "dashmap::lock::RawRwLock::lock_shared_slow", "DashMap's RwLock::read", LOCK_NEAR },
	{ "dashmap::lock::RawRwLock::", "DashMap's RwLock::write", LOCK_NEAR },
	{ "parking_lot::condvar::Condvar::", "parking_lot's Condvar::wait", LOCK_NONE },
};

#define NR_CALLS	(sizeof(calls) / sizeof(calls[0]))
#define NEAR_BYTES	64	/* around the futex of a thread of parking_lot */

/* The outermost function that is known: a channel's rather than the park that it sleeps in. */
static const struct lock_call *call_of(const struct trace_user_frame *frames, size_t nr)
{
	for (size_t i = nr; i-- > 0;)
		for (size_t k = 0; k < NR_CALLS; k++)
			if (!strncmp(frames[i].function, calls[k].function,
				     strlen(calls[k].function)))
				return &calls[k];
	return NULL;
}

/* The guard that belongs to the lock with address @lock inside; WALK_NONE: none was found. */
static uint32_t guard_of(const struct why *y, uint64_t lock)
{
	const struct image_handle *types;
	uint32_t found = WALK_NONE;
	size_t nr;

	types = image__handles(y->p.img, &nr);
	for (uint32_t i = 0; i < y->p.nr_handles; i++) {
		const struct picture_handle *h = &y->p.handles[i];

		if (types[h->handle].runtime != IMAGE_LIBRARY || lock < h->object ||
		    lock - h->object >= h->size || !y->steady[h->task])
			continue;
		/* what a task has that is not being polled is sure */
		if (found == WALK_NONE || y->p.handles[found].polled)
			found = i;
	}
	return found;
}

/*
 * parking_lot_core's ThreadData, in which the futex is, has the address of the lock that its
 * thread waits for, too. A word there that is the address of a guard's lock can be nothing else.
 */
static void look_near(const struct why *y, uint64_t futex, struct lock_wait *out)
{
	uint64_t words[2 * NEAR_BYTES / sizeof(uint64_t)];
	uint64_t from = (futex - NEAR_BYTES) & ~7ull;

	if (process__read(y->p.target, from, words, sizeof(words)))
		return;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		uint32_t guard = words[i] < 4096 ? WALK_NONE : guard_of(y, words[i]);

		if (guard == WALK_NONE)
			continue;
		out->lock = y->p.handles[guard].object;
		out->held_by = guard;
		return;
	}
}

/* The line where a block or closure begins: of "{async block web.rs:112}" 112; else 0. */
static uint32_t line_of_begin(const struct why *y, const struct image_type *t)
{
	const char *colon = strrchr(image__str(y->p.img, t->begin), ':');

	return colon ? (uint32_t)strtoul(colon + 1, NULL, 10) : 0;
}

/* Does a block of function @name begin after line @from, up to line @to? */
static bool block_between(const struct why *y, const char *name, uint32_t from, uint32_t to)
{
	const struct image_type *types;
	size_t nr;

	types = image__types(y->p.img, &nr);
	for (size_t i = 0; i < nr; i++) {
		uint32_t line = line_of_begin(y, &types[i]);

		if (line > from && line <= to &&
		    !strcmp(image__str(y->p.img, types[i].shortname), name))
			return true;
	}
	return false;
}

static uint32_t last_await(const struct why *y, uint32_t type)
{
	const struct image_variant *variants;
	uint32_t last = 0;
	size_t nr;

	variants = image__variants(y->p.img, &nr);
	for (size_t i = 0; i < nr; i++)
		if (variants[i].type == type && variants[i].line > last)
			last = variants[i].line;
	return last;
}

/*
 * May the body of future @f be what one of @frames executes? Bodies of one function have its name
 * on stacks. So a line counts for the block that begins last before it, and for @f's up to the
 * last await point there.
 */
static bool is_on_stack(const struct why *y, const struct picture_frame *f,
			const struct trace_user_frame *frames, size_t nr)
{
	const struct image_type *types;
	size_t nr_types;
	const char *name;
	uint32_t begin;

	types = image__types(y->p.img, &nr_types);
	name = image__str(y->p.img, types[f->type].shortname);
	begin = line_of_begin(y, &types[f->type]);
	for (size_t i = 0; i < nr; i++) {
		uint32_t line = frames[i].line;

		if (strcmp(frames[i].function, name) || line < begin)
			continue;
		if (!begin || line <= last_await(y, f->type) ||
		    !block_between(y, name, begin, line))
			return true;
	}
	return false;
}

struct lock_wait lock__of(const struct why *y, const struct picture_thread *t,
			  const struct trace_user_frame *frames, size_t nr, size_t own)
{
	const struct lock_call *call = call_of(frames, own);
	struct lock_wait w = { .held_by = WALK_NONE };

	if (!call)
		return w;
	w.call = call->call;
	if (call->way == LOCK_WORD) {
		w.lock = t->args[0];
		w.held_by = guard_of(y, w.lock);
		/* writers of an RwLock wait for another word of it than readers */
		if (w.held_by != WALK_NONE)
			w.lock = y->p.handles[w.held_by].object;
	} else if (call->way == LOCK_NEAR) {
		look_near(y, t->args[0], &w);
	}
	if (w.held_by != WALK_NONE) {
		const struct picture_handle *h = &y->p.handles[w.held_by];

		/* some other thread that polls the task: its stack is not here */
		w.sure = !h->polled || (y->p.tasks[h->task].tid == t->tid &&
					!is_on_stack(y, &y->p.frames[h->frame], frames, nr));
	}
	return w;
}
