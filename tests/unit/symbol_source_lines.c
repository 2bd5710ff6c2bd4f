// SPDX-License-Identifier: GPL-2.0
/*
 * Functions and lines of addresses: programs that are built here, each with a label at
 * a place whose functions and lines are known; the same without debug information, with
 * damage, and while memory runs out.
 */
#include <errno.h>
#include <signal.h>

#include "failing_malloc.h"
#include "image_program.h"
#include "symbol/source_lines.h"
#include "trace_random.h"

#define MAX	16

/* Its label is in inner(), inlined into outer(), inlined into function(). */
static const char c_source[] = "extern int n;\n"
			       "static inline __attribute__((always_inline)) void inner(void)\n"
			       "{\n"
			       "	__asm__ volatile(\".globl here\\nhere: nop\");	/* 4 */\n"
			       "}\n"
			       "static inline __attribute__((always_inline)) void outer(void)\n"
			       "{\n"
			       "	n++;\n"
			       "	inner();	/* 9 */\n"
			       "}\n"
			       "__attribute__((noinline)) void function(void)\n"
			       "{\n"
			       "	outer();	/* 13 */\n"
			       "	n++;\n"
			       "}\n"
			       "int n = 1;\n"
			       "int main(void)\n"
			       "{\n"
			       "	function();\n"
			       "	return n;\n"
			       "}\n";

/* Its label is in a generic method, inlined into the body of an async fn or into a closure. */
static const char rust_source[] =
	"use std::{future::Future, hint::black_box, task::{Context, Waker}};\n"
	"mod store {\n"
	"    pub struct Store;\n"
	"    impl Store {\n"
	"        #[inline(always)]\n"
	"        pub fn write<T>(&self, t: T) -> T {\n"
	"            unsafe { core::arch::asm!(\".globl here\\nhere: nop\") };  // 7\n"
	"            t\n"
	"        }\n"
	"    }\n"
	"}\n"
	"#[cfg(not(closure))]\n"
	"async fn serve(x: u8) -> u8 {\n"
	"    let x = black_box(x);\n"
	"    store::Store.write(x)  // 15\n"
	"}\n"
	"#[cfg(closure)]\n"
	"fn serve(x: u8) -> impl Future<Output = u8> {\n"
	"    std::future::poll_fn(move |_| {\n"
	"        let x = black_box(x);\n"
	"        std::task::Poll::Ready(store::Store.write(x))  // 21\n"
	"    })\n"
	"}\n"
	"fn main() {\n"
	"    let mut cx = Context::from_waker(Waker::noop());\n"
	"    let mut f: std::pin::Pin<Box<dyn Future<Output = u8>>> = Box::pin(serve(black_box(1)));\n"
	"    let _ = black_box(black_box(&mut f).as_mut().poll(&mut cx));\n"
	"}\n";

static void write_text(const char *name, const char *text)
{
	write_file(at("%s", name), text, strlen(text));
}

/* The address of a symbol of the program @name. */
static uint64_t address_of(const char *name, const char *symbol)
{
	char command[PATH_MAX + 64], line[512], is[256];
	unsigned long long address, found = 0;
	FILE *out;

	snprintf(command, sizeof(command), "nm %s", at("%s", name));
	out = popen(command, "r");
	assert_non_null(out);
	while (fgets(line, sizeof(line), out))
		if (sscanf(line, "%llx %*c %255s", &address, is) == 2 && !strcmp(is, symbol))
			found = address;
	pclose(out);
	if (!found)
		fail_msg("%s has no symbol %s", name, symbol);
	return found;
}

static void need_gcc(void)
{
	if (!try_sh("command -v gcc && command -v objcopy"))
		skip();
}

/* Of compilers that name by the newer scheme, an option that is not stable. */
#define LEGACY	"-Z unstable-options -C symbol-mangling-version=legacy"
#define RUSTC	"PATH=$PATH:$HOME/.cargo/bin RUSTC_BOOTSTRAP=1 rustc --edition 2021 -O -A unexpected_cfgs "	\
		"-A named_asm_labels "

static void need_rustc(void)
{
	if (!try_sh("PATH=$PATH:$HOME/.cargo/bin command -v rustc"))
		skip();
}

static void build_c(const char *name, const char *flags)
{
	write_text("prog.c", c_source);
	sh("cd %s && gcc %s -o %s %s", program_dir, flags, at("%s", name), at("prog.c"));
}

static void expect_frame(const struct source_frame *f, const char *function, const char *path,
			 uint32_t line)
{
	assert_string_equal(f->function, function);
	assert_string_equal(f->path, path);
	assert_int_equal(f->line, line);
}

static void expect_all(const char *exe, const char *debug, uint64_t here)
{
	struct source_frame f[MAX], again[MAX];
	struct source_lines *s = source_lines__new(exe, debug);

	assert_non_null(s);
	assert_int_equal(source_lines__at(s, here, f, MAX), 3);
	expect_frame(&f[0], "inner", at("prog.c"), 4);
	expect_frame(&f[1], "outer", at("prog.c"), 9);
	expect_frame(&f[2], "function", at("prog.c"), 13);
	assert_int_equal(source_lines__at(s, here, again, MAX), 3);
	for (int i = 0; i < 3; i++) {
		assert_ptr_equal(again[i].function, f[i].function);
		assert_ptr_equal(again[i].path, f[i].path);
	}
	source_lines__free(s);
}

/* By its symbol: @function, or nothing is known if it is NULL. */
static void expect_symbol(const char *exe, const char *debug, uint64_t vaddr, const char *function)
{
	struct source_lines *s = source_lines__new(exe, debug);
	struct source_frame f[MAX];

	assert_non_null(s);
	assert_int_equal(source_lines__at(s, vaddr, f, MAX), function ? 1 : 0);
	if (function)
		expect_frame(&f[0], function, "", 0);
	source_lines__free(s);
}

static void inlined(void **state)
{
	static const char *const flags[] = {
		"-O2 -g", "-O1 -g -gdwarf-4", "-O2 -g -gdwarf-5", "-O2 -g -gz",
		"-O2 -g -gdwarf-4 -gsplit-dwarf", "-O2 -g -gdwarf-5 -gsplit-dwarf",
		"-O2 -g -no-pie", "-O2 -g -ffunction-sections -Wl,--gc-sections",
	};

	(void)state;
	need_gcc();
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		build_c("prog", flags[i]);
		expect_all(at("prog"), "", address_of("prog", "here"));
		expect_all(at("prog"), at("prog"), address_of("prog", "here"));
	}
}

/* A path that debug information tells from the folder of compilation. */
static void relative_path(void **state)
{
	struct source_frame f[MAX];
	struct source_lines *s;

	(void)state;
	need_gcc();
	write_text("prog.c", c_source);
	for (int version = 4; version <= 5; version++) {
		sh("mkdir -p %s && cd %s && cp ../prog.c . && cd .. && "
		   "gcc -O2 -g -gdwarf-%d -o prog sub/prog.c", at("sub"), at("sub"), version);
		s = source_lines__new(at("prog"), "");
		assert_non_null(s);
		assert_int_equal(source_lines__at(s, address_of("prog", "here"), f, MAX), 3);
		expect_frame(&f[0], "inner", at("sub/prog.c"), 4);
		expect_frame(&f[1], "outer", at("sub/prog.c"), 9);
		source_lines__free(s);
	}
}

static void fewer_than_there_are(void **state)
{
	struct source_frame f[MAX] = { [2].line = 77 };
	struct source_lines *s;
	uint64_t here;

	(void)state;
	need_gcc();
	build_c("prog", "-O2 -g");
	here = address_of("prog", "here");
	s = source_lines__new(at("prog"), "");
	assert_non_null(s);
	assert_int_equal(source_lines__at(s, here, f, 0), 0);
	assert_int_equal(source_lines__at(s, here, f, 2), 2);
	expect_frame(&f[0], "inner", at("prog.c"), 4);
	expect_frame(&f[1], "outer", at("prog.c"), 9);
	assert_int_equal(f[2].line, 77);
	source_lines__free(s);
}

static void debug_file(void **state)
{
	uint64_t here;

	(void)state;
	need_gcc();
	build_c("prog", "-O2 -g");
	here = address_of("prog", "here");
	sh("cd %s && objcopy --only-keep-debug prog prog.debug && strip prog", program_dir);
	expect_all(at("prog"), at("prog.debug"), here);
	expect_symbol(at("prog"), "", here, NULL);
}

static void symbols_only(void **state)
{
	uint64_t here;

	(void)state;
	need_gcc();
	build_c("prog", "-O2 -rdynamic");
	here = address_of("prog", "here");
	sh("cd %s && strip -g -N here prog", program_dir);
	expect_symbol(at("prog"), "", here, "function");
	sh("cd %s && cp prog bare && strip bare", program_dir);
	expect_symbol(at("bare"), "", here, "function");
	expect_symbol(at("bare"), at("prog"), here, "function");
	expect_symbol(at("bare"), at("is-not-there"), here, "function");
}

static void outside(void **state)
{
	uint64_t data;

	(void)state;
	need_gcc();
	build_c("prog", "-O2 -g");
	data = address_of("prog", "n");
	expect_symbol(at("prog"), "", data, NULL);
	expect_symbol(at("prog"), "", 0, NULL);
	expect_symbol(at("prog"), "", 1, NULL);
	expect_symbol(at("prog"), "", UINT64_MAX, NULL);
}

/* Files that cannot be read, and pipes, at which an open or a read would wait. */
static void no_program(void **state)
{
	uint64_t here;

	(void)state;
	need_gcc();
	alarm(60);
	write_text("text", "no program\n");
	sh("mkfifo %s", at("pipe"));
	expect_symbol(at("is-not-there"), "", 4096, NULL);
	expect_symbol("", "", 4096, NULL);
	expect_symbol(program_dir, "", 4096, NULL);
	expect_symbol(at("text"), at("text"), 4096, NULL);
	expect_symbol(at("pipe"), at("pipe"), 4096, NULL);

	build_c("prog", "-O2 -g -gsplit-dwarf");
	here = address_of("prog", "here");
	expect_all(at("prog"), at("pipe"), here);
	sh("cd %s && for f in *.dwo; do rm $f && mkfifo $f; done", program_dir);
	struct source_frame f[MAX];
	struct source_lines *s = source_lines__new(at("prog"), "");

	assert_non_null(s);
	/* lines are in the program itself */
	assert_int_equal(source_lines__at(s, here, f, MAX), 1);
	expect_frame(&f[0], "function", at("prog.c"), 4);
	source_lines__free(s);
	sh("rm %s/*.dwo", program_dir);
	alarm(0);
}

/* The function at its label is a body that is not inlined: so its symbol tells. */
static void rust_symbol(void **state)
{
	uint64_t here;

	(void)state;
	need_rustc();
	write_text("app.rs", rust_source);
	sh(RUSTC "-C debuginfo=0 -C symbol-mangling-version=v0 %s -o %s",
	   at("app.rs"), at("app"));
	here = address_of("app", "here");
	sh("strip -g -N here %s", at("app"));
	expect_symbol(at("app"), "", here, "app::serve");
}

static void rust_bodies(void **state)
{
	static const struct {
		const char	*flags, *method;
		uint32_t	 line;
	} builds[] = {
		{ "-g -C symbol-mangling-version=v0", "app::store::Store::write", 15 },
		{ "-g " LEGACY, "app::store::Store::write", 15 },
		{ "-g -C symbol-mangling-version=v0 --cfg closure", "app::store::Store::write", 21 },
		{ "-g " LEGACY " --cfg closure", "app::store::Store::write", 21 },
		/* of what is inlined no more is told */
		{ "-C debuginfo=line-tables-only", "write", 15 },
	};
	struct source_frame f[MAX];
	struct source_lines *s;

	(void)state;
	need_rustc();
	write_text("app.rs", rust_source);
	for (size_t i = 0; i < sizeof(builds) / sizeof(*builds); i++) {
		sh(RUSTC "%s %s -o %s", builds[i].flags, at("app.rs"), at("app"));
		s = source_lines__new(at("app"), "");
		assert_non_null(s);
		assert_in_range(source_lines__at(s, address_of("app", "here"), f, MAX), 2, MAX);
		expect_frame(&f[0], builds[i].method, at("app.rs"), 7);
		expect_frame(&f[1], "app::serve", at("app.rs"), builds[i].line);
		source_lines__free(s);
	}
}

/* Whatever is said of damaged programs, there is an end to it and no crash. */
static void damaged(void **state)
{
	static const char *const flags[] = { "-O2 -g -gdwarf-4", "-O2 -g -gdwarf-5" };
	struct source_frame f[MAX];
	struct source_lines *s;
	uint64_t here, known = 0;
	uint8_t *good, *bad;
	size_t n;

	(void)state;
	need_gcc();
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		build_c("prog", flags[i]);
		here = address_of("prog", "here");
		good = read_file(at("prog"), &n);
		bad = malloc(n);
		assert_non_null(bad);
		for (uint64_t seed = 1; seed <= 1500; seed++) {
			uint64_t r = seed;

			memcpy(bad, good, n);
			/* headers at the front, debug information and tables behind the code */
			for (unsigned int k = 0; k < 1 + seed % 40; k++)
				bad[n - 1 - below(&r, n > 8192 ? 8192 : n)] =
					(uint8_t)below(&r, 256);
			write_file(at("bad"), bad, seed % 10 ? n : below(&r, n));
			s = source_lines__new(at("bad"), "");
			assert_non_null(s);
			alarm(60);
			known += source_lines__at(s, here, f, MAX) > 0;
			for (int k = 0; k < 50; k++)
				source_lines__at(s, here - 25 + (uint64_t)k, f, MAX);
			alarm(0);
			source_lines__free(s);
		}
		free(good);
		free(bad);
	}
	assert_true(known > 100);
}

static void out_of_memory_at(const char *exe, uint64_t here, uint64_t fail_at, bool for_good)
{
	struct source_frame f[MAX];
	struct source_lines *s;
	int nr = 0;

	memory__start(fail_at, for_good);
	s = source_lines__new(exe, "");
	if (s)
		nr = source_lines__at(s, here, f, MAX);
	memory__stop();
	if (s && nr == -ENOMEM) {
		assert_int_equal(source_lines__at(s, here, f, MAX), -ENOMEM);
	} else if (s) {
		if (nr != 3)
			fail_msg("allocation %llu%s: %d", (unsigned long long)fail_at,
				 for_good ? " and all then" : "", nr);
		expect_frame(&f[0], "inner", at("prog.c"), 4);
		expect_frame(&f[2], "function", at("prog.c"), 13);
	}
	source_lines__free(s);
}

static void out_of_memory(void **state)
{
	/* not split: while libdw opens a .dwo, lack of memory is its own, and ends the program */
	static const char *const flags[] = { "-O2 -g", "-O2 -g -gz", "-O2 -g -gdwarf-4" };

	(void)state;
	need_gcc();
	if (!CAN_FAIL)
		skip();
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		uint64_t here, nr;

		build_c("prog", flags[i]);
		here = address_of("prog", "here");
		out_of_memory_at(at("prog"), here, UINT64_MAX, false);
		nr = memory.nr;
		assert_true(nr > 20);
		for (uint64_t k = 0; k < nr; k++) {
			out_of_memory_at(at("prog"), here, k, false);
			out_of_memory_at(at("prog"), here, k, true);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inlined),
		cmocka_unit_test(relative_path),
		cmocka_unit_test(fewer_than_there_are),
		cmocka_unit_test(debug_file),
		cmocka_unit_test(symbols_only),
		cmocka_unit_test(outside),
		cmocka_unit_test(no_program),
		cmocka_unit_test(rust_bodies),
		cmocka_unit_test(rust_symbol),
		cmocka_unit_test(damaged),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
