/* SPDX-License-Identifier: GPL-2.0 */
/* What an inotify descriptor watches. See fd_watches.h. */
#include "kernel-events/fd_watches.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATHS_NAMED	3
#define HANDLE_MAX	128	/* bytes: MAX_HANDLE_SZ of <linux/exportfs.h> */

/* An inotify watch, as inotify_fdinfo() in fs/notify/fdinfo.c prints it. */
struct watch {
	unsigned int		dev;	/* major << 20 | minor */
	union {
		struct file_handle	handle;
		char			room[sizeof(struct file_handle) + HANDLE_MAX];
	};
};

/* False: the line has no handle, since the file system has none. */
static bool parse(const char *line, struct watch *w)
{
	unsigned int bytes = 0, type = 0, at = 0;

	w->dev = 0;
	if (sscanf(line,
		   "inotify wd:%*x ino:%*x sdev:%x mask:%*x ignored_mask:%*x fhandle-bytes:%x "
		   "fhandle-type:%x f_handle:%n",
		   &w->dev, &bytes, &type, &at) < 3 ||
	    !at || !bytes || bytes > HANDLE_MAX)
		return false;
	w->handle.handle_bytes = bytes;
	w->handle.handle_type = (int)type;
	for (unsigned int i = 0; i < bytes; i++) {
		unsigned int byte;

		if (sscanf(line + at + 2 * i, "%2x", &byte) != 1)
			return false;
		w->handle.f_handle[i] = (unsigned char)byte;
	}
	return true;
}

static bool is_local(const char *fs)
{
	static const char *const names[] = { "ext2", "ext3",  "ext4",  "xfs",  "btrfs", "f2fs",
					     "zfs",  "tmpfs", "ramfs", "vfat", "bcachefs" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(fs, names[i]))
			return true;
	return false;
}

/* A directory of the file system on @dev, as @pid sees it; -1: there is none that is local. */
static int open_mount(pid_t pid, unsigned int dev)
{
	char path[64], line[2048], root[1024], mount[1024], fs[64];
	unsigned int major, minor;
	int fd = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	f = fopen(path, "re");
	/* proc(5): id, parent, major:minor, root, mount point, options, fields, "-", type, … */
	while (f && fd < 0 && fgets(line, sizeof(line), f)) {
		char at[1100];
		const char *type = strstr(line, " - ");

		if (!type || sscanf(type, " - %63s", fs) != 1 ||
		    sscanf(line, "%*u %*u %u:%u %1023s %1023s", &major, &minor, root, mount) != 4 ||
		    (major << 20 | minor) != dev || !is_local(fs))
			continue;
		snprintf(at, sizeof(at), "/proc/%d/root%s", pid, mount);
		fd = open(at, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	}
	if (f)
		fclose(f);
	return fd;
}

/* The path of what @w watches. False: it cannot be told. */
static bool path_of(pid_t pid, struct watch *w, char *out, size_t size)
{
	int mount = open_mount(pid, w->dev), fd = -1;
	char link[64];
	ssize_t n = -1;

	if (mount >= 0)
		fd = open_by_handle_at(mount, &w->handle, O_PATH | O_CLOEXEC);
	if (fd >= 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, out, size - 1);
		close(fd);
	}
	if (mount >= 0)
		close(mount);
	out[n > 0 ? n : 0] = '\0';
	return n > 0 && (size_t)n < size - 1 && *out == '/';	/* else it was cut */
}

void fd_watches__name(pid_t pid, int fd, char *out, size_t size)
{
	unsigned int watches = 0, named = 0;
	char line[1024], path[160];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	f = fopen(path, "re");
	snprintf(out, size, "inotify");
	while (f && fgets(line, sizeof(line), f)) {
		struct watch w;

		if (strncmp(line, "inotify wd:", 11))
			continue;
		watches++;
		len = strlen(out);
		if (named == PATHS_NAMED || !parse(line, &w) ||
		    !path_of(pid, &w, path, sizeof(path)) || len + strlen(path) + 24 > size)
			continue;
		snprintf(out + len, size - len, "%s%s", named ? ", " : " of ", path);
		named++;
	}
	if (f)
		fclose(f);
	len = strlen(out);
	if (named && watches > named)
		snprintf(out + len, size - len, " and %u more", watches - named);
	else if (!named && watches)
		snprintf(out + len, size - len, ", %u watch%s", watches, watches == 1 ? "" : "es");
}
