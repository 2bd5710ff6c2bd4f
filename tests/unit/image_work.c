// SPDX-License-Identifier: GPL-2.0
/*
 * The work of reading a program is proportional to its size, whatever it contains. The lists
 * that this depends on are compared with simple searches.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "image_program.h"

#include "image/copies.h"
#include "tests/unit/trace_random.h"

static double cpu_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* @write puts out @nr of something, and the end of the program. */
static void build(const char *name, void (*write)(FILE *out, unsigned int nr), unsigned int nr)
{
	FILE *out = fopen(at("%s.s", name), "we");

	assert_non_null(out);
	fprintf(out, ".text\n.globl _start\n.type _start,@function\n_start: .cfi_startproc\nret\n"
		".cfi_endproc\n.size _start,.-_start\n");
	write(out, nr);
	assert_int_equal(fclose(out), 0);
	sh("cd %s && gcc -nostdlib -static -Wl,--eh-frame-hdr %s.s -o %s", program_dir, name, name);
}

static double time_of(const char *name)
{
	const struct image_opts opts = { .cache_dir = "" };
	double best = 1e9;

	for (int i = 0; i < 3; i++) {
		double began = cpu_now();
		struct image *img;
		const char *why;
		int err = image__open(at("%s", name), &opts, &img, &why);

		if (err)
			fail_msg("%d: %s", err, why);
		began = cpu_now() - began;
		image__free(img);
		best = began < best ? began : best;
	}
	return best;
}

static void assert_in_proportion(void (*write)(FILE *out, unsigned int nr), unsigned int nr)
{
	double times;

	build("small", write, nr);
	build("large", write, 4 * nr);
	times = time_of("large") / time_of("small");
	if (times > 8)
		fail_msg("four times as much takes %.1f times as long", times);
}

#define POLL	"_ZN5tokio7runtime4task3raw4poll17h0123456789a%05xE"

/* A function with calls through the tables of tasks. */
static void table_calls(FILE *out, unsigned int nr)
{
	fprintf(out, ".type " POLL ",@function\n" POLL ": .cfi_startproc\npush %%rbx\n.rept %u\n"
		"mov %%rbx,%%rdi\nmov 0x10(%%rdi),%%rax\ncall *(%%rax)\n.endr\npop %%rbx\nret\n.cfi_endproc\n"
		".size " POLL ",.-" POLL "\n", 0, 0, nr, 0, 0);
}

/* Poll functions, by their symbols. */
static void polls(FILE *out, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		fprintf(out, ".type " POLL ",@function\n" POLL ": .cfi_startproc\npush %%rbx\n"
			"pop %%rbx\nret\n.cfi_endproc\n.size " POLL ",.-" POLL "\n", i, i, i, i);
}

static void returns_of_polls(void **state)
{
	(void)state;
	assert_in_proportion(table_calls, 20000);
}

static void poll_functions(void **state)
{
	(void)state;
	assert_in_proportion(polls, 8000);
}

/* Functions and instances in disorder, many at one address or of one entry. */
static void copies(void **state)
{
	enum { NR = 500 };
	static uint8_t dies[NR];
	static struct scan_fn fns[NR];
	static struct scan_instance instances[NR];
	struct scan sc = { .fns = fns, .instances = instances, .nr_fns = NR, .nr_instances = NR };
	struct copies c;
	uint64_t seed = 17;

	(void)state;
	for (int i = 0; i < NR; i++) {
		fns[i] = (struct scan_fn){ .die = &dies[below(&seed, NR)],
					   .low_pc = below(&seed, NR),
					   .has_pc = below(&seed, 2) };
		instances[i] = (struct scan_instance){ .die = &dies[below(&seed, NR)],
						       .origin = &dies[below(&seed, NR / 4)],
						       .low_pc = below(&seed, NR) };
	}
	assert_int_equal(copies__make(&c, &sc), 0);
	for (uint64_t i = 0; i < NR; i++) {
		const uint8_t *first = NULL;
		size_t nr, nr_want = 0;
		const uint32_t *of = copies__of(&c, &dies[i], &nr);

		for (uint32_t k = 0; k < NR; k++)
			if (instances[k].origin == &dies[i]) {
				assert_in_range(nr_want, 0, nr);
				assert_int_equal(of[nr_want++], k);
			}
		assert_int_equal(nr, nr_want);
		for (uint32_t k = NR; k--;)
			if (instances[k].low_pc == i)
				first = instances[k].die;
		for (uint32_t k = NR; k--;)
			if (fns[k].has_pc && fns[k].low_pc == i)
				first = fns[k].die;
		assert_ptr_equal(copies__at(&c, i), first);
	}
	copies__free(&c);
	sc.nr_fns = sc.nr_instances = 0;
	assert_int_equal(copies__make(&c, &sc), 0);
	assert_null(copies__at(&c, 0));
	copies__free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(returns_of_polls),
		cmocka_unit_test(poll_functions),
		cmocka_unit_test(copies),
	};

	return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
