/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pool of frame names. Only this file decides what makes a name safe in a frame. It
 * must not know what the names stand for.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "join/frame_names.h"

struct name {
	struct name	*next;
	uint64_t	 hash;
	char		 text[];
};

struct frame_names {
	struct name	**buckets;
	size_t		 nr, size;	/* size: power of two */
	struct hash_key	 hash;
};

struct frame_names *frame_names__new(void)
{
	struct frame_names *n = calloc(1, sizeof(*n));

	if (n)
		n->hash = hash_key__new();
	return n;
}

void frame_names__free(struct frame_names *n)
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

/* Where the number in a trailing " 12" or " 1.5" of @s begins; NULL: @s has none. */
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
	size_t len = strlen(text);
	char *p = out, *number;
	bool valid;
	uint32_t cp;

	for (size_t n; len; text += n, len -= n) {
		n = utf8__read(text, len, &cp, &valid);
		if (valid && utf8__is_control(cp)) {
			*p = ' ';
		} else if (!valid || cp < 0x80) {
			*p = !valid ? '?' : cp == ';' ? ':' : (char)cp;
		} else {
			memcpy(p, text, n);
			p += n;
			continue;
		}
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

static int frame_names__grow(struct frame_names *n)
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

static const char *frame_names__intern(struct frame_names *n, const char *text, size_t len)
{
	uint64_t hash = n->hash.a;
	struct name *e;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3ull;
	hash = hash__of(&n->hash, hash);
	if (n->size)
		for (e = n->buckets[hash & (n->size - 1)]; e; e = e->next)
			if (e->hash == hash && !strcmp(e->text, text))
				return e->text;
	if (n->nr >= n->size && frame_names__grow(n))
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

const char *frame_names__safe(struct frame_names *n, const char *text)
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
	name = frame_names__intern(n, buf, strlen(buf));
	if (buf != small)
		free(buf);
	return name;
}

const char *frame_names__safef(struct frame_names *n, const char *fmt, ...)
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
		name = frame_names__safe(n, text);
	if (text != small)
		free(text);
	return name;
}
