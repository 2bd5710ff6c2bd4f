// SPDX-License-Identifier: GPL-2.0
/*
 * Where a root lies: by the expressions of debug information, by the first argument of
 * what polls it, and by the variables that hold it. What is of another kind is refused.
 */
#include "tests/unit/image_dwarf.h"

#include "image/root_copy.h"

/* ---- expressions ---- */

static void registers(void **state)
{
	/* by DWARF's numbers: System V ABI for x86-64, figure 3.36 */
	static const uint8_t want[] = {
		IMAGE_REG_AX, IMAGE_REG_DX, IMAGE_REG_CX, IMAGE_REG_BX, IMAGE_REG_SI, IMAGE_REG_DI,
		IMAGE_REG_BP, IMAGE_REG_SP, IMAGE_REG_R8, IMAGE_REG_R9, IMAGE_REG_NR, IMAGE_REG_NR,
		IMAGE_REG_R12, IMAGE_REG_R13, IMAGE_REG_R14, IMAGE_REG_R15, IMAGE_REG_NR,
	};
	static const uint8_t kept[] = { IMAGE_REG_BX, IMAGE_REG_BP, IMAGE_REG_SP, IMAGE_REG_R12,
					IMAGE_REG_R13, IMAGE_REG_R14, IMAGE_REG_R15 };
	unsigned int nr = 0;

	(void)state;
	for (unsigned int i = 0; i < sizeof(want); i++)
		assert_int_equal(root__image_reg(i), want[i]);
	assert_int_equal(root__image_reg(UINT32_MAX), IMAGE_REG_NR);
	for (unsigned int i = 0; i < sizeof(kept); i++)
		assert_true(root__is_kept(kept[i]));
	for (unsigned int i = 0; i < 256; i++)
		nr += root__is_kept((uint8_t)i);
	assert_int_equal(nr, sizeof(kept));
}

/* The place that the @n bytes of @expr stand for, in memory of that size; its frame is at rsp. */
static bool place(const void *expr, size_t n, struct image_loc *out)
{
	uint8_t *copy = malloc(n);
	struct die_range e = { .expr = copy, .expr_len = n };
	bool known;

	assert_true(copy || !n);
	if (n)
		memcpy(copy, expr, n);
	known = root__loc(&e, IMAGE_REG_SP, out);
	free(copy);
	return known;
}

/* @reg + @off, or the word there if @deref; @reg IMAGE_REG_NR: it is refused. */
static void assert_place(const struct buf *b, uint8_t reg, int32_t off, uint8_t deref)
{
	struct image_loc loc = { 0 };
	bool known = place(b->p, b->n, &loc);

	if (known != (reg != IMAGE_REG_NR))
		fail_msg("%02x %02x … (%zu bytes): known %d", b->p[0], b->n > 1 ? b->p[1] : 0, b->n,
			 known);
	if (!known)
		return;
	assert_int_equal(loc.reg, reg);
	assert_int_equal(loc.off, off);
	assert_int_equal(loc.deref, deref);
	/* with any of its bytes missing it is another place or none: nothing is read behind it */
	for (size_t n = 0; n < b->n; n++)
		place(b->p, n, &loc);
}

/* An expression: @op, a number behind it if @sized, and @nr more operators. */
static void check_place(uint8_t op, bool sized, int64_t number, const uint8_t *more, size_t nr,
			uint8_t reg, int32_t off, uint8_t deref)
{
	struct buf b = { .n = 0 };

	put(&b, op, 1);
	if (sized)
		sleb(&b, number);
	put_bytes(&b, more, nr);
	assert_place(&b, reg, off, deref);
	free(b.p);
}

static const uint8_t deref[] = { DW_OP_deref, DW_OP_deref }, value[] = { DW_OP_stack_value },
		     deref_value[] = { DW_OP_deref, DW_OP_stack_value },
		     deref_twice_value[] = { DW_OP_deref, DW_OP_deref, DW_OP_stack_value },
		     value_deref[] = { DW_OP_stack_value, DW_OP_deref },
		     piece[] = { DW_OP_piece, 8 },
		     value_piece[] = { DW_OP_stack_value, DW_OP_piece, 8 };

static void expressions(void **state)
{
	(void)state;
	/* it is in a register */
	check_place(DW_OP_reg3, false, 0, NULL, 0, IMAGE_REG_BX, 0, 0);
	check_place(DW_OP_reg5, false, 0, NULL, 0, IMAGE_REG_DI, 0, 0);
	check_place(DW_OP_reg15, false, 0, NULL, 0, IMAGE_REG_R15, 0, 0);
	check_place(DW_OP_reg10, false, 0, NULL, 0, IMAGE_REG_NR, 0, 0);
	check_place(DW_OP_reg16, false, 0, NULL, 0, IMAGE_REG_NR, 0, 0);
	check_place(DW_OP_reg3, false, 0, piece, 2, IMAGE_REG_NR, 0, 0);
	check_place(DW_OP_reg3, false, 0, deref, 1, IMAGE_REG_NR, 0, 0);
	/* it is in memory, or it is such an address */
	check_place(DW_OP_breg7, true, 16, NULL, 0, IMAGE_REG_SP, 16, 1);
	check_place(DW_OP_breg7, true, -8, NULL, 0, IMAGE_REG_SP, -8, 1);
	check_place(DW_OP_fbreg, true, 300, NULL, 0, IMAGE_REG_SP, 300, 1);
	check_place(DW_OP_breg3, true, 0, NULL, 0, IMAGE_REG_BX, 0, 1);
	check_place(DW_OP_breg6, true, -0x1000, value, 1, IMAGE_REG_BP, -0x1000, 0);
	check_place(DW_OP_fbreg, true, 8, value, 1, IMAGE_REG_SP, 8, 0);
	check_place(DW_OP_breg15, true, 8, deref_value, 2, IMAGE_REG_R15, 8, 1);
	/* behind another word of memory */
	check_place(DW_OP_breg7, true, 16, deref, 1, IMAGE_REG_NR, 0, 0);
	check_place(DW_OP_breg7, true, 16, deref, 2, IMAGE_REG_NR, 0, 0);
	check_place(DW_OP_breg7, true, 16, deref_twice_value, 3, IMAGE_REG_NR, 0, 0);
	/* something else behind it */
	check_place(DW_OP_breg7, true, 16, piece, 2, IMAGE_REG_NR, 0, 0);
	check_place(DW_OP_breg7, true, 16, value_piece, 3, IMAGE_REG_NR, 0, 0);
	check_place(DW_OP_breg7, true, 16, value_deref, 2, IMAGE_REG_NR, 0, 0);
	/* a register that a probe cannot read, or there is none of that number */
	check_place(DW_OP_breg11, true, 16, NULL, 0, IMAGE_REG_NR, 0, 0);
	check_place(DW_OP_breg16, true, 16, NULL, 0, IMAGE_REG_NR, 0, 0);
	/* as far as 32 bits go */
	check_place(DW_OP_fbreg, true, INT32_MAX, NULL, 0, IMAGE_REG_SP, INT32_MAX, 1);
	check_place(DW_OP_fbreg, true, INT32_MIN, NULL, 0, IMAGE_REG_SP, INT32_MIN, 1);
	check_place(DW_OP_fbreg, true, INT32_MAX + 1ll, NULL, 0, IMAGE_REG_NR, 0, 0);
	check_place(DW_OP_fbreg, true, INT32_MIN - 1ll, NULL, 0, IMAGE_REG_NR, 0, 0);
	check_place(DW_OP_breg3, true, INT64_MIN, NULL, 0, IMAGE_REG_NR, 0, 0);
	/* of other kinds */
	check_place(DW_OP_addr, true, 1000, NULL, 0, IMAGE_REG_NR, 0, 0);
	check_place(DW_OP_call_frame_cfa, false, 0, NULL, 0, IMAGE_REG_NR, 0, 0);
	check_place(DW_OP_entry_value, true, 1, (const uint8_t[]){ DW_OP_reg5 }, 1, IMAGE_REG_NR, 0,
		    0);
	check_place(DW_OP_bregx, true, 3, NULL, 0, IMAGE_REG_NR, 0, 0);
	check_place(DW_OP_stack_value, false, 0, NULL, 0, IMAGE_REG_NR, 0, 0);
}

/* What counts from the frame's base is by the register that holds it, the rest is not. */
static void bases(void **state)
{
	static const uint8_t fbreg[] = { DW_OP_fbreg, 0x70 }, breg[] = { DW_OP_breg7, 0x70 };
	struct die_range by_frame = { .expr = fbreg, .expr_len = 2 };
	struct die_range by_sp = { .expr = breg, .expr_len = 2 };
	struct image_loc loc;

	(void)state;
	assert_true(root__loc(&by_frame, IMAGE_REG_BP, &loc));
	assert_int_equal(loc.reg, IMAGE_REG_BP);
	assert_int_equal(loc.off, -16);
	assert_int_equal(loc.deref, 1);
	assert_false(root__loc(&by_frame, IMAGE_REG_NR, &loc));
	assert_true(root__loc(&by_sp, IMAGE_REG_BP, &loc));
	assert_int_equal(loc.reg, IMAGE_REG_SP);
	assert_true(root__loc(&by_sp, IMAGE_REG_NR, &loc));
	assert_int_equal(loc.reg, IMAGE_REG_SP);
}

static void cut_expressions(void **state)
{
	struct image_loc loc;

	(void)state;
	assert_false(place("", 0, &loc));
	assert_false(place("\x91", 1, &loc));		/* fbreg without a number */
	assert_false(place("\x91\x80", 2, &loc));	/* … whose number does not end */
	assert_false(place("\x77\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11, &loc));
}

/* ---- entries ---- */

enum {
	P_FN = 20, P_DECLARED, P_SPECIFIED, P_COPY, P_OF, P_VAR, P_VAR_OF, P_PARAM, P_LISTED,
	P_BLOCK, P_UNTYPED, P_FRAME
};

/* Offsets of entries in the unit. */
struct program {
	struct file	 f;
	uint32_t	 future, other, pin, pin_other, boxed, reference;
	struct roots	 roots;
	struct root_copy copy;
};

static uint32_t pin_of(struct file *f, const char *name, uint32_t type)
{
	uint32_t at = here(f);

	named(f, A_STRUCT, name, 8);
	member(f, "__pointer", type, 0);
	close_level(f);
	return at;
}

static uint32_t structure(struct file *f, const char *name)
{
	uint32_t at = here(f), u64;

	named(f, A_STRUCT, name, 16);
	u64 = here(f);
	named(f, A_LEAF, "u64", 8);
	member(f, "state", u64, 0);
	member(f, "rest", u64, 8);
	close_level(f);
	return at;
}

/* The types: two futures, pins of references to them, and a box. */
static void begin_program(struct program *p)
{
	struct file *f = &p->f;
	uint32_t to_other;

	memset(p, 0, sizeof(*p));
	begin(f);
	f->abbrev.n--;	/* the table goes on */
	abbrev(f, P_FN, DW_TAG_subprogram, true, DW_AT_name, DW_FORM_string, 0);
	abbrev(f, P_DECLARED, DW_TAG_subprogram, false, DW_AT_name, DW_FORM_string, 0);
	abbrev(f, P_SPECIFIED, DW_TAG_subprogram, true, DW_AT_specification, DW_FORM_ref4, 0);
	abbrev(f, P_COPY, DW_TAG_inlined_subroutine, true, DW_AT_abstract_origin, DW_FORM_ref4, 0);
	abbrev(f, P_OF, DW_TAG_formal_parameter, false, DW_AT_abstract_origin, DW_FORM_ref4, 0);
	abbrev(f, P_VAR, DW_TAG_variable, false, DW_AT_type, DW_FORM_ref4, DW_AT_location,
	       DW_FORM_exprloc, 0);
	abbrev(f, P_VAR_OF, DW_TAG_variable, false, DW_AT_abstract_origin, DW_FORM_ref4,
	       DW_AT_location, DW_FORM_exprloc, 0);
	abbrev(f, P_PARAM, DW_TAG_formal_parameter, false, DW_AT_type, DW_FORM_ref4, DW_AT_location,
	       DW_FORM_exprloc, 0);
	abbrev(f, P_LISTED, DW_TAG_variable, false, DW_AT_type, DW_FORM_ref4, DW_AT_location,
	       DW_FORM_sec_offset, 0);
	abbrev(f, P_BLOCK, DW_TAG_lexical_block, true, 0);
	abbrev(f, P_FRAME, DW_TAG_subprogram, false, DW_AT_frame_base, DW_FORM_exprloc, 0);
	abbrev(f, P_UNTYPED, DW_TAG_variable, false, DW_AT_location, DW_FORM_exprloc, 0);
	put(&f->abbrev, 0, 1);
	p->future = structure(f, "Future");
	p->other = structure(f, "Other");
	p->reference = here(f);
	pointer(f, p->future, "&mut Future");
	to_other = here(f);
	pointer(f, p->other, "&mut Other");
	p->pin = pin_of(f, "Pin<&mut Future>", p->reference);
	p->pin_other = pin_of(f, "Pin<&mut Other>", to_other);
	p->boxed = pin_of(f, "Box<Future>", p->reference);
}

static struct die entry(struct program *p, uint32_t at)
{
	struct die d;

	assert_true(die__at_addr(&p->f.di, p->f.di.units[0]->start + at, &d));
	return d;
}

static void end_program(struct program *p)
{
	struct die future;

	end(&p->f);
	assert_false(p->f.torn);
	p->roots.ts = &p->f.ts;
	p->copy.r = &p->roots;
	p->copy.frame = IMAGE_REG_SP;
	future = entry(p, p->future);
	p->copy.key = type__key(&p->f.ts, &future);
}

static uint32_t param(struct file *f, uint32_t type)
{
	uint32_t at = here(f);

	uleb(&f->info, A_PARAM);
	put(&f->info, type, 4);
	return at;
}

static uint32_t with_ref(struct file *f, unsigned int code, uint32_t to)
{
	uint32_t at = here(f);

	uleb(&f->info, code);
	put(&f->info, to, 4);
	return at;
}

/* A function with one parameter, or with none if that is 0. */
static uint32_t function(struct file *f, const char *name, uint32_t type, uint32_t *parameter)
{
	uint32_t at = here(f);

	named(f, P_FN, name, 0);
	if (type)
		*parameter = param(f, type);
	close_level(f);
	return at;
}

static void what_polls(void **state)
{
	static const struct {
		const char	*name;
		bool		 polls;
	} names[] = {
		{ "poll", true }, { "poll<app::F>", true }, { "{async_fn#0}", true },
		{ "{async_block#1}", true }, { "{closure#0}", true }, { "polls", false },
		{ "poll_next", false }, { "pol", false }, { "", false }, { "drop", false },
	};
	uint32_t at[10], types[3], fns[3], none, pinned;
	struct program p;
	struct die d;

	(void)state;
	begin_program(&p);
	for (size_t i = 0; i < 10; i++)
		at[i] = function(&p.f, names[i].name, p.pin, &pinned);
	types[0] = p.pin_other;
	types[1] = p.reference;
	types[2] = p.boxed;
	for (size_t i = 0; i < 3; i++)
		fns[i] = function(&p.f, "poll", types[i], &pinned);
	none = function(&p.f, "poll", 0, &pinned);
	end_program(&p);
	for (size_t i = 0; i < 10; i++) {
		d = entry(&p, at[i]);
		if (root_copy__polls(&p.copy, &d) != names[i].polls)
			fail_msg("%s", names[i].name);
	}
	/* another future; a reference and a box that are not pinned; no parameter */
	for (size_t i = 0; i < 3; i++) {
		d = entry(&p, fns[i]);
		assert_false(root_copy__polls(&p.copy, &d));
	}
	d = entry(&p, none);
	assert_false(root_copy__polls(&p.copy, &d));
	drop(&p.f);
}

/* Copies have the name, and the type of the parameter, from what they are copies of. */
static void copies_of_what_polls(void **state)
{
	uint32_t declared, specified, poll, first, second, copy, less, later, empty, own;
	struct program p;
	struct die d, name, found;

	(void)state;
	begin_program(&p);
	declared = here(&p.f);
	named(&p.f, P_DECLARED, "poll", 0);
	specified = with_ref(&p.f, P_SPECIFIED, declared);
	param(&p.f, p.pin);
	close_level(&p.f);
	poll = here(&p.f);
	named(&p.f, P_FN, "poll", 0);
	first = param(&p.f, p.pin);
	second = param(&p.f, p.other);
	close_level(&p.f);
	copy = with_ref(&p.f, P_COPY, poll);
	own = with_ref(&p.f, P_OF, first);
	with_ref(&p.f, P_OF, second);
	close_level(&p.f);
	/* optimised away: all of them, and the first */
	empty = with_ref(&p.f, P_COPY, specified);
	close_level(&p.f);
	less = with_ref(&p.f, P_COPY, poll);
	later = with_ref(&p.f, P_OF, second);
	close_level(&p.f);
	end_program(&p);
	d = entry(&p, copy);
	assert_true(root_copy__polls(&p.copy, &d));
	assert_true(root__copied_parameter(&p.f.ts, &d, &found));
	assert_ptr_equal(found.p, entry(&p, own).p);
	name = root__name(&p.f.ts, d);
	assert_ptr_equal(name.p, entry(&p, poll).p);
	d = entry(&p, less);
	assert_true(root_copy__polls(&p.copy, &d));
	assert_false(root__copied_parameter(&p.f.ts, &d, &found));
	assert_int_not_equal(entry(&p, later).p - d.p, 0);
	/* of a method: the name is with its declaration */
	d = entry(&p, specified);
	name = root__name(&p.f.ts, d);
	assert_ptr_equal(name.p, entry(&p, declared).p);
	assert_true(root_copy__polls(&p.copy, &d));
	/* itself it has its parameter */
	assert_true(root__copied_parameter(&p.f.ts, &d, &found));
	d = entry(&p, empty);
	assert_false(root__copied_parameter(&p.f.ts, &d, &found));
	name = root__name(&p.f.ts, d);
	assert_ptr_equal(name.p, entry(&p, declared).p);
	/* an entry without any of that is its own name */
	d = entry(&p, p.future);
	name = root__name(&p.f.ts, d);
	assert_ptr_equal(name.p, d.p);
	drop(&p.f);
}

/* Entries that name each other: an end is come to. */
static void circles(void **state)
{
	struct program p;
	uint32_t copy;
	struct die d;

	(void)state;
	begin_program(&p);
	copy = with_ref(&p.f, P_COPY, here(&p.f));
	close_level(&p.f);
	end_program(&p);
	d = entry(&p, copy);
	assert_ptr_equal(root__name(&p.f.ts, d).p, d.p);
	assert_false(root_copy__polls(&p.copy, &d));
	drop(&p.f);
}

/* The frame base that a function says it has. */
static void frames(void **state)
{
	static const struct {
		const char	*expr;
		size_t		 len;
		uint8_t		 want;
	} cases[] = {
		{ "\x57", 1, IMAGE_REG_SP }, { "\x56", 1, IMAGE_REG_BP },
		{ "\x53", 1, IMAGE_REG_BX },
		/* changed by calls; none; the frame's address, which no register has */
		{ "\x50", 1, IMAGE_REG_NR }, { "\x6f", 1, IMAGE_REG_NR },
		{ "\x9c", 1, IMAGE_REG_NR }, { "\x03", 1, IMAGE_REG_NR },
		{ "", 0, IMAGE_REG_NR }, { "\x76\x10", 2, IMAGE_REG_NR },
		{ "\x56\x9f", 2, IMAGE_REG_NR },
	};
	uint32_t at[10], other;
	struct program p;
	struct die d;

	(void)state;
	begin_program(&p);
	for (size_t i = 0; i < 10; i++) {
		at[i] = here(&p.f);
		uleb(&p.f.info, P_FRAME);
		uleb(&p.f.info, cases[i].len);
		put_bytes(&p.f.info, cases[i].expr, cases[i].len);
	}
	other = function(&p.f, "poll", 0, NULL);
	end_program(&p);
	for (size_t i = 0; i < 10; i++) {
		d = entry(&p, at[i]);
		if (root__frame(&d) != cases[i].want)
			fail_msg("case %zu: %u", i, root__frame(&d));
	}
	d = entry(&p, other);
	assert_int_equal(root__frame(&d), IMAGE_REG_NR);
	drop(&p.f);
}

/* ---- variables ---- */

struct var {
	unsigned int	code;
	uint32_t	type;	/* or what it is a copy of, or of no type */
	const char	*expr;
	size_t		 len;
};

static void put_var(struct file *f, const struct var *v)
{
	uleb(&f->info, v->code);
	if (v->code != P_UNTYPED)
		put(&f->info, v->type, 4);
	uleb(&f->info, v->len);
	put_bytes(&f->info, v->expr, v->len);
}

/* Where the root lies in a function with the variables @vars; @reg IMAGE_REG_NR: it is not told. */
static void check_vars(struct program *p, const struct var *vars, size_t nr, unsigned int depth,
		       uint8_t reg, int32_t off, uint8_t deref)
{
	struct image_loc loc = { 0 };
	uint32_t fn = here(&p->f);
	struct die d;
	bool told;

	named(&p->f, P_FN, "block_on", 0);
	for (unsigned int i = 0; i < depth; i++)
		uleb(&p->f.info, P_BLOCK);
	for (size_t i = 0; i < nr; i++)
		put_var(&p->f, &vars[i]);
	for (unsigned int i = 0; i <= depth; i++)
		close_level(&p->f);
	end_program(p);
	d = entry(p, fn);
	told = root_copy__variable(&p->copy, &d, 0x1000, 0, &loc);
	assert_int_equal(told, reg != IMAGE_REG_NR);
	if (told) {
		assert_int_equal(loc.reg, reg);
		assert_int_equal(loc.off, off);
		assert_int_equal(loc.deref, deref);
	}
	drop(&p->f);
}

/* A program with one variable. */
static void check_var(unsigned int code, bool pinned, const char *expr, size_t len, uint8_t reg,
		      int32_t off, uint8_t deref)
{
	struct program p;
	struct var v = { .code = code, .expr = expr, .len = len };

	begin_program(&p);
	v.type = pinned ? p.pin : p.future;
	check_vars(&p, &v, 1, 0, reg, off, deref);
}

static void variables(void **state)
{
	(void)state;
	/* the future itself: its place is where it lies */
	check_var(P_VAR, false, "\x91\x10", 2, IMAGE_REG_SP, 16, 0);
	check_var(P_PARAM, false, "\x77\x78", 2, IMAGE_REG_SP, -8, 0);
	check_var(P_VAR, false, "\x7f\x08", 2, IMAGE_REG_R15, 8, 0);
	/* a reference: it lies where that leads, which is in memory or in a register */
	check_var(P_VAR, true, "\x91\x10", 2, IMAGE_REG_SP, 16, 1);
	check_var(P_VAR, true, "\x53", 1, IMAGE_REG_BX, 0, 0);
	check_var(P_VAR, true, "\x91\x10\x9f", 3, IMAGE_REG_SP, 16, 0);
	check_var(P_VAR, true, "\x73\x08\x06\x9f", 4, IMAGE_REG_BX, 8, 1);
	/* a future is in no register, nor is it a value */
	check_var(P_VAR, false, "\x53", 1, IMAGE_REG_NR, 0, 0);
	check_var(P_VAR, false, "\x91\x10\x9f", 3, IMAGE_REG_NR, 0, 0);
	/* what a call may change */
	check_var(P_VAR, true, "\x55", 1, IMAGE_REG_NR, 0, 0);
	check_var(P_VAR, true, "\x70\x08", 2, IMAGE_REG_NR, 0, 0);
	check_var(P_VAR, false, "\x71\x00", 2, IMAGE_REG_NR, 0, 0);
	/* no place, or of another kind */
	check_var(P_VAR, true, "", 0, IMAGE_REG_NR, 0, 0);
	check_var(P_VAR, true, "\x53\x93\x08", 3, IMAGE_REG_NR, 0, 0);
}

/* The first of those that tell. */
static void several_variables(void **state)
{
	struct program p;

	(void)state;
	begin_program(&p);
	check_vars(&p, (const struct var[]){
		{ P_UNTYPED, 0, "\x91\x08", 2 },
		{ P_VAR, p.other, "\x91\x10", 2 },
		{ P_VAR, p.pin_other, "\x91\x18", 2 },
		{ P_VAR, p.boxed, "\x91\x20", 2 },
		{ P_VAR, p.reference, "\x91\x28", 2 },
		{ P_VAR, p.pin, "\x55", 1 },
		{ P_VAR, p.future, "\x91\x30", 2 },
		{ P_VAR, p.pin, "\x53", 1 },
	}, 8, 0, IMAGE_REG_SP, 0x30, 0);
	begin_program(&p);
	check_vars(&p, (const struct var[]){
		{ P_VAR, p.other, "\x91\x10", 2 },
		{ P_VAR, p.boxed, "\x91\x20", 2 },
	}, 2, 0, IMAGE_REG_NR, 0, 0);
	begin_program(&p);
	check_vars(&p, NULL, 0, 0, IMAGE_REG_NR, 0, 0);
}

/* In a block, and in a block of a block; but not in any number of them. */
static void blocks(void **state)
{
	static const struct {
		unsigned int	depth;
		bool		told;
	} cases[] = { { 1, true }, { 2, true }, { 64, true }, { 65, false }, { 1000, false } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct program p;
		struct var v = { .code = P_VAR, .expr = "\x91\x10", .len = 2 };
		uint8_t reg = cases[i].told ? IMAGE_REG_SP : IMAGE_REG_NR;

		begin_program(&p);
		v.type = p.pin;
		check_vars(&p, &v, 1, cases[i].depth, reg, 16, 1);
	}
}

/* A copy of a variable has its type from what it is a copy of; a place may be of some code only. */
static void copies_and_lists(void **state)
{
	static const struct {
		uint64_t	pc;
		uint8_t		reg;
	} cases[] = { { 0x0fff, IMAGE_REG_NR }, { 0x1000, IMAGE_REG_BX }, { 0x1010, IMAGE_REG_SP },
		      { 0x101f, IMAGE_REG_SP }, { 0x1020, IMAGE_REG_NR } };
	uint32_t abstract, fn, listed;
	struct image_loc loc;
	struct program p;
	struct die d;

	(void)state;
	begin_program(&p);
	abstract = with_ref(&p.f, A_PARAM, p.pin);
	fn = here(&p.f);
	named(&p.f, P_FN, "block_on", 0);
	put_var(&p.f, &(struct var){ P_VAR_OF, abstract, "\x91\x18", 2 });
	close_level(&p.f);
	listed = here(&p.f);
	named(&p.f, P_FN, "block_on", 0);
	with_ref(&p.f, P_LISTED, p.pin);
	put(&p.f.info, 0, 4);
	close_level(&p.f);
	for (uint64_t i = 0; i < 2; i++) {
		put(&p.f.loc, 0x1000 + 16 * i, 8);
		put(&p.f.loc, 0x1010 + 16 * i, 8);
		put(&p.f.loc, i ? 2 : 1, 2);
		put(&p.f.loc, i ? 0x1091 : DW_OP_reg3, i ? 2 : 1);
	}
	put(&p.f.loc, 0, 16);
	end_program(&p);
	d = entry(&p, fn);
	assert_true(root_copy__variable(&p.copy, &d, 0, 0, &loc));
	assert_int_equal(loc.reg, IMAGE_REG_SP);
	assert_int_equal(loc.off, 0x18);
	assert_int_equal(loc.deref, 1);
	/* of a function with a frame pointer, and of one that does not say what it has */
	p.copy.frame = IMAGE_REG_BP;
	assert_true(root_copy__variable(&p.copy, &d, 0, 0, &loc));
	assert_int_equal(loc.reg, IMAGE_REG_BP);
	p.copy.frame = IMAGE_REG_NR;
	assert_false(root_copy__variable(&p.copy, &d, 0, 0, &loc));
	p.copy.frame = IMAGE_REG_SP;
	d = entry(&p, listed);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool told = root_copy__variable(&p.copy, &d, cases[i].pc, 0, &loc);

		assert_int_equal(told, cases[i].reg != IMAGE_REG_NR);
		if (told)
			assert_int_equal(loc.reg, cases[i].reg);
	}
	drop(&p.f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers),
		cmocka_unit_test(expressions),
		cmocka_unit_test(bases),
		cmocka_unit_test(cut_expressions),
		cmocka_unit_test(what_polls),
		cmocka_unit_test(copies_of_what_polls),
		cmocka_unit_test(circles),
		cmocka_unit_test(frames),
		cmocka_unit_test(variables),
		cmocka_unit_test(several_variables),
		cmocka_unit_test(blocks),
		cmocka_unit_test(copies_and_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
