/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages to the user on standard error. Nothing else writes there.
 *
 * Messages contain names of programs, threads, paths and types, which may contain
 * escape sequences for a terminal. These are replaced here, so callers need not care.
 *
 *	say__line("dwell: %s: %s", path, strerror(-err));
 */
#ifndef DWELL_BASE_SAY_H
#define DWELL_BASE_SAY_H

#include <stdarg.h>

/* One line, whatever the arguments contain; the newline is added. */
void say__line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Several lines; the text contains the newlines. */
void say__lines(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));
/* A line that stays until the next call of say__progress() or say__line() replaces it. */
void say__progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* DWELL_BASE_SAY_H */
