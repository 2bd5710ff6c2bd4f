/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the report for people share. Private to src/output.
 */
#ifndef DWELL_OUTPUT_TEXT_H
#define DWELL_OUTPUT_TEXT_H

#include <stdio.h>
#include <string.h>

#include "base/quantity.h"
#include "base/utf8.h"
#include "output/flow.h"
#include "output/output.h"

/* What the parts of the report work with. */
struct text_report {
	const struct join		*join;
	const struct trace_reader	*reader;
	FILE				*out;
	struct flow			 flow;
	const struct join_point		**points;	/* all, sorted as requested */
	size_t				 shown;
	enum output_sort			 sort;
};

/* ---- words ---- */

struct text {
	char	s[QUANTITY_MAX];
};

static inline struct text duration(uint64_t ns)
{
	struct text t;

	quantity__time(ns, t.s);
	return t;
}

static inline struct text count(uint64_t n)
{
	struct text t;

	quantity__count(n, t.s);
	return t;
}

static inline struct text percent(uint64_t part, uint64_t whole)
{
	double v = whole ? 100.0 * (double)part / (double)whole : 0;
	struct text t;

	if (part && v < 0.05)
		snprintf(t.s, sizeof(t.s), "<0.1 %%");
	else if (part < whole && v >= 99.95)
		snprintf(t.s, sizeof(t.s), ">99.9 %%");
	else
		snprintf(t.s, sizeof(t.s), "%.1f %%", v);
	return t;
}

static inline const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* The word to put before a task's name; "" if the name begins with it. */
static inline const char *task_noun(const char *name)
{
	return strncmp(name, "task ", 5) ? "task " : "";
}

/* Prints @s so that it ends @width columns further, or behind it if it is wider. */
static inline void text__right(FILE *out, const char *s, size_t width)
{
	size_t n = utf8__columns(s, strlen(s));

	for (; n < width; n++)
		fputc(' ', out);
	fputs(s, out);
}

/*
 * Prints @path; if it is too long, leaves out the middle, between the crate and the
 * last directory.
 */
static inline void text__path(struct flow *f, const char *path, uint32_t line)
{
	/* minus the indent and "(…:12345)," */
	size_t room = f->columns - f->indent - 12, len = strlen(path);
	const char *crate = strchr(path, '/'), *file = strrchr(path, '/'), *dir = file;

	while (dir && dir > path && dir[-1] != '/')
		dir--;
	if (utf8__columns(path, len) <= room || !crate || dir <= crate + 1)
		flow__put(f, "(%s:%u)", path, line);
	else
		flow__put(f, "(%.*s/…/%s:%u)", (int)(crate - path), path, dir, line);
}

/* What others did during waits at @p; nothing if that is not known. 0 or -ENOMEM. */
int text_followed__print(struct text_report *t, const struct join_point *p);
/* Where tasks were running, if CPUs were sampled. @top: 0: as usual. */
void text_on_cpu__print(struct text_report *t, size_t top);
/* Blocking jobs by kind. @top: 0: as usual. */
void text_jobs__print(struct text_report *t, size_t top);
/* The places that blocked, and what workers did while tasks were ready. @top: 0: as usual. */
void text_blocks__print(struct text_report *t, size_t top);

#endif /* DWELL_OUTPUT_TEXT_H */
