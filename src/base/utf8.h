/* SPDX-License-Identifier: GPL-2.0 */
/*
 * UTF-8: reading it strictly, making it fit to be shown, and how many columns a
 * monospaced font gives it. It must not know what the text is for.
 */
#ifndef DWELL_BASE_UTF8_H
#define DWELL_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT	0xfffd

/*
 * Read one character of @s (@len > 0 bytes) into *@cp and return the bytes
 * it takes. Wrong bytes read as UTF8_REPLACEMENT, one for each longest
 * beginning of a character, with *@valid false.
 */
size_t utf8__read(const char *s, size_t len, uint32_t *cp, bool *valid);
/*
 * Has no place in a line that is shown, nor in XML: controls (an escape would be
 * obeyed by the terminal), ends of lines, what reorders the rest of the line
 * (bidirectional controls), what has no width and so makes different names look
 * alike, and non-characters.
 */
bool utf8__is_control(uint32_t cp);
/*
 * Replace what must not be shown in a line of @s by '?', one for each control
 * and for each wrong piece of UTF-8. @s gets no longer.
 */
void utf8__make_printable(char *s);
/* Columns of a character: 2 if it is wide, 0 if it combines with the one before, else 1. */
uint32_t utf8__width(uint32_t cp);
/* Columns of @len bytes of UTF-8. */
uint32_t utf8__columns(const char *s, size_t len);
/*
 * The longest beginning of @s, in bytes, that takes at most @columns. It ends
 * behind the marks that combine with its last character.
 */
size_t utf8__fit(const char *s, size_t len, uint32_t columns);

#endif /* DWELL_BASE_UTF8_H */
