/* SPDX-License-Identifier: GPL-2.0 */
/*
 * UTF-8: strict decoding, replacing what must not be shown, and the number of columns
 * in a monospaced font. It must not know what the text is for.
 */
#ifndef DWELL_BASE_UTF8_H
#define DWELL_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT	0xfffd

/*
 * Decode the first character of @s (@len > 0 bytes) to *@cp; returns its length in
 * bytes. An invalid sequence gives UTF8_REPLACEMENT once for each maximal prefix of a
 * character, and *@valid is false.
 */
size_t utf8__read(const char *s, size_t len, uint32_t *cp, bool *valid);
/*
 * Must the character not appear in a line of text, or in XML? True for control
 * characters (a terminal would obey escape sequences), line ends, bidirectional
 * controls (they reorder the rest of the line), characters without width (different
 * names would look alike), and non-characters.
 */
bool utf8__is_control(uint32_t cp);
/*
 * Replace each character that must not be shown, and each invalid sequence, by '?'. @s
 * does not get longer.
 */
void utf8__make_printable(char *s);
/*
 * The number of columns: 2 for a wide character, 0 for one that combines with the one
 * before, else 1.
 */
uint32_t utf8__width(uint32_t cp);
/* The number of columns of @len bytes of UTF-8. */
uint32_t utf8__columns(const char *s, size_t len);
/*
 * The length in bytes of the longest prefix of @s that fits @columns. It includes marks
 * that combine with its last character.
 */
size_t utf8__fit(const char *s, size_t len, uint32_t columns);

#endif /* DWELL_BASE_UTF8_H */
