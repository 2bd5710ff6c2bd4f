// SPDX-License-Identifier: GPL-2.0
/* The words of a line of a text that describes a trace. See text_words.h. */
#include "tests/replay/text_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int text__bad(struct text_trace *t, const char *fmt, ...)
{
	int n = snprintf(t->why, t->why_size, "line %zu: ", t->line);
	va_list ap;

	va_start(ap, fmt);
	if (n > 0 && (size_t)n < t->why_size)
		vsnprintf(t->why + n, t->why_size - (size_t)n, fmt, ap);
	va_end(ap);
	return -1;
}

int text__time(struct text_trace *t, const char *s, uint64_t *ns)
{
	char *end;
	uint64_t us = strtoull(s, &end, 10), scale = 100;

	*ns = us * 1000;
	if (*end == '.')
		for (end++; *end >= '0' && *end <= '9' && scale; end++, scale /= 10)
			*ns += (uint64_t)(*end - '0') * scale;
	*ns += t->offset;
	return end == s || *end ? text__bad(t, "'%s' is no time", s) : 0;
}

uint64_t text__number(const char *s)
{
	return strtoull(s, NULL, 0);
}

/* The address that a word stands for; "0" is none. */
uint64_t text__address(struct text_trace *t, const char *word, size_t len)
{
	size_t i;

	if (len == 1 && *word == '0')
		return 0;
	for (i = 0; i < t->nr_addresses; i++)
		if (!strncmp(t->addresses[i], word, len) && !t->addresses[i][len])
			break;
	if (i == t->nr_addresses && i < ADDRESSES_MAX)
		t->addresses[t->nr_addresses++] = strndup(word, len);
	return 0x7f5500000000ull + 0x80 * (i + 1);
}

/* VALUE of a word KEY=VALUE of this line, or NULL. */
const char *text__value(const struct text_trace *t, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < t->nr_words; i++)
		if (!strncmp(t->words[i], key, len) && t->words[i][len] == '=')
			return t->words[i] + len + 1;
	return NULL;
}

bool text__has(const struct text_trace *t, const char *word)
{
	for (size_t i = 0; i < t->nr_words; i++)
		if (!strcmp(t->words[i], word))
			return true;
	return false;
}

uint64_t text__value_number(const struct text_trace *t, const char *key, uint64_t otherwise)
{
	const char *v = text__value(t, key);

	return v ? text__number(v) : otherwise;
}

int text__value_time(struct text_trace *t, const char *key, uint64_t *ns)
{
	const char *v = text__value(t, key);

	return v ? text__time(t, v, ns) : 0;
}

uint64_t text__value_address(struct text_trace *t, const char *key)
{
	const char *v = text__value(t, key);

	return v ? text__address(t, v, strlen(v)) : 0;
}

void text__spaces(char *s)
{
	for (; *s; s++)
		if (*s == '_')
			*s = ' ';
}
