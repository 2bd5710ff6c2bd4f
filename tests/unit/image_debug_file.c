// SPDX-License-Identifier: GPL-2.0
/*
 * Where the DWARF of an executable is: programs built here by gcc, their debug
 * files moved, swapped, torn and made hostile.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/debug_file.h"

static char dir[64];
static bool have_gcc, have_objcopy, have_dwp, have_llvm_dwp;

/* ---- helpers -------------------------------------------------------------- */

static __attribute__((format(printf, 1, 2))) const char *at(const char *fmt, ...)
{
	static char paths[8][PATH_MAX];
	static unsigned int turn;
	char *path = paths[turn++ % 8];
	va_list ap;
	int n = snprintf(path, PATH_MAX, "%s/", dir);

	va_start(ap, fmt);
	vsnprintf(path + n, PATH_MAX - (size_t)n, fmt, ap);
	va_end(ap);
	return path;
}

/* Run a command in the test's directory. */
static __attribute__((format(printf, 1, 2))) int try_sh(const char *fmt, ...)
{
	char cmd[4096];
	va_list ap;
	int n = snprintf(cmd, sizeof(cmd), "cd %s && ", dir);

	va_start(ap, fmt);
	vsnprintf(cmd + n, sizeof(cmd) - (size_t)n, fmt, ap);
	va_end(ap);
	return system(cmd);
}

#define sh(...)	do {							\
	if (try_sh(__VA_ARGS__))					\
		fail_msg("failed: " __VA_ARGS__);			\
} while (0)

static void write_file(const char *path, const void *data, size_t n)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static uint8_t *read_file(const char *path, size_t *n)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	uint8_t *data;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	*n = (size_t)st.st_size;
	data = malloc(*n + 1);
	assert_non_null(data);
	assert_int_equal(fread(data, 1, *n, f), *n);
	fclose(f);
	return data;
}

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
	sh("gcc -O1 -Wl,--build-id=sha1 %s answer.c main.c -o %s", flags, out);
}

/* @name becomes stripped, its DWARF goes to @name.debug, linked by .gnu_debuglink. */
static void separate(const char *name)
{
	if (!have_objcopy)
		skip();
	sh("objcopy --only-keep-debug %s %s.debug && strip %s && "
	   "objcopy --add-gnu-debuglink=%s.debug %s", name, name, name, name, name);
}

/* A program with what was found about it. */
struct found {
	struct binary		b;
	struct debug_file	*df;
	struct debug_info	di;
	bool			torn;
};

static void find(struct found *f, const char *path, const struct image_opts *opts)
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
	assert_int_equal(debug_file__load(f->df, &f->di, &f->torn), 0);
}

static void done(struct found *f)
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

static void assert_noted(const struct found *f, const char *part)
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

static void assert_nr_notes(const struct found *f, size_t want)
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

static uint64_t symbol(struct found *f, const char *name)
{
	assert_int_equal(binary__load_symbols(&f->b, debug_file__symbols(f->df)), 0);
	for (size_t i = 0; i < f->b.nr_syms; i++)
		if (!strcmp(f->b.syms[i].name, name))
			return f->b.syms[i].vaddr;
	return 0;
}

/* Both units are there, with names, addresses that the symbols agree with, and lines. */
static void assert_whole(struct found *f)
{
	static const char *const names[] = { "the_answer", "the_main_thing" };

	assert_false(f->torn);
	assert_int_not_equal(f->di.nr_units, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		uint64_t low_pc;
		const char *path;
		Dwarf *dw;
		Dwarf_Die cu;
		Dwarf_Files *files;
		size_t nr_files;
		struct die d;

		if (!subprogram(&f->di, names[i], &d))
			fail_msg("%s was not found", names[i]);
		assert_true(die__addr(&d, DW_AT_low_pc, &low_pc));
		assert_int_not_equal(low_pc, 0);
		assert_int_equal(low_pc, symbol(f, names[i]));
		assert_ptr_equal(debug_info__unit_at(&f->di, d.p), d.u);

		dw = dwarf_begin_elf(debug_file__lines(f->df, d.u, &path), DWARF_C_READ, NULL);
		assert_non_null(dw);
		assert_non_null(dwarf_offdie(dw, (Dwarf_Off)(d.u->die - d.u->secs->info.p), &cu));
		assert_int_equal(dwarf_getsrcfiles(&cu, &files, &nr_files), 0);
		assert_non_null(dwarf_filesrc(files, 1, NULL, NULL));
		dwarf_end(dw);
		assert_true(*path);
	}
}

static void assert_nothing(struct found *f)
{
	struct die d;

	assert_string_equal(debug_file__path(f->df), "");
	assert_null(debug_file__lines(f->df, NULL, NULL));
	assert_non_null(debug_file__symbols(f->df));
	assert_int_equal(f->di.nr_units, 0);
	assert_false(subprogram(&f->di, "the_answer", &d));
}

static void refused(const char *exe, const char *debug, int want, const char *part)
{
	const struct image_opts opts = { .debug_file = debug };
	struct debug_file *df;
	struct binary b;
	const char *why;

	assert_int_equal(binary__open(&b, exe, &why), 0);
	assert_int_equal(debug_file__open(&df, &b, &opts, &why), want);
	assert_null(df);
	if (!strstr(why, part) || !strstr(why, debug))
		fail_msg("'%s' does not say '%s' of %s", why, part, debug);
	binary__close(&b);
}

/* ---- in the executable ---------------------------------------------------- */

static void embedded(void **state)
{
	static const char *const flags[] = { "-g", "-g -gdwarf-4", "-g -gz", "-g -gz=zlib-gnu",
					     "-g -gz -no-pie", "-g -Wl,--build-id=none" };
	struct found f;

	(void)state;
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		build(flags[i], "prog");
		find(&f, at("prog"), NULL);
		assert_whole(&f);
		assert_nr_notes(&f, 0);
		assert_string_equal(debug_file__path(f.df), at("prog"));
		assert_ptr_equal(debug_file__symbols(f.df), f.b.elf);
		done(&f);
	}
}

static void stripped(void **state)
{
	struct found f;

	(void)state;
	build("", "prog");
	find(&f, at("prog"), NULL);
	assert_nothing(&f);
	assert_false(f.torn);
	assert_nr_notes(&f, 0);
	assert_int_not_equal(symbol(&f, "the_answer"), 0);
	done(&f);

	build("-s", "prog");
	find(&f, at("prog"), NULL);
	assert_nothing(&f);
	assert_int_equal(symbol(&f, "the_answer"), 0);
	done(&f);
}

/* Cut behind the segments: it runs, but its DWARF is gone. */
static void embedded_torn(void **state)
{
	struct found f;
	uint8_t *data;
	size_t n;

	(void)state;
	build("-g", "prog");
	data = read_file(at("prog"), &n);
	write_file(at("torn"), data, n - 64);
	free(data);
	find(&f, at("torn"), NULL);
	assert_nothing(&f);
	assert_noted(&f, "torn");
	done(&f);
}

/* ---- named by the user ---------------------------------------------------- */

static void named(void **state)
{
	char debug[PATH_MAX];
	struct image_opts opts = { .debug_file = debug };
	struct found f;

	(void)state;
	build("-g", "prog");
	separate("prog");
	strcpy(debug, at("elsewhere"));
	sh("mv prog.debug elsewhere");
	find(&f, at("prog"), &opts);
	assert_whole(&f);
	assert_nr_notes(&f, 0);
	assert_string_equal(debug_file__path(f.df), debug);
	done(&f);

	/* a program without a build-id has to take the user's word */
	sh("objcopy --remove-section=.note.gnu.build-id prog bare");
	find(&f, at("bare"), &opts);
	assert_string_equal(debug_file__path(f.df), debug);
	assert_int_not_equal(f.di.nr_units, 0);
	done(&f);
}

static void named_wrongly(void **state)
{
	uint8_t *data;
	size_t n;

	(void)state;
	build("-g", "prog");
	separate("prog");
	sources(7);
	build("-g", "other");
	separate("other");
	sh("gcc -g -c answer.c -o answer.o && mkfifo pipe");
	refused(at("prog"), at("none"), -ENOENT, "no such file");
	refused(at("prog"), at("prog/none"), -ENOENT, "no such file");
	refused(at("prog"), at("answer.c"), -ENOEXEC, "no ELF file");
	refused(at("prog"), "/dev/null", -ENOEXEC, "no regular file");
	refused(at("prog"), at("pipe"), -ENOEXEC, "no regular file");
	refused(at("prog"), "/proc/self/status", -ENOEXEC, "no ELF file");
	refused(at("prog"), dir, -EISDIR, "directory");
	refused(at("prog"), at("other.debug"), -ENOEXEC, "another build");
	refused(at("prog"), at("answer.o"), -ENOEXEC, "object file");
	refused(at("prog"), at("prog"), -ENOEXEC, "no DWARF");
	data = read_file(at("prog.debug"), &n);
	write_file(at("torn"), data, n / 2);
	refused(at("prog"), at("torn"), -ENOEXEC, "torn");
	write_file(at("torn"), data, 40);
	refused(at("prog"), at("torn"), -ENOEXEC, "no ELF file");
	data[4] = ELFCLASS32;
	write_file(at("small"), data, n);
	refused(at("prog"), at("small"), -ENOEXEC, "");
	free(data);
}

/* A file that has symbols only is used for them; the DWARF comes from elsewhere. */
static void named_symbols(void **state)
{
	char symbols[PATH_MAX];
	const struct image_opts opts = { .debug_file = symbols };
	struct found f;

	(void)state;
	build("-g", "prog");
	sh("strip --strip-debug -o symbols prog && strip --keep-section='.debug_*' prog");
	strcpy(symbols, at("symbols"));
	find(&f, at("prog"), &opts);
	assert_whole(&f);
	assert_noted(&f, "only its symbols are used");
	assert_string_equal(debug_file__path(f.df), at("prog"));
	done(&f);
}

/* ---- by .gnu_debuglink ---------------------------------------------------- */

static void debuglink(void **state)
{
	struct found f;

	(void)state;
	build("-g -gz", "prog");
	separate("prog");
	find(&f, at("prog"), NULL);
	assert_whole(&f);
	assert_nr_notes(&f, 0);
	assert_string_equal(debug_file__path(f.df), at("prog.debug"));
	done(&f);

	sh("mkdir .debug && mv prog.debug .debug");
	find(&f, at("prog"), NULL);
	assert_whole(&f);
	assert_string_equal(debug_file__path(f.df), at(".debug/prog.debug"));
	done(&f);

	/* by another name of the executable: what counts is where it lies */
	sh("mkdir bin && ln -s ../prog bin/short");
	find(&f, at("bin/short"), NULL);
	assert_whole(&f);
	assert_string_equal(debug_file__path(f.df), at(".debug/prog.debug"));
	done(&f);

	sh("rm .debug/prog.debug");
	find(&f, at("prog"), NULL);
	assert_nothing(&f);
	assert_nr_notes(&f, 0);
	done(&f);

	sh("mkfifo prog.debug");
	find(&f, at("prog"), NULL);
	assert_nothing(&f);
	assert_noted(&f, "no regular file");
	done(&f);
}

static void debuglink_wrong(void **state)
{
	struct found f;
	uint8_t *data;
	size_t n;

	(void)state;
	build("-g", "prog");
	separate("prog");
	sources(7);
	build("-g", "other");
	separate("other");

	data = read_file(at("prog.debug"), &n);
	sh("cp other.debug prog.debug");
	find(&f, at("prog"), NULL);
	assert_nothing(&f);
	assert_noted(&f, "another build");
	done(&f);

	/* a good one further on is still found */
	sh("mkdir .debug");
	write_file(at(".debug/prog.debug"), data, n);
	find(&f, at("prog"), NULL);
	assert_whole(&f);
	assert_noted(&f, "another build");
	done(&f);
	sh("rm -r .debug");

	data[n / 2] ^= 1;
	write_file(at("prog.debug"), data, n);
	find(&f, at("prog"), NULL);
	assert_nothing(&f);
	assert_noted(&f, "checksum");
	done(&f);

	/* what is left of a half-copied file has its build-id, too */
	write_file(at("prog.debug"), data, n / 2);
	find(&f, at("prog"), NULL);
	assert_nothing(&f);
	assert_noted(&f, "torn");
	done(&f);
	write_file(at("prog.debug"), "nonsense", 8);
	find(&f, at("prog"), NULL);
	assert_nothing(&f);
	assert_noted(&f, "no ELF file");
	done(&f);
	free(data);
}

static void debuglink_nonsense(void **state)
{
	/* a path; no end; no checksum; nothing; the file itself */
	static const struct {
		const char	*text;
		size_t		 n;
		bool		 noted;
	} links[] = {
		{ "../../etc/passwd\0\0\0\0\1\2\3\4", 24, true },
		{ "aaaaaaaaaaaa", 12, true },
		{ "aaaaaaaaaaa", 12, true },
		{ "\0\0\0\0\0\0\0\0", 8, true },
		{ "a", 1, true },
		{ "..\0\0\0\0\0\0", 8, true },
		{ "prog\0\0\0\0\0\0\0\0", 12, true },
	};
	struct found f;

	(void)state;
	build("-s", "prog");
	if (!have_objcopy)
		skip();
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		write_file(at("link"), links[i].text, links[i].n);
		sh("cp prog p && objcopy --add-section=.gnu_debuglink=link p");
		find(&f, at("p"), NULL);
		assert_nothing(&f);
		if (links[i].noted != !!a_note(&f, ""))
			fail_msg("link %zu", i);
		done(&f);
	}
}

/* ---- split DWARF ---------------------------------------------------------- */

static const char *const split_flags[] = { "-g -gdwarf-5 -gsplit-dwarf",
					   "-g -gdwarf-4 -gsplit-dwarf",
					   "-g -gdwarf-5 -gsplit-dwarf -gz" };

static size_t nr_split(const struct found *f)
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

static void split_singles(void **state)
{
	struct found f;
	struct die d;

	(void)state;
	for (size_t i = 0; i < sizeof(split_flags) / sizeof(*split_flags); i++) {
		build(split_flags[i], "prog");
		find(&f, at("prog"), NULL);
		assert_whole(&f);
		assert_nr_notes(&f, 0);
		assert_int_equal(f.di.nr_units, 4);
		assert_int_equal(nr_split(&f), 2);
		done(&f);

		/* moved together */
		sh("rm -rf moved && mkdir moved && mv prog *.dwo moved");
		find(&f, at("moved/prog"), NULL);
		assert_whole(&f);
		done(&f);

		sh("rm moved/prog-answer.dwo");
		find(&f, at("moved/prog"), NULL);
		assert_true(f.torn);
		assert_int_equal(nr_split(&f), 1);
		assert_noted(&f, "1 of 2 split units not found");
		assert_noted(&f, "prog-answer.dwo: there is no such file");
		assert_nr_notes(&f, 1);
		assert_false(subprogram(&f.di, "the_answer", &d));
		assert_true(subprogram(&f.di, "the_main_thing", &d));
		done(&f);
	}
}

/* The skeletons are in a separate debug file, the rest in single files. */
static void split_separate(void **state)
{
	struct found f;

	(void)state;
	build(split_flags[0], "prog");
	separate("prog");
	find(&f, at("prog"), NULL);
	assert_whole(&f);
	assert_string_equal(debug_file__path(f.df), at("prog.debug"));
	done(&f);
	if (!have_llvm_dwp)
		return;
	sh("llvm-dwp prog-answer.dwo prog-main.dwo -o prog.debug.dwp && rm *.dwo");
	find(&f, at("prog"), NULL);
	assert_whole(&f);
	done(&f);
	sh("mkdir .debug && mv prog.debug .debug && mv prog.debug.dwp .debug/prog.dwp");
	find(&f, at("prog"), NULL);
	assert_whole(&f);
	done(&f);
}

static void split_stale(void **state)
{
	struct found f;
	uint8_t *data;
	struct die d;
	size_t n;

	(void)state;
	build(split_flags[0], "prog");
	data = read_file(at("prog-answer.dwo"), &n);
	sources(7);
	build(split_flags[0], "new");
	sh("cp new-answer.dwo prog-answer.dwo");
	find(&f, at("prog"), NULL);
	assert_true(f.torn);
	assert_int_equal(nr_split(&f), 1);
	assert_noted(&f, "1 of 2 split units not found");
	assert_noted(&f, "another build");
	assert_false(subprogram(&f.di, "the_answer", &d));
	done(&f);

	for (size_t cut = 0; cut < n; cut += n / 16) {
		write_file(at("prog-answer.dwo"), data, cut);
		find(&f, at("prog"), NULL);
		assert_true(f.torn);
		assert_int_equal(nr_split(&f), 1);
		assert_noted(&f, "1 of 2 split units not found");
		assert_noted(&f, cut > 64 ? "torn" : "no ELF file");
		done(&f);
	}
	sh("rm prog-answer.dwo && mkfifo prog-answer.dwo");
	find(&f, at("prog"), NULL);
	assert_noted(&f, "no regular file");
	done(&f);
	free(data);
}

static void split_package(void **state)
{
	char stale[PATH_MAX];
	const struct image_opts opts = { .debug_file = stale };
	struct found f;
	int tried = 0;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const char *dwp = i < 2 ? "dwp" : "llvm-dwp";
		const char *flags = split_flags[i % 2];

		/* binutils before 2.41 cannot do DWARF 5 */
		if (i == 0 || (i < 2 && !have_dwp) || (i >= 2 && !have_llvm_dwp))
			continue;
		tried++;
		sources(41);
		build(flags, "prog");
		sh("%s -e prog -o prog.dwp && rm *.dwo", dwp);
		find(&f, at("prog"), NULL);
		assert_whole(&f);
		assert_nr_notes(&f, 0);
		assert_int_equal(nr_split(&f), 2);
		done(&f);

		/* beside the real file */
		sh("rm -rf bin && mkdir bin && ln -s ../prog bin/short");
		find(&f, at("bin/short"), NULL);
		assert_whole(&f);
		done(&f);

		/* elsewhere, but named */
		sh("mv prog.dwp elsewhere.dwp");
		strcpy(stale, at("elsewhere.dwp"));
		find(&f, at("prog"), &opts);
		assert_whole(&f);
		assert_nr_notes(&f, 0);
		assert_string_equal(debug_file__path(f.df), at("prog"));
		done(&f);

		/* of another build: not one unit of it may be taken */
		sources(7);
		build(flags, "new");
		sh("%s -e new -o prog.dwp && rm *.dwo", dwp);
		find(&f, at("prog"), NULL);
		assert_true(f.torn);
		assert_int_equal(nr_split(&f), 0);
		assert_noted(&f, "prog.dwp is not used: it is of another build");
		assert_noted(&f, "2 of 2 split units not found");
		assert_nr_notes(&f, 2);
		done(&f);
		strcpy(stale, at("prog.dwp"));
		find(&f, at("prog"), &opts);
		assert_noted(&f, "prog.dwp is not used: it is of another build");
		assert_nr_notes(&f, 2);
		done(&f);

		/* of a program that has no use for it */
		build("-g", "plain");
		find(&f, at("plain"), &opts);
		assert_whole(&f);
		assert_noted(&f, "is not split");
		done(&f);
		sh("strip plain");
		find(&f, at("plain"), &opts);
		assert_nothing(&f);
		assert_noted(&f, "strip");
		done(&f);
	}
	if (!tried)
		skip();
}

/* More files than descriptors. */
static void split_many(void **state)
{
	const struct rlimit few = { 24, 24 };
	int status;
	pid_t pid;

	(void)state;
	if (!have_gcc)
		skip();
	sh("mkdir many && cd many && i=0; while [ $i -lt 60 ]; do "
	   "echo \"int f$i(int x) { return x + $i; }\" >f$i.c; i=$((i + 1)); done; "
	   "echo 'int main(void) { return 0; }' >main.c && "
	   "gcc -g -gsplit-dwarf *.c -o prog");
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (!pid) {
		struct found f;
		struct die d;

		if (setrlimit(RLIMIT_NOFILE, &few))
			_exit(1);
		find(&f, at("many/prog"), NULL);
		_exit(f.torn || nr_split(&f) != 61 || !subprogram(&f.di, "f59", &d) ||
		      !subprogram(&f.di, "main", &d));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- a running target ----------------------------------------------------- */

/* Start @exe in its own view of the file system; 0: not allowed. */
static pid_t start(const char *exe, const char *new_root, bool new_mounts)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (new_mounts && (unshare(CLONE_NEWNS) ||
				   mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
				   mount(at("inside"), at("mnt"), NULL, MS_BIND, NULL)))
			_exit(1);
		if (new_root && (chroot(new_root) || chdir("/")))
			_exit(1);
		if (write(ready[1], "1", 1) != 1)
			_exit(1);
		execl(exe, exe, "wait", NULL);
		_exit(1);
	}
	close(ready[1]);
	/* two ends: "1" before exec, end of file after it */
	if (read(ready[0], &byte, 1) != 1 || read(ready[0], &byte, 1) != 0) {
		close(ready[0]);
		waitpid(pid, NULL, 0);
		return 0;
	}
	close(ready[0]);
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void proc_exe(void **state)
{
	char exe[64];
	struct found f;
	pid_t pid;

	(void)state;
	build(split_flags[0], "prog");
	separate("prog");
	pid = start(at("prog"), NULL, false);
	assert_int_not_equal(pid, 0);
	snprintf(exe, sizeof(exe), "/proc/%d/exe", pid);
	find(&f, exe, NULL);
	assert_whole(&f);
	assert_nr_notes(&f, 0);
	assert_string_equal(debug_file__path(f.df), at("prog.debug"));
	done(&f);

	/* replaced by another build: what runs is still the old one */
	sh("cp prog.debug kept && sed -i 's/x +/x + 2 +/' answer.c");
	sh("rm prog prog.debug");
	build("-g", "prog");
	separate("prog");
	find(&f, exe, NULL);
	assert_nothing(&f);
	assert_noted(&f, "another build");
	done(&f);
	sh("mv kept prog.debug");
	find(&f, exe, NULL);
	assert_whole(&f);
	done(&f);
	stop(pid);
}

/* In another mount namespace, the name means another file. */
static void proc_container(void **state)
{
	char exe[64];
	struct found f;
	pid_t pid;

	(void)state;
	build("-g -static", "prog");
	separate("prog");
	sh("mkdir inside mnt && mv prog prog.debug inside");
	pid = start(at("mnt/prog"), NULL, true);
	if (!pid)
		skip();
	snprintf(exe, sizeof(exe), "/proc/%d/exe", pid);
	find(&f, exe, NULL);
	assert_whole(&f);
	assert_nr_notes(&f, 0);
	if (strncmp(debug_file__path(f.df), "/proc/", 6))
		fail_msg("%s", debug_file__path(f.df));
	done(&f);

	/* a link in the container is followed in the container */
	sh("mv inside/prog.debug secret && ln -s %s inside/prog.debug", at("mnt/real"));
	find(&f, exe, NULL);
	assert_nothing(&f);
	assert_nr_notes(&f, 0);
	done(&f);
	sh("mv secret inside/real");
	find(&f, exe, NULL);
	assert_whole(&f);
	done(&f);
	stop(pid);
}

/* The target's own /usr/lib/debug, with a root that we choose. */
static void proc_chroot(void **state)
{
	char exe[64], *id;
	struct found f;
	pid_t pid;

	(void)state;
	build("-g -static", "prog");
	separate("prog");
	find(&f, at("prog"), NULL);
	id = strdup(f.b.build_id);
	done(&f);
	sh("mkdir -p root/usr/lib/debug/.build-id/%.2s && mv prog root && mkdir -p usr/lib && "
	   "mv prog.debug root/usr/lib/debug/.build-id/%.2s/%s.debug", id, id, id + 2);
	pid = start("/prog", at("root"), false);
	if (!pid) {
		free(id);
		skip();
	}
	snprintf(exe, sizeof(exe), "/proc/%d/exe", pid);
	find(&f, exe, NULL);
	assert_whole(&f);
	assert_nr_notes(&f, 0);
	done(&f);

	/* a link to outside leads nowhere */
	sh("cd root/usr/lib/debug/.build-id/%.2s && mv %s.debug %s/secret && "
	   "ln -s %s/secret %s.debug", id, id + 2, dir, dir, id + 2);
	find(&f, exe, NULL);
	assert_nothing(&f);
	done(&f);

	sources(7);
	build("-g", "other");
	sh("cd root/usr/lib/debug/.build-id/%.2s && rm %s.debug && cp %s/other %s.debug", id,
	   id + 2, dir, id + 2);
	find(&f, exe, NULL);
	assert_nothing(&f);
	assert_noted(&f, "another build");
	done(&f);
	stop(pid);
	free(id);
}

/* ---- debuginfod ----------------------------------------------------------- */

/* A server of one file, or of errors; it may be silent instead. Its port. */
static int serve(const char *id, const char *file, pid_t *pid)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(addr);

	assert_int_equal(bind(s, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(s, 8), 0);
	assert_int_equal(getsockname(s, (struct sockaddr *)&addr, &len), 0);
	*pid = fork();
	assert_int_not_equal(*pid, -1);
	if (*pid) {
		close(s);
		return ntohs(addr.sin_port);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!id)
		pause();
	for (;;) {
		int c = accept(s, NULL, NULL);
		char request[4096], want[512];
		ssize_t n = read(c, request, sizeof(request) - 1);

		request[n > 0 ? n : 0] = 0;
		snprintf(want, sizeof(want), "GET /buildid/%s/debuginfo HTTP/1", id);
		if (!strncmp(request, want, strlen(want))) {
			size_t size;
			uint8_t *data = read_file(file, &size);

			dprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n"
				"Connection: close\r\n\r\n", size);
			for (size_t at = 0; at < size; at += (size_t)n) {
				n = write(c, data + at, size - at);
				if (n <= 0)
					break;
			}
			free(data);
		} else {
			dprintf(c, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n"
				"Connection: close\r\n\r\n");
		}
		close(c);
	}
}

static void debuginfod(void **state)
{
	struct image_opts opts = { .debuginfod = true };
	char *id, url[64];
	struct found f;
	pid_t pid;
	int port;

	(void)state;
	build("-g", "prog");
	separate("prog");
	sh("mv prog.debug served");
	find(&f, at("prog"), &opts);
	id = strdup(f.b.build_id);
	assert_nothing(&f);
	assert_nr_notes(&f, 0);
	done(&f);

	port = serve(id, at("served"), &pid);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", port);
	setenv("DEBUGINFOD_URLS", url, 1);
	setenv("DEBUGINFOD_CACHE_PATH", at("cache"), 1);
	opts.debuginfod = false;
	find(&f, at("prog"), &opts);
	assert_nothing(&f);
	done(&f);
	opts.debuginfod = true;
	find(&f, at("prog"), &opts);
	assert_whole(&f);
	assert_nr_notes(&f, 0);
	if (strncmp(debug_file__path(f.df), at("cache/"), strlen(at("cache/"))))
		fail_msg("%s", debug_file__path(f.df));
	done(&f);
	stop(pid);

	/* a server that lies about what it has */
	sources(7);
	build("-g", "other");
	port = serve(id, at("other"), &pid);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", port);
	setenv("DEBUGINFOD_URLS", url, 1);
	setenv("DEBUGINFOD_CACHE_PATH", at("cache2"), 1);
	find(&f, at("prog"), &opts);
	assert_nothing(&f);
	assert_noted(&f, "another build");
	done(&f);
	stop(pid);

	/* one that has nothing is no news, one that is not there is */
	port = serve("none", at("other"), &pid);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", port);
	setenv("DEBUGINFOD_URLS", url, 1);
	setenv("DEBUGINFOD_CACHE_PATH", at("cache3"), 1);
	find(&f, at("prog"), &opts);
	assert_nothing(&f);
	assert_nr_notes(&f, 0);
	done(&f);
	stop(pid);
	setenv("DEBUGINFOD_CACHE_PATH", at("cache4"), 1);
	find(&f, at("prog"), &opts);
	assert_nothing(&f);
	assert_noted(&f, "debuginfod failed");
	done(&f);

	/* one that says nothing must not keep us */
	port = serve(NULL, NULL, &pid);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", port);
	setenv("DEBUGINFOD_URLS", url, 1);
	setenv("DEBUGINFOD_TIMEOUT", "1", 1);
	setenv("DEBUGINFOD_CACHE_PATH", at("cache5"), 1);
	find(&f, at("prog"), &opts);
	assert_nothing(&f);
	assert_noted(&f, "debuginfod sent nothing for 1 s");
	done(&f);
	stop(pid);
	free(id);
	unsetenv("DEBUGINFOD_URLS");
	unsetenv("DEBUGINFOD_TIMEOUT");
	unsetenv("DEBUGINFOD_CACHE_PATH");
}

/* ---- hostile -------------------------------------------------------------- */

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
		assert_int_equal(debug_file__load(df, &di, &torn), 0);
		subprogram(&di, "no such name", &d);
		assert_int_equal(binary__load_symbols(&b, debug_file__symbols(df)), 0);
		for (size_t i = 0; i < b.nr_syms; i++)
			assert_non_null(memchr(b.syms[i].name, 0, 1 << 20));
		debug_info__free(&di);
		debug_file__free(df);
	} else {
		assert_true(*why);
	}
	binary__close(&b);
}

static void damage(const char *good, const char *bad, const char *exe, const char *debug)
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

static void damaged(void **state)
{
	(void)state;
	build("-g -gz", "prog");
	damage(at("prog"), at("bad"), at("bad"), NULL);
	separate("prog");
	damage(at("prog.debug"), at("bad"), at("prog"), at("bad"));
	build("-g -gz=zlib-gnu", "prog");
	damage(at("prog"), at("bad"), at("bad"), NULL);
	build(split_flags[0], "prog");
	damage(at("prog"), at("bad"), at("bad"), NULL);
	sh("cp prog-main.dwo good");
	damage(at("good"), at("prog-main.dwo"), at("prog"), NULL);
	if (!have_llvm_dwp)
		return;
	sh("cp good prog-main.dwo && llvm-dwp -e prog -o good && rm *.dwo");
	damage(at("good"), at("prog.dwp"), at("prog"), NULL);
}

/* A pool without NUL at its end is cut to the last one. */
static void pool_without_end(void **state)
{
	struct found f;
	size_t n;
	uint8_t *data;

	(void)state;
	build("-g", "prog");
	if (!have_objcopy)
		skip();
	sh("objcopy -O binary --only-section=.debug_str --set-section-flags .debug_str=alloc "
	   "prog str");
	data = read_file(at("str"), &n);
	assert_true(n > 16);
	data[n - 1] = 'x';
	write_file(at("str"), data, n);
	sh("objcopy --update-section .debug_str=str prog");
	find(&f, at("prog"), NULL);
	assert_true(f.torn);
	assert_noted(&f, "torn");
	assert_true(f.di.nr_units > 0);
	for (size_t i = 0; i < f.di.nr_units; i++) {
		const struct debug_sec *str = &f.di.units[i]->secs->str;

		assert_true(str->n > 0 && str->n < n);
		assert_int_equal(str->p[str->n - 1], 0);
	}
	done(&f);

	memset(data, 'x', n);
	write_file(at("str"), data, n);
	sh("objcopy --update-section .debug_str=str prog");
	find(&f, at("prog"), NULL);
	assert_true(f.torn);
	assert_int_equal(f.di.units[0]->secs->str.n, 0);
	done(&f);
	free(data);
}

/* Names of devices, pipes and directories are not opened; control characters not shown. */
static void hostile_names(void **state)
{
	static const char *const names[] = { "/dev/zero", "/proc/kcore", "/proc/self/mem", "/",
					     "\033[2Jx", "../../x", "." };
	struct found f;
	uint8_t *data, *name;
	char want[64];
	size_t n;

	(void)state;
	build("-g -gsplit-dwarf", "prog");
	snprintf(want, sizeof(want), "prog-answer.dwo");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *const *notes;
		size_t nr;

		data = read_file(at("prog"), &n);
		name = memmem(data, n, want, strlen(want));
		assert_non_null(name);
		memset(name, 0, strlen(want));
		memcpy(name, names[i], strlen(names[i]));
		write_file(at("p"), data, n);
		free(data);
		find(&f, at("p"), NULL);
		assert_int_equal(nr_split(&f), 1);
		assert_noted(&f, "1 of 2 split units not found");
		notes = debug_file__notes(f.df, &nr);
		for (size_t k = 0; k < nr; k++)
			assert_null(strchr(notes[k], '\033'));
		done(&f);
	}
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
	(void)state;
	strcpy(dir, "/tmp/dwell-test-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	sources(41);
	return 0;
}

static int teardown(void **state)
{
	char cmd[128];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(embedded),
		TEST(stripped),
		TEST(embedded_torn),
		TEST(named),
		TEST(named_wrongly),
		TEST(named_symbols),
		TEST(debuglink),
		TEST(debuglink_wrong),
		TEST(debuglink_nonsense),
		TEST(split_singles),
		TEST(split_separate),
		TEST(split_stale),
		TEST(split_package),
		TEST(split_many),
		TEST(proc_exe),
		TEST(proc_container),
		TEST(proc_chroot),
		TEST(debuginfod),
		TEST(damaged),
		TEST(pool_without_end),
		TEST(hostile_names),
	};

	/* the machine's own servers must not take part */
	unsetenv("DEBUGINFOD_URLS");
	have_gcc = have("gcc");
	have_objcopy = have("objcopy") && have("strip");
	have_dwp = have("dwp");
	have_llvm_dwp = have("llvm-dwp");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
