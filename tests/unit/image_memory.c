// SPDX-License-Identifier: GPL-2.0
/*
 * Models that are made while memory runs out, at each allocation in turn: the
 * model is the usual one, or there is an error that says that there is no memory.
 * The file is not reported as truncated, and nothing is missing silently.
 *
 * image_memory [STEP]	(only each STEP-th allocation)
 */
#include <errno.h>

#include "failing_malloc.h"
#include "image_program.h"

static uint64_t step;

static int open_quietly(const char *path, const char *debug, char **text, char said[600])
{
	const struct image_opts opts = { .cache_dir = "", .jobs = 1, .debug_file = debug };
	struct image *img;
	const char *why;
	int err;

	*text = NULL;
	said[0] = '\0';
	err = image__open(path, &opts, &img, &why);
	memory__stop();		/* printing is the caller's */
	if (err) {
		assert_null(img);
		snprintf(said, 600, "%s", why);
		return err;
	}
	*text = image_text(img);
	image__free(img);
	return 0;
}

static void expect_same(uint64_t i, bool for_good, const char *is, const char *want)
{
	size_t at = 0;

	while (is[at] && is[at] == want[at])
		at++;
	if (is[at] != want[at])
		fail_msg("allocation %llu%s: differs at byte %zu: '%.80s', not '%.80s'",
			 (unsigned long long)i, for_good ? " and all then" : "", at,
			 is + (at < 20 ? 0 : at - 20), want + (at < 20 ? 0 : at - 20));
}

static void try_all(const char *path, const char *debug)
{
	char said[600], *good, *text;
	uint64_t nr, by;
	int err;

	memory__start(UINT64_MAX, false);
	assert_int_equal(open_quietly(path, debug, &good, said), 0);
	nr = memory.nr;
	assert_true(nr > 20);
	/* some thousand of them, and never the same remainders */
	by = step ? step : nr / 1500 + 1;
	for (uint64_t i = 0; i < nr; i += by)
		for (int for_good = 0; for_good < 2; for_good++) {
			memory__start(i, for_good);
			err = open_quietly(path, debug, &text, said);
			/* what libraries set up once makes the first run the longest */
			if (!memory.failed && !memory.spared)
				assert_true(i > nr - nr / 10 - 20);
			if (!err)
				expect_same(i, for_good, text, good);
			else if (err != -ENOMEM || !strstr(said, "out of memory"))
				fail_msg("allocation %llu of %llu%s: %d: %s", (unsigned long long)i,
					 (unsigned long long)nr, for_good ? " and all then" : "",
					 err, said);
			free(text);
		}
	free(good);
}

static void c_program(void **state)
{
	static const char *const flags[] = { "-g", "-g -gz", "-g -gdwarf-4", "-g -gsplit-dwarf", "-s" };
	static const char source[] = "struct link { struct link *next; } l;\n"
				     "int main(void) { return l.next != 0; }\n";
	char path[PATH_MAX];

	(void)state;
	if (!CAN_FAIL || !try_sh("command -v gcc"))
		skip();
	write_file(at("prog.c"), source, strlen(source));
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		sh("cd %s && gcc -O1 %s -Wl,--build-id prog.c -o prog", program_dir, flags[i]);
		snprintf(path, sizeof(path), "%s", at("prog"));
		try_all(path, NULL);
	}
}

static void debug_file(void **state)
{
	char path[PATH_MAX], debug[PATH_MAX];

	(void)state;
	if (!CAN_FAIL || !try_sh("command -v gcc && command -v objcopy && command -v strip"))
		skip();
	sh("cd %s && gcc -O1 -g -Wl,--build-id prog.c -o prog && "
	   "objcopy --only-keep-debug prog prog.debug && strip prog && "
	   "objcopy --add-gnu-debuglink=prog.debug prog", program_dir);
	snprintf(path, sizeof(path), "%s", at("prog"));
	snprintf(debug, sizeof(debug), "%s", at("prog.debug"));
	try_all(path, NULL);
	try_all(path, debug);
}

static void rust_program(void **state)
{
	char path[PATH_MAX];

	(void)state;
	if (!CAN_FAIL || !build_tokio("-O", "rust"))
		skip();
	snprintf(path, sizeof(path), "%s", at("rust"));
	try_all(path, NULL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(c_program),
		cmocka_unit_test(debug_file),
		cmocka_unit_test(rust_program),
	};

	if (argc > 1)
		step = strtoull(argv[1], NULL, 0);
	return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
