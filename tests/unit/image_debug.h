/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs of two units for tests of where DWARF is found: built by gcc in a
 * folder of the test's own, their debug files moved, swapped, torn and made
 * hostile; and what was found of them.
 */
#ifndef DWELL_TEST_IMAGE_DEBUG_H
#define DWELL_TEST_IMAGE_DEBUG_H

#include <stdbool.h>

#include "image/debug_file.h"
#include "image/die.h"
#include "image/lines.h"
#include "image_program.h"

static bool have_gcc, have_objcopy, have_dwp, have_llvm_dwp;

#define in_dir(fmt, ...)	sh("cd %s && " fmt, program_dir, ##__VA_ARGS__)

/* ---- programs ------------------------------------------------------------- */

/*
 * Two units; @answer makes another build of the same program. A member's name
 * has it too: the id of a split unit is a sum over its entries, not its code.
 */
static void sources(int answer)
{
	char text[512];
	int n;

	n = snprintf(text, sizeof(text),
		     "struct question { long text; int words%d; } asked;\n"
		     "__attribute__((noinline)) int the_answer(int x)\n"
		     "{\n\treturn x + %d + asked.words%d;\n}\n", answer, answer, answer);
	write_file(at("answer.c"), text, (size_t)n);
	n = snprintf(text, sizeof(text),
		     "#include <unistd.h>\n"
		     "int the_answer(int x);\n"
		     "int want%d;\n"
		     "int the_main_thing(void)\n"
		     "{\n\treturn the_answer(1) != %d;\n}\n"
		     "int main(int argc, char **argv)\n"
		     "{\n\t(void)argv;\n\tif (argc > 1)\n\t\tpause();\n"
		     "\treturn the_main_thing();\n}\n", answer, answer + 1);
	write_file(at("main.c"), text, (size_t)n);
}

static void build(const char *flags, const char *out)
{
	if (!have_gcc)
		skip();
	in_dir("gcc -O1 -Wl,--build-id=sha1 %s answer.c main.c -o %s", flags, out);
}

/* @name becomes stripped, its DWARF goes to @name.debug, linked by .gnu_debuglink. */
static void separate(const char *name)
{
	if (!have_objcopy)
		skip();
	in_dir("objcopy --only-keep-debug %s %s.debug && strip %s && "
	       "objcopy --add-gnu-debuglink=%s.debug %s", name, name, name, name, name);
}

/* A program with what was found about it. */
struct found {
	struct binary		b;
	struct debug_file	*df;
	struct debug_info	di;
	bool			torn;
};

static __attribute__((unused)) void find(struct found *f, const char *path,
					 const struct image_opts *opts)
{
	static const struct image_opts none;
	const char *why;
	int err;

	memset(f, 0, sizeof(*f));
	err = binary__open(&f->b, path, &why);
	if (err)
		fail_msg("%s: %s", path, why);
	err = debug_file__open(&f->df, &f->b, opts ? opts : &none, &why);
	if (err)
		fail_msg("%s: %d (%s)", path, err, why);
	assert_string_equal(why, "");
	assert_int_equal(binary__load_symbols(&f->b, debug_file__symbols(f->df)), 0);
	assert_int_equal(debug_file__load(f->df, &f->di, &f->torn), 0);
}

static __attribute__((unused)) void done(struct found *f)
{
	debug_info__free(&f->di);
	debug_file__free(f->df);
	binary__close(&f->b);
}

static const char *a_note(const struct found *f, const char *part)
{
	const char *const *notes;
	size_t nr;

	notes = debug_file__notes(f->df, &nr);
	for (size_t i = 0; i < nr; i++)
		if (strstr(notes[i], part))
			return notes[i];
	return NULL;
}

static __attribute__((unused)) void assert_noted(const struct found *f, const char *part)
{
	const char *const *notes;
	size_t nr;

	if (a_note(f, part))
		return;
	notes = debug_file__notes(f->df, &nr);
	for (size_t i = 0; i < nr; i++)
		print_error("note: %s\n", notes[i]);
	fail_msg("no note says '%s'", part);
}

static __attribute__((unused)) void assert_nr_notes(const struct found *f, size_t want)
{
	const char *const *notes;
	size_t nr;

	notes = debug_file__notes(f->df, &nr);
	for (size_t i = 0; nr != want && i < nr; i++)
		print_error("note: %s\n", notes[i]);
	assert_int_equal(nr, want);
}

static bool subprogram(struct debug_info *di, const char *name, struct die *out)
{
	for (size_t i = 0; i < di->nr_units; i++) {
		struct die root;
		bool more = die__root(di->units[i], &root) && die__child(&root, out);

		for (; more; more = die__next(di, out, out)) {
			const char *s = die__str(out, DW_AT_name);

			if (out->ab->tag == DW_TAG_subprogram && s && !strcmp(s, name) &&
			    !die__flag(out, DW_AT_declaration))
				return true;
		}
	}
	return false;
}

static uint64_t symbol(const struct found *f, const char *name)
{
	for (size_t i = 0; i < f->b.nr_syms; i++)
		if (!strcmp(f->b.syms[i].name, name))
			return f->b.syms[i].vaddr;
	return 0;
}

/* Both units are there, with names, addresses that the symbols agree with, and lines. */
static __attribute__((unused)) void assert_whole(struct found *f)
{
	static const char *const names[] = { "the_answer", "the_main_thing" };
	static const char *const files[] = { "answer.c", "main.c" };
	struct line_files *lines = line_files__new();

	assert_non_null(lines);
	assert_false(f->torn);
	assert_int_not_equal(f->di.nr_units, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		uint64_t low_pc, file;
		const char *path;
		struct die d;

		if (!subprogram(&f->di, names[i], &d))
			fail_msg("%s was not found", names[i]);
		assert_true(die__addr(&d, DW_AT_low_pc, &low_pc));
		assert_int_not_equal(low_pc, 0);
		assert_int_equal(low_pc, symbol(f, names[i]));
		assert_ptr_equal(debug_info__unit_at(&f->di, d.p), d.u);

		assert_true(die__uint(&d, DW_AT_decl_file, &file));
		path = line_files__path(lines, d.u, file);
		assert_non_null(path);
		assert_string_equal(path, at("%s", files[i]));
	}
	line_files__free(lines);
}

static __attribute__((unused)) void assert_nothing(struct found *f)
{
	struct die d;

	assert_string_equal(debug_file__path(f->df), "");
	assert_non_null(debug_file__symbols(f->df));
	assert_int_equal(f->di.nr_units, 0);
	assert_false(subprogram(&f->di, "the_answer", &d));
}

/* ---- split DWARF ---------------------------------------------------------- */

static const char *const split_flags[] = { "-g -gdwarf-5 -gsplit-dwarf",
					   "-g -gdwarf-4 -gsplit-dwarf",
					   "-g -gdwarf-5 -gsplit-dwarf -gz" };

static __attribute__((unused)) size_t nr_split(const struct found *f)
{
	size_t nr = 0;

	for (size_t i = 0; i < f->di.nr_units; i++) {
		const struct unit *u = f->di.units[i];

		if (!u->secs->split)
			continue;
		assert_non_null(u->skeleton);
		assert_int_equal(u->skeleton->dwo_id, u->dwo_id);
		assert_false(u->skeleton->secs->split);
		nr++;
	}
	return nr;
}

/* ---- damage --------------------------------------------------------------- */

static uint64_t rnd_state = 88172645463325252ull;

static uint64_t rnd(void)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	return rnd_state ^= rnd_state << 17;
}

/* Look at everything that can be reached; the sanitizer sees the rest. */
static void touch(const char *exe, const char *debug)
{
	const struct image_opts opts = { .debug_file = debug };
	struct debug_info di = {};
	struct debug_file *df;
	const char *why;
	struct binary b;
	struct die d;
	bool torn;

	if (binary__open(&b, exe, &why))
		return;
	if (!debug_file__open(&df, &b, &opts, &why)) {
		assert_int_equal(binary__load_symbols(&b, debug_file__symbols(df)), 0);
		assert_int_equal(debug_file__load(df, &di, &torn), 0);
		subprogram(&di, "no such name", &d);
		for (size_t i = 0; i < b.nr_syms; i++)
			assert_non_null(memchr(b.syms[i].name, 0, 1 << 20));
		debug_info__free(&di);
		debug_file__free(df);
	} else {
		assert_true(*why);
	}
	binary__close(&b);
}

static __attribute__((unused)) void damage(const char *good, const char *bad, const char *exe,
					   const char *debug)
{
	size_t n;
	uint8_t *data = read_file(good, &n), *copy = malloc(n);

	assert_non_null(copy);
	for (int i = 0; i < 150; i++) {
		size_t size = i % 3 ? n : rnd() % n;

		memcpy(copy, data, n);
		for (int k = 0; k < i % 8; k++) {
			/* heads matter most: of the file, of its sections, of its units */
			size_t where = rnd() % 3 == 0 ? rnd() % 64 :
				       rnd() % 2 ? n - 1 - rnd() % (n / 8) : rnd() % n;

			copy[where] = rnd() % 2 ? (uint8_t)rnd() : 0xff;
		}
		write_file(bad, copy, size);
		touch(exe, debug);
	}
	free(copy);
	free(data);
}

/* ---- frame ---------------------------------------------------------------- */

static bool have(const char *tool)
{
	char cmd[64];

	snprintf(cmd, sizeof(cmd), "command -v %s >/dev/null", tool);
	return !system(cmd);
}

static int setup(void **state)
{
	if (program_setup(state))
		return -1;
	sources(41);
	return 0;
}

static void find_tools(void)
{
	have_gcc = have("gcc");
	have_objcopy = have("objcopy") && have("strip");
	have_dwp = have("dwp");
	have_llvm_dwp = have("llvm-dwp");
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, program_teardown)

#endif /* DWELL_TEST_IMAGE_DEBUG_H */
