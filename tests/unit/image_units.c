// SPDX-License-Identifier: GPL-2.0
/*
 * What comes before the first entry, on input made by hand: numbers, unit headers,
 * abbreviations and the index of a package, whole, torn and wild.
 */
#include "image_dwarf.h"

/* ---- numbers -------------------------------------------------------------- */

static void leb(void **state)
{
	static const uint64_t values[] = { 0, 1, 0x3f, 0x40, 0x7f, 0x80, 0x3fff, 0x4000, 1u << 31,
					   1ull << 62, 1ull << 63, ~0ull };
	const uint8_t *p;
	struct buf b = { .n = 0 };
	uint64_t u = 0;
	int64_t s = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		b.n = 0;
		uleb(&b, values[i]);
		p = b.p;
		assert_true(read_uleb(&p, b.p + b.n, &u));
		assert_true(u == values[i] && p == b.p + b.n);
		p = b.p;
		assert_false(read_uleb(&p, b.p + b.n - 1, &u));
		assert_ptr_equal(p, b.p);
		b.n = 0;
		sleb(&b, (int64_t)values[i]);
		p = b.p;
		assert_true(read_sleb(&p, b.p + b.n, &s));
		assert_true(s == (int64_t)values[i] && p == b.p + b.n);
		p = b.p;
		assert_false(read_sleb(&p, b.p + b.n - 1, &s));
	}
	/* padded beyond all sense */
	b.n = 0;
	put(&b, 0x85, 1);
	for (int i = 0; i < 40; i++)
		put(&b, 0x80, 1);
	put(&b, 0, 1);
	p = b.p;
	assert_true(read_uleb(&p, b.p + b.n, &u));
	assert_int_equal(u, 5);
	p = b.p;
	assert_true(read_sleb(&p, b.p + b.n, &s));
	assert_int_equal(s, 5);
	/* more bits than there are */
	memset(b.p, 0xff, b.n);
	b.p[b.n - 1] = 0x7f;
	p = b.p;
	assert_true(read_uleb(&p, b.p + b.n, &u));
	assert_true(u == ~0ull);
	p = b.p;
	assert_true(read_sleb(&p, b.p + b.n, &s));
	assert_int_equal(s, -1);
	p = b.p;
	assert_false(read_uleb(&p, b.p, &u));
	free(b.p);
}

/* ---- units ---------------------------------------------------------------- */

static void kinds_of_units(void **state)
{
	static const unsigned int types[] = { DW_UT_compile, DW_UT_partial, DW_UT_skeleton,
					      DW_UT_split_compile, DW_UT_type, DW_UT_split_type };
	struct file f = { .unit = 0 };
	size_t nr = 0;

	(void)state;
	usual_abbrevs(&f);
	for (unsigned int version = 2; version <= 5; version++) {
		for (unsigned int t = 0; t < (version < 5 ? 1 : 6); t++) {
			for (unsigned int k = 0; k < 4; k++) {
				char name[32];

				begin_unit(&f, version, k & 1, k & 2 ? 4 : 8, types[t], 0);
				uleb(&f.info, A_UNIT);
				snprintf(name, sizeof(name), "u%zu", nr++);
				text(&f.info, name);
				named(&f, A_LEAF, name, 8);
				put(&f.info, 0, 1);
				end_unit(&f);
			}
		}
	}
	load(&f);
	assert_false(f.torn);
	assert_int_equal(f.di.nr_units, nr);
	assert_int_equal(f.sc.nr_types, nr);
	for (size_t i = 0; i < nr; i++) {
		const struct unit *u = f.di.units[i];
		struct die root, d;
		char name[32];

		snprintf(name, sizeof(name), "u%zu", i);
		assert_ptr_equal(debug_info__unit_at(&f.di, u->start), u);
		assert_ptr_equal(debug_info__unit_at(&f.di, u->end - 1), u);
		assert_true(die__root(u, &root));
		assert_string_equal(die__str(&root, DW_AT_name), name);
		assert_true(die__child(&root, &d));
		assert_false(die__next(&f.di, &d, &d));
		assert_true(die_of(&f, name, &d));
		assert_ptr_equal(d.u, u);
		assert_int_equal(type__size(&d), 8);
		if (u->type == DW_UT_skeleton || u->type == DW_UT_split_compile)
			assert_true(u->dwo_id == 0x1122334455667788);
	}
	assert_null(debug_info__unit_at(&f.di, f.secs.info.p + f.secs.info.n));
	assert_null(debug_info__unit_at(&f.di, f.secs.info.p - 1));
	drop(&f);
}

/* Nonsense in a header: the unit is left out, those around it are read. */
static void bad_headers(void **state)
{
	static const struct {
		unsigned int	at, size;	/* bytes from the unit's start */
		uint64_t	value;
		size_t		units;		/* of three that are left */
	} damages[] = {
		/* version, then address size, abbreviations, length */
		{ 4, 2, 1, 2 }, { 4, 2, 6, 2 }, { 4, 2, 0, 2 }, { 4, 2, 0x104, 2 },
		{ 10, 1, 3, 2 }, { 10, 1, 0, 2 }, { 10, 1, 16, 2 },
		{ 6, 4, 0xffffffff, 3 }, { 6, 4, 1u << 20, 3 },
		{ 0, 4, 0xfffffff0, 1 }, { 0, 4, 0xfffffffe, 1 },
		{ 0, 4, 0xffffffff, 1 }, { 0, 4, 0x7fffffff, 1 }, { 0, 4, 6, 1 }, { 0, 4, 0, 1 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		struct file f = { .unit = 0 };
		size_t second = 0;

		usual_abbrevs(&f);
		for (int k = 0; k < 3; k++) {
			char name[] = { (char)('a' + k), 0 };

			begin_unit(&f, 4, false, 8, 0, 0);
			if (k == 1)
				second = f.unit;
			uleb(&f.info, A_UNIT);
			text(&f.info, "u");
			named(&f, A_LEAF, name, 8);
			put(&f.info, 0, 1);
			end_unit(&f);
		}
		memcpy(f.info.p + second + damages[i].at, &damages[i].value, damages[i].size);
		load(&f);
		assert_true(f.torn);
		assert_non_null(type_called(&f, "a"));
		assert_null(type_called(&f, "b"));
		if (damages[i].units > 1)
			assert_non_null(type_called(&f, "c"));
		assert_int_equal(f.di.nr_units, damages[i].units);
		drop(&f);
	}
}

static void a_program(struct file *f, bool wide)
{
	uint32_t number, self;

	memset(f, 0, sizeof(*f));
	usual_abbrevs(f);
	for (int k = 0; k < 2; k++) {
		begin_unit(f, 4, wide, 8, 0, 0);
		uleb(&f->info, A_UNIT);
		text(&f->info, "unit");
		number = here(f);
		named(f, A_LEAF, "u64", 8);
		named(f, A_SPACE, k ? "b" : "a", 0);
		self = here(f);
		named(f, A_STRUCT, "List", 16);
		member(f, "next", self, 0);
		member(f, "it", number, 8);
		close_level(f);
		uleb(&f->info, A_FN);
		text(&f->info, "poll<u8>");
		put(&f->info, 0x1000, 8);
		close_level(f);
		close_level(f);
		close_level(f);
		end_unit(f);
	}
}

/* Cut off at every byte: never more than there is, and torn unless a unit ends there. */
static void cut_off(void **state)
{
	(void)state;
	for (int wide = 0; wide < 2; wide++) {
		struct file f;
		size_t n;

		a_program(&f, wide);
		load(&f);
		assert_false(f.torn);
		assert_int_equal(f.sc.nr_types, 4);
		assert_int_equal(f.sc.nr_fns, 2);
		n = f.unit;
		for (size_t i = 0; i < f.info.n; i++) {
			load_part(&f, i, f.abbrev.n);
			assert_int_equal(f.torn, i && i != n);
			assert_int_equal(f.di.nr_units, i >= n);
		}
		for (size_t i = 0; i < f.abbrev.n; i++) {
			load_part(&f, f.info.n, i);
			assert_true(f.torn);
			assert_int_equal(f.sc.nr_types, 0);
		}
		drop(&f);
	}
}

/* The same, but the length of the unit is made to agree. */
static void cut_short(void **state)
{
	struct file f;
	size_t whole, torn = 0;

	(void)state;
	a_program(&f, false);
	whole = f.info.n;
	for (size_t n = f.unit + 11; n < whole; n++) {
		uint32_t len = (uint32_t)(n - f.unit - 4);

		memcpy(f.info.p + f.unit, &len, 4);
		load_part(&f, n, f.abbrev.n);
		assert_int_equal(f.di.nr_units, 2);
		assert_non_null(type_called(&f, "a::List"));
		torn += f.torn;
	}
	/* it may end between entries, where not all levels are closed, and no one is harmed */
	assert_true(torn > (whole - f.unit - 11) / 2);
	drop(&f);
}

/* ---- abbreviations -------------------------------------------------------- */

static void wild_abbrevs(void **state)
{
	struct file f;

	(void)state;
	/* a code that is not there */
	begin(&f);
	named(&f, A_LEAF, "a", 8);
	uleb(&f.info, 99);
	text(&f.info, "x");
	named(&f, A_LEAF, "b", 8);
	end(&f);
	assert_true(f.torn);
	assert_non_null(type_called(&f, "a"));
	assert_null(type_called(&f, "b"));
	drop(&f);

	/* codes in no order, of all magnitudes; one twice; tags and names that nobody knows */
	memset(&f, 0, sizeof(f));
	abbrev(&f, ~0ull, DW_TAG_structure_type, false, DW_AT_name, DW_FORM_string, 0);
	abbrev(&f, 1, DW_TAG_compile_unit, true, 0x3fff, DW_FORM_data1, 0);
	abbrev(&f, 7, 0xffff, false, DW_AT_name, DW_FORM_string, 0xffff, DW_FORM_udata, 0);
	abbrev(&f, 1ull << 40, 0x4109, true, DW_AT_byte_size, DW_FORM_data16, 0);
	abbrev(&f, 3, DW_TAG_structure_type, false, DW_AT_name, DW_FORM_string, 0);
	abbrev(&f, 3, DW_TAG_structure_type, false, DW_AT_name, DW_FORM_string, 0);
	put(&f.abbrev, 0, 1);
	begin_unit(&f, 4, false, 8, 0, 0);
	uleb(&f.info, 1);
	put(&f.info, 0, 1);
	uleb(&f.info, 7);
	text(&f.info, "seven");
	uleb(&f.info, 1000);
	uleb(&f.info, 1ull << 40);
	put(&f.info, 0, 16);
	uleb(&f.info, ~0ull);
	text(&f.info, "largest");
	uleb(&f.info, 3);
	text(&f.info, "twice");
	put(&f.info, 0, 2);
	end_unit(&f);
	load(&f);
	assert_false(f.torn);
	assert_non_null(type_called(&f, "largest"));
	assert_non_null(type_called(&f, "twice"));
	drop(&f);

	/* a form that nobody knows ends the unit; so does an implicit constant said elsewhere */
	for (int i = 0; i < 3; i++) {
		static const unsigned int forms[] = { 0x7f, 0x1f2f, DW_FORM_indirect };

		memset(&f, 0, sizeof(f));
		abbrev(&f, 1, DW_TAG_compile_unit, true, 0);
		abbrev(&f, 2, DW_TAG_structure_type, false, DW_AT_name, DW_FORM_string,
		       DW_AT_byte_size, forms[i], 0);
		abbrev(&f, 3, DW_TAG_structure_type, false, DW_AT_name, DW_FORM_string, 0);
		put(&f.abbrev, 0, 1);
		begin_unit(&f, 5, false, 8, DW_UT_compile, 0);
		uleb(&f.info, 1);
		uleb(&f.info, 3);
		text(&f.info, "before");
		uleb(&f.info, 2);
		text(&f.info, "bad");
		uleb(&f.info, DW_FORM_implicit_const);
		uleb(&f.info, 3);
		text(&f.info, "behind");
		put(&f.info, 0, 1);
		end_unit(&f);
		load(&f);
		assert_true(f.torn);
		assert_non_null(type_called(&f, "before"));
		assert_null(type_called(&f, "behind"));
		drop(&f);
	}
}

/* Tables that begin everywhere in one another: what they would take is bounded. */
static void many_tables(void **state)
{
	struct file f = { .unit = 0 };
	uint64_t abbrevs = 0;

	(void)state;
	for (int i = 0; i < 20000; i++)
		abbrev(&f, 1, DW_TAG_compile_unit, false, 0);
	put(&f.abbrev, 0, 1);
	for (uint32_t i = 0; i < 20000; i++) {
		begin_unit(&f, 4, false, 8, 0, 5 * i);
		uleb(&f.info, 1);
		end_unit(&f);
	}
	load(&f);
	assert_true(f.torn);
	assert_int_equal(f.di.nr_units, 20000);
	for (size_t i = 0; i < f.di.nr_tables; i++)
		abbrevs += f.di.tables[i]->nr_abbrevs;
	assert_in_range(abbrevs, 20000, 400000);
	drop(&f);

	/* each of its own: that is what linkers make of many units */
	for (uint32_t i = 0; i < 20000; i++) {
		uint64_t at = f.abbrev.n;

		abbrev(&f, 1, DW_TAG_compile_unit, false, 0);
		put(&f.abbrev, 0, 1);
		begin_unit(&f, 4, false, 8, 0, at);
		uleb(&f.info, 1);
		end_unit(&f);
	}
	load(&f);
	assert_false(f.torn);
	assert_int_equal(f.di.nr_tables, 20000);
	drop(&f);
}

/* ---- packages ------------------------------------------------------------- */

/* The index of a package that is wrong in its numbers, or says nothing of the unit. */
static void package_index(void **state)
{
	static const uint32_t indices[][16] = {
		/* version, columns, units, slots, then columns, offsets, sizes */
		{ 2, 2, 1, 0, 1, 3, 0, 0, 1000, 1000 },			/* good */
		{ 3, 2, 1, 0, 1, 3, 0, 0, 1000, 1000 },
		{ 2, 17, 1, 0 },
		{ 2, 2, 0xffffffff, 0, 1, 3, 0, 0, 1000, 1000 },
		{ 2, 2, 1, 0xffffffff },
		{ 2, 2, 1, 5 },
		{ 2, 2, 1, 0, 1, 3, 500, 0, 1000, 1000 },
		/* abbreviations elsewhere */
		{ 2, 2, 1, 0, 1, 3, 0, 0xfffffff0, 1000, 1000 },
		{ 2, 1, 0xffffffff, 0, 1 },
		{ 2, 0, 0xffffffff, 0 },
		{ 5, 16, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(indices) / sizeof(*indices); i++) {
		for (size_t n = 0; n <= sizeof(indices[i]); n += 4) {
			struct debug_sec index = { .p = malloc(n ? n : 1), .n = n };
			struct file f;
			bool torn;

			memcpy((void *)(uintptr_t)index.p, indices[i], n);
			begin(&f);
			end(&f);
			debug_info__free(&f.di);
			f.secs.split = true;
			f.secs.cu_index = index;
			assert_int_equal(debug_info__add(&f.di, &f.secs, &torn), 0);
			if (n < 16)
				assert_false(torn);	/* no package */
			else
				assert_int_equal(torn, i || n < 40);
			free((void *)(uintptr_t)index.p);
			f.secs.cu_index = (struct debug_sec){ 0 };
			drop(&f);
		}
	}
}

/*
 * Units that share a few tables of abbreviations, each with a string offset of
 * its own, listed in whatever order: by the index alone is known which are whose.
 */
static void package_rows(void **state)
{
	enum { NR = 60000, TABLES = 3, COLUMNS = 4, MIX = 7919 };	/* a prime */

	(void)state;
	for (int order = 0; order < 6; order++) {
		unsigned int version = order & 1 ? 5 : 4;
		uint32_t tables[TABLES], *at = malloc((NR + 1) * sizeof(*at));
		struct buf index = { .n = 0 };
		struct file f = { .unit = 0 };
		bool torn;

		for (int i = 0; i < TABLES; i++) {
			tables[i] = (uint32_t)f.abbrev.n;
			abbrev(&f, 1, DW_TAG_compile_unit, true, 0);
			abbrev(&f, 2, DW_TAG_structure_type, false, DW_AT_byte_size,
			       i ? DW_FORM_data1 : DW_FORM_data8, DW_AT_name,
			       version < 5 ? DW_FORM_GNU_str_index : DW_FORM_strx, 0);
			/* tables are told apart by their codes, too */
			abbrev(&f, 3 + (uint64_t)i, DW_TAG_base_type, false, 0);
			put(&f.abbrev, 0, 1);
		}
		for (uint32_t i = 0; i < NR; i++) {
			char name[16];

			at[i] = (uint32_t)f.info.n;
			begin_unit(&f, version, false, 8, DW_UT_split_compile, 0);
			uleb(&f.info, 1);
			uleb(&f.info, 2);
			put(&f.info, i, i % TABLES ? 1 : 8);
			uleb(&f.info, 0);
			uleb(&f.info, 3 + i % TABLES);
			put(&f.info, 0, 1);
			end_unit(&f);
			if (version >= 5)
				put(&f.str_offsets, 0, 8);
			put(&f.str_offsets, f.str.n, 4);
			snprintf(name, sizeof(name), "t%u", i);
			text(&f.str, name);
		}
		at[NR] = (uint32_t)f.info.n;
		put(&index, version < 5 ? 2 : 5, 4);
		put(&index, COLUMNS, 4);
		put(&index, NR, 4);
		put(&index, 0, 4);
		put(&index, DW_SECT_LINE, 4);
		put(&index, DW_SECT_INFO, 4);
		put(&index, DW_SECT_STR_OFFSETS, 4);
		put(&index, DW_SECT_ABBREV, 4);
		for (int sizes = 0; sizes < 2; sizes++) {
			for (uint32_t r = 0; r < NR; r++) {
				uint32_t i = order < 2 ? r : order < 4 ? NR - 1 - r :
					     (uint32_t)((uint64_t)r * MIX % NR);

				put(&index, 0xfffffff0, 4);
				put(&index, sizes ? at[i + 1] - at[i] : at[i], 4);
				put(&index, sizes ? 4 : i * (version < 5 ? 4 : 12), 4);
				put(&index, sizes ? 16 : tables[i % TABLES], 4);
			}
		}
		load_part(&f, f.info.n, f.abbrev.n);
		debug_info__free(&f.di);
		f.secs.split = true;
		f.secs.cu_index = tight(&index, index.n);
		assert_int_equal(debug_info__add(&f.di, &f.secs, &torn), 0);
		debug_info__sort(&f.di);
		assert_false(torn);
		assert_int_equal(f.di.nr_units, NR);
		assert_int_equal(f.di.nr_tables, TABLES);
		for (uint32_t i = 0; i < NR; i++) {
			struct die root, d;
			char name[16];

			snprintf(name, sizeof(name), "t%u", i);
			assert_true(die__root(f.di.units[i], &root) && die__child(&root, &d));
			assert_string_equal(die__str(&d, DW_AT_name), name);
			assert_true(die__next(&f.di, &d, &d));
			assert_int_equal(d.ab->tag, DW_TAG_base_type);
		}
		free((void *)(uintptr_t)f.secs.cu_index.p);
		f.secs.cu_index = (struct debug_sec){ 0 };
		free(index.p);
		free(at);
		drop(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leb),
		cmocka_unit_test(kinds_of_units),
		cmocka_unit_test(bad_headers),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(wild_abbrevs),
		cmocka_unit_test(many_tables),
		cmocka_unit_test(package_index),
		cmocka_unit_test(package_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
