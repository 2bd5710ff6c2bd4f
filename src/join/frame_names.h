/* SPDX-License-Identifier: GPL-2.0 */
/* Names as they appear in frames: made safe here, each stored once. */
#ifndef DWELL_JOIN_FRAME_NAMES_H
#define DWELL_JOIN_FRAME_NAMES_H

struct frame_names;

struct frame_names *frame_names__new(void);
void frame_names__free(struct frame_names *n);
/*
 * The safe form of @text. Equal forms have equal pointers, valid as long as @n. A safe
 * name is not empty; is valid UTF-8; has no ';', no control character and no space at
 * either end; and does not end in a space and a number, as a folded line does. NULL: no
 * memory.
 */
const char *frame_names__safe(struct frame_names *n, const char *text);
__attribute__((format(printf, 2, 3)))
const char *frame_names__safef(struct frame_names *n, const char *fmt, ...);

#endif /* DWELL_JOIN_FRAME_NAMES_H */
