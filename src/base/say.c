// SPDX-License-Identifier: GPL-2.0
/*
 * Builds a message completely and writes it at once: see say.h. It must not know the
 * contents of messages.
 */
#include "base/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/*
 * Writes @before, the formatted text on one line, and @after. Also works if there is no
 * memory.
 */
static void put(const char *before, const char *fmt, va_list args, const char *after)
{
	char text[8192];

	vsnprintf(text, sizeof(text), fmt, args);
	utf8__make_printable(text);
	fprintf(stderr, "%s%s%s", before, text, after);
}

void say__line(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put("", fmt, args, "\n");
	va_end(args);
}

void say__progress(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put("\r", fmt, args, "");
	va_end(args);
}

void say__lines(const char *fmt, va_list args)
{
	char *text, *line, *rest;

	if (vasprintf(&text, fmt, args) < 0)
		return;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		utf8__make_printable(line);
		fprintf(stderr, "%s%s", line, rest ? "\n" : "");
	}
	free(text);
}
