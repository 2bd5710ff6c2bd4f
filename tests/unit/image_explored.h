/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Types made by hand, as rustc describes them, and the model of what is found
 * in them: what tests of the explorer share.
 */
#ifndef DWELL_TEST_IMAGE_EXPLORED_H
#define DWELL_TEST_IMAGE_EXPLORED_H

#include "image_dwarf.h"
#include "image_program.h"

#include "image/functions.h"
#include "image/futures.h"
#include "image/model.h"
#include "image/vtables.h"

/* Beside the usual ones. */
enum { X_PARAM = 40, X_DEFAULT, X_WIDE, X_BASE, X_NO_PART, X_TABLE_TYPE, X_TABLE, X_RUST,
       X_STATE, X_BODY, X_AWAITEE, X_LINES };

static inline void start(struct file *f)
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
static inline void lines(struct file *f)
{
	static const char names[] = "\0a.rs\0\0\0\0m.rs\0\0\0\0";

	put(&f->line, 2 + 4 + 6 + sizeof(names), 4);
	put(&f->line, 4, 2);
	put(&f->line, 6 + sizeof(names), 4);
	put(&f->line, 0x010e01010101, 6);	/* no lengths of opcodes */
	put_bytes(&f->line, names, sizeof(names));
}

static inline uint32_t base(struct file *f, const char *name, unsigned int size)
{
	uint32_t at = here(f);

	uleb(&f->info, X_BASE);
	text(&f->info, name);
	put(&f->info, size, 1);
	return at;
}

/* A structure with one member, named after it. */
static inline uint32_t holder(struct file *f, const char *name, uint64_t size, const char *field,
		       uint32_t type, uint64_t off)
{
	uint32_t at = here(f);

	named(f, A_STRUCT, name, size);
	member(f, field, type, off);
	close_level(f);
	return at;
}

/* Into a variant part whose discriminant, of @type, is at @off. */
static inline void begin_part(struct file *f, uint32_t type, uint64_t off)
{
	uleb(&f->info, A_PART);
	put(&f->info, here(f) + 4, 4);
	member(f, "__state", type, off);
}

static inline void variant(struct file *f, uint64_t value, const char *name, uint32_t type)
{
	uleb(&f->info, X_WIDE);
	put(&f->info, value, 8);
	member(f, name, type, 0);
	close_level(f);
}

static inline void default_variant(struct file *f, const char *name, uint32_t type)
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

static inline void prepare(struct explored *e, struct file *f)
{
	memset(e, 0, sizeof(*e));
	model__init(&e->m);
	e->lines = line_files__new();
	e->names = rust_names__new(&f->ts);
	e->awaits = awaits__new(&f->ts, e->lines);
	e->futures = futures__new(&e->m, &f->ts, e->names, e->awaits, e->lines);
	assert_non_null(e->futures);
}

static inline void explore(struct explored *e)
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

static inline void done(struct explored *e)
{
	image__free(e->img);
	futures__free(e->futures);
	awaits__free(e->awaits);
	rust_names__free(e->names);
	line_files__free(e->lines);
	model__free(&e->m);
}

/* Explore the type called @path; its place in the tables. */
static inline uint32_t explore_type(struct explored *e, struct file *f, const char *path)
{
	struct die d;
	uint32_t type;

	prepare(e, f);
	assert_true(die_of(f, path, &d));
	type = futures__add(e->futures, &d);
	explore(e);
	return type;
}

static inline const struct walk_type *walk_type(const struct explored *e, uint32_t type)
{
	return &image__walk_types(e->img, &(size_t){ 0 })[type];
}

static inline const struct walk_variant *walk_variant(const struct explored *e, uint32_t type,
					       uint64_t value)
{
	const struct walk_type *t = walk_type(e, type);
	const struct walk_variant *all = image__walk_variants(e->img, &(size_t){ 0 });

	if (value - t->disc_base < t->nr_variants)
		return &all[t->first_variant + (value - t->disc_base)];
	return t->default_variant == WALK_NONE ? NULL : &all[t->default_variant];
}

static inline void assert_noted(const struct explored *e, const char *part)
{
	const char *const *notes;
	size_t nr;

	notes = image__notes(e->img, &nr);
	for (size_t i = 0; i < nr; i++)
		if (strstr(notes[i], part))
			return;
	fail_msg("no note says '%s'", part);
}

/* Two futures to hold; their places in the unit. */
static inline void two_futures(struct file *f, uint32_t *one, uint32_t *two)
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

#endif /* DWELL_TEST_IMAGE_EXPLORED_H */
