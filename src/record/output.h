/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a recording goes: a file of its own, a pipe, standard output.
 *
 * As perf does it: a recording holds addresses and paths, so its file is for its
 * owner only (0600); a file that has the name already is kept as NAME.old; and
 * what another recorder is writing is left alone.
 *
 * It must not know what is written.
 */
#ifndef DWELL_RECORD_OUTPUT_H
#define DWELL_RECORD_OUTPUT_H

#include <stdbool.h>

struct output;

/*
 * Open @path ("-": standard output). 0, or negative errno with *@why (static)
 * for the user. -ENXIO: a FIFO that nobody has opened for reading; try again.
 */
int output__open(const char *path, struct output **out, const char **why);
/* Its descriptor, for writing; it may be one that does not wait (O_NONBLOCK). */
int output__fd(const struct output *o);
/*
 * Close it. Unless it is @kept, a file made by output__open() is removed again,
 * and the one that it replaced has its name back. NULL is fine.
 */
void output__free(struct output *o, bool kept);

#endif /* DWELL_RECORD_OUTPUT_H */
