// SPDX-License-Identifier: GPL-2.0
/* Waits for descriptors, seen from the kernel: data is there and the task was not told. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/bisect.h"
#include "inspect/descriptors.h"
#include "why/children.h"
#include "why/why.h"

static int by_token(const void *a, const void *b)
{
	const struct descriptor *x = a, *y = b;

	return x->token < y->token ? -1 : x->token > y->token;
}

/* The first of those in @list, sorted by token, with @token; NULL: there is none. */
static struct descriptor *descriptor_of(struct descriptor *list, size_t nr, uint64_t token)
{
	size_t at = BISECT(nr, k, list[k].token < token);

	return at < nr && list[at].token == token ? &list[at] : NULL;
}

/* Does a thread wait in an epoll instance that has @d, or another one of its token? */
static bool somebody_polls(const struct why *y, const struct descriptor *d,
			   const struct descriptor *end)
{
	for (uint64_t token = d->token; d < end && d->token == token; d++) {
		for (size_t i = 0; i < y->p.nr_threads; i++) {
			const struct picture_thread *t = &y->p.threads[i];

			if ((t->syscall == SYS_epoll_wait || t->syscall == SYS_epoll_pwait ||
			     t->syscall == SYS_epoll_pwait2) && (int)t->args[0] == d->epfd)
				return true;
		}
	}
	return false;
}

/* ---- readiness that was missed ---- */

#define SETTLE_NS	20000000	/* for what is on its way to the task right now */

/* Ask for the queues once more, a moment later. */
static void ask_again(const struct why *y, struct descriptor *list, size_t nr)
{
	static const struct timespec pause = { .tv_nsec = SETTLE_NS };

	nanosleep(&pause, NULL);
	for (size_t i = 0; i < nr; i++)
		list[i].queues_known = false;
	descriptors__ask(y->p.target->pid, list, nr);
}

static void missed_edge(struct why *y, uint32_t wait, const struct descriptor *d)
{
	const struct picture_wait *w = &y->p.waits[wait];
	struct why_finding *f = why__add(y, "missed edge", 2);
	struct answer_place at = why__wait_place(y, wait);

	if (!f)
		return;
	why__say(y, f, "%s waits at %s:%" PRIu32 " in %s for fd %d, for which the kernel has %" PRIu32
		 " bytes to read: the runtime takes it as not ready, and no new edge will come",
		 why__task(y, w->task), at.file, at.line, why__waits_in(y, wait), d->fd,
		 d->to_read);
	why__party(y, f, "waits", w->task, at, "%s waits in %s", why__task(y, w->task),
		   why__waits_in(y, wait));
}

void why__find_kernel_side(struct why *y)
{
	bool asked = false, settled = false;
	struct descriptor *list = NULL;
	size_t nr = 0;

	free(y->fds);
	y->fds = NULL;
	y->nr_fds = 0;
	if (descriptors__list(y->p.target->pid, &list, &nr))
		return;
	if (nr)
		qsort(list, nr, sizeof(*list), by_token);
	y->fds = list;
	y->nr_fds = nr;
	for (uint32_t i = 0; i < y->p.nr_waits && !y->err; i++) {
		const struct picture_wait *w = &y->p.waits[i];
		struct descriptor *d;

		if (w->key.kind != WALK_KEY_IO || w->unpolled || !y->steady[w->task] ||
		    y->p.tasks[w->task].state != PICTURE_IDLE)
			continue;
		d = descriptor_of(list, nr, w->key.value);
		if (d && d->kind == DESCRIPTOR_PIDFD)
			child__waits(y, i, d->pid);
		if (d && d->kind == DESCRIPTOR_OTHER)
			child__pipe(y, i, d->fd);
		if (!d || d->kind != DESCRIPTOR_SOCKET || !(w->key.dir & WALK_DIR_READ) ||
		    !somebody_polls(y, d, list + nr))
			continue;
		if (!asked)
			descriptors__ask(y->p.target->pid, list, nr);
		asked = true;
		if (!settled && d->queues_known && d->to_read) {
			settled = true;
			ask_again(y, list, nr);
		}
		if (d->queues_known && d->to_read)
			missed_edge(y, i, d);
	}
}
