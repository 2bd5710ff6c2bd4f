/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The process that is recorded. Everything here reads /proc, a pidfd or the
 * process's memory; nothing stops it or writes to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "record/target.h"

static int open_pidfd(struct target *t, const char **why)
{
	t->pidfd = syscall(SYS_pidfd_open, t->pid, 0);
	if (t->pidfd >= 0)
		return 0;
	if (errno == ESRCH)
		*why = "no such process";
	else if (errno == EINVAL)
		*why = "this is a thread's id, not a process's: give the process (Tgid in "
		       "/proc/ID/status)";
	else
		*why = strerror(errno);
	return -errno;
}

void target__name(struct target *t)
{
	char path[64];
	ssize_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", t->pid);
	f = fopen(path, "re");
	if (f) {
		if (fgets(t->comm, sizeof(t->comm), f))
			t->comm[strcspn(t->comm, "\n")] = '\0';
		fclose(f);
	}
	if (t->launched)
		return;
	n = readlink(t->exe, t->exe_name, sizeof(t->exe_name) - 1);
	t->exe_name[n > 0 ? n : 0] = '\0';
}

int target__find(struct target *t, pid_t pid, const char **why)
{
	int err;

	memset(t, 0, sizeof(*t));
	t->pid = pid;
	t->go = t->go_status = t->pidfd = -1;
	err = open_pidfd(t, why);
	if (err)
		return err;
	snprintf(t->exe, sizeof(t->exe), "/proc/%d/exe", pid);
	if (access(t->exe, R_OK)) {
		err = -errno;
		if (err == -ENOENT)
			*why = "it has no executable: a kernel thread or a zombie";
		else if (err == -EACCES || err == -EPERM)
			*why = "no rights on this process: run dwell as root (it needs CAP_BPF, "
			       "CAP_PERFMON and CAP_SYS_PTRACE)";
		else
			*why = strerror(-err);
		close(t->pidfd);
		return err;
	}
	target__name(t);
	t->cpu_start = target__cpu_ns(t);
	return 0;
}

/* The file that execvp would take. */
static int find_command(const char *name, char *out, size_t size)
{
	const char *path = getenv("PATH"), *at, *end;

	if (strchr(name, '/')) {
		snprintf(out, size, "%s", name);
		return access(out, X_OK) ? -errno : 0;
	}
	for (at = path ? path : "/usr/bin:/bin"; *at; at = *end ? end + 1 : end) {
		end = strchrnul(at, ':');
		snprintf(out, size, "%.*s/%s", (int)(end - at), at, name);
		if (!access(out, X_OK))
			return 0;
	}
	return -ENOENT;
}

int target__launch(struct target *t, char **argv, const char **why)
{
	int go[2], status[2], err;
	char byte;

	memset(t, 0, sizeof(*t));
	t->go = t->go_status = t->pidfd = -1;
	t->launched = true;
	err = find_command(argv[0], t->exe_name, sizeof(t->exe_name));
	if (err) {
		*why = err == -ENOENT ? "no such command" : strerror(-err);
		return err;
	}
	if (pipe2(go, O_CLOEXEC))
		return -errno;
	if (pipe2(status, O_CLOEXEC)) {
		err = -errno;
		close(go[0]);
		close(go[1]);
		return err;
	}
	t->pid = fork();
	if (t->pid < 0) {
		err = -errno;
		*why = strerror(-err);
		return err;
	}
	if (!t->pid) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		close(go[1]);
		close(status[0]);
		if (read(go[0], &byte, 1) != 1)
			_exit(127);	/* dwell gave up */
		execv(t->exe_name, argv);
		err = errno;
		(void)!write(status[1], &err, sizeof(err));
		_exit(127);
	}
	close(go[0]);
	close(status[1]);
	t->go = go[1];
	t->go_status = status[0];
	err = open_pidfd(t, why);
	if (err)
		return err;
	snprintf(t->comm, sizeof(t->comm), "%.15s",
		 strrchr(t->exe_name, '/') ? strrchr(t->exe_name, '/') + 1 : t->exe_name);
	/* Not /proc/PID/exe: that is dwell itself until the exec. */
	if (strlen(t->exe_name) < sizeof(t->exe)) {
		strcpy(t->exe, t->exe_name);
	} else {
		int fd = open(t->exe_name, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			return -errno;
		snprintf(t->exe, sizeof(t->exe), "/proc/self/fd/%d", fd);
	}
	return 0;
}

int target__go(struct target *t)
{
	int err = 0;

	if (write(t->go, "x", 1) != 1)
		return -errno;
	close(t->go);
	t->go = -1;
	/* The exec closes the other end; a failed one says why first. */
	if (read(t->go_status, &err, sizeof(err)) == sizeof(err))
		return -err;
	close(t->go_status);
	t->go_status = -1;
	t->cpu_start = target__cpu_ns(t);
	return 0;
}

int target__load_bias(const struct target *t, uint64_t first_vaddr, uint64_t *bias)
{
	char path[64], line[512], exe[256];
	uint64_t start, end, off;
	int err = -ENOENT;
	char name[300];
	ssize_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/exe", t->pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	if (n <= 0)
		return -errno;
	exe[n] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/maps", t->pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		name[0] = '\0';
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %299[^\n]", &start, &end,
			   &off, name) < 3)
			continue;
		if (off || strcmp(name, exe))
			continue;
		*bias = start - first_vaddr;
		err = 0;
		break;
	}
	fclose(f);
	return err;
}

uint64_t target__cpu_ns(struct target *t)
{
	clockid_t clock;
	struct timespec ts;

	if (!clock_getcpuclockid(t->pid, &clock) && !clock_gettime(clock, &ts)) {
		uint64_t now = ts.tv_sec * 1000000000ull + ts.tv_nsec;

		/* A zombie's clock falls back: keep what it had. */
		if (now > t->cpu_last)
			t->cpu_last = now;
	}
	return t->cpu_last;
}

int target__read(const struct target *t, uint64_t addr, void *buf, size_t len)
{
	struct iovec local = { buf, len }, remote = { (void *)(uintptr_t)addr, len };
	ssize_t n = process_vm_readv(t->pid, &local, 1, &remote, 1, 0);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EFAULT;
}

bool target__exited(const struct target *t)
{
	struct pollfd p = { .fd = t->pidfd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

void target__close(struct target *t)
{
	if (t->go >= 0)
		close(t->go);
	if (t->go_status >= 0)
		close(t->go_status);
	if (t->launched && t->pid > 0) {
		if (!target__exited(t))
			kill(t->pid, SIGTERM);
		waitpid(t->pid, NULL, 0);
	}
	if (t->pidfd >= 0)
		close(t->pidfd);
	t->pidfd = t->go = t->go_status = -1;
}
