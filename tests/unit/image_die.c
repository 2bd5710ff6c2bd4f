// SPDX-License-Identifier: GPL-2.0
/*
 * The reader of debugging information entries and the index pass, on input
 * made by hand: every form, references, and whatever goes in circles or is
 * nothing but bytes.
 */
#include "image_dwarf.h"
#include "trace_random.h"

/* ---- forms ---------------------------------------------------------------- */

/* One value of each form; what it is worth, and whether it is a block. */
static const struct form {
	unsigned int	form;
	uint64_t	v;
	bool		block;
	int		size;	/* bytes; 0: as told by write_form */
} forms[] = {
	{ DW_FORM_addr, 0x1234, false, 0 },
	{ DW_FORM_block2, 3, true, 0 }, { DW_FORM_block4, 5, true, 0 },
	{ DW_FORM_data2, 0xfedc, false, 2 }, { DW_FORM_data4, 0xfedcba98, false, 4 },
	{ DW_FORM_data8, 0xfedcba9876543210, false, 8 },
	{ DW_FORM_string, 4, true, 0 }, { DW_FORM_block, 200, true, 0 },
	{ DW_FORM_block1, 255, true, 0 }, { DW_FORM_data1, 0xfe, false, 1 },
	{ DW_FORM_flag, 1, false, 1 }, { DW_FORM_sdata, (uint64_t)-2, false, 0 },
	{ DW_FORM_strp, 6, false, 0 }, { DW_FORM_udata, 1ull << 40, false, 0 },
	{ DW_FORM_ref_addr, 12, false, 0 }, { DW_FORM_ref1, 11, false, 1 },
	{ DW_FORM_ref2, 11, false, 2 }, { DW_FORM_ref4, 11, false, 4 },
	{ DW_FORM_ref8, 11, false, 8 }, { DW_FORM_ref_udata, 11, false, 0 },
	{ DW_FORM_sec_offset, 77, false, 0 }, { DW_FORM_exprloc, 9, true, 0 },
	{ DW_FORM_flag_present, 1, false, 0 }, { DW_FORM_strx, 1, false, 0 },
	{ DW_FORM_addrx, 1, false, 0 }, { DW_FORM_ref_sup4, 5, false, 4 },
	{ DW_FORM_strp_sup, 5, false, 0 }, { DW_FORM_data16, 0x1111, false, 16 },
	{ DW_FORM_line_strp, 5, false, 0 }, { DW_FORM_ref_sig8, 1ull << 63, false, 8 },
	{ DW_FORM_implicit_const, (uint64_t)-7, false, 0 }, { DW_FORM_loclistx, 300, false, 0 },
	{ DW_FORM_rnglistx, 300, false, 0 }, { DW_FORM_ref_sup8, 5, false, 8 },
	{ DW_FORM_strx1, 1, false, 1 }, { DW_FORM_strx2, 1, false, 2 },
	{ DW_FORM_strx3, 1, false, 3 }, { DW_FORM_strx4, 1, false, 4 },
	{ DW_FORM_addrx1, 1, false, 1 }, { DW_FORM_addrx2, 1, false, 2 },
	{ DW_FORM_addrx3, 1, false, 3 }, { DW_FORM_addrx4, 1, false, 4 },
	{ DW_FORM_GNU_addr_index, 1, false, 0 }, { DW_FORM_GNU_str_index, 1, false, 0 },
	{ DW_FORM_GNU_ref_alt, 5, false, 0 }, { DW_FORM_GNU_strp_alt, 5, false, 0 },
};

#define NR_FORMS	(sizeof(forms) / sizeof(*forms))

static void write_form(struct buf *b, const struct form *f, unsigned int version, bool wide,
		       unsigned int addr_size)
{
	uint8_t bytes[256];

	memset(bytes, 0xab, sizeof(bytes));
	switch (f->form) {
	case DW_FORM_addr:
		put(b, f->v, addr_size);
		break;
	case DW_FORM_ref_addr:
		put(b, f->v, version <= 2 ? addr_size : wide ? 8 : 4);
		break;
	case DW_FORM_strp: case DW_FORM_sec_offset: case DW_FORM_strp_sup: case DW_FORM_line_strp:
	case DW_FORM_GNU_ref_alt: case DW_FORM_GNU_strp_alt:
		put(b, f->v, wide ? 8 : 4);
		break;
	case DW_FORM_block1:
		put(b, f->v, 1);
		put_bytes(b, bytes, f->v);
		break;
	case DW_FORM_block2:
		put(b, f->v, 2);
		put_bytes(b, bytes, f->v);
		break;
	case DW_FORM_block4:
		put(b, f->v, 4);
		put_bytes(b, bytes, f->v);
		break;
	case DW_FORM_block: case DW_FORM_exprloc:
		uleb(b, f->v);
		put_bytes(b, bytes, f->v);
		break;
	case DW_FORM_string:
		text(b, "text");
		break;
	case DW_FORM_sdata:
		sleb(b, (int64_t)f->v);
		break;
	case DW_FORM_flag_present: case DW_FORM_implicit_const:
		break;
	default:
		if (f->size)
			put(b, f->v, (size_t)f->size);
		else
			uleb(b, f->v);
	}
}

/* Two attributes of each form, one of which the index wants, and an entry behind them. */
static void every_form(void **state)
{
	(void)state;
	for (unsigned int variant = 0; variant < 4 * 4; variant++) {
		unsigned int version = 2 + variant / 4, addr_size = variant & 1 ? 4 : 8;
		bool wide = variant & 2;
		struct file f = { .unit = 0 };
		struct die root, d;
		size_t first;

		uleb(&f.abbrev, 1);
		uleb(&f.abbrev, DW_TAG_compile_unit);
		put(&f.abbrev, 1, 1);
		for (unsigned int i = 0; i < NR_FORMS; i++) {
			for (int twice = 0; twice < 2; twice++) {
				uleb(&f.abbrev, 0x2100 + 2 * i + twice);
				uleb(&f.abbrev, twice ? DW_FORM_indirect : forms[i].form);
				if (!twice && forms[i].form == DW_FORM_implicit_const)
					sleb(&f.abbrev, (int64_t)forms[i].v);
			}
		}
		put(&f.abbrev, 0, 2);
		abbrev(&f, 2, DW_TAG_structure_type, false, DW_AT_name, DW_FORM_string, 0);
		put(&f.abbrev, 0, 1);
		begin_unit(&f, version, wide, addr_size, DW_UT_compile, 0);
		uleb(&f.info, 1);
		for (unsigned int i = 0; i < NR_FORMS; i++) {
			/* an indirect one says what it is, but cannot be implicit */
			const struct form *of = forms[i].form == DW_FORM_implicit_const ?
						&forms[3] : &forms[i];

			write_form(&f.info, &forms[i], version, wide, addr_size);
			uleb(&f.info, of->form);
			write_form(&f.info, of, version, wide, addr_size);
		}
		uleb(&f.info, 2);
		text(&f.info, "behind");
		put(&f.info, 0, 1);
		end_unit(&f);
		load(&f);
		assert_false(f.torn);
		assert_true(die__root(f.di.units[0], &root));
		assert_true(die__child(&root, &d));
		assert_string_equal(type__name(&d), "behind");
		assert_true(die_of(&f, "behind", &d));
		first = (size_t)(root.p - f.secs.info.p);
		for (unsigned int i = 0; i < NR_FORMS; i++) {
			for (int twice = 0; twice < 2; twice++) {
				const struct form *of = &forms[i];
				struct attr a;
				uint64_t v;

				if (twice && of->form == DW_FORM_implicit_const)
					of = &forms[3];
				assert_true(die__attr(&root, 0x2100 + 2 * i + twice, &a));
				assert_int_equal(a.form, of->form);
				assert_true(a.v == of->v);
				assert_int_equal(die__uint(&root, 0x2100 + 2 * i + twice, &v),
						 !of->block && of->form != DW_FORM_data16);
				if (of->form == DW_FORM_string)
					assert_string_equal(attr__str(d.u, &a), "text");
				else if (of->block)
					assert_int_equal(a.p[0], 0xab);
			}
		}
		assert_false(die__attr(&root, 0x2000, &(struct attr){ 0 }));
		/* the unit ends within one of them */
		for (size_t n = first + 1; n + 9 < f.info.n; n++) {
			uint64_t len = n - f.unit - (wide ? 12 : 4);

			memcpy(f.info.p + f.unit + (wide ? 4 : 0), &len, wide ? 8 : 4);
			load_part(&f, n, f.abbrev.n);
			assert_true(f.torn);
			assert_null(type_called(&f, "behind"));
			if (f.di.nr_units && die__root(f.di.units[0], &root))
				assert_false(die__child(&root, &d));
		}
		drop(&f);
	}
}

/* Lengths of blocks that are larger than all there is. */
static void large_blocks(void **state)
{
	static const struct {
		unsigned int	form;
		uint64_t	n;
		size_t		width;		/* 0: LEB128 */
	} blocks[] = {
		{ DW_FORM_block1, 0xff, 1 }, { DW_FORM_block2, 0xffff, 2 },
		{ DW_FORM_block4, 0xffffffff, 4 }, { DW_FORM_block, ~0ull, 0 },
		{ DW_FORM_exprloc, ~0ull, 0 }, { DW_FORM_exprloc, 1ull << 63, 0 },
		{ DW_FORM_block, 10, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) {
		struct file f = { .unit = 0 };
		struct die root;
		struct attr a;

		abbrev(&f, 1, DW_TAG_compile_unit, true, DW_AT_location, blocks[i].form, 0);
		put(&f.abbrev, 0, 1);
		begin_unit(&f, 4, false, 8, 0, 0);
		uleb(&f.info, 1);
		if (blocks[i].width)
			put(&f.info, blocks[i].n, blocks[i].width);
		else
			uleb(&f.info, blocks[i].n);
		put(&f.info, 0, 9);
		end_unit(&f);
		load(&f);
		assert_true(f.torn);
		assert_true(die__root(f.di.units[0], &root));
		assert_false(die__attr(&root, DW_AT_location, &a));
		assert_false(die__child(&root, &root));
		drop(&f);
	}
}

static void strings(void **state)
{
	static const struct {
		unsigned int	form;
		uint64_t	v;
		const char	*want;
	} tests[] = {
		{ DW_FORM_strp, 0, "zero" }, { DW_FORM_strp, 5, "one" }, { DW_FORM_strp, 8, "" },
		{ DW_FORM_strp, 9, NULL }, { DW_FORM_strp, 0xffffffff, NULL },
		{ DW_FORM_line_strp, 2, "ne" }, { DW_FORM_line_strp, 5, NULL },
		{ DW_FORM_strx, 0, "one" }, { DW_FORM_strx1, 1, "zero" },
		{ DW_FORM_strx2, 2, NULL },		/* beyond the pool */
		{ DW_FORM_strx4, 3, NULL },		/* beyond the offsets */
		{ DW_FORM_strx, ~0ull, NULL }, { DW_FORM_strx, ~0ull / 4 + 1, NULL },
		{ DW_FORM_strx, 1ull << 62, NULL },
		{ DW_FORM_data4, 0, NULL }, { DW_FORM_sec_offset, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		struct form form = { .form = tests[i].form, .v = tests[i].v };
		struct file f = { .unit = 0 };
		struct die d;
		const char *got;

		text(&f.str, "zero");
		text(&f.str, "one");
		text(&f.line_str, "line");
		put(&f.str_offsets, 0xdead, 8);		/* a header */
		put(&f.str_offsets, 5, 4);
		put(&f.str_offsets, 0, 4);
		put(&f.str_offsets, 1000, 4);
		put(&f.str_offsets, 0, 2);		/* half an offset */
		abbrev(&f, 1, DW_TAG_compile_unit, true, DW_AT_str_offsets_base,
		       DW_FORM_sec_offset, 0);
		abbrev(&f, 2, DW_TAG_structure_type, false, DW_AT_name, form.form, 0);
		put(&f.abbrev, 0, 1);
		begin_unit(&f, 5, false, 8, DW_UT_compile, 0);
		uleb(&f.info, 1);
		put(&f.info, 8, 4);
		uleb(&f.info, 2);
		form.size = form.form == DW_FORM_strx1 ? 1 : form.form == DW_FORM_strx2 ? 2 :
			    form.form == DW_FORM_strx4 || form.form == DW_FORM_data4 ? 4 : 0;
		write_form(&f.info, &form, 5, false, 8);
		put(&f.info, 0, 1);
		end_unit(&f);
		load(&f);
		assert_false(f.torn);
		assert_true(die__root(f.di.units[0], &d) && die__child(&d, &d));
		got = die__str(&d, DW_AT_name);
		if (!got != !tests[i].want || (got && strcmp(got, tests[i].want)))
			fail_msg("form %#x, %#llx: %s", form.form, (unsigned long long)form.v,
				 got ? got : "none");
		assert_int_equal(f.sc.nr_types, got != NULL);
		drop(&f);
	}
}

static void addresses(void **state)
{
	static const struct {
		uint64_t	index, base;
		bool		ok;
	} tests[] = {
		{ 0, 8, true }, { 1, 8, true }, { 2, 8, false }, { 3, 8, false }, { 0, 25, false },
		{ ~0ull, 8, false }, { 1ull << 61, 8, false }, { 0, 0xffffffff, false },
		{ (~0ull >> 3) - 1, 8, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		struct file f = { .unit = 0 };
		struct die d;
		uint64_t v = 0;

		put(&f.addr, 0, 8);
		put(&f.addr, 0x1000, 8);
		put(&f.addr, 0x2000, 8);
		put(&f.addr, 0, 7);
		abbrev(&f, 1, DW_TAG_compile_unit, true, DW_AT_addr_base, DW_FORM_sec_offset, 0);
		abbrev(&f, 2, DW_TAG_subprogram, false, DW_AT_low_pc, DW_FORM_addrx, DW_AT_name,
		       DW_FORM_string, 0);
		put(&f.abbrev, 0, 1);
		begin_unit(&f, 5, false, 8, DW_UT_compile, 0);
		uleb(&f.info, 1);
		put(&f.info, tests[i].base, 4);
		uleb(&f.info, 2);
		uleb(&f.info, tests[i].index);
		text(&f.info, "poll");
		put(&f.info, 0, 1);
		end_unit(&f);
		load(&f);
		assert_false(f.torn);
		assert_true(die__root(f.di.units[0], &d) && die__child(&d, &d));
		assert_int_equal(die__addr(&d, DW_AT_low_pc, &v), tests[i].ok);
		assert_int_equal(f.sc.nr_fns, 1);
		assert_int_equal(f.sc.fns[0].has_pc, tests[i].ok);
		if (tests[i].ok)
			assert_int_equal(f.sc.fns[0].low_pc, 0x1000 * (tests[i].index + 1));
		drop(&f);
	}
}

/* ---- references ----------------------------------------------------------- */

static void references(void **state)
{
	struct file f = { .unit = 0 };
	static const uint64_t far[] = { 0x7fffffff, 0x80000000, 0xffffffff, 1ull << 32, 1ull << 63,
					~0ull };

	(void)state;
	for (uint64_t i = 0; i < 40 + sizeof(far) / sizeof(*far); i++) {
		uint64_t v = i < 40 ? i : far[i - 40];
		struct die d, to;
		bool found;

		abbrev(&f, 1, DW_TAG_compile_unit, true, DW_AT_name, DW_FORM_string, 0);
		abbrev(&f, 2, DW_TAG_pointer_type, false, DW_AT_type, DW_FORM_ref_udata, 0);
		put(&f.abbrev, 0, 1);
		begin_unit(&f, 4, false, 8, 0, 0);
		uleb(&f.info, 1);
		text(&f.info, "unit");
		uleb(&f.info, 2);
		uleb(&f.info, v);
		put(&f.info, 0, 1);
		end_unit(&f);
		load(&f);
		assert_true(die__root(f.di.units[0], &d) && die__child(&d, &d));
		found = die__ref(&f.di, &d, DW_AT_type, &to);
		if (found)
			assert_true(to.p >= f.di.units[0]->die && to.p < f.di.units[0]->end);
		/* the header is no entry */
		if (v < 11 || v >= f.info.n - f.unit)
			assert_false(found);
		(void)type__of(&f.ts, &d, &to);
		drop(&f);
	}
}

/* DW_FORM_ref_addr: into another unit, its header, the end of all. */
static void references_across(void **state)
{
	(void)state;
	for (uint32_t v = 0; v < 60; v++) {
		struct file f = { .unit = 0 };
		struct die d, to;
		size_t target, second;

		abbrev(&f, 1, DW_TAG_compile_unit, true, 0);
		abbrev(&f, 2, DW_TAG_structure_type, false, DW_AT_name, DW_FORM_string, 0);
		abbrev(&f, 3, DW_TAG_pointer_type, false, DW_AT_type, DW_FORM_ref_addr, 0);
		put(&f.abbrev, 0, 1);
		begin_unit(&f, 4, false, 8, 0, 0);
		uleb(&f.info, 1);
		target = f.info.n;
		uleb(&f.info, 2);
		text(&f.info, "T");
		put(&f.info, 0, 1);
		end_unit(&f);
		second = f.info.n;
		begin_unit(&f, 4, false, 8, 0, 0);
		uleb(&f.info, 1);
		uleb(&f.info, 3);
		put(&f.info, v, 4);
		put(&f.info, 0, 1);
		end_unit(&f);
		load(&f);
		assert_false(f.torn);
		assert_true(die__root(f.di.units[1], &d) && die__child(&d, &d));
		if (die__ref(&f.di, &d, DW_AT_type, &to)) {
			assert_ptr_equal(to.p, f.secs.info.p + v);
			assert_ptr_equal(to.u, f.di.units[v >= second]);
		} else {
			assert_int_not_equal(v, target);
		}
		if (v < 11 || (v >= second && v < second + 11) || v >= f.info.n)
			assert_false(die__ref(&f.di, &d, DW_AT_type, &to));
		drop(&f);
	}
}

/* ---- circles -------------------------------------------------------------- */

static void circles(void **state)
{
	uint32_t a, b, list, inner, ptr, defs[40];
	struct image_path path;
	struct type_member m;
	struct die d, to;
	struct file f;

	(void)state;
	begin(&f);
	/* typedefs of each other, and of itself */
	a = here(&f);
	type_def(&f, 0);
	b = here(&f);
	type_def(&f, a);
	patch4(&f, a + 1, b);
	named(&f, A_STRUCT, "Wrong", 8);
	member(&f, "x", b, 0);
	close_level(&f);
	/* a long chain that ends */
	for (int i = 0; i < 40; i++) {
		defs[i] = here(&f);
		type_def(&f, i ? defs[i - 1] : 0);
	}
	named(&f, A_STRUCT, "Chain", 8);
	member(&f, "x", defs[39], 0);
	close_level(&f);
	/* a structure in itself, by value */
	list = here(&f);
	named(&f, A_STRUCT, "Self", 8);
	member(&f, "x", list, 4);
	close_level(&f);
	/* two in each other */
	a = here(&f);
	named(&f, A_STRUCT, "A", 8);
	inner = here(&f);
	member(&f, "x", 0, 8);
	close_level(&f);
	b = here(&f);
	named(&f, A_STRUCT, "B", 8);
	member(&f, "x", a, 8);
	close_level(&f);
	patch4(&f, inner + 3, b);
	/* a pointer to itself, and a list through one */
	ptr = here(&f);
	pointer(&f, ptr, "*");
	named(&f, A_STRUCT, "Node", 16);
	member(&f, "next", ptr, 0);
	member(&f, "other", ptr, 8);
	close_level(&f);
	/* a variant part whose discriminant is itself, and variants that hold the whole */
	a = here(&f);
	named(&f, A_STRUCT, "Enum", 8);
	b = here(&f);
	uleb(&f.info, A_PART);
	put(&f.info, b, 4);
	uleb(&f.info, A_VARIANT);
	put(&f.info, 1, 1);
	member(&f, "one", a, 0);
	close_level(&f);
	close_level(&f);
	close_level(&f);
	end(&f);
	assert_false(f.torn);

	assert_true(die_of(&f, "Wrong", &d));
	assert_false(type__member(&f.ts, &d, "x", &m));
	assert_true(die_of(&f, "Chain", &d));
	assert_false(type__member(&f.ts, &d, "x", &m));
	assert_true(die_of(&f, "Self", &d));
	assert_true(type__only_member(&f.ts, &d, &m));
	assert_ptr_equal(m.type.p, d.p);
	assert_true(type__path(&f.ts, &d, "x.x.x", &path, &to));
	assert_int_equal(path.off[0], 12);
	assert_false(type__path(&f.ts, &d, "y", &path, &to));
	assert_false(type__path(&f.ts, &d, "*", &path, &to));
	assert_false(type__search(&f.ts, &d, "Node", &path, NULL));
	assert_true(die_of(&f, "A", &d));
	assert_false(type__path(&f.ts, &d, "y", &path, &to));
	assert_false(type__search(&f.ts, &d, "Node", &path, NULL));
	assert_true(die_of(&f, "Node", &d));
	assert_true(type__path(&f.ts, &d, "next.*.*", &path, &to));
	assert_false(type__path(&f.ts, &d, "next.*.*.*.*.*.*.*.*.*.*", &path, &to));
	assert_false(type__search(&f.ts, &d, "Self", &path, NULL));
	assert_true(die_of(&f, "Enum", &d));
	(void)type__only_payload(&f.ts, &d, &m);
	assert_false(type__search(&f.ts, &d, "Self", &path, NULL));
	assert_false(type__path(&f.ts, &d, "y", &path, &to));
	drop(&f);
}

/* A declaration whose definition is a declaration; members of what is only declared. */
static void declarations(void **state)
{
	struct type_member m;
	uint32_t decl, empty;
	struct file f;
	struct die d;

	(void)state;
	begin(&f);
	decl = here(&f);
	named(&f, A_DECL, "Later", 0);
	named(&f, A_DECL, "Never", 0);
	empty = here(&f);
	named(&f, A_LEAF, "Empty", 24);		/* as rustc >= 1.88 leaves them */
	named(&f, A_STRUCT, "User", 32);
	member(&f, "later", decl, 0);
	member(&f, "empty", empty, 8);
	close_level(&f);
	named(&f, A_STRUCT, "Later", 8);
	member(&f, "it", decl, 0);
	close_level(&f);
	named(&f, A_STRUCT, "Empty", 16);	/* another of that name */
	member(&f, "no", decl, 0);
	close_level(&f);
	named(&f, A_STRUCT, "Empty", 24);
	member(&f, "yes", decl, 0);
	close_level(&f);
	end(&f);
	assert_false(f.torn);
	assert_true(die_of(&f, "User", &d));
	assert_true(type__member(&f.ts, &d, "later", &m));
	assert_int_equal(type__size(&m.type), 8);
	assert_true(type__member(&f.ts, &m.type, "it", &m));
	assert_true(type__member(&f.ts, &d, "empty", &m));
	assert_true(type__member(&f.ts, &m.type, "yes", &m));
	assert_true(die__at_addr(&f.di, f.di.units[0]->start + decl, &d));
	assert_true(type__resolve(&f.ts, &d));
	assert_int_equal(type__size(&d), 8);
	assert_true(die_of(&f, "Never", &d));
	assert_false(type__resolve(&f.ts, &d));
	drop(&f);
}

/* ---- levels --------------------------------------------------------------- */

static void levels(void **state)
{
	struct die root, d;
	struct file f;
	int nr;

	(void)state;
	/* the end of the unit is the end of all levels */
	begin(&f);
	named(&f, A_SPACE, "a", 0);
	named(&f, A_SPACE, "b", 0);
	named(&f, A_LEAF, "T", 1);
	end_unit(&f);
	load(&f);
	assert_non_null(type_called(&f, "a::b::T"));
	assert_true(die__root(f.di.units[0], &root) && die__child(&root, &d));
	assert_false(die__next(&f.di, &d, &d));
	drop(&f);

	/* more ends than beginnings: what is behind them is no part of the unit */
	begin(&f);
	named(&f, A_LEAF, "T", 1);
	for (int i = 0; i < 10; i++)
		close_level(&f);
	named(&f, A_LEAF, "U", 1);
	end(&f);
	assert_non_null(type_called(&f, "T"));
	assert_null(type_called(&f, "U"));
	assert_true(die__root(f.di.units[0], &root) && die__child(&root, &d));
	assert_false(die__next(&f.di, &d, &d));
	drop(&f);

	/* an empty unit; a root without children; no root at all */
	for (int i = 0; i < 3; i++) {
		memset(&f, 0, sizeof(f));
		usual_abbrevs(&f);
		begin_unit(&f, 4, false, 8, 0, 0);
		if (i == 1)
			named(&f, A_LEAF, "T", 1);
		if (i == 2)
			close_level(&f);
		if (i)
			named(&f, A_LEAF, "U", 1);
		end_unit(&f);
		load(&f);
		assert_false(f.torn);
		assert_null(type_called(&f, "U"));
		drop(&f);
	}

	/* children are said to follow, and do not */
	begin(&f);
	named(&f, A_STRUCT, "T", 1);
	close_level(&f);
	named(&f, A_STRUCT, "U", 1);
	end(&f);
	assert_true(die_of(&f, "T", &d));
	assert_false(die__child(&d, &root));
	assert_true(die__next(&f.di, &d, &d));
	assert_string_equal(type__name(&d), "U");
	assert_false(die__next(&f.di, &d, &d));
	drop(&f);

	/* deeper than anything real */
	for (int depth = 100; depth <= 100000; depth *= 10) {
		begin(&f);
		for (int i = 0; i < depth; i++)
			named(&f, A_SPACE, "n", 0);
		named(&f, A_LEAF, "T", 1);
		for (int i = 0; i < depth; i++)
			close_level(&f);
		named(&f, A_LEAF, "U", 1);
		end(&f);
		assert_int_equal(f.torn, depth >= 10000);
		assert_true(die__root(f.di.units[0], &root) && die__child(&root, &d));
		assert_true(die__next(&f.di, &d, &d));
		assert_string_equal(type__name(&d), "U");
		drop(&f);
	}

	/* many side by side: stepping over them takes as long as they are many */
	begin(&f);
	for (int i = 0; i < 100000; i++)
		named(&f, A_LEAF, "T", 1);
	end(&f);
	assert_true(die__root(f.di.units[0], &root) && die__child(&root, &d));
	for (nr = 1; die__next(&f.di, &d, &d); nr++)
		;
	assert_int_equal(nr, 100000);
	assert_true(f.di.steps < 200000);
	drop(&f);
}

/* ---- anything ------------------------------------------------------------- */

static void use_types(struct file *f)
{
	for (size_t i = 0; i < f->sc.nr_types && i < 50; i++) {
		struct member_iter it = { 0 }, vit = { 0 };
		struct type_variants vs;
		struct type_variant v;
		struct type_choice choice;
		struct image_path path;
		struct type_member m;
		uint64_t data, other;
		struct die d, to;
		bool dyn;

		assert_true(die__at_addr(&f->di, f->sc.types[i].die, &d));
		assert_ptr_equal(scan__type_at(&f->sc, d.p), &f->sc.types[i]);
		(void)type__is(&f->ts, &d, "a::{impl}::b");
		while (type__next_member(&f->ts, &d, &it, &m))
			(void)type__name(&m.type);
		if (type__variants(&f->ts, &d, &vs))
			while (type__next_variant(&f->ts, &vs, &vit, &v))
				(void)type__size(&v.payload.type);
		(void)type__only_member(&f->ts, &d, &m);
		(void)type__only_payload(&f->ts, &d, &m);
		(void)type__param(&f->ts, &d, "T", &to);
		(void)type__fat_pointer(&f->ts, &d, &dyn, &data, &other, &to);
		(void)type__path(&f->ts, &d, "x.*.y|next.*|*", &path, &to);
		(void)type__path_choice(&f->ts, &d, "x.Some.y|Some", &path, &choice);
		(void)type__search(&f->ts, &d, "a::b", &path, &to);
	}
	for (size_t i = 0; i < f->sc.nr_fns && i < 50; i++) {
		struct die d;

		assert_true(die__at_addr(&f->di, f->sc.fns[i].die, &d));
		(void)die__child(&d, &d);
	}
}

static void any_bytes(void **state)
{
	static const unsigned int tags[] = {
		DW_TAG_structure_type, DW_TAG_structure_type, DW_TAG_member, DW_TAG_member,
		DW_TAG_variant_part, DW_TAG_variant, DW_TAG_pointer_type, DW_TAG_typedef,
		DW_TAG_subprogram, DW_TAG_variable, DW_TAG_namespace, DW_TAG_union_type,
		DW_TAG_enumeration_type, DW_TAG_template_type_parameter, DW_TAG_formal_parameter,
	};
	static const unsigned int names[] = {
		DW_AT_name, DW_AT_type, DW_AT_byte_size, DW_AT_data_member_location, DW_AT_discr,
		DW_AT_discr_value, DW_AT_declaration, DW_AT_low_pc, DW_AT_abstract_origin,
		DW_AT_linkage_name, DW_AT_location, DW_AT_containing_type, DW_AT_sibling,
	};
	const size_t nr_names = sizeof(names) / sizeof(*names);
	uint64_t seed = 7, entries = 0;

	(void)state;
	for (int round = 0; round < 6000; round++) {
		unsigned int version = 2 + (unsigned int)below(&seed, 4);
		struct file f = { .unit = 0 };

		text(&f.str, "a");
		text(&f.str, "poll<x>");
		text(&f.str, "<a as Future>::{vtable}");
		text(&f.line_str, "next");
		abbrev(&f, 1, DW_TAG_compile_unit, true, 0);
		for (unsigned int code = 2; code < 12; code++) {
			uleb(&f.abbrev, code);
			uleb(&f.abbrev, tags[below(&seed, sizeof(tags) / sizeof(*tags))]);
			put(&f.abbrev, below(&seed, 2), 1);
			for (uint64_t n = below(&seed, 6); n; n--) {
				const struct form *of = &forms[below(&seed, NR_FORMS)];

				uleb(&f.abbrev, names[below(&seed, nr_names)]);
				uleb(&f.abbrev, of->form);
				if (of->form == DW_FORM_implicit_const)
					sleb(&f.abbrev, (int64_t)below(&seed, 200) - 100);
			}
			put(&f.abbrev, 0, 2);
		}
		put(&f.abbrev, 0, 1);
		for (int unit = 0; unit < 2; unit++) {
			begin_unit(&f, version, below(&seed, 2), below(&seed, 2) ? 8 : 4,
				   DW_UT_compile, 0);
			uleb(&f.info, 1);
			/* small numbers are codes, lengths, references that hit */
			for (uint64_t n = 40 + below(&seed, 400); n; n--)
				put(&f.info, below(&seed, 16) ? below(&seed, 13) : any(&seed), 1);
			end_unit(&f);
		}
		if (!below(&seed, 4))
			f.info.p[below(&seed, f.info.n)] ^= (uint8_t)rnd(&seed);
		load(&f);
		entries += f.sc.entries;
		use_types(&f);
		drop(&f);
	}
	assert_true(entries > 30000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form),
		cmocka_unit_test(large_blocks),
		cmocka_unit_test(strings),
		cmocka_unit_test(addresses),
		cmocka_unit_test(references),
		cmocka_unit_test(references_across),
		cmocka_unit_test(circles),
		cmocka_unit_test(declarations),
		cmocka_unit_test(levels),
		cmocka_unit_test(any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
