// SPDX-License-Identifier: GPL-2.0
/*
 * The walk from outside and the reading of its answer, on random tables and
 * random memory: whoever reads the tokens must come to the same subtrees, also
 * to those that are silent, to the same gaps, and to the same end.
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

#include "image/model.h"
#include "record/chain.h"
#include "record/walk.h"
#include "tests/unit/trace_random.h"

#define NR_TYPES	24
#define ROOM		4096	/* bytes of a type at most */

/* Words of 16 bytes: a small number, then a pointer to one of these, or none, or nonsense. */
static uint64_t memory[65536] __attribute__((aligned(16)));

static void fill(uint64_t *seed)
{
	size_t nr = sizeof(memory) / sizeof(memory[0]);

	for (size_t i = 0; i < nr; i += 2) {
		uint64_t what = below(seed, 40);
		size_t to = 2 * below(seed, (nr - 2 * ROOM / 8) / 2);

		memory[i] = below(seed, 4);
		memory[i + 1] = what == 0 ? 0 : what == 1 ? 64 : (uintptr_t)&memory[to];
	}
}

static struct walk_arc random_arc(uint64_t *seed, unsigned int index)
{
	static const uint8_t modes[] = { WALK_ARC_INLINE, WALK_ARC_INLINE, WALK_ARC_INLINE,
					 WALK_ARC_PTR, WALK_ARC_DYN, WALK_ARC_PTR2 };
	struct walk_arc a = { .mode = modes[below(seed, 6)] };

	a.type = (uint32_t)below(seed, NR_TYPES);
	a.off = 16 * (uint32_t)below(seed, 8) + (a.mode == WALK_ARC_INLINE ? 0 : 8);
	a.index = (uint8_t)index;
	return a;
}

/* A slice or a list: an arc for each element that is followed, and one for the rest. */
static void add_elements(struct model *m, uint64_t *seed, struct walk_variant *v)
{
	struct walk_arc a = { .mode = (uint8_t)(below(seed, 2) ? WALK_ARC_SLICE : WALK_ARC_LIST),
			      .type = (uint32_t)below(seed, NR_TYPES), .off = 8, .next = 8,
			      .item = 16 };

	v->nr_arcs = WALK_MAX_BRANCHES;
	v->first_arc = model__add(m, MODEL_WALK_ARCS, WALK_MAX_BRANCHES);
	for (unsigned int i = 0; i < WALK_MAX_BRANCHES; i++) {
		a.index = (uint8_t)(i < WALK_MAX_BRANCHES - 1 ? i : i | WALK_ARC_REST);
		*(struct walk_arc *)model__at(m, MODEL_WALK_ARCS, v->first_arc + i) = a;
	}
}

static void add_arcs(struct model *m, uint64_t *seed, struct walk_variant *v, unsigned int most)
{
	struct walk_arc a;

	v->arc_type = WALK_NONE;
	v->nr_arcs = (uint8_t)below(seed, most + 1);
	if (most > 2 && !below(seed, 12)) {
		add_elements(m, seed, v);
	} else if (v->nr_arcs == 1) {
		a = random_arc(seed, 0);
		v->arc_type = a.type;
		v->arc_off = a.off;
		v->arc_mode = a.mode;
	} else if (v->nr_arcs) {
		v->first_arc = model__add(m, MODEL_WALK_ARCS, v->nr_arcs);
		for (unsigned int i = 0; i < v->nr_arcs; i++)
			*(struct walk_arc *)model__at(m, MODEL_WALK_ARCS, v->first_arc + i) =
				random_arc(seed, i);
	}
}

static void add_type(struct model *m, uint64_t *seed, uint32_t type, unsigned int most)
{
	static const uint8_t kinds[] = { IMAGE_TYPE_WRAPPER, IMAGE_TYPE_FN, IMAGE_TYPE_LEAF,
					 IMAGE_TYPE_TRANSPARENT };
	uint32_t nr = below(seed, 2) ? 1 : 1 + (uint32_t)below(seed, 3);
	uint32_t first = model__add(m, MODEL_WALK_VARIANTS, nr);
	struct walk_type *wt = model__at(m, MODEL_WALK_TYPES, type);
	struct image_type *it = model__at(m, MODEL_TYPES, type);

	assert_int_equal(model__add(m, MODEL_VARIANTS, nr), first);
	it->kind = kinds[below(seed, 4)];
	it->shortname = model__str(m, "type");
	*wt = (struct walk_type){ .size = ROOM, .first_variant = first, .nr_variants = nr,
				  .default_variant = WALK_NONE, .leaf = WALK_NONE };
	if (below(seed, 2))
		wt->leaf = 0;
	if (nr > 1 || !below(seed, 4)) {
		wt->disc_width = 8;
		wt->disc_off = 16 * (uint32_t)below(seed, 4);
		wt->default_variant = below(seed, 3) ? first : WALK_NONE;
	}
	for (uint32_t i = 0; i < nr; i++) {
		struct walk_variant v = { .flags = 0 };

		add_arcs(m, seed, &v, most);
		v.flags = !v.nr_arcs && !below(seed, 6)	? WALK_VARIANT_DONE :
			  !below(seed, 20)		? WALK_VARIANT_HOLE : 0;
		*(struct walk_variant *)model__at(m, MODEL_WALK_VARIANTS, first + i) = v;
		((struct image_variant *)model__at(m, MODEL_VARIANTS, first + i))->type = type;
	}
}

/* An image of such types: few arcs make long chains, many make wide ones. */
static struct image *random_image(uint64_t *seed)
{
	unsigned int most = 1 + (unsigned int)below(seed, 7);
	struct model_block *block;
	struct model m;

	model__init(&m);
	model__add(&m, MODEL_TYPES, NR_TYPES);
	model__add(&m, MODEL_WALK_TYPES, NR_TYPES);
	model__add(&m, MODEL_WALK_LEAVES, 1);
	((struct walk_leaf *)model__at(&m, MODEL_WALK_LEAVES, 0))->key = WALK_KEY_ADDRESS;
	for (uint32_t i = 0; i < NR_TYPES; i++)
		add_type(&m, seed, i, most);
	block = model__freeze(&m, 1);
	model__free(&m);
	assert_non_null(block);
	return image__adopt(block, block->size, false, "none");
}

static unsigned int gaps_called(const struct trace_node *nodes, uint32_t nr, const char *name)
{
	unsigned int found = 0;

	for (uint32_t i = 0; i < nr; i++)
		found += nodes[i].kind == TRACE_NODE_GAP && !strcmp(nodes[i].name, name);
	return found;
}

static unsigned int tokens_of(const struct walk_answer *a, uint32_t token)
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
	struct target self = { .pid = getpid() };
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
			fill(&seed);
		walker__task(walker, &cell, (uintptr_t)&memory[2 * below(&seed, 1000)], NULL, 0,
			     &a);
		walker__free(walker);
		nr = chain_resolve(img, a.tokens, a.nr_tokens, nodes);
		check_shape(nodes, nr);
		for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++)
			if (gaps_called(nodes, nr, gaps[i].name) != tokens_of(&a, gaps[i].token))
				fail_msg("round %d: %u times '%s', %u tokens", round,
					 gaps_called(nodes, nr, gaps[i].name), gaps[i].name,
					 tokens_of(&a, gaps[i].token));
		/* where the walk has ended is known, and it ended nowhere else */
		assert_int_equal(!!gaps_called(nodes, nr, "chain too deep"),
				 tokens_of(&a, WALK_GAP_DEPTH));
		ended += tokens_of(&a, WALK_GAP_DEPTH);
		whole += !tokens_of(&a, WALK_GAP_DEPTH);
		keyed = 0;
		for (uint32_t i = 0; i < nr; i++)
			keyed += nodes[i].key_index != 0xff;
		assert_int_equal(keyed, a.nr_keys);
		/* and every token is read */
		nr_less = chain_resolve(img, a.tokens, a.nr_tokens - 1, less);
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
