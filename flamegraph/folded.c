// SPDX-License-Identifier: GPL-2.0
/*
 * Folded stacks as input: what a frame is follows from its place in the stack
 * and from its spelling. `dwell fold` writes what is read here; other folded
 * files work too, only with less colour.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flamegraph/flamegraph.h"

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
		else if (i > segment)
			frames[i].kind = i == segment + 1 ? JOIN_FRAME_PART : JOIN_FRAME_DETAIL;
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
 * Cut the weight off the end of @line and return where it begins, NULL if
 * there is none. As flamegraph.pl: digits, and a fraction if need be.
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

int flamegraph__add_folded(struct flamegraph *fg, FILE *in, uint64_t unit_ns, size_t *line)
{
	struct join_frame *frames = NULL;
	size_t cap = 0, cap_text = 0;
	char *text = NULL, *weight;
	uint64_t ns;
	uint32_t nr;
	ssize_t len;
	int err = 0;

	for (*line = 1; (len = getline(&text, &cap_text, in)) >= 0; ++*line) {
		while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
			text[--len] = '\0';
		if (!len)
			continue;
		err = -EINVAL;
		weight = strlen(text) == (size_t)len ? split_weight(text, len) : NULL;
		if (!weight)
			goto out;
		err = parse_weight(weight, unit_ns, &ns);
		if (err)
			goto out;
		err = split_frames(text, &frames, &cap, &nr);
		if (err)
			goto out;
		guess_kinds(frames, nr);
		err = flamegraph__add(fg, frames, nr, ns);
		if (err)
			goto out;
	}
	if (ferror(in))
		err = -EIO;
out:
	free(text);
	free(frames);
	return err;
}
