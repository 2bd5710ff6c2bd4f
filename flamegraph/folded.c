// SPDX-License-Identifier: GPL-2.0
/*
 * Folded stacks as input: the kind of a frame follows from its place in the stack and
 * from its spelling. Written for the output of `dwell fold`; other folded files work
 * too, with fewer colours.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flamegraph/flamegraph.h"

#define LINE_MAX_BYTES	(16u << 20)	/* enough for a thousand frames of 16 kB */

static bool has_suffix(const char *s, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && !memcmp(s + len - n, suffix, n);
}

/* "path::function (file.rs:12)" */
static bool has_location(const char *s, size_t len)
{
	size_t i = len;

	if (len < 5 || s[--i] != ')')
		return false;
	while (i && s[i - 1] >= '0' && s[i - 1] <= '9')
		i--;
	return i && i < len - 1 && s[i - 1] == ':';
}

static bool is_segment(const char *s)
{
	if (s[0] != '[')
		return false;
	for (int i = 0; i < JOIN_SEGMENT_NR; i++) {
		if (!strcmp(s, join_segment__frame(i)))
			return true;
	}
	return false;
}

static void guess_kinds(struct join_frame *frames, uint32_t nr)
{
	uint32_t segment = nr;
	const char *s;
	size_t len;

	for (uint32_t i = 0; i < nr && segment == nr; i++) {
		if (is_segment(frames[i].name))
			segment = i;
	}
	for (uint32_t i = 0; i < nr; i++) {
		s = frames[i].name;
		len = strlen(s);
		if (i == segment)
			frames[i].kind = JOIN_FRAME_SEGMENT;
		else if (has_suffix(s, len, "_[k]"))
			frames[i].kind = JOIN_FRAME_KERNEL;
		else if (i > segment && is_segment(s))
			frames[i].kind = JOIN_FRAME_FOLLOWED;
		else if (i > segment && (!strncmp(s, "[follow", 7) || !strncmp(s, "[gap", 4)))
			frames[i].kind = JOIN_FRAME_GAP;
		else if (i > segment)
			frames[i].kind = has_location(s, len) ? JOIN_FRAME_PLACE :
					 i == segment + 1 ? JOIN_FRAME_PART : JOIN_FRAME_DETAIL;
		else if (i == 0)
			frames[i].kind = JOIN_FRAME_COMM;
		else if (i == 1)
			frames[i].kind = JOIN_FRAME_TASK;
		else if (has_location(s, len))
			frames[i].kind = JOIN_FRAME_AWAIT;
		else if (!strncmp(s, "[gap", 4))
			frames[i].kind = JOIN_FRAME_GAP;
		else if (s[0] == '{' && strstr(s, " | "))
			frames[i].kind = JOIN_FRAME_BRANCHES;
		else
			frames[i].kind = i + 1 == segment ? JOIN_FRAME_LEAF : JOIN_FRAME_WRAPPER;
	}
}

/*
 * Removes the weight from the end of @line; returns where the weight begins, NULL:
 * there is none. As in flamegraph.pl it consists of digits, with or without a fraction.
 */
static char *split_weight(char *line, size_t len)
{
	size_t i = len;

	while (i && ((line[i - 1] >= '0' && line[i - 1] <= '9') || line[i - 1] == '.'))
		i--;
	if (i < 2 || i == len || line[i] == '.' || (line[i - 1] != ' ' && line[i - 1] != '\t'))
		return NULL;
	line[i - 1] = '\0';
	return line + i;
}

static int parse_weight(const char *s, uint64_t unit, uint64_t *ns)
{
	uint64_t v = 0, fraction = 0, place = unit;

	for (; *s && *s != '.'; s++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return -EOVERFLOW;
	}
	if (__builtin_mul_overflow(v, unit, &v))
		return -EOVERFLOW;
	if (*s == '.') {
		while (*++s) {
			if (*s == '.')
				return -EINVAL;
			place /= 10;
			fraction += place * (*s - '0');
		}
	}
	return __builtin_add_overflow(v, fraction, ns) ? -EOVERFLOW : 0;
}

static int split_frames(char *stack, struct join_frame **frames, size_t *cap, uint32_t *nr)
{
	struct join_frame *more;
	char *end;

	for (*nr = 0; stack; stack = end) {
		end = strchr(stack, ';');
		if (end)
			*end++ = '\0';
		if (*nr == *cap) {
			more = realloc(*frames, (*cap * 2 + 64) * sizeof(**frames));
			if (!more)
				return -ENOMEM;
			*frames = more;
			*cap = *cap * 2 + 64;
		}
		(*frames)[(*nr)++].name = stack;
	}
	return 0;
}

struct line {
	char	*text;
	size_t	 len, cap;
};

/*
 * Reads the next line, without its newline: 1; 0: end of the input; or negative errno.
 * -EINVAL: the line contains a NUL, or is too long, as in /dev/zero.
 */
static int line__read(struct line *l, FILE *in)
{
	int c;

	l->len = 0;
	while ((c = getc_unlocked(in)) != EOF && c != '\n') {
		if (!c || l->len == LINE_MAX_BYTES)
			return -EINVAL;
		if (l->len + 1 >= l->cap) {
			size_t cap = l->cap ? l->cap * 2 : 256;
			char *text = realloc(l->text, cap);

			if (!text)
				return -ENOMEM;
			l->text = text;
			l->cap = cap;
		}
		l->text[l->len++] = (char)c;
	}
	if (ferror(in))
		return -EIO;
	if (c == EOF && !l->len)
		return 0;
	while (l->len && l->text[l->len - 1] == '\r')
		l->len--;
	if (l->len)
		l->text[l->len] = '\0';
	return 1;
}

/* Removes the last weight from @line and reads it. 0 or negative errno. */
static int take_weight(char *line, size_t *len, uint64_t unit, uint64_t *ns)
{
	char *weight = split_weight(line, *len);

	if (!weight)
		return -EINVAL;
	*len = (size_t)(weight - 1 - line);
	return parse_weight(weight, unit, ns);
}

static int add_lines(struct flamegraph *fg, FILE *in, uint64_t unit_ns, bool change, size_t *line)
{
	struct join_frame *frames = NULL;
	struct line l = { .text = NULL };
	uint64_t ns, before = 0;
	size_t cap = 0;
	uint32_t nr;
	int err;

	for (*line = 1; (err = line__read(&l, in)) > 0; ++*line) {
		if (!l.len)
			continue;
		err = take_weight(l.text, &l.len, unit_ns, &ns);
		if (!err && change)
			err = take_weight(l.text, &l.len, unit_ns, &before);
		if (err)
			goto out;
		err = split_frames(l.text, &frames, &cap, &nr);
		if (err)
			goto out;
		guess_kinds(frames, nr);
		err = change ? flamegraph__add_change(fg, frames, nr, before, ns) :
			       flamegraph__add(fg, frames, nr, ns);
		if (err)
			goto out;
	}
out:
	free(l.text);
	free(frames);
	return err;
}

int flamegraph__add_folded(struct flamegraph *fg, FILE *in, uint64_t unit_ns, size_t *line)
{
	return add_lines(fg, in, unit_ns, false, line);
}

int flamegraph__add_folded_change(struct flamegraph *fg, FILE *in, uint64_t unit_ns, size_t *line)
{
	return add_lines(fg, in, unit_ns, true, line);
}
