// SPDX-License-Identifier: GPL-2.0
/*
 * What leads to futures, on types made by hand: vtables, also at no address,
 * and the cells that hold a task's future, also where it cannot fit.
 */
#include "image_code.h"
#include "image_explored.h"
#include "image/layouts.h"

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
	uint8_t code[16 + CODE_FRAMES_MAX] = { 0x55, 0xc3 };
	struct segment seg = { .vaddr = 0x1000, .file_size = sizeof(code), .exec = true,
			       .bytes = { code, sizeof(code) } };
	struct binary b = { .fd = -1, .size = sizeof(code), .segs = &seg, .nr_segs = 1,
			    .eh_frame_hdr = 0x1010 };
	struct functions *fs;
	struct explored e;
	const struct image_fn *fns;
	struct file f;
	bool known;
	size_t nr;

	code_frames(code + 16, 0x1010, (struct code_fn[]){ { 0x1000, 2 } }, 1);
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
	layouts__find(&e.m, &f.ts);
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
		cmocka_unit_test(vtable_names),
		cmocka_unit_test(vtable_places),
		cmocka_unit_test(cells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
