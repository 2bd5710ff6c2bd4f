// SPDX-License-Identifier: GPL-2.0
/*
 * The instructions of functions made by hand: what each of them is, where they lead, what
 * a call has for its first argument; and what the code of a block_on is taken for by them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/image_code.h"

#include "image/reach.h"
#include "image/root_copy.h"

#define BASE	0x11000u
#define TABLE	(BASE + 512)

/* Code at BASE, and the table of its functions at TABLE. */
struct code {
	uint8_t			 bytes[512 + CODE_FRAMES_MAX];
	struct segment		 seg;
	struct binary		 b;
	struct boundaries	*bs;
};

static void make(struct code *c, const void *bytes, size_t n, const struct code_fn *fns, size_t nr)
{
	memset(c, 0, sizeof(*c));
	assert_true(n <= 512);
	memcpy(c->bytes, bytes, n);
	code_frames(c->bytes + 512, TABLE, fns, nr);
	c->seg = (struct segment){ .vaddr = BASE, .file_size = sizeof(c->bytes), .exec = true,
				   .bytes = { c->bytes, sizeof(c->bytes) } };
	c->b = (struct binary){ .fd = -1, .size = sizeof(c->bytes), .segs = &c->seg,
				.nr_segs = 1, .eh_frame_hdr = TABLE };
	c->bs = boundaries__new(&c->b);
	assert_non_null(c->bs);
}

/* One function of all of the @n bytes. */
static void decode(struct code *c, struct reach *r, const void *bytes, size_t n)
{
	struct code_fn fn = { BASE, n };

	make(c, bytes, n, &fn, 1);
	assert_int_equal(reach__decode(r, &c->b, c->bs, BASE + n / 2), 0);
	for (size_t i = 0; i < r->nr; i++) {
		assert_false(r->leads[i]);
		assert_int_equal(reach__at(r, r->insns[i].vaddr), i);
	}
}

static void drop(struct code *c, struct reach *r)
{
	reach__free(r);
	assert_int_equal(r->nr, 0);
	boundaries__free(c->bs);
}

#define DECODE(c, r, ...) do {						\
	static const uint8_t bytes_[] = { __VA_ARGS__ };		\
	decode(c, r, bytes_, sizeof(bytes_));				\
} while (0)

/* ---- kinds ---- */

static void assert_insn(const struct reach *r, size_t i, uint64_t off, unsigned int kind,
			uint64_t target)
{
	assert_true(i < r->nr);
	if (r->insns[i].vaddr != BASE + off || r->insns[i].kind != kind ||
	    r->insns[i].target != (target ? BASE + target : 0))
		fail_msg("%zu: at %llx, kind %u, target %llx", i,
			 (unsigned long long)r->insns[i].vaddr, r->insns[i].kind,
			 (unsigned long long)r->insns[i].target);
}

static void kinds(void **state)
{
	struct code c;
	struct reach r;

	(void)state;
	DECODE(&c, &r,
	       0x90,					/* 0: nop */
	       0x74, 0x10,				/* 1: je 13 */
	       0xeb, 0x01,				/* 3: jmp 6 */
	       0x90,
	       0xe8, 0x15, 0, 0, 0,			/* 6: call 20 */
	       0xff, 0x15, 0x1e, 0, 0, 0,		/* b: call *[rip + 1e]: 2f */
	       0xff, 0xd0,				/* 11: call rax */
	       0xff, 0x50, 0x08,			/* 13: call [rax + 8] */
	       0xff, 0xe1,				/* 16: jmp rcx */
	       0xff, 0x24, 0xc5, 0, 0, 0, 0,		/* 18: jmp [8 rax] */
	       0x0f, 0x0b,				/* 1f: ud2 */
	       0xf4, 0xcc,				/* 21: hlt; int3 */
	       0xc3,					/* 23: ret */
	       0xe9, 0x00, 0x01, 0, 0,			/* 24: jmp 129, elsewhere */
	       0xe3, 0xd6);				/* 29: jrcxz 1 */
	assert_insn(&r, 0, 0, REACH_PLAIN, 0);
	assert_insn(&r, 1, 1, REACH_BRANCH, 0x13);
	assert_insn(&r, 2, 3, REACH_JUMP, 6);
	assert_insn(&r, 4, 6, REACH_CALL, 0x20);
	assert_insn(&r, 5, 0xb, REACH_CALL_WORD, 0x2f);
	assert_insn(&r, 6, 0x11, REACH_CALL_UNKNOWN, 0);
	assert_int_not_equal(r.insns[6].reg, 0);
	assert_insn(&r, 7, 0x13, REACH_CALL_UNKNOWN, 0);
	assert_int_equal(r.insns[7].reg, 0);
	assert_insn(&r, 8, 0x16, REACH_JUMP_UNKNOWN, 0);
	assert_insn(&r, 9, 0x18, REACH_JUMP_UNKNOWN, 0);
	assert_insn(&r, 10, 0x1f, REACH_STOP, 0);
	assert_insn(&r, 11, 0x21, REACH_STOP, 0);
	assert_insn(&r, 12, 0x22, REACH_STOP, 0);
	assert_insn(&r, 13, 0x23, REACH_RETURN, 0);
	assert_insn(&r, 14, 0x24, REACH_JUMP, 0x129);
	assert_insn(&r, 15, 0x29, REACH_BRANCH, 1);
	assert_int_equal(r.nr, 16);
	for (size_t i = 0; i < r.nr; i++) {
		static const bool on[16] = { 1, 1, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1 };

		assert_int_equal(reach__goes_on(&r.insns[i]), on[i]);
	}
	/* between instructions, before and behind them */
	assert_int_equal(reach__at(&r, BASE + 2), r.nr);
	assert_int_equal(reach__at(&r, BASE - 1), r.nr);
	assert_int_equal(reach__at(&r, BASE + 0x2b), r.nr);
	assert_int_equal(reach__at(&r, ~0ull), r.nr);
	drop(&c, &r);
}

/* What a register is read from, for a call of what is in it. */
static void words(void **state)
{
	struct code c;
	struct reach r;

	(void)state;
	DECODE(&c, &r,
	       0x48, 0x8b, 0x1d, 0x10, 0, 0, 0,	/* 0: mov rbx, [rip + 10]: 17 */
	       0x48, 0x8b, 0x03,		/* 7: mov rax, [rbx] */
	       0x48, 0x8d, 0x05, 0x10, 0, 0, 0,	/* a: lea rax, [rip + 10] */
	       0xff, 0xd3);			/* 11: call rbx */
	assert_insn(&r, 0, 0, REACH_PLAIN, 0x17);
	assert_insn(&r, 1, 7, REACH_PLAIN, 0);
	assert_insn(&r, 2, 0xa, REACH_PLAIN, 0);
	assert_int_equal(r.insns[0].reg, r.insns[3].reg);
	assert_int_equal(r.insns[1].reg, 0);
	assert_int_equal(r.insns[2].reg, 0);
	drop(&c, &r);
}

/* What is no function, or no code. */
static void refused(void **state)
{
	static const uint8_t bytes[] = { 0x90, 0xc3, 0xcc, 0x90, 0x06, 0xc3, 0x48, 0x8b };
	static const struct code_fn fns[] = { { BASE, 2 }, { BASE + 3, 3 }, { BASE + 6, 2 },
					      { BASE + 0x800, 16 }, { BASE + 1000, 4096 } };
	struct code c;
	struct reach r;

	(void)state;
	make(&c, bytes, sizeof(bytes), fns, 5);
	assert_int_equal(reach__decode(&r, &c.b, c.bs, BASE + 1), 0);
	assert_int_equal(r.nr, 2);
	reach__free(&r);
	/* between functions; no instruction; one that is cut off; not loaded, or in part */
	assert_int_equal(reach__decode(&r, &c.b, c.bs, BASE + 2), -ENOENT);
	assert_int_equal(reach__decode(&r, &c.b, c.bs, BASE + 3), -ENOENT);
	assert_int_equal(reach__decode(&r, &c.b, c.bs, BASE + 6), -ENOENT);
	assert_int_equal(reach__decode(&r, &c.b, c.bs, BASE + 0x800), -ENOENT);
	assert_int_equal(reach__decode(&r, &c.b, c.bs, BASE + 1000), -ENOENT);
	assert_int_equal(reach__decode(&r, &c.b, c.bs, 0), -ENOENT);
	assert_int_equal(r.nr, 0);
	assert_null(r.insns);
	reach__free(&r);
	/* code that is not executable is none */
	c.seg.exec = false;
	assert_int_equal(reach__decode(&r, &c.b, c.bs, BASE + 1), -ENOENT);
	boundaries__free(c.bs);
}

/* A function of 1 MiB is looked at, and none that is larger. */
static void large(void **state)
{
	static const size_t sizes[] = { 1 << 20, (1 << 20) + 1 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct code_fn fn = { BASE + CODE_FRAMES_MAX, sizes[i] };
		size_t n = CODE_FRAMES_MAX + sizes[i];
		uint8_t *bytes = malloc(n);
		struct segment seg = { .vaddr = BASE, .file_size = n, .exec = true,
				       .bytes = { bytes, n } };
		struct binary b = { .fd = -1, .size = n, .segs = &seg, .nr_segs = 1,
				    .eh_frame_hdr = BASE };
		struct boundaries *bs;
		struct reach r;

		assert_non_null(bytes);
		memset(bytes, 0x90, n);
		code_frames(bytes, BASE, &fn, 1);
		bs = boundaries__new(&b);
		assert_non_null(bs);
		assert_int_equal(reach__decode(&r, &b, bs, fn.start), i ? -ENOENT : 0);
		assert_int_equal(r.nr, i ? 0 : sizes[i]);
		reach__free(&r);
		boundaries__free(bs);
		free(bytes);
	}
}

/* ---- ways ---- */

static void returns(void **state)
{
	static const struct {
		const char	*code;
		size_t		 n;
		bool		 returns;
	} cases[] = {
		{ "\x90\xc3", 2, true },
		{ "\x90\x0f\x0b", 3, false },
		{ "\xff\xe0", 2, true },			/* jmp rax: who knows */
		{ "\xeb\xfe", 2, false },			/* round and round */
		{ "\x74\xfe\x0f\x0b", 4, false },
		{ "\x74\x10\x0f\x0b", 4, true },		/* a branch, a jump elsewhere */
		{ "\xe9\0\1\0\0", 5, true },
		{ "\xe8\0\1\0\0\x0f\x0b", 7, false },		/* what is called may */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct code c;
		struct reach r;

		decode(&c, &r, cases[i].code, cases[i].n);
		if (reach__returns(&r) != cases[i].returns)
			fail_msg("case %zu", i);
		drop(&c, &r);
	}
}

/* Which instructions are marked, '1', after those at @from are. @within: '1' in it. */
static void assert_leads(struct reach *r, const char *from, const char *within, const char *want)
{
	char got[128] = "";
	bool in[128];

	assert_int_equal(strlen(from), r->nr);
	for (size_t i = 0; i < r->nr; i++) {
		r->leads[i] = from[i] == '1';
		in[i] = within && within[i] == '1';
	}
	assert_int_equal(reach__towards(r, within ? in : NULL), 0);
	for (size_t i = 0; i < r->nr; i++)
		got[i] = r->leads[i] ? '1' : '0';
	assert_string_equal(got, want);
}

static void towards(void **state)
{
	struct code c;
	struct reach r;

	(void)state;
	/* 0 nop; 1 je 8; 3 nop; 4 ret; 5 jmp 8; 7 nop; 8 nop; 9 je 3; b ud2; d nop */
	DECODE(&c, &r, 0x90, 0x74, 0x05, 0x90, 0xc3, 0xeb, 0x01, 0x90, 0x90, 0x74, 0xf8, 0x0f, 0x0b,
	       0x90);
	assert_leads(&r, "0000000000", NULL, "0000000000");
	assert_leads(&r, "0000001000", NULL, "1100111000");
	assert_leads(&r, "0001000000", NULL, "1111111100");
	assert_leads(&r, "0000000010", NULL, "1100111110");
	/* behind what does not go on is nothing */
	assert_leads(&r, "0000100000", NULL, "0000100000");
	assert_leads(&r, "0000000001", NULL, "0000000001");
	/* what is within: others only if they lead straight back */
	assert_leads(&r, "0000001000", "1111111111", "1100111000");
	assert_leads(&r, "0000001000", "1100001000", "1100111000");
	drop(&c, &r);
}

/* A way through others is followed if it is short. */
static void detours(void **state)
{
	uint8_t bytes[64];
	char from[65], within[65], want[65];

	(void)state;
	for (size_t others = 1; others < 40; others++) {
		struct code c;
		struct reach r;

		memset(bytes, 0x90, sizeof(bytes));
		bytes[others + 2] = 0xc3;
		memset(from, '0', others + 3);
		from[others + 3] = '\0';
		strcpy(within, from);
		strcpy(want, from);
		from[others + 1] = within[0] = within[others + 1] = want[others + 1] = '1';
		/* the last 23 of them lead on, and if that is all of them what is before as well */
		for (size_t i = 1; i <= others; i++)
			want[i] = others + 1 - i < 24 ? '1' : '0';
		want[0] = others < 24 ? '1' : '0';
		decode(&c, &r, bytes, others + 3);
		assert_leads(&r, from, within, want);
		drop(&c, &r);
	}
}

static void frames(void **state)
{
	static const struct {
		const char	*code;
		size_t		 n;
		int32_t		 frame;
	} cases[] = {
		{ "\xc3", 1, 0 },
		{ "\x55\x53\xc3", 3, 16 },
		{ "\x41\x57\x53\x48\x83\xec\x18\xc3", 8, 40 },
		{ "\x48\x81\xec\x88\x03\0\0\xc3", 8, 0x388 },
		/* what comes behind is of calls, and of their arguments */
		{ "\x53\x48\x83\xec\x10\x50\x48\x83\xec\x20\xc3", 11, 24 },
		{ "\x53\x74\0\x55\xc3", 5, 8 },
		{ "\x48\x83\xe4\xf0\x48\x83\xec\x08\x53\xc3", 10, 16 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct code c;
		struct reach r;

		decode(&c, &r, cases[i].code, cases[i].n);
		assert_int_equal(reach__frame(&r), cases[i].frame);
		drop(&c, &r);
	}
}

/* ---- arguments ---- */

/* What the call that @bytes, @n of them, are followed by has; @reg IMAGE_REG_NR: not told. */
static void assert_argument(const char *bytes, size_t n, uint8_t reg, uint8_t deref, int32_t off)
{
	uint8_t code[256];
	struct image_loc loc = { 0 };
	struct code c;
	struct reach r;
	bool told;

	memcpy(code, bytes, n);
	memcpy(code + n, "\xff\xd0\xc3", 3);
	decode(&c, &r, code, n + 3);
	told = reach__argument(&r, r.nr - 2, &loc);
	if (told != (reg != IMAGE_REG_NR))
		fail_msg("%02x %02x %02x …: told %d", code[0], code[1], code[2], told);
	if (told) {
		assert_int_equal(loc.reg, reg);
		assert_int_equal(loc.deref, deref);
		assert_int_equal(loc.off, off);
	}
	drop(&c, &r);
}

static void arguments(void **state)
{
	uint8_t far[128];

	(void)state;
	/* mov rdi, rbx; mov rdi, r15; mov rdi, rsp */
	assert_argument("\x48\x89\xdf", 3, IMAGE_REG_BX, 0, 0);
	assert_argument("\x4c\x89\xff", 3, IMAGE_REG_R15, 0, 0);
	assert_argument("\x48\x89\xe7", 3, IMAGE_REG_SP, 0, 0);
	/* lea rdi, [rsp + 0x20]; lea rdi, [rbp - 0x120]; mov rdi, [rsp + 8]; mov rdi, [r12] */
	assert_argument("\x48\x8d\x7c\x24\x20", 5, IMAGE_REG_SP, 0, 0x20);
	assert_argument("\x48\x8d\xbd\xe0\xfe\xff\xff", 7, IMAGE_REG_BP, 0, -0x120);
	assert_argument("\x48\x8b\x7c\x24\x08", 5, IMAGE_REG_SP, 1, 8);
	assert_argument("\x49\x8b\x3c\x24", 4, IMAGE_REG_R12, 1, 0);
	/* between it and the call others, a branch too, which do not write it */
	assert_argument("\x48\x89\xdf\x48\x89\xf8\x74\x00\x48\x8b\x33", 11, IMAGE_REG_BX, 0, 0);
	/* the last of two */
	assert_argument("\x48\x89\xdf\x48\x89\xef", 6, IMAGE_REG_BP, 0, 0);
	/* a register that calls may change: mov rdi, rax; mov rdi, [rsi] */
	assert_argument("\x48\x89\xc7", 3, IMAGE_REG_NR, 0, 0);
	assert_argument("\x48\x8b\x3e", 3, IMAGE_REG_NR, 0, 0);
	/* an index, half of it, a number, arithmetics, a pop */
	assert_argument("\x48\x8d\x3c\xdc", 4, IMAGE_REG_NR, 0, 0);
	assert_argument("\x89\xdf", 2, IMAGE_REG_NR, 0, 0);
	assert_argument("\xbf\x01\x00\x00\x00", 5, IMAGE_REG_NR, 0, 0);
	assert_argument("\x48\x89\xdf\x48\x83\xc7\x08", 7, IMAGE_REG_NR, 0, 0);
	assert_argument("\x48\x89\xdf\x31\xff", 5, IMAGE_REG_NR, 0, 0);
	assert_argument("\x5f", 1, IMAGE_REG_NR, 0, 0);
	/* a call or a jump between them; nothing at all */
	assert_argument("\x48\x89\xdf\xff\xd0", 5, IMAGE_REG_NR, 0, 0);
	assert_argument("\x48\x89\xdf\xeb\x00", 5, IMAGE_REG_NR, 0, 0);
	assert_argument("", 0, IMAGE_REG_NR, 0, 0);
	/* not too far away */
	memset(far, 0x90, sizeof(far));
	memcpy(far, "\x48\x89\xdf", 3);
	assert_argument((const char *)far, 3 + 47, IMAGE_REG_BX, 0, 0);
	assert_argument((const char *)far, 3 + 48, IMAGE_REG_NR, 0, 0);
}

/* ---- as roots see it ---- */

/* What a function that never returns is called from does not go on behind the call. */
static void final_calls(void **state)
{
	static const uint8_t bytes[] = {
		0xe8, 0x0b, 0, 0, 0,		/* 0: call 10, which returns */
		0xe8, 0x16, 0, 0, 0,		/* 5: call 20, which never does */
		0xff, 0xd0, 0xc3, 0x90, 0x90, 0x90,
		0xc3, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90,
		0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90,
		0x90, 0x0f, 0x0b,
	};
	static const struct code_fn fns[] = { { BASE, 16 }, { BASE + 0x10, 16 },
					      { BASE + 0x20, 3 } };
	struct model m = { .err = 0 };
	struct roots roots = { .m = &m };
	struct code c;
	struct reach r;

	(void)state;
	make(&c, bytes, sizeof(bytes), fns, 3);
	roots.b = &c.b;
	roots.boundaries = c.bs;
	roots.knows_words = true;	/* there is no file that has some */
	/* an address in memory, at which a function that never returns is known */
	hash_table__at(&roots.words, BASE + 0x300)->value = BASE + 0x20;
	assert_int_equal(reach__decode(&r, &c.b, c.bs, BASE), 0);
	r.insns[2].kind = REACH_CALL_WORD;
	r.insns[2].target = BASE + 0x300;
	roots__end_final_calls(&roots, &r);
	assert_int_equal(m.err, 0);
	assert_int_equal(r.insns[0].kind, REACH_CALL);
	assert_int_equal(r.insns[1].kind, REACH_STOP);
	assert_int_equal(r.insns[2].kind, REACH_STOP);
	/* one of a function that returns, and words that are not known */
	hash_table__at(&roots.words, BASE + 0x310)->value = BASE + 0x10;
	r.insns[2].kind = REACH_CALL_WORD;
	r.insns[2].target = BASE + 0x310;
	roots__end_final_calls(&roots, &r);
	assert_int_equal(r.insns[2].kind, REACH_CALL_WORD);
	r.insns[2].kind = REACH_CALL_WORD;
	r.insns[2].target = BASE + 0x308;
	roots__end_final_calls(&roots, &r);
	assert_int_equal(r.insns[2].kind, REACH_CALL_WORD);
	roots__free(&roots);
	drop(&c, &r);
}

/* Of whom a call is: by the code, by a word of memory, by the register that was read from one. */
static void callees(void **state)
{
	struct roots roots = { .m = NULL };
	struct root_copy copy = { .r = &roots };
	struct reach *r = &copy.code;
	struct code c;

	(void)state;
	DECODE(&c, r,
	       0x48, 0x8b, 0x1d, 0xf9, 0, 0, 0,	/* 0: mov rbx, [100] */
	       0xe8, 0x14, 0, 0, 0,		/* 7: call 20 */
	       0xff, 0x15, 0xee, 0, 0, 0,	/* c: call [100] */
	       0xff, 0x15, 0xf0, 0, 0, 0,	/* 12: call [108] */
	       0xff, 0xd3,			/* 18: call rbx */
	       0xff, 0xd0,			/* 1a: call rax */
	       0xff, 0x10);			/* 1c: call [rax] */
	hash_table__at(&roots.words, BASE + 0x100)->value = 0x5000;
	assert_int_equal(root_copy__callee(&copy, 0), 0);
	assert_int_equal(root_copy__callee(&copy, 1), BASE + 0x20);
	assert_int_equal(root_copy__callee(&copy, 2), 0x5000);
	assert_int_equal(root_copy__callee(&copy, 3), 0);
	assert_int_equal(root_copy__callee(&copy, 4), 0x5000);
	assert_int_equal(root_copy__callee(&copy, 5), 0);
	assert_int_equal(root_copy__callee(&copy, 6), 0);
	drop(&c, r);
	/* two words into one register: the same is one, others are none */
	DECODE(&c, r,
	       0x48, 0x8b, 0x1d, 0xf9, 0, 0, 0,	/* 0: mov rbx, [100] */
	       0x48, 0x8b, 0x1d, 0xf2, 0, 0, 0,	/* 7: mov rbx, [100] */
	       0xff, 0xd3);
	assert_int_equal(root_copy__callee(&copy, 2), 0x5000);
	drop(&c, r);
	DECODE(&c, r,
	       0x48, 0x8b, 0x1d, 0xf9, 0, 0, 0,	/* 0: mov rbx, [100] */
	       0x48, 0x8b, 0x1d, 0xfa, 0, 0, 0,	/* 7: mov rbx, [108] */
	       0xff, 0xd3);
	assert_int_equal(root_copy__callee(&copy, 2), 0);
	hash_table__at(&roots.words, BASE + 0x108)->value = 0x6000;
	assert_int_equal(root_copy__callee(&copy, 2), 0);
	drop(&c, r);
	roots__free(&roots);
}

/* One site of a kind at one place, of whichever copy. */
static void sites(void **state)
{
	struct image_site at = { .vaddr = 0x1000 };
	struct image_root_site *s;
	struct model m;

	(void)state;
	model__init(&m);
	assert_false(root__has_site(&m, IMAGE_ROOT_BEGIN, &at));
	assert_int_equal(model__add(&m, MODEL_ROOT_SITES, 2), 0);
	s = model__at(&m, MODEL_ROOT_SITES, 1);
	*s = (struct image_root_site){ .what = IMAGE_ROOT_BEGIN, .site = at };
	assert_true(root__has_site(&m, IMAGE_ROOT_BEGIN, &at));
	assert_false(root__has_site(&m, IMAGE_ROOT_GONE, &at));
	at.vaddr++;
	assert_false(root__has_site(&m, IMAGE_ROOT_BEGIN, &at));
	model__free(&m);
}

/* In order: by where they begin, the wider of two first. */
static void ranges(void **state)
{
	static const uint64_t in[][2] = { { 5, 6 }, { 1, 9 }, { 5, 9 }, { 1, 2 }, { 5, 7 },
					  { 0, 1 }, { 5, 6 } };
	static const uint64_t want[][2] = { { 0, 1 }, { 1, 9 }, { 1, 2 }, { 5, 9 }, { 5, 7 },
					    { 5, 6 }, { 5, 6 } };
	const struct image_root_range *r;
	struct model m;

	(void)state;
	model__init(&m);
	roots__sort(&m);
	for (uint32_t i = 0; i < 7; i++) {
		assert_int_equal(model__add(&m, MODEL_ROOT_RANGES, 1), i);
		*(struct image_root_range *)model__at(&m, MODEL_ROOT_RANGES, i) =
			(struct image_root_range){ .start = in[i][0], .end = in[i][1] };
	}
	roots__sort(&m);
	for (uint32_t i = 0; i < 7; i++) {
		r = model__at(&m, MODEL_ROOT_RANGES, i);
		assert_int_equal(r->start, want[i][0]);
		assert_int_equal(r->end, want[i][1]);
	}
	model__free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),
		cmocka_unit_test(words),
		cmocka_unit_test(refused),
		cmocka_unit_test(large),
		cmocka_unit_test(returns),
		cmocka_unit_test(towards),
		cmocka_unit_test(detours),
		cmocka_unit_test(frames),
		cmocka_unit_test(arguments),
		cmocka_unit_test(final_calls),
		cmocka_unit_test(callees),
		cmocka_unit_test(sites),
		cmocka_unit_test(ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
