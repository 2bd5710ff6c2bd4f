// SPDX-License-Identifier: GPL-2.0
/*
 * Where functions and instructions begin: by .eh_frame, whole and damaged, and by
 * decoding code made by hand and the code of real programs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image_code.h"
#include "image_program.h"

#include "image/boundary.h"
#include "image/eh_frame.h"

#define BASE	0x11000u
#define TABLE	(BASE + 256)

/* Code at BASE, and the table of its functions at TABLE. */
struct code {
	uint8_t		 bytes[256 + CODE_FRAMES_MAX];
	struct segment	 seg;
	struct binary	 b;
};

static void make(struct code *c, const void *bytes, size_t n, const struct code_fn *fns, size_t nr)
{
	memset(c, 0, sizeof(*c));
	memcpy(c->bytes, bytes, n);
	code_frames(c->bytes + 256, TABLE, fns, nr);
	c->seg = (struct segment){ .vaddr = BASE, .file_size = sizeof(c->bytes), .exec = true,
				   .bytes = { c->bytes, sizeof(c->bytes) } };
	c->b = (struct binary){ .fd = -1, .size = sizeof(c->bytes), .segs = &c->seg,
				.nr_segs = 1, .eh_frame_hdr = TABLE };
}

/* What is known of each byte: '.' nothing, 'i' an instruction, 'r' one behind a call. */
static void assert_marks(const void *bytes, size_t n, const char *want)
{
	struct code_fn fn = { BASE, n };
	struct boundaries *bs;
	char got[64] = "";
	struct code c;

	make(&c, bytes, n, &fn, 1);
	bs = boundaries__new(&c.b);
	assert_non_null(bs);
	for (size_t i = 0; i <= n; i++)
		got[i] = boundaries__is_return(bs, BASE + i) ? 'r' :
			 boundaries__is_insn(bs, BASE + i)   ? 'i' : '.';
	assert_string_equal(got, want);
	assert_true(boundaries__is_entry(bs, BASE));
	assert_false(boundaries__is_entry(bs, BASE + 1));
	assert_false(boundaries__is_insn(bs, BASE - 1));
	boundaries__free(bs);
}

#define MARKS(want, ...) do {						\
	static const uint8_t bytes_[] = { __VA_ARGS__ };		\
	assert_marks(bytes_, sizeof(bytes_), want);			\
} while (0)

static void instructions(void **state)
{
	(void)state;
	/* push; sub; call; add; pop; ret */
	MARKS("ii...i....r...ii.", 0x55, 0x48, 0x83, 0xec, 0x08, 0xe8, 0, 0, 0, 0, 0x48, 0x83, 0xc4,
	      0x08, 0x5d, 0xc3);
	/* call *(%rax); ret */
	MARKS("i.r.", 0xff, 0x10, 0xc3);
	/* a branch to an instruction, and one into the middle of one */
	MARKS("i.i.i.", 0x74, 0x02, 0x31, 0xc0, 0xc3);
	MARKS("......", 0x74, 0x01, 0x31, 0xc0, 0xc3);
	/* one that leaves the function says nothing of it */
	MARKS("i.i.", 0x74, 0x70, 0xc3);
	/* no instruction; one that is cut off by the function's end */
	MARKS("....", 0x90, 0x06, 0xc3);
	MARKS("....", 0x90, 0x48, 0x8b);
}

static void table_of(struct code *c, struct eh_frame *t)
{
	assert_int_equal(eh_frame__load(t, &c->b), 0);
}

static void tables(void **state)
{
	static const struct code_fn fns[] = { { BASE + 32, 16 }, { BASE, 8 }, { BASE + 8, 0 },
					      { BASE + 16, 8 } };
	struct eh_frame t;
	struct code c;

	(void)state;
	make(&c, "", 0, fns, 4);
	table_of(&c, &t);
	assert_int_equal(t.nr, 3);	/* an empty one is none */
	for (uint64_t i = 0; i < 64; i++) {
		const struct eh_range *r = eh_frame__find(&t, BASE + i);
		uint64_t want = i < 8 ? BASE : i >= 16 && i < 24 ? BASE + 16 :
				i >= 32 && i < 48 ? BASE + 32 : 0;

		assert_int_equal(r ? r->start : 0, want);
	}
	eh_frame__free(&t);
	c.b.eh_frame_hdr = 0;
	table_of(&c, &t);
	assert_int_equal(t.nr, 0);
	assert_null(eh_frame__find(&t, BASE));
	c.b.eh_frame_hdr = 0x900000;	/* where nothing is loaded */
	table_of(&c, &t);
	assert_int_equal(t.nr, 0);
}

/* Functions that the table says overlap end where the next one begins. */
static void overlapping(void **state)
{
	static const struct code_fn fns[] = { { BASE, 64 }, { BASE + 8, 64 }, { BASE + 8, 32 },
					      { BASE + 40, 8 } };
	static const struct eh_range want[] = { { BASE, BASE + 8 }, { BASE + 8, BASE + 40 },
						{ BASE + 40, BASE + 48 } };
	struct eh_frame t;
	struct code c;

	(void)state;
	make(&c, "", 0, fns, 4);
	table_of(&c, &t);
	assert_int_equal(t.nr, 3);
	assert_memory_equal(t.ranges, want, sizeof(want));
	eh_frame__free(&t);
}

/* However often and in whatever order is asked, no byte of code is decoded twice. */
static void decoded_once(void **state)
{
	static const struct code_fn fns[] = { { BASE, 128 }, { BASE + 32, 96 }, { BASE + 64, 64 },
					      { BASE + 96, 32 }, { BASE + 96, 16 } };
	uint8_t nops[128];
	struct boundaries *bs;
	struct code c;

	(void)state;
	memset(nops, 0x90, sizeof(nops));
	make(&c, nops, sizeof(nops), fns, 5);
	bs = boundaries__new(&c.b);
	assert_int_equal(boundaries__decoded(bs), 0);
	for (int i = 0; i < 1000; i++)
		assert_true(boundaries__is_insn(bs, BASE + (uint64_t)i * 32 % 128));
	assert_int_equal(boundaries__decoded(bs), 128);
	boundaries__free(bs);
	/* segments that share their bytes: there may be more code than there is file */
	make(&c, nops, sizeof(nops), fns, 5);
	c.b.size = 48;
	bs = boundaries__new(&c.b);
	for (int i = 0; i < 1000; i++)
		boundaries__is_insn(bs, BASE + (uint64_t)i * 32 % 128);
	assert_int_equal(boundaries__decoded(bs), 32);
	boundaries__free(bs);
}

/* Each byte of the table replaced by each of a few others, and the table cut off. */
static void damaged(void **state)
{
	static const struct code_fn fns[] = { { BASE, 8 }, { BASE + 16, 8 } };
	static const uint8_t bad[] = { 0, 1, 2, 0x0b, 0x1b, 0x50, 0x7f, 0x80, 0xff };
	struct eh_frame t;
	struct code c;

	(void)state;
	for (size_t at = 0; at < 96; at++) {
		for (size_t i = 0; i < sizeof(bad); i++) {
			make(&c, "", 0, fns, 2);
			c.bytes[256 + at] = bad[i];
			table_of(&c, &t);
			assert_true(t.nr <= 4);
			eh_frame__free(&t);
		}
		make(&c, "", 0, fns, 2);
		c.seg.file_size = 256 + at;
		table_of(&c, &t);
		assert_true(t.nr <= 2);
		eh_frame__free(&t);
	}
}

/* Every function of a real program that has a symbol: symbol and table agree. */
static void real_program(void **state)
{
	size_t known = 0, same = 0, sound = 0;
	struct boundaries *bs;
	struct eh_frame t;
	struct binary b;
	const char *why;

	(void)state;
	if (!build_tokio("-O", "program"))
		skip();
	assert_int_equal(binary__open(&b, at("program"), &why), 0);
	assert_int_equal(binary__load_symbols(&b, b.elf), 0);
	assert_int_equal(eh_frame__load(&t, &b), 0);
	bs = boundaries__new(&b);
	for (size_t i = 0; i < b.nr_syms; i++) {
		const struct eh_range *r = eh_frame__find(&t, b.syms[i].vaddr);

		if (!b.syms[i].size || !r)
			continue;
		known++;
		same += r->start == b.syms[i].vaddr && r->end - r->start == b.syms[i].size;
		sound += boundaries__is_insn(bs, b.syms[i].vaddr);
	}
	if (known < 20 || same < known - known / 64 || sound < known - known / 64)
		fail_msg("of %zu functions %zu are the table's, %zu can be decoded", known, same,
			 sound);
	boundaries__free(bs);
	eh_frame__free(&t);
	binary__close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instructions),
		cmocka_unit_test(tables),
		cmocka_unit_test(overlapping),
		cmocka_unit_test(decoded_once),
		cmocka_unit_test(damaged),
		cmocka_unit_test(real_program),
	};

	return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
