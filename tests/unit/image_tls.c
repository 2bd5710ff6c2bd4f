// SPDX-License-Identifier: GPL-2.0
/*
 * Where a thread-local variable is, from the file alone: as the program itself
 * finds it, whatever the alignment of its block and however it is linked.
 */
#include "image_program.h"

#include "image/tls.h"

/* Prints how far the variable is from the thread pointer. */
static const char source[] =
	"#include <stdio.h>\n"
	"#define VAR _ZN5tokio7runtime7context7CONTEXT3VALE\n"
	"#ifdef ODD\n"
	"__thread char first[ODD] = \"first\";\n"
	"#endif\n"
	"__thread char VAR[72] __attribute__((aligned(ALIGN)));\n"
	"__thread char last[13];\n"
	"int main(void) {\n"
	"	void *self;\n"
	"	__asm__(\"mov %%fs:0, %0\" : \"=r\"(self));\n"
	"	printf(\"%ld\\n\", (long)((char *)VAR - (char *)self));\n"
	"	return !last[0] ? 0 : 1;\n"
	"}\n";

static void finds(const char *flags)
{
	const struct image_tls *found;
	struct model m;
	struct binary b;
	const char *why;
	long want = 0;
	FILE *out;

	sh("cd %s && cc -O1 %s -o tls tls.c && ./tls >out", program_dir, flags);
	out = fopen(at("out"), "re");
	assert_non_null(out);
	assert_int_equal(fscanf(out, "%ld", &want), 1);
	fclose(out);
	assert_true(want < 0);

	model__init(&m);
	assert_int_equal(binary__open(&b, at("tls"), &why), 0);
	assert_int_equal(tls__find(&m, &b, b.elf), 0);
	assert_int_equal(m.tables[MODEL_TLS].nr, 1);
	found = model__at(&m, MODEL_TLS, 0);
	assert_int_equal(found->off, want);
	assert_int_equal(found->size, 72);
	binary__close(&b);
	model__free(&m);
}

static void as_the_program_does(void **state)
{
	static const char *const aligns[] = { "-DALIGN=1", "-DALIGN=8", "-DALIGN=64", "-DALIGN=256" };
	static const char *const odds[] = { "", "-DODD=1", "-DODD=7", "-DODD=129" };
	static const char *const links[] = { "", "-static", "-no-pie", "-fPIC -pie" };
	char flags[128];

	(void)state;
	write_file(at("tls.c"), source, strlen(source));
	for (size_t a = 0; a < 4; a++)
		for (size_t o = 0; o < 4; o++) {
			snprintf(flags, sizeof(flags), "%s %s %s", aligns[a], odds[o], links[(a + o) % 4]);
			finds(flags);
		}
}

static void none_without_the_variable(void **state)
{
	struct model m;
	struct binary b;
	const char *why;

	(void)state;
	sh("cd %s && echo '__thread int context; int main(void) { return context; }' >plain.c && "
	   "cc -o plain plain.c && echo 'int main(void) { return 0; }' >none.c && cc -o none none.c",
	   program_dir);
	model__init(&m);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(binary__open(&b, at(i ? "plain" : "none"), &why), 0);
		assert_int_equal(tls__find(&m, &b, b.elf), 0);
		binary__close(&b);
	}
	assert_int_equal(m.tables[MODEL_TLS].nr, 0);
	model__free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_program_does),
		cmocka_unit_test(none_without_the_variable),
	};

	return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
