// SPDX-License-Identifier: GPL-2.0
/*
 * Roots. See roots.h.
 *
 * The code of a block_on, a function of its own or inlined into another, either has
 * the root's poll function inlined into it or calls it: both are told by their first
 * argument, which is a pinned reference to the root. Where the root lies the code says
 * that passes it on, and debug information where it is inlined. A poll that is called
 * ends where it returns; one that is inlined ends, for who records it, when block_on
 * goes to sleep. And block_on is done with a root where the code leaves all of the
 * instructions from which another poll of it can be reached.
 */
#include "image/roots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash_table.h"
#include "image/lists.h"
#include "image/names.h"
#include "image/reach.h"
#include "image/returns.h"

#define RANGES_MAX	256	/* of the code of one entry */
#define DEPTH_MAX	64
#define BELOW_MAX	6	/* calls from block_on to the poll */
#define NEAR_BYTES	128	/* from a place to a cheap site for it */
#define SITES_MAX	64	/* of one root */

/* One copy of a block_on's code, and what it polls. */
struct copy {
	struct roots		*r;
	const struct runtime	*rt;
	const struct runtime_root *form;
	struct die		 die;
	struct die		 future;	/* type of what it polls */
	uint64_t		 key;		/* of that type */
	struct reach		 code;		/* of the function that holds it */
	bool			*own;		/* instructions of the copy … */
	bool			*polled;	/* … and of polls inlined into it */
	uint32_t		 fn;		/* WALK_NONE until a poll is found */
	int32_t			 below;		/* bytes from rsp here to rsp in block_on's frame */
	struct image_loc	 loc, frame_loc;
	bool			 in_frame;	/* frame_loc is where the root is, by rsp */
	unsigned int		 depth;		/* of calls below block_on's own code */
	bool			 located, whole;
	bool			 dry;		/* only to see whether there is a poll */
	bool			 found;		/* a poll, though another copy may have it */
	unsigned int		 nr_sites;
};

/* ---- entries ---- */

/* The entry with the name of the function at @d, by way of copies and declarations. */
static struct die name_of(const struct types *ts, struct die d)
{
	struct die to;

	for (int i = 0; i < 4 && (die__ref(ts->di, &d, DW_AT_abstract_origin, &to) ||
				  die__ref(ts->di, &d, DW_AT_specification, &to)); i++)
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

/* The type of the first parameter of the function at @d, a copy or not: copies leave some out. */
static bool first_type(const struct types *ts, struct die d, struct die *out)
{
	struct die p, name = name_of(ts, d), to;

	if (!first_parameter(ts, &name, &p) && !first_parameter(ts, &d, &p))
		return false;
	if (die__ref(ts->di, &p, DW_AT_abstract_origin, &to))
		p = to;
	return type__of(ts, &p, out);
}

/* Of the copy at @d the first parameter; false: it has an entry no more. */
static bool copied_parameter(const struct types *ts, const struct die *d, struct die *out)
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
	return name && (name[0] == '{' || (!strncmp(name, "poll", 4) && (!name[4] || name[4] == '<')));
}

/* Does the function at @d, or what it is a copy of, poll the copy's future? */
static bool polls_it(const struct copy *c, const struct die *d)
{
	const struct types *ts = c->r->ts;
	struct die type, to, name = name_of(ts, *d);
	struct type_member m;

	return is_poll_name(die__str(&name, DW_AT_name)) && first_type(ts, *d, &type) &&
	       type__named(&type, "Pin<") && type__only_member(ts, &type, &m) &&
	       type__pointee(ts, &m.type, &to) && type__key(ts, &to) == c->key;
}

/* ---- where the root lies ---- */

static uint8_t image_reg(unsigned int dwarf)
{
	/* System V ABI for x86-64, figure 3.36 */
	static const uint8_t regs[] = {
		IMAGE_REG_AX, IMAGE_REG_DX, IMAGE_REG_CX, IMAGE_REG_BX, IMAGE_REG_SI,
		IMAGE_REG_DI, IMAGE_REG_BP, IMAGE_REG_SP, IMAGE_REG_R8, IMAGE_REG_R9,
		IMAGE_REG_NR, IMAGE_REG_NR, IMAGE_REG_R12, IMAGE_REG_R13, IMAGE_REG_R14,
		IMAGE_REG_R15,
	};

	return dwarf < sizeof(regs) ? regs[dwarf] : IMAGE_REG_NR;
}

/* A register that is the same when what was called since has returned. */
static bool is_kept(uint8_t reg)
{
	return reg == IMAGE_REG_BX || reg == IMAGE_REG_BP || reg == IMAGE_REG_SP ||
	       (reg >= IMAGE_REG_R12 && reg <= IMAGE_REG_R15);
}

/* A parameter's value by the expression at @e: a register, or a place by one. */
static bool loc_of(const struct die_range *e, struct image_loc *out)
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
		out->reg = image_reg(op - DW_OP_reg0);
	} else if (((op >= DW_OP_breg0 && op <= DW_OP_breg15) || op == DW_OP_fbreg) &&
		   read_sleb(&p, end, &off) && off == (int32_t)off) {
		/* optimised code has its frame at rsp; fbreg is by the same */
		out->reg = op == DW_OP_fbreg ? IMAGE_REG_SP : image_reg(op - DW_OP_breg0);
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

/* ---- places ---- */

static struct image_fn *fn_of(struct copy *c)
{
	return model__at(c->r->m, MODEL_FNS, c->fn);
}

static bool have_fn(struct copy *c, uint64_t vaddr)
{
	if (c->dry)
		return false;
	if (c->fn == WALK_NONE)
		c->fn = functions__add_root(c->r->functions, c->rt, vaddr, &c->future);
	return c->fn != WALK_NONE;
}

/* Copies of one function may lie in one another. */
static bool has_site(const struct model *m, enum image_root_what what,
		     const struct image_site *site)
{
	for (size_t i = 0; i < m->tables[MODEL_ROOT_SITES].nr; i++) {
		const struct image_root_site *s = model__at(m, MODEL_ROOT_SITES, (uint32_t)i);

		if (s->what == what && s->site.vaddr == site->vaddr)
			return true;
	}
	return false;
}

static void add_site(struct copy *c, enum image_root_what what, const struct image_loc *loc,
		     const struct image_site *site)
{
	struct image_root_site *out;
	struct model *m = c->r->m;
	uint32_t at;

	if (c->dry || c->nr_sites >= SITES_MAX || has_site(m, what, site))
		return;
	at = model__add(m, MODEL_ROOT_SITES, 1);
	if (at == WALK_NONE)
		return;
	out = model__at(m, MODEL_ROOT_SITES, at);
	*out = (struct image_root_site){ .fn = c->fn, .what = what, .shares = c->form->shares,
					.loc = *loc, .site = *site };
	out->site.sp_adjust += c->below;
	if (loc->reg == IMAGE_REG_SP)
		out->loc.off -= c->below;
	if (!c->nr_sites++)
		fn_of(c)->site = *site;
}

static void add_return(void *ctx, const struct image_return *ret)
{
	struct copy *c = ctx;
	uint32_t at = model__add(c->r->m, MODEL_RETURNS, 1);

	if (at != WALK_NONE)
		*(struct image_return *)model__at(c->r->m, MODEL_RETURNS, at) = *ret;
}

/* The same where a register has to be as it is there, or a copy of it. */
static bool site_with(struct copy *c, uint64_t vaddr, struct image_loc *loc,
		      struct image_site *out)
{
	for (unsigned int dwarf = 0; dwarf < 16; dwarf++) {
		if (image_reg(dwarf) != loc->reg)
			continue;
		if (!site_finder__inlined(c->r->sites, vaddr, vaddr + NEAR_BYTES, dwarf, out) &&
		    !out->slow) {
			loc->reg = out->arg_reg;
			return true;
		}
	}
	return !site_finder__at(c->r->sites, vaddr, out);
}

/* A site for code at @vaddr, in which only rsp, or the register of @loc, is as it is there. */
static bool site_at(struct copy *c, uint64_t vaddr, struct image_loc *loc,
		    struct image_site *out)
{
	struct image_return near;

	if (!boundaries__is_insn(c->r->boundaries, vaddr))
		return false;
	if (loc->reg != IMAGE_REG_SP)
		return site_with(c, vaddr, loc, out);
	if (site_finder__return(c->r->sites, vaddr, &near))
		return false;
	*out = near.site;
	return true;
}

/* ---- polls that are called ---- */

/* A probe where the call at @insn returns to. */
static void add_end(struct copy *c, size_t insn)
{
	if (insn + 1 < c->code.nr)
		returns__of(c->r->sites, c->r->boundaries, c->code.insns[insn + 1].vaddr,
			    add_return, c);
}

static void add_call(struct copy *c, size_t insn)
{
	static const struct image_loc passed = { .reg = IMAGE_REG_DI };
	uint64_t vaddr = c->code.insns[insn].vaddr;
	struct image_loc loc;
	struct image_site site;

	if (!boundaries__is_insn(c->r->boundaries, vaddr) ||
	    site_finder__at(c->r->sites, vaddr, &site))
		return;
	c->code.leads[insn] = true;
	c->polled[insn] = true;
	c->found = true;
	if (has_site(c->r->m, IMAGE_ROOT_BEGIN, &site) || !have_fn(c, vaddr))
		return;
	add_site(c, IMAGE_ROOT_BEGIN, &passed, &site);
	if (!c->below)
		add_end(c, insn);
	if (!c->below && !c->located && reach__argument(&c->code, insn, &loc) &&
	    is_kept(loc.reg)) {
		c->loc = loc;
		c->located = true;
	}
}

static void look_below(struct copy *c, size_t insn, uint64_t vaddr, const struct die *callee);
static void take_code(struct copy *c);

/*
 * May the function at @d be one that calls back what block_on has handed it? Then its
 * name, generics and all, has that closure.
 */
static bool calls_back(const struct copy *c, const struct die *d)
{
	struct die name = name_of(c->r->ts, *d);
	const char *text = die__str(&name, DW_AT_name);

	return text && strstr(text, "block_on::{");
}

/* The word at @at, once the program is loaded, as far as it is an address; 0: it is none. */
static uint64_t word_at(const struct copy *c, uint64_t at)
{
	const struct hash_slot *word = hash_table__find(&c->r->words, at);

	return word ? word->value : 0;
}

/* What the call at @insn is of; 0: it is not told. */
static uint64_t callee_of(const struct copy *c, size_t insn)
{
	const struct reach_insn *in = &c->code.insns[insn];
	uint64_t callee = 0;

	if (in->kind == REACH_CALL)
		return in->target;
	if (in->kind == REACH_CALL_WORD)
		return word_at(c, in->target);
	/* of a register: the address that is read into it, if there is only one */
	for (size_t i = 0; in->kind == REACH_CALL_UNKNOWN && in->reg && i < c->code.nr; i++) {
		const struct reach_insn *from = &c->code.insns[i];
		uint64_t word;

		if (from->kind != REACH_PLAIN || from->reg != in->reg)
			continue;
		word = word_at(c, from->target);
		if (callee && word != callee)
			return 0;
		callee = word;
	}
	return callee;
}

static void find_calls(struct copy *c)
{
	for (size_t i = 0; i < c->code.nr; i++) {
		const uint8_t *callee;
		uint64_t vaddr;
		struct die d;

		if (!c->own[i] || c->polled[i])
			continue;
		vaddr = callee_of(c, i);
		callee = vaddr ? copies__at(c->r->copies, vaddr) : NULL;
		if (!callee || !die__at_addr(c->r->ts->di, callee, &d))
			continue;
		if (polls_it(c, &d))
			add_call(c, i);
		else if (calls_back(c, &d))
			look_below(c, i, vaddr, &d);
	}
}

/* ---- polls that are inlined ---- */

/* Mark in @of the instructions of the entry at @d. */
static void mark_code(const struct copy *c, const struct die *d, bool *of)
{
	struct die_range ranges[RANGES_MAX];
	size_t nr = lists__ranges(d, ranges, RANGES_MAX);

	for (size_t i = 0; i < nr; i++)
		for (size_t k = 0; k < c->code.nr; k++)
			if (c->code.insns[k].vaddr >= ranges[i].start &&
			    c->code.insns[k].vaddr < ranges[i].end)
				of[k] = true;
}

/* Is @insn, of an inlined poll, come to from outside of it? */
static bool is_entered(const struct copy *c, size_t insn)
{
	const struct reach *code = &c->code;
	uint64_t vaddr = code->insns[insn].vaddr;

	if (insn && !c->polled[insn - 1] && code->insns[insn - 1].kind != REACH_JUMP &&
	    code->insns[insn - 1].kind != REACH_JUMP_UNKNOWN &&
	    code->insns[insn - 1].kind != REACH_RETURN &&
	    code->insns[insn - 1].kind != REACH_STOP)
		return true;
	for (size_t i = 0; i < code->nr; i++)
		if (!c->polled[i] && code->insns[i].target == vaddr &&
		    (code->insns[i].kind == REACH_JUMP || code->insns[i].kind == REACH_BRANCH))
			return true;
	return false;
}

/* A variable that holds the root, or a pinned reference to it, in all of the copy's code. */
static bool is_holder(const struct copy *c, const struct die *d, bool *reference)
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
	return type__only_member(c->r->ts, &type, &m) &&
	       type__pointee(c->r->ts, &m.type, &to) && type__key(c->r->ts, &to) == c->key;
}

/* Where the root lies, by a variable below @d, at the poll that begins at @vaddr. */
static bool variable_at(const struct copy *c, const struct die *d, uint64_t vaddr,
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
		    lists__location(&child, vaddr, &list, &at) && loc_of(&at, out) &&
		    is_kept(out->reg) && (reference || out->deref)) {
			/* of the root itself the place is what is wanted, and not what is there */
			out->deref = reference && out->deref;
			return true;
		}
		if (!variable && variable_at(c, &child, vaddr, depth + 1, out))
			return true;
	} while (die__next(c->r->ts->di, &child, &child));
	return false;
}

/* A poll begins at @insn, with the root at @loc. */
static void add_entry(struct copy *c, size_t insn, const struct image_loc *loc)
{
	uint64_t vaddr = c->code.insns[insn].vaddr;
	struct image_loc at = *loc;
	struct image_site site;

	if (!site_at(c, vaddr, &at, &site))
		return;
	c->found = true;
	if (loc->reg == IMAGE_REG_SP) {
		c->in_frame = true;
		c->frame_loc = *loc;
	}
	if (!c->below && !c->located && is_kept(loc->reg)) {
		c->loc = *loc;
		c->located = true;
	}
	if (!has_site(c->r->m, IMAGE_ROOT_BEGIN, &site) && have_fn(c, vaddr))
		add_site(c, IMAGE_ROOT_BEGIN, &at, &site);
}

static void add_inlined(struct copy *c, const struct die *d)
{
	struct die_range at;
	struct die_list list;
	struct image_loc loc;
	struct die param;

	bool known = copied_parameter(c->r->ts, d, &param);

	mark_code(c, d, c->polled);
	for (size_t i = 0; i < c->code.nr; i++) {
		if (!c->polled[i])
			continue;
		c->code.leads[i] = true;
		c->found |= c->dry;
		if (is_entered(c, i) && known &&
		    lists__location(&param, c->code.insns[i].vaddr, &list, &at) &&
		    loc_of(&at, &loc))
			add_entry(c, i, &loc);
	}
	/*
	 * Where it is not told for a poll, the root is where it was told to be for another,
	 * if the frame says where, or a variable of block_on's has it.
	 */
	for (size_t i = 0; i < c->code.nr; i++) {
		if (!c->polled[i] || !is_entered(c, i) ||
		    (known && lists__location(&param, c->code.insns[i].vaddr, &list, &at)))
			continue;
		if (c->in_frame)
			add_entry(c, i, &c->frame_loc);
		else if (variable_at(c, &c->die, c->code.insns[i].vaddr, 0, &loc))
			add_entry(c, i, &loc);
	}
}

/* The polls inlined at or below @d. */
static void find_inlined(struct copy *c, const struct die *d, unsigned int depth)
{
	struct die child;

	if (depth > DEPTH_MAX || !die__child(d, &child))
		return;
	do {
		if (child.ab->tag == DW_TAG_inlined_subroutine && polls_it(c, &child))
			add_inlined(c, &child);
		else if (child.ab->tag == DW_TAG_inlined_subroutine ||
			 child.ab->tag == DW_TAG_lexical_block)
			find_inlined(c, &child, depth + 1);
	} while (die__next(c->r->ts->di, &child, &child));
}

/* ---- calls that do not return ---- */

static int add_word(void *ctx, uint64_t at, uint64_t to)
{
	struct hash_slot *slot = hash_table__at(ctx, at);

	if (!slot)
		return -ENOMEM;
	slot->value = to;
	return 0;
}

/* The function at @vaddr never returns: it panics. */
static bool is_final(struct roots *r, uint64_t vaddr)
{
	struct hash_slot *slot = hash_table__at(&r->final, vaddr);
	struct reach code;

	if (!slot) {
		r->m->err = -ENOMEM;
		return false;
	}
	if (!slot->value) {
		slot->value = 1;
		if (!reach__decode(&code, r->b, r->boundaries, vaddr)) {
			slot->value += !reach__returns(&code);
			reach__free(&code);
		}
	}
	return slot->value == 2;
}

/* Behind a call of what does not return the code does not go on. */
static void cut_final_calls(struct roots *r, struct reach *code)
{
	if (!r->knows_words && binary__words(r->b, add_word, &r->words))
		r->m->err = -ENOMEM;
	r->knows_words = true;
	for (size_t i = 0; i < code->nr; i++) {
		struct reach_insn *in = &code->insns[i];
		struct hash_slot *word = in->kind == REACH_CALL_WORD ?
						 hash_table__find(&r->words, in->target) : NULL;

		if ((in->kind == REACH_CALL && is_final(r, in->target)) ||
		    (word && is_final(r, word->value)))
			in->kind = REACH_STOP;
	}
}

void roots__free(struct roots *r)
{
	hash_table__clear(&r->words);
	hash_table__clear(&r->final);
	hash_table__clear(&r->fns);
}

/* ---- polls in what is called ---- */

static bool take_room(struct copy *c)
{
	c->own = calloc(c->code.nr + 1, sizeof(*c->own));
	c->polled = calloc(c->code.nr + 1, sizeof(*c->polled));
	if (!c->own || !c->polled)
		c->r->m->err = -ENOMEM;
	return c->own && c->polled;
}

static void free_code(struct copy *c)
{
	free(c->own);
	free(c->polled);
	reach__free(&c->code);
}

static bool open_code(struct copy *c, uint64_t vaddr, const struct die *fn)
{
	c->die = *fn;
	c->found = c->located = c->in_frame = false;
	if (reach__decode(&c->code, c->r->b, c->r->boundaries, vaddr))
		return false;
	cut_final_calls(c->r, &c->code);
	if (!take_room(c)) {
		free_code(c);
		return false;
	}
	memset(c->own, true, c->code.nr * sizeof(*c->own));
	return true;
}

/* Is @to, to which the code goes from a poll or from what comes after one, on a way back? */
static void go_back(const struct copy *c, size_t to, bool *seen, bool *more)
{
	if (to >= c->code.nr || seen[to] || c->polled[to] || !c->code.leads[to])
		return;
	seen[to] = *more = true;
}

/*
 * Does the code come back to a poll from the end of one, and call something meanwhile?
 * What does not is a piece of a poll that lies apart.
 */
static bool comes_back(struct copy *c)
{
	bool *seen = calloc(c->code.nr + 1, sizeof(*seen)), more = true, calls = false;

	if (!seen || reach__towards(&c->code, NULL)) {
		c->r->m->err = -ENOMEM;
		more = false;
	}
	while (more) {
		more = false;
		for (size_t i = 0; i < c->code.nr; i++) {
			const struct reach_insn *in = &c->code.insns[i];

			if (!c->polled[i] && !seen[i])
				continue;
			if (in->kind == REACH_JUMP || in->kind == REACH_BRANCH)
				go_back(c, reach__at(&c->code, in->target), seen, &more);
			if (reach__goes_on(in))
				go_back(c, i + 1, seen, &more);
		}
	}
	for (size_t i = 0; seen && i < c->code.nr; i++)
		calls |= seen[i] && (c->code.insns[i].kind == REACH_CALL ||
				     c->code.insns[i].kind == REACH_CALL_WORD ||
				     c->code.insns[i].kind == REACH_CALL_UNKNOWN);
	free(seen);
	return calls;
}

/* The function at @callee does it all: it is as if it were the block_on. */
static void take_loop(struct copy *c, size_t insn, uint64_t vaddr, const struct die *callee)
{
	struct copy loop = *c;
	struct image_loc loc;

	loop.below = 0;
	loop.whole = true;
	if (!open_code(&loop, vaddr, callee))
		return;
	/* Its caller may say where in the caller's frame, which is above its own, the root is. */
	if (variable_at(c, &c->die, c->code.insns[insn].vaddr, 0, &loc) &&
	    loc.reg == IMAGE_REG_SP) {
		loc.off += reach__frame(&loop.code) + 8;
		loop.frame_loc = loc;
		loop.in_frame = true;
	}
	take_code(&loop);
	free_code(&loop);
	c->fn = loop.fn;
	c->nr_sites = loop.nr_sites;
	c->found |= loop.found;
}

/*
 * The call at @insn is of a function that may poll the root for block_on: again and
 * again, or once. Then a poll begins within that function, and has ended when it
 * returns.
 */
static void look_below(struct copy *c, size_t insn, uint64_t vaddr, const struct die *callee)
{
	struct copy below = *c;
	bool loops;

	below.depth++;
	below.dry = true;
	if (c->depth >= BELOW_MAX || !open_code(&below, vaddr, callee))
		return;
	find_inlined(&below, callee, 0);
	find_calls(&below);
	loops = below.found && comes_back(&below);
	free_code(&below);
	if (!below.found)
		return;
	c->found = true;
	if (c->dry || loops) {
		c->code.leads[insn] |= !loops;
		c->polled[insn] |= !loops;
		if (!c->dry)
			take_loop(c, insn, vaddr, callee);
		return;
	}
	below.dry = false;
	if (!open_code(&below, vaddr, callee))
		return;
	below.below += reach__frame(&below.code) + 8;
	find_inlined(&below, callee, 0);
	find_calls(&below);
	free_code(&below);
	c->code.leads[insn] = true;
	c->polled[insn] = true;
	c->fn = below.fn;
	c->nr_sites = below.nr_sites;
	if (!c->below && c->fn != WALK_NONE)
		add_end(c, insn);
}

/* ---- the end ---- */

static void add_gone(struct copy *c, size_t insn)
{
	struct image_loc none = { .reg = IMAGE_REG_SP };
	uint64_t vaddr = c->code.insns[insn].vaddr;
	struct image_site site;

	if (site_at(c, vaddr, &none, &site))
		add_site(c, IMAGE_ROOT_GONE, &none, &site);
}

/* Is @vaddr a function of the runtime's whose entry tells that a poll has ended? */
static bool is_park(const struct copy *c, uint64_t vaddr)
{
	const struct model *m = c->r->m;

	for (size_t i = 0; i < m->tables[MODEL_FNS].nr; i++) {
		const struct image_fn *fn = model__at(m, MODEL_FNS, (uint32_t)i);

		if (fn->role == RUNTIME_FN_PARK && fn->vaddr == vaddr &&
		    runtimes[fn->runtime] == c->rt)
			return true;
	}
	return false;
}

/* Does block_on's own code call such a function, or have the address of one? */
static bool has_park(const struct copy *c)
{
	for (size_t i = 0; i < c->code.nr; i++) {
		uint64_t callee = c->own[i] && !c->polled[i] ? callee_of(c, i) : 0;

		if (callee && is_park(c, callee))
			return true;
	}
	return false;
}

/*
 * Where nothing else tells that a poll has ended that is inlined: whatever block_on
 * itself calls, before it comes to the next poll, it calls when the last has ended.
 */
static void find_parks(struct copy *c)
{
	static const struct image_loc none = { .reg = IMAGE_REG_SP };
	struct image_site site;

	if (c->form->shares || has_park(c))
		return;
	for (size_t i = 0; i < c->code.nr; i++) {
		const struct reach_insn *in = &c->code.insns[i];

		if (!c->own[i] || c->polled[i] || !c->code.leads[i] ||
		    (in->kind != REACH_CALL && in->kind != REACH_CALL_WORD &&
		     in->kind != REACH_CALL_UNKNOWN) ||
		    !boundaries__is_insn(c->r->boundaries, in->vaddr) ||
		    site_finder__at(c->r->sites, in->vaddr, &site))
			continue;
		add_site(c, IMAGE_ROOT_PARK, &none, &site);
	}
}

/* Where the code leaves what leads to a poll of the root. */
static void find_exits(struct copy *c)
{
	struct reach *code = &c->code;
	bool *done = calloc(code->nr + 1, sizeof(*done));

	if (!done || reach__towards(code, c->whole ? NULL : c->own)) {
		c->r->m->err = -ENOMEM;
		free(done);
		return;
	}
	for (size_t i = 0; i < code->nr; i++) {
		const struct reach_insn *in = &code->insns[i];
		size_t to[2] = { code->nr, code->nr };

		if (!code->leads[i] || (!c->own[i] && !c->polled[i]))
			continue;
		if (in->kind == REACH_JUMP || in->kind == REACH_BRANCH)
			to[0] = reach__at(code, in->target);
		if (in->kind == REACH_PLAIN || in->kind == REACH_BRANCH)
			to[1] = i + 1;
		for (int k = 0; k < 2; k++) {
			if (to[k] >= code->nr || code->leads[to[k]] || done[to[k]])
				continue;
			done[to[k]] = true;
			add_gone(c, to[k]);
		}
	}
	free(done);
}

static void add_range(struct copy *c, uint64_t start, uint64_t end, bool polling)
{
	uint32_t at = model__add(c->r->m, MODEL_ROOT_RANGES, 1);

	if (at != WALK_NONE)
		*(struct image_root_range *)model__at(c->r->m, MODEL_ROOT_RANGES, at) =
			(struct image_root_range){ .start = start, .end = end, .fn = c->fn,
						   .polling = polling,
						   .shares = c->form->shares,
						   .holds = c->form->holds, .loc = c->loc };
}

/* Instructions that can lead to a poll: a thread behind a call among them has the root. */
static void add_ranges(struct copy *c)
{
	const struct reach *code = &c->code;

	for (size_t i = 0; i < code->nr;) {
		size_t first = i;
		bool polling = c->polled[i];

		if (!code->leads[i] || (!c->own[i] && !polling)) {
			i++;
			continue;
		}
		while (i < code->nr && code->leads[i] && (c->own[i] || c->polled[i]) &&
		       c->polled[i] == polling)
			i++;
		add_range(c, code->insns[first].vaddr, i < code->nr ? code->insns[i].vaddr :
			  boundaries__end_of(c->r->boundaries, code->insns[first].vaddr), polling);
	}
}

/* ---- copies ---- */

/* Of a type that no copy of the form was found to poll, the entry is remembered. */
static void remember(struct copy *c)
{
	struct hash_slot *fn = c->fn != WALK_NONE ? hash_table__at(&c->r->fns, c->key) : NULL;
	struct hash_slot *seen;

	if (fn)
		fn->value = c->fn;
	seen = hash_table__at(&c->r->seen, c->key);
	if (!seen)
		c->r->m->err = -ENOMEM;
	else if (c->found)
		seen->value = 1;
	else if (!seen->value && type__size(&c->future))
		seen->ptr = (void *)(uintptr_t)c->future.p;
}

/* What the runtime itself blocks on, while it shuts down say, is nobody's. */
static bool is_own(const char *name, const char *crate)
{
	static const char poll_fn[] = "core::future::poll_fn::PollFn<", ref[] = "&mut ";

	if (!strncmp(name, poll_fn, sizeof(poll_fn) - 1))
		return name__is_below(name + sizeof(poll_fn) - 1, crate);
	return !strncmp(name, ref, sizeof(ref) - 1) &&
	       name__is_below(name + sizeof(ref) - 1, crate);
}

/* What could not be found, once all copies of a form have been looked at. */
static void note_unknown(struct roots *r, const struct runtime *rt)
{
	struct hash_slot *seen = hash_table__sorted(&r->seen);
	struct die d;

	for (size_t i = 0; seen && i < r->seen.nr; i++) {
		char *name = NULL;

		if (seen[i].value > 1 && die__at_addr(r->ts->di, seen[i].ptr, &d))
			name = rust_names__type(r->names, &d);
		if (name && !is_own(name, rt->crate))
			model__note(r->m, "block_on of %s: where it lies or is polled is not found "
				    "in the code: its time is not in the recording", name);
		free(name);
	}
	free(seen);
	hash_table__clear(&r->seen);
}

static void locate(struct copy *c)
{
	if (c->in_frame) {
		c->loc = c->frame_loc;
		c->located = true;
	}
	for (size_t i = 0; i < c->code.nr && !c->located; i++)
		if (c->code.leads[i] && (c->own[i] || c->polled[i]))
			c->located = variable_at(c, &c->die, c->code.insns[i].vaddr, 0, &c->loc);
}

static bool leads_anywhere(const struct copy *c)
{
	for (size_t i = 0; i < c->code.nr; i++)
		if (c->code.leads[i])
			return true;
	return false;
}

static void take_code(struct copy *c)
{
	find_inlined(c, &c->die, 0);
	find_calls(c);
	if (c->fn == WALK_NONE || !leads_anywhere(c))
		return;
	if (!c->located)
		locate(c);
	find_exits(c);
	find_parks(c);
	if (!c->located)
		c->loc = (struct image_loc){ .reg = IMAGE_REG_NR };
	add_ranges(c);
}

/* The root's type by its key, of one that was found; WALK_NONE: none was. */
static uint32_t fn_of_type(const struct copy *c)
{
	const struct hash_slot *slot = hash_table__find(&c->r->fns, c->key);

	return slot ? (uint32_t)slot->value : WALK_NONE;
}

/* A caller of what polls the root, which has the reference to it. */
static void take_holder(struct copy *c)
{
	c->fn = fn_of_type(c);
	for (size_t i = 0; i < c->code.nr && c->fn != WALK_NONE && !c->located; i++)
		c->located = c->own[i] && c->code.insns[i].kind == REACH_CALL &&
			     variable_at(c, &c->die, c->code.insns[i].vaddr, 0, &c->loc) &&
			     c->loc.reg == IMAGE_REG_SP;
	for (size_t i = 0; i < c->code.nr; i++)
		c->code.leads[i] = c->own[i];
	if (c->located)
		add_ranges(c);
}

/* The copy at @c->die polls a future of type @future, if it polls one of those. */
static void try_future(struct copy *c, const struct die *future)
{
	c->future = *future;
	c->key = type__key(c->r->ts, future);
	if (c->form->holds) {
		take_holder(c);
		return;
	}
	take_code(c);
	remember(c);
}

/* Each of the generic types of the function at @name may be the future. */
static void try_types(struct copy *c, const struct die *name)
{
	struct die child, type;

	if (!die__child(name, &child))
		return;
	do {
		if (child.ab->tag == DW_TAG_template_type_parameter &&
		    type__of(c->r->ts, &child, &type) && !c->found)
			try_future(c, &type);
	} while (die__next(c->r->ts->di, &child, &child));
}

static void take_copy(struct roots *r, const struct runtime *rt, const struct runtime_root *form,
		      const struct die *die, bool whole)
{
	struct copy c = { .r = r, .rt = rt, .form = form, .die = *die, .fn = WALK_NONE,
			  .whole = whole };
	struct die name = name_of(r->ts, *die);
	struct die_range first;

	if (!lists__first_range(die, &first) ||
	    reach__decode(&c.code, r->b, r->boundaries, first.start))
		return;
	cut_final_calls(r, &c.code);
	if (take_room(&c)) {
		mark_code(&c, die, c.own);
		try_types(&c, &name);
	}
	free_code(&c);
}

/* Copies in the unit @u that are inlined there; @of has the functions, by their entries. */
static void find_inlined_copies(struct roots *r, const struct runtime *rt,
				const struct runtime_root *form, const struct unit *u,
				struct hash_table *of)
{
	const uint8_t *p = u->die;
	struct die d, name;

	while (p && p < u->end) {
		if (!*p) {
			p++;
			continue;
		}
		if (!die__at(u, p, &d))
			return;
		p = die__end_of_attrs(&d);
		if (d.ab->tag != DW_TAG_inlined_subroutine)
			continue;
		name = name_of(r->ts, d);
		if (hash_table__find(of, (uintptr_t)name.p))
			take_copy(r, rt, form, &d, false);
	}
}

void roots__find(struct roots *r, const struct runtime *rt, const struct runtime_root *form)
{
	const struct scan *sc = r->ts->sc;
	const struct unit *last = NULL;
	struct hash_table of = { 0 };
	const uint32_t *copies;
	struct hash_slot *slot;
	struct die d;
	size_t nr;

	for (size_t i = 0; i < sc->nr_fns; i++) {
		if (!functions__is(&sc->fns[i], form->path))
			continue;
		slot = hash_table__at(&of, (uintptr_t)sc->fns[i].die);
		if (slot)
			slot->value = 1;
		else
			r->m->err = -ENOMEM;
	}
	for (size_t i = 0; i < sc->nr_fns && !r->m->err; i++) {
		const struct scan_fn *fn = &sc->fns[i];

		if (!hash_table__find(&of, (uintptr_t)fn->die) ||
		    !die__at_addr(r->ts->di, fn->die, &d))
			continue;
		if (fn->has_pc)
			take_copy(r, rt, form, &d, true);
		copies = copies__of(r->copies, fn->die, &nr);
		for (size_t k = 0; k < nr; k++)
			if (die__at_addr(r->ts->di, sc->instances[copies[k]].die, &d))
				take_copy(r, rt, form, &d, true);
		if (die__at_addr(r->ts->di, fn->die, &d) && d.u != last)
			find_inlined_copies(r, rt, form, d.u, &of);
		last = d.u;
	}
	hash_table__clear(&of);
	note_unknown(r, rt);
}

static int by_start(const void *a, const void *b)
{
	const struct image_root_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end > y->end ? -1 : x->end < y->end;
}

void roots__sort(struct model *m)
{
	size_t nr = m->tables[MODEL_ROOT_RANGES].nr;

	if (nr)
		qsort(m->tables[MODEL_ROOT_RANGES].p, nr, sizeof(struct image_root_range),
		      by_start);
}
