/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Traces written by hand: a small text form of a recording, for tests whose
 * input is to be read by people. The grammar is in text_trace.c.
 */
#ifndef DWELL_TEXT_TRACE_H
#define DWELL_TEXT_TRACE_H

#include <stddef.h>
#include <stdio.h>

/* Write the trace that @in describes to @path. 0, or -1 with a message in @why. */
int text_trace__write(FILE *in, const char *path, char *why, size_t size);

#endif /* DWELL_TEXT_TRACE_H */
