// SPDX-License-Identifier: GPL-2.0
/*
 * Where the code of an entry lies, in one piece or in several, and where a variable is at each
 * address. How the lists that say so are written is tested in image_lists.c.
 */
#include "tests/unit/image_dwarf.h"

#include "image/lists.h"

enum { L_UNIT = 1, L_BLOCK, L_PARAM, L_WHOLE, L_END, L_THERE, L_NONE };

/* An entry of its own: @tag with attributes that follow, of a unit at 0x1000. */
static void begin_entry(struct file *f)
{
	memset(f, 0, sizeof(*f));
	abbrev(f, L_UNIT, DW_TAG_compile_unit, true, DW_AT_low_pc, DW_FORM_addr, 0);
	abbrev(f, L_WHOLE, DW_TAG_lexical_block, false, DW_AT_low_pc, DW_FORM_addr,
	       DW_AT_high_pc, DW_FORM_data4, DW_AT_ranges, DW_FORM_sec_offset, 0);
	abbrev(f, L_END, DW_TAG_lexical_block, false, DW_AT_low_pc, DW_FORM_addr,
	       DW_AT_high_pc, DW_FORM_addr, 0);
	abbrev(f, L_THERE, DW_TAG_formal_parameter, false, DW_AT_location, DW_FORM_exprloc,
	       DW_AT_low_pc, DW_FORM_addr, DW_AT_high_pc, DW_FORM_exprloc, 0);
	abbrev(f, L_PARAM, DW_TAG_formal_parameter, false, DW_AT_location, DW_FORM_sec_offset, 0);
	abbrev(f, L_BLOCK, DW_TAG_lexical_block, false, DW_AT_ranges, DW_FORM_sec_offset, 0);
	abbrev(f, L_NONE, DW_TAG_lexical_block, false, DW_AT_low_pc, DW_FORM_addr, 0);
	put(&f->abbrev, 0, 1);
	begin_unit(f, 4, false, 8, 0, 0);
	uleb(&f->info, L_UNIT);
	put(&f->info, 0x1000, 8);
}

static void the_entry(struct file *f, struct die *out)
{
	struct die root;

	put(&f->info, 0, 1);
	end_unit(f);
	load(f);
	assert_true(die__root(f->di.units[0], &root));
	assert_true(die__child(&root, out));
}

/* The code of one entry with two words, by its first range and by all; 0-0: none. */
static void check_pieces(unsigned int code, uint64_t low, uint64_t high, uint64_t start,
			 uint64_t end)
{
	struct die_range r = { 0 }, all[4];
	struct file f;
	struct die d;

	begin_entry(&f);
	list_pair(&f.ranges, 0x10, 0x20, 8);	/* of no account beside low_pc */
	list_pair(&f.ranges, 0x30, 0x40, 8);
	list_pair(&f.ranges, 0, 0, 8);
	uleb(&f.info, code);
	put(&f.info, low, 8);
	put(&f.info, high, code == L_WHOLE ? 4 : code == L_END ? 8 : 0);
	put(&f.info, 0, code == L_WHOLE ? 4 : 0);
	the_entry(&f, &d);
	assert_int_equal(lists__first_range(&d, &r), end != 0);
	assert_int_equal(lists__ranges(&d, all, 4), end != 0);
	assert_int_equal(lists__ranges(&d, all, 0), 0);
	if (end) {
		assert_int_equal(r.start, start);
		assert_int_equal(r.end, end);
		assert_int_equal(lists__ranges(&d, all, 4), 1);
		assert_int_equal(all[0].start, start);
		assert_int_equal(all[0].end, end);
	}
	drop(&f);
}

static void code_in_one_piece(void **state)
{
	(void)state;
	/* a length, or an address */
	check_pieces(L_WHOLE, 0x7000, 0x40, 0x7000, 0x7040);
	check_pieces(L_END, 0x7000, 0x7040, 0x7000, 0x7040);
	/* nothing in it, less than nothing, beyond all addresses, no end */
	check_pieces(L_WHOLE, 0x7000, 0, 0, 0);
	check_pieces(L_END, 0x7000, 0x7000, 0, 0);
	check_pieces(L_END, 0x7000, 0x6fff, 0, 0);
	check_pieces(L_WHOLE, ~0ull, 0x40, 0, 0);
	check_pieces(L_NONE, 0x7000, 0, 0, 0);
}

static void code_in_pieces(void **state)
{
	struct die_range r = { 0 }, all[4];
	struct file f;
	struct die d;

	(void)state;
	begin_entry(&f);
	list_pair(&f.ranges, 0x50, 0x50, 8);
	list_pair(&f.ranges, 0x30, 0x40, 8);
	list_pair(&f.ranges, 0x10, 0x20, 8);
	list_pair(&f.ranges, 0, 0, 8);
	uleb(&f.info, L_BLOCK);
	put(&f.info, 0, 4);
	the_entry(&f, &d);
	assert_true(lists__first_range(&d, &r));
	assert_int_equal(r.start, 0x1030);
	assert_int_equal(r.end, 0x1040);
	assert_int_equal(lists__ranges(&d, all, 4), 2);
	assert_int_equal(all[1].start, 0x1010);
	assert_int_equal(lists__ranges(&d, all, 1), 1);
	drop(&f);
}

static void places(void **state)
{
	static const struct {
		uint64_t	pc;
		uint8_t		op;	/* 0: it is nowhere */
	} cases[] = {
		{ 0x100f, 0 }, { 0x1010, DW_OP_reg0 }, { 0x101f, DW_OP_reg0 }, { 0x1020, 0 },
		{ 0x102f, 0 }, { 0x1030, DW_OP_reg1 }, { 0x1038, DW_OP_reg1 },
		{ 0x1045, DW_OP_reg2 }, { 0x104f, DW_OP_reg2 }, { 0x1050, 0 }, { 0, 0 },
		{ ~0ull, 0 },
	};
	struct die_list l;
	struct die_range r;
	struct file f;
	struct die d;

	(void)state;
	begin_entry(&f);
	list_pair(&f.loc, 0x10, 0x20, 8);
	list_expression(&f.loc, 4, DW_OP_reg0, 0);
	list_pair(&f.loc, 0x30, 0x40, 8);
	list_expression(&f.loc, 4, DW_OP_reg1, 0);
	/* of two that hold it the first is right */
	list_pair(&f.loc, 0x35, 0x50, 8);
	list_expression(&f.loc, 4, DW_OP_reg2, 0);
	list_pair(&f.loc, 0, 0, 8);
	uleb(&f.info, L_PARAM);
	put(&f.info, 0, 4);
	the_entry(&f, &d);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool there = lists__location(&d, cases[i].pc, &l, &r);

		if (there != !!cases[i].op)
			fail_msg("at %llx: %d", (unsigned long long)cases[i].pc, there);
		if (there) {
			assert_int_equal(r.expr_len, 1);
			assert_int_equal(r.expr[0], cases[i].op);
		}
	}
	drop(&f);
}

/* One place for all of the code; and what has none. */
static void place_throughout(void **state)
{
	struct die_list l;
	struct die_range r;
	struct file f;
	struct die d;

	(void)state;
	begin_entry(&f);
	uleb(&f.info, L_THERE);
	uleb(&f.info, 2);
	put(&f.info, DW_OP_fbreg, 1);
	put(&f.info, 8, 1);
	put(&f.info, 0x7000, 8);
	uleb(&f.info, 1);
	put(&f.info, DW_OP_reg0, 1);
	the_entry(&f, &d);
	assert_true(lists__location(&d, 0, &l, &r));
	assert_true(lists__location(&d, ~0ull - 1, &l, &r));
	assert_int_equal(r.start, 0);
	assert_int_equal(r.end, UINT64_MAX);
	assert_int_equal(r.expr_len, 2);
	assert_int_equal(r.expr[0], DW_OP_fbreg);
	/* an end that is an expression is no end */
	assert_false(lists__first_range(&d, &r));
	/* the unit has no place, nor ranges */
	assert_true(die__root(f.di.units[0], &d));
	assert_false(lists__location(&d, 0x1000, &l, &r));
	assert_false(lists__open(&d, DW_AT_ranges, false, &l));
	/* an attribute that is no list */
	assert_false(lists__open(&d, DW_AT_low_pc, false, &l));
	drop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_in_one_piece),
		cmocka_unit_test(code_in_pieces),
		cmocka_unit_test(places),
		cmocka_unit_test(place_throughout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
