// SPDX-License-Identifier: GPL-2.0
/* The instructions of a function and where they lead. See reach.h. */
#include "image/reach.h"

#include <capstone/capstone.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bisect.h"

#define FUNCTION_MAX	(1u << 20)	/* bytes; a larger function is not decoded */
#define DETOUR		24		/* instructions of others between two of the same entry */
#define ARGUMENT_INSNS	48		/* before a call, how far to search for its argument */

static uint8_t image_reg(unsigned int reg)
{
	switch (reg) {
	case X86_REG_RBX: return IMAGE_REG_BX;
	case X86_REG_RBP: return IMAGE_REG_BP;
	case X86_REG_R12: return IMAGE_REG_R12;
	case X86_REG_R13: return IMAGE_REG_R13;
	case X86_REG_R14: return IMAGE_REG_R14;
	case X86_REG_R15: return IMAGE_REG_R15;
	case X86_REG_RSP: return IMAGE_REG_SP;
	default:	  return IMAGE_REG_NR;
	}
}

static bool is_arg(unsigned int reg)
{
	return reg == X86_REG_RDI || reg == X86_REG_EDI || reg == X86_REG_DI || reg == X86_REG_DIL;
}

/* Does the instruction write the register of the first argument, and if so, what? */
static void take_argument(csh cs, const cs_insn *in, struct reach_insn *out)
{
	const cs_x86 *x = &in->detail->x86;
	uint8_t nr_rd = 0, nr_wr = 0, reg;
	cs_regs rd, wr;

	if (cs_regs_access(cs, in, rd, &nr_rd, wr, &nr_wr))
		nr_wr = 0;
	for (int i = 0; i < nr_wr; i++)
		out->sets_arg |= is_arg(wr[i]);
	out->arg.reg = IMAGE_REG_NR;
	if (!out->sets_arg || x->op_count != 2 || x->operands[0].reg != X86_REG_RDI)
		return;
	if (in->id == X86_INS_MOV && x->operands[1].type == X86_OP_REG) {
		reg = image_reg(x->operands[1].reg);
		out->arg = (struct image_loc){ .reg = reg };
	} else if ((in->id == X86_INS_LEA || in->id == X86_INS_MOV) &&
		   x->operands[1].type == X86_OP_MEM &&
		   x->operands[1].mem.index == X86_REG_INVALID) {
		out->arg = (struct image_loc){ .reg = image_reg(x->operands[1].mem.base),
					       .deref = in->id == X86_INS_MOV,
					       .off = (int32_t)x->operands[1].mem.disp };
	}
}

static void describe(csh cs, const cs_insn *in, struct reach_insn *out)
{
	const cs_x86 *x = &in->detail->x86;
	bool direct = x->op_count == 1 && x->operands[0].type == X86_OP_IMM;

	*out = (struct reach_insn){ .vaddr = in->address };
	if (direct)
		out->target = (uint64_t)x->operands[0].imm;
	if (cs_insn_group(cs, in, CS_GRP_CALL)) {
		out->kind = direct ? REACH_CALL : REACH_CALL_UNKNOWN;
		if (x->op_count == 1 && x->operands[0].type == X86_OP_REG)
			out->reg = (uint16_t)x->operands[0].reg;
		if (x->op_count == 1 && x->operands[0].type == X86_OP_MEM &&
		    x->operands[0].mem.base == X86_REG_RIP) {
			out->kind = REACH_CALL_WORD;
			out->target = in->address + in->size + (uint64_t)x->operands[0].mem.disp;
		}
	} else if (in->id == X86_INS_JMP) {
		out->kind = direct ? REACH_JUMP : REACH_JUMP_UNKNOWN;
	} else if (cs_insn_group(cs, in, CS_GRP_JUMP)) {
		out->kind = REACH_BRANCH;
	} else if (cs_insn_group(cs, in, CS_GRP_RET)) {
		out->kind = REACH_RETURN;
	} else if (in->id == X86_INS_UD2 || in->id == X86_INS_HLT || in->id == X86_INS_INT3) {
		out->kind = REACH_STOP;
	}
	if (in->id == X86_INS_MOV && x->op_count == 2 && x->operands[1].type == X86_OP_MEM &&
	    x->operands[1].mem.base == X86_REG_RIP) {
		out->target = in->address + in->size + (uint64_t)x->operands[1].mem.disp;
		out->reg = (uint16_t)x->operands[0].reg;
	}
	if (in->id == X86_INS_PUSH)
		out->grows = 8;
	else if (in->id == X86_INS_SUB && x->op_count == 2 && x->operands[0].reg == X86_REG_RSP &&
		 x->operands[1].type == X86_OP_IMM)
		out->grows = (int32_t)x->operands[1].imm;
	take_argument(cs, in, out);
}

static int decode(struct reach *r, const uint8_t *p, uint64_t start, size_t n)
{
	cs_insn *in = NULL;
	size_t cap = 0;
	int err = 0;
	csh cs;

	if (cs_open(CS_ARCH_X86, CS_MODE_64, &cs) != CS_ERR_OK)
		return -ENOMEM;
	cs_option(cs, CS_OPT_DETAIL, CS_OPT_ON);
	in = cs_malloc(cs);
	if (!in)
		err = -ENOMEM;
	while (!err && n && cs_disasm_iter(cs, &p, &n, &start, in)) {
		if (array__room(&r->insns, &cap, r->nr, sizeof(*r->insns)))
			err = -ENOMEM;
		else
			describe(cs, in, &r->insns[r->nr++]);
	}
	if (in)
		cs_free(in, 1);
	cs_close(&cs);
	return err ? err : n ? -ENOENT : 0;
}

int reach__decode(struct reach *r, const struct binary *b, const struct boundaries *bs,
		  uint64_t vaddr)
{
	uint64_t start = boundaries__entry_of(bs, vaddr), end = boundaries__end_of(bs, vaddr);
	const uint8_t *p;
	size_t n;
	int err;

	*r = (struct reach){ .insns = NULL };
	p = start ? binary__code(b, start, &n) : NULL;
	if (!p || n < end - start || end - start > FUNCTION_MAX)
		return -ENOENT;
	err = decode(r, p, start, (size_t)(end - start));
	if (!err) {
		r->leads = calloc(r->nr + 1, sizeof(*r->leads));
		err = r->leads ? 0 : -ENOMEM;
	}
	if (err)
		reach__free(r);
	return err;
}

void reach__free(struct reach *r)
{
	free(r->insns);
	free(r->leads);
	*r = (struct reach){ .insns = NULL };
}

bool reach__returns(const struct reach *r)
{
	for (size_t i = 0; i < r->nr; i++) {
		const struct reach_insn *in = &r->insns[i];

		if (in->kind == REACH_RETURN || in->kind == REACH_JUMP_UNKNOWN)
			return true;
		if ((in->kind == REACH_JUMP || in->kind == REACH_BRANCH) &&
		    reach__at(r, in->target) == r->nr)
			return true;
	}
	return !r->nr;
}

size_t reach__at(const struct reach *r, uint64_t vaddr)
{
	size_t i = BISECT(r->nr, k, r->insns[k].vaddr < vaddr);

	return i < r->nr && r->insns[i].vaddr == vaddr ? i : r->nr;
}

bool reach__goes_on(const struct reach_insn *in)
{
	return in->kind == REACH_PLAIN || in->kind == REACH_BRANCH || in->kind == REACH_CALL ||
	       in->kind == REACH_CALL_WORD || in->kind == REACH_CALL_UNKNOWN;
}

/* Does @insn lead directly to a marked instruction? */
static bool leads_on(const struct reach *r, size_t insn)
{
	const struct reach_insn *in = &r->insns[insn];
	size_t to = r->nr;

	if (in->kind == REACH_JUMP || in->kind == REACH_BRANCH)
		to = reach__at(r, in->target);
	if (to < r->nr && r->leads[to])
		return true;
	return reach__goes_on(in) && insn + 1 < r->nr && r->leads[insn + 1];
}

int reach__towards(struct reach *r, const bool *within)
{
	uint8_t *away = calloc(r->nr + 1, 1);	/* how far each is from the instructions @within */
	bool more = true;

	if (!away)
		return -ENOMEM;
	while (more) {
		more = false;
		for (size_t i = r->nr; i-- > 0;) {
			const struct reach_insn *in = &r->insns[i];
			uint8_t far = 0;
			size_t to;

			if (r->leads[i] || !leads_on(r, i))
				continue;
			if (within && !within[i]) {
				to = in->kind == REACH_JUMP ? reach__at(r, in->target) : i + 1;
				far = to < r->nr && r->leads[to] ? away[to] + 1 : DETOUR;
				if (far >= DETOUR)
					continue;
			}
			away[i] = far;
			r->leads[i] = more = true;
		}
	}
	free(away);
	return 0;
}

int32_t reach__frame(const struct reach *r)
{
	int32_t frame = 0;

	for (size_t i = 0; i < r->nr && r->insns[i].kind == REACH_PLAIN; i++) {
		frame += r->insns[i].grows;
		if (r->insns[i].grows > 8)
			break;
	}
	return frame;
}

bool reach__argument(const struct reach *r, size_t insn, struct image_loc *out)
{
	for (int i = 0; i < ARGUMENT_INSNS && insn-- > 0; i++) {
		const struct reach_insn *in = &r->insns[insn];

		if (in->sets_arg) {
			*out = in->arg;
			return in->arg.reg != IMAGE_REG_NR;
		}
		if (in->kind != REACH_PLAIN && in->kind != REACH_BRANCH)
			return false;
	}
	return false;
}
