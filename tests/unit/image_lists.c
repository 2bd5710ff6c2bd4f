// SPDX-License-Identifier: GPL-2.0
/*
 * Lists of ranges and of locations, as DWARF 4 and 5 and the split forms of both have
 * them: whole ones, cut ones at every byte, offsets and numbers that lead out of their
 * section.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/image_dwarf.h"

#include "image/lists.h"

enum { L_UNIT = 1, L_BLOCK, L_PARAM };

/* How a unit with lists is written. */
struct shape {
	unsigned int	version, addr_size;
	bool		wide, split, no_base;
	unsigned int	ranges_form, location_form;
	uint64_t	low_pc, ranges, location;	/* attributes */
};

/* The unit's entries: what has ranges, and what has a location. */
struct entries {
	struct die	block, param;
};

static void lists_abbrevs(struct file *f, const struct shape *s)
{
	unsigned int no_low_pc = DW_AT_entry_pc;

	abbrev(f, L_UNIT, DW_TAG_compile_unit, true, s->no_base ? no_low_pc : DW_AT_low_pc,
	       DW_FORM_addr, DW_AT_addr_base, DW_FORM_sec_offset, DW_AT_loclists_base,
	       DW_FORM_sec_offset, DW_AT_rnglists_base, DW_FORM_sec_offset,
	       DW_AT_GNU_ranges_base, DW_FORM_sec_offset, 0);
	abbrev(f, L_BLOCK, DW_TAG_lexical_block, false, DW_AT_ranges, s->ranges_form, 0);
	abbrev(f, L_PARAM, DW_TAG_formal_parameter, false, DW_AT_location, s->location_form, 0);
	put(&f->abbrev, 0, 1);
}

static void reference(struct file *f, unsigned int form, uint64_t v)
{
	if (form == DW_FORM_sec_offset)
		put(&f->info, v, f->wide ? 8 : 4);
	else
		uleb(&f->info, v);
}

static unsigned int head_size(const struct shape *s)
{
	return s->wide ? 20 : 12;
}

/* Write the unit; its lists stand in @f already. */
static void load_lists(struct file *f, const struct shape *s, struct entries *out)
{
	unsigned int off = s->wide ? 8 : 4;
	struct die root;

	lists_abbrevs(f, s);
	begin_unit(f, s->version, s->wide, s->addr_size,
		   s->split ? DW_UT_split_compile : DW_UT_compile, 0);
	uleb(&f->info, L_UNIT);
	put(&f->info, s->low_pc, s->addr_size);
	put(&f->info, 8, off);
	put(&f->info, head_size(s), off);
	put(&f->info, head_size(s), off);
	put(&f->info, 16, off);
	uleb(&f->info, L_BLOCK);
	reference(f, s->ranges_form, s->ranges);
	uleb(&f->info, L_PARAM);
	reference(f, s->location_form, s->location);
	put(&f->info, 0, 1);
	end_unit(f);
	f->secs.split = s->split;
	load(f);
	assert_false(f->torn);
	assert_int_equal(f->di.nr_units, 1);
	assert_true(die__root(f->di.units[0], &root));
	assert_true(die__child(&root, &out->block));
	assert_int_equal(out->block.ab->tag, DW_TAG_lexical_block);
	assert_true(die__next(&f->di, &out->block, &out->param));
}

/* A list as text: "START-END …", of locations "START-END:OPERATOR.LENGTH …"; "none". */
static const char *listed(const struct die *d, unsigned int name, bool locations)
{
	static char out[65536];
	struct die_list l;
	struct die_range r;
	size_t n = 0;

	out[0] = '\0';
	if (!lists__open(d, name, locations, &l))
		return "none";
	while (lists__next(&l, &r)) {
		n += (size_t)sprintf(out + n, "%s%llx-%llx", n ? " " : "",
				     (unsigned long long)r.start, (unsigned long long)r.end);
		if (locations)
			n += (size_t)sprintf(out + n, ":%x.%llu", r.expr_len ? r.expr[0] : 0,
					     (unsigned long long)r.expr_len);
	}
	return out;
}

static const char *ranges_of(const struct entries *e)
{
	return listed(&e->block, DW_AT_ranges, false);
}

static const char *locations_of(const struct entries *e)
{
	return listed(&e->param, DW_AT_location, true);
}

static void check(struct file *f, const struct shape *s, const char *ranges, const char *locations)
{
	struct entries e;

	load_lists(f, s, &e);
	assert_string_equal(ranges_of(&e), ranges);
	assert_string_equal(locations_of(&e), locations);
	f->info.n = f->abbrev.n = 0;
}

/* With each of the section's beginnings, what comes out is the beginning of @want. */
static void check_cut(struct file *f, const struct shape *s, struct buf *b, bool locations,
		      const char *want)
{
	size_t n = b->n, whole = 0, last = 0;

	for (b->n = 0; b->n <= n; b->n++) {
		struct entries e;
		const char *got;

		load_lists(f, s, &e);
		got = locations ? locations_of(&e) : ranges_of(&e);
		if (strcmp(got, "none")) {
			if (strncmp(want, got, strlen(got)))
				fail_msg("%zu bytes: %s, not of %s", b->n, got, want);
			/* never less than with a byte less, and never half a range */
			assert_true(strlen(got) >= last);
			last = strlen(got);
			assert_true(!want[last] || want[last] == ' ' || !last);
			whole += !want[last];
		}
		f->info.n = f->abbrev.n = 0;
	}
	assert_true(whole);
	b->n = n;
}

/* ---- DWARF 4 ---- */

static const struct shape old = { .version = 4, .addr_size = 8, .low_pc = 0x1000,
				  .ranges_form = DW_FORM_sec_offset,
				  .location_form = DW_FORM_sec_offset };

static void old_lists(struct file *f, unsigned int size)
{
	uint64_t base = size == 8 ? ~0ull : 0xffffffff;
	struct buf *b = &f->ranges;

	list_pair(b, 0x10, 0x20, size);
	list_pair(b, 0x30, 0x30, size);	/* empty */
	list_pair(b, 0x40, 0x3f, size);	/* and less than that */
	list_pair(b, 0, 1, size);
	list_pair(b, base, 0x5000, size);
	list_pair(b, 0x10, 0x20, size);
	list_pair(b, base, 0, size);
	list_pair(b, 0x10, 0x20, size);
	list_pair(b, 0, 0, size);
	list_pair(b, 0x77, 0x78, size);	/* another one's */
	b = &f->loc;
	list_pair(b, 0x10, 0x20, size);
	list_expression(b, 4, DW_OP_reg3, 0);
	list_pair(b, 0x20, 0x20, size);
	list_expression(b, 4, DW_OP_reg4, 0);
	list_pair(b, base, 0x5000, size);
	list_pair(b, 0, 8, size);
	list_expression(b, 4, DW_OP_fbreg, 300);
	list_pair(b, 8, 9, size);
	put(b, 0, 2);			/* nowhere */
	list_pair(b, 0, 0, size);
}

#define OLD_RANGES	"1010-1020 1000-1001 5010-5020 10-20"
#define OLD_LOCATIONS	"1010-1020:53.1 5000-5008:91.301 5008-5009:0.0"

static void version_4(void **state)
{
	struct shape s = old;

	(void)state;
	for (s.addr_size = 4; s.addr_size <= 8; s.addr_size += 4) {
		for (int wide = 0; wide < 2; wide++) {
			struct file f = { .unit = 0 };

			s.wide = wide;
			old_lists(&f, s.addr_size);
			check(&f, &s, OLD_RANGES, OLD_LOCATIONS);
			check_cut(&f, &s, &f.ranges, false, OLD_RANGES);
			check_cut(&f, &s, &f.loc, true, OLD_LOCATIONS);
			drop(&f);
		}
	}
}

static void without_a_base(void **state)
{
	struct file f = { .unit = 0 };
	struct shape s = old;

	(void)state;
	old_lists(&f, 8);
	s.no_base = true;
	check(&f, &s, "10-20 0-1 5010-5020 10-20", "10-20:53.1 5000-5008:91.301 5008-5009:0.0");
	drop(&f);
}

/* Where a list begins. */
static void offsets(void **state)
{
	static const uint64_t nowhere[] = { 0x7fffffff, 0xffffffff, 0xfffffff0 };
	struct file f = { .unit = 0 };
	struct shape s = old;

	(void)state;
	old_lists(&f, 8);
	s.ranges = 5 * 16;
	s.location = 16 + 3;
	check(&f, &s, "1010-1020 10-20", "5000-5008:91.301 5008-5009:0.0");
	s.ranges = f.ranges.n - 16;
	s.location = f.loc.n - 16;
	check(&f, &s, "1077-1078", "");
	/* no whole word is left; nothing; less than nothing */
	s.ranges = f.ranges.n - 1;
	s.location = f.loc.n - 1;
	check(&f, &s, "", "");
	s.ranges = f.ranges.n;
	s.location = f.loc.n;
	check(&f, &s, "none", "none");
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		s.ranges = s.location = nowhere[i];
		check(&f, &s, "none", "none");
	}
	s.wide = true;
	s.ranges = s.location = ~0ull;
	check(&f, &s, "none", "none");
	s.ranges = s.location = 1ull << 63;
	check(&f, &s, "none", "none");
	/* no section at all */
	f.ranges.n = f.loc.n = 0;
	s.ranges = s.location = 0;
	check(&f, &s, "none", "none");
	drop(&f);
}

static void expressions_that_are_too_long(void **state)
{
	struct file f = { .unit = 0 };

	(void)state;
	list_pair(&f.loc, 0x10, 0x20, 8);
	put(&f.loc, 3, 2);
	put(&f.loc, 0x50, 2);
	list_pair(&f.ranges, 0, 0, 8);
	check(&f, &old, "", "");
	put(&f.loc, 0x50, 1);
	check(&f, &old, "", "1010-1020:50.3");
	drop(&f);
}

/* A list is read up to LIST_MAX bytes. */
static void long_lists(void **state)
{
	struct file f = { .unit = 0 };
	struct die_range all[2000];
	struct entries e;

	(void)state;
	for (unsigned int i = 0; i < 2000; i++)
		list_pair(&f.ranges, i, i + 1, 8);
	list_pair(&f.ranges, 0, 0, 8);
	put(&f.loc, 0, 1);
	load_lists(&f, &old, &e);
	assert_int_equal(lists__ranges(&e.block, all, 2000), LIST_MAX / 16);
	for (unsigned int i = 0; i < LIST_MAX / 16; i++)
		assert_int_equal(all[i].start, 0x1000 + i);
	assert_int_equal(lists__ranges(&e.block, all, 7), 7);
	assert_int_equal(lists__ranges(&e.block, all, 0), 0);
	drop(&f);
}

/* Sections that are in a file and not in memory. */
static void sections_in_a_file(void **state)
{
	struct file f = { .unit = 0 };
	int fd = memfd_create("lists", 0);
	struct debug_sec ranges, loc;
	struct entries e;

	(void)state;
	assert_true(fd >= 0);
	old_lists(&f, 8);
	assert_int_equal(pwrite(fd, f.ranges.p, f.ranges.n, 100), (ssize_t)f.ranges.n);
	assert_int_equal(pwrite(fd, f.loc.p, f.loc.n, 1000), (ssize_t)f.loc.n);
	load_lists(&f, &old, &e);
	ranges = f.secs.ranges;
	loc = f.secs.loc;
	f.secs.ranges = (struct debug_sec){ .n = ranges.n, .fd = fd, .off = 100 };
	f.secs.loc = (struct debug_sec){ .n = loc.n, .fd = fd, .off = 1000 };
	assert_string_equal(ranges_of(&e), OLD_RANGES);
	assert_string_equal(locations_of(&e), OLD_LOCATIONS);
	/* the file has been cut meanwhile */
	assert_int_equal(ftruncate(fd, 120), 0);
	assert_string_equal(ranges_of(&e), "none");
	assert_string_equal(locations_of(&e), "none");
	f.secs.ranges = ranges;
	f.secs.loc = loc;
	drop(&f);
	close(fd);
}

/* ---- DWARF 5 ---- */

static void addresses(struct buf *b, unsigned int size)
{
	put(b, 0, 8);	/* a header */
	put(b, 0x2000, size);
	put(b, 0x2040, size);
	put(b, 0x3000, size);
}

/* Of @kind as lists of locations have it: those of ranges have no default_location. */
static void kind(struct buf *b, unsigned int kind, bool locations)
{
	put(b, kind - (!locations && kind > DW_LLE_default_location), 1);
}

static void new_list(struct buf *b, bool locations, unsigned int size)
{
#define EXPRESSION(op)	do { if (locations) list_expression(b, 5, op, 0); } while (0)
	kind(b, DW_LLE_offset_pair, locations);
	uleb(b, 0x10);
	uleb(b, 0x200);
	EXPRESSION(DW_OP_reg0);
	kind(b, DW_LLE_startx_endx, locations);
	uleb(b, 0);
	uleb(b, 1);
	EXPRESSION(DW_OP_reg1);
	kind(b, DW_LLE_startx_length, locations);
	uleb(b, 1);
	uleb(b, 0x300);
	EXPRESSION(DW_OP_reg2);
	kind(b, DW_LLE_base_address, locations);
	put(b, 0x9000, size);
	kind(b, DW_LLE_offset_pair, locations);
	uleb(b, 1);
	uleb(b, 1);
	EXPRESSION(DW_OP_reg3);
	kind(b, DW_LLE_offset_pair, locations);
	uleb(b, 1);
	uleb(b, 2);
	EXPRESSION(DW_OP_reg4);
	kind(b, DW_LLE_start_end, locations);
	put(b, 0x10, size);
	put(b, 0x20, size);
	EXPRESSION(DW_OP_reg5);
	kind(b, DW_LLE_start_length, locations);
	put(b, 0x30, size);
	uleb(b, 0x80);
	EXPRESSION(DW_OP_reg6);
	kind(b, DW_LLE_base_addressx, locations);
	uleb(b, 2);
	kind(b, DW_LLE_offset_pair, locations);
	uleb(b, 0);
	uleb(b, 4);
	EXPRESSION(DW_OP_reg7);
	kind(b, DW_LLE_end_of_list, locations);
	kind(b, DW_LLE_start_length, locations);	/* another one's */
	put(b, 0x30, size);
	uleb(b, 0x80);
	EXPRESSION(DW_OP_reg8);
#undef EXPRESSION
}

#define NEW_RANGES	"1010-1200 2000-2040 2040-2340 9001-9002 10-20 30-b0 3000-3004"
#define NEW_LOCATIONS	"1010-1200:50.1 2000-2040:51.1 2040-2340:52.1 9001-9002:54.1 "		\
			"10-20:55.1 30-b0:56.1 3000-3004:57.1"

static const struct shape new = { .version = 5, .addr_size = 8, .low_pc = 0x1000,
				  .ranges_form = DW_FORM_sec_offset,
				  .location_form = DW_FORM_sec_offset };

static void version_5(void **state)
{
	struct shape s = new;

	(void)state;
	for (s.addr_size = 4; s.addr_size <= 8; s.addr_size += 4) {
		struct file f = { .unit = 0 };

		addresses(&f.addr, s.addr_size);
		new_list(&f.rnglists, false, s.addr_size);
		new_list(&f.loclists, true, s.addr_size);
		check(&f, &s, NEW_RANGES, NEW_LOCATIONS);
		check_cut(&f, &s, &f.rnglists, false, NEW_RANGES);
		check_cut(&f, &s, &f.loclists, true, NEW_LOCATIONS);
		/* addresses whose table ends before them: the list ends there, too */
		f.addr.n = 8 + s.addr_size;
		check(&f, &s, "1010-1200", "1010-1200:50.1");
		drop(&f);
	}
}

static void kinds_that_end_a_list(void **state)
{
	for (unsigned int k = 0; k < 256; k++) {
		struct file f = { .unit = 0 };
		struct entries e;

		(void)state;
		for (int loc = 0; loc < 2; loc++) {
			struct buf *b = loc ? &f.loclists : &f.rnglists;

			kind(b, DW_LLE_start_length, loc);
			put(b, 0x40, 8);
			uleb(b, 1);
			if (loc)
				list_expression(b, 5, DW_OP_reg0, 0);
			put(b, k, 1);
			put(b, 0, 16);
		}
		load_lists(&f, &new, &e);
		/* whatever it is, nothing is made of the zeros behind it */
		assert_string_equal(ranges_of(&e), "40-41");
		assert_string_equal(locations_of(&e), "40-41:50.1");
		drop(&f);
	}
}

/* Lists by their numbers, in a table of offsets behind the header. */
static void numbers(void **state)
{
	static const uint64_t wrong[] = { 3, 1000, 0xffffffff, 1ull << 62, ~0ull };
	struct shape s = new;

	(void)state;
	s.ranges_form = DW_FORM_rnglistx;
	s.location_form = DW_FORM_loclistx;
	for (int wide = 0; wide < 2; wide++) {
		struct file f = { .unit = 0 };
		unsigned int off = wide ? 8 : 4;

		s.wide = wide;
		addresses(&f.addr, 8);
		for (int loc = 0; loc < 2; loc++) {
			struct buf *b = loc ? &f.loclists : &f.rnglists;

			put(b, 0, head_size(&s) > 16 ? 16 : 12);
			put(b, 0, wide ? 4 : 0);
			put(b, 3 * off, off);
			put(b, 3 * off + 1, off);
			put(b, 0x7ffffff0, off);
			put(b, DW_LLE_end_of_list, 1);
			new_list(b, loc, 8);
			assert_true(b->n < 1000);
		}
		s.ranges = s.location = 0;
		check(&f, &s, "", "");
		s.ranges = s.location = 1;
		check(&f, &s, NEW_RANGES, NEW_LOCATIONS);
		/* an offset that leads out; numbers that do */
		s.ranges = s.location = 2;
		check(&f, &s, "none", "none");
		for (size_t i = 1; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
			s.ranges = s.location = wrong[i];
			check(&f, &s, "none", "none");
		}
		drop(&f);
	}
}

/* ---- split DWARF ---- */

/* The skeleton in the main file, with the addresses; @s is the split unit's shape. */
static void load_skeleton(struct file *f, const struct shape *s, struct file *split)
{
	struct shape skeleton = *s;
	struct entries e;

	skeleton.split = false;
	skeleton.ranges_form = skeleton.location_form = DW_FORM_sec_offset;
	skeleton.low_pc = 0x1000;
	skeleton.ranges = skeleton.location = 0;
	load_lists(f, &skeleton, &e);
	split->di.units[0]->skeleton = f->di.units[0];
}

/* What is in the split file; addresses, and what they count from, are in the main one. */
static void split_5(void **state)
{
	struct shape s = new;

	(void)state;
	s.split = true;
	s.low_pc = 0x666000;	/* its own is not it */
	s.ranges_form = DW_FORM_rnglistx;
	s.location_form = DW_FORM_loclistx;
	s.ranges = s.location = 1;
	for (int wide = 0; wide < 2; wide++) {
		struct file f = { .unit = 0 }, main = { .unit = 0 };
		unsigned int off = wide ? 8 : 4;
		struct entries e;

		s.wide = wide;
		addresses(&main.addr, 8);
		for (int loc = 0; loc < 2; loc++) {
			struct buf *b = loc ? &f.loclists : &f.rnglists;

			put(b, 0, head_size(&s) > 16 ? 16 : 12);
			put(b, 0, wide ? 4 : 0);
			put(b, 2 * off, off);
			put(b, 2 * off + 1, off);
			put(b, DW_LLE_end_of_list, 1);
			new_list(b, loc, 8);
		}
		load_lists(&f, &s, &e);
		load_skeleton(&main, &s, &f);
		assert_string_equal(ranges_of(&e), NEW_RANGES);
		assert_string_equal(locations_of(&e), NEW_LOCATIONS);
		/* of a package, the unit's part begins later */
		f.di.units[0]->rnglists_base = f.di.units[0]->loc_base = 1u << 20;
		assert_string_equal(ranges_of(&e), "none");
		assert_string_equal(locations_of(&e), "none");
		drop(&f);
		drop(&main);
	}
}

static void gnu_list(struct buf *b)
{
	put(b, DW_LLE_GNU_start_end_entry, 1);
	uleb(b, 0);
	uleb(b, 1);
	list_expression(b, 4, DW_OP_reg0, 0);
	put(b, DW_LLE_GNU_base_address_selection_entry, 1);
	uleb(b, 2);
	put(b, DW_LLE_GNU_start_length_entry, 1);
	uleb(b, 1);
	put(b, 0x300, 4);
	list_expression(b, 4, DW_OP_fbreg, 200);
	put(b, DW_LLE_GNU_end_of_list_entry, 1);
	put(b, DW_LLE_GNU_start_length_entry, 1);
	uleb(b, 1);
	put(b, 0x300, 4);
	list_expression(b, 4, DW_OP_reg1, 0);
}

#define GNU_LOCATIONS	"2000-2040:50.1 2040-2340:91.201"

/* Split DWARF 4: locations in the split file, ranges in the main one, from the skeleton's base. */
static void split_4(void **state)
{
	static const uint64_t before_it[] = { -16ull, -1ull };
	struct file f = { .unit = 0 }, main = { .unit = 0 };
	struct shape s = old;
	struct entries e;

	(void)state;
	s.split = true;
	s.low_pc = 0x666000;
	gnu_list(&f.loc);
	list_pair(&f.ranges, 0x66, 0x67, 8);
	list_pair(&main.ranges, 0x55, 0x56, 8);	/* DW_AT_GNU_ranges_base is 16 */
	old_lists(&main, 8);
	addresses(&main.addr, 8);
	load_lists(&f, &s, &e);
	/* nothing of it without the main file */
	assert_string_equal(ranges_of(&e), "none");
	assert_string_equal(locations_of(&e), "");
	load_skeleton(&main, &s, &f);
	assert_string_equal(ranges_of(&e), OLD_RANGES);
	assert_string_equal(locations_of(&e), GNU_LOCATIONS);
	for (size_t n = 0; n < f.loc.n; n++) {
		struct file cut = { .unit = 0 };
		const char *got;

		put_bytes(&cut.loc, f.loc.p, n);
		load_lists(&cut, &s, &e);
		cut.di.units[0]->skeleton = main.di.units[0];
		got = locations_of(&e);
		assert_true(!strcmp(got, "none") || !strncmp(GNU_LOCATIONS, got, strlen(got)));
		assert_true(n < 8 || !strncmp(got, "2000-2040:50.1", 14));
		drop(&cut);
	}
	/* offsets from there do not lead back to what is before it */
	s.wide = true;
	for (size_t i = 0; i < sizeof(before_it) / sizeof(before_it[0]); i++) {
		f.info.n = f.abbrev.n = main.info.n = main.abbrev.n = 0;
		s.ranges = before_it[i];
		load_lists(&f, &s, &e);
		load_skeleton(&main, &s, &f);
		assert_string_equal(ranges_of(&e), "none");
	}
	drop(&f);
	drop(&main);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_4),
		cmocka_unit_test(without_a_base),
		cmocka_unit_test(offsets),
		cmocka_unit_test(expressions_that_are_too_long),
		cmocka_unit_test(long_lists),
		cmocka_unit_test(sections_in_a_file),
		cmocka_unit_test(version_5),
		cmocka_unit_test(kinds_that_end_a_list),
		cmocka_unit_test(numbers),
		cmocka_unit_test(split_5),
		cmocka_unit_test(split_4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
