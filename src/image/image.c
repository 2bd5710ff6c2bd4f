// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the image model, from opening an executable to the finished tables: calls the
 * other files in order. See image.h. It must not know how any of them works.
 */
#include "image/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/awaits.h"
#include "image/binary.h"
#include "image/boundary.h"
#include "image/cache.h"
#include "image/contents.h"
#include "image/debug_file.h"
#include "image/elf_file.h"
#include "image/functions.h"
#include "image/layouts.h"
#include "image/futures.h"
#include "image/lines.h"
#include "image/model.h"
#include "image/names.h"
#include "image/returns.h"
#include "image/runtimes.h"
#include "image/scan.h"
#include "image/site.h"
#include "image/tls.h"
#include "image/types.h"
#include "image/vtables.h"
#include "image/wanted.h"

struct build {
	const struct image_opts	*opts;
	struct model		 m;
	struct debug_file	*file;
	struct debug_info	 di;
	struct scan		 sc;
	struct types		 ts;
	struct line_files	*lines;
	struct rust_names	*names;
	struct awaits		*awaits;
	struct futures		*futures;
	struct contents		*contents;
	struct functions	*functions;
};

static void scan_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct build *b = ctx;

	if (b->opts->progress)
		b->opts->progress(b->opts->ctx, "reading debug information", done, total);
}

/* rustc's version, from the section that remains in a stripped file. */
static image_str producer_of(struct model *m, const struct binary *b, const struct debug_info *di)
{
	struct debug_sec comment;
	int err;

	for (size_t i = 0; i < di->nr_units; i++)
		if (di->units[i]->lang == DW_LANG_Rust && di->units[i]->producer)
			return model__str(m, di->units[i]->producer);
	err = elf__section(b->elf, ".comment", &comment);
	if (err) {
		m->err = err == -ENOMEM ? err : m->err;
		return 0;
	}
	for (size_t at = 0; at < comment.n;) {
		const char *s = (const char *)comment.p + at;
		size_t len = strnlen(s, comment.n - at);

		if (memmem(s, len, "rustc", 5))
			return model__strn(m, s, len);
		at += len + 1;
	}
	return 0;
}

/* "/proc/PID/exe" means nothing to a reader or to a later run. */
static image_str debug_path_of(struct model *m, const char *path)
{
	char target[4096];
	ssize_t n = -1;

	if (!strncmp(path, "/proc/", 6))
		n = readlink(path, target, sizeof(target));
	return n > 0 && (size_t)n < sizeof(target) ? model__strn(m, target, (size_t)n) :
						     model__str(m, path);
}

static bool has_await_points(const struct model *m)
{
	for (size_t i = 0; i < m->tables[MODEL_CELLS].nr; i++) {
		const struct walk_cell *c = model__at(m, MODEL_CELLS, (uint32_t)i);

		if (c->root_type != WALK_NONE)
			return true;
	}
	return false;
}

static bool has_polls(const struct model *m)
{
	for (size_t i = 0; i < m->tables[MODEL_FNS].nr; i++)
		if (((struct image_fn *)model__at(m, MODEL_FNS, (uint32_t)i))->role ==
			    RUNTIME_FN_POLL ||
		    ((struct image_fn *)model__at(m, MODEL_FNS, (uint32_t)i))->role ==
			    RUNTIME_FN_ROOT)
			return true;
	return false;
}

/* Does the program spawn only blocking jobs? Debug information describes these completely. */
static bool has_jobs_only(const struct build *b)
{
	for (size_t i = 0; i < b->m.tables[MODEL_FNS].nr; i++) {
		const struct image_fn *fn = model__at(&b->m, MODEL_FNS, (uint32_t)i);

		if (fn->role == RUNTIME_FN_POLL && !fn->blocking)
			return false;
	}
	return b->sc.nr_types && has_polls(&b->m);
}

/* Why nothing of a program with all its symbols can be recorded. */
static const char *no_tasks(const struct model *m, char *out, size_t size)
{
	char others[256] = "";
	size_t at = 0;

	for (size_t i = 0; i < m->tables[MODEL_RUNTIMES].nr; i++) {
		const struct image_runtime *r = model__at(m, MODEL_RUNTIMES, (uint32_t)i);

		if (r->followed) {
			snprintf(out, size,
				 "it contains %s, but nothing that spawns a task, and dwell records "
				 "tasks",
				 model__text(m, r->name));
			return out;
		}
		if (at < sizeof(others))
			at += (size_t)snprintf(others + at, sizeof(others) - at, "%s%s",
					       at ? ", " : "", model__text(m, r->name));
	}
	if (!at)
		return "it contains no async runtime that dwell knows: Rust programs on tokio, smol "
		       "and async-std can be recorded";
	snprintf(out, size,
		 "its runtime is %s, which dwell does not record: programs on tokio, smol and "
		 "async-std can be recorded", others);
	return out;
}

static void choose_tier(struct build *b, const struct binary *bin)
{
	struct model *m = &b->m;
	char text[512];
	const char *hint;

	if (has_polls(m) && has_await_points(m)) {
		m->tier = IMAGE_TIER_FULL;
		hint = "await points with file and line";
	} else if (has_jobs_only(b)) {
		m->tier = IMAGE_TIER_FULL;
		hint = "it spawns blocking jobs only, which have no await points";
	} else if (has_polls(m)) {
		m->tier = IMAGE_TIER_SYMBOLS;
		hint = b->di.nr_units ?
			"task kinds only: the debug information has no types (debug = 1 or "
			"line tables only): build with debug = 2, or name a debug file with "
			"--debug-file" :
			"task kinds only: there is no debug information: build with debug = 2 "
			"and strip = false, or name a debug file with --debug-file";
	} else if (!bin->nr_syms) {
		m->tier = IMAGE_TIER_STRIPPED;
		hint = "it is stripped of its symbols, no async runtime can be found in it: build "
		       "with strip = false and debug = 2, or name a debug file with --debug-file";
	} else {
		m->tier = IMAGE_TIER_NONE;
		hint = no_tasks(m, text, sizeof(text));
	}
	m->hint = model__str(m, hint);
}

static int build__dwarf(struct build *b, bool *torn)
{
	unsigned int jobs = b->opts->jobs;
	int err;

	err = debug_file__load(b->file, &b->di, torn);
	if (err || !b->di.nr_units)
		return err;
	if (!jobs)
		jobs = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	err = scan__run(&b->sc, &b->di, wanted__names(), jobs, scan_progress, b);
	if (err)
		return err;
	*torn |= b->sc.torn;
	b->ts = (struct types){ .di = &b->di, .sc = &b->sc };
	b->lines = line_files__new();
	if (!b->lines)
		return -ENOMEM;
	b->names = rust_names__new(&b->ts);
	b->awaits = awaits__new(&b->ts, b->lines);
	if (!b->names || !b->awaits)
		return -ENOMEM;
	b->futures = futures__new(&b->m, &b->ts, b->names, b->awaits, b->lines);
	return b->futures ? 0 : -ENOMEM;
}

/*
 * Futures that are not awaited where they are found, and those in them, until there are no
 * new ones.
 */
static int explore(struct build *b)
{
	uint32_t searched = 0;
	int err;

	b->contents = contents__new(&b->m, &b->ts, b->futures, b->awaits);
	if (!b->contents)
		return -ENOMEM;
	err = futures__explore(b->futures);
	while (!err && searched < b->m.tables[MODEL_TYPES].nr) {
		err = contents__search(b->contents, &searched);
		if (!err)
			err = futures__explore(b->futures);
	}
	return err;
}

static int build__run(struct build *b, struct binary *bin, const char **why)
{
	const char *const *notes;
	bool torn = false;
	size_t nr;
	int err;

	err = debug_file__open(&b->file, bin, b->opts, why);
	if (err)
		return err;
	/* from here on, only lack of memory can cause failure */
	*why = "a file of its debug information was changed while it was read: try again";
	err = binary__load_symbols(bin, debug_file__symbols(b->file));
	if (!err)
		err = build__dwarf(b, &torn);
	if (err)
		return err;
	b->functions = functions__new(&b->m, bin, &b->ts, b->names, b->futures);
	if (!b->functions)
		return -ENOMEM;
	layouts__find(&b->m, b->futures ? &b->ts : NULL);
	err = tls__find(&b->m, bin, debug_file__symbols(b->file));
	if (err)
		return err;
	err = functions__find(b->functions);
	if (err < 0)
		return err;
	if (b->futures && has_polls(&b->m)) {
		vtables__add(&b->m, &b->ts, b->futures);
		err = explore(b);
		if (err)
			return err;
	}
	runtimes__find(&b->m, bin);
	functions__name_tasks(b->functions);
	functions__find_returns(b->functions);
	notes = debug_file__notes(b->file, &nr);
	for (size_t i = 0; i < nr; i++)
		model__note(&b->m, "%s", notes[i]);
	if (torn)
		model__note(&b->m, "parts of the debug information are damaged or missing: what "
			    "they describe is not known");
	b->m.torn |= torn;
	b->m.build_id = model__str(&b->m, bin->build_id);
	b->m.debug_path = debug_path_of(&b->m, debug_file__path(b->file));
	b->m.producer = producer_of(&b->m, bin, &b->di);
	choose_tier(b, bin);
	return b->m.err;
}

/*
 * Are the files still what was read? If not, neither the model nor the error applies to
 * any file.
 */
static int build__check(const struct build *b, const struct binary *bin, const char **why)
{
	int err = binary__check(bin);

	if (err) {
		*why = err == -EIO ? ELF_FILE_CHANGED : "it cannot be read";
		return err;
	}
	err = b->file ? debug_file__check(b->file) : 0;
	if (err)
		*why = "its debug file was changed while it was read: try again";
	return err;
}

static void build__free(struct build *b)
{
	functions__free(b->functions);
	contents__free(b->contents);
	futures__free(b->futures);
	awaits__free(b->awaits);
	rust_names__free(b->names);
	line_files__free(b->lines);
	scan__free(&b->sc);
	debug_info__free(&b->di);
	debug_file__free(b->file);
	model__free(&b->m);
}

int image__open(const char *path, const struct image_opts *opts, struct image **out,
		const char **why)
{
	static const struct image_opts defaults;
	struct build b = { .opts = opts ? opts : &defaults };
	struct model_block *block = NULL;
	struct binary bin;
	uint64_t key;
	int err;

	*out = NULL;
	*why = "";
	err = binary__open(&bin, path, why);
	if (err)
		return err;
	key = cache__key(&bin, b.opts);
	*out = cache__load(&bin, b.opts, key);
	if (*out)
		goto done;
	model__init(&b.m);
	names__no_memory();
	err = build__run(&b, &bin, why);
	if (!err && names__no_memory())
		err = -ENOMEM;
	if (!err)
		err = b.di.err ? b.di.err : line_files__err(b.lines);
	if (err != -ENOMEM) {
		int changed = build__check(&b, &bin, why);

		err = changed ? changed : err;
	}
	if (!err) {
		*why = "";
		block = model__freeze(&b.m, key);
		err = block ? 0 : -ENOMEM;
	}
	if (!err) {
		/* lower tiers are not cached: debug information may be installed later */
		if (key && block->tier == IMAGE_TIER_FULL && !block->torn)
			cache__store(&bin, b.opts, block);
		*out = image__adopt(block, block->size, false, path);
		err = *out ? 0 : -ENOMEM;
	}
	build__free(&b);
done:
	binary__close(&bin);
	if (err == -ENOMEM)
		*why = "out of memory";
	return err;
}

/* The executable of an image, opened again when its code is needed. */
static const struct binary *image__binary(const struct image *img)
{
	struct image *own = (struct image *)(uintptr_t)img;
	struct binary *b;
	const char *why;

	if (img->binary)
		return img->binary;
	b = calloc(1, sizeof(*b));
	if (!b)
		return NULL;
	if (binary__open(b, img->path, &why)) {
		free(b);
		return NULL;
	}
	own->binary = b;
	return b;
}

uint64_t image__first_vaddr(const struct image *img)
{
	const struct binary *b = image__binary(img);

	return b && b->nr_segs ? b->segs[0].vaddr & ~0xfffull : 0;
}

struct return_sites {
	struct image_return	*out;
	size_t			 nr, max;
};

static void add_return_site(void *ctx, const struct image_return *r)
{
	struct return_sites *rs = ctx;

	if (rs->nr < rs->max)
		rs->out[rs->nr++] = *r;
}

size_t image__return_sites(const struct image *img, uint64_t vaddr, struct image_return *out,
			   size_t max)
{
	const struct binary *b = image__binary(img);
	struct return_sites rs = { .out = out, .max = max };
	struct boundaries *bs;
	struct site_finder *f;

	if (!b)
		return 0;
	f = site_finder__new(b);
	bs = boundaries__new(b);
	if (f && bs)
		returns__of(f, bs, vaddr, add_return_site, &rs);
	boundaries__free(bs);
	site_finder__free(f);
	return rs.nr;
}
