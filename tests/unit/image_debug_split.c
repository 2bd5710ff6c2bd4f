// SPDX-License-Identifier: GPL-2.0
/*
 * Split DWARF: single files and packages, found and paired with the skeletons
 * in the program, or stale, torn and hostile.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include "image_debug.h"

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
		in_dir("rm -rf moved && mkdir moved && mv prog *.dwo moved");
		find(&f, at("moved/prog"), NULL);
		assert_whole(&f);
		done(&f);

		in_dir("rm moved/prog-answer.dwo");
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
	in_dir("llvm-dwp prog-answer.dwo prog-main.dwo -o prog.debug.dwp && rm *.dwo");
	find(&f, at("prog"), NULL);
	assert_whole(&f);
	done(&f);
	in_dir("mkdir .debug && mv prog.debug .debug && mv prog.debug.dwp .debug/prog.dwp");
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
	in_dir("cp new-answer.dwo prog-answer.dwo");
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
	in_dir("rm prog-answer.dwo && mkfifo prog-answer.dwo");
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
		in_dir("%s -e prog -o prog.dwp && rm *.dwo", dwp);
		find(&f, at("prog"), NULL);
		assert_whole(&f);
		assert_nr_notes(&f, 0);
		assert_int_equal(nr_split(&f), 2);
		done(&f);

		/* beside the real file */
		in_dir("rm -rf bin && mkdir bin && ln -s ../prog bin/short");
		find(&f, at("bin/short"), NULL);
		assert_whole(&f);
		done(&f);

		/* elsewhere, but named */
		in_dir("mv prog.dwp elsewhere.dwp");
		strcpy(stale, at("elsewhere.dwp"));
		find(&f, at("prog"), &opts);
		assert_whole(&f);
		assert_nr_notes(&f, 0);
		assert_string_equal(debug_file__path(f.df), at("prog"));
		done(&f);

		/* of another build: not one unit of it may be taken */
		sources(7);
		build(flags, "new");
		in_dir("%s -e new -o prog.dwp && rm *.dwo", dwp);
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
		in_dir("strip plain");
		find(&f, at("plain"), &opts);
		assert_nothing(&f);
		assert_noted(&f, "strip");
		done(&f);
	}
	if (!tried)
		skip();
}

/* Whatever symbols are in a package, they are not the program's. */
static void package_symbols(void **state)
{
	char package[PATH_MAX];
	const struct image_opts opts = { .debug_file = package };
	struct found f;

	(void)state;
	build(split_flags[1], "prog");
	if (!have_objcopy || !have_dwp)
		skip();
	in_dir("dwp -e prog -o package && objcopy --add-symbol stranger=0x1000,function package && "
	       "strip --keep-section='.debug_*' prog");
	strcpy(package, at("package"));
	find(&f, at("prog"), &opts);
	assert_int_equal(nr_split(&f), 2);
	assert_int_equal(f.b.nr_syms, 0);
	done(&f);
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
	in_dir("mkdir many && cd many && i=0; while [ $i -lt 60 ]; do "
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

/* ---- hostile -------------------------------------------------------------- */

static void split_damaged(void **state)
{
	(void)state;
	build(split_flags[0], "prog");
	damage(at("prog"), at("bad"), at("bad"), NULL);
	in_dir("cp prog-main.dwo good");
	damage(at("good"), at("prog-main.dwo"), at("prog"), NULL);
	if (!have_llvm_dwp)
		return;
	in_dir("cp good prog-main.dwo && llvm-dwp -e prog -o good && rm *.dwo");
	damage(at("good"), at("prog.dwp"), at("prog"), NULL);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(split_singles),
		TEST(split_separate),
		TEST(split_stale),
		TEST(split_package),
		TEST(package_symbols),
		TEST(split_many),
		TEST(split_damaged),
		TEST(hostile_names),
	};

	find_tools();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
