// SPDX-License-Identifier: GPL-2.0
/*
 * Names of source files, from the headers of line-number programs (DWARF 2 to 5,
 * section 6.2.4 of each). See lines.h. It must not know what Rust is.
 */
#include "image/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define MAX_FILES	(1u << 20)	/* of one table; more is malformed */

struct entry {
	const char	*name;
	uint64_t	 dir;
	char		*path;		/* joined when first needed */
};

/* A table, which several units may share. */
struct table {
	const struct debug_secs	*secs;
	uint64_t		 off;
	const char		*comp_dir;
	int			 err;
	struct entry		*dirs, *files;
	size_t			 nr_dirs, cap_dirs, nr_files, cap_files;
	bool			 from_zero;	/* DWARF 5 numbers files from 0 */
};

struct line_files {
	struct table	**tables;
	size_t		  nr, cap;
	int		  err;
};

struct line_files *line_files__new(void)
{
	return calloc(1, sizeof(struct line_files));
}

static void table__free(struct table *t)
{
	for (size_t i = 0; i < t->nr_files; i++)
		free(t->files[i].path);
	free(t->dirs);
	free(t->files);
	free(t);
}

void line_files__free(struct line_files *lf)
{
	if (!lf)
		return;
	for (size_t i = 0; i < lf->nr; i++)
		table__free(lf->tables[i]);
	free(lf->tables);
	free(lf);
}

static bool add(struct table *t, struct entry **list, size_t *nr, size_t *cap, const char *name,
		uint64_t dir)
{
	if (*nr >= MAX_FILES)
		return false;
	if (array__room(list, cap, *nr, sizeof(**list))) {
		t->err = -ENOMEM;
		return false;
	}
	(*list)[(*nr)++] = (struct entry){ .name = name, .dir = dir };
	return true;
}

/* A string inside the table; NULL: it does not end there. */
static const char *inline_str(const uint8_t **p, const uint8_t *end)
{
	const char *s = (const char *)*p;
	const uint8_t *nul = *p < end ? memchr(*p, 0, (size_t)(end - *p)) : NULL;

	if (!nul)
		return NULL;
	*p = nul + 1;
	return s;
}

static bool table__parse_old(struct table *t, const uint8_t *p, const uint8_t *end)
{
	const char *s;

	/* number 0 is the compilation directory */
	if (!add(t, &t->dirs, &t->nr_dirs, &t->cap_dirs, NULL, 0))
		return false;
	while ((s = inline_str(&p, end)) && *s)
		if (!add(t, &t->dirs, &t->nr_dirs, &t->cap_dirs, s, 0))
			return false;
	while (s && (s = inline_str(&p, end)) && *s) {
		uint64_t dir, mtime, len;

		if (!read_uleb(&p, end, &dir) || !read_uleb(&p, end, &mtime) ||
		    !read_uleb(&p, end, &len) ||
		    !add(t, &t->files, &t->nr_files, &t->cap_files, s, dir))
			return false;
	}
	return s != NULL;
}

/* Parses a list of entries in DWARF 5's self-describing form. */
static bool table__parse_list(struct table *t, const struct unit *u, const uint8_t **pp,
			      struct entry **list, size_t *nr, size_t *cap)
{
	struct { uint64_t what, form; } format[16];
	const uint8_t *p = *pp;
	uint64_t count;
	unsigned int nr_formats;

	if (p >= u->end)
		return false;
	nr_formats = *p++;
	if (nr_formats > sizeof(format) / sizeof(format[0]))
		return false;
	for (unsigned int i = 0; i < nr_formats; i++)
		if (!read_uleb(&p, u->end, &format[i].what) ||
		    !read_uleb(&p, u->end, &format[i].form) || format[i].form > 0xffff)
			return false;
	if (!read_uleb(&p, u->end, &count) || count > MAX_FILES || (count && !nr_formats))
		return false;
	for (uint64_t k = 0; k < count; k++) {
		const char *name = NULL;
		uint64_t dir = 0;

		for (unsigned int i = 0; i < nr_formats; i++) {
			struct attr a;

			p = form__read(u, (unsigned int)format[i].form, 0, p, &a);
			if (!p)
				return false;
			if (format[i].what == DW_LNCT_path)
				name = attr__str(u, &a);
			else if (format[i].what == DW_LNCT_directory_index)
				dir = a.v;
		}
		if (!add(t, list, nr, cap, name, dir))
			return false;
	}
	*pp = p;
	return true;
}

static bool table__parse(struct table *t, const struct unit *unit)
{
	const struct debug_sec *sec = &t->secs->line;
	const uint8_t *p, *end;
	struct unit u = *unit;
	uint64_t len, version, header;
	unsigned int opcodes, fixed;

	if (t->off >= sec->n || sec->n - t->off < 4)
		return false;
	p = sec->p + t->off;
	end = sec->p + sec->n;
	len = read_le(p, 4);
	p += 4;
	u.off_size = 4;
	if (len == 0xffffffff) {
		if (end - p < 8)
			return false;
		len = read_le(p, 8);
		p += 8;
		u.off_size = 8;
	}
	if (len > (uint64_t)(end - p) || len < 8u + u.off_size)
		return false;
	u.end = end = p + len;
	version = read_le(p, 2);
	p += 2;
	if (version < 2 || version > 5)
		return false;
	u.version = (uint8_t)version;
	if (version >= 5) {
		u.addr_size = *p;
		p += 2;
	}
	header = read_le(p, u.off_size);
	p += u.off_size;
	if (header > (uint64_t)(end - p))
		return false;
	u.end = end = p + header;
	/* instruction length, [operations], default_is_stmt, line_base, line_range */
	fixed = version >= 4 ? 5 : 4;
	if (end - p <= fixed)
		return false;
	p += fixed;
	opcodes = *p++;
	if (!opcodes || opcodes - 1 > (uint64_t)(end - p))
		return false;
	p += opcodes - 1;
	t->from_zero = version >= 5;
	if (version < 5)
		return table__parse_old(t, p, end);
	return table__parse_list(t, &u, &p, &t->dirs, &t->nr_dirs, &t->cap_dirs) &&
	       table__parse_list(t, &u, &p, &t->files, &t->nr_files, &t->cap_files);
}

static struct table *line_files__table(struct line_files *lf, const struct unit *u)
{
	/* a split unit uses the table of its skeleton */
	const struct unit *main = u->skeleton ? u->skeleton : u;
	struct table *t;
	struct die root;
	uint64_t off;

	if (!die__root(main, &root) || !die__uint(&root, DW_AT_stmt_list, &off))
		return NULL;
	for (size_t i = 0; i < lf->nr; i++)
		if (lf->tables[i]->secs == main->secs && lf->tables[i]->off == off)
			return lf->tables[i];
	t = calloc(1, sizeof(*t));
	if (!t || array__room(&lf->tables, &lf->cap, lf->nr, sizeof(struct table *))) {
		free(t);
		lf->err = -ENOMEM;
		return NULL;
	}
	t->secs = main->secs;
	t->off = off;
	t->comp_dir = main->comp_dir;
	/* entries before a malformed one are valid */
	(void)table__parse(t, main);
	lf->err = lf->err ? lf->err : t->err;
	lf->tables[lf->nr++] = t;
	return t;
}

const char *line_files__path(struct line_files *lf, const struct unit *u, uint64_t index)
{
	struct table *t = line_files__table(lf, u);
	const char *dir = NULL;
	struct entry *e;

	if (!t)
		return NULL;
	if (!t->from_zero)
		index--;
	if (index >= t->nr_files)
		return NULL;
	e = &t->files[index];
	if (!e->name)
		return NULL;
	if (e->path)
		return e->path;
	if (e->dir < t->nr_dirs)
		dir = t->dirs[e->dir].name;
	if (!dir && !e->dir)
		dir = t->comp_dir;
	if (e->name[0] == '/' || !dir || !*dir)
		e->path = strdup(e->name);
	else if (dir[0] == '/' || !t->comp_dir || dir == t->comp_dir)
		e->path = asprintf(&e->path, "%s/%s", dir, e->name) < 0 ? NULL : e->path;
	else
		e->path = asprintf(&e->path, "%s/%s/%s", t->comp_dir, dir, e->name) < 0 ?
			  NULL : e->path;
	if (!e->path)
		lf->err = -ENOMEM;
	return e->path;
}

int line_files__err(const struct line_files *lf)
{
	return lf ? lf->err : 0;
}
