/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is said to the user: standard error, and nothing else writes there.
 *
 * Names of programs, threads, paths and types are in it, and whoever made them
 * may have put a terminal's escapes into them: what is said is made printable
 * here, so that no caller needs to think of it.
 *
 *	say__line("dwell: %s: %s", path, strerror(-err));
 */
#ifndef DWELL_BASE_SAY_H
#define DWELL_BASE_SAY_H

#include <stdarg.h>

/* One line, whatever is in the arguments; the end of the line is added. */
void say__line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Some lines: those that @fmt and its arguments end with '\n', or leave open. */
void say__lines(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));
/* A line that stands until the next progress or line takes its place. */
void say__progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* DWELL_BASE_SAY_H */
