/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The epoll driver. A descriptor that epoll_wait returned is matched to the task that
 * it woke in one of two ways: a leaf of the task has the descriptor's token as its key;
 * or the task's waker is registered with the descriptor, and waiter.c tells which
 * future of the task waits for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "join/driver.h"
#include "join/idle.h"
#include "join/leaves.h"
#include "join/timeline.h"
#include "join/waiter.h"

#define READY_MAX	4096	/* descriptors kept of one return of epoll_wait */
#define INSTANCES_MAX	256	/* epoll descriptors; programs have a few, this bounds memory */

#define READ_EVENTS	(EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)
#define WRITE_EVENTS	(EPOLLOUT | EPOLLHUP | EPOLLERR)

/* A descriptor that the last epoll_wait returned. */
struct ready_fd {
	uint64_t	token, ready, reader, writer;
	uint32_t	events;
	bool		told;		/* some task's wake has been explained by it */
};

struct epoll_driver {
	struct driver	 head;
	int32_t		 epfd, nr;	/* epfd and return value of the last epoll_wait */
	uint64_t	 prev, before;	/* the return before that, by any thread; the one before */
	struct ready_fd	*ready;
	uint32_t	 nr_ready, ready_size, ready_next;
};

/* What the driver keeps for all threads together. */
struct epolls {
	struct {
		int32_t		epfd;
		uint64_t	ret, prev;
	}		*list;
	uint32_t	 nr, size;
	bool		 sees_wakers;	/* events name the tasks of their wakers */
};

static bool epoll__waits_in(int syscall)
{
	return syscall == SYS_epoll_pwait ||
#ifdef SYS_epoll_wait
	       syscall == SYS_epoll_wait ||
#endif
	       syscall == 441;	/* epoll_pwait2: not in all headers, the same number everywhere */
}

static uint64_t epoll__instance(const struct trace_event *ev)
{
	return (uint32_t)ev->epoll.epfd;
}

static struct driver *epoll__new(void)
{
	struct epoll_driver *e = calloc(1, sizeof(*e));

	return e ? &e->head : NULL;
}

static void epoll__free(struct driver *d)
{
	struct epoll_driver *e = (struct epoll_driver *)d;

	free(e->ready);
	free(e);
}

/* ---- events ---- */

static struct epolls *epolls__get(struct join *j)
{
	if (!j->drivers[DRIVER_epoll])
		j->drivers[DRIVER_epoll] = calloc(1, sizeof(struct epolls));
	return j->drivers[DRIVER_epoll];
}

/*
 * *@prev: when any thread last returned from @epfd, 0: never; *@before: the return before that.
 * @now is the last from now on.
 */
static int epolls__returned(struct epolls *all, int32_t epfd, uint64_t now, uint64_t *prev,
			    uint64_t *before)
{
	*prev = *before = 0;
	for (uint32_t i = 0; i < all->nr; i++) {
		if (all->list[i].epfd == epfd) {
			*before = all->list[i].prev;
			*prev = all->list[i].prev = all->list[i].ret;
			all->list[i].ret = now;
			return 0;
		}
	}
	if (all->nr == INSTANCES_MAX)
		return 0;
	if (all->nr == all->size) {
		uint32_t size = all->size ? all->size * 2 : 4;
		void *list = reallocarray(all->list, size, sizeof(*all->list));

		if (!list)
			return -ENOMEM;
		all->list = list;
		all->size = size;
	}
	all->list[all->nr].epfd = epfd;
	all->list[all->nr].prev = 0;
	all->list[all->nr++].ret = now;
	return 0;
}

static int epoll__returned(struct join *j, struct driver *d, const struct trace_event *ev)
{
	struct epoll_driver *e = (struct epoll_driver *)d;
	struct epolls *all = epolls__get(j);

	e->epfd = ev->epoll.epfd;
	e->nr = ev->epoll.nr;
	e->nr_ready = e->ready_next = 0;
	return all ? epolls__returned(all, e->epfd, d->returned, &e->prev, &e->before) :
		     -ENOMEM;
}

/*
 * When the data came for which the descriptor is ready. A whole call of epoll_wait since then
 * that has not returned the descriptor has found nothing: the program had read what had come,
 * and the time of what came later was not noted. 0: not known.
 */
static uint64_t ready_since(const struct epoll_driver *e, uint64_t ready)
{
	return ready < e->before ? 0 : ready;
}

static int epoll__ready(struct join *j, struct driver *d, const struct trace_event *ev)
{
	struct epoll_driver *e = (struct epoll_driver *)d;
	struct epolls *all = epolls__get(j);

	if (!all)
		return -ENOMEM;
	all->sees_wakers |= ev->ready.reader || ev->ready.writer;
	if (!e || e->nr_ready == READY_MAX)
		return 0;
	if (e->nr_ready == e->ready_size) {
		uint32_t size = e->ready_size ? e->ready_size * 2 : 16;
		struct ready_fd *ready = reallocarray(e->ready, size, sizeof(*ready));

		if (!ready)
			return -ENOMEM;
		e->ready = ready;
		e->ready_size = size;
	}
	e->ready[e->nr_ready++] = (struct ready_fd){
		.token = ev->ready.token, .ready = ready_since(e, ev->ready.ready),
		.reader = ev->ready.reader, .writer = ev->ready.writer,
		.events = ev->ready.events,
	};
	return 0;
}

static void epoll__forget(struct join *j)
{
	struct epolls *all = j->drivers[DRIVER_epoll];

	if (all)
		free(all->list);
	free(all);
	j->drivers[DRIVER_epoll] = NULL;
}

/* ---- why ---- */

static enum part io_part(unsigned int dir, uint32_t events)
{
	if (dir == WALK_DIR_READ || dir == WALK_DIR_WRITE)
		return driver__idle_part(dir);
	return !(events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP)) && (events & EPOLLOUT) ? PART_NO_ROOM
										    : PART_NO_DATA;
}

/* If the worker did not sleep, the descriptor was ready before epoll_wait was called. */
static void epoll__cause(const struct join *j, const struct epoll_driver *e,
			 const struct ready_fd *fd, unsigned int dir, struct cause *c)
{
	c->part = (uint8_t)io_part(dir, fd->events);
	if (c->part == PART_NO_DATA)
		c->part = (uint8_t)idle__read_part(j, fd->token, e->epfd, fd->events);
	c->nr_steps = 0;
	c->pieces = NULL;
	c->detail = fds__name(&j->fds, fd->token, e->epfd);
	c->ready = fd->ready ? fd->ready : e->head.woke;
	c->by_wake = !fd->ready && e->head.woke;
	c->looked = e->prev;
}

/* Does a readiness event of @fd wake those who wait for direction @dir? */
static bool fires(const struct ready_fd *fd, unsigned int dir)
{
	return dir == WALK_DIR_READ	? fd->events & READ_EVENTS :
	       dir == WALK_DIR_WRITE ? fd->events & WRITE_EVENTS :
				  true;
}

static bool is_foreign(const struct join *j, const struct ready_fd *fd, unsigned int dir)
{
	uint64_t waker = dir == WALK_DIR_READ ? fd->reader : fd->writer;

	return waker && fires(fd, dir) && !task__find(j, waker);
}

/* Is a waker that is not a task's registered with @fd, and called by it? */
static bool calls_foreign(const struct join *j, const struct ready_fd *fd)
{
	return is_foreign(j, fd, WALK_DIR_READ) || is_foreign(j, fd, WALK_DIR_WRITE);
}

/*
 * Did @fd wake @t: by a leaf with its token, or by a waker of @t that is registered with it? Or
 * by a waker that is not a task's: such a one calls all that wait for the descriptor, whichever
 * direction they wait for (tokio-tungstenite's).
 */
static bool woken_by(const struct join *j, const struct task *t, const struct shape *sh,
		     const struct ready_fd *fd, unsigned int *dir, uint16_t *branch)
{
	bool reads = fd->reader == t->addr && fires(fd, WALK_DIR_READ);
	bool writes = fd->writer == t->addr && fires(fd, WALK_DIR_WRITE);
	uint16_t other = NO_BRANCH;	/* first leaf with its token, for what it did not fire */
	unsigned int other_dir = 0;
	struct walk_key key;

	for (uint32_t i = 0; i < sh->nr_leaves; i++) {
		if (!leaf_key(t, &sh->leaves[i], WALK_KEY_IO, &key) || fd->token != key.value)
			continue;
		if (fires(fd, key.dir)) {
			*dir = key.dir;
			*branch = sh->leaves[i].node;
			return true;
		}
		if (other == NO_BRANCH) {
			other = sh->leaves[i].node;
			other_dir = key.dir;
		}
	}
	if (reads || writes) {
		*dir = reads && writes ? 0 : reads ? WALK_DIR_READ : WALK_DIR_WRITE;
		*branch = waiter__of_descriptor(sh);
		return true;
	}
	if (other == NO_BRANCH || !calls_foreign(j, fd))
		return false;
	*dir = other_dir;
	*branch = other;
	return true;
}

/*
 * A runtime dispatches descriptors in the order of epoll_wait, so the search goes on
 * from the last match.
 */
static bool epoll__why(const struct join *j, struct driver *d, const struct task *t,
		       const struct shape *sh, struct cause *c)
{
	struct epoll_driver *e = (struct epoll_driver *)d;

	for (uint32_t n = 0; n < e->nr_ready; n++) {
		uint32_t at = (e->ready_next + n) % e->nr_ready;
		struct ready_fd *fd = &e->ready[at];
		unsigned int dir;

		if (!woken_by(j, t, sh, fd, &dir, &c->branch))
			continue;
		e->ready_next = at;
		fd->told = true;
		epoll__cause(j, e, fd, dir, c);
		return true;
	}
	return false;
}

/*
 * Is there a returned descriptor that no wake has been explained by, and whose waker is
 * not a task's? Such a waker belongs to a combinator that passes the call on, or was
 * not read. The driver may have called the task because of it. Runtimes dispatch
 * descriptors before timers and signals, so at this point all other descriptors are
 * accounted for.
 */
static bool has_foreign_waker(const struct join *j, const struct epoll_driver *e)
{
	for (uint32_t i = 0; i < e->nr_ready; i++)
		if (!e->ready[i].told && calls_foreign(j, &e->ready[i]))
			return true;
	return false;
}

static enum part epoll__blind(const struct join *j, const struct driver *d)
{
	const struct epoll_driver *e = (const struct epoll_driver *)d;
	const struct epolls *all = j->drivers[DRIVER_epoll];

	/* A task that yields is woken after the runtime has called epoll without a timeout. */
	if (e->nr == 0)
		return d->woke ? PART_TIMER : PART_TIMER_OR_YIELD;
	if (!all->sees_wakers || has_foreign_waker(j, e))
		return PART_DRIVER;
	return PART_TIMER_OR_SIGNAL;
}

/*
 * If some returned descriptors were not recorded and @t waits for one descriptor only,
 * it must be among them.
 */
static bool epoll__unread(const struct join *j, const struct driver *d, const struct task *t,
			  const struct shape *sh, struct cause *c)
{
	const struct epoll_driver *e = (const struct epoll_driver *)d;
	struct ready_fd fd = { 0 };
	struct walk_key key;

	if (e->nr <= 0 || (uint32_t)e->nr <= e->nr_ready)
		return false;
	c->branch = only_io(t, sh, &key);
	if (c->branch == NO_BRANCH)
		return false;
	fd.token = key.value;
	epoll__cause(j, e, &fd, key.dir, c);
	return true;
}

static struct detail epoll__name(const struct join *j, uint64_t key)
{
	return fds__name(&j->fds, key, ANY_EPFD);
}

const struct driver_ops driver_epoll = {
	.id		= DRIVER_epoll,
	.returned_by	= TRACE_EPOLL_WAIT,
	.ready_by	= TRACE_EPOLL_READY,
	.waiting	= PART_EPOLL,
	.waits_in	= epoll__waits_in,
	.instance	= epoll__instance,
	.new		= epoll__new,
	.free		= epoll__free,
	.returned	= epoll__returned,
	.ready		= epoll__ready,
	.why		= epoll__why,
	.blind		= epoll__blind,
	.unread		= epoll__unread,
	.name		= epoll__name,
	.forget		= epoll__forget,
};
