/* SPDX-License-Identifier: GPL-2.0 */
/* Who has the other end of a pipe. See fd_holders.h. */
#include "kernel-events/fd_holders.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bisect.h"
#include "base/clock.h"
#include "kernel-events/fd.h"

#define SEARCH_NS	20000000ull	/* of one search */
#define LEFT_NS		50000000ull	/* of searches in a short time, */
#define LEFT_SHARE	100		/* … and one part in so many of the time */
#define FOUND_MAX	65536		/* ends that are kept */
#define PIDS_MAX	32768		/* processes that are looked at */

static int by_ino_and_pid(const void *a, const void *b)
{
	const struct fd_holder *x = a, *y = b;

	if (x->end.ino != y->end.ino)
		return x->end.ino < y->end.ino ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* For what the descriptor behind the link @name in @dir is open, as its mode tells. */
static uint8_t opened_for(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	return (uint8_t)((st.st_mode & S_IRUSR ? FD_OPENED_READ : 0) |
			 (st.st_mode & S_IWUSR ? FD_OPENED_WRITE : 0));
}

/* Adds what descriptor @name of @pid is, if it is an end of something. False: there is no room. */
static bool add(struct fd_holders *h, pid_t pid, int dir, const char *name)
{
	struct fd_holder found = { .pid = pid, .fd = atoi(name) };
	char target[64];
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

	if (n <= 0)
		return true;
	target[n] = '\0';
	if (!strncmp(target, "pipe:[", 6)) {
		found.end.opened = opened_for(dir, name);
		found.end.ino = strtoull(target + 6, NULL, 10);
	} else if (!strncmp(target, "socket:[", 8)) {
		found.end.socket = 1;
		found.end.ino = strtoull(target + 8, NULL, 10);
	} else {
		return true;
	}
	if (h->nr == FOUND_MAX || array__room(&h->list, &h->room, h->nr, sizeof(*h->list)))
		return false;
	h->list[h->nr++] = found;
	return true;
}

/* The CPU time of this thread: on a busy machine a search gets as far as on another. */
static uint64_t worked(void)
{
	return clock__ns(CLOCK_THREAD_CPUTIME_ID);
}

/* False: no time or room is left. */
static bool search_process(struct fd_holders *h, pid_t pid, uint64_t until)
{
	struct dirent *d;
	bool more = true;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && more && (d = readdir(dir)))
		more = d->d_name[0] == '.' ||
		       (worked() < until && add(h, pid, dirfd(dir), d->d_name));
	if (dir)
		closedir(dir);
	return more;
}

/* The processes' ids, ascending as /proc lists them. */
static size_t list_pids(pid_t *pids)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;
	size_t nr = 0;

	while (dir && nr < PIDS_MAX && (d = readdir(dir)))
		if (d->d_name[0] >= '1' && d->d_name[0] <= '9')
			pids[nr++] = atoi(d->d_name);
	if (dir)
		closedir(dir);
	return nr;
}

/*
 * Search @own and the processes from @from on upwards, and with @from 0 all: first those
 * behind @own, since most likely it is one that @own has started.
 */
static void search(struct fd_holders *h, pid_t own, pid_t from)
{
	pid_t *pids = calloc(PIDS_MAX, sizeof(*pids));
	uint64_t begin = worked(), until = begin + SEARCH_NS, took;
	size_t nr = pids ? list_pids(pids) : 0, first = BISECT(nr, k, pids[k] <= own), kept = 0;
	bool more;

	for (size_t i = 0; i < h->nr; i++)
		if (h->list[i].pid != own && h->list[i].pid < from)
			h->list[kept++] = h->list[i];
	h->nr = kept;
	more = search_process(h, own, until);
	for (size_t i = 0; i < nr && more; i++) {
		pid_t pid = pids[(first + i) % nr];

		if (pid != own && pid >= from)
			more = search_process(h, pid, until);
	}
	if (nr)
		h->last = pids[nr - 1];
	free(pids);
	if (h->nr)
		qsort(h->list, h->nr, sizeof(*h->list), by_ino_and_pid);
	took = worked() - begin;
	if (!from)
		h->full_ns = took;
	h->left_ns -= took < h->left_ns ? took : h->left_ns;
}

static bool is_end(const struct fd_end *a, const struct fd_end *b)
{
	return a->ino == b->ino && a->socket == b->socket && (a->opened & b->opened) == b->opened;
}

/* Has @pid not called exec since it was forked (PF_FORKNOEXEC in field 9 of its stat)? */
static bool is_copy(pid_t pid)
{
	char path[64], line[512], *end;
	unsigned int flags = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (f && fgets(line, sizeof(line), f)) {
		end = strrchr(line, ')');
		if (end)
			sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %u", &flags);
	}
	if (f)
		fclose(f);
	return flags & 0x40;
}

/* Does @found still have it? If @copies, one that a fork has made does not count. */
static bool has_it(const struct fd_holder *found, bool copies)
{
	char path[64], link[64], want[64];
	ssize_t n;

	/* in this order: what a fork has copied is closed by exec */
	if (copies && is_copy(found->pid))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", found->pid, found->fd);
	snprintf(want, sizeof(want), "%s:[%" PRIu64 "]", found->end.socket ? "socket" : "pipe",
		 found->end.ino);
	n = readlink(path, link, sizeof(link) - 1);
	if (n <= 0)
		return false;
	link[n] = '\0';
	return !strcmp(link, want);
}

static pid_t known(const struct fd_holders *h, pid_t own, const struct fd_end *end,
		   unsigned int *others)
{
	size_t first = BISECT(h->nr, k, h->list[k].end.ino < end->ino);
	pid_t found = 0, last = 0;
	bool owned = false;

	*others = 0;
	for (size_t i = first; i < h->nr && h->list[i].end.ino == end->ino; i++)
		owned |= h->list[i].pid == own && is_end(&h->list[i].end, end) &&
			 has_it(&h->list[i], false);
	for (size_t i = first; i < h->nr && h->list[i].end.ino == end->ino; i++) {
		const struct fd_holder *f = &h->list[i];

		if (f->pid == own || f->pid == last || !is_end(&f->end, end) || !has_it(f, owned))
			continue;
		last = f->pid;
		if (found)
			++*others;
		else
			found = f->pid;
	}
	return found ? found : owned ? own : 0;
}

/* What time is left for searches. */
static uint64_t left(struct fd_holders *h)
{
	uint64_t now = clock__now();

	h->left_ns = h->counted ? h->left_ns + (now - h->counted) / LEFT_SHARE : LEFT_NS;
	if (h->left_ns > LEFT_NS)
		h->left_ns = LEFT_NS;
	h->counted = now;
	return h->left_ns;
}

pid_t fd_holders__of(struct fd_holders *h, pid_t own, const struct fd_end *end,
		     unsigned int *others)
{
	pid_t found = known(h, own, end, others);

	/* most likely it is new, or a new process has it; else look everywhere */
	if (!found && h->last && left(h)) {
		search(h, own, h->last + 1);
		found = known(h, own, end, others);
	}
	if (!found && left(h) > h->full_ns) {
		search(h, own, 0);
		found = known(h, own, end, others);
	}
	return found;
}

void fd_holder__comm(pid_t pid, char comm[16])
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (!f || !fgets(comm, 16, f))
		*comm = '\0';
	if (f)
		fclose(f);
	comm[strcspn(comm, "\n")] = '\0';
}

void fd_holders__clear(struct fd_holders *h)
{
	free(h->list);
	*h = (struct fd_holders){ 0 };
}
