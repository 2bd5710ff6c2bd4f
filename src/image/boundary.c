// SPDX-License-Identifier: GPL-2.0
/*
 * Does an instruction begin at an address? See boundary.h.
 *
 * x86-64 compilers put no data between the instructions of a function, so decoding from
 * its start meets every instruction. The function's own branches serve as proof: each
 * must lead to an instruction that was met.
 */
#include "image/boundary.h"

#include <capstone/capstone.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/eh_frame.h"

#define FUNCTION_MAX	(4u << 20)	/* bytes; a larger function is not trusted */

enum mark {
	MARK_INSN	= 1 << 0,	/* an instruction begins here */
	MARK_CALLED	= 1 << 1,	/* … behind a call instruction */
	MARK_TARGET	= 1 << 2,	/* a branch leads here */
};

/* A function, decoded when it is first needed. */
struct function {
	bool		 asked;
	uint8_t		*marks;		/* enum mark for each byte; NULL: nothing is known */
};

struct boundaries {
	const struct binary	*b;
	struct eh_frame		 frames;
	struct function		*functions;	/* one for each range of the frame table */
	uint64_t		 decoded;	/* bytes in total */
	csh			 cs;
	cs_insn			*insn;
	int			 err;
};

struct boundaries *boundaries__new(const struct binary *b)
{
	struct boundaries *bs = calloc(1, sizeof(*bs));

	if (!bs)
		return NULL;
	bs->b = b;
	if (eh_frame__load(&bs->frames, b) || cs_open(CS_ARCH_X86, CS_MODE_64, &bs->cs)) {
		eh_frame__free(&bs->frames);
		free(bs);
		return NULL;
	}
	cs_option(bs->cs, CS_OPT_DETAIL, CS_OPT_ON);
	bs->insn = cs_malloc(bs->cs);
	bs->functions = calloc(bs->frames.nr + 1, sizeof(*bs->functions));
	if (!bs->insn || !bs->functions) {
		boundaries__free(bs);
		return NULL;
	}
	return bs;
}

void boundaries__free(struct boundaries *bs)
{
	if (!bs)
		return;
	if (bs->insn)
		cs_free(bs->insn, 1);
	cs_close(&bs->cs);
	for (size_t i = 0; bs->functions && i < bs->frames.nr; i++)
		free(bs->functions[i].marks);
	free(bs->functions);
	eh_frame__free(&bs->frames);
	free(bs);
}

int boundaries__err(const struct boundaries *bs)
{
	return bs->err;
}

bool boundaries__any(const struct boundaries *bs)
{
	return bs->frames.nr != 0;
}

bool boundaries__is_entry(const struct boundaries *bs, uint64_t vaddr)
{
	const struct eh_range *r = eh_frame__find(&bs->frames, vaddr);

	return r && r->start == vaddr;
}

uint64_t boundaries__entry_of(const struct boundaries *bs, uint64_t vaddr)
{
	const struct eh_range *r = eh_frame__find(&bs->frames, vaddr);

	return r ? r->start : 0;
}

uint64_t boundaries__end_of(const struct boundaries *bs, uint64_t vaddr)
{
	const struct eh_range *r = eh_frame__find(&bs->frames, vaddr);

	return r ? r->end : 0;
}

uint64_t boundaries__decoded(const struct boundaries *bs)
{
	return bs->decoded;
}

/* Marks the target of a direct branch of the function at @r. */
static void mark_target(struct boundaries *bs, const struct eh_range *r, uint8_t *marks)
{
	const cs_x86 *x = &bs->insn->detail->x86;
	uint64_t to;

	if (!cs_insn_group(bs->cs, bs->insn, CS_GRP_JUMP) || x->op_count != 1 ||
	    x->operands[0].type != X86_OP_IMM)
		return;
	to = (uint64_t)x->operands[0].imm;
	if (to >= r->start && to < r->end)
		marks[to - r->start] |= MARK_TARGET;
}

/* Decodes the function at @r; false: it contains bytes that are not instructions. */
static bool decode(struct boundaries *bs, const struct eh_range *r, const uint8_t *p,
		   uint8_t *marks)
{
	size_t n = (size_t)(r->end - r->start);
	uint64_t vaddr = r->start;
	bool called = false;

	while (n) {
		marks[vaddr - r->start] |= MARK_INSN | (called ? MARK_CALLED : 0);
		if (!cs_disasm_iter(bs->cs, &p, &n, &vaddr, bs->insn))
			return false;
		called = cs_insn_group(bs->cs, bs->insn, CS_GRP_CALL);
		mark_target(bs, r, marks);
	}
	for (uint64_t i = 0; i < r->end - r->start; i++)
		if ((marks[i] & (MARK_INSN | MARK_TARGET)) == MARK_TARGET)
			return false;
	return true;
}

/* The marks of the function at @r. NULL: decoding it failed. */
static uint8_t *marks_of(struct boundaries *bs, const struct eh_range *r)
{
	uint64_t size = r->end - r->start;
	uint8_t *marks;
	const uint8_t *p;
	size_t n;

	p = binary__code(bs->b, r->start, &n);
	if (!p || n < size || size > FUNCTION_MAX)
		return NULL;
	/*
	 * Functions do not overlap, so together they are not larger than the file,
	 * unless segments share bytes.
	 */
	if (size > bs->b->size - bs->decoded)
		return NULL;
	bs->decoded += size;
	marks = calloc(1, (size_t)size);
	if (!marks)
		bs->err = -ENOMEM;
	if (!marks || !decode(bs, r, p, marks)) {
		free(marks);
		return NULL;
	}
	return marks;
}

/*
 * The marks of the byte at @vaddr; 0: unknown. Callers ask alternately about a function
 * and its callers, so every decoded function is kept.
 */
static uint8_t marks_at(struct boundaries *bs, uint64_t vaddr)
{
	const struct eh_range *r = eh_frame__find(&bs->frames, vaddr);
	struct function *fn;

	if (!r)
		return 0;
	fn = &bs->functions[r - bs->frames.ranges];
	if (!fn->asked) {
		fn->asked = true;
		fn->marks = marks_of(bs, r);
	}
	return fn->marks ? fn->marks[vaddr - r->start] : 0;
}

bool boundaries__is_insn(struct boundaries *bs, uint64_t vaddr)
{
	return marks_at(bs, vaddr) & MARK_INSN;
}

bool boundaries__is_return(struct boundaries *bs, uint64_t vaddr)
{
	return marks_at(bs, vaddr) & MARK_CALLED;
}
