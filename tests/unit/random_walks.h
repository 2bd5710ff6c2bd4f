/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random walk tables and random memory, by seed, for tests of the await-chain walk:
 * chains and trees of futures that lead on, into each other, into nothing and into
 * nonsense.
 */
#ifndef DWELL_TEST_RANDOM_WALKS_H
#define DWELL_TEST_RANDOM_WALKS_H

#include <stdint.h>
#include <stdlib.h>

#include "image/model.h"
#include "tests/unit/trace_random.h"

#define NR_TYPES	24
#define NR_LEAVES	6
#define NR_VTABLES	16
#define ROOM		4096	/* bytes of a type at most */
#define VTABLES		0x5000	/* link-time address of the first; 32 bytes each */
#define NOWHERE		(1u << 20)	/* index beyond any table */

/*
 * Words of 16 bytes: a small number, then a pointer to one of these, or none, or
 * nonsense, or a vtable's address. @memory has @nr words, and nothing behind it may be
 * readable: some pointers lead to its last bytes.
 */
static inline void random_word(uint64_t *seed, uint64_t *memory, size_t nr, size_t i, uint64_t bias)
{
	uint64_t what = below(seed, 60);
	size_t to = 2 * below(seed, what < 4 ? 8 : nr / 2);

	memory[i] = below(seed, 4);
	if (what < 4)
		to = nr - 2 - to;
	switch (what) {
	case 10:
		memory[i + 1] = 0;
		break;
	case 11:
		memory[i + 1] = 64;
		break;
	case 12:
		memory[i + 1] = any(seed);
		break;
	case 13:
		memory[i + 1] = UINT64_MAX - below(seed, 64);
		break;
	case 14 ... 24:
		memory[i + 1] = bias + VTABLES + 32 * below(seed, NR_VTABLES + 1);
		break;
	default:
		memory[i + 1] = (uintptr_t)&memory[to];
	}
	/* the vtable of what the word points to is the next word */
	if (!below(seed, 8))
		memory[i] = bias + VTABLES + 32 * below(seed, NR_VTABLES);
}

static inline void random_memory(uint64_t *seed, uint64_t *memory, size_t nr, uint64_t bias)
{
	for (size_t i = 0; i < nr; i += 2)
		random_word(seed, memory, nr, i, bias);
}

static inline struct walk_arc random_arc(uint64_t *seed, unsigned int index)
{
	static const uint8_t modes[] = { WALK_ARC_INLINE, WALK_ARC_INLINE, WALK_ARC_INLINE,
					 WALK_ARC_PTR, WALK_ARC_DYN, WALK_ARC_PTR2 };
	struct walk_arc a = { .mode = modes[below(seed, 6)] };

	a.type = below(seed, 200) ? (uint32_t)below(seed, NR_TYPES) : NOWHERE;
	a.off = 16 * (uint32_t)below(seed, 8) + (a.mode == WALK_ARC_INLINE ? 0 : 8);
	a.index = (uint8_t)index;
	return a;
}

/* A slice or a list: an arc for each element that is followed, and one for the rest. */
static inline void add_elements(struct model *m, uint64_t *seed, struct walk_variant *v)
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

static inline void add_arcs(struct model *m, uint64_t *seed, struct walk_variant *v,
			    unsigned int most)
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

static inline void add_type(struct model *m, uint64_t *seed, uint32_t type, unsigned int most)
{
	static const uint8_t kinds[] = { IMAGE_TYPE_WRAPPER, IMAGE_TYPE_FN, IMAGE_TYPE_LEAF,
					 IMAGE_TYPE_TRANSPARENT };
	uint32_t nr = below(seed, 2) ? 1 : 1 + (uint32_t)below(seed, 3);
	uint32_t first = model__add(m, MODEL_WALK_VARIANTS, nr);
	struct walk_type *wt = model__at(m, MODEL_WALK_TYPES, type);
	struct image_type *it = model__at(m, MODEL_TYPES, type);

	if (model__add(m, MODEL_VARIANTS, nr) != first)
		abort();
	it->kind = kinds[below(seed, 4)];
	it->shortname = model__str(m, "type");
	*wt = (struct walk_type){ .size = ROOM, .first_variant = first, .nr_variants = nr,
				  .default_variant = WALK_NONE, .leaf = WALK_NONE };
	if (below(seed, 2))
		wt->leaf = (uint32_t)below(seed, NR_LEAVES);
	if (!below(seed, 4))
		wt->flags = WALK_TYPE_OPAQUE;
	if (!below(seed, 8))
		wt->size = 16 * (uint32_t)below(seed, 300);
	if (nr > 1 || !below(seed, 4)) {
		wt->disc_width = (uint8_t)(1u << below(seed, 4));
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

static inline struct walk_leaf random_leaf(uint64_t *seed)
{
	static const uint8_t kinds[] = { WALK_KEY_IO, WALK_KEY_DEADLINE, WALK_KEY_TASK,
					 WALK_KEY_ADDRESS, WALK_KEY_YIELD };
	struct walk_leaf l = { .key = kinds[below(seed, 5)],
			       .nr_hops = (uint8_t)below(seed, WALK_MAX_HOPS) };

	for (unsigned int i = 0; i < l.nr_hops; i++)
		l.hop[i] = 8 + 16 * (uint32_t)below(seed, 4);
	l.hop[l.nr_hops] = 8 * (uint32_t)below(seed, 4);
	if (l.key == WALK_KEY_IO && below(seed, 2)) {
		l.dir_width = (uint8_t)(1u << below(seed, 4));
		l.dir_off = 16 * (uint32_t)below(seed, 4);
	} else if (l.key == WALK_KEY_IO) {
		l.dir = (uint8_t)below(seed, 4);
	}
	/* a number of one width or another, or an address */
	if (l.key == WALK_KEY_IO && l.hop[l.nr_hops])
		l.value_width = (uint8_t)(1u << l.hop[l.nr_hops] / 8);
	if (l.value_width)
		l.add = (uint8_t)below(seed, 3);
	/* in an enum, whose discriminant is before or behind it */
	if (l.hop[l.nr_hops] && below(seed, 2)) {
		l.there_width = (uint8_t)(1u << below(seed, 4));
		l.there_off = below(seed, 2) ? -8 : 8;
		l.there_is = (uint8_t)below(seed, 2);
		l.there_value = (uint32_t)below(seed, 3);
	}
	return l;
}

/* An image of such types: few arcs make long chains, many make wide ones. */
static inline struct image *random_image(uint64_t *seed)
{
	unsigned int most = 1 + (unsigned int)below(seed, 7);
	struct model_block *block;
	struct model m;

	model__init(&m);
	model__add(&m, MODEL_TYPES, NR_TYPES);
	model__add(&m, MODEL_WALK_TYPES, NR_TYPES);
	model__add(&m, MODEL_WALK_LEAVES, NR_LEAVES);
	for (uint32_t i = 0; i < NR_LEAVES; i++)
		*(struct walk_leaf *)model__at(&m, MODEL_WALK_LEAVES, i) = random_leaf(seed);
	model__add(&m, MODEL_VTABLES, NR_VTABLES);
	for (uint32_t i = 0; i < NR_VTABLES; i++)
		*(struct image_vtable *)model__at(&m, MODEL_VTABLES, i) = (struct image_vtable){
			.vaddr = VTABLES + 32 * i, .type = (uint32_t)below(seed, NR_TYPES) };
	for (uint32_t i = 0; i < NR_TYPES; i++)
		add_type(&m, seed, i, most);
	block = model__freeze(&m, 1);
	model__free(&m);
	if (!block)
		abort();
	return image__adopt(block, block->size, false, "none");
}

#endif /* DWELL_TEST_RANDOM_WALKS_H */
