/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs for tests of the image model: built here, in a folder of the test's
 * own, or found among the workloads. And what the model says of them, as text.
 */
#ifndef DWELL_TEST_IMAGE_PROGRAM_H
#define DWELL_TEST_IMAGE_PROGRAM_H

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/image.h"

static char program_dir[64];

/* A path in the test's folder; eight are good at a time. */
static __attribute__((format(printf, 1, 2), unused)) const char *at(const char *fmt, ...)
{
	static char paths[8][PATH_MAX];
	static unsigned int turn;
	char *path = paths[turn++ % 8];
	va_list ap;
	int n = snprintf(path, PATH_MAX, "%s/", program_dir);

	va_start(ap, fmt);
	vsnprintf(path + n, PATH_MAX - (size_t)n, fmt, ap);
	va_end(ap);
	return path;
}

/* Run a command; what it prints goes to a file there. */
static __attribute__((format(printf, 1, 2), unused)) bool try_sh(const char *fmt, ...)
{
	char command[4096], whole[4400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	snprintf(whole, sizeof(whole), "{ %s; } >%s/log 2>&1", command, program_dir);
	return !system(whole);
}

#define sh(...) do {							\
	if (!try_sh(__VA_ARGS__))					\
		fail_msg("failed: " __VA_ARGS__);			\
} while (0)

static __attribute__((unused)) int program_setup(void **state)
{
	(void)state;
	strcpy(program_dir, "/tmp/dwell-image-XXXXXX");
	/* the machine's own servers must not take part */
	unsetenv("DEBUGINFOD_URLS");
	return mkdtemp(program_dir) ? 0 : -1;
}

static __attribute__((unused)) int program_teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", program_dir);
	return system(command);
}

static __attribute__((unused)) uint8_t *read_file(const char *path, size_t *n)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	uint8_t *data;

	if (!f)
		fail_msg("%s cannot be read", path);
	assert_int_equal(fstat(fileno(f), &st), 0);
	*n = (size_t)st.st_size;
	data = malloc(*n + 1);
	assert_non_null(data);
	assert_int_equal(fread(data, 1, *n, f), *n);
	fclose(f);
	return data;
}

static __attribute__((unused)) void write_file(const char *path, const void *data, size_t n)
{
	FILE *f = fopen(path, "we");

	if (!f)
		fail_msg("%s cannot be written", path);
	assert_int_equal(fwrite(data, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* The small program on what looks like tokio, as @name; false: no rustc, or not with @flags. */
static __attribute__((unused)) bool build_tokio(const char *flags, const char *name)
{
	char source[PATH_MAX];

	/* beside this file, which the compiler was given by a path from the checkout's top */
	snprintf(source, sizeof(source), "%s", __FILE__);
	*strrchr(source, '/') = 0;
	strcat(source, "/image_tokio.rs");
	if (access(source, R_OK))
		fail_msg("%s cannot be read: run the test in the top folder of the checkout",
			 source);
	return try_sh("PATH=$PATH:$HOME/.cargo/bin rustc --edition 2021 -g -C panic=abort "
		      "-C codegen-units=2 -C link-arg=-lc %s %s -o %s", flags, source, at("%s", name));
}

/* A workload's path if it is built. */
static __attribute__((unused)) bool find_workload(const char *name, char out[PATH_MAX])
{
	const char *build = getenv("DWELL_BUILD");

	snprintf(out, PATH_MAX, "%s/workloads/%s", build ? build : "build", name);
	return !access(out, R_OK);
}

/* What `dwell info' prints of it. Caller frees. Inlined, gcc takes &text for what is returned. */
static __attribute__((unused, noinline)) char *image_text(const struct image *img)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	image__print(img, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/*
 * Tables refer to one another by index, and whoever uses a model relies on it
 * that no index leads nowhere, however wrong the program's debug information.
 */
static __attribute__((unused)) void assert_consistent(const struct image *img)
{
	size_t nr_types, nr_variants, nr, nr_arcs, nr_leaves, nr_cells, nr_fns;
	const struct image_type *types = image__types(img, &nr_types);
	const struct image_variant *variants = image__variants(img, &nr_variants);
	const struct walk_type *wt = image__walk_types(img, &nr);
	const struct walk_variant *wv;
	const struct walk_arc *arcs;
	const struct walk_leaf *leaves;
	const struct walk_cell *cells;
	const struct image_fn *fns;
	const struct image_vtable *vtables;

	assert_int_equal(nr, nr_types);
	wv = image__walk_variants(img, &nr);
	assert_int_equal(nr, nr_variants);
	arcs = image__walk_arcs(img, &nr_arcs);
	leaves = image__walk_leaves(img, &nr_leaves);
	cells = image__cells(img, &nr_cells);
	fns = image__fns(img, &nr_fns);
	for (size_t i = 0; i < nr_types; i++) {
		unsigned int width = wt[i].disc_width;

		assert_true(types[i].kind <= IMAGE_TYPE_TRANSPARENT);
		assert_true(types[i].leaf_key <= WALK_KEY_OPERATION);
		assert_true(width <= 8 && !(width & (width - 1)));
		/* beyond all tasks: the layout is unknown */
		if (width && wt[i].disc_off != INT32_MAX)
			assert_true((uint64_t)wt[i].disc_off + width <= wt[i].size);
		assert_true(wt[i].leaf == WALK_NONE || wt[i].leaf < nr_leaves);
		assert_true((uint64_t)wt[i].first_variant + wt[i].nr_variants <= nr_variants);
		assert_true(wt[i].default_variant == WALK_NONE ||
			    wt[i].default_variant < nr_variants);
		if (types[i].kind == IMAGE_TYPE_LEAF && types[i].leaf_key)
			assert_true(wt[i].leaf != WALK_NONE);
	}
	for (size_t i = 0; i < nr_variants; i++) {
		assert_true(variants[i].type < nr_types);
		if (wv[i].nr_arcs == 1)
			assert_true(wv[i].arc_mode == WALK_ARC_DYN || wv[i].arc_type < nr_types);
		else if (wv[i].nr_arcs)
			assert_true((uint64_t)wv[i].first_arc + wv[i].nr_arcs <= nr_arcs);
	}
	for (size_t i = 0; i < nr_arcs; i++) {
		assert_true(arcs[i].mode <= WALK_ARC_LIST);
		assert_true(arcs[i].mode == WALK_ARC_DYN || arcs[i].type < nr_types);
	}
	for (size_t i = 0; i < nr_leaves; i++) {
		assert_true(leaves[i].key && leaves[i].key <= WALK_KEY_OPERATION);
		assert_true(leaves[i].nr_hops < WALK_MAX_HOPS);
		assert_true(leaves[i].dir_width <= 8 && leaves[i].there_width <= 8);
	}
	for (size_t i = 0; i < nr_cells; i++) {
		assert_true(cells[i].root_type == WALK_NONE || cells[i].root_type < nr_types);
		assert_true(cells[i].window <= cells[i].size);
		assert_true(cells[i].stage_width <= 8);
		assert_true((uint64_t)cells[i].stage_off + cells[i].stage_width <= cells[i].size);
		assert_true(cells[i].future_off <= cells[i].size);
	}
	for (size_t i = 0; i < nr_fns; i++) {
		assert_true(fns[i].role < RUNTIME_FN_NR);
		assert_true(fns[i].cell == WALK_NONE || fns[i].cell < nr_cells);
		assert_true(fns[i].site.arg_reg < IMAGE_REG_NR);
		assert_true(fns[i].role != RUNTIME_FN_POLL || *image__str(img, fns[i].task));
	}
	vtables = image__vtables(img, &nr);
	for (size_t i = 0; i < nr; i++)
		assert_true(vtables[i].type < nr_types && vtables[i].vaddr);
}

#endif /* DWELL_TEST_IMAGE_PROGRAM_H */
