// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a search for debug information: see debug_search.h. It must not know the
 * files that are searched for.
 */
#include "image/debug_search.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "base/array.h"
#include "image/elf_file.h"

/*
 * Does the target have another root directory or other mounts than this process? @proc
 * begins with "/proc/PID".
 */
static bool other_root(const char *proc, size_t proc_len)
{
	char path[64], link[16];
	struct stat theirs, ours;
	ssize_t n;

	snprintf(path, sizeof(path), "%.*s/ns/mnt", (int)proc_len, proc);
	if (stat(path, &theirs) || stat("/proc/self/ns/mnt", &ours))
		return false;
	if (theirs.st_ino != ours.st_ino || theirs.st_dev != ours.st_dev)
		return true;
	snprintf(path, sizeof(path), "%.*s/root", (int)proc_len, proc);
	n = readlink(path, link, sizeof(link));
	return n > 0 && (n != 1 || link[0] != '/');
}

/* The length of "/proc/PID" if @path is "/proc/PID/exe", else 0. */
static size_t proc_exe(const char *path)
{
	size_t n = strlen("/proc/"), len = strlen(path);

	if (strncmp(path, "/proc/", n) || len < n + 5 || len > 40 || strcmp(path + len - 4, "/exe"))
		return 0;
	len -= 4;
	if (strncmp(path + n, "self/", 5) && strspn(path + n, "0123456789") != len - n)
		return 0;
	return len;
}

static int add_place(struct debug_search *s, const char *root, const char *exe)
{
	struct place *p = &s->places[s->nr_places];
	const char *slash = strrchr(exe, '/');

	if (asprintf(&p->exe, "%s%s", slash ? "" : "./", exe) < 0)
		return -ENOMEM;
	p->root = root;
	p->dir_len = (int)(strrchr(p->exe, '/') - p->exe);
	s->nr_places++;
	return 0;
}

/*
 * The executable's name inside the target's root directory. @link is its name as the
 * kernel tells this process. If /proc/PID/root, the root's own name, is a prefix of it,
 * the rest is the name inside.
 */
static const char *name_in_root(const char *target_root, const char *link)
{
	char root[PATH_MAX];
	ssize_t n = readlink(target_root, root, sizeof(root));
	bool own = n > 1 && n < (ssize_t)sizeof(root) && !strncmp(link, root, (size_t)n) &&
		   link[n] == '/';

	return own ? link + n : link;
}

/* Finds the names of the executable, and the root directory of each name. */
static int find_places(struct debug_search *s, const char *path)
{
	static const char deleted[] = " (deleted)";
	size_t proc_len = proc_exe(path);
	char link[PATH_MAX], *real, *end;
	int err = 0;
	ssize_t n;

	if (!proc_len) {
		s->roots[s->nr_roots++] = "";
		err = add_place(s, "", path);
		real = realpath(path, NULL);
		if (!err && real && strcmp(real, s->places[0].exe))
			err = add_place(s, "", real);
		free(real);
		return err;
	}
	if (asprintf(&s->target_root, "%.*s/root", (int)proc_len, path) < 0) {
		s->target_root = NULL;
		return -ENOMEM;
	}
	if (other_root(path, proc_len))
		s->roots[s->nr_roots++] = s->target_root;
	s->roots[s->nr_roots++] = "";
	n = readlink(path, link, sizeof(link));
	if (n <= 0 || n >= (ssize_t)sizeof(link) || link[0] != '/')
		return 0;
	link[n] = 0;
	/* " (deleted)": the kernel's mark if the file was replaced after the start */
	end = strrchr(link, '/');
	end = strlen(end) > strlen(deleted) ? link + n - strlen(deleted) : NULL;
	if (end && !strcmp(end, deleted))
		*end = 0;
	for (size_t i = 0; !err && i < s->nr_roots; i++) {
		const char *root = s->roots[i];

		err = add_place(s, root,
				root == s->target_root ? name_in_root(root, link) : link);
	}
	return err;
}

int debug_search__init(struct debug_search *s, const char *path, const struct image_opts *opts)
{
	s->progress = opts->progress;
	s->ctx = opts->ctx;
	s->unpack = UNPACK_FREE;
	return find_places(s, path);
}

void debug_search__free(struct debug_search *s)
{
	for (size_t i = 0; i < s->nr_notes; i++)
		free(s->notes[i]);
	for (size_t i = 0; i < s->nr_places; i++)
		free(s->places[i].exe);
	free(s->notes);
	free(s->target_root);
}

void debug_search__note(struct debug_search *s, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		s->err = -ENOMEM;
		return;
	}
	/* the names in it may contain control characters */
	utf8__make_printable(text);
	if (array__room(&s->notes, &s->cap_notes, s->nr_notes, sizeof(*s->notes))) {
		free(text);
		s->err = -ENOMEM;
		return;
	}
	s->notes[s->nr_notes++] = text;
}
