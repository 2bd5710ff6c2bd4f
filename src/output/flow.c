/* SPDX-License-Identifier: GPL-2.0 */
/* Fills lines with words. See flow.h. */
#include "output/flow.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define LINES_OF_A_WORD	3
#define ELLIPSIS	"…"
#define FURTHER		2	/* all lines but the first are indented by this many more columns */

static void pad(FILE *out, size_t n)
{
	while (n--)
		fputc(' ', out);
}

void flow__begin_behind(struct flow *f, size_t indent)
{
	f->at = f->indent = indent;
	f->fresh = true;
}

void flow__begin(struct flow *f, size_t indent)
{
	pad(f->out, indent);
	flow__begin_behind(f, indent);
}

static void flow__new_line(struct flow *f)
{
	fputc('\n', f->out);
	f->at = f->indent + FURTHER;
	pad(f->out, f->at);
	f->fresh = true;
}

static void flow__write(struct flow *f, const char *s, size_t len, size_t columns)
{
	fwrite(s, 1, len, f->out);
	f->at += columns;
	f->fresh = false;
}

/*
 * Where to break @s: the last position between @from and @to that is behind one of
 * @marks; 0: none.
 */
static size_t behind(const char *s, size_t from, size_t to, const char *marks)
{
	for (size_t at = to; at > from; at--)
		if (strchr(marks, s[at - 1]) && s[at] != ':' && s[at] != ' ')
			return at;
	return 0;
}

/*
 * How many bytes of @s to put on a line with room for @room columns: all, or up to the
 * best place to break a name.
 */
static size_t piece(const char *s, size_t len, size_t room)
{
	size_t fits = utf8__fit(s, len, (uint32_t)room), at;

	if (fits == len)
		return len;
	at = behind(s, fits / 2, fits, " ,|");
	if (!at)
		at = behind(s, fits / 3, fits, ":/<(");
	return at ? at : fits ? fits : len;
}

/* Where the longest tail of @s begins that fits @columns and does not begin before @from. */
static size_t tail(const char *s, size_t len, size_t from, size_t columns)
{
	size_t at = len;

	while (at > from) {
		size_t before = at - 1;

		while (before > from && ((unsigned char)s[before] & 0xc0) == 0x80)
			before--;
		if (utf8__columns(s + before, len - before) > columns)
			break;
		at = before;
	}
	return at;
}

/* Shorten @s to @columns: keep its beginning and its end. */
static void shorten(char *s, size_t columns)
{
	size_t len = strlen(s), head, end, mark = strlen(ELLIPSIS);

	if (utf8__columns(s, len) <= columns)
		return;
	head = utf8__fit(s, len, (uint32_t)(columns / 2));
	end = tail(s, len, head, columns - columns / 2 - 1);
	if (end < head + mark)
		return;
	memcpy(s + head, ELLIPSIS, mark);
	memmove(s + head + mark, s + end, len - end + 1);
}

/* Write a word that fits neither the rest of the line nor a line of its own. */
static void flow__break(struct flow *f, char *s)
{
	size_t len;

	shorten(s, LINES_OF_A_WORD * (f->columns - f->indent - FURTHER));
	len = strlen(s);
	while (len) {
		size_t n = piece(s, len, f->columns - f->at), shown = n;

		/* no space at the end of a line */
		while (n < len && shown && s[shown - 1] == ' ')
			shown--;
		flow__write(f, s, shown, utf8__columns(s, shown));
		s += n;
		len -= n;
		if (len)
			flow__new_line(f);
	}
}

static void flow__word(struct flow *f, char *s)
{
	size_t len, n;

	utf8__make_printable(s);
	len = strlen(s);
	n = utf8__columns(s, len);
	if (!f->fresh && f->at + 1 + n > f->columns)
		flow__new_line(f);
	if (!f->fresh)
		flow__write(f, " ", 1, 1);
	if (f->at + n > f->columns)
		flow__break(f, s);
	else
		flow__write(f, s, len, n);
}

void flow__put(struct flow *f, const char *fmt, ...)
{
	char small[512], *s = small;
	va_list ap, again;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (len >= (int)sizeof(small)) {
		s = malloc((size_t)len + 1);
		if (s)
			vsnprintf(s, (size_t)len + 1, fmt, again);
		f->no_memory |= !s;
	}
	va_end(again);
	flow__word(f, s ? s : small);
	if (s != small)
		free(s);
}

void flow__words(struct flow *f, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, " \n");

		if (n)
			flow__put(f, "%.*s", (int)n, text);
		text += n;
		text += strspn(text, " \n");
	}
}

void flow__end(struct flow *f)
{
	fputc('\n', f->out);
}
