/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a recording is written: a new file, a pipe, or standard output.
 *
 * As with perf: a recording contains addresses and paths, so only its owner can read
 * the file (0600); an existing file is kept as NAME.old; a file that another recorder
 * is writing to is not touched.
 *
 * It must not know what is written.
 */
#ifndef DWELL_RECORD_OUTPUT_H
#define DWELL_RECORD_OUTPUT_H

#include <stdbool.h>

struct output;

/*
 * Open @path ("-": standard output). 0, or negative errno with *@why (static) for the
 * user. -ENXIO: a FIFO that nobody has opened for reading; try again.
 */
int output__open(const char *path, struct output **out, const char **why);
/* Its descriptor, for writing; it may be non-blocking (O_NONBLOCK). */
int output__fd(const struct output *o);
/*
 * Close it. Unless @kept, a file that output__open() created is removed, and the file
 * that it replaced gets its name back. @o may be NULL.
 */
void output__free(struct output *o, bool kept);

#endif /* DWELL_RECORD_OUTPUT_H */
