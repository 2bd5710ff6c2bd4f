// SPDX-License-Identifier: GPL-2.0
/* What a sleeping thread's system call is about. See objects.h. */
#include "why/objects.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "inspect/descriptors.h"
#include "why/children.h"

#define MAX_LINKS	50000	/* descriptors of all processes that are looked at */

/* ---- pipes ---- */

/*
 * A descriptor of @pid that is an end of pipe @ino, opened for @mode; -1: none. *@left: how
 * many more may be looked at.
 */
static int end_of_pipe(pid_t pid, uint64_t ino, unsigned int mode, unsigned int *left)
{
	char path[64];
	struct dirent *e;
	int found = -1;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && found < 0 && *left && (e = readdir(dir))) {
		int fd = atoi(e->d_name);

		*left -= 1;
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9' &&
		    descriptor__ino(pid, fd, "pipe:[") == ino &&
		    descriptor__opened_for(pid, fd, mode))
			found = fd;
	}
	if (dir)
		closedir(dir);
	return found;
}

/* Any process but @self that has that end; 0: none was found. */
static pid_t other_process(pid_t self, uint64_t ino, unsigned int mode, unsigned int *left)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;
	pid_t found = 0;

	while (dir && !found && *left && (e = readdir(dir))) {
		pid_t pid = (pid_t)atoi(e->d_name);

		if (pid > 0 && pid != self && end_of_pipe(pid, ino, mode, left) >= 0)
			found = pid;
	}
	if (dir)
		closedir(dir);
	return found;
}

static void pipe_words(pid_t pid, int fd, bool writes, char *out, size_t size)
{
	uint64_t ino = descriptor__ino(pid, fd, "pipe:[");
	unsigned int mode = writes ? O_RDONLY : O_WRONLY, left = MAX_LINKS;
	char whose[128];
	pid_t other;
	int own;

	if (!ino)
		return;
	own = end_of_pipe(pid, ino, mode, &left);
	other = own < 0 ? other_process(pid, ino, mode, &left) : 0;
	if (own >= 0) {
		snprintf(out, size, "fd %d, whose other end this process has itself (fd %d)", fd, own);
	} else if (other) {
		child__name(other, whose, sizeof(whose));
		snprintf(out, size, "fd %d, whose other end process %d (%s) has", fd, (int)other, whose);
	} else {
		snprintf(out, size, "fd %d", fd);
	}
}

/* ---- locks of files ---- */

/* A process that has a lock of the file @st; 0: none was found. */
static pid_t lock_holder(const struct stat *st)
{
	char line[256];
	pid_t found = 0;
	FILE *f = fopen("/proc/locks", "re");

	while (f && !found && fgets(line, sizeof(line), f)) {
		unsigned int major, minor;
		uint64_t ino;
		int pid;

		/* 1: FLOCK  ADVISORY  WRITE 123 08:01:456 0 EOF; of those who wait: "1: -> …" */
		if (sscanf(line, "%*d: %*s %*s %*s %d %x:%x:%" SCNu64, &pid, &major, &minor,
			   &ino) == 4 && ino == st->st_ino && major == major(st->st_dev) &&
		    minor == minor(st->st_dev))
			found = pid;
	}
	if (f)
		fclose(f);
	return found;
}

static void lock_words(pid_t pid, int fd, char *out, size_t size)
{
	char path[64], whose[128];
	struct stat st;
	pid_t holder;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	if (stat(path, &st))
		return;
	holder = lock_holder(&st);
	if (holder == pid) {
		snprintf(out, size, "fd %d, locked by this process itself", fd);
	} else if (holder > 0) {
		child__name(holder, whose, sizeof(whose));
		snprintf(out, size, "fd %d, locked by process %d (%s)", fd, (int)holder, whose);
	} else {
		snprintf(out, size, "fd %d", fd);
	}
}

void object__words(pid_t pid, const struct picture_thread *t, char *out, size_t size)
{
	int fd = (int)t->args[0];

	*out = '\0';
	switch (t->syscall) {
	case SYS_write:
	case SYS_writev:
		pipe_words(pid, fd, true, out, size);
		break;
	case SYS_read:
	case SYS_readv:
		pipe_words(pid, fd, false, out, size);
		break;
	case SYS_flock:
		lock_words(pid, fd, out, size);
		break;
	case SYS_fcntl:
		if (t->args[1] == F_SETLKW || t->args[1] == F_OFD_SETLKW)
			lock_words(pid, fd, out, size);
		break;
	}
}
