/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a sleeping thread's system call is about: which descriptor, and who has the other end
 * of the pipe, or the lock of the file.
 */
#ifndef DWELL_WHY_OBJECTS_H
#define DWELL_WHY_OBJECTS_H

#include <stddef.h>
#include <sys/types.h>

#include "inspect/picture.h"

/*
 * "fd 1, whose other end this process has itself (fd 9)", "held by process 12 (cron)"; "": there
 * is nothing to say. @pid: the process of thread @t.
 */
void object__words(pid_t pid, const struct picture_thread *t, char *out, size_t size);

#endif /* DWELL_WHY_OBJECTS_H */
