// SPDX-License-Identifier: GPL-2.0
/*
 * Whether an instruction begins at an address. See boundary.h.
 *
 * x86-64 compilers put no data between a function's instructions, so decoding
 * one after the other meets all of them. That this is so for the function at
 * hand, its own branches prove: each must go to an instruction that was met.
 */
#include "image/boundary.h"

#include <capstone/capstone.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/eh_frame.h"

#define FUNCTION_MAX	(4u << 20)	/* bytes; a larger one is not believed */

struct boundaries {
	const struct binary	*b;
	struct eh_frame		 frames;
	csh			 cs;
	cs_insn			*insn;
	/* The function that was decoded last. */
	uint64_t		 start, end;
	bool			 sound;
	int			 err;
	uint8_t			*marks;		/* of each byte: enum mark */
};

enum mark {
	MARK_INSN	= 1 << 0,	/* an instruction begins here */
	MARK_CALLED	= 1 << 1,	/* … behind a call */
	MARK_TARGET	= 1 << 2,	/* a branch leads here */
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
	if (!bs->insn) {
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
	eh_frame__free(&bs->frames);
	free(bs->marks);
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

/* The target of a direct branch within the function: marked. */
static void mark_target(struct boundaries *bs, const cs_insn *in)
{
	const cs_x86 *x = &in->detail->x86;
	uint64_t to;

	if (!cs_insn_group(bs->cs, in, CS_GRP_JUMP) || x->op_count != 1 ||
	    x->operands[0].type != X86_OP_IMM)
		return;
	to = (uint64_t)x->operands[0].imm;
	if (to >= bs->start && to < bs->end)
		bs->marks[to - bs->start] |= MARK_TARGET;
}

/* Decode the function; false: not all of it is instructions. */
static bool decode(struct boundaries *bs)
{
	uint64_t vaddr = bs->start;
	bool called = false;
	const uint8_t *p;
	size_t n;

	p = binary__code(bs->b, bs->start, &n);
	if (!p || n < bs->end - bs->start)
		return false;
	n = (size_t)(bs->end - bs->start);
	while (n) {
		bs->marks[vaddr - bs->start] |= MARK_INSN | (called ? MARK_CALLED : 0);
		if (!cs_disasm_iter(bs->cs, &p, &n, &vaddr, bs->insn))
			return false;
		called = cs_insn_group(bs->cs, bs->insn, CS_GRP_CALL);
		mark_target(bs, bs->insn);
	}
	for (uint64_t i = 0; i < bs->end - bs->start; i++)
		if ((bs->marks[i] & (MARK_INSN | MARK_TARGET)) == MARK_TARGET)
			return false;
	return true;
}

/* What is known of the byte at @vaddr; 0: nothing that may be relied on. */
static uint8_t marks_at(struct boundaries *bs, uint64_t vaddr)
{
	const struct eh_range *r = eh_frame__find(&bs->frames, vaddr);

	if (!r || r->end - r->start > FUNCTION_MAX)
		return 0;
	if (!bs->marks || r->start != bs->start || r->end != bs->end) {
		free(bs->marks);
		bs->start = r->start;
		bs->end = r->end;
		bs->marks = calloc(1, (size_t)(r->end - r->start));
		if (!bs->marks)
			bs->err = -ENOMEM;
		bs->sound = bs->marks && decode(bs);
	}
	return bs->sound ? bs->marks[vaddr - bs->start] : 0;
}

bool boundaries__is_insn(struct boundaries *bs, uint64_t vaddr)
{
	return marks_at(bs, vaddr) & MARK_INSN;
}

bool boundaries__is_return(struct boundaries *bs, uint64_t vaddr)
{
	return marks_at(bs, vaddr) & MARK_CALLED;
}
