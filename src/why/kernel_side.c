// SPDX-License-Identifier: GPL-2.0
/*
 * Waits for descriptors, seen from the kernel: data is there and the task was not told; a
 * child that cannot end, because it waits for this very process.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/bisect.h"
#include "base/utf8.h"
#include "inspect/descriptors.h"
#include "why/graph.h"
#include "why/why.h"

#define MAX_CHILDREN	16	/* processes from a child down */

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
	struct why_place at = why__wait_place(y, wait);

	if (!f)
		return;
	why__say(y, f, "%s waits at %s:%" PRIu32 " in %s for fd %d, for which the kernel has %" PRIu32
		 " bytes to read: the runtime takes it as not ready, and no new edge will come",
		 why__task(y, w->task), at.file, at.line, why__waits_in(y, wait), d->fd,
		 d->to_read);
	why__party(y, f, "waits", w->task, at, "%s waits in %s", why__task(y, w->task),
		   why__waits_in(y, wait));
}

/* ---- children ---- */

static int64_t syscall_of(pid_t pid, uint64_t *first)
{
	char path[64], line[256], *end;
	int64_t nr = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	f = fopen(path, "re");
	if (f && fgets(line, sizeof(line), f) && line[0] >= '0' && line[0] <= '9') {
		nr = strtoll(line, &end, 10);
		*first = strtoull(end, NULL, 16);
	}
	if (f)
		fclose(f);
	return nr;
}

static pid_t child_of(pid_t pid)
{
	char path[64];
	int child = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%d", &child) != 1)
		child = 0;
	if (f)
		fclose(f);
	return child;
}

/* Is descriptor @fd of @pid open for reading only, as the end of a pipe is that is read? */
static bool reads(pid_t pid, int fd)
{
	unsigned int flags = O_WRONLY;
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "flags: %o", &flags) == 1)
			break;
	if (f)
		fclose(f);
	return (flags & O_ACCMODE) == O_RDONLY;
}

/* A descriptor of @pid that reads the pipe @ino; -1: none. */
static int reader_of_pipe(pid_t pid, uint64_t ino)
{
	char path[64];
	struct dirent *e;
	int found = -1;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && found < 0 && (e = readdir(dir)))
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9' &&
		    descriptor__ino(pid, atoi(e->d_name), "pipe:[") == ino &&
		    reads(pid, atoi(e->d_name)))
			found = atoi(e->d_name);
	if (dir)
		closedir(dir);
	return found;
}

static void name_of(pid_t pid, char *out, size_t size)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (!f || !fgets(out, (int)size, f))
		snprintf(out, size, "?");
	if (f)
		fclose(f);
	out[strcspn(out, "\n")] = '\0';
	utf8__make_printable(out);
}

/* Does some task await @token? */
static bool awaited(const struct why *y, uint64_t token)
{
	for (size_t i = 0; i < y->p.nr_waits; i++)
		if (y->p.waits[i].key.kind == WALK_KEY_IO && y->p.waits[i].key.value == token &&
		    !y->p.waits[i].unpolled)
			return true;
	return false;
}

/* Does a thread of the process read the pipe @ino right now? */
static bool thread_reads(const struct why *y, uint64_t ino)
{
	for (size_t i = 0; i < y->p.nr_threads; i++) {
		const struct picture_thread *t = &y->p.threads[i];

		if ((t->syscall == SYS_read || t->syscall == SYS_readv) &&
		    descriptor__ino(y->p.target->pid, (int)t->args[0], "pipe:[") == ino)
			return true;
	}
	return false;
}

static void waits_for_child(struct why *y, uint32_t wait, pid_t child,
			    const struct descriptor *list, size_t nr)
{
	const struct picture_wait *w = &y->p.waits[wait];
	struct why_finding *f;
	struct why_place at;
	static const struct timespec pause = { .tv_nsec = SETTLE_NS };
	uint64_t first = 0, again = 0, ino;
	char name[64];
	pid_t pid = child;
	int64_t call;
	int own;

	/* a shell waits for what it has started */
	for (int i = 0; i < MAX_CHILDREN && child_of(pid); i++)
		pid = child_of(pid);
	call = syscall_of(pid, &first);
	if (call != SYS_write && call != SYS_writev)
		return;
	ino = descriptor__ino(pid, (int)first, "pipe:[");
	own = ino ? reader_of_pipe(y->p.target->pid, ino) : -1;
	if (own < 0 || thread_reads(y, ino))
		return;
	nanosleep(&pause, NULL);
	if (syscall_of(pid, &again) != call || again != first)
		return;
	for (size_t i = 0; i < nr; i++)
		if (list[i].fd == own && awaited(y, list[i].token))
			return;
	f = why__add(y, "chain into another process", 1);
	if (!f)
		return;
	name_of(pid, name, sizeof(name));
	at = why__wait_place(y, wait);
	why__say(y, f, "%s waits at %s:%" PRIu32 " in %s for process %d (%s), which sleeps in a write to "
		 "a pipe whose other end this process has itself (fd %d), and nobody awaits that",
		 why__task(y, w->task), at.file, at.line, why__waits_in(y, wait), (int)pid, name,
		 own);
	why__party(y, f, "waits", w->task, at, "%s waits in %s", why__task(y, w->task),
		   why__waits_in(y, wait));
}

void why__find_kernel_side(struct why *y)
{
	bool asked = false, settled = false;
	struct descriptor *list = NULL;
	size_t nr = 0;

	if (descriptors__list(y->p.target->pid, &list, &nr))
		return;
	if (nr)
		qsort(list, nr, sizeof(*list), by_token);
	for (uint32_t i = 0; i < y->p.nr_waits && !y->err; i++) {
		const struct picture_wait *w = &y->p.waits[i];
		struct descriptor *d;

		if (w->key.kind != WALK_KEY_IO || w->unpolled || !y->steady[w->task] ||
		    y->p.tasks[w->task].state != PICTURE_IDLE)
			continue;
		d = descriptor_of(list, nr, w->key.value);
		if (d && d->kind == DESCRIPTOR_PIDFD)
			waits_for_child(y, i, d->pid, list, nr);
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
	free(list);
}
