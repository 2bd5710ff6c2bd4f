// SPDX-License-Identifier: GPL-2.0
/*
 * Where a root lies, according to debug information about a copy of a block_on: from
 * the first argument of the function that polls it, and from the variables that hold
 * it. See root_copy.h.
 */
#include "image/lists.h"
#include "image/root_copy.h"

#include <string.h>

#define DEPTH_MAX	64

/* The entry with the name of the function at @d, through copies and declarations. */
struct die root__name(const struct types *ts, struct die d)
{
	struct die to;

	for (int i = 0; i < 4 && (die__ref(ts->di, &d, DW_AT_abstract_origin, &to) ||
				  die__ref(ts->di, &d, DW_AT_specification, &to));
	     i++)
		d = to;
	return d;
}

static bool first_parameter(const struct types *ts, const struct die *fn, struct die *out)
{
	if (!die__child(fn, out))
		return false;
	do {
		if (out->ab->tag == DW_TAG_formal_parameter)
			return true;
	} while (die__next(ts->di, out, out));
	return false;
}

/*
 * The type of the first parameter of the function at @d. If @d is a copy, it may lack
 * the entry of the parameter; then the original's is used.
 */
static bool first_type(const struct types *ts, struct die d, struct die *out)
{
	struct die p, name = root__name(ts, d), to;

	if (!first_parameter(ts, &name, &p) && !first_parameter(ts, &d, &p))
		return false;
	if (die__ref(ts->di, &p, DW_AT_abstract_origin, &to))
		p = to;
	return type__of(ts, &p, out);
}

/* The first parameter of the copy at @d; false: no entry for it is left. */
bool root__copied_parameter(const struct types *ts, const struct die *d, struct die *out)
{
	struct die origin, first, to;

	if (!die__ref(ts->di, d, DW_AT_abstract_origin, &origin) ||
	    !first_parameter(ts, &origin, &first))
		return first_parameter(ts, d, out);
	return first_parameter(ts, d, out) && die__ref(ts->di, out, DW_AT_abstract_origin, &to) &&
	       to.p == first.p;
}

static bool is_poll_name(const char *name)
{
	return name &&
	       (name[0] == '{' || (!strncmp(name, "poll", 4) && (!name[4] || name[4] == '<')));
}

/* Does the function at @d, or what it is a copy of, poll the copy's future? */
bool root_copy__polls(const struct root_copy *c, const struct die *d)
{
	const struct types *ts = c->r->ts;
	struct die type, to, name = root__name(ts, *d);
	struct type_member m;

	return is_poll_name(die__str(&name, DW_AT_name)) && first_type(ts, *d, &type) &&
	       type__named(&type, "Pin<") && type__only_member(ts, &type, &m) &&
	       type__pointee(ts, &m.type, &to) && type__key(ts, &to) == c->key;
}

/* ---- where the root lies ---- */

uint8_t root__image_reg(unsigned int dwarf)
{
	/* System V ABI for x86-64, figure 3.36 */
	static const uint8_t regs[] = {
		IMAGE_REG_AX,  IMAGE_REG_DX,  IMAGE_REG_CX,  IMAGE_REG_BX,
		IMAGE_REG_SI,  IMAGE_REG_DI,  IMAGE_REG_BP,  IMAGE_REG_SP,
		IMAGE_REG_R8,  IMAGE_REG_R9,  IMAGE_REG_NR,  IMAGE_REG_NR,
		IMAGE_REG_R12, IMAGE_REG_R13, IMAGE_REG_R14, IMAGE_REG_R15,
	};

	return dwarf < sizeof(regs) ? regs[dwarf] : IMAGE_REG_NR;
}

/* Is it callee-saved? */
bool root__is_kept(uint8_t reg)
{
	return reg == IMAGE_REG_BX || reg == IMAGE_REG_BP || reg == IMAGE_REG_SP ||
	       (reg >= IMAGE_REG_R12 && reg <= IMAGE_REG_R15);
}

uint8_t root__frame(const struct die *fn)
{
	struct attr a;
	uint8_t reg;

	if (!die__attr(fn, DW_AT_frame_base, &a) || !attr__is_block(&a) || a.v != 1 ||
	    *a.p < DW_OP_reg0)
		return IMAGE_REG_NR;
	reg = root__image_reg(*a.p - DW_OP_reg0);
	return root__is_kept(reg) ? reg : IMAGE_REG_NR;
}

/* The value of a parameter from expression @e: in a register, or in memory relative to one. */
bool root__loc(const struct die_range *e, uint8_t frame, struct image_loc *out)
{
	const uint8_t *p = e->expr, *end = p + e->expr_len;
	unsigned int derefs;
	int64_t off;
	uint8_t op;

	if (!e->expr_len)
		return false;
	op = *p++;
	*out = (struct image_loc){ .reg = IMAGE_REG_NR };
	if (op >= DW_OP_reg0 && op <= DW_OP_reg15 && p == end) {
		out->reg = root__image_reg(op - DW_OP_reg0);
	} else if (((op >= DW_OP_breg0 && op <= DW_OP_breg15) || op == DW_OP_fbreg) &&
		   read_sleb(&p, end, &off) && off == (int32_t)off) {
		out->reg = op == DW_OP_fbreg ? frame : root__image_reg(op - DW_OP_breg0);
		out->off = (int32_t)off;
		derefs = 1;
		for (; p < end && *p == DW_OP_deref; p++)
			derefs++;
		if (p < end && *p == DW_OP_stack_value) {
			derefs--;
			p++;
		}
		out->deref = (uint8_t)derefs;
		if (p != end || derefs > 1)
			return false;
	}
	return out->reg != IMAGE_REG_NR;
}

/* Does a variable hold the root, or a pinned reference to it, in all of the copy's code? */
static bool is_holder(const struct root_copy *c, const struct die *d, bool *reference)
{
	struct die type, to;
	struct type_member m;

	if (!type__of(c->r->ts, d, &type) &&
	    !(die__ref(c->r->ts->di, d, DW_AT_abstract_origin, &to) &&
	      type__of(c->r->ts, &to, &type)))
		return false;
	*reference = type__named(&type, "Pin<");
	if (!*reference)
		return type__key(c->r->ts, &type) == c->key;
	return type__only_member(c->r->ts, &type, &m) && type__pointee(c->r->ts, &m.type, &to) &&
	       type__key(c->r->ts, &to) == c->key;
}

/* Finds the location of the root in a variable below @d, for the poll that begins at @vaddr. */
bool root_copy__variable(const struct root_copy *c, const struct die *d, uint64_t vaddr,
			 unsigned int depth, struct image_loc *out)
{
	struct die child;

	if (depth > DEPTH_MAX || !die__child(d, &child))
		return false;
	do {
		struct die_range at;
		struct die_list list;
		bool reference, variable = child.ab->tag == DW_TAG_variable ||
					   child.ab->tag == DW_TAG_formal_parameter;

		if (variable && is_holder(c, &child, &reference) &&
		    lists__location(&child, vaddr, &list, &at) && root__loc(&at, c->frame, out) &&
		    root__is_kept(out->reg) && (reference || out->deref)) {
			/* for the root itself its address is wanted, not its contents */
			out->deref = reference && out->deref;
			return true;
		}
		if (!variable && root_copy__variable(c, &child, vaddr, depth + 1, out))
			return true;
	} while (die__next(c->r->ts->di, &child, &child));
	return false;
}
