// SPDX-License-Identifier: GPL-2.0
/*
 * The adapters' digest: it changes if anything in an adapter changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/runtime.h"

static uint64_t digest_of(const struct runtime *rt)
{
	const struct runtime *const list[] = { rt, NULL };

	return runtimes__digest(list);
}

#define ARRAY(member, type)							\
	do {									\
		struct runtime rt = runtime_tokio;				\
		static type copy[512];						\
		size_t nr = rt.nr_##member;					\
										\
		assert_in_range(nr, 2, 512);					\
		memcpy(copy, rt.member, nr * sizeof(*copy));			\
		rt.member = copy;						\
		assert_int_equal(digest_of(&rt), was);				\
		rt.nr_##member--;						\
		assert_int_not_equal(digest_of(&rt), was);			\
		rt.nr_##member++;						\
		copy[0] = rt.member[1];						\
		copy[1] = ((const struct runtime *)&runtime_tokio)->member[0];	\
		assert_int_not_equal(digest_of(&rt), was);			\
	} while (0)

static void arrays(void **state)
{
	uint64_t was = digest_of(&runtime_tokio);

	(void)state;
	ARRAY(fns, struct runtime_fn);
	ARRAY(leaves, struct runtime_leaf);
	ARRAY(wrappers, struct runtime_wrapper);
	ARRAY(layouts, struct runtime_layout);
}

/* Each text of a leaf, and each number. */
static void leaf(void **state)
{
	uint64_t was = digest_of(&runtime_tokio);
	struct runtime rt = runtime_tokio;
	struct runtime_leaf one = rt.leaves[0], changed[7];

	(void)state;
	for (size_t i = 0; i < 7; i++)
		changed[i] = one;
	rt.nr_leaves = 1;
	rt.leaves = &one;
	was = digest_of(&rt);
	changed[0].type = "another";
	changed[1].key = WALK_KEY_YIELD;
	changed[2].dir = 3;
	changed[3].key_path = "elsewhere";
	changed[4].dir_path = "";
	changed[5].dir_write = 8;
	changed[6].search_io = !one.search_io;
	for (size_t i = 0; i < 7; i++) {
		rt.leaves = &changed[i];
		assert_int_not_equal(digest_of(&rt), was);
	}
}

static void several(void **state)
{
	const struct runtime *const once[] = { &runtime_tokio, NULL };
	const struct runtime *const twice[] = { &runtime_tokio, &runtime_tokio, NULL };

	(void)state;
	assert_int_equal(runtimes__digest(once), runtimes__digest(once));
	assert_int_not_equal(runtimes__digest(once), runtimes__digest(twice));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrays),
		cmocka_unit_test(leaf),
		cmocka_unit_test(several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
