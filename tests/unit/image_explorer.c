// SPDX-License-Identifier: GPL-2.0
/*
 * From debug information to the tables of the walk, on types made by hand: the
 * shapes of discriminants, and what rustc would never write: types in circles,
 * discriminants elsewhere.
 */
#include <time.h>

#include "image_explored.h"

/* ---- discriminants -------------------------------------------------------- */

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

/* The way to the number of an operation in tokio's Op, whose state is an enum of @shape. */
static struct walk_leaf number_in(void (*shape)(struct file *f, uint32_t word, uint32_t polled,
						uint32_t none))
{
	static const char *const path[] = { "tokio", "runtime", "driver", "op" };
	uint32_t word, polled, none, state, type;
	struct walk_leaf leaf;
	struct explored e;
	struct file f;
	size_t nr;

	start(&f);
	word = base(&f, "u32", 4);
	polled = holder(&f, "Polled", 24, "__0", word, 16);
	none = here(&f);
	named(&f, A_LEAF, "Complete", 24);
	state = here(&f);
	named(&f, A_STRUCT, "State", 24);
	shape(&f, word, polled, none);
	close_level(&f);
	for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++)
		named(&f, A_SPACE, path[i], 0);
	holder(&f, "Op", 40, "state", state, 8);
	for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++)
		close_level(&f);
	end(&f);
	type = explore_type(&e, &f, "tokio::runtime::driver::op::Op");
	assert_int_equal(image__types(e.img, &nr)[type].leaf_key, WALK_KEY_OPERATION);
	leaf = image__walk_leaves(e.img, &nr)[walk_type(&e, type)->leaf];
	assert_int_equal(leaf.nr_hops, 0);
	assert_int_equal(leaf.hop[0], 8 + 16);
	assert_int_equal(leaf.value_width, 4);
	done(&e);
	drop(&f);
	return leaf;
}

/* Each state has a number of its own, … */
static void numbered(struct file *f, uint32_t word, uint32_t polled, uint32_t none)
{
	begin_part(f, word, 4);
	variant(f, 0, "Complete", none);
	variant(f, 7, "Polled", polled);
	close_level(f);
}

/* … or all that is not the other's; … */
static void by_niche(struct file *f, uint32_t word, uint32_t polled, uint32_t none)
{
	begin_part(f, word, 20);
	variant(f, 3, "Complete", none);
	default_variant(f, "Polled", polled);
	close_level(f);
}

/* … but what is not any of several others' cannot be told. */
static void by_several(struct file *f, uint32_t word, uint32_t polled, uint32_t none)
{
	begin_part(f, word, 20);
	variant(f, 3, "Complete", none);
	variant(f, 4, "Gone", none);
	default_variant(f, "Polled", polled);
	close_level(f);
}

/* A key in a variant is only read while the enum has that variant. */
static void keys_in_enums(void **state)
{
	struct walk_leaf leaf;

	(void)state;
	leaf = number_in(numbered);
	assert_int_equal(leaf.there_width, 4);
	assert_int_equal(leaf.there_off, 4 - 16);
	assert_int_equal(leaf.there_is, 1);
	assert_int_equal(leaf.there_value, 7);
	leaf = number_in(by_niche);
	assert_int_equal(leaf.there_width, 4);
	assert_int_equal(leaf.there_off, 20 - 16);
	assert_int_equal(leaf.there_is, 0);
	assert_int_equal(leaf.there_value, 3);
	assert_int_equal(number_in(by_several).there_width, 0);
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

/* In core::future::poll_fn, where a type is a future by its name: with one member, or two. */
static void poll_fn(struct file *f, const char *name, uint32_t one, uint32_t two)
{
	named(f, A_STRUCT, name, 64);
	member(f, "a", one, 0);
	if (two)
		member(f, "b", two, 32);
	close_level(f);
}

/* Who has a descriptor in its hands: by value and by reference, but not in another future. */
static void descriptors(void **state)
{
	static const struct {
		const char		*name;
		enum image_descriptor	 want;
	} tests[] = {
		{ "core::future::poll_fn::PollFn<value>", IMAGE_DESCRIPTOR_OWN },
		{ "core::future::poll_fn::PollFn<reference>", IMAGE_DESCRIPTOR_OWN },
		{ "core::future::poll_fn::PollFn<raw>", IMAGE_DESCRIPTOR_NONE },
		{ "core::future::poll_fn::PollFn<beside>", IMAGE_DESCRIPTOR_OWN },
		{ "core::future::poll_fn::PollFn<around>", IMAGE_DESCRIPTOR_NONE },
		{ "core::future::poll_fn::PollFn<handle>", IMAGE_DESCRIPTOR_NONE },
	};
	uint32_t one, two, u64, registration, handle, socket, reference, raw, value;

	(void)state;
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		struct explored e;
		struct file f;
		uint32_t type;

		start(&f);
		two_futures(&f, &one, &two);
		u64 = base(&f, "u64", 8);
		named(&f, A_SPACE, "tokio", 0);
		named(&f, A_SPACE, "runtime", 0);
		named(&f, A_SPACE, "io", 0);
		named(&f, A_SPACE, "registration", 0);
		registration = holder(&f, "Registration", 8, "shared", u64, 0);
		close_level(&f);
		close_level(&f);
		/* the runtime's own knows of all of them */
		handle = holder(&f, "Handle", 8, "registrations", registration, 0);
		close_level(&f);
		close_level(&f);
		socket = holder(&f, "Socket", 8, "registration", registration, 0);
		reference = here(&f);
		pointer(&f, socket, "&mut Socket");
		raw = here(&f);
		pointer(&f, socket, "*mut Socket");
		named(&f, A_SPACE, "core", 0);
		named(&f, A_SPACE, "future", 0);
		named(&f, A_SPACE, "poll_fn", 0);
		value = here(&f);
		poll_fn(&f, "PollFn<value>", socket, 0);
		poll_fn(&f, "PollFn<reference>", reference, 0);
		poll_fn(&f, "PollFn<raw>", raw, 0);
		poll_fn(&f, "PollFn<beside>", one, socket);
		poll_fn(&f, "PollFn<around>", value, 0);
		poll_fn(&f, "PollFn<handle>", handle, one);
		for (int k = 0; k < 3; k++)
			close_level(&f);
		end(&f);
		type = explore_type(&e, &f, tests[i].name);
		if (image__types(e.img, &(size_t){ 0 })[type].descriptor != tests[i].want)
			fail_msg("%s: %d", tests[i].name,
				 image__types(e.img, &(size_t){ 0 })[type].descriptor);
		done(&e);
		drop(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states),
		cmocka_unit_test(niches),
		cmocka_unit_test(keys_in_enums),
		cmocka_unit_test(wrong_discriminants),
		cmocka_unit_test(await_places),
		cmocka_unit_test(circular_item),
		cmocka_unit_test(circular_futures),
		cmocka_unit_test(wide_and_deep),
		cmocka_unit_test(descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
