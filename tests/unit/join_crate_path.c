// SPDX-License-Identifier: GPL-2.0
/* Source files, named by their crate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "join/crate_path.h"
#include "tests/unit/trace_random.h"

#define INDEX	"registry/src/index.crates.io-1949cf8c6b5b557f/"
#define COMMIT	"17067e9ac6d7c6f9c0d6ab1d87549aa7f5d0e2c4"

static void named(void **state)
{
	static const struct {
		const char	*path, *want;
		bool		 foreign;
	} cases[] = {
		/* a registry */
		{ "/home/user/.cargo/" INDEX "hyper-1.6.0/src/proto/h1/dispatch.rs",
		  "hyper-1.6.0/src/proto/h1/dispatch.rs", true },
		{ "/home/me/.cargo/" INDEX "h2-0.4.7/src/proto/streams/mod.rs",
		  "h2-0.4.7/src/proto/streams/mod.rs", true },
		{ "/usr/local/cargo/registry/src/github.com-1ecc6299db9ec823/old-0.1.0/lib.rs",
		  "old-0.1.0/lib.rs", true },
		{ "/c/" INDEX "multi-2.0.0/inner/src/src/a.rs", "multi-2.0.0/inner/src/src/a.rs",
		  true },
		/* git */
		{ "/home/user/.cargo/git/checkouts/tokio-377c595163f99a10/a6be73e/tokio/src/net/tcp.rs",
		  "tokio/src/net/tcp.rs", true },
		{ "/home/user/.cargo/git/checkouts/mini-redis-5f1b0c9de8f2a77e/e186482/src/server.rs",
		  "mini-redis/src/server.rs", true },
		{ "/c/git/checkouts/mini-redis-5f1b0c9de8f2a77e/e186482/examples/chat.rs",
		  "mini-redis/examples/chat.rs", true },
		{ "/c/git/checkouts/odd-5f1b0c9de8f2a77e/e186482/lib.rs", "odd/lib.rs", true },
		{ "/c/git/checkouts/plain/e186482/src/lib.rs", "plain/src/lib.rs", true },
		/* std */
		{ "/rustc/" COMMIT "/library/core/src/future/poll_fn.rs",
		  "core/src/future/poll_fn.rs", true },
		{ "/rustc/" COMMIT "/library/std/src/sys/mod.rs", "std/src/sys/mod.rs", true },
		{ "/rustc/" COMMIT "/src/libcore/future/mod.rs", "src/libcore/future/mod.rs", true },
		{ "/rustc/1.85.0/library/alloc/src/boxed.rs", "alloc/src/boxed.rs", true },
		{ "/usr/src/rustc-1.85.0/library/core/src/task.rs", "core/src/task.rs", true },
		{ "/usr/src/rustc-1.85.0/vendor/hashbrown-0.15.2/src/raw/mod.rs",
		  "hashbrown-0.15.2/src/raw/mod.rs", true },
		{ "/rust/deps/hashbrown-0.15.2/src/map.rs", "hashbrown-0.15.2/src/map.rs", false },
		/* one's own */
		{ "/home/me/shop/cart/src/main.rs", "cart/src/main.rs", false },
		{ "/home/me/src/shop/cart/src/api/mod.rs", "cart/src/api/mod.rs", false },
		{ "/home/me/shop/cart/src/bin/web.rs", "cart/src/bin/web.rs", false },
		{ "/home/me/shop/cart/examples/demo.rs", "cart/examples/demo.rs", false },
		{ "/home/me/shop/cart/tests/it/main.rs", "cart/tests/it/main.rs", false },
		{ "/home/me/rustc/shop/src/lib.rs", "shop/src/lib.rs", false },
		{ "/home/me/shop/vendor/hyper/src/lib.rs", "hyper/src/lib.rs", false },
		{ "/b/target/release/build/proto-1c2d3e4f/out/grpc.rs", "proto-1c2d3e4f/out/grpc.rs",
		  false },
		{ "/src/main.rs", "src/main.rs", false },
		{ "/app/src/main.rs", "app/src/main.rs", false },
		{ "/app/main.rs", "app/main.rs", false },
		{ "/home/me/scratch/one.rs", "scratch/one.rs", false },
		{ "/one.rs", "one.rs", false },
		/* relative: remapped, or as cargo hands it on */
		{ "src/main.rs", "src/main.rs", false },
		{ "./src/main.rs", "src/main.rs", false },
		{ "cart/src/main.rs", "cart/src/main.rs", false },
		{ "shop/cart/src/main.rs", "cart/src/main.rs", false },
		{ "one.rs", "one.rs", false },
		{ "a/b/c/d.rs", "a/b/c/d.rs", false },
		{ "../shared/src/lib.rs", "shared/src/lib.rs", false },
		{ "../../lib.rs", "../../lib.rs", false },
		/* ".." and "." inside */
		{ "/home/me/shop/cart/../shared/src/./lib.rs", "shared/src/lib.rs", false },
		{ "/home/me/shop/cart/src/../../common/log.rs", "common/log.rs", false },
		{ "/../../x/src/a.rs", "x/src/a.rs", false },
		{ "/home//me/shop///cart//src/main.rs", "cart/src/main.rs", false },
		/* Windows */
		{ "C:\\Users\\me\\.cargo\\registry\\src\\index.crates.io-1949\\hyper-1.6.0\\src\\lib.rs",
		  "hyper-1.6.0/src/lib.rs", true },
		{ "D:\\shop\\cart\\src\\api\\mod.rs", "cart/src/api/mod.rs", false },
		{ "D:/shop\\cart/src\\main.rs", "cart/src/main.rs", false },
		{ "C:\\src\\main.rs", "src/main.rs", false },
		{ "src\\bin\\x.rs", "src/bin/x.rs", false },
		{ "/home/me/odd\\name/src/x.rs", "odd\\name/src/x.rs", false },
		/* nothing */
		{ "", "", false },
		{ "/", "", false },
		{ ".", "", false },
		{ "src", "src", false },
		{ "/registry/src", "registry/src", false },
		{ "/git/checkouts/x/y", "x/y", false },
		{ "/rustc/" COMMIT, "rustc/" COMMIT, false },
		{ "/rustc/" COMMIT "/library", COMMIT "/library", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char out[CRATE_PATH_MAX];

		assert_string_equal(crate_path(cases[i].path, out), cases[i].want);
		if (crate_path__foreign(cases[i].path) != cases[i].foreign)
			fail_msg("%s is %sforeign", cases[i].path, cases[i].foreign ? "not " : "");
	}
}

static void long_paths(void **state)
{
	char path[4096], out[CRATE_PATH_MAX];
	size_t len = 0;

	(void)state;
	strcpy(path, "/x/crate/src");
	for (int i = 0; i < 60; i++)
		strcat(path, "/rather-deep");
	strcat(path, "/end.rs");
	crate_path(path, out);
	len = strlen(out);
	assert_true(len < CRATE_PATH_MAX);
	assert_string_equal(out + len - 17, "ather-deep/end.rs");
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	crate_path(path, out);
	assert_int_equal(strlen(out), CRATE_PATH_MAX - 1);
}

/* Whatever a file says: what comes out ends as the path does, and gets no longer if done again. */
static void any_path(void **state)
{
	static const char *const parts[] = { "/", "/", "/", "src", "..", ".", "registry", "git",
					     "checkouts", "rustc", "1234567", "a-b", "out", "build",
					     "\\", "C:", "library", "tests", "x.rs" };
	uint64_t seed = 7;

	(void)state;
	for (int round = 0; round < 100000; round++) {
		char path[256] = "", out[CRATE_PATH_MAX], again[CRATE_PATH_MAX];

		for (uint64_t n = below(&seed, 20); n--;)
			strcat(path, parts[below(&seed, sizeof(parts) / sizeof(*parts))]);
		strcat(path, "/m.rs");
		crate_path(path, out);
		assert_string_equal(out + strlen(out) - 4, "m.rs");
		assert_null(strstr(out, "//"));
		assert_true(strlen(crate_path(out, again)) <= strlen(out));
	}
}

static void needed(void **state)
{
	(void)state;
	assert_true(crate_path__needed("mod.rs"));
	assert_true(crate_path__needed("lib.rs"));
	assert_false(crate_path__needed("main.rs"));
	assert_false(crate_path__needed("web.rs"));
	assert_false(crate_path__needed(""));
}

static void generated(void **state)
{
	(void)state;
	assert_true(crate_path__generated("/srv/app/target/release/build/app-1f2e/out/app.Front.rs"));
	assert_true(crate_path__generated("target/x86_64/debug/build/app-1f2e/out/a/b.rs"));
	assert_false(crate_path__generated("/srv/build/app/src/out.rs"));
	assert_false(crate_path__generated("/srv/build/app/out"));
	assert_false(crate_path__generated("src/main.rs"));
	assert_false(crate_path__generated(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(named),
		cmocka_unit_test(long_paths),
		cmocka_unit_test(any_path),
		cmocka_unit_test(needed),
		cmocka_unit_test(generated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
