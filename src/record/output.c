/* SPDX-License-Identifier: GPL-2.0 */
/* Where a recording is written. See output.h. */
#include "record/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct output {
	int	 fd;
	char	*path;
	char	*old;		/* new name of the file that had this path; NULL: none */
	bool	 made;		/* the file at this path was created here */
};

static const char busy[] = "another recorder is writing it: name another file (-o)";

/* Closes @fd and returns the error. */
static int fail(int fd, int err, const char *what, const char **why)
{
	if (fd >= 0)
		close(fd);
	*why = what ? what : strerror(-err);
	return err;
}

/* Renames the file at @path, unless another recorder is writing to it. */
static int keep_old(struct output *o, const char **why)
{
	int fd = open(o->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return fail(fd, -EBUSY, busy, why);
	if (asprintf(&o->old, "%s.old", o->path) < 0) {
		o->old = NULL;
		return fail(fd, -ENOMEM, NULL, why);
	}
	if (rename(o->path, o->old)) {
		int err = -errno;

		free(o->old);
		o->old = NULL;
		return fail(fd, err, NULL, why);
	}
	if (fd >= 0)
		close(fd);
	return 0;
}

static int make_file(struct output *o, const char **why)
{
	o->fd = open(o->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (o->fd < 0)
		return fail(-1, -errno, errno == EEXIST ? busy : NULL, why);
	/*
	 * The lock is held until the file is closed. A file system without locks is
	 * accepted.
	 */
	o->made = !flock(o->fd, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK;
	/* Another recorder was faster: do not rename its file. */
	return o->made ? 0 : fail(-1, -EBUSY, busy, why);
}

/* A file that exists and is not a regular one is written to in place. */
static int open_special(struct output *o, mode_t mode, const char **why)
{
	if (S_ISDIR(mode))
		return fail(-1, -EISDIR, "it is a directory: name a file in it", why);
	if (S_ISBLK(mode))
		return fail(-1, -EINVAL, "it is a disk: name a file", why);
	if (S_ISSOCK(mode))
		return fail(-1, -EINVAL, "it is a socket: name a file or a pipe", why);
	o->fd = open(o->path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (o->fd < 0)
		return fail(-1, -errno, errno == ENXIO ? "nobody reads it" : NULL, why);
	if (isatty(o->fd))
		return fail(-1, -EINVAL, "it is a terminal: name a file", why);
	return 0;
}

static int open_path(struct output *o, const char **why)
{
	struct stat link, st;
	int err;

	if (lstat(o->path, &link))
		return errno == ENOENT ? make_file(o, why) : fail(-1, -errno, NULL, why);
	if (stat(o->path, &st))
		return fail(-1, -errno, S_ISLNK(link.st_mode) ?
			    "it is a symbolic link that leads nowhere: name a file" : NULL, why);
	if (!S_ISREG(st.st_mode))
		return open_special(o, st.st_mode, why);
	if (S_ISLNK(link.st_mode))
		return fail(-1, -ELOOP, "it is a symbolic link: name the file that it leads to",
			    why);
	err = keep_old(o, why);
	return err ? err : make_file(o, why);
}

int output__open(const char *path, struct output **out, const char **why)
{
	struct output *o = calloc(1, sizeof(*o));
	int err = 0;

	*out = NULL;
	if (!o)
		return fail(-1, -ENOMEM, NULL, why);
	o->fd = -1;
	o->path = strdup(path);
	if (!o->path)
		err = fail(-1, -ENOMEM, NULL, why);
	else if (strcmp(path, "-"))
		err = open_path(o, why);
	else if (isatty(STDOUT_FILENO))
		err = fail(-1, -EINVAL, "standard output is a terminal: name a file", why);
	else
		o->fd = STDOUT_FILENO;
	if (err) {
		output__free(o, false);
		return err;
	}
	*out = o;
	return 0;
}

int output__fd(const struct output *o)
{
	return o->fd;
}

void output__free(struct output *o, bool kept)
{
	if (!o)
		return;
	if (!kept && o->made)
		unlink(o->path);
	if (!kept && o->old)
		(void)!renameat2(AT_FDCWD, o->old, AT_FDCWD, o->path, RENAME_NOREPLACE);
	if (o->fd >= 0 && o->fd != STDOUT_FILENO)
		close(o->fd);
	free(o->path);
	free(o->old);
	free(o);
}
