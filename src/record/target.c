/* SPDX-License-Identifier: GPL-2.0 */
/* The process that is recorded, and the command that it runs. See target.h. */
#include "record/target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/say.h"

void target__init(struct target *t)
{
	memset(t, 0, sizeof(*t));
	process__init(&t->process);
	t->go = t->go_status = -1;
}

/* Finds the file that execvp would execute. */
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
		/* an empty one means the current directory */
		n = snprintf(out, size, "%.*s%s%s", (int)(end - at), at, end > at ? "/" : "./", name);
		if ((size_t)n < size && !stat(out, &st) && S_ISREG(st.st_mode) &&
		    !faccessat(AT_FDCWD, out, X_OK, AT_EACCESS))
			return 0;
		if (!*end)
			return -ENOENT;
	}
}

/* In the child: waits for the go-ahead, then executes the command. */
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
		_exit(127);	/* dwell has given up */
	execv(exe, argv);
	err = errno;
	(void)!write(status, &err, sizeof(err));
	_exit(127);
}

int target__launch(struct target *t, char **argv, const char **why)
{
	struct process *p = &t->process;
	char exe[PATH_MAX];
	int go[2], status[2], err;

	t->launched = true;
	if (!process__visible(why))
		return -ESRCH;
	err = find_command(argv[0], exe, sizeof(exe));
	if (err) {
		*why = err == -ENOENT ? "no such command" : strerror(-err);
		return err;
	}
	snprintf(p->exe_name, sizeof(p->exe_name), "%.*s", (int)sizeof(p->exe_name) - 1, exe);
	p->exe_fd = open(exe, O_RDONLY | O_CLOEXEC);
	if (p->exe_fd < 0 || pipe2(go, O_CLOEXEC)) {
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
	p->pid = fork();
	if (!p->pid) {
		close(go[1]);
		close(status[0]);
		become(exe, argv, go[0], status[1]);
	}
	err = -errno;
	close(go[0]);
	close(status[1]);
	if (p->pid < 0) {
		*why = strerror(-err);
		return err;
	}
	snprintf(p->comm, sizeof(p->comm), "%.15s",
		 strrchr(exe, '/') ? strrchr(exe, '/') + 1 : exe);
	/* Not /proc/PID/exe, which is dwell itself until the exec. */
	if (strlen(exe) < sizeof(p->exe))
		strcpy(p->exe, exe);
	else
		snprintf(p->exe, sizeof(p->exe), "/proc/self/fd/%d", p->exe_fd);
	return process__open_pidfd(p, why);
}

bool target__waits(const struct target *t)
{
	return t->go >= 0;
}

int target__go(struct target *t)
{
	struct process *p = &t->process;
	int err = 0;

	if (write(t->go, "x", 1) != 1)
		return -errno;
	close(t->go);
	t->go = -1;
	/* A successful exec closes the other end; a failed one writes the errno first. */
	if (read(t->go_status, &err, sizeof(err)) == sizeof(err))
		return -err;
	close(t->go_status);
	t->go_status = -1;
	p->cpu_start = process__cpu_ns(p);
	return 0;
}

int target__follow_exec(struct target *t)
{
	struct process *p = &t->process;
	struct stat was, is;
	char path[64];
	int old = p->exe_fd, err;

	snprintf(path, sizeof(path), "/proc/%d/exe", p->pid);
	if (stat(path, &is))
		return -errno;
	if (!fstat(old, &was) && was.st_dev == is.st_dev && was.st_ino == is.st_ino)
		return 0;
	err = process__open_exe(p);
	if (err) {
		p->exe_fd = old;
		return err;
	}
	close(old);
	p->cpu_start = process__cpu_ns(p);
	return 1;
}

/* A command that has failed by itself is told: its status is not that of dwell. */
static void say_status(int status)
{
	if (WIFSIGNALED(status))
		say__line("dwell: the program was killed by signal %d", WTERMSIG(status));
	else if (WIFEXITED(status) && WEXITSTATUS(status))
		say__line("dwell: the program ended with status %d", WEXITSTATUS(status));
}

bool target__close(struct target *t)
{
	struct process *p = &t->process;
	struct pollfd end = { .fd = p->pidfd, .events = POLLIN };
	bool ran = t->go < 0 && t->go_status < 0, ended = true, asked = false;
	int status;

	if (t->go >= 0)
		close(t->go);
	if (t->go_status >= 0)
		close(t->go_status);
	if (t->launched && p->pid > 0) {
		if (!process__exited(p)) {
			asked = true;
			kill(p->pid, SIGTERM);
			ended = poll(&end, 1, TARGET_GRACE_MS) != 0;
		}
		if (ended && waitpid(p->pid, &status, 0) == p->pid && ran && !asked)
			say_status(status);
	}
	process__close(p);
	target__init(t);
	return ended;
}
