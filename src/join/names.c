/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pool of frame names. What makes a name safe is decided here and
 * nowhere else; it must not know what the names stand for.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "join/names.h"

struct name {
	struct name	*next;
	uint64_t	 hash;
	char		 text[];
};

struct names {
	struct name	**buckets;
	size_t		 nr, size;	/* size: power of two */
};

struct names *names__new(void)
{
	return calloc(1, sizeof(struct names));
}

void names__free(struct names *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->size; i++)
		while (n->buckets[i]) {
			struct name *next = n->buckets[i]->next;

			free(n->buckets[i]);
			n->buckets[i] = next;
		}
	free(n->buckets);
	free(n);
}

/* Bytes of the valid UTF-8 sequence at @s, 0 if there is none. */
static size_t utf8_len(const unsigned char *s)
{
	uint32_t cp;
	size_t len;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;
	cp = s[0] & (0x7f >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (s[i] & 0x3f);
	}
	if ((len == 3 && (cp < 0x800 || (cp >= 0xd800 && cp <= 0xdfff))) ||
	    (len == 4 && (cp < 0x10000 || cp > 0x10ffff)))
		return 0;
	/* The controls of the second block, and the separators of lines. */
	if ((cp >= 0x80 && cp < 0xa0) || cp == 0x2028 || cp == 0x2029)
		return 0;
	return len;
}

/* Where "… 12" or "… 1.5" at the end of @s has its number, or NULL. */
static char *trailing_number(char *s, size_t len)
{
	char *p = s + len;

	while (p > s && ((p[-1] >= '0' && p[-1] <= '9') || p[-1] == '.'))
		p--;
	return p < s + len && p > s && p[-1] == ' ' ? p : NULL;
}

/* @out has room for strlen(@text) + 3 bytes. */
static void make_safe(const char *text, char *out)
{
	const unsigned char *in = (const unsigned char *)text;
	char *p = out, *number;

	while (*in) {
		size_t len = utf8_len(in);

		if (len > 1) {
			memcpy(p, in, len);
			p += len;
			in += len;
			continue;
		}
		if (!len)
			*p = '?';
		else if (*in == ';')
			*p = ':';
		else if (*in < 0x20 || *in == 0x7f)
			*p = ' ';
		else
			*p = (char)*in;
		in++;
		if (*p != ' ' || p > out)
			p++;
	}
	while (p > out && p[-1] == ' ')
		p--;
	if (p == out)
		*p++ = '?';
	*p = '\0';
	number = trailing_number(out, (size_t)(p - out));
	if (number) {
		memmove(number + 1, number, strlen(number) + 1);
		*number = '#';
	}
}

static int names__grow(struct names *n)
{
	size_t size = n->size ? n->size * 2 : 256;
	struct name **buckets = calloc(size, sizeof(*buckets));

	if (!buckets)
		return -1;
	for (size_t i = 0; i < n->size; i++)
		while (n->buckets[i]) {
			struct name *e = n->buckets[i];

			n->buckets[i] = e->next;
			e->next = buckets[e->hash & (size - 1)];
			buckets[e->hash & (size - 1)] = e;
		}
	free(n->buckets);
	n->buckets = buckets;
	n->size = size;
	return 0;
}

static const char *names__intern(struct names *n, const char *text, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325ull;
	struct name *e;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3ull;
	hash ^= hash >> 32;
	if (n->size)
		for (e = n->buckets[hash & (n->size - 1)]; e; e = e->next)
			if (e->hash == hash && !strcmp(e->text, text))
				return e->text;
	if (n->nr >= n->size && names__grow(n))
		return NULL;
	e = malloc(sizeof(*e) + len + 1);
	if (!e)
		return NULL;
	e->hash = hash;
	memcpy(e->text, text, len + 1);
	e->next = n->buckets[hash & (n->size - 1)];
	n->buckets[hash & (n->size - 1)] = e;
	n->nr++;
	return e->text;
}

const char *names__safe(struct names *n, const char *text)
{
	size_t room = strlen(text) + 3;
	char small[512], *buf = small;
	const char *name;

	if (room > sizeof(small)) {
		buf = malloc(room);
		if (!buf)
			return NULL;
	}
	make_safe(text, buf);
	name = names__intern(n, buf, strlen(buf));
	if (buf != small)
		free(buf);
	return name;
}

const char *names__safef(struct names *n, const char *fmt, ...)
{
	const char *name = NULL;
	char small[512], *text = small;
	va_list ap, again;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (len >= (int)sizeof(small)) {
		text = malloc((size_t)len + 1);
		if (text)
			vsnprintf(text, (size_t)len + 1, fmt, again);
	}
	va_end(again);
	if (len >= 0 && text)
		name = names__safe(n, text);
	if (text != small)
		free(text);
	return name;
}
