/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file that a trace is read from: any place of it can be read, any number
 * of times. What cannot (a pipe, a device) is copied to a file without a name.
 *
 * It knows where chunks begin, so that it copies a trace and nothing else; it
 * must not know what chunks hold.
 */
#ifndef DWELL_TRACE_INPUT_H
#define DWELL_TRACE_INPUT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Open @path ("-": standard input) for reading: *@fd, which the caller closes,
 * and its *@size in bytes. 0, or a negative errno with a line in @why.
 *
 * Of a pipe there is what makes sense as a trace and the head of what does not:
 * the reader finds out which. -ENOSPC: the copy would have filled $TMPDIR.
 */
int trace_input__open(const char *path, int *fd, uint64_t *size, char *why, size_t why_size);

#endif /* DWELL_TRACE_INPUT_H */
