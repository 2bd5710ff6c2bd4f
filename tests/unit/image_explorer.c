// SPDX-License-Identifier: GPL-2.0
/*
 * From debug information to the tables of the walk, on types made by hand: the
 * shapes of discriminants, and what rustc would never write: types in circles,
 * discriminants elsewhere, vtables at no address.
 */
#include <time.h>

#include "image_dwarf.h"
#include "image_program.h"

#include "image/functions.h"
#include "image/futures.h"
#include "image/model.h"
#include "image/vtables.h"

/* Beside the usual ones. */
enum { X_PARAM = 40, X_DEFAULT, X_WIDE, X_BASE, X_NO_PART, X_TABLE_TYPE, X_TABLE, X_RUST,
       X_STATE, X_BODY, X_AWAITEE, X_LINES };

static void start(struct file *f)
{
	memset(f, 0, sizeof(*f));
	usual_abbrevs(f);
	f->abbrev.n--;
	abbrev(f, X_PARAM, DW_TAG_template_type_parameter, false, DW_AT_name, DW_FORM_string,
	       DW_AT_type, DW_FORM_ref4, 0);
	abbrev(f, X_DEFAULT, DW_TAG_variant, true, 0);
	abbrev(f, X_WIDE, DW_TAG_variant, true, DW_AT_discr_value, DW_FORM_data8, 0);
	abbrev(f, X_BASE, DW_TAG_base_type, false, DW_AT_name, DW_FORM_string, DW_AT_byte_size,
	       DW_FORM_data1, 0);
	abbrev(f, X_NO_PART, DW_TAG_variant_part, true, 0);
	abbrev(f, X_TABLE_TYPE, DW_TAG_structure_type, false, DW_AT_name, DW_FORM_string,
	       DW_AT_byte_size, DW_FORM_data1, DW_AT_containing_type, DW_FORM_ref4, 0);
	abbrev(f, X_TABLE, DW_TAG_variable, false, DW_AT_name, DW_FORM_string, DW_AT_type,
	       DW_FORM_ref4, DW_AT_location, DW_FORM_exprloc, 0);
	abbrev(f, X_RUST, DW_TAG_compile_unit, true, DW_AT_language, DW_FORM_data2, DW_AT_stmt_list,
	       DW_FORM_data4, 0);
	abbrev(f, X_STATE, DW_TAG_member, false, DW_AT_type, DW_FORM_ref4, DW_AT_decl_file,
	       DW_FORM_data1, DW_AT_decl_line, DW_FORM_udata, 0);
	abbrev(f, X_BODY, DW_TAG_subprogram, true, DW_AT_name, DW_FORM_string, 0);
	abbrev(f, X_AWAITEE, DW_TAG_variable, false, DW_AT_name, DW_FORM_string, DW_AT_type,
	       DW_FORM_ref4, DW_AT_decl_file, DW_FORM_data1, DW_AT_decl_line, DW_FORM_udata, 0);
	put(&f->abbrev, 0, 1);
	begin_unit(f, 4, false, 8, 0, 0);
	uleb(&f->info, X_RUST);
	put(&f->info, DW_LANG_Rust, 2);
	put(&f->info, 0, 4);
}

/* The head of a line table, version 4, with files 1 (a.rs) and 2 (m.rs). */
static void lines(struct file *f)
{
	static const char names[] = "\0a.rs\0\0\0\0m.rs\0\0\0\0";

	put(&f->line, 2 + 4 + 6 + sizeof(names), 4);
	put(&f->line, 4, 2);
	put(&f->line, 6 + sizeof(names), 4);
	put(&f->line, 0x010e01010101, 6);	/* no lengths of opcodes */
	put_bytes(&f->line, names, sizeof(names));
}

static uint32_t base(struct file *f, const char *name, unsigned int size)
{
	uint32_t at = here(f);

	uleb(&f->info, X_BASE);
	text(&f->info, name);
	put(&f->info, size, 1);
	return at;
}

/* A structure with one member, named after it. */
static uint32_t holder(struct file *f, const char *name, uint64_t size, const char *field,
		       uint32_t type, uint64_t off)
{
	uint32_t at = here(f);

	named(f, A_STRUCT, name, size);
	member(f, field, type, off);
	close_level(f);
	return at;
}

/* Into a variant part whose discriminant, of @type, is at @off. */
static void begin_part(struct file *f, uint32_t type, uint64_t off)
{
	uleb(&f->info, A_PART);
	put(&f->info, here(f) + 4, 4);
	member(f, "__state", type, off);
}

static void variant(struct file *f, uint64_t value, const char *name, uint32_t type)
{
	uleb(&f->info, X_WIDE);
	put(&f->info, value, 8);
	member(f, name, type, 0);
	close_level(f);
}

static void default_variant(struct file *f, const char *name, uint32_t type)
{
	uleb(&f->info, X_DEFAULT);
	member(f, name, type, 0);
	close_level(f);
}

/* The model of what was added to it. */
struct explored {
	struct model		 m;
	struct line_files	*lines;
	struct rust_names	*names;
	struct awaits		*awaits;
	struct futures		*futures;
	struct image		*img;
};

static void prepare(struct explored *e, struct file *f)
{
	memset(e, 0, sizeof(*e));
	model__init(&e->m);
	e->lines = line_files__new();
	e->names = rust_names__new(&f->ts);
	e->awaits = awaits__new(&f->ts, e->lines);
	e->futures = futures__new(&e->m, &f->ts, e->names, e->awaits, e->lines);
	assert_non_null(e->futures);
}

static void explore(struct explored *e)
{
	struct model_block *block;

	assert_int_equal(futures__explore(e->futures), 0);
	block = model__freeze(&e->m, 1);
	assert_non_null(block);
	e->img = image__adopt(block, block->size, false, "none");
	assert_non_null(e->img);
	assert_consistent(e->img);
	free(image_text(e->img));
}

static void done(struct explored *e)
{
	image__free(e->img);
	futures__free(e->futures);
	awaits__free(e->awaits);
	rust_names__free(e->names);
	line_files__free(e->lines);
	model__free(&e->m);
}

/* Explore the type called @path; its place in the tables. */
static uint32_t explore_type(struct explored *e, struct file *f, const char *path)
{
	struct die d;
	uint32_t type;

	prepare(e, f);
	assert_true(die_of(f, path, &d));
	type = futures__add(e->futures, &d);
	explore(e);
	return type;
}

static const struct walk_type *walk_type(const struct explored *e, uint32_t type)
{
	return &image__walk_types(e->img, &(size_t){ 0 })[type];
}

static const struct walk_variant *walk_variant(const struct explored *e, uint32_t type,
					       uint64_t value)
{
	const struct walk_type *t = walk_type(e, type);
	const struct walk_variant *all = image__walk_variants(e->img, &(size_t){ 0 });

	if (value - t->disc_base < t->nr_variants)
		return &all[t->first_variant + (value - t->disc_base)];
	return t->default_variant == WALK_NONE ? NULL : &all[t->default_variant];
}

static void assert_noted(const struct explored *e, const char *part)
{
	const char *const *notes;
	size_t nr;

	notes = image__notes(e->img, &nr);
	for (size_t i = 0; i < nr; i++)
		if (strstr(notes[i], part))
			return;
	fail_msg("no note says '%s'", part);
}

/* ---- discriminants -------------------------------------------------------- */

/* Two futures to hold; their places in the unit. */
static void two_futures(struct file *f, uint32_t *one, uint32_t *two)
{
	uint32_t u8 = base(f, "u8", 1), nothing;

	nothing = here(f);
	named(f, A_LEAF, "Unresumed", 8);
	named(f, A_SPACE, "a", 0);
	*one = here(f);
	named(f, A_STRUCT, "{async_fn_env#0}", 8);
	begin_part(f, u8, 0);
	variant(f, 0, "0", nothing);
	close_level(f);
	close_level(f);
	close_level(f);
	named(f, A_SPACE, "b", 0);
	*two = here(f);
	named(f, A_STRUCT, "{async_fn_env#0}", 16);
	begin_part(f, u8, 0);
	variant(f, 0, "0", nothing);
	close_level(f);
	close_level(f);
	close_level(f);
}

static void states(void **state)
{
	uint32_t one, two, u16, nothing, s0, s1, type;
	struct explored e;
	struct file f;

	(void)state;
	start(&f);
	two_futures(&f, &one, &two);
	u16 = base(&f, "u16", 2);
	nothing = here(&f);
	named(&f, A_LEAF, "Returned", 64);
	s0 = holder(&f, "Suspend0", 64, "__awaitee", one, 8);
	s1 = holder(&f, "Suspend1", 64, "__awaitee", two, 24);
	named(&f, A_SPACE, "c", 0);
	named(&f, A_STRUCT, "{async_fn_env#0}", 64);
	begin_part(&f, u16, 62);
	variant(&f, 1, "1", nothing);
	variant(&f, 300, "300", s1);	/* in no order, with gaps */
	variant(&f, 3, "3", s0);
	close_level(&f);
	close_level(&f);
	close_level(&f);
	end(&f);
	assert_false(f.torn);
	type = explore_type(&e, &f, "c::{async_fn_env#0}");
	assert_int_equal(walk_type(&e, type)->disc_off, 62);
	assert_int_equal(walk_type(&e, type)->disc_width, 2);
	assert_int_equal(walk_type(&e, type)->size, 64);
	assert_null(walk_variant(&e, type, 0));
	assert_int_equal(walk_variant(&e, type, 1)->flags, WALK_VARIANT_DONE);
	assert_int_equal(walk_variant(&e, type, 2)->flags, WALK_VARIANT_HOLE);
	assert_int_equal(walk_variant(&e, type, 3)->arc_off, 8);
	assert_int_equal(walk_type(&e, walk_variant(&e, type, 3)->arc_type)->size, 8);
	assert_int_equal(walk_variant(&e, type, 299)->flags, WALK_VARIANT_HOLE);
	assert_int_equal(walk_variant(&e, type, 300)->arc_off, 24);
	assert_int_equal(walk_type(&e, walk_variant(&e, type, 300)->arc_type)->size, 16);
	assert_null(walk_variant(&e, type, 301));
	done(&e);
	drop(&f);
}

/* enum E { A(future) if 5, B(future) if 7, otherwise C(future) } */
static void niches(void **state)
{
	uint32_t one, two, u64, a, b, c, type;
	struct explored e;
	struct file f;

	(void)state;
	start(&f);
	two_futures(&f, &one, &two);
	u64 = base(&f, "u64", 8);
	a = holder(&f, "A", 24, "__0", one, 8);
	b = holder(&f, "B", 24, "__0", two, 8);
	c = holder(&f, "C", 24, "__0", one, 16);
	named(&f, A_STRUCT, "E", 24);
	begin_part(&f, u64, 0);
	variant(&f, 0x8000000000000007, "B", b);
	default_variant(&f, "C", c);
	variant(&f, 0x8000000000000005, "A", a);
	close_level(&f);
	close_level(&f);
	end(&f);
	type = explore_type(&e, &f, "E");
	assert_true(walk_type(&e, type)->disc_base == 0x8000000000000005);
	assert_int_equal(walk_type(&e, type)->nr_variants, 3);
	assert_int_equal(walk_variant(&e, type, 0x8000000000000005)->arc_off, 8);
	assert_int_equal(walk_variant(&e, type, 0x8000000000000006)->arc_off, 16);
	assert_int_equal(walk_variant(&e, type, 0x8000000000000007)->arc_off, 8);
	assert_int_equal(walk_variant(&e, type, 0)->arc_off, 16);
	assert_int_equal(walk_variant(&e, type, ~0ull)->arc_off, 16);
	done(&e);
	drop(&f);

	/* one variant only: there is no discriminant */
	start(&f);
	two_futures(&f, &one, &two);
	a = holder(&f, "A", 24, "__0", one, 8);
	named(&f, A_STRUCT, "E", 24);
	uleb(&f.info, X_NO_PART);
	default_variant(&f, "A", a);
	close_level(&f);
	close_level(&f);
	end(&f);
	type = explore_type(&e, &f, "E");
	assert_int_equal(walk_type(&e, type)->disc_width, 0);
	assert_int_equal(walk_type(&e, type)->nr_variants, 1);
	assert_int_equal(walk_variant(&e, type, 0)->arc_off, 8);
	done(&e);
	drop(&f);
}

static void wrong_discriminants(void **state)
{
	static const struct {
		unsigned int	width;
		uint64_t	off, values[3];
		unsigned int	defaults;
		const char	*note;
	} tests[] = {
		{ 1, 64, { 0, 1, 2 }, 0, "outside" },
		{ 8, 57, { 0, 1, 2 }, 0, "outside" },
		{ 4, 1ull << 32, { 0, 1, 2 }, 0, "outside" },
		{ 4, ~0ull - 1, { 0, 1, 2 }, 0, "outside" },
		{ 8, 0, { 0, 4096, 1 }, 0, "too far apart" },
		{ 8, 0, { 0, ~0ull, 1 }, 0, "too far apart" },
		{ 8, 0, { 0, 1, 2 }, 2, "share one value" },	/* rust#104625 */
		{ 3, 0, { 0, 1, 2 }, 0, "layout unknown" },
		{ 16, 0, { 0, 1, 2 }, 0, "layout unknown" },
	};
	struct explored e;
	struct file f;

	(void)state;
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		uint32_t one, two, number, s, type;

		start(&f);
		two_futures(&f, &one, &two);
		number = base(&f, "number", tests[i].width);
		s = holder(&f, "Suspend0", 64, "__awaitee", one, 8);
		named(&f, A_SPACE, "c", 0);
		named(&f, A_STRUCT, "{async_fn_env#0}", 64);
		begin_part(&f, number, tests[i].off);
		for (int v = 0; v < 3; v++)
			variant(&f, tests[i].values[v], "v", s);
		for (unsigned int d = 0; d < tests[i].defaults; d++)
			default_variant(&f, "d", s);
		close_level(&f);
		close_level(&f);
		close_level(&f);
		end(&f);
		type = explore_type(&e, &f, "c::{async_fn_env#0}");
		assert_noted(&e, tests[i].note);
		/* the walk is told so, too: it ends in a gap */
		assert_int_equal(walk_type(&e, type)->disc_off, INT32_MAX);
		assert_int_equal(walk_type(&e, type)->nr_variants, 0);
		done(&e);
		drop(&f);
	}
}

/* ---- places of awaits ----------------------------------------------------- */

#define A(line)	((line) << 4 | 1)	/* in file a.rs */
#define M(line)	((line) << 4 | 2)	/* in file m.rs, which has macros */

struct await_at {
	char		type;		/* 0: no more */
	unsigned int	at;
};

/*
 * A coroutine with these states, and a body with these variables; types are
 * Fut<a>, Fut<b>, … @merged: the body is that of another instance, where they
 * are Fut<z>.
 */
static void assert_awaits(const struct await_at *states, const struct await_at *variables,
			  bool merged, const struct await_at *want)
{
	const struct image_variant *all;
	uint32_t types[26] = { 0 }, payloads[26] = { 0 }, u8, type;
	struct explored e;
	struct file f;

	start(&f);
	lines(&f);
	u8 = base(&f, "u8", 1);
	for (char t = 'a'; t <= 'z'; t++) {
		char name[] = { 'F', 'u', 't', '<', t, '>', 0 };

		types[t - 'a'] = here(&f);
		named(&f, A_LEAF, name, 8);
		payloads[t - 'a'] = holder(&f, "Suspend", 64, "__awaitee", types[t - 'a'], 8);
	}
	named(&f, A_SPACE, "c", 0);
	named(&f, A_STRUCT, "{async_fn_env#0}<T>", 64);
	begin_part(&f, u8, 0);
	for (unsigned int i = 0; states[i].type; i++) {
		uleb(&f.info, X_WIDE);
		put(&f.info, i, 8);
		uleb(&f.info, X_STATE);
		put(&f.info, payloads[states[i].type - 'a'], 4);
		put(&f.info, states[i].at & 0xf, 1);
		uleb(&f.info, states[i].at >> 4);
		close_level(&f);
	}
	close_level(&f);
	close_level(&f);
	uleb(&f.info, X_BODY);
	text(&f.info, "{async_fn#0}<U>");
	for (unsigned int i = 0; variables[i].type; i++) {
		uleb(&f.info, X_AWAITEE);
		text(&f.info, "__awaitee");
		put(&f.info, types[merged ? 25 : variables[i].type - 'a'], 4);
		put(&f.info, variables[i].at & 0xf, 1);
		uleb(&f.info, variables[i].at >> 4);
	}
	close_level(&f);
	close_level(&f);
	end(&f);
	assert_false(f.torn);
	type = explore_type(&e, &f, "c::{async_fn_env#0}<T>");
	all = image__variants(e.img, &(size_t){ 0 });
	for (unsigned int i = 0; want[i].type; i++) {
		const struct image_variant *v = &all[walk_type(&e, type)->first_variant + i];
		const char *file = (want[i].at & 0xf) == 1 ? "a.rs" : "m.rs";

		if (v->line != want[i].at >> 4 || strcmp(image__str(e.img, v->file), file))
			fail_msg("state %u is at %s:%u, not %s:%u", i, image__str(e.img, v->file),
				 v->line, file, want[i].at >> 4);
	}
	done(&e);
	drop(&f);
}

static void await_places(void **state)
{
	static const struct {
		struct await_at	states[5], variables[5], want[5];
	} tests[] = {
		/* as the states have it */
		{ { { 'a', A(10) }, { 'b', A(20) } }, { { 'a', A(10) }, { 'b', A(20) } },
		  { { 'a', A(10) }, { 'b', A(20) } } },
		{ { { 'a', A(10) } }, { { 0, 0 } }, { { 'a', A(10) } } },
		/* a macro's: where the variable of its type is */
		{ { { 'a', M(7) } }, { { 'a', A(30) } }, { { 'a', A(30) } } },
		{ { { 'a', A(10) }, { 'b', M(7) } }, { { 'a', A(10) }, { 'b', A(20) } },
		  { { 'a', A(10) }, { 'b', A(20) } } },
		/* twice: in the order of lines */
		{ { { 'a', M(7) }, { 'a', M(7) } }, { { 'a', A(40) }, { 'a', A(30) } },
		  { { 'a', A(30) }, { 'a', A(40) } } },
		/* both at one place, as where a macro has two awaits */
		{ { { 'a', M(7) }, { 'a', M(7) } }, { { 'a', A(30) }, { 'a', A(30) } },
		  { { 'a', A(30) }, { 'a', A(30) } } },
		/* one is not the macro's */
		{ { { 'a', A(10) }, { 'a', M(7) } }, { { 'a', A(10) }, { 'a', A(20) } },
		  { { 'a', A(10) }, { 'a', A(20) } } },
		/* no telling which is which */
		{ { { 'a', M(7) }, { 'a', M(7) } }, { { 'a', A(1) }, { 'a', A(2) }, { 'a', A(3) } },
		  { { 'a', M(7) }, { 'a', M(7) } } },
		/* there is none of its type */
		{ { { 'a', M(7) } }, { { 0, 0 } }, { { 'a', M(7) } } },
	};
	static const struct await_at other[] = { { 'b', A(30) }, { 0, 0 } };
	static const struct await_at macro[] = { { 'a', M(7) }, { 0, 0 } };
	static const struct await_at user[] = { { 'a', A(30) }, { 0, 0 } };
	static const struct await_at two[] = { { 'a', M(7) }, { 'b', A(30) }, { 0, 0 } };
	static const struct await_at several[] = { { 'b', A(30) }, { 'b', A(40) }, { 0, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		assert_awaits(tests[i].states, tests[i].variables, false, tests[i].want);
		/* other generics only: code that was merged; then types do not tell as much */
		if (i < 3 || i == 4 || i == 5)
			assert_awaits(tests[i].states, tests[i].variables, true, tests[i].want);
	}
	/* Fut<b> is Fut<a> but for its generics, and there is no body with a Fut<a> */
	assert_awaits(macro, other, false, user);
	/* that place is another state's own */
	assert_awaits(two, other, false, two);
	assert_awaits(macro, several, false, macro);
}

/* ---- circles -------------------------------------------------------------- */

/* A set of futures whose future is a structure that holds itself. */
static void circular_item(void **state)
{
	static const char *const spaces[] = { "futures_util", "stream", "futures_unordered" };
	uint32_t self, node, head, type;
	struct explored e;
	struct file f;

	(void)state;
	start(&f);
	for (int i = 0; i < 3; i++)
		named(&f, A_SPACE, spaces[i], 0);
	self = here(&f);
	holder(&f, "UnsafeCell", 8, "value", self, 0);
	node = here(&f);
	named(&f, A_STRUCT, "Task", 32);
	member(&f, "next_all", self, 8);
	member(&f, "future", self, 16);
	close_level(&f);
	head = here(&f);
	named(&f, A_STRUCT, "AtomicPtr", 8);
	uleb(&f.info, X_PARAM);
	text(&f.info, "T");
	put(&f.info, node, 4);
	close_level(&f);
	holder(&f, "FuturesUnordered", 24, "head_all", head, 0);
	for (int i = 0; i < 3; i++)
		close_level(&f);
	end(&f);
	assert_false(f.torn);
	type = explore_type(&e, &f, "futures_util::stream::futures_unordered::FuturesUnordered");
	assert_true(walk_variant(&e, type, 0)->nr_arcs > 1);
	done(&e);
	drop(&f);
}

/* Futures in each other, by value and through boxes: each is explored once. */
static void circular_futures(void **state)
{
	uint32_t u8, a, b, hole, box, type;
	struct explored e;
	size_t nr;
	struct file f;

	(void)state;
	start(&f);
	u8 = base(&f, "u8", 1);
	/* a waits for b, b for a box of a and for itself */
	a = here(&f);
	named(&f, A_STRUCT, "{async_fn_env#0}", 64);
	begin_part(&f, u8, 0);
	hole = here(&f) + 9;	/* of the variant's member: the payload's type */
	variant(&f, 3, "3", 0);
	close_level(&f);
	close_level(&f);
	box = here(&f);
	pointer(&f, a, "alloc::boxed::Box<{async_fn_env#0}>");
	b = here(&f);
	named(&f, A_STRUCT, "{async_block_env#0}", 64);
	begin_part(&f, u8, 0);
	variant(&f, 3, "3", holder(&f, "unused", 1, "x", u8, 0));
	close_level(&f);
	close_level(&f);
	patch4(&f, hole + 3, here(&f));
	named(&f, A_STRUCT, "Suspend0", 64);
	member(&f, "__awaitee", b, 8);
	close_level(&f);
	named(&f, A_STRUCT, "Join", 64);
	member(&f, "x", a, 0);
	member(&f, "y", box, 8);
	member(&f, "z", b, 8);
	close_level(&f);
	end(&f);
	type = explore_type(&e, &f, "Join");
	assert_int_equal(walk_variant(&e, type, 0)->nr_arcs, 3);
	(void)image__types(e.img, &nr);
	assert_int_equal(nr, 3);
	done(&e);
	drop(&f);
}

/* Structures in structures, each in many ways: every one is asked once. */
static void wide_and_deep(void **state)
{
	uint32_t level[8], next[8];
	struct explored e;
	char name[32];
	struct file f;
	clock_t begun;

	(void)state;
	start(&f);
	for (int i = 0; i < 8; i++)
		level[i] = base(&f, "u8", 1);
	for (int depth = 0; depth < 12; depth++) {
		for (int i = 0; i < 8; i++) {
			next[i] = here(&f);
			snprintf(name, sizeof(name), "S%d_%d", depth, i);
			named(&f, A_STRUCT, name, 1024);
			for (int k = 0; k < 8; k++)
				member(&f, "m", level[(i + k) % 8], (uint64_t)k);
			close_level(&f);
		}
		memcpy(level, next, sizeof(level));
	}
	named(&f, A_STRUCT, "Top", 8192);
	for (int k = 0; k < 8; k++)
		member(&f, "m", level[k], (uint64_t)k);
	close_level(&f);
	end(&f);
	begun = clock();
	(void)explore_type(&e, &f, "Top");
	assert_true(clock() - begun < 2 * CLOCKS_PER_SEC);
	done(&e);
	drop(&f);
}

/* ---- vtables -------------------------------------------------------------- */

static size_t nr_vtables(struct file *f, uint64_t *addr)
{
	const struct image_vtable *vtables;
	struct explored e;
	size_t nr;

	prepare(&e, f);
	vtables__add(&e.m, &f->ts, e.futures);
	explore(&e);
	vtables = image__vtables(e.img, &nr);
	*addr = nr ? vtables[0].vaddr : 0;
	done(&e);
	return nr;
}

static void vtable_names(void **state)
{
	static const struct {
		const char	*name;
		bool		wanted;
	} tests[] = {
		{ "<a::{async_fn_env#0} as core::future::future::Future>::{vtable}", true },
		{ "<a::T<u8> as core::future::future::Future>::{vtable}", true },
		{ "<a::T as futures_core::stream::Stream>::{vtable}", true },
		{ "<a::T as core::fmt::Debug>::{vtable}", false },
		{ "<a::T<dyn core::future::future::Future> as core::fmt::Debug>::{vtable}", false },
		{ "<<a::T as core::future::future::Future>::Output as core::fmt::Debug>::{vtable}",
		  false },
		{ "<a::T as core::future::future::Future>::{vtable_type}", false },
		{ "<>::{vtable}", false }, { "<", false }, { "<a as >::{vtable}", false },
		{ "< as Future>::{vtable}", true },
		{ "<<<<<<a as Future>::{vtable}", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		uint32_t one, two, type;
		struct file f;
		uint64_t addr;

		start(&f);
		two_futures(&f, &one, &two);
		type = here(&f);
		uleb(&f.info, X_TABLE_TYPE);
		text(&f.info, "vtable type");
		put(&f.info, 32, 1);
		put(&f.info, one, 4);
		uleb(&f.info, X_TABLE);
		text(&f.info, tests[i].name);
		put(&f.info, type, 4);
		uleb(&f.info, 9);
		put(&f.info, DW_OP_addr, 1);
		put(&f.info, 0x1234, 8);
		end(&f);
		if (nr_vtables(&f, &addr) != tests[i].wanted)
			fail_msg("%s is%s wanted", tests[i].name, tests[i].wanted ? "" : " not");
		assert_int_equal(addr, tests[i].wanted ? 0x1234 : 0);
		drop(&f);
	}
}

/* The place of a vtable as an expression, cut off, and as what is none. */
static void vtable_places(void **state)
{
	static const struct {
		unsigned int	form;
		uint8_t		bytes[12];
		size_t		n;
		bool		ok;
	} tests[] = {
		{ DW_FORM_exprloc, { 9, DW_OP_addr, 0x34, 0x12 }, 10, true },
		{ DW_FORM_block1, { 9, DW_OP_addr, 0x34, 0x12 }, 10, true },
		{ DW_FORM_exprloc, { 8, DW_OP_addr, 0x34, 0x12 }, 9, false },
		{ DW_FORM_exprloc, { 10, DW_OP_addr, 0x34, 0x12 }, 11, false },
		{ DW_FORM_exprloc, { 9, DW_OP_addr, 0 }, 10, false },		/* at 0 */
		{ DW_FORM_exprloc, { 0 }, 1, false },
		{ DW_FORM_exprloc, { 1, DW_OP_addr }, 2, false },
		{ DW_FORM_exprloc, { 1, DW_OP_addrx }, 2, false },
		{ DW_FORM_exprloc, { 2, DW_OP_addrx, 0x80 }, 3, false },
		{ DW_FORM_exprloc, { 2, DW_OP_addrx, 0x00 }, 3, false },	/* no addresses */
		{ DW_FORM_exprloc, { 1, DW_OP_fbreg }, 2, false },
		/* no expression: an offset, a flag, a number, text */
		{ DW_FORM_sec_offset, { DW_OP_addrx, 0xff, 0xff, 0xff }, 4, false },
		{ DW_FORM_data1, { DW_OP_addr }, 1, false },
		{ DW_FORM_data1, { DW_OP_addrx }, 1, false },
		{ DW_FORM_flag_present, { 0 }, 0, false },
		{ DW_FORM_udata, { DW_OP_addrx, 0x01 }, 2, false },
		{ DW_FORM_string, { DW_OP_addr, 1, 2, 3, 4, 5, 6, 7, 8, 0 }, 10, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		uint32_t one, two, type;
		struct file f;
		uint64_t addr;

		start(&f);
		f.abbrev.n--;
		abbrev(&f, 60, DW_TAG_variable, false, DW_AT_name, DW_FORM_string, DW_AT_type,
		       DW_FORM_ref4, DW_AT_location, tests[i].form, 0);
		put(&f.abbrev, 0, 1);
		two_futures(&f, &one, &two);
		type = here(&f);
		uleb(&f.info, X_TABLE_TYPE);
		text(&f.info, "vtable type");
		put(&f.info, 32, 1);
		put(&f.info, one, 4);
		uleb(&f.info, 60);
		text(&f.info, "<a as Future>::{vtable}");
		put(&f.info, type, 4);
		put_bytes(&f.info, tests[i].bytes, tests[i].n);
		/* nothing behind it, not even the end of a level */
		end_unit(&f);
		load(&f);
		assert_false(f.torn);
		assert_int_equal(f.sc.nr_vtables, 1);
		assert_int_equal(nr_vtables(&f, &addr), tests[i].ok);
		assert_int_equal(addr, tests[i].ok ? 0x1234 : 0);
		drop(&f);
	}
}

/* ---- tasks ---------------------------------------------------------------- */

/* A task type whose cell is what @stage says; true: the place of its future is known. */
static bool task_cell(uint64_t cell_size, uint64_t core_off, int stage, uint64_t future_off)
{
	static const char *const spaces[] = { "tokio", "runtime", "task" };
	uint32_t one, two, u32, running, stage_at, core, scheduler, at;
	uint8_t code[16] = { 0x55, 0xc3 };
	struct segment seg = { .vaddr = 0x1000, .file_size = sizeof(code), .exec = true };
	struct binary b = { .fd = -1, .raw = code, .raw_size = sizeof(code), .segs = &seg,
			    .nr_segs = 1 };
	struct functions *fs;
	struct explored e;
	const struct image_fn *fns;
	struct file f;
	bool known;
	size_t nr;

	start(&f);
	two_futures(&f, &one, &two);
	u32 = base(&f, "u32", 4);
	for (int i = 0; i < 3; i++)
		named(&f, A_SPACE, spaces[i], 0);
	named(&f, A_SPACE, "core", 0);
	scheduler = here(&f);
	named(&f, A_LEAF, "Scheduler", 8);
	running = holder(&f, "Running", 40, "__0", one, future_off);
	stage_at = here(&f);
	if (stage == 1) {
		holder(&f, "Stage", 40, "self", stage_at, 0);		/* holds itself */
	} else if (stage == 2) {
		holder(&f, "Stage", 40, "number", u32, 0);		/* no enum */
	} else {
		named(&f, A_STRUCT, "Stage", 40);
		begin_part(&f, u32, 0);
		variant(&f, 0, stage == 3 ? "Walking" : "Running", running);
		close_level(&f);
		close_level(&f);
	}
	core = here(&f);
	holder(&f, "Core", 64, "stage", stage_at, 16);
	named(&f, A_STRUCT, "Cell<T, S>", cell_size);
	member(&f, "core", core, core_off);
	uleb(&f.info, X_PARAM);
	text(&f.info, "T");
	put(&f.info, one, 4);
	uleb(&f.info, X_PARAM);
	text(&f.info, "S");
	put(&f.info, scheduler, 4);
	close_level(&f);
	close_level(&f);
	named(&f, A_SPACE, "raw", 0);
	uleb(&f.info, A_FN);
	text(&f.info, "poll<T, S>");
	put(&f.info, 0x1000, 8);
	uleb(&f.info, X_PARAM);
	text(&f.info, "T");
	put(&f.info, one, 4);
	uleb(&f.info, X_PARAM);
	text(&f.info, "S");
	put(&f.info, scheduler, 4);
	for (int i = 0; i < 5; i++)
		close_level(&f);
	end(&f);
	assert_false(f.torn);
	at = (uint32_t)f.sc.nr_fns;
	assert_int_equal(at, 1);
	prepare(&e, &f);
	fs = functions__new(&e.m, &b, &f.ts, e.names, e.futures);
	assert_non_null(fs);
	functions__find_layouts(fs);
	assert_int_equal(functions__find(fs), 1);
	assert_int_equal(futures__explore(e.futures), 0);
	functions__name_tasks(fs);
	functions__find_returns(fs);
	functions__free(fs);
	explore(&e);
	fns = image__fns(e.img, &nr);
	assert_int_equal(nr, 1);
	assert_int_equal(fns[0].vaddr, 0x1000);
	known = fns[0].cell != WALK_NONE;
	if (!known)
		assert_noted(&e, "layout of its Cell not found");
	done(&e);
	drop(&f);
	return known;
}

static void cells(void **state)
{
	(void)state;
	assert_true(task_cell(128, 24, 0, 8));
	assert_true(task_cell(24 + 16 + 16, 24, 0, 8));		/* it just fits */
	assert_false(task_cell(24 + 16 + 15, 24, 0, 8));
	assert_false(task_cell(128, 24, 0, 1000));
	assert_false(task_cell(128, 1000, 0, 8));
	assert_false(task_cell(0, 24, 0, 8));
	assert_false(task_cell(128, 24, 1, 8));
	assert_false(task_cell(128, 24, 2, 8));
	assert_false(task_cell(128, 24, 3, 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states),
		cmocka_unit_test(niches),
		cmocka_unit_test(wrong_discriminants),
		cmocka_unit_test(await_places),
		cmocka_unit_test(circular_item),
		cmocka_unit_test(circular_futures),
		cmocka_unit_test(wide_and_deep),
		cmocka_unit_test(vtable_names),
		cmocka_unit_test(vtable_places),
		cmocka_unit_test(cells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
