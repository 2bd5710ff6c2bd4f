/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The process that is recorded. Everything here reads /proc, a pidfd or the
 * process's memory; nothing stops it or writes to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "record/rights.h"
#include "record/target.h"

void target__init(struct target *t)
{
	memset(t, 0, sizeof(*t));
	t->pidfd = t->exe_fd = t->go = t->go_status = -1;
}

/* ---- found by pid ---- */

/* A line "NAME:<white space>NUMBER" of /proc/@pid/status; 0: none. */
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
 * /proc may be that of another pid namespace (entered without its mounts): then
 * its numbers mean other processes than the ones that system calls take.
 */
static bool proc_is_ours(const char **why)
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

static int open_pidfd(struct target *t, const char **why)
{
	static _Thread_local char text[128];
	long process;

	t->pidfd = (int)syscall(SYS_pidfd_open, t->pid, 0);
	if (t->pidfd >= 0)
		return 0;
	*why = strerror(errno);
	if (errno == ESRCH)
		*why = "no such process";
	/* EINVAL, since Linux 6.16 ENOENT: it is not a process's id */
	process = status_number(t->pid, "Tgid");
	if (process && process != t->pid) {
		snprintf(text, sizeof(text),
			 "this is the id of a thread of process %ld: give that one", process);
		*why = text;
	}
	return -errno;
}

/* The names of the program that runs. */
static void find_names(struct target *t)
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
	n = readlink(t->exe, t->exe_name, sizeof(t->exe_name) - 1);
	t->exe_name[n > 0 ? n : 0] = '\0';
}

/* Take the program that runs in it now. */
static int open_exe(struct target *t)
{
	snprintf(t->exe, sizeof(t->exe), "/proc/%d/exe", t->pid);
	t->exe_fd = open(t->exe, O_RDONLY | O_CLOEXEC);
	if (t->exe_fd < 0)
		return -errno;
	find_names(t);
	return 0;
}

int target__find(struct target *t, pid_t pid, const char **why)
{
	static _Thread_local char rights[256];
	int err;

	t->pid = pid;
	if (!proc_is_ours(why))
		return -ESRCH;
	err = open_pidfd(t, why);
	if (err)
		return err;
	err = open_exe(t);
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
	t->cpu_start = target__cpu_ns(t);
	return 0;
}

/* ---- launched ---- */

/* The file that execvp would take. */
static int find_command(const char *name, char *out, size_t size)
{
	const char *path = getenv("PATH"), *at, *end;
	struct stat st;
	int n;

	if (strchr(name, '/')) {
		if (strlen(name) >= size)
			return -ENAMETOOLONG;
		strcpy(out, name);
		return faccessat(AT_FDCWD, out, X_OK, AT_EACCESS) ? -errno : 0;
	}
	for (at = path ? path : "/usr/bin:/bin";; at = end + 1) {
		end = strchrnul(at, ':');
		/* an empty one is the current directory */
		n = snprintf(out, size, "%.*s%s%s", (int)(end - at), at, end > at ? "/" : "./", name);
		if ((size_t)n < size && !stat(out, &st) && S_ISREG(st.st_mode) &&
		    !faccessat(AT_FDCWD, out, X_OK, AT_EACCESS))
			return 0;
		if (!*end)
			return -ENOENT;
	}
}

/* In the child: wait for the word, then become the command. */
__attribute__((noreturn))
static void become(const char *exe, char **argv, int go, int status)
{
	sigset_t none;
	char byte;
	int err;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	if (read(go, &byte, 1) != 1)
		_exit(127);	/* dwell gave up */
	execv(exe, argv);
	err = errno;
	(void)!write(status, &err, sizeof(err));
	_exit(127);
}

int target__launch(struct target *t, char **argv, const char **why)
{
	char exe[PATH_MAX];
	int go[2], status[2], err;

	t->launched = true;
	if (!proc_is_ours(why))
		return -ESRCH;
	err = find_command(argv[0], exe, sizeof(exe));
	if (err) {
		*why = err == -ENOENT ? "no such command" : strerror(-err);
		return err;
	}
	snprintf(t->exe_name, sizeof(t->exe_name), "%.*s", (int)sizeof(t->exe_name) - 1, exe);
	t->exe_fd = open(exe, O_RDONLY | O_CLOEXEC);
	if (t->exe_fd < 0 || pipe2(go, O_CLOEXEC)) {
		*why = strerror(errno);
		return -errno;
	}
	t->go = go[1];
	if (pipe2(status, O_CLOEXEC)) {
		err = -errno;
		*why = strerror(errno);
		close(go[0]);
		return err;
	}
	t->go_status = status[0];
	t->pid = fork();
	if (!t->pid) {
		close(go[1]);
		close(status[0]);
		become(exe, argv, go[0], status[1]);
	}
	err = -errno;
	close(go[0]);
	close(status[1]);
	if (t->pid < 0) {
		*why = strerror(-err);
		return err;
	}
	snprintf(t->comm, sizeof(t->comm), "%.15s",
		 strrchr(exe, '/') ? strrchr(exe, '/') + 1 : exe);
	/* Not /proc/PID/exe: that is dwell itself until the exec. */
	if (strlen(exe) < sizeof(t->exe))
		strcpy(t->exe, exe);
	else
		snprintf(t->exe, sizeof(t->exe), "/proc/self/fd/%d", t->exe_fd);
	return open_pidfd(t, why);
}

bool target__waits(const struct target *t)
{
	return t->go >= 0;
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

int target__follow_exec(struct target *t)
{
	struct stat was, is;
	char path[64];
	int old = t->exe_fd, err;

	snprintf(path, sizeof(path), "/proc/%d/exe", t->pid);
	if (stat(path, &is))
		return -errno;
	if (!fstat(old, &was) && was.st_dev == is.st_dev && was.st_ino == is.st_ino)
		return 0;
	err = open_exe(t);
	if (err) {
		t->exe_fd = old;
		return err;
	}
	close(old);
	t->cpu_start = target__cpu_ns(t);
	return 1;
}

/* ---- what it does ---- */

int target__load_bias(const struct target *t, uint64_t first_vaddr, uint64_t *bias)
{
	char path[64], exe[PATH_MAX], *line = NULL;
	int err = -ENOENT, name_at;
	uint64_t start, off;
	size_t room = 0;
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

ssize_t target__read_some(const struct target *t, uint64_t addr, void *buf, size_t len)
{
	struct iovec local = { buf, len }, remote = { (void *)(uintptr_t)addr, len };
	ssize_t n = process_vm_readv(t->pid, &local, 1, &remote, 1, 0);

	return n < 0 ? -errno : n;
}

int target__read(const struct target *t, uint64_t addr, void *buf, size_t len)
{
	ssize_t n = target__read_some(t, addr, buf, len);

	return n < 0 ? (int)n : (size_t)n == len ? 0 : -EFAULT;
}

bool target__exited(const struct target *t)
{
	struct pollfd p = { .fd = t->pidfd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

bool target__close(struct target *t)
{
	struct pollfd p = { .fd = t->pidfd, .events = POLLIN };
	bool ended = true;

	if (t->go >= 0)
		close(t->go);
	if (t->go_status >= 0)
		close(t->go_status);
	if (t->launched && t->pid > 0) {
		if (!target__exited(t)) {
			kill(t->pid, SIGTERM);
			ended = poll(&p, 1, TARGET_GRACE_MS) != 0;
		}
		if (ended)
			waitpid(t->pid, NULL, 0);
	}
	if (t->exe_fd >= 0)
		close(t->exe_fd);
	if (t->pidfd >= 0)
		close(t->pidfd);
	target__init(t);
	return ended;
}
