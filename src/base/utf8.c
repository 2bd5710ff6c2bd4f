// SPDX-License-Identifier: GPL-2.0
/*
 * Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#include "base/utf8.h"

#include <string.h>

size_t utf8__read(const char *s, size_t len, uint32_t *cp, bool *valid)
{
	const unsigned char *u = (const unsigned char *)s;
	unsigned char low = 0x80, high = 0xbf;
	uint32_t c = u[0];
	size_t need, i;

	*valid = true;
	if (c < 0x80) {
		*cp = c;
		return 1;
	}
	if (c >= 0xc2 && c <= 0xdf) {
		need = 2;
		c &= 0x1f;
	} else if (c >= 0xe0 && c <= 0xef) {
		need = 3;
		if (c == 0xe0)
			low = 0xa0;
		else if (c == 0xed)
			high = 0x9f;
		c &= 0x0f;
	} else if (c >= 0xf0 && c <= 0xf4) {
		need = 4;
		if (c == 0xf0)
			low = 0x90;
		else if (c == 0xf4)
			high = 0x8f;
		c &= 0x07;
	} else {
		need = 1;
	}
	for (i = 1; i < need; i++) {
		if (i == len || u[i] < low || u[i] > high)
			break;
		c = c << 6 | (u[i] & 0x3f);
		low = 0x80;
		high = 0xbf;
	}
	if (need == 1 || i < need) {
		*valid = false;
		c = UTF8_REPLACEMENT;
	}
	*cp = c;
	return i;
}

/* Characters without a glyph or width of their own: most of Unicode's category Cf (format). */
static bool is_format(uint32_t cp)
{
	/* soft hyphen; bidi; Mongolian vowel separator */
	return cp == 0xad || cp == 0x61c || cp == 0x180e ||
	       (cp >= 0x200b && cp <= 0x200f) ||		/* zero width, joiners, bidi */
	       (cp >= 0x202a && cp <= 0x202e) ||		/* bidi: embeddings, overrides */
	       (cp >= 0x2060 && cp <= 0x206f) ||		/* word joiner, bidi isolates */
	       cp == 0xfeff || (cp >= 0xfff9 && cp <= 0xfffb) ||/* byte order; annotations */
	       (cp >= 0xe0000 && cp <= 0xe007f);		/* tags */
}

bool utf8__is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029 ||
	       is_format(cp) || (cp & 0xfffe) == 0xfffe || (cp >= 0xfdd0 && cp <= 0xfdef);
}

void utf8__make_printable(char *s)
{
	size_t len = strlen(s);
	char *out = s;
	bool valid;
	uint32_t cp;

	while (len) {
		size_t n = utf8__read(s, len, &cp, &valid);

		if (!valid || utf8__is_control(cp)) {
			*out++ = '?';
		} else {
			memmove(out, s, n);
			out += n;
		}
		s += n;
		len -= n;
	}
	*out = '\0';
}

uint32_t utf8__columns(const char *s, size_t len)
{
	uint32_t columns = 0, cp;
	size_t i = 0;
	bool valid;

	while (i < len) {
		i += utf8__read(s + i, len - i, &cp, &valid);
		columns += utf8__width(cp);
	}
	return columns;
}

size_t utf8__fit(const char *s, size_t len, uint32_t columns)
{
	size_t i = 0, n;
	uint32_t cp, w;
	bool valid;

	while (i < len) {
		n = utf8__read(s + i, len - i, &cp, &valid);
		w = utf8__width(cp);
		if (w > columns)
			break;
		columns -= w;
		i += n;
	}
	return i;
}
