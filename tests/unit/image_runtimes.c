// SPDX-License-Identifier: GPL-2.0
/*
 * Which runtimes a program has, by the names of its functions in either mangling
 * scheme; and what is said of one that has none that is followed.
 */
#include "image_program.h"

static void assert_runtimes(const char *symbol, const char *others, const char *hint)
{
	struct image_opts opts = { .cache_dir = "" };
	struct image *img;
	char names[128];
	const char *why;

	sh("cd %s && printf 'void %s(void) {} int main(void) { return 0; }' >r.c && cc -O1 -o r r.c",
	   program_dir, symbol);
	assert_int_equal(image__open(at("r"), &opts, &img, &why), 0);
	assert_string_equal(image__runtime_names(img, true, names, sizeof(names)), "");
	assert_string_equal(image__runtime_names(img, false, names, sizeof(names)), others);
	assert_int_equal(image__tier(img), IMAGE_TIER_NONE);
	if (!strstr(image__tier_hint(img), hint))
		fail_msg("%s: %s", symbol, image__tier_hint(img));
	image__free(img);
}

static void named(void **state)
{
	static const struct {
		const char	*symbol, *others;
	} wants[] = {
		{ "_ZN14compio_runtime7Runtime3run17h0123456789abcdefE", "compio" },
		{ "_RNvMs_NtCs4fqI2P2rA04_14compio_runtime7RuntimeE3run", "compio" },
		{ "_RNvC7glommio8executor", "glommio" },
		{ "_ZN7glommio8executor13LocalExecutor3run17h0123456789abcdefE", "glommio" },
		{ "_ZN4glib12main_context11MainContext5spawnE", "glib" },
		/* of the crate, but no runtime; of another crate that is called so in part */
		{ "_ZN4glib5value5Value3newE", "" },
		{ "_ZN7monoio_3runE", "" },
		{ "_ZN3app6monoio3runE", "" },
		{ "_RNvCs4fqI2P2rA04_3app16monoio", "" },
		{ "monoio", "" },
		{ "_R", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wants) / sizeof(*wants); i++)
		assert_runtimes(wants[i].symbol, wants[i].others,
				*wants[i].others ? wants[i].others : "no async runtime");
}

static void several(void **state)
{
	(void)state;
	assert_runtimes("_ZN6monoio3runE(void) {} void _ZN7glommio3runE", "glommio, monoio",
			"its runtime is glommio, monoio, which dwell does not record");
}

/* There is room for some of the names only. */
static void cut(void **state)
{
	struct image_opts opts = { .cache_dir = "" };
	struct image *img;
	char names[6];
	const char *why;

	(void)state;
	assert_int_equal(image__open(at("r"), &opts, &img, &why), 0);
	assert_string_equal(image__runtime_names(img, false, names, sizeof(names)), "glomm");
	image__free(img);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(named),
		cmocka_unit_test(several),
		cmocka_unit_test(cut),
	};

	return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
