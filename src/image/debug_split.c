// SPDX-License-Identifier: GPL-2.0
/*
 * Units of split DWARF: see debug_split.h. It must not know what an entry means, except
 * for the split of a unit, nor what Rust is.
 *
 * A file is used only if it is proved to belong to the program: a unit must have the
 * dwo_id of a skeleton.
 */
#include "image/debug_split.h"

#include <dwarf.h>
#include <errno.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bisect.h"

static const char read_already[] = "it was read already, and does not have the unit";

/* A unit of the main file whose entries are in another file. */
struct skeleton {
	struct unit	*u;
	bool		 found;
};

/* A file that has been opened already, whatever its name. */
struct seen {
	dev_t	dev;
	ino_t	ino;
};

struct split_loader {
	struct debug_split	*sp;
	struct debug_search	*search;
	const struct elf_file	*main;
	struct debug_info	*di;
	struct skeleton		*skeletons;	/* by dwo_id */
	size_t			 nr, cap, found, nr_torn;
	char			*first_torn;
	void			*seen;		/* tree of struct seen */
};

/* ---- pairing -------------------------------------------------------------- */

static int seen__cmp(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static int skeleton__cmp(const void *a, const void *b)
{
	const struct unit *x = ((const struct skeleton *)a)->u;
	const struct unit *y = ((const struct skeleton *)b)->u;

	if (x->dwo_id != y->dwo_id)
		return x->dwo_id < y->dwo_id ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* The first skeleton with this id; NULL: none. */
static struct skeleton *skeleton__find(const struct split_loader *l, uint64_t dwo_id)
{
	size_t lo = BISECT(l->nr, k, l->skeletons[k].u->dwo_id < dwo_id);
	return lo < l->nr && l->skeletons[lo].u->dwo_id == dwo_id ? &l->skeletons[lo] : NULL;
}

static int loader__skeletons(struct split_loader *l)
{
	for (size_t i = 0; i < l->di->nr_units; i++) {
		struct unit *u = l->di->units[i];

		if (u->secs != &l->main->secs || !u->dwo_id || !u->dwo_name || !*u->dwo_name)
			continue;
		if (array__room(&l->skeletons, &l->cap, l->nr, sizeof(*l->skeletons)))
			return -ENOMEM;
		l->skeletons[l->nr++] = (struct skeleton){ .u = u };
	}
	if (l->nr)
		qsort(l->skeletons, l->nr, sizeof(*l->skeletons), skeleton__cmp);
	return 0;
}

/* Pairs units with their skeletons; returns the number of pairs. */
static size_t loader__pair(struct split_loader *l, const struct debug_info *units)
{
	size_t paired = 0;

	for (size_t i = 0; i < units->nr_units; i++) {
		struct unit *u = units->units[i];
		struct skeleton *s = u->dwo_id ? skeleton__find(l, u->dwo_id) : NULL;

		if (!s || s->found)
			continue;
		u->skeleton = s->u;
		paired++;
		/* an object that was linked twice has two skeletons and one unit */
		for (; s < l->skeletons + l->nr && s->u->dwo_id == u->dwo_id; s++) {
			s->found = true;
			l->found++;
		}
	}
	return paired;
}

/*
 * Moves the units that belong to the program from @from to the loader. A unit without a
 * skeleton is from another build, so its layouts would be wrong.
 */
static int loader__move(struct split_loader *l, struct debug_info *from)
{
	struct debug_info *to = l->di;

	for (size_t i = 0; i < from->nr_tables; i++) {
		if (array__room(&to->tables, &to->cap_tables, to->nr_tables, sizeof(*to->tables)))
			return -ENOMEM;
		to->tables[to->nr_tables++] = from->tables[i];
		from->tables[i] = NULL;
	}
	for (size_t i = 0; i < from->nr_units; i++) {
		struct unit *u = from->units[i];

		if (!u->skeleton && u->type != DW_UT_split_type)
			continue;
		if (array__room(&to->units, &to->cap_units, to->nr_units, sizeof(*to->units)))
			return -ENOMEM;
		to->units[to->nr_units++] = u;
		from->units[i] = NULL;
	}
	return 0;
}

/* Adds the units of @f, which is kept or freed. *@why is set if no unit is the program's. */
static int loader__add(struct split_loader *l, struct elf_file *f, const char **why)
{
	struct debug_split *sp = l->sp;
	struct debug_info units = {};
	struct seen *seen, **known;
	bool torn = false;
	int err = -ENOMEM;

	/* one file with many names must not be loaded many times */
	seen = malloc(sizeof(*seen));
	if (!seen)
		goto out;
	*seen = (struct seen){ f->dev, f->ino };
	known = tsearch(seen, &l->seen, seen__cmp);
	if (!known) {
		free(seen);
		goto out;
	}
	err = 0;
	if (*known != seen) {
		*why = read_already;
		free(seen);
		goto out;
	}
	*why = elf_file__load(f, true, &l->search->unpack);
	err = f->err;
	if (!err && elf_file__check(f)) {
		l->search->err = -EIO;
		*why = ELF_FILE_CHANGED;
	}
	if (*why)
		goto out;
	err = debug_info__add(&units, &f->secs, &torn);
	if (err)
		goto out;
	torn |= f->torn;
	if (!loader__pair(l, &units)) {
		*why = torn ? ELF_FILE_BAD_DWARF : ELF_FILE_OTHER_BUILD;
		goto out;
	}
	if (torn && !l->nr_torn++)
		l->first_torn = strdup(f->path);
	err = array__room(&sp->files, &sp->cap, sp->nr, sizeof(*sp->files));
	if (!err)
		err = loader__move(l, &units);
	if (err)
		goto out;
	elf_file__detach(f);
	sp->files[sp->nr++] = f;
	f = NULL;
out:
	debug_info__free(&units);
	elf_file__free(f);
	return err;
}

/* ---- searching ------------------------------------------------------------ */

/* Concatenates the first @n bytes of @a (-1: all), @b and @c. NULL: no memory. */
static char *join(const char *a, int n, const char *b, const char *c)
{
	char *text;

	return asprintf(&text, "%.*s%s%s", n, a, b, c) < 0 ? NULL : text;
}

/* Tries @path as a package, and frees it. It is no error if it does not exist. */
static int loader__package(struct split_loader *l, const char *root, char *path)
{
	struct elf_file *f = NULL;
	const char *why = NULL;
	int err;

	if (!path)
		return -ENOMEM;
	err = elf_file__open(&f, root, path, &why);
	if (!err)
		err = loader__add(l, f, &why);
	if (err != -ENOENT && err != -ENOMEM && why && why != read_already && l->found < l->nr)
		debug_search__note(l->search, "the package %s%s is not used: %s", root, path, why);
	free(path);
	return err == -ENOMEM ? err : 0;
}

/* Loads the package that the user named. */
static int loader__named(struct split_loader *l)
{
	struct elf_file *f = l->sp->package;
	const char *why = NULL;
	char *path;
	int err;

	if (!f)
		return 0;
	path = strdup(f->path);
	if (!path)
		return -ENOMEM;
	l->sp->package = NULL;
	err = loader__add(l, f, &why);
	if (!err && why)
		debug_search__note(l->search, "the package %s is not used: %s", path, why);
	free(path);
	return err;
}

static int loader__packages(struct split_loader *l)
{
	const struct debug_search *s = l->search;
	const char *name = elf_file__name(l->main), *root = l->main->root;
	int len = (int)strlen(name), err = loader__named(l);

	for (size_t i = 0; !err && i < s->nr_places; i++)
		err = loader__package(l, s->places[i].root,
				      join("", 0, s->places[i].exe, ".dwp"));
	if (err || l->main->borrowed)
		return err;
	err = loader__package(l, root, join("", 0, name, ".dwp"));
	if (!err && len > 6 && !strcmp(name + len - 6, ".debug"))
		err = loader__package(l, root, join(name, len - 6, ".dwp", ""));
	return err;
}

/*
 * Tries one name of a skeleton's file; frees @path. 1: it was the right file. *@why is
 * set to what is wrong with the first file that exists.
 */
static int loader__try(struct split_loader *l, const struct skeleton *s, const char *root,
		       char *path, const char **why)
{
	struct elf_file *f = NULL;
	const char *wrong = NULL;
	int err;

	if (!path)
		return -ENOMEM;
	err = elf_file__open(&f, root, path, &wrong);
	free(path);
	if (!err)
		err = loader__add(l, f, &wrong);
	if (err == -ENOMEM)
		return err;
	if (err != -ENOENT && wrong && !*why)
		*why = wrong;
	return s->found;
}

/* Searches for the file of one skeleton; *@why is set if it is not found. */
static int loader__single(struct split_loader *l, const struct skeleton *s, const char **why)
{
	const struct debug_search *search = l->search;
	const char *name = s->u->dwo_name, *dir = s->u->comp_dir, *base = strrchr(name, '/');
	int err = 0;

	*why = NULL;
	base = base ? base + 1 : name;
	if (!dir)
		dir = "";
	if (strnlen(dir, PATH_MAX) == PATH_MAX || strnlen(name, PATH_MAX) == PATH_MAX) {
		*why = "its name is too long";
		return 0;
	}
	/* in the directory where it was built */
	for (size_t i = 0; !err && i < search->nr_roots; i++) {
		if (name[0] == '/')
			err = loader__try(l, s, search->roots[i], join("", 0, name, ""), why);
		else if (dir[0] == '/')
			err = loader__try(l, s, search->roots[i], join(dir, -1, "/", name), why);
	}
	/* beside the program */
	for (size_t i = 0; !err && i < search->nr_places; i++) {
		const struct place *p = &search->places[i];

		if (name[0] != '/')
			err = loader__try(l, s, p->root, join(p->exe, p->dir_len, "/", name), why);
		if (!err && base != name)
			err = loader__try(l, s, p->root, join(p->exe, p->dir_len, "/", base), why);
	}
	return err < 0 ? err : 0;
}

static int loader__singles(struct split_loader *l)
{
	const char *why = NULL, *first_why = NULL;
	struct skeleton *first = NULL;
	struct debug_search *search = l->search;
	const char *dir, *name;
	int err;

	for (size_t i = 0; i < l->nr; i++) {
		struct skeleton *s = &l->skeletons[i];

		if (search->progress && i % 64 == 0)
			search->progress(search->ctx, "split debug files", i, l->nr);
		if (s->found)
			continue;
		err = loader__single(l, s, &why);
		if (err)
			return err;
		/* report a file that does not match rather than one that is missing */
		if (!s->found && (!first || (why && !first_why))) {
			first = s;
			first_why = why;
		}
	}
	if (l->found == l->nr)
		return 0;
	/* its unit may have been in a file that was read later */
	for (size_t i = 0; first->found; i++) {
		first = &l->skeletons[i];
		first_why = NULL;
	}
	name = first->u->dwo_name;
	dir = name[0] != '/' && first->u->comp_dir ? first->u->comp_dir : "";
	if (!first_why)
		first_why = "there is no such file: keep the .dwo files of the build, or put a "
			    "package (.dwp) beside the program";
	debug_search__note(search,
			   "%zu of %zu split units not found, among them %.512s%s%.512s: %s",
			   l->nr - l->found, l->nr, dir, *dir ? "/" : "", name, first_why);
	return 0;
}

int debug_split__load(struct debug_split *sp, struct debug_search *search,
		      const struct elf_file *main, struct debug_info *di, bool *torn)
{
	struct split_loader l = { .sp = sp, .search = search, .main = main, .di = di };
	int err;

	err = loader__skeletons(&l);
	if (!err && l.nr)
		err = loader__packages(&l);
	if (!err && l.nr)
		err = loader__singles(&l);
	if (l.nr_torn)
		debug_search__note(search,
				   "%zu of the files with split DWARF are torn, the first is %s",
				   l.nr_torn, l.first_torn ? l.first_torn : "not named");
	if (!err && !l.nr && sp->package)
		debug_search__note(search,
				   "the package %s is not used: the DWARF of %s is not split",
				   sp->package->path, main->path);
	if (l.nr_torn || l.found < l.nr)
		*torn = true;
	tdestroy(l.seen, free);
	free(l.first_torn);
	free(l.skeletons);
	return err;
}

void debug_split__free(struct debug_split *sp)
{
	for (size_t i = 0; i < sp->nr; i++)
		elf_file__free(sp->files[i]);
	free(sp->files);
	elf_file__free(sp->package);
}
