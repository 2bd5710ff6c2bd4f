/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file that a trace is read from, with random access. Input without random access
 * (a pipe, a device) is copied to an unnamed file.
 *
 * It knows where chunks begin, so that it copies a trace and nothing else; it must not
 * know what chunks contain.
 */
#ifndef DWELL_TRACE_INPUT_H
#define DWELL_TRACE_INPUT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Open @path ("-": standard input) for reading. The caller closes *@fd; *@size is in
 * bytes. 0, or negative errno with a line in @why.
 *
 * Of a pipe, all valid chunks are copied, and the header of the first invalid one,
 * which the reader will report. -ENOSPC: the copy would have filled $TMPDIR.
 */
int trace_input__open(const char *path, int *fd, uint64_t *size, char *why, size_t why_size);

#endif /* DWELL_TRACE_INPUT_H */
