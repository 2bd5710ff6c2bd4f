/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an inotify descriptor watches. The kernel tells inodes by their file handles
 * (/proc/PID/fdinfo); a handle is opened without access to the file (O_PATH), only to ask for
 * its path. Only on file systems of this machine: on another's, an open may wait for ever.
 */
#ifndef DWELL_FD_WATCHES_H
#define DWELL_FD_WATCHES_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Writes "inotify of /etc/app, /run/app and 3 more" to @out, for descriptor @fd of @pid. A
 * watch whose path cannot be told counts among the others; "inotify, 2 watches": none can;
 * "inotify": it has none yet, or is closed.
 */
void fd_watches__name(pid_t pid, int fd, char *out, size_t size);

#endif /* DWELL_FD_WATCHES_H */
