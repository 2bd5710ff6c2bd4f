// SPDX-License-Identifier: GPL-2.0
/*
 * Probe sites: which instruction of a function the kernel can probe cheaply. See
 * site.h. It must not know what the function is.
 *
 * The kernel emulates (arch/x86/kernel/uprobes.c): push of a 64-bit register; jmp, jcc
 * and call with a relative target; the one-byte nop. All other instructions are
 * single-stepped, which costs many times more. Five-byte nops are not used: kernels
 * that optimise uprobes on them overwrite the red zone.
 */
#include "image/site.h"

#include <capstone/capstone.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY_INSNS	48	/* instructions from the entry that are considered */
#define RETURN_INSNS	24
#define RETURNS_MAX	16	/* indirect calls of a function with nothing else in it */
#define SWEEP_INSNS	4096	/* instructions of a function searched for loops */
#define SWEEP_TIMES	64	/* limits searches for calls: symbols may overlap */

struct site_finder {
	const struct binary	*b;
	csh			 cs;
	cs_insn			*insn;
	uint64_t		 sweep;		/* bytes that may still be searched for calls */
};

struct site_finder *site_finder__new(const struct binary *b)
{
	struct site_finder *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->b = b;
	for (size_t i = 0; i < b->nr_segs; i++)
		if (b->segs[i].exec)
			f->sweep += SWEEP_TIMES * b->segs[i].file_size;
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &f->cs) != CS_ERR_OK) {
		free(f);
		return NULL;
	}
	cs_option(f->cs, CS_OPT_DETAIL, CS_OPT_ON);
	f->insn = cs_malloc(f->cs);
	if (!f->insn) {
		site_finder__free(f);
		return NULL;
	}
	return f;
}

void site_finder__free(struct site_finder *f)
{
	if (!f)
		return;
	if (f->insn)
		cs_free(f->insn, 1);
	cs_close(&f->cs);
	free(f);
}

/* Register numbers in x86-64's instruction encoding. */
enum { R_AX, R_CX, R_DX, R_BX, R_SP, R_BP, R_SI, R_DI, R_8, R_9, R_10, R_11,
       R_12, R_13, R_14, R_15, R_NONE = -1 };

static int reg_of(unsigned int r)
{
	switch (r) {
	case X86_REG_RAX: case X86_REG_EAX: case X86_REG_AX: case X86_REG_AL: case X86_REG_AH:
		return R_AX;
	case X86_REG_RCX: case X86_REG_ECX: case X86_REG_CX: case X86_REG_CL: case X86_REG_CH:
		return R_CX;
	case X86_REG_RDX: case X86_REG_EDX: case X86_REG_DX: case X86_REG_DL: case X86_REG_DH:
		return R_DX;
	case X86_REG_RBX: case X86_REG_EBX: case X86_REG_BX: case X86_REG_BL: case X86_REG_BH:
		return R_BX;
	case X86_REG_RSP: case X86_REG_ESP: case X86_REG_SP: case X86_REG_SPL:
		return R_SP;
	case X86_REG_RBP: case X86_REG_EBP: case X86_REG_BP: case X86_REG_BPL:
		return R_BP;
	case X86_REG_RSI: case X86_REG_ESI: case X86_REG_SI: case X86_REG_SIL:
		return R_SI;
	case X86_REG_RDI: case X86_REG_EDI: case X86_REG_DI: case X86_REG_DIL:
		return R_DI;
	case X86_REG_R8: case X86_REG_R8D: case X86_REG_R8W: case X86_REG_R8B:
		return R_8;
	case X86_REG_R9: case X86_REG_R9D: case X86_REG_R9W: case X86_REG_R9B:
		return R_9;
	case X86_REG_R10: case X86_REG_R10D: case X86_REG_R10W: case X86_REG_R10B:
		return R_10;
	case X86_REG_R11: case X86_REG_R11D: case X86_REG_R11W: case X86_REG_R11B:
		return R_11;
	case X86_REG_R12: case X86_REG_R12D: case X86_REG_R12W: case X86_REG_R12B:
		return R_12;
	case X86_REG_R13: case X86_REG_R13D: case X86_REG_R13W: case X86_REG_R13B:
		return R_13;
	case X86_REG_R14: case X86_REG_R14D: case X86_REG_R14W: case X86_REG_R14B:
		return R_14;
	case X86_REG_R15: case X86_REG_R15D: case X86_REG_R15W: case X86_REG_R15B:
		return R_15;
	default:
		return R_NONE;
	}
}

static int image_reg_of(int r)
{
	switch (r) {
	case R_DI: return IMAGE_REG_DI;
	case R_SI: return IMAGE_REG_SI;
	case R_DX: return IMAGE_REG_DX;
	case R_BX: return IMAGE_REG_BX;
	case R_BP: return IMAGE_REG_BP;
	case R_12: return IMAGE_REG_R12;
	case R_13: return IMAGE_REG_R13;
	case R_14: return IMAGE_REG_R14;
	case R_15: return IMAGE_REG_R15;
	case R_AX: return IMAGE_REG_AX;
	case R_CX: return IMAGE_REG_CX;
	case R_8:  return IMAGE_REG_R8;
	case R_9:  return IMAGE_REG_R9;
	default:   return -1;
	}
}

enum insn_kind { INSN_OTHER, INSN_PUSH, INSN_JMP, INSN_JCC, INSN_CALL, INSN_NOP };

/* How the kernel classifies these bytes. */
static enum insn_kind insn__kind(const uint8_t *p, size_t n)
{
	if (n == 1 && p[0] == 0x90)
		return INSN_NOP;
	if (n == 1 && p[0] >= 0x50 && p[0] <= 0x57)
		return INSN_PUSH;
	if (n == 2 && p[0] == 0x41 && p[1] >= 0x50 && p[1] <= 0x57)
		return INSN_PUSH;
	if ((n == 2 && p[0] == 0xeb) || (n == 5 && p[0] == 0xe9))
		return INSN_JMP;
	if (n == 5 && p[0] == 0xe8)
		return INSN_CALL;
	if ((n == 2 && p[0] >= 0x70 && p[0] <= 0x7f) ||
	    (n == 6 && p[0] == 0x0f && p[1] >= 0x80 && p[1] <= 0x8f))
		return INSN_JCC;
	return INSN_OTHER;
}

/* The target of a relative branch. */
static uint64_t insn__target(const uint8_t *p, size_t n, uint64_t vaddr)
{
	if (n == 2)
		return vaddr + n + (uint64_t)(int64_t)(int8_t)p[1];
	return vaddr + n + (uint64_t)(int64_t)(int32_t)read_le(p + n - 4, 4);
}

/* Is there a backward branch, at or behind @site, to a place in (@entry, @site]? */
static bool in_loop(struct site_finder *f, uint64_t entry, uint64_t size, uint64_t site)
{
	uint64_t vaddr = site;
	const uint8_t *p;
	bool loop = false;
	size_t n;

	p = binary__code(f->b, vaddr, &n);
	if (!p)
		return false;
	if (size && entry + size > vaddr && entry + size - vaddr < n)
		n = (size_t)(entry + size - vaddr);
	cs_option(f->cs, CS_OPT_DETAIL, CS_OPT_OFF);
	for (int i = 0; i < SWEEP_INSNS && n; i++) {
		const uint8_t *at = p;
		enum insn_kind kind;

		if (!cs_disasm_iter(f->cs, &p, &n, &vaddr, f->insn))
			break;
		kind = insn__kind(at, f->insn->size);
		if (kind == INSN_JMP || kind == INSN_JCC) {
			uint64_t to = insn__target(at, f->insn->size, f->insn->address);

			if (to > entry && to <= site) {
				loop = true;
				break;
			}
		}
	}
	cs_option(f->cs, CS_OPT_DETAIL, CS_OPT_ON);
	return loop;
}

/*
 * If no site is cheap, the first instruction is single-stepped; but five-byte nops are
 * skipped, see the top of this file.
 */
static uint64_t past_nop5(const struct site_finder *f, uint64_t vaddr)
{
	static const uint8_t nop5[] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };
	const uint8_t *p;
	size_t n;

	while ((p = binary__code(f->b, vaddr, &n)) && n > sizeof(nop5) &&
	       !memcmp(p, nop5, sizeof(nop5)))
		vaddr += sizeof(nop5);
	return vaddr;
}

/*
 * Does the instruction end the search? Behind it, other code has run, or another path
 * begins.
 */
static bool insn__ends(struct site_finder *f, const cs_insn *in, const uint8_t *at)
{
	return cs_insn_group(f->cs, in, CS_GRP_RET) || cs_insn_group(f->cs, in, CS_GRP_JUMP) ||
	       cs_insn_group(f->cs, in, CS_GRP_CALL) || cs_insn_group(f->cs, in, CS_GRP_INT) ||
	       cs_insn_group(f->cs, in, CS_GRP_IRET) || in->id == X86_INS_HLT ||
	       /* ud2 and similar */
	       (at[0] == 0x0f && (at[1] == 0x0b || at[1] == 0xb9 || at[1] == 0xff));
}

/* How the instruction moves the stack pointer; false: in a way that is not followed. */
static bool insn__sp(struct site_finder *f, const cs_insn *in, const uint8_t *at, int64_t *sp)
{
	const cs_x86 *x = &in->detail->x86;
	uint8_t nr_rd = 0, nr_wr = 0;
	cs_regs rd, wr;

	/* with prefix 0x66 it pushes two bytes only */
	if (insn__kind(at, in->size) == INSN_PUSH || (in->id == X86_INS_PUSH && at[0] != 0x66)) {
		*sp += 8;
		return true;
	}
	if (in->id == X86_INS_POP && at[0] != 0x66 && x->operands[0].reg != X86_REG_RSP) {
		*sp -= 8;
		return true;
	}
	if ((in->id == X86_INS_SUB || in->id == X86_INS_ADD) && x->op_count == 2 &&
	    x->operands[0].type == X86_OP_REG && x->operands[0].reg == X86_REG_RSP) {
		if (x->operands[1].type != X86_OP_IMM)
			return false;
		*sp += in->id == X86_INS_SUB ? x->operands[1].imm : -x->operands[1].imm;
		return true;
	}
	/* the disassembler does not report what enter writes */
	if (in->id == X86_INS_ENTER || cs_regs_access(f->cs, in, rd, &nr_rd, wr, &nr_wr))
		return false;
	for (int i = 0; i < nr_wr; i++)
		if (reg_of(wr[i]) == R_SP)
			return false;
	return true;
}

static void insn__regs(struct site_finder *f, const cs_insn *in, int *holder)
{
	const cs_x86 *x = &in->detail->x86;
	cs_regs rd, wr;
	uint8_t nr_rd = 0, nr_wr = 0;

	if (*holder == R_NONE)
		return;
	if (in->id == X86_INS_MOV && x->op_count == 2 && x->operands[0].type == X86_OP_REG &&
	    x->operands[1].type == X86_OP_REG && x->operands[0].size == 8 &&
	    reg_of(x->operands[1].reg) == *holder) {
		int to = reg_of(x->operands[0].reg);

		/* prefer the copy if it is in a callee-saved register */
		if (to == R_BX || to == R_BP || (to >= R_12 && to <= R_15)) {
			*holder = to;
			return;
		}
	}
	if (cs_regs_access(f->cs, in, rd, &nr_rd, wr, &nr_wr)) {
		*holder = R_NONE;
		return;
	}
	for (int i = 0; i < nr_wr; i++)
		if (reg_of(wr[i]) == *holder)
			*holder = R_NONE;
}

/* The site is chosen: set its file offset and the code around it. */
static int settle(const struct site_finder *f, struct image_site *site)
{
	uint64_t before = IMAGE_SITE_CODE / 2;
	const uint8_t *p = NULL;
	size_t n = 0;

	if (!binary__file_off(f->b, site->vaddr, &site->file_off))
		return -ENOENT;
	while (!p && before)
		p = binary__code(f->b, site->vaddr - --before, &n);
	if (!p)
		return -ENOENT;
	if (n > IMAGE_SITE_CODE)
		n = IMAGE_SITE_CODE;
	memcpy(site->code, p, n);
	site->code_before = (uint8_t)before;
	site->code_len = (uint8_t)n;
	return 0;
}

/*
 * The first instruction from @entry on that is cheap to probe and where the value of
 * @holder at @entry is still in a register.
 */
static int site_from(struct site_finder *f, uint64_t entry, uint64_t size, int holder, bool loops,
		     struct image_site *out)
{
	uint64_t vaddr = entry;
	const uint8_t *p;
	int64_t sp = 0;
	size_t n;

	memset(out, 0, sizeof(*out));
	p = binary__code(f->b, entry, &n);
	if (!p)
		return -ENOENT;
	out->vaddr = past_nop5(f, entry);
	out->arg_reg = (uint8_t)image_reg_of(holder);
	out->slow = 1;
	if (size && size < n)
		n = (size_t)size;
	for (int i = 0; i < ENTRY_INSNS && n; i++) {
		const uint8_t *at = p;
		const cs_insn *in = f->insn;
		enum insn_kind kind;

		if (!cs_disasm_iter(f->cs, &p, &n, &vaddr, f->insn))
			break;
		kind = insn__kind(at, in->size);
		if (kind != INSN_OTHER && holder != R_NONE && image_reg_of(holder) >= 0 &&
		    (loops || in->address == entry || !in_loop(f, entry, size, in->address))) {
			/* in_loop() has used the disassembler, so *in is invalid */
			out->vaddr = (uint64_t)(at - binary__code(f->b, entry, &n)) + entry;
			out->sp_adjust = (int32_t)sp;
			out->arg_reg = (uint8_t)image_reg_of(holder);
			out->slow = 0;
			break;
		}
		if (kind == INSN_JMP || kind == INSN_JCC || kind == INSN_CALL)
			break;
		if (kind != INSN_OTHER && f->insn->address != vaddr - f->insn->size) {
			/* in_loop() has moved the disassembler: decode again */
			const uint8_t *q = at;
			uint64_t va = vaddr;
			size_t left = 16;

			if (!cs_disasm_iter(f->cs, &q, &left, &va, f->insn))
				break;
		}
		if (insn__ends(f, in, at) || !insn__sp(f, in, at, &sp))
			break;
		insn__regs(f, in, &holder);
		if (holder == R_NONE)
			break;
	}
	return settle(f, out);
}

int site_finder__entry(struct site_finder *f, uint64_t entry, uint64_t size, unsigned int arg,
		       bool loops, struct image_site *out)
{
	static const int args[] = { R_DI, R_SI, R_DX, R_CX, R_8, R_9 };

	if (arg >= sizeof(args) / sizeof(args[0]))
		return -EINVAL;
	return site_from(f, entry, size, args[arg], loops, out);
}

int site_finder__inlined(struct site_finder *f, uint64_t start, uint64_t end, unsigned int reg,
			 struct image_site *out)
{
	/*
	 * System V ABI for x86-64, figure 3.36; the first eight are in another order
	 * than in the encoding
	 */
	static const int regs[] = { R_AX, R_DX, R_CX, R_BX, R_SI, R_DI, R_BP, R_SP, R_8, R_9,
				    R_10, R_11, R_12, R_13, R_14, R_15 };

	if (reg >= sizeof(regs) / sizeof(regs[0]) || image_reg_of(regs[reg]) < 0 || end <= start)
		return -EINVAL;
	return site_from(f, start, end - start, regs[reg], false, out);
}

int site_finder__return(struct site_finder *f, uint64_t ret, struct image_return *out)
{
	uint64_t vaddr = ret;
	int holder = R_AX;
	const uint8_t *p;
	int64_t sp = 0;
	size_t n;

	memset(out, 0, sizeof(*out));
	p = binary__code(f->b, ret, &n);
	if (!p)
		return -ENOENT;
	out->ret = ret;
	out->site.arg_reg = IMAGE_REG_AX;
	out->site.vaddr = past_nop5(f, ret);
	out->site.slow = 1;
	for (int i = 0; i < RETURN_INSNS && n; i++) {
		const uint8_t *at = p;
		const cs_insn *in = f->insn;

		if (!cs_disasm_iter(f->cs, &p, &n, &vaddr, f->insn))
			break;
		if (insn__kind(at, in->size) != INSN_OTHER) {
			out->site.vaddr = in->address;
			out->site.sp_adjust = (int32_t)sp;
			out->site.slow = 0;
			out->site.arg_reg = holder != R_NONE && image_reg_of(holder) >= 0 ?
						    (uint8_t)image_reg_of(holder) : IMAGE_REG_NR;
			break;
		}
		if (insn__ends(f, in, at) || !insn__sp(f, in, at, &sp))
			break;
		insn__regs(f, in, &holder);
	}
	return settle(f, &out->site);
}

int site_finder__at(struct site_finder *f, uint64_t vaddr, struct image_site *out)
{
	uint64_t at = past_nop5(f, vaddr);
	const uint8_t *p;
	size_t n;

	memset(out, 0, sizeof(*out));
	p = binary__code(f->b, at, &n);
	vaddr = at;
	if (!p || !cs_disasm_iter(f->cs, &p, &n, &vaddr, f->insn))
		return -ENOENT;
	out->vaddr = at;
	out->slow = insn__kind(p - f->insn->size, f->insn->size) == INSN_OTHER;
	return settle(f, out);
}

int site_finder__returns_at_once(struct site_finder *f, uint64_t ret, int64_t *popped)
{
	uint64_t vaddr = ret;
	const uint8_t *p;
	int64_t sp = 0;
	size_t n;

	p = binary__code(f->b, ret, &n);
	for (int i = 0; p && i < RETURN_INSNS && n; i++) {
		const uint8_t *at = p;

		if (!cs_disasm_iter(f->cs, &p, &n, &vaddr, f->insn))
			break;
		if (f->insn->id == X86_INS_RET && f->insn->size == 1) {
			*popped = 8 - sp;
			return 0;
		}
		if (insn__ends(f, f->insn, at) || !insn__sp(f, f->insn, at, &sp))
			break;
	}
	return -ENOENT;
}

uint64_t site_finder__thunk(struct site_finder *f, uint64_t vaddr)
{
	size_t n;
	const uint8_t *p = binary__code(f->b, vaddr, &n);

	if (p && n >= 5 && p[0] == 0xe9)
		return insn__target(p, 5, vaddr);
	if (p && n >= 2 && p[0] == 0xeb)
		return insn__target(p, 2, vaddr);
	return vaddr;
}

/* How many of @n bytes may be searched: sizes and number of symbols are claims of the file. */
static size_t sweep(struct site_finder *f, size_t n)
{
	if (n > f->sweep)
		n = (size_t)f->sweep;
	f->sweep -= n;
	return n;
}

/* The registers whose value is *(obj + vtable_off), and the obj of each. */
struct table_regs {
	int	obj[16];	/* R_NONE: the register contains something else */
	int	copy_of[16];	/* the register is a copy of this one */
};

static void table_regs__forget(struct table_regs *t, int r)
{
	t->obj[r] = R_NONE;
	t->copy_of[r] = R_NONE;
	for (int i = 0; i < 16; i++) {
		if (t->copy_of[i] == r)
			t->copy_of[i] = R_NONE;
		if (t->obj[i] == r)
			t->obj[i] = 16;		/* loaded from it, but it has changed since */
	}
}

void site_finder__table_calls(struct site_finder *f, uint64_t start, uint64_t end,
			      const struct table_call *call,
			      void (*found)(void *ctx, uint64_t ret), void *ctx)
{
	struct table_regs t;
	uint64_t vaddr = start;
	const uint8_t *p;
	size_t n;

	memset(&t, 0xff, sizeof(t));
	p = binary__code(f->b, start, &n);
	if (!p || end <= start)
		return;
	if (end - start < n)
		n = (size_t)(end - start);
	n = sweep(f, n);
	while (n) {
		const cs_insn *in = f->insn;
		const cs_x86 *x;
		cs_regs rd, wr;
		uint8_t nr_rd, nr_wr;
		int load_to = R_NONE, load_obj = R_NONE, copy_to = R_NONE, copy_from = R_NONE;

		if (!cs_disasm_iter(f->cs, &p, &n, &vaddr, f->insn)) {
			/* data between functions, or an unknown instruction */
			p++;
			n--;
			vaddr++;
			memset(&t, 0xff, sizeof(t));
			continue;
		}
		x = &in->detail->x86;
		if (in->id == X86_INS_CALL && x->op_count == 1) {
			const cs_x86_op *op = &x->operands[0];
			int base = op->type == X86_OP_MEM &&
				   (uint64_t)op->mem.disp == call->fn_off &&
				   op->mem.index == X86_REG_INVALID ? reg_of(op->mem.base) :
				   R_NONE;

			if (base != R_NONE && t.obj[base] != R_NONE) {
				int obj = t.obj[base];

				if (obj == R_DI || t.copy_of[R_DI] == obj || obj == 16 ||
				    (obj >= 0 && obj < 16 && t.copy_of[obj] == R_DI))
					found(ctx, in->address + in->size);
			}
			/* after a call, only callee-saved registers are known */
			for (int r = 0; r < 16; r++)
				if (r != R_BX && r != R_BP && r != R_SP && r < R_12)
					table_regs__forget(&t, r);
			continue;
		}
		if (in->id == X86_INS_MOV && x->op_count == 2 &&
		    x->operands[0].type == X86_OP_REG && x->operands[0].size == 8) {
			const cs_x86_op *src = &x->operands[1];
			int to = reg_of(x->operands[0].reg);

			if (src->type == X86_OP_MEM && src->mem.index == X86_REG_INVALID &&
			    (uint64_t)src->mem.disp == call->vtable_off &&
			    reg_of(src->mem.base) != R_NONE && reg_of(src->mem.base) != R_SP) {
				load_to = to;
				load_obj = reg_of(src->mem.base);
			} else if (src->type == X86_OP_REG && reg_of(src->reg) != R_NONE) {
				copy_to = to;
				copy_from = reg_of(src->reg);
			}
		}
		if (!cs_regs_access(f->cs, in, rd, &nr_rd, wr, &nr_wr))
			for (int i = 0; i < nr_wr; i++)
				if (reg_of(wr[i]) != R_NONE)
					table_regs__forget(&t, reg_of(wr[i]));
		if (load_to != R_NONE)
			t.obj[load_to] = load_obj == load_to ? 16 : load_obj;
		if (copy_to != R_NONE && copy_to != copy_from) {
			t.copy_of[copy_to] = copy_from;
			/*
			 * a copy of a pointer to the same object: what was loaded through one
			 * was loaded through the other
			 */
			for (int i = 0; i < 16; i++)
				if (t.obj[i] == copy_from && copy_to == R_DI)
					t.copy_of[R_DI] = copy_from;
		}
		/* paths join here: what is known on one path may not hold on the other */
		if (cs_insn_group(f->cs, in, CS_GRP_RET) ||
		    (in->id == X86_INS_JMP))
			memset(&t, 0xff, sizeof(t));
	}
}

static bool is_indirect(const cs_insn *in)
{
	const cs_x86_op *op = &in->detail->x86.operands[0];

	if (in->id != X86_INS_CALL || in->detail->x86.op_count != 1)
		return false;
	return op->type == X86_OP_REG ||
	       (op->type == X86_OP_MEM && op->mem.base != X86_REG_RIP);
}

unsigned int site_finder__indirect_calls(struct site_finder *f, uint64_t start, uint64_t end,
					 void (*found)(void *ctx, uint64_t ret), void *ctx)
{
	uint64_t rets[RETURNS_MAX], vaddr = start;
	unsigned int nr = 0;
	const uint8_t *p;
	size_t n;

	p = binary__code(f->b, start, &n);
	if (!p || end <= start)
		return 0;
	if (end - start < n)
		n = (size_t)(end - start);
	n = sweep(f, n);
	while (n && nr < RETURNS_MAX && cs_disasm_iter(f->cs, &p, &n, &vaddr, f->insn))
		if (is_indirect(f->insn))
			rets[nr++] = f->insn->address + f->insn->size;
	/* found() may use the disassembler */
	for (unsigned int i = 0; i < nr; i++)
		found(ctx, rets[i]);
	return nr;
}

/* The most bytes between loading a function's address and calling it. */
#define LOADED_CALL_BYTES	64

/* The most bytes between loading a vtable's address and the call through it. */
#define TABLE_CALL_BYTES	48

/*
 * The length of an operand @off(%reg) whose ModRM byte is at @p (four bytes at least),
 * with an 8-bit displacement, or without one if @off is 0. With @extended, %reg may be
 * r12, which takes a SIB byte. 0: it is no such operand.
 */
static size_t operand_length(const uint8_t *p, bool extended, uint64_t off)
{
	bool sib = (p[0] & 7) == 4;

	if (sib && (!extended || p[1] != 0x24))
		return 0;
	if ((p[0] & 0xc0) == 0x40)
		return p[1 + sib] == off ? 2 + sib : 0;
	/* mod 0 with the number of rbp is an address relative to rip */
	return !(p[0] & 0xc0) && !off && (p[0] & 7) != 5 ? 1 + sib : 0;
}

/* The length of mov off(%obj),%table (REX.W 8b) at @p (six bytes at least); 0: it is none. */
static size_t table_load(const uint8_t *p, uint64_t vtable_off)
{
	size_t len;

	if ((p[0] & 0xf8) != 0x48 || p[1] != 0x8b)
		return 0;
	len = operand_length(p + 2, p[0] & 1, vtable_off);
	return len ? 2 + len : 0;
}

/*
 * Is there a call *off(%table), that is ff /2, in the @n bytes at @p? %table may be any
 * register.
 */
static bool is_table_call(const uint8_t *p, size_t n, uint64_t fn_off)
{
	uint8_t bytes[4] = { 0 };

	memcpy(bytes, p, n < sizeof(bytes) ? n : sizeof(bytes));
	return n >= 2 && p[0] == 0xff && (p[1] & 0x38) == 0x10 &&
	       operand_length(bytes + 1, true, fn_off);
}

bool site_finder__maybe_table_call(struct site_finder *f, uint64_t start, uint64_t end,
				   const struct table_call *call)
{
	const uint8_t *p, *last;
	size_t n;

	p = binary__code(f->b, start, &n);
	if (!p || end <= start || call->vtable_off > 127 || call->fn_off > 127)
		return p != NULL;
	if (end - start < n)
		n = (size_t)(end - start);
	n = sweep(f, n);
	last = p + n;
	for (; last - p >= 6; p++) {
		const uint8_t *to = last - p > TABLE_CALL_BYTES ? p + TABLE_CALL_BYTES : last;
		size_t len = table_load(p, call->vtable_off);

		for (const uint8_t *q = p + len; len && q + 1 < to; q++)
			if (is_table_call(q, (size_t)(to - q), call->fn_off))
				return true;
	}
	return false;
}

/* The address that the last four bytes of an instruction contain, relative to its end. */
static uint64_t rip_target(const uint8_t *p, size_t n, uint64_t vaddr)
{
	return vaddr + n + (uint64_t)(int64_t)(int32_t)read_le(p + n - 4, 4);
}

static bool is_word(const uint64_t *words, size_t nr, uint64_t addr)
{
	for (size_t i = 0; i < nr; i++)
		if (words[i] == addr)
			return true;
	return false;
}

/*
 * If the instruction at @p loads a word into a register (mov word(%rip),%reg), find the
 * first call of that register behind it, as in unoptimised code. Returns the length
 * from @p to the end of the call; 0: none.
 */
static size_t call_of_loaded(const uint8_t *p, const uint8_t *end)
{
	unsigned int reg = (p[2] >> 3 & 7) | (p[0] & 4) << 1;
	size_t room = (size_t)(end - p) < LOADED_CALL_BYTES ? (size_t)(end - p) :
							       LOADED_CALL_BYTES;

	for (size_t i = 7; i + 2 <= room; i++) {
		const uint8_t *q = p + i;

		/* ff d0+r; prefix 41 for r8 to r15 */
		if (reg < 8 && q[0] == 0xff && q[1] == (0xd0 | reg) && q[-1] != 0x41)
			return i + 2;
		if (reg >= 8 && i + 3 <= room && q[0] == 0x41 && q[1] == 0xff &&
		    q[2] == (0xd0 | (reg & 7)))
			return i + 3;
	}
	return 0;
}

static void calls_in(const struct segment *s, const uint8_t *start, uint64_t target,
		     const uint64_t *words, size_t nr_words,
		     void (*found)(void *ctx, uint64_t ret), void *ctx)
{
	const uint8_t *end = start + s->file_size;

	for (const uint8_t *p = start; end - p >= 5; p++) {
		uint64_t at = s->vaddr + (uint64_t)(p - start);
		size_t room = (size_t)(end - p), len = 0;

		/* call target; call *word(%rip); mov word(%rip),%reg … call *%reg */
		if (p[0] == 0xe8 && rip_target(p, 5, at) == target)
			len = 5;
		else if (room >= 6 && p[0] == 0xff && p[1] == 0x15 &&
			 is_word(words, nr_words, rip_target(p, 6, at)))
			len = 6;
		else if (room >= 7 && (p[0] & 0xfb) == 0x48 && p[1] == 0x8b &&
			 (p[2] & 0xc7) == 0x05 &&
			 is_word(words, nr_words, rip_target(p, 7, at)))
			len = call_of_loaded(p, end);
		if (len)
			found(ctx, at + len);
	}
}

void site_finder__calls_of(struct site_finder *f, uint64_t target,
			   void (*found)(void *ctx, uint64_t ret), void *ctx)
{
	uint64_t words[16];
	size_t n, nr;

	if (!f->sweep)
		return;
	nr = binary__words_of(f->b, target, words, sizeof(words) / sizeof(words[0]));
	for (size_t i = 0; i < f->b->nr_segs; i++) {
		const struct segment *s = &f->b->segs[i];
		const uint8_t *code = binary__code(f->b, s->vaddr, &n);

		if (code && n == s->file_size && sweep(f, n) == n)
			calls_in(s, code, target, words, nr, found, ctx);
	}
}
