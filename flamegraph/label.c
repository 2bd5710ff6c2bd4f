// SPDX-License-Identifier: GPL-2.0
/* Candidates from the most informative to the shortest; the first one that fits is used. */
#include "flamegraph/label.h"

#include <string.h>

#include "base/utf8.h"

static const char kernel_suffix[] = "_[k]";

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Where " (file.rs:12)" begins; @len: there is none. */
static size_t location_start(const char *s, size_t len)
{
	size_t i = len;

	if (len < 5 || s[--i] != ')' || !is_digit(s[--i]))
		return len;
	while (i && is_digit(s[i - 1]))
		i--;
	if (!i || s[--i] != ':')
		return len;
	while (i && s[i] != '(' && s[i] != ')')
		i--;
	return i && s[i] == '(' && s[i - 1] == ' ' ? i - 1 : len;
}

/*
 * The next position behind @from at which a path may be shortened: after a "::" outside
 * of brackets. "{closure}" and similar components mean nothing without the name before
 * them, so they stay with it. @len: there is none.
 */
static size_t next_break(const char *s, size_t len, size_t from, int *depth)
{
	for (size_t i = from; i < len; i++) {
		switch (s[i]) {
		case '<':
		case '(':
		case '[':
		case '{':
			++*depth;
			break;
		case '>':
			if (i && s[i - 1] == '-')	/* "->" */
				break;
			/* fall through */
		case ')':
		case ']':
		case '}':
			--*depth;
			break;
		case ':':
			if (*depth == 0 && i > from && s[i - 1] == ':' && i + 1 < len &&
			    s[i + 1] != '{')
				return i + 1;
			break;
		}
	}
	return len;
}

static bool label__try(struct label *l, const char *body, size_t body_len, const char *tail,
		       size_t tail_len, uint32_t columns)
{
	uint32_t n = (l->lead ? 1 : 0) + utf8__columns(body, body_len) +
		     utf8__columns(tail, tail_len);

	l->body = body;
	l->body_len = body_len;
	l->tail = tail;
	l->tail_len = tail_len;
	l->columns = n;
	return n <= columns;
}

void label__fit(struct label *l, const char *name, size_t len, uint32_t columns)
{
	size_t location, line, start = 0, last = 0;
	const size_t suffix = sizeof(kernel_suffix) - 1;
	int depth = 0;

	memset(l, 0, sizeof(*l));
	if (columns < LABEL_COLUMNS_MIN)
		return;
	/* The colour already shows that it is a kernel function. */
	if (len > suffix && !memcmp(name + len - suffix, kernel_suffix, suffix))
		len -= suffix;

	location = location_start(name, len);
	if (label__try(l, name, location, name + location, len - location, columns))
		return;
	l->lead = true;
	while ((start = next_break(name, location, start, &depth)) < location) {
		last = start;
		if (label__try(l, name + start, location - start, name + location, len - location,
			       columns))
			return;
	}
	l->lead = last > 0;
	for (line = len; line > location && name[line] != ':'; line--)
		;
	if (line > location &&
	    label__try(l, name + last, location - last, name + line, len - 1 - line, columns))
		return;
	if (label__try(l, name + last, location - last, NULL, 0, columns))
		return;
	l->lead = false;
	l->body_len = utf8__fit(name + last, location - last, columns - 1);
	while (l->body_len && l->body[l->body_len - 1] == ' ')
		l->body_len--;
	l->shortened = true;
	l->columns = utf8__columns(l->body, l->body_len) + 1;
}
