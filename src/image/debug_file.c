// SPDX-License-Identifier: GPL-2.0
/*
 * Finds the DWARF of an executable: see debug_file.h. It must not know what the DWARF
 * contains, nor what Rust is.
 *
 * A file is used only if it is proved to belong to the executable: see debug_proof.h.
 */
#include "image/debug_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/debug_proof.h"
#include "image/debug_search.h"
#include "image/debug_split.h"
#include "image/debuginfod.h"
#include "image/die.h"
#include "image/elf_file.h"

#define DEBUG_DIR	"/usr/lib/debug"

struct debug_file {
	const struct binary	*b;
	struct debug_search	 search;
	struct elf_file		*main;		/* NULL: no DWARF */
	struct elf_file		*symbols;	/* the user's file, if it has only symbols */
	struct debug_split	 split;		/* uses the user's file if it is a package */
};

/* ---- the main file -------------------------------------------------------- */

static const char *load(struct debug_file *df, struct elf_file *f)
{
	const char *why = elf_file__load(f, false, &df->search.unpack);

	if (f->err)
		df->search.err = f->err;
	return why;
}

/* Tries the file that the user named, which may be a package or contain symbols only. */
static int try_named(struct debug_file *df, const char *name, const char **why)
{
	struct elf_file *f = NULL;
	GElf_Ehdr eh;
	int err;

	err = elf_file__open(&f, "", name, why);
	if (err)
		return err;
	err = -ENOEXEC;
	/* a package: its units belong to the program by their ids */
	if (elf_file__is_package(f)) {
		df->split.package = f;
		return 0;
	}
	if (gelf_getehdr(f->elf, &eh) && eh.e_type == ET_REL) {
		*why = "it is an object file: name the debug file of the linked program";
		goto fail;
	}
	err = debug_proof__check(df->b, f, false, why);
	if (err)
		goto fail;
	err = -ENOEXEC;
	*why = load(df, f);
	if (!*why) {
		df->main = f;
		*why = "";
		return 0;
	}
	if (f->err)
		err = f->err;
	if (f->err || f->torn || f->secs.info.n || !elf__lists(f->elf, ".symtab"))
		goto fail;
	debug_search__note(&df->search, "%s: %s: only its symbols are used", f->path, *why);
	df->symbols = f;
	*why = "";
	return 0;
fail:
	elf_file__free(f);
	return err;
}

static int try_self(struct debug_file *df)
{
	struct elf_file *f;
	const char *why;
	int err = elf_file__of_binary(&f, df->b);

	if (err)
		return err;
	why = load(df, f);
	if (!why) {
		df->main = f;
		return 0;
	}
	if (f->torn || elf__lists(f->elf, ".debug_info"))
		debug_search__note(&df->search, "%s: %s", f->path,
				   elf__lists(f->elf, ".debug_info") ? why :
				   "its section headers lie outside the file: the file is torn");
	elf_file__free(f);
	return 0;
}

/* NULL, or the reason why @f does not belong to the program. */
static const char *proof(struct debug_file *df, const struct elf_file *f, bool vouched)
{
	const char *why;
	int err = debug_proof__check(df->b, f, vouched, &why);

	if (err == -ENOMEM)
		df->search.err = err;
	return err ? why : NULL;
}

/* Uses @f, or notes why not. */
static void settle(struct debug_file *df, struct elf_file *f, const char *why)
{
	if (!why)
		why = load(df, f);
	if (!why) {
		df->main = f;
		return;
	}
	debug_search__note(&df->search, "the debug file %s is not used: %s", f->path, why);
	elf_file__free(f);
}

/* Opens a debug file at a guessed path. It is no error if the file does not exist. */
static struct elf_file *guess(struct debug_file *df, const char *root, const char *name)
{
	struct elf_file *f = NULL;
	const char *why;
	int err = elf_file__open(&f, root, name, &why);

	if (err == -ENOMEM)
		df->search.err = err;
	else if (err && err != -ENOENT)
		debug_search__note(&df->search, "the debug file %s%s is not used: %s", root, name,
				   why);
	return f;
}

static void try_build_id(struct debug_file *df)
{
	const char *id = df->b->build_id;
	char name[sizeof(DEBUG_DIR) + sizeof(df->b->build_id) + 32];

	if (strlen(id) < 3)
		return;
	snprintf(name, sizeof(name), DEBUG_DIR "/.build-id/%.2s/%s.debug", id, id + 2);
	for (size_t i = 0; i < df->search.nr_roots && !df->main; i++) {
		struct elf_file *f = guess(df, df->search.roots[i], name);

		if (f)
			settle(df, f, proof(df, f, false));
	}
}

static bool crc_of(struct debug_file *df, const struct elf_file *f, uint32_t *out)
{
	int err = elf_file__crc(f, out);

	if (err == -ENOMEM)
		df->search.err = err;
	return !err;
}

static void try_link_at(struct debug_file *df, const struct place *at, const char *before,
			const char *between, const char *link, uint32_t crc)
{
	struct elf_file *f;
	const char *why;
	uint32_t have;
	char *name;

	if (df->main)
		return;
	if (asprintf(&name, "%s%.*s%s/%s", before, at->dir_len, at->exe, between, link) < 0) {
		df->search.err = -ENOMEM;
		return;
	}
	f = guess(df, at->root, name);
	free(name);
	if (!f)
		return;
	if (debug_proof__ids_clash(df->b, f))
		why = ELF_FILE_OTHER_BUILD;
	else if (!crc_of(df, f, &have))
		why = ELF_FILE_TORN;
	else if (have != crc)
		why = "its checksum is not the one in the program's .gnu_debuglink: "
		      "it is torn, or was changed";
	else
		why = proof(df, f, true);
	settle(df, f, why);
}

static void try_debuglink(struct debug_file *df)
{
	struct debug_sec sec;
	const char *link;
	size_t at;

	int err = elf__section(df->b->elf, ".gnu_debuglink", &sec);

	if (err == -ENOMEM)
		df->search.err = err;
	if (err)
		return;
	/* contents: a name, NUL, up to three bytes of padding, a checksum */
	link = (const char *)sec.p;
	at = (strnlen(link, sec.n) + 4) & ~(size_t)3;
	if (at > sec.n || sec.n - at < 4 || !*link || strchr(link, '/') ||
	    strlen(link) > NAME_MAX) {
		debug_search__note(&df->search, "%s: its .gnu_debuglink is nonsense", df->b->path);
		return;
	}
	for (size_t i = 0; i < df->search.nr_places && !df->main; i++) {
		const struct place *p = &df->search.places[i];
		uint32_t crc = (uint32_t)read_le(sec.p + at, 4);

		try_link_at(df, p, "", "", link, crc);
		try_link_at(df, p, "", "/.debug", link, crc);
		if (p->exe[0] == '/')
			try_link_at(df, p, DEBUG_DIR, "", link, crc);
	}
}

static void try_debuginfod(struct debug_file *df)
{
	struct debug_search *s = &df->search;
	struct elf_file *f = NULL;
	char path[PATH_MAX];
	const char *why;
	int err;

	err = debuginfod__fetch(df->b->build_id, s->progress, s->ctx, path);
	if (err == -ENOENT)
		return;
	if (err == -ETIMEDOUT)
		debug_search__note(s, "debuginfod sent nothing for %d s: unset DEBUGINFOD_URLS, "
				   "or set DEBUGINFOD_TIMEOUT to wait longer",
				   debuginfod__timeout());
	else if (err)
		debug_search__note(s, "debuginfod failed: %s", strerror(-err));
	if (err)
		return;
	err = elf_file__open(&f, "", path, &why);
	if (err == -ENOMEM)
		s->err = err;
	else if (err)
		debug_search__note(s, "the debug file %s is not used: %s", path, why);
	else
		settle(df, f, proof(df, f, false));
}

/* ---- the whole ------------------------------------------------------------ */

int debug_file__open(struct debug_file **out, const struct binary *b,
		     const struct image_opts *opts, const char **why)
{
	static _Thread_local char text[PATH_MAX + 256];
	struct debug_file *df = calloc(1, sizeof(*df));
	int err = -ENOMEM;

	*out = NULL;
	*why = ELF_FILE_OUT_OF_MEMORY;
	if (!df)
		return err;
	df->b = b;
	err = debug_search__init(&df->search, b->path, opts);
	if (err)
		goto fail;
	if (opts->debug_file) {
		err = try_named(df, opts->debug_file, why);
		if (err) {
			snprintf(text, sizeof(text), "its debug file %s cannot be used: %s",
				 opts->debug_file, *why);
			*why = text;
			goto fail;
		}
	}
	if (!df->main)
		err = try_self(df);
	if (!err && !df->main)
		try_build_id(df);
	if (!err && !df->main)
		try_debuglink(df);
	if (!err && !df->main && opts->debuginfod)
		try_debuginfod(df);
	if (!err)
		err = df->search.err;
	if (err) {
		*why = ELF_FILE_OUT_OF_MEMORY;
		goto fail;
	}
	*why = "";
	*out = df;
	return 0;
fail:
	debug_file__free(df);
	return err;
}

void debug_file__free(struct debug_file *df)
{
	if (!df)
		return;
	elf_file__free(df->main);
	elf_file__free(df->symbols);
	debug_split__free(&df->split);
	debug_search__free(&df->search);
	free(df);
}

int debug_file__load(struct debug_file *df, struct debug_info *di, bool *torn)
{
	struct debug_search *s = &df->search;
	struct elf_file *f = df->main;
	int err;

	*torn = false;
	if (!f) {
		if (df->split.package)
			debug_search__note(s, "the package %s is not used: the program has lost "
					   "its own part of the DWARF (strip)",
					   df->split.package->path);
		return s->err;
	}
	err = debug_info__add(di, &f->secs, torn);
	if (err)
		return err;
	if (f->torn)
		*torn = true;
	if (*torn)
		debug_search__note(s, "%s: its DWARF is torn: what follows the damage is missing",
				   f->path);
	if (elf__lists(f->elf, ".gnu_debugaltlink") || elf__lists(f->elf, ".debug_sup"))
		debug_search__note(s, "%s: part of its DWARF is in another file (dwz), which is "
				   "not read: names may be missing", f->path);
	err = debug_split__load(&df->split, s, f, di, torn);
	debug_info__sort(di);
	return err ? err : s->err;
}

int debug_file__check(const struct debug_file *df)
{
	int err = df->main ? elf_file__check(df->main) : 0;

	return err || !df->symbols ? err : elf_file__check(df->symbols);
}

const char *debug_file__path(const struct debug_file *df)
{
	return df->main ? df->main->path : "";
}

Elf *debug_file__symbols(const struct debug_file *df)
{
	if (elf__lists(df->b->elf, ".symtab"))
		return df->b->elf;
	if (df->main && elf__lists(df->main->elf, ".symtab"))
		return df->main->elf;
	return df->symbols ? df->symbols->elf : df->b->elf;
}

const char *const *debug_file__notes(const struct debug_file *df, size_t *nr)
{
	*nr = df->search.nr_notes;
	return (const char *const *)df->search.notes;
}
