// SPDX-License-Identifier: GPL-2.0
/* Other processes that tasks wait for. See children.h. */
#include "why/children.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/utf8.h"
#include "why/sleepers.h"

#define MAX_CHILDREN	16		/* processes from a child down */
#define SETTLE_NS	20000000	/* for what is on its way right now */

/* ---- /proc ---- */

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

/* A descriptor of @pid that is an end of pipe @ino, for @mode; -1: none. */
static int end_of_pipe(pid_t pid, uint64_t ino, unsigned int mode)
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
		    descriptor__opened_for(pid, atoi(e->d_name), mode))
			found = atoi(e->d_name);
	if (dir)
		closedir(dir);
	return found;
}

void child__name(pid_t pid, char *out, size_t size)
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

/* The state of a process: 'R', 'S', 'D', 'T', …; '?': not known. */
static char state_of(pid_t pid)
{
	char path[64], line[512], *end;
	char state = '?';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (f && fgets(line, sizeof(line), f)) {
		end = strrchr(line, ')');
		if (end && end[1] == ' ')
			state = end[2];
	}
	if (f)
		fclose(f);
	return state;
}

static bool is_stopped(pid_t pid)
{
	char state = state_of(pid);

	return state == 'T' || state == 't';
}

/* A child of @pid that has an end of pipe @ino for @mode; 0: none. */
static pid_t child_with(pid_t pid, uint64_t ino, unsigned int mode)
{
	char path[64];
	pid_t found = 0;
	int child;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "re");
	while (f && !found && fscanf(f, "%d", &child) == 1)
		if (end_of_pipe(child, ino, mode) >= 0)
			found = child;
	if (f)
		fclose(f);
	return found;
}

/* What @pid does: "sleeps: a sleep of the thread". */
static void say_doing(pid_t pid, char *out, size_t size)
{
	struct picture_thread t = { .tid = (uint32_t)pid };
	char state = state_of(pid);

	t.syscall = syscall_of(pid, &t.args[0]);
	if (state == 'T' || state == 't')
		snprintf(out, size, "is stopped");
	else if (state == 'R')
		snprintf(out, size, "runs");
	else
		snprintf(out, size, "sleeps: %s", sleepers__kernel_words(pid, &t));
}

/* ---- findings ---- */

__attribute__((format(printf, 4, 5)))
static struct why_finding *tell(struct why *y, uint32_t wait, pid_t pid, const char *format, ...)
{
	const struct picture_wait *w = &y->p.waits[wait];
	struct why_finding *f = why__add(y, "chain into another process", 1);
	struct answer_place at = why__wait_place(y, wait);
	char name[64], what[256];
	va_list ap;

	if (!f)
		return NULL;
	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	child__name(pid, name, sizeof(name));
	why__say(y, f, "%s waits at %s:%" PRIu32 " in %s for process %d (%s), which %s",
		 why__task(y, w->task), at.file, at.line, why__waits_in(y, wait), (int)pid, name,
		 what);
	why__party(y, f, "waits", w->task, at, "%s waits in %s", why__task(y, w->task),
		   why__waits_in(y, wait));
	return f;
}

/* A handle of the waiting task whose object is the descriptor @fd's: WALK_NONE: none. */
static uint32_t handle_of(const struct why *y, uint32_t task, int fd)
{
	const struct picture_task *t = &y->p.tasks[task];

	for (size_t k = 0; k < y->nr_fds; k++)
		for (uint32_t i = t->handles; y->fds[k].fd == fd && i < t->handles + t->nr_handles;
		     i++)
			if (y->fds[k].token - y->p.handles[i].object < y->p.handles[i].size)
				return i;
	return WALK_NONE;
}

/* Does the task of @wait wait for nothing else? */
static bool is_only_wait(const struct why *y, uint32_t wait)
{
	const struct picture_task *t = &y->p.tasks[y->p.waits[wait].task];
	uint32_t nr = 0;

	for (uint32_t i = t->waits; i < t->waits + t->nr_waits; i++)
		nr += !y->p.waits[i].unpolled;
	return nr == 1;
}

static bool fd_awaited(const struct why *y, int fd)
{
	for (size_t i = 0; i < y->nr_fds; i++)
		if (y->fds[i].fd == fd && awaited(y, y->fds[i].token))
			return true;
	return false;
}

/* @pid writes to the pipe @ino, which this process reads, or rather does not. */
static void at_full_pipe(struct why *y, uint32_t wait, pid_t pid, uint64_t ino)
{
	int own = end_of_pipe(y->p.target->pid, ino, O_RDONLY);

	if (own >= 0 && !thread_reads(y, ino) && !fd_awaited(y, own))
		tell(y, wait, pid, "sleeps in a write to a pipe whose other end this process has itself "
		     "(fd %d), and nobody awaits that", own);
}

/*
 * @pid reads the pipe @ino, whose other end the waiting task has. If it is another task's, that
 * one may write to it at any time.
 */
static void at_empty_pipe(struct why *y, uint32_t wait, pid_t pid, uint64_t ino)
{
	int own = end_of_pipe(y->p.target->pid, ino, O_WRONLY);
	uint32_t task = y->p.waits[wait].task;
	uint32_t handle = own < 0 ? WALK_NONE : handle_of(y, task, own);
	struct why_finding *f;
	struct answer_place at;
	const char *local;

	if (handle == WALK_NONE || fd_awaited(y, own) || !is_only_wait(y, wait))
		return;
	at = why__handle_place(y, handle, &local);
	f = tell(y, wait, pid, "sleeps in a read of a pipe whose other end that task has itself in %s "
		 "(%s:%" PRIu32 ", fd %d): it reads on until that is closed",
		 *local ? local : "a temporary", at.file, at.line, own);
	if (f)
		why__party(y, f, "holder", task, at, "%s has the other end of the pipe in %s",
			   why__task(y, task), *local ? local : "a temporary");
}

/* A shell waits for what it has started: the process that @pid waits for in the end. */
static pid_t last_of(pid_t pid)
{
	for (int i = 0; i < MAX_CHILDREN && child_of(pid) && !is_stopped(pid); i++)
		pid = child_of(pid);
	return pid;
}

/* Process @pid, for which the task waits, itself waits for this process, or is stopped. */
static void waits_back(struct why *y, uint32_t wait, pid_t pid)
{
	static const struct timespec pause = { .tv_nsec = SETTLE_NS };
	uint64_t first = 0, again = 0, ino;
	int64_t call;

	call = syscall_of(pid, &first);
	if (is_stopped(pid)) {
		tell(y, wait, pid, "is stopped");
		return;
	}
	if (call != SYS_write && call != SYS_writev && call != SYS_read && call != SYS_readv)
		return;
	ino = descriptor__ino(pid, (int)first, "pipe:[");
	if (!ino)
		return;
	nanosleep(&pause, NULL);
	if (syscall_of(pid, &again) != call || again != first)
		return;
	if (call == SYS_write || call == SYS_writev)
		at_full_pipe(y, wait, pid, ino);
	else
		at_empty_pipe(y, wait, pid, ino);
}

void child__waits(struct why *y, uint32_t wait, pid_t child)
{
	waits_back(y, wait, last_of(child));
}

/* @pid has the end of pipe @ino that is read, and leaves it full. */
static void does_not_read(struct why *y, uint32_t wait, pid_t pid, uint64_t ino)
{
	uint64_t first = 0;
	int64_t call = syscall_of(pid, &first);
	char what[256];

	/* it reads just now, or computes, after which it may read */
	if (state_of(pid) == 'R' || ((call == SYS_read || call == SYS_readv) &&
				     descriptor__ino(pid, (int)first, "pipe:[") == ino))
		return;
	say_doing(pid, what, sizeof(what));
	tell(y, wait, pid, "has the other end of a pipe that is full, and does not read: it %s", what);
}

void child__pipe(struct why *y, uint32_t wait, int fd)
{
	uint64_t ino = descriptor__ino(y->p.target->pid, fd, "pipe:[");
	bool writes = y->p.waits[wait].key.dir & WALK_DIR_WRITE;
	pid_t pid = ino ? child_with(y->p.target->pid, ino, writes ? O_RDONLY : O_WRONLY) : 0;
	size_t before = y->nr_findings;

	if (!pid)
		return;
	waits_back(y, wait, pid);
	if (writes && y->nr_findings == before)
		does_not_read(y, wait, pid, ino);
}

/* ---- in words ---- */

void child__say(pid_t pid, char *out, size_t size)
{
	char name[64], what[128];

	pid = last_of(pid);
	child__name(pid, name, sizeof(name));
	say_doing(pid, what, sizeof(what));
	snprintf(out, size, "process %d (%s), which %s", (int)pid, name, what);
}

void child__say_pipe(pid_t pid, int fd, const char *way, char *out, size_t size)
{
	uint64_t ino = descriptor__ino(pid, fd, "pipe:[");
	pid_t other = !ino ? 0 : child_with(pid, ino, *way == 'r' ? O_WRONLY : O_RDONLY);
	char whose[384] = "";

	*out = '\0';
	if (!ino)
		return;
	if (other)
		child__say(other, whose, sizeof(whose));
	snprintf(out, size, "a %s of fd %d, a pipe%s%s", way, fd, other ? " of " : "", whose);
}
