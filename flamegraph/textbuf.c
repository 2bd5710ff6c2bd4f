// SPDX-License-Identifier: GPL-2.0
/*
 * Text is built in memory and written at once: the picture consists of some hundred
 * thousand short pieces, for which stdio is several times slower.
 */
#include "flamegraph/textbuf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static bool textbuf__reserve(struct textbuf *b, size_t more)
{
	size_t cap;
	char *data;

	if (b->err)
		return false;
	if (b->cap - b->len >= more)
		return true;
	if (more > SIZE_MAX / 2 - b->len) {
		b->err = -ENOMEM;
		return false;
	}
	cap = b->cap ? b->cap : 4096;
	while (cap - b->len < more)
		cap *= 2;
	data = realloc(b->data, cap);
	if (!data) {
		b->err = -ENOMEM;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

void textbuf__bytes(struct textbuf *b, const char *s, size_t len)
{
	if (!len || !textbuf__reserve(b, len))
		return;
	memcpy(b->data + b->len, s, len);
	b->len += len;
}

void textbuf__str(struct textbuf *b, const char *s)
{
	textbuf__bytes(b, s, strlen(s));
}

void textbuf__u64(struct textbuf *b, uint64_t v)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = '0' + v % 10;
		v /= 10;
	} while (v);
	textbuf__bytes(b, digits + i, sizeof(digits) - i);
}

void textbuf__centi(struct textbuf *b, uint64_t centi)
{
	char frac[3] = { '.', '0' + centi % 100 / 10, '0' + centi % 10 };

	textbuf__u64(b, centi / 100);
	if (centi % 100)
		textbuf__bytes(b, frac, centi % 10 ? 3 : 2);
}

static const char *xml_escape(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

static void textbuf__text(struct textbuf *b, const char *s, size_t len, bool xml)
{
	size_t plain = 0, i = 0, n;
	const char *escape;
	bool valid;
	uint32_t cp;

	if (!len)	/* s may be NULL */
		return;
	/* [plain, i) can be copied unchanged. */
	while (i < len) {
		if ((unsigned char)s[i] >= 0x20 && (unsigned char)s[i] < 0x7f) {
			escape = xml ? xml_escape(s[i]) : NULL;
			n = 1;
		} else {
			n = utf8__read(s + i, len - i, &cp, &valid);
			escape = !valid ? "\xef\xbf\xbd" : utf8__is_control(cp) ? "" : NULL;
		}
		if (escape) {
			textbuf__bytes(b, s + plain, i - plain);
			textbuf__str(b, escape);
			plain = i + n;
		}
		i += n;
	}
	textbuf__bytes(b, s + plain, i - plain);
}

void textbuf__clean(struct textbuf *b, const char *s, size_t len)
{
	textbuf__text(b, s, len, false);
}

void textbuf__xml(struct textbuf *b, const char *s, size_t len)
{
	textbuf__text(b, s, len, true);
}

void textbuf__free(struct textbuf *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}
