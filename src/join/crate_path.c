// SPDX-License-Identifier: GPL-2.0
/*
 * Finds where a crate begins in a path. Crates that cargo or rustc fetched are
 * recognised by the directories that these tools use; any other crate by the
 * directories that every crate has (src, tests, …). See crate_path.h.
 */
#include "join/crate_path.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define PARTS_MAX	64	/* a longer path loses its first components */

struct part {
	const char	*s;
	size_t		 len;
};

/* A path split into components, without empty ones, "." and "..". */
struct parts {
	struct part	part[PARTS_MAX];
	unsigned int	nr;
	bool		absolute;
};

static bool is(const struct parts *p, unsigned int i, const char *name)
{
	return i < p->nr && p->part[i].len == strlen(name) &&
	       !memcmp(p->part[i].s, name, p->part[i].len);
}

static bool begins(const struct parts *p, unsigned int i, const char *with)
{
	return i < p->nr && p->part[i].len > strlen(with) &&
	       !memcmp(p->part[i].s, with, strlen(with));
}

static void parts__add(struct parts *p, const char *s, size_t len)
{
	if (!len || (len == 1 && *s == '.'))
		return;
	if (len == 2 && !memcmp(s, "..", 2) && (p->absolute || p->nr) && !is(p, p->nr - 1, "..")) {
		p->nr -= p->nr > 0;
		return;
	}
	if (p->nr == PARTS_MAX) {
		memmove(p->part, p->part + 1, (PARTS_MAX - 1) * sizeof(*p->part));
		p->nr--;
	}
	p->part[p->nr++] = (struct part){ s, len };
}

static void parts__split(struct parts *p, const char *path)
{
	bool drive = isalpha((unsigned char)path[0]) && path[1] == ':';
	const char *separators = drive || !strchr(path, '/') ? "/\\" : "/";

	p->nr = 0;
	if (drive)
		path += 2;
	p->absolute = drive || (*path && strchr(separators, *path));
	while (*path) {
		size_t len = strcspn(path, separators);

		parts__add(p, path, len);
		path += len;
		path += strspn(path, separators);
	}
}

/*
 * Index of the last @a that has @b as the next component and more than @more components
 * after that; -1: none.
 */
static int find_pair(const struct parts *p, const char *a, const char *b, unsigned int more)
{
	for (unsigned int i = p->nr; i--;)
		if (is(p, i, a) && is(p, i + 1, b) && i + 2 + more < p->nr)
			return (int)i;
	return -1;
}

/* Index of the last component @name that is a directory and lies behind @from; -1: none. */
static int find_last(const struct parts *p, const char *name, unsigned int from)
{
	for (unsigned int i = p->nr; i-- > from + 1;)
		if (is(p, i, name) && i + 1 < p->nr)
			return (int)i;
	return -1;
}

/*
 * Is component @i a commit hash or a version? rustc records one in place of its own
 * source directory.
 */
static bool is_revision(const struct parts *p, unsigned int i)
{
	size_t n = 0;

	if (i >= p->nr)
		return false;
	while (n < p->part[i].len && isxdigit((unsigned char)p->part[i].s[n]))
		n++;
	return n == p->part[i].len ? n >= 7 : isdigit((unsigned char)p->part[i].s[0]);
}

/* The sources of std and core: /rustc/COMMIT/library, /usr/src/rustc-1.85.0/library. */
static int find_std(const struct parts *p)
{
	for (unsigned int i = 0; i < p->nr; i++) {
		unsigned int at = is(p, i, "rustc") && is_revision(p, i + 1) ? i + 2 :
				  begins(p, i, "rustc-") ? i + 1 : 0;

		if (at && (is(p, at, "library") || is(p, at, "vendor")))
			at++;
		if (at && at < p->nr)
			return (int)at;
	}
	return -1;
}

static const char *const source_dirs[] = { "src", "examples", "tests", "benches" };
#define NR_SOURCE_DIRS	(sizeof(source_dirs) / sizeof(source_dirs[0]))

static bool is_source_dir(const struct parts *p, unsigned int i)
{
	for (size_t d = 0; d < NR_SOURCE_DIRS; d++)
		if (is(p, i, source_dirs[d]))
			return true;
	return false;
}

/*
 * Index of the component, @from or later, that names the crate: the one above the
 * source directory, or NAME-HASH in what a build script wrote (build/NAME-HASH/out/).
 */
static unsigned int find_crate(const struct parts *p, unsigned int from)
{
	for (unsigned int i = from; i + 3 < p->nr; i++)
		if (is(p, i, "build") && is(p, i + 2, "out"))
			return i + 1;
	for (size_t d = 0; d < NR_SOURCE_DIRS; d++) {
		int at = find_last(p, source_dirs[d], from);

		if (at > 0)
			return (unsigned int)at - 1;
		if (is(p, from, source_dirs[d]))
			return from;
	}
	return !from && p->absolute && p->nr > 2 ? p->nr - 2 : from;
}

/*
 * Index where the crate begins in one of cargo's git checkouts, NAME-HASH/COMMIT/…,
 * whose first component is @at. *@name is set if no component from there on is the
 * crate's name.
 */
static unsigned int find_in_checkout(const struct parts *p, unsigned int at, struct part *name)
{
	unsigned int from = find_crate(p, at + 2);
	const char *dash;

	if (from == at + 2 && (is_source_dir(p, from) || from + 1 == p->nr)) {
		*name = p->part[at];
		dash = memrchr(name->s, '-', name->len);
		if (dash && dash > name->s)
			name->len = (size_t)(dash - name->s);
	}
	return from;
}

/* Appends component @part to @out. */
static void append(char *out, size_t *len, const struct part *part)
{
	int n = snprintf(out + *len, CRATE_PATH_MAX - *len, "%s%.*s", *len ? "/" : "",
			 (int)part->len, part->s);

	*len += n > 0 ? (size_t)n : 0;
	if (*len >= CRATE_PATH_MAX)
		*len = CRATE_PATH_MAX - 1;
}

static size_t length(const struct parts *p, unsigned int from)
{
	size_t len = 0;

	for (unsigned int i = from; i < p->nr; i++)
		len += p->part[i].len + 1;
	return len;
}

/*
 * Index of the component where the crate begins; *@name is set if that component is not
 * the crate's name.
 */
static unsigned int find(const struct parts *p, struct part *name)
{
	int at;

	if ((at = find_pair(p, "registry", "src", 1)) >= 0)
		return (unsigned int)at + 3;	/* …/INDEX/NAME-VERSION/ */
	if ((at = find_pair(p, "git", "checkouts", 2)) >= 0)
		return find_in_checkout(p, (unsigned int)at + 2, name);
	if ((at = find_std(p)) >= 0)
		return (unsigned int)at;
	return find_crate(p, 0);
}

char *crate_path(const char *path, char out[CRATE_PATH_MAX])
{
	struct part name = { 0 };
	struct parts p;
	unsigned int from;
	size_t len = 0;

	parts__split(&p, path);
	out[0] = '\0';
	from = find(&p, &name);
	while (from + 1 < p.nr && length(&p, from) + name.len + 1 > CRATE_PATH_MAX)
		from++;
	if (name.len)
		append(out, &len, &name);
	for (; from < p.nr; from++)
		append(out, &len, &p.part[from]);
	return out;
}

bool crate_path__needed(const char *file)
{
	return !strcmp(file, "mod.rs") || !strcmp(file, "lib.rs");
}

bool crate_path__foreign(const char *path)
{
	struct parts p;

	parts__split(&p, path);
	return find_pair(&p, "registry", "src", 1) >= 0 ||
	       find_pair(&p, "git", "checkouts", 2) >= 0 || find_std(&p) >= 0;
}

bool crate_path__std(const char *path)
{
	struct parts p;

	parts__split(&p, path);
	return find_std(&p) >= 0;
}

bool crate_path__generated(const char *path)
{
	struct parts p;

	parts__split(&p, path);
	for (unsigned int i = 0; i + 3 < p.nr; i++)
		if (is(&p, i, "build") && is(&p, i + 2, "out"))
			return true;
	return false;
}
