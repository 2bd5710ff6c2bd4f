// SPDX-License-Identifier: GPL-2.0
/*
 * Inlined copies of a function, and where their argument is: lists of ranges
 * and of locations in each way in which they can be written.
 */
#include "tests/unit/image_dwarf.h"
#include "tests/unit/trace_random.h"

#include "image/inlined.h"

enum {
	I_UNIT = 1, I_DECLARED, I_PARAM, I_ABSTRACT, I_CALLER, I_COPY, I_WHOLE, I_AT, I_THERE,
	I_FAR, I_FAR_AT
};

#define RBX	3
#define R15	15
#define STACK	0xff	/* not in a register */

static void inlined_abbrevs(struct file *f, unsigned int copy_form, unsigned int param_form)
{
	abbrev(f, I_UNIT, DW_TAG_compile_unit, true, DW_AT_low_pc, DW_FORM_addr, DW_AT_addr_base,
	       DW_FORM_sec_offset, DW_AT_loclists_base, DW_FORM_sec_offset, DW_AT_rnglists_base,
	       DW_FORM_sec_offset, 0);
	abbrev(f, I_DECLARED, DW_TAG_subprogram, false, DW_AT_name, DW_FORM_string, 0);
	abbrev(f, I_PARAM, DW_TAG_formal_parameter, false, DW_AT_name, DW_FORM_string, 0);
	abbrev(f, I_ABSTRACT, DW_TAG_subprogram, true, DW_AT_specification, DW_FORM_ref4,
	       DW_AT_inline, DW_FORM_data1, 0);
	abbrev(f, I_CALLER, DW_TAG_subprogram, true, 0);
	abbrev(f, I_COPY, DW_TAG_inlined_subroutine, true, DW_AT_abstract_origin, DW_FORM_ref4,
	       DW_AT_ranges, copy_form, 0);
	abbrev(f, I_WHOLE, DW_TAG_inlined_subroutine, true, DW_AT_abstract_origin, DW_FORM_ref4,
	       DW_AT_low_pc, DW_FORM_addr, DW_AT_high_pc, DW_FORM_data4, 0);
	abbrev(f, I_AT, DW_TAG_formal_parameter, false, DW_AT_location, param_form,
	       DW_AT_abstract_origin, DW_FORM_ref4, 0);
	abbrev(f, I_THERE, DW_TAG_formal_parameter, false, DW_AT_location, DW_FORM_exprloc,
	       DW_AT_abstract_origin, DW_FORM_ref4, 0);
	abbrev(f, I_FAR, DW_TAG_inlined_subroutine, true, DW_AT_abstract_origin, DW_FORM_ref_addr,
	       DW_AT_low_pc, DW_FORM_addr, DW_AT_high_pc, DW_FORM_data4, 0);
	abbrev(f, I_FAR_AT, DW_TAG_formal_parameter, false, DW_AT_location, DW_FORM_exprloc,
	       DW_AT_abstract_origin, DW_FORM_ref_addr, 0);
	put(&f->abbrev, 0, 1);
}

/* The unit, the function "poll" with two parameters, and a function that has copies of it. */
static void begin_copies(struct file *f, unsigned int version, uint64_t low_pc, uint32_t *origin,
			 uint32_t params[2])
{
	uint32_t declared;

	begin_unit(f, version, false, 8, DW_UT_compile, 0);
	uleb(&f->info, I_UNIT);
	put(&f->info, low_pc, 8);
	put(&f->info, 8, 4);	/* of addresses, of lists */
	put(&f->info, 12, 4);
	put(&f->info, 12, 4);
	declared = here(f);
	uleb(&f->info, I_DECLARED);
	text(&f->info, "poll");
	*origin = here(f);
	uleb(&f->info, I_ABSTRACT);
	put(&f->info, declared, 4);
	put(&f->info, 1, 1);
	for (int i = 0; i < 2; i++) {
		params[i] = here(f);
		uleb(&f->info, I_PARAM);
		text(&f->info, i ? "task" : "self");
	}
	close_level(f);
	uleb(&f->info, I_CALLER);
}

static void end_copies(struct file *f)
{
	close_level(f);
	put(&f->info, 0, 1);
	end_unit(f);
	load(f);
	assert_false(f->torn);
	assert_int_equal(f->sc.nr_fns, 1);
}

/* What is found, as text: "START-END:REGISTER …". */
static void note_copy(void *ctx, const struct inlined_copy *c)
{
	char *out = ctx;

	sprintf(out + strlen(out), "%s%llx-%llx:%u", *out ? " " : "", (unsigned long long)c->start,
		(unsigned long long)c->end, c->reg);
}

static const char *copies(struct file *f, unsigned int arg)
{
	static char out[4096];
	struct die fn;

	out[0] = 0;
	assert_true(die__at_addr(&f->di, f->sc.fns[0].die, &fn));
	inlined__find(&f->di, &fn, arg, note_copy, out);
	return out;
}

static void expression(struct buf *b, unsigned int version, unsigned int reg)
{
	bool frame = reg == STACK;

	if (version < 5)
		put(b, frame ? 2 : 1, 2);
	else
		uleb(b, frame ? 2 : 1);
	put(b, frame ? DW_OP_fbreg : DW_OP_reg0 + reg, 1);
	if (frame)
		put(b, 8, 1);
}

static void old_range(struct buf *b, uint64_t start, uint64_t end)
{
	put(b, start, 8);
	put(b, end, 8);
}

/* DWARF 4: pairs of words, and a base that may change. */
static void version_4(void **state)
{
	uint32_t origin, params[2];
	struct file f = { .unit = 0 };

	(void)state;
	inlined_abbrevs(&f, DW_FORM_sec_offset, DW_FORM_sec_offset);
	begin_copies(&f, 4, 0x1000, &origin, params);
	/* in pieces: where it begins the argument is in rbx */
	old_range(&f.ranges, 0x10, 0x80);
	old_range(&f.ranges, 0x90, 0xa0);
	old_range(&f.ranges, 0, 0);
	old_range(&f.loc, 0x10, 0x30);
	expression(&f.loc, 4, RBX);
	old_range(&f.loc, 0, 0);
	uleb(&f.info, I_COPY);
	put(&f.info, origin, 4);
	put(&f.info, 0, 4);
	uleb(&f.info, I_AT);
	put(&f.info, 0, 4);
	put(&f.info, params[1], 4);
	close_level(&f);
	/* a base of its own, an empty range first; longer there than the first piece */
	put(&f.info, I_COPY, 1);
	put(&f.info, origin, 4);
	put(&f.info, f.ranges.n, 4);
	uleb(&f.info, I_AT);
	put(&f.info, f.loc.n, 4);
	put(&f.info, params[1], 4);
	close_level(&f);
	old_range(&f.ranges, ~0ull, 0x5000);
	old_range(&f.ranges, 0x8, 0x8);
	old_range(&f.ranges, 0x8, 0x18);
	old_range(&f.ranges, 0, 0);
	old_range(&f.loc, 0x4000, 0x4001);
	expression(&f.loc, 4, RBX);
	old_range(&f.loc, 0x4008, 0x4100);
	expression(&f.loc, 4, R15);
	old_range(&f.loc, 0, 0);
	/* in a register only later; on the stack; the other parameter */
	for (int i = 0; i < 3; i++) {
		put(&f.info, I_COPY, 1);
		put(&f.info, origin, 4);
		put(&f.info, 0, 4);
		uleb(&f.info, I_AT);
		put(&f.info, f.loc.n, 4);
		put(&f.info, params[i < 2], 4);
		close_level(&f);
		old_range(&f.loc, i ? 0x10 : 0x11, 0x30);
		expression(&f.loc, 4, i == 1 ? STACK : RBX);
		old_range(&f.loc, 0, 0);
	}
	/* all in one place, the same register throughout */
	uleb(&f.info, I_WHOLE);
	put(&f.info, origin, 4);
	put(&f.info, 0x7000, 8);
	put(&f.info, 0x40, 4);
	uleb(&f.info, I_THERE);
	uleb(&f.info, 1);
	put(&f.info, DW_OP_reg0 + R15, 1);
	put(&f.info, params[1], 4);
	close_level(&f);
	end_copies(&f);
	assert_string_equal(copies(&f, 1), "1010-1030:3 5008-5018:15 7000-7040:15");
	assert_string_equal(copies(&f, 0), "1010-1030:3");
	assert_string_equal(copies(&f, 2), "");
	drop(&f);
}

/* DWARF 5: each kind of range, for the code and for the location. */
static void version_5(void **state)
{
	static const unsigned int kinds[] = {
		DW_LLE_startx_endx, DW_LLE_startx_length, DW_LLE_offset_pair, DW_LLE_start_end,
		DW_LLE_start_length, DW_LLE_base_address, DW_LLE_base_addressx,
	};
	const size_t nr = sizeof(kinds) / sizeof(*kinds);

	(void)state;
	for (size_t i = 0; i < nr * 2; i++) {
		unsigned int kind = kinds[i % nr];
		bool numbered = i >= nr;
		struct file f = { .unit = 0 };
		uint32_t origin, params[2];

		inlined_abbrevs(&f, numbered ? DW_FORM_rnglistx : DW_FORM_sec_offset,
				numbered ? DW_FORM_loclistx : DW_FORM_sec_offset);
		begin_copies(&f, 5, 0x1000, &origin, params);
		put(&f.addr, 0, 8);
		put(&f.addr, 0x2000, 8);
		put(&f.addr, 0x2040, 8);
		for (int loc = 0; loc < 2; loc++) {
			struct buf *b = loc ? &f.loclists : &f.rnglists;
			/* default_location is extra in lists of locations */
			unsigned int less = !loc && kind > DW_LLE_default_location;
			unsigned int pair = DW_LLE_offset_pair;

			put(b, 0, 12);		/* a header, not looked at */
			put(b, 8, 4);		/* number 0, and number 1 */
			put(b, 8, 4);
			put(b, kind - less, 1);
			switch (kind) {
			case DW_LLE_startx_endx:
				uleb(b, 0);
				uleb(b, 1);
				break;
			case DW_LLE_startx_length:
				uleb(b, 0);
				uleb(b, 0x40);
				break;
			case DW_LLE_offset_pair:
				uleb(b, 0x1000);
				uleb(b, 0x1040);
				break;
			case DW_LLE_start_end:
				put(b, 0x2000, 8);
				put(b, 0x2040, 8);
				break;
			case DW_LLE_start_length:
				put(b, 0x2000, 8);
				uleb(b, 0x40);
				break;
			case DW_LLE_base_address:
				put(b, 0x1f00, 8);
				put(b, pair, 1);
				uleb(b, 0x100);
				uleb(b, 0x140);
				break;
			case DW_LLE_base_addressx:
				uleb(b, 0);
				put(b, pair, 1);
				uleb(b, 0);
				uleb(b, 0x40);
				break;
			}
			if (loc)
				expression(b, 5, RBX);
			put(b, DW_LLE_end_of_list, 1);
		}
		uleb(&f.info, I_COPY);
		put(&f.info, origin, 4);
		numbered ? uleb(&f.info, 1) : put(&f.info, 20, 4);
		uleb(&f.info, I_AT);
		numbered ? uleb(&f.info, 1) : put(&f.info, 20, 4);
		put(&f.info, params[1], 4);
		close_level(&f);
		end_copies(&f);
		assert_string_equal(copies(&f, 1), "2000-2040:3");
		drop(&f);
	}
}

/* A copy at @start of what @origin is, in another unit or not. */
static void far_copy(struct file *f, uint64_t start, uint32_t origin, uint32_t param)
{
	uleb(&f->info, I_FAR);
	put(&f->info, origin, 4);
	put(&f->info, start, 8);
	put(&f->info, 0x40, 4);
	uleb(&f->info, I_FAR_AT);
	uleb(&f->info, 1);
	put(&f->info, DW_OP_reg0 + R15, 1);
	put(&f->info, param, 4);
	close_level(f);
}

/* Link-time optimization inlines across units. */
static void elsewhere(void **state)
{
	uint32_t origin, params[2];
	struct file f = { .unit = 0 };
	char out[256] = "";
	struct die fn;

	(void)state;
	inlined_abbrevs(&f, DW_FORM_sec_offset, DW_FORM_sec_offset);
	begin_copies(&f, 4, 0x1000, &origin, params);
	far_copy(&f, 0x7000, origin, params[1]);
	close_level(&f);
	put(&f.info, 0, 1);
	end_unit(&f);
	for (int i = 0; i < 2; i++) {
		begin_unit(&f, 4, false, 8, DW_UT_compile, 0);
		uleb(&f.info, I_UNIT);
		put(&f.info, 0x1000, 8);
		put(&f.info, 0, 12);
		uleb(&f.info, I_CALLER);
		far_copy(&f, i ? 0x9000 : 0x8000, origin, params[1]);
		far_copy(&f, 0xa000, params[0], params[1]);	/* of something else */
		close_level(&f);
		put(&f.info, 0, 1);
		end_unit(&f);
	}
	load(&f);
	assert_false(f.torn);
	assert_int_equal(f.sc.nr_fns, 1);
	assert_string_equal(copies(&f, 1), "7000-7040:15");
	assert_true(die__at_addr(&f.di, f.sc.fns[0].die, &fn));
	inlined__find_elsewhere(&f.di, &fn, 1, note_copy, out);
	assert_string_equal(out, "8000-8040:15 9000-9040:15");
	out[0] = 0;
	inlined__find_elsewhere(&f.di, &fn, 0, note_copy, out);
	assert_string_equal(out, "");
	drop(&f);
}

/* Lists of any bytes, and offsets into them or beside them. */
static void any_lists(void **state)
{
	uint64_t seed = 11;

	(void)state;
	for (int round = 0; round < 4000; round++) {
		bool numbered = below(&seed, 2), old = below(&seed, 2);
		struct file f = { .unit = 0 };
		uint32_t origin, params[2];

		inlined_abbrevs(&f, numbered && !old ? DW_FORM_rnglistx : DW_FORM_sec_offset,
				numbered && !old ? DW_FORM_loclistx : DW_FORM_sec_offset);
		begin_copies(&f, old ? 4 : 5, 0, &origin, params);
		for (int loc = 0; loc < 4; loc++) {
			struct buf *b = loc == 0 ? &f.loc : loc == 1 ? &f.loclists :
					loc == 2 ? &f.ranges : &f.rnglists;

			for (uint64_t n = 20 + below(&seed, 40); n; n--)
				put(b, below(&seed, 8) ? below(&seed, 9) : any(&seed), 1);
		}
		for (int i = 0; i < 8; i++) {
			uleb(&f.info, I_COPY);
			put(&f.info, origin, 4);
			numbered && !old ? uleb(&f.info, below(&seed, 9)) :
					   put(&f.info, below(&seed, 64), 4);
			uleb(&f.info, I_AT);
			numbered && !old ? uleb(&f.info, below(&seed, 9)) :
					   put(&f.info, below(&seed, 64), 4);
			put(&f.info, params[1], 4);
			close_level(&f);
		}
		close_level(&f);
		put(&f.info, 0, 1);
		end_unit(&f);
		load(&f);
		(void)copies(&f, 1);
		drop(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_4),
		cmocka_unit_test(version_5),
		cmocka_unit_test(elsewhere),
		cmocka_unit_test(any_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
