// SPDX-License-Identifier: GPL-2.0
/*
 * The walk from outside and the reading of its tokens, on random tables and memory:
 * the reader must find the same subtrees as the walk, silent ones too, the same
 * gaps, and the same end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "inspect/walk.h"
#include "record/chain.h"
#include "tests/unit/random_walks.h"

/* The memory that is walked. */
static uint64_t memory[65536] __attribute__((aligned(16)));

static unsigned int gaps_called(const struct trace_node *nodes, uint32_t nr, const char *name)
{
	unsigned int found = 0;

	for (uint32_t i = 0; i < nr; i++)
		found += nodes[i].kind == TRACE_NODE_GAP && !strcmp(nodes[i].name, name);
	return found;
}

static unsigned int tokens_of(const struct walk_chain *a, uint32_t token)
{
	unsigned int found = 0;

	for (uint32_t i = 0; i < a->nr_tokens; i++)
		found += a->tokens[i] == token;
	return found;
}

/* Each subtree is the child of one node; what is on top has none. */
static void check_shape(const struct trace_node *nodes, uint32_t nr)
{
	uint32_t children = 0;

	for (uint32_t i = 0; i < nr; i++)
		children += nodes[i].nr_children;
	assert_true(!nr || children < nr);
}

static void agree(void **state)
{
	static const struct {
		uint32_t	 token;
		const char	*name;
	} gaps[] = {
		{ WALK_GAP_FAULT, "memory could not be read" },
		{ WALK_GAP_VTABLE, "dyn Future of unknown type" },
		{ WALK_GAP_STATE, "state without a variant" },
		{ WALK_GAP_LAYOUT, "layout unknown" }, { WALK_GAP_NULL, "null pointer" },
		{ WALK_GAP_MORE, "more futures than are followed" },
	};
	static struct trace_node nodes[CHAIN_MAX_NODES], less[CHAIN_MAX_NODES];
	struct process self = { .pid = getpid() };
	unsigned int ended = 0, whole = 0, keyed;
	uint64_t seed = 7;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct walk_cell cell = { .size = ROOM,
					  .root_type = (uint32_t)below(&seed, NR_TYPES) };
		struct image *img = random_image(&seed);
		struct walk_answer a;
		struct walker *walker;
		uint32_t nr, nr_less;

		assert_non_null(img);
		walker = walker__new(img, &self, 0);
		assert_non_null(walker);
		if (round % 50 == 0)
			random_memory(&seed, memory, sizeof(memory) / sizeof(memory[0]), 0);
		walker__task(walker, &cell, (uintptr_t)&memory[2 * below(&seed, 1000)], NULL, 0,
			     &a);
		walker__free(walker);
		nr = chain_resolve(img, a.chain.tokens, a.chain.nr_tokens, nodes, NULL);
		check_shape(nodes, nr);
		for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++)
			if (gaps_called(nodes, nr, gaps[i].name) !=
			    tokens_of(&a.chain, gaps[i].token))
				fail_msg("round %d: %u times '%s', %u tokens", round,
					 gaps_called(nodes, nr, gaps[i].name), gaps[i].name,
					 tokens_of(&a.chain, gaps[i].token));
		/* where the walk has ended is known, and it ended nowhere else */
		assert_int_equal(!!gaps_called(nodes, nr, "chain too deep"),
				 tokens_of(&a.chain, WALK_GAP_DEPTH));
		ended += tokens_of(&a.chain, WALK_GAP_DEPTH);
		whole += !tokens_of(&a.chain, WALK_GAP_DEPTH);
		keyed = 0;
		for (uint32_t i = 0; i < nr; i++)
			keyed += nodes[i].key_index != 0xff;
		assert_int_equal(keyed, a.chain.nr_keys);
		/* and every token is read */
		nr_less = chain_resolve(img, a.chain.tokens, a.chain.nr_tokens - 1, less, NULL);
		assert_true(gaps_called(less, nr_less, "chain too deep") > 0);
		image__free(img);
	}
	print_message("%u chains whole, %u cut\n", whole, ended);
	assert_true(ended > 100 && whole > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
