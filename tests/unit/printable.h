/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text that a terminal may be given: valid UTF-8, and no control but the ends
 * of lines. And a name that has about everything that it may not be given.
 */
#ifndef DWELL_TEST_PRINTABLE_H
#define DWELL_TEST_PRINTABLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"

/* Escape sequences of 7 and 8 bits, a bell, lines, bidi, no width, wrong bytes. */
#define HOSTILE "\x1b[31mred\x1b]0;title\a\xc2\x9b" "2J\r\nnew line\xe2\x80\xae" \
		"desrever\xe2\x81\xa6\xe2\x80\x8b\xef\xbb\xbf\xe2\x80\xa8\x9b" "1m\xff\xc3\x7f\b"

/* @at: where it is not, if it is not. */
static inline bool is_printable(const char *text, size_t len, size_t *at)
{
	bool valid;
	uint32_t cp;

	for (*at = 0; *at < len;) {
		size_t n = utf8__read(text + *at, len - *at, &cp, &valid);

		if (!valid || (cp != '\n' && utf8__is_control(cp)))
			return false;
		*at += n;
	}
	return true;
}

static inline void assert_printable(const char *text, size_t len)
{
	size_t at;

	if (!is_printable(text, len, &at))
		fail_msg("byte %zu is %#x: %.40s", at, (unsigned char)text[at], text + at);
}

#endif /* DWELL_TEST_PRINTABLE_H */
