/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which functions the index of debug information has to note, by the last word of their
 * names: functions of the runtimes, and poll functions.
 *
 * It must not know how the index is made, nor what it is used for.
 */
#ifndef DWELL_IMAGE_WANTED_H
#define DWELL_IMAGE_WANTED_H

/* The names; static, ends with NULL. May be called from any thread. */
const char *const *wanted__names(void);
/* "c" of "a::b::c"; a pointer into @path. */
const char *wanted__last_word(const char *path);

#endif /* DWELL_IMAGE_WANTED_H */
