// SPDX-License-Identifier: GPL-2.0
/*
 * Probe sites in hand-assembled code: which instruction is chosen, which
 * register then holds the argument, how far the stack pointer has moved.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/site.h"

#define BASE	0x11000u	/* link-time address of the code */
#define OFF	0x0f40u		/* its place in the file: not the address */

/* An executable of one segment of code, and one of data behind it. */
struct program {
	struct binary		 b;
	struct segment		 segs[2];
	uint8_t			*code;
	size_t			 n;	/* bytes of code */
	struct site_finder	*f;
};

/* "48 83 ec 28 | 55": bars and blanks mean nothing. */
static void assemble(struct program *p, const char *text)
{
	uint8_t code[1024];

	memset(p, 0, sizeof(*p));
	for (const char *s = text; *s;) {
		char *end;

		if (strchr(" |\n", *s)) {
			s++;
			continue;
		}
		assert_true(p->n < sizeof(code));
		code[p->n++] = (uint8_t)strtoul(s, &end, 16);
		assert_int_equal(end - s, 2);
		s = end;
	}
	/* just as large as it is: what is read beyond it is found out */
	p->code = malloc(p->n);
	assert_non_null(p->code);
	memcpy(p->code, code, p->n);
	p->segs[0] = (struct segment){ .vaddr = BASE, .file_off = OFF, .file_size = p->n,
				       .exec = true, .bytes = { p->code, p->n } };
	p->segs[1] = (struct segment){ .vaddr = 0x900000, .file_off = 0, .file_size = 16 };
	p->b = (struct binary){ .fd = -1, .size = OFF + p->n, .segs = p->segs, .nr_segs = 2 };
	p->f = site_finder__new(&p->b);
	assert_non_null(p->f);
}

static void drop(struct program *p)
{
	site_finder__free(p->f);
	free(p->code);
}

#define SLOW	0x100	/* in a want: single-stepped */

struct want {
	const char	*code;
	unsigned int	 arg;
	bool		 loops;
	int		 at;		/* bytes from the entry, | SLOW */
	int		 sp;
	enum image_reg	 reg;
	uint64_t	 size;		/* of the function; 0: unknown */
};

static void assert_entry(const struct want *w)
{
	struct image_site site;
	struct program p;
	uint64_t at = BASE + (uint64_t)(w->at & ~SLOW);

	assemble(&p, w->code);
	assert_int_equal(site_finder__entry(p.f, BASE, w->size, w->arg, w->loops, &site), 0);
	if (site.vaddr != at || site.slow != !!(w->at & SLOW) || site.sp_adjust != w->sp ||
	    site.arg_reg != w->reg)
		fail_msg("%s: site %#llx%s, rsp %+d, register %u; wanted %#llx%s, %+d, %u",
			 w->code, (unsigned long long)site.vaddr, site.slow ? " (slow)" : "",
			 site.sp_adjust, site.arg_reg, (unsigned long long)at,
			 w->at & SLOW ? " (slow)" : "", w->sp, w->reg);
	assert_int_equal(site.file_off, site.vaddr - BASE + OFF);
	drop(&p);
}

#define ASSERT_ENTRIES(wants)						\
	for (size_t i_ = 0; i_ < sizeof(wants) / sizeof(*(wants)); i_++)	\
		assert_entry(&(wants)[i_])

/* The first instruction is cheap. */
static void at_entry(void **state)
{
	static const struct want wants[] = {
		{ "55 | 48 89 e5 | c3", 0, false, 0, 0, IMAGE_REG_DI, 0 },	/* push rbp */
		{ "41 57 | 41 56 | c3", 0, false, 0, 0, IMAGE_REG_DI, 0 },	/* push r15 */
		{ "53 | c3", 1, false, 0, 0, IMAGE_REG_SI, 0 },
		{ "53 | c3", 2, false, 0, 0, IMAGE_REG_DX, 2 },
		{ "57 | c3", 3, false, 0, 0, IMAGE_REG_CX, 0 },
		{ "50 | c3", 4, false, 0, 0, IMAGE_REG_R8, 0 },
		{ "50 | c3", 5, false, 0, 0, IMAGE_REG_R9, 0 },
		{ "e9 00 10 00 00", 0, false, 0, 0, IMAGE_REG_DI, 5 },		/* jmp elsewhere */
		{ "eb 10", 0, false, 0, 0, IMAGE_REG_DI, 2 },
		{ "e8 00 10 00 00 | c3", 0, false, 0, 0, IMAGE_REG_DI, 0 },	/* call */
		{ "90 | c3", 0, false, 0, 0, IMAGE_REG_DI, 0 },			/* nop */
		/* a loop to the very entry is another call as good as this */
		{ "55 | 5d | 48 8b 3f | 48 85 ff | 75 f5 | c3", 0, false, 0, 0, IMAGE_REG_DI, 0 },
	};

	(void)state;
	ASSERT_ENTRIES(wants);
}

static void further_on(void **state)
{
	static const struct want wants[] = {
		/* sub rsp,40; mov rbx,rdi; test rbx,rbx; je */
		{ "48 83 ec 28 | 48 89 fb | 48 85 db | 74 05 | c3", 0, false, 10, 0x28,
		  IMAGE_REG_BX, 0 },
		/* the argument stays where it is */
		{ "48 83 ec 28 | 48 85 ff | 0f 84 00 01 00 00 | c3", 0, false, 7, 0x28,
		  IMAGE_REG_DI, 0 },
		/* sub rsp,0x1000; mov r14,rsi; call */
		{ "48 81 ec 00 10 00 00 | 49 89 f6 | e8 00 00 00 00 | c3", 1, false, 10, 0x1000,
		  IMAGE_REG_R14, 0 },
		/* copied to a register that calls do not preserve: the original counts */
		{ "48 89 f8 | 48 85 c0 | 75 01 | c3", 0, false, 6, 0, IMAGE_REG_DI, 0 },
		/* push 8; push [rax]; sub; add; pop: then jmp */
		{ "6a 08 | ff 30 | 48 83 ec 10 | 48 83 c4 08 | 58 | eb 00 | c3", 0, false, 13,
		  0x10, IMAGE_REG_DI, 0 },
		/* copied, then overwritten */
		{ "48 89 fb | 31 ff | 74 01 | c3", 0, false, 5, 0, IMAGE_REG_BX, 0 },
		/* twice copied: the last */
		{ "48 89 fb | 49 89 dc | 31 db | 74 01 | c3", 0, false, 8, 0, IMAGE_REG_R12, 0 },
		/* endbr64; push */
		{ "f3 0f 1e fa | 55 | c3", 0, false, 4, 0, IMAGE_REG_DI, 0 },
		/* cmpb [rdi+8],0; jne */
		{ "80 7f 08 00 | 75 01 | c3", 0, false, 4, 0, IMAGE_REG_DI, 0 },
	};

	(void)state;
	ASSERT_ENTRIES(wants);
}

/* No cheap instruction still has the argument: the entry, single-stepped. */
static void none(void **state)
{
	static const struct want wants[] = {
		{ "48 8b 7f 08 | 48 85 ff | 74 01 | c3", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		{ "31 ff | 74 01 | c3", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },	/* xor edi,edi */
		{ "40 b7 01 | 74 01 | c3", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },	/* mov dil,1 */
		{ "48 87 c7 | 74 01 | c3", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },	/* xchg */
		{ "f3 48 a5 | 74 01 | c3", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },	/* rep movsq */
		{ "0f 05 | 74 01 | c3", 3, false, 0 | SLOW, 0, IMAGE_REG_CX, 0 },	/* syscall */
		/* half a copy is none: mov ebx,edi */
		{ "89 fb | 31 ff | 74 01 | c3", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		/* neither is that of another argument */
		{ "48 89 f3 | 31 ff | 74 01 | c3", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		/* the end comes first: ret, jmp rax, call rax, int3, ud2, hlt */
		{ "c3 | 55", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		{ "ff e0 | 55", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		{ "ff d0 | 55", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		{ "cc | 55", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		{ "0f 0b | 55", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		{ "f4 | 55", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		/* rsp is lost: and rsp,-32; mov rsp,rbp; leave; lea; pop rsp; pushfq */
		{ "48 83 e4 e0 | 74 01 | c3", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		{ "48 89 ec | 74 01 | c3", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		{ "c9 | 74 01 | c3", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		{ "48 8d 64 24 f8 | 74 01 | c3", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		{ "5c | 74 01 | c3", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		{ "9c | 74 01 | c3", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		{ "c8 10 00 00 | 74 01 | c3", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },	/* enter */
		{ "48 29 c4 | 74 01 | c3", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },	/* sub rsp,rax */
		{ "66 6a 08 | 74 01 | c3", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },	/* pushw */
		/* the function ends before it, or the code does */
		{ "48 83 ec 28 | 74 01 | c3", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 4 },
		{ "48 83 ec 28 | 0f 84 00", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		{ "48 83 ec 28 | e9 00", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		{ "48", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
	};

	(void)state;
	ASSERT_ENTRIES(wants);
}

static void loops(void **state)
{
	/* mov rax,[rdi]; L: mov rcx,rax; or rcx,4; lock cmpxchg [rdi],rcx; jne L; ret */
	static const char swap[] = "48 8b 07 | 48 89 c1 | 48 83 c9 04 | f0 48 0f b1 0f | 75 f2 | c3";
	/* mov rax,[rdi]; L: test rax,rax; je out; mov rax,[rax]; jmp L; out: ret */
	static const char list[] = "48 8b 07 | 48 85 c0 | 74 05 | 48 8b 00 | eb f6 | c3";
	/* the same, but the way back is to behind the branch */
	static const char behind[] = "48 8b 07 | 48 85 c0 | 74 05 | 48 8b 00 | eb fb | c3";
	/* L: mov rax,[rdi] (the entry) …; jne L: a call of its own each time */
	static const char entry[] = "48 8b 07 | 48 85 c0 | 74 02 | eb f6 | c3";
	/* in the loop a push, which the function passes before the branch that ends it */
	static const char push[] = "48 8b 07 | 53 | 5b | 48 ff c8 | 75 f9 | c3";
	static const struct want wants[] = {
		{ swap, 0, true, 15, 0, IMAGE_REG_DI, 0 },
		{ swap, 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		{ list, 0, true, 6, 0, IMAGE_REG_DI, 0 },
		{ list, 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		{ list, 0, false, 6, 0, IMAGE_REG_DI, 8 },	/* not this function's jmp */
		{ behind, 0, false, 6, 0, IMAGE_REG_DI, 0 },
		{ entry, 0, false, 6, 0, IMAGE_REG_DI, 0 },
		{ push, 0, true, 3, 0, IMAGE_REG_DI, 0 },
		{ push, 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
		/* what is behind the loop is passed once, but not in a straight line */
		{ "48 8b 07 | 48 ff c8 | 75 fb | 55 | c3", 0, false, 0 | SLOW, 0, IMAGE_REG_DI, 0 },
	};

	(void)state;
	ASSERT_ENTRIES(wants);
}

/* Kernels that optimise a probe on it overwrite the red zone. */
static void nop5(void **state)
{
	static const struct want wants[] = {
		{ "0f 1f 44 00 00 | 55 | c3", 0, false, 5, 0, IMAGE_REG_DI, 0 },
		{ "0f 1f 44 00 00 | 48 85 ff | 74 01 | c3", 0, false, 8, 0, IMAGE_REG_DI, 0 },
		{ "0f 1f 44 00 00 | 31 ff | c3", 0, false, 5 | SLOW, 0, IMAGE_REG_DI, 0 },
		{ "0f 1f 44 00 00 | 0f 1f 44 00 00 | c3", 0, false, 10 | SLOW, 0, IMAGE_REG_DI, 0 },
		/* other nops are not emulated by every kernel either */
		{ "66 90 | 55 | c3", 0, false, 2, 0, IMAGE_REG_DI, 0 },
		{ "0f 1f 40 00 | 55 | c3", 0, false, 4, 0, IMAGE_REG_DI, 0 },
		{ "66 0f 1f 44 00 00 | 55 | c3", 0, false, 6, 0, IMAGE_REG_DI, 0 },
		{ "f3 90 | 55 | c3", 0, false, 2, 0, IMAGE_REG_DI, 0 },		/* pause */
	};
	struct image_return r;
	struct program p;

	(void)state;
	ASSERT_ENTRIES(wants);
	assemble(&p, "0f 1f 44 00 00 | 84 c0 | 74 01 | c3 | 0f 1f 44 00 00 | c3");
	assert_int_equal(site_finder__return(p.f, BASE, &r), 0);
	assert_int_equal(r.site.vaddr, BASE + 7);
	assert_int_equal(site_finder__return(p.f, BASE + 10, &r), 0);
	assert_int_equal(r.site.vaddr, BASE + 15);
	assert_int_equal(r.site.slow, 1);
	drop(&p);
}

static void no_code(void **state)
{
	struct image_return r;
	struct image_site site;
	struct program p;

	(void)state;
	assemble(&p, "55 | c3");
	assert_int_equal(site_finder__entry(p.f, BASE - 1, 0, 0, false, &site), -ENOENT);
	assert_int_equal(site_finder__entry(p.f, BASE + 2, 0, 0, false, &site), -ENOENT);
	assert_int_equal(site_finder__entry(p.f, ~0ull, 0, 0, false, &site), -ENOENT);
	assert_int_equal(site_finder__entry(p.f, 0x900000, 0, 0, false, &site), -ENOENT);
	assert_int_equal(site_finder__entry(p.f, BASE, 0, 6, false, &site), -EINVAL);
	assert_int_equal(site_finder__return(p.f, BASE + 2, &r), -ENOENT);
	assert_int_equal(site_finder__return(p.f, 0x900000, &r), -ENOENT);
	assert_int_equal(site_finder__thunk(p.f, BASE + 2), BASE + 2);
	assert_int_equal(site_finder__thunk(p.f, 0x900000), 0x900000);
	/* the last byte */
	assert_int_equal(site_finder__entry(p.f, BASE + 1, 0, 0, false, &site), 0);
	assert_int_equal(site.slow, 1);
	assert_int_equal(site.vaddr, BASE + 1);
	drop(&p);
}

/* Code inlined elsewhere: DWARF numbers registers in an order of its own. */
static void inlined(void **state)
{
	static const struct {
		const char	*code;
		unsigned int	 reg;
		uint64_t	 size;
		int		 at;		/* | SLOW; -1: no site */
		enum image_reg	 in;
	} wants[] = {
		{ "48 89 43 10 | 74 05 | c3", 3, 7, 4, IMAGE_REG_BX },		/* mov rax,[rbx+16]; je */
		{ "48 89 43 10 | 74 05 | c3", 15, 7, 4, IMAGE_REG_R15 },
		{ "48 89 43 10 | 74 05 | c3", 1, 7, 4, IMAGE_REG_DX },
		{ "48 89 43 10 | 74 05 | c3", 3, 4, 0 | SLOW, IMAGE_REG_BX },	/* not beyond its end */
		{ "31 db | 74 05 | c3", 3, 5, 0 | SLOW, IMAGE_REG_BX },		/* xor ebx,ebx */
		{ "48 89 dd | 31 db | 74 05 | c3", 3, 8, 5, IMAGE_REG_BP },	/* mov rbp,rbx */
		{ "74 05 | c3", 7, 3, -1, 0 },					/* rsp */
		{ "74 05 | c3", 10, 3, -1, 0 },					/* r10 */
		{ "74 05 | c3", 16, 3, -1, 0 },
		{ "74 05 | c3", 3, 0, -1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wants) / sizeof(*wants); i++) {
		uint64_t at = BASE + (uint64_t)(wants[i].at & ~SLOW);
		struct image_site site;
		struct program p;
		int err;

		assemble(&p, wants[i].code);
		err = site_finder__inlined(p.f, BASE, BASE + wants[i].size, wants[i].reg, &site);
		assert_int_equal(err, wants[i].at < 0 ? -EINVAL : 0);
		if (!err && (site.vaddr != at || site.slow != !!(wants[i].at & SLOW) ||
			     site.arg_reg != wants[i].in))
			fail_msg("%s: site %#llx%s, register %u", wants[i].code,
				 (unsigned long long)site.vaddr, site.slow ? " (slow)" : "",
				 site.arg_reg);
		drop(&p);
	}
}

static void returns(void **state)
{
	static const struct {
		const char	*code;
		int		 at, sp;
	} wants[] = {
		{ "84 c0 | 74 05 | c3", 2, 0 },				/* test al,al; je */
		{ "84 c0 | 0f 85 00 01 00 00 | c3", 2, 0 },
		{ "eb 05", 0, 0 },
		{ "e9 00 00 00 00", 0, 0 },
		{ "53 | c3", 0, 0 },
		{ "48 89 c7 | e8 00 00 00 00", 3, 0 },			/* mov rdi,rax; call */
		{ "48 83 c4 18 | 5b | e9 00 00 00 00", 5, -0x20 },	/* add rsp,24; pop; jmp */
		{ "48 83 ec 08 | 75 00", 4, 8 },
		{ "41 5e | 41 5f | 5d | 74 00", 5, -0x18 },
		/* nothing cheap before the caller's caller, another function or the end */
		{ "c3 | 55", 0 | SLOW, 0 },
		{ "5b | c3 | 55", 0 | SLOW, 0 },
		{ "ff d0 | 55", 0 | SLOW, 0 },
		{ "ff 60 10 | 55", 0 | SLOW, 0 },
		{ "0f 0b | 55", 0 | SLOW, 0 },
		{ "c9 | e9 00 00 00 00", 0 | SLOW, 0 },			/* leave */
		{ "48 8d 65 d8 | 5b | e9 00 00 00 00", 0 | SLOW, 0 },	/* lea rsp,[rbp-40] */
		{ "84 c0", 0 | SLOW, 0 },
		{ "0f", 0 | SLOW, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wants) / sizeof(*wants); i++) {
		struct image_return r;
		struct program p;

		assemble(&p, wants[i].code);
		assert_int_equal(site_finder__return(p.f, BASE, &r), 0);
		if (r.site.vaddr != BASE + (uint64_t)(wants[i].at & ~SLOW) ||
		    r.site.slow != !!(wants[i].at & SLOW) || r.site.sp_adjust != wants[i].sp)
			fail_msg("%s: site %#llx%s, rsp %+d", wants[i].code,
				 (unsigned long long)r.site.vaddr, r.site.slow ? " (slow)" : "",
				 r.site.sp_adjust);
		assert_int_equal(r.ret, BASE);
		assert_int_equal(r.site.file_off, r.site.vaddr - BASE + OFF);
		drop(&p);
	}
}

static void thunks(void **state)
{
	struct program p;

	(void)state;
	assemble(&p, "e9 20 00 00 00 | eb fe | eb 10 | e9 f2 ff ff ff | 55 | e9 00");
	assert_int_equal(site_finder__thunk(p.f, BASE), BASE + 0x25);
	assert_int_equal(site_finder__thunk(p.f, BASE + 5), BASE + 5);		/* to itself */
	assert_int_equal(site_finder__thunk(p.f, BASE + 7), BASE + 0x19);
	assert_int_equal(site_finder__thunk(p.f, BASE + 9), BASE);
	assert_int_equal(site_finder__thunk(p.f, BASE + 14), BASE + 14);	/* push */
	assert_int_equal(site_finder__thunk(p.f, BASE + 15), BASE + 15);	/* cut off */
	drop(&p);
}

struct calls {
	uint64_t	at[16];
	size_t		nr;
};

static void note_call(void *ctx, uint64_t ret)
{
	struct calls *c = ctx;

	assert_true(c->nr < 16);
	c->at[c->nr++] = ret;
}

static const struct table_call first_at_8 = { 8, 0 }, first_at_128 = { 128, 0 };

/* Calls through the table at offset 8 of the object that rdi points to. */
static void table_calls(void **state)
{
	static const struct {
		const char	*code;
		int		 ret;		/* 0: none */
	} wants[] = {
		/* mov rax,[rdi+8]; call [rax] */
		{ "48 8b 47 08 | ff 10 | c3", 6 },
		/* mov rax,[rbx+8]; mov rdi,rbx; call [rax], and the other way round */
		{ "48 8b 43 08 | 48 89 df | ff 10 | c3", 9 },
		{ "48 89 df | 48 8b 43 08 | ff 10 | c3", 9 },
		/* mov rbx,rdi; mov rax,[rdi+8]; call [rax] */
		{ "48 89 fb | 48 8b 47 08 | ff 10 | c3", 9 },
		/* the object in r12 */
		{ "49 8b 44 24 08 | 4c 89 e7 | ff 10 | c3", 10 },
		/* the table in r13, in rbp */
		{ "4c 8b 6f 08 | 41 ff 55 00 | c3", 8 },
		{ "48 8b 6f 08 | ff 55 00 | c3", 7 },
		/* kept in r14 across a call */
		{ "4d 8b 77 08 | e8 00 00 00 00 | 4c 89 ff | 41 ff 16 | c3", 15 },
		/* something else in between */
		{ "48 8b 47 08 | 31 f6 | 0f 57 c0 | ff 10 | c3", 11 },
		/* the second method, another place in the object */
		{ "48 8b 47 08 | ff 50 08 | c3", 0 },
		{ "48 8b 47 10 | ff 10 | c3", 0 },
		{ "48 8b 07 | ff 10 | c3", 0 },
		/* another object is passed */
		{ "48 8b 43 08 | 4c 89 f7 | ff 10 | c3", 0 },
		/* the table was overwritten, or lost in a call */
		{ "48 8b 47 08 | 31 c0 | ff 10 | c3", 0 },
		{ "48 8b 43 08 | e8 00 00 00 00 | 48 89 df | ff 10 | c3", 0 },
		/* with an index it is an array */
		{ "48 8b 47 08 | ff 14 c8 | c3", 0 },
		{ "48 8b 44 cf 08 | ff 10 | c3", 0 },
		/* behind a ret another path begins */
		{ "48 8b 47 08 | c3 | ff 10", 0 },
		/* no pointer: mov eax,[rdi+8] */
		{ "8b 47 08 | ff 10 | c3", 0 },
		/* from the stack: mov rax,[rsp+8] */
		{ "48 8b 44 24 08 | ff 10 | c3", 0 },
		/* what is no code does not end the search */
		{ "06 06 | 48 8b 47 08 | ff 10 | c3", 8 },
		{ "48 8b 47 08 | 06 | ff 10 | c3", 0 },
	};
	struct calls c = { .nr = 0 };
	struct program p;

	(void)state;
	for (size_t i = 0; i < sizeof(wants) / sizeof(*wants); i++) {
		c.nr = 0;
		assemble(&p, wants[i].code);
		site_finder__table_calls(p.f, BASE, BASE + p.n, &first_at_8, note_call, &c);
		/* the quick look may be wrong, but not in that there is none */
		if (wants[i].ret &&
		    !site_finder__maybe_table_call(p.f, BASE, BASE + p.n, &first_at_8))
			fail_msg("%s: no call at a quick look", wants[i].code);
		if (c.nr != !!wants[i].ret || (c.nr && c.at[0] != BASE + (uint64_t)wants[i].ret))
			fail_msg("%s: %zu calls, the first returns to %#llx", wants[i].code, c.nr,
				 c.nr ? (unsigned long long)c.at[0] : 0);
		drop(&p);
	}

	/* several, and only those in the range asked for */
	assemble(&p, "48 8b 47 08 | ff 10 | 48 8b 47 08 | ff 10 | c3 | 48 8b 47 08 | ff 10 | c3");
	c.nr = 0;
	site_finder__table_calls(p.f, BASE, BASE + 13, &first_at_8, note_call, &c);
	assert_int_equal(c.nr, 2);
	assert_int_equal(c.at[1], BASE + 12);
	c.nr = 0;
	site_finder__table_calls(p.f, BASE, ~0ull, &first_at_8, note_call, &c);
	assert_int_equal(c.nr, 3);
	c.nr = 0;
	site_finder__table_calls(p.f, BASE + 6, BASE + 6, &first_at_8, note_call, &c);
	site_finder__table_calls(p.f, BASE + 6, BASE, &first_at_8, note_call, &c);
	site_finder__table_calls(p.f, BASE - 100, BASE + 6, &first_at_8, note_call, &c);
	site_finder__table_calls(p.f, 0x900000, 0x900010, &first_at_8, note_call, &c);
	assert_int_equal(c.nr, 0);
	drop(&p);
}

/* The table is the object's first word, and the function is not the table's first. */
static void later_calls(void **state)
{
	static const struct table_call sixth = { 0, 0x28 };
	static const struct {
		const char	*code;
		int		 ret;		/* 0: none */
	} wants[] = {
		/* mov rax,[rdi]; call [rax+0x28], and the object in rbx, rbp, r12, r13 */
		{ "48 8b 07 | ff 50 28 | c3", 6 },
		{ "48 8b 03 | 48 89 df | ff 50 28 | c3", 9 },
		{ "48 8b 45 00 | 48 89 ef | ff 50 28 | c3", 10 },
		{ "49 8b 04 24 | 4c 89 e7 | ff 50 28 | c3", 10 },
		{ "49 8b 45 00 | 4c 89 ef | ff 50 28 | c3", 10 },
		/* the table in r12 */
		{ "4c 8b 27 | 41 ff 54 24 28 | c3", 8 },
		/* another function, another place in the object, relative to rip */
		{ "48 8b 07 | ff 10 | c3", 0 },
		{ "48 8b 07 | ff 50 20 | c3", 0 },
		{ "48 8b 47 08 | ff 50 28 | c3", 0 },
		{ "48 8b 05 00 00 00 00 | ff 50 28 | c3", 0 },
	};
	struct program p;

	(void)state;
	for (size_t i = 0; i < sizeof(wants) / sizeof(*wants); i++) {
		struct calls c = { .nr = 0 };
		bool maybe;

		assemble(&p, wants[i].code);
		site_finder__table_calls(p.f, BASE, BASE + p.n, &sixth, note_call, &c);
		maybe = site_finder__maybe_table_call(p.f, BASE, BASE + p.n, &sixth);
		if (maybe != !!wants[i].ret || c.nr != !!wants[i].ret ||
		    (c.nr && c.at[0] != BASE + (uint64_t)wants[i].ret))
			fail_msg("%s: %zu calls, %d at a quick look", wants[i].code, c.nr, maybe);
		drop(&p);
	}
}

/* Symbols that all claim to go on to the end do not make a search without end. */
static void table_calls_bounded(void **state)
{
	struct calls c;
	struct program p;
	unsigned int found = 0;

	(void)state;
	assemble(&p, "48 8b 47 08 | ff 10 | c3");
	for (int i = 0; i < 1000; i++) {
		c.nr = 0;
		site_finder__table_calls(p.f, BASE, ~0ull, &first_at_8, note_call, &c);
		found += (unsigned int)c.nr;
	}
	assert_in_range(found, 2, 100);
	assert_false(site_finder__maybe_table_call(p.f, BASE, ~0ull, &first_at_8));
	drop(&p);
	found = 0;
	assemble(&p, "48 8b 47 08 | ff 10 | c3 | e8 f3 ff ff ff");
	for (int i = 0; i < 1000; i++)
		found += site_finder__maybe_table_call(p.f, BASE, ~0ull, &first_at_8);
	assert_in_range(found, 2, 100);
	c.nr = 0;
	site_finder__calls_of(p.f, BASE, note_call, &c);
	assert_int_equal(c.nr, 0);
	drop(&p);
}

static void quick_look(void **state)
{
	static const struct {
		const char	*code;
		bool		 maybe;
	} wants[] = {
		{ "48 8b 47 08 | ff 10", true }, { "49 8b 46 08 | 90 90 90 | ff 10", true },
		{ "4d 8b 77 08 | 41 ff 16", true },
		/* mov rax,[r12+8]; calls through r12, r13 and rbp */
		{ "49 8b 44 24 08 | ff 10", true }, { "4c 8b 67 08 | 41 ff 14 24", true },
		{ "4c 8b 6f 08 | 41 ff 55 00", true }, { "48 8b 6f 08 | ff 55 00", true },
		{ "48 8b 6f 08 | ff 55 08", false }, { "48 8b 44 24 08 | ff 10", false },
		{ "49 8b 44 e4 08 | ff 10", false },
	 { "48 8b 47 10 | ff 10", false },
		{ "48 8b 47 08 | ff 50 18", false }, { "48 8b 07 | ff 10", false },
		{ "48 8b 47 08", false }, { "48 8b 47 08 | ff", false }, { "c3", false },
	};
	struct program p;

	(void)state;
	for (size_t i = 0; i < sizeof(wants) / sizeof(*wants); i++) {
		assemble(&p, wants[i].code);
		if (site_finder__maybe_table_call(p.f, BASE, BASE + p.n, &first_at_8) !=
		    wants[i].maybe)
			fail_msg("%s", wants[i].code);
		assert_false(site_finder__maybe_table_call(p.f, BASE - 1, BASE + p.n, &first_at_8));
		assert_false(site_finder__maybe_table_call(p.f, BASE + p.n, BASE + p.n,
							   &first_at_8));
		/* an offset that this does not look for */
		assert_true(site_finder__maybe_table_call(p.f, BASE, BASE + p.n,
							  &first_at_128));
		drop(&p);
	}
}

static void calls_of(void **state)
{
	struct calls c = { .nr = 0 };
	struct program p;

	(void)state;
	/* call +0x10; nop; call back to the start; jmp to the start; push … */
	assemble(&p, "e8 0b 00 00 00 | 90 | e8 f5 ff ff ff | e9 f0 ff ff ff | 55 | 48 e8 ea ff ff ff | 90");
	site_finder__calls_of(p.f, BASE + 0x10, note_call, &c);
	assert_int_equal(c.nr, 1);
	assert_int_equal(c.at[0], BASE + 5);
	c.nr = 0;
	site_finder__calls_of(p.f, BASE, note_call, &c);
	assert_int_equal(c.nr, 1);
	assert_int_equal(c.at[0], BASE + 11);
	c.nr = 0;
	site_finder__calls_of(p.f, BASE + 1, note_call, &c);
	site_finder__calls_of(p.f, 0, note_call, &c);
	site_finder__calls_of(p.f, ~0ull, note_call, &c);
	assert_int_equal(c.nr, 1);		/* of BASE + 1, by the last one */
	assert_int_equal(c.at[0], BASE + 23);
	drop(&p);
}

/* The function returns, and does nothing before but move the stack pointer. */
static void returns_at_once(void **state)
{
	static const struct {
		const char	*code;
		int		 popped;	/* with the return address; 0: it does more */
	} wants[] = {
		{ "c3", 8 },
		{ "48 83 c4 18 | c3", 0x20 },
		{ "89 c2 | 5b | 5d | c3", 0x18 },		/* mov edx,eax; pop; pop */
		{ "c2 08 00", 0 },				/* ret 8 */
		{ "74 00 | c3", 0 },
		{ "e8 00 00 00 00 | c3", 0 },
		{ "48 8d 65 d8 | c3", 0 },			/* lea rsp,[rbp-40] */
		{ "48 83 c4 18", 0 },
		{ "06 c3", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wants) / sizeof(*wants); i++) {
		int64_t popped = 0;
		struct program p;
		int err;

		assemble(&p, wants[i].code);
		err = site_finder__returns_at_once(p.f, BASE, &popped);
		if (err != (wants[i].popped ? 0 : -ENOENT) || popped != wants[i].popped)
			fail_msg("%s: %d, %lld bytes", wants[i].code, err, (long long)popped);
		drop(&p);
	}
}

static void indirect_calls(void **state)
{
	struct calls c = { .nr = 0 };
	struct program p;

	(void)state;
	/* call *%rax; call elsewhere; call *8(%rbx); call *word(%rip); jmp *%rax; call *%r12 */
	assemble(&p, "ff d0 | e8 00 00 00 00 | ff 53 08 | ff 15 00 00 00 00 | ff e0 | 41 ff d4 | c3");
	assert_int_equal(site_finder__indirect_calls(p.f, BASE, BASE + p.n, note_call, &c), 3);
	assert_int_equal(c.at[0], BASE + 2);
	assert_int_equal(c.at[1], BASE + 10);
	assert_int_equal(c.at[2], BASE + 21);
	c.nr = 0;
	assert_int_equal(site_finder__indirect_calls(p.f, BASE + 2, BASE + 10, note_call, &c), 1);
	assert_int_equal(site_finder__indirect_calls(p.f, BASE + 2, BASE, note_call, &c), 0);
	assert_int_equal(site_finder__indirect_calls(p.f, 0x900000, 0x900010, note_call, &c), 0);
	drop(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_entry),
		cmocka_unit_test(further_on),
		cmocka_unit_test(none),
		cmocka_unit_test(loops),
		cmocka_unit_test(nop5),
		cmocka_unit_test(no_code),
		cmocka_unit_test(inlined),
		cmocka_unit_test(returns),
		cmocka_unit_test(thunks),
		cmocka_unit_test(table_calls),
		cmocka_unit_test(later_calls),
		cmocka_unit_test(table_calls_bounded),
		cmocka_unit_test(quick_look),
		cmocka_unit_test(calls_of),
		cmocka_unit_test(returns_at_once),
		cmocka_unit_test(indirect_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
