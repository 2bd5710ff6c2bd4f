/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names as they appear in frames: made safe in one place, kept once each.
 */
#ifndef DWELL_JOIN_NAMES_H
#define DWELL_JOIN_NAMES_H

struct names;

struct names *names__new(void);
void names__free(struct names *n);
/*
 * The safe form of @text: equal forms are the same pointer, which lives as
 * long as @n. Safe is: not empty; valid UTF-8; no ';', no control character;
 * no space at either end; not ending in a space and a number (a folded line
 * ends so). NULL: no memory.
 */
const char *names__safe(struct names *n, const char *text);
__attribute__((format(printf, 2, 3)))
const char *names__safef(struct names *n, const char *fmt, ...);

#endif /* DWELL_JOIN_NAMES_H */
