// SPDX-License-Identifier: GPL-2.0
/*
 * A live process from outside. See process.h. Everything here reads /proc, a pidfd or
 * the process's memory.
 */
#include "inspect/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "inspect/rights.h"

void process__init(struct process *p)
{
	memset(p, 0, sizeof(*p));
	p->pidfd = p->exe_fd = -1;
}

/* ---- found by pid ---- */

/* The number in the line "NAME:<white space>NUMBER" of /proc/@pid/status; 0: none. */
static long status_number(pid_t pid, const char *name)
{
	char path[64], line[256];
	size_t len = strlen(name);
	long found = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (!found && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len) && line[len] == ':')
			found = strtol(line + len + 1, NULL, 10);
	fclose(f);
	return found;
}

/*
 * /proc may belong to another pid namespace (one that was entered without its mounts):
 * then its numbers mean other processes than those in system calls.
 */
bool process__visible(const char **why)
{
	char self[32] = "";

	if (readlink("/proc/self", self, sizeof(self) - 1) > 0 && atol(self) == (long)getpid())
		return true;
	*why = *self ? "/proc shows another pid namespace than the one that dwell runs in: mount "
		       "its own (mount -t proc proc /proc), or enter the target's mount "
		       "namespace as well" :
		       "there is no /proc here: mount it (mount -t proc proc /proc)";
	return false;
}

int process__open_pidfd(struct process *p, const char **why)
{
	static _Thread_local char text[128];
	long owner;
	int err;

	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (p->pidfd >= 0)
		return 0;
	err = -errno;
	*why = err == -ESRCH ? "no such process" : strerror(-err);
	/* EINVAL, or ENOENT since Linux 6.16: not a process id, but a thread id */
	owner = status_number(p->pid, "Tgid");
	if (owner && owner != p->pid) {
		snprintf(text, sizeof(text),
			 "this is the id of a thread of process %ld: give that one", owner);
		*why = text;
	}
	return err;
}

/* Finds the names of the current program. */
static void find_names(struct process *p)
{
	char path[64];
	ssize_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", p->pid);
	f = fopen(path, "re");
	if (f) {
		if (fgets(p->comm, sizeof(p->comm), f))
			p->comm[strcspn(p->comm, "\n")] = '\0';
		fclose(f);
	}
	n = readlink(p->exe, p->exe_name, sizeof(p->exe_name) - 1);
	p->exe_name[n > 0 ? n : 0] = '\0';
}

/* Opens the program that the process runs now. */
int process__open_exe(struct process *p)
{
	snprintf(p->exe, sizeof(p->exe), "/proc/%d/exe", p->pid);
	p->exe_fd = open(p->exe, O_RDONLY | O_CLOEXEC);
	if (p->exe_fd < 0)
		return -errno;
	find_names(p);
	return 0;
}

int process__find(struct process *p, pid_t pid, const char **why)
{
	static _Thread_local char rights[256];
	int err;

	p->pid = pid;
	if (!process__visible(why))
		return -ESRCH;
	err = process__open_pidfd(p, why);
	if (err)
		return err;
	err = process__open_exe(p);
	if (err == -ENOENT)
		*why = "it has no executable: a kernel thread or a zombie";
	else if ((err == -EACCES || err == -EPERM) &&
		 *rights__missing(true, rights, sizeof(rights)))
		*why = rights;
	else if (err == -EACCES || err == -EPERM)
		*why = "its executable may not be read, though dwell has the rights for it: a "
		       "security module may forbid it";
	else if (err)
		*why = strerror(-err);
	if (err)
		return err;
	p->cpu_start = process__cpu_ns(p);
	return 0;
}

/* ---- memory and CPU time ---- */

int process__load_bias(const struct process *p, uint64_t first_vaddr, uint64_t *bias)
{
	char path[64], exe[PATH_MAX], *line = NULL;
	int err = -ENOENT, name_at;
	uint64_t start, off;
	size_t room = 0;
	ssize_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/exe", p->pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	if (n <= 0)
		return -errno;
	exe[n] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/maps", p->pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (err && getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		name_at = 0;
		if (sscanf(line, "%" SCNx64 "-%*x %*s %" SCNx64 " %*s %*s %n", &start, &off,
			   &name_at) < 2 || !name_at || off || strcmp(line + name_at, exe))
			continue;
		*bias = start - first_vaddr;
		err = 0;
	}
	free(line);
	fclose(f);
	return err;
}

uint64_t process__cpu_ns(struct process *p)
{
	clockid_t clock;
	struct timespec ts;

	if (!clock_getcpuclockid(p->pid, &clock) && !clock_gettime(clock, &ts)) {
		uint64_t now = ts.tv_sec * 1000000000ull + ts.tv_nsec;

		/* A zombie's clock goes back: keep the last value. */
		if (now > p->cpu_last)
			p->cpu_last = now;
	}
	return p->cpu_last;
}

ssize_t process__read_some(const struct process *p, uint64_t addr, void *buf, size_t len)
{
	struct iovec local = { buf, len }, remote = { (void *)(uintptr_t)addr, len };
	ssize_t n = process_vm_readv(p->pid, &local, 1, &remote, 1, 0);

	return n < 0 ? -errno : n;
}

int process__read(const struct process *p, uint64_t addr, void *buf, size_t len)
{
	ssize_t n = process__read_some(p, addr, buf, len);

	return n < 0 ? (int)n : (size_t)n == len ? 0 : -EFAULT;
}

void process__read_many(const struct process *p, struct iovec *to, struct iovec *from, size_t nr,
			bool *ok)
{
	size_t at = 0;

	while (at < nr) {
		ssize_t got = process_vm_readv(p->pid, to + at, nr - at, from + at, nr - at,
					       0);
		size_t left = got > 0 ? (size_t)got : 0;

		if (got < 0 && errno != EFAULT) {
			memset(ok + at, 0, (nr - at) * sizeof(*ok));
			return;
		}
		for (; at < nr && left >= to[at].iov_len; left -= to[at++].iov_len)
			ok[at] = true;
		if (at < nr)
			ok[at++] = false;
	}
}

bool process__exited(const struct process *p)
{
	struct pollfd end = { .fd = p->pidfd, .events = POLLIN };

	return poll(&end, 1, 0) > 0;
}

void process__close(struct process *p)
{
	if (p->exe_fd >= 0)
		close(p->exe_fd);
	if (p->pidfd >= 0)
		close(p->pidfd);
	process__init(p);
}
