/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Walks that are remembered: a recipe says what a walk depended on, and what
 * it came to. If all of that stands where it did, there is no need to walk.
 */
#ifndef DWELL_RECIPE_BPF_H
#define DWELL_RECIPE_BPF_H

#include "walk.bpf.h"

/*
 * Recipes in groups, one group for a task type. They are written once: a
 * reader on another CPU finds a whole one or none.
 */
struct known_recipe {
	__u32		ready;
	__u32		busy;	/* of a group's first: somebody adds to the group */
	__u32		chain;
	__u32		pad;
	struct recipe	recipe;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);			/* set before load */
	__type(key, __u32);
	__type(value, struct known_recipe);
} recipes SEC(".maps") __weak;

/* The same where another recipe may have read it just now. */
static __always_inline bool recipe_block(struct walk_state *w, __u64 addr, __u64 len, __u32 read)
{
	__u32 n = w->nr_blocks;
	struct walk_block *b = &w->blocks[n & (WALK_SLOTS - 1)];

	if (n < read && b->base == addr && b->len == len) {
		w->nr_blocks = n + 1;
		return true;
	}
	return walk_block(w, addr, len);
}

/*
 * Does all that @r's walk depended on stand there as it did? Read already are
 * the task's block, and those that a recipe tried before has come to.
 */
__noinline int recipe_holds(struct walk_state *w, struct recipe *r)
{
	__u32 read;
	int i;

	if (!w || !r || w->nr_blocks < 1)
		return 0;
	read = w->nr_blocks;
	w->nr_blocks = 1;
	for (i = 0; i < RECIPE_OPS; i++) {
		struct recipe_op *op = &r->ops[i];
		__u32 block = op->arg;
		__u64 v;

		if (i >= r->nr_ops)
			break;
		v = load_word(&w->win[op->off & (WALK_SLOTS * WALK_SLOT - 1)], op->width);
		switch (op->kind) {
		case RECIPE_IS:
			if (v != op->val)
				return 0;
			break;
		case RECIPE_BEYOND:
			if (v - op->val < op->arg)
				return 0;
			break;
		case RECIPE_POINTS:
			if (v - w->blocks[block & (WALK_SLOTS - 1)].base != op->val)
				return 0;
			break;
		case RECIPE_LOAD:
			if (!recipe_block(w, v, op->arg, read))
				return 0;
			break;
		default:
			v = w->blocks[(block >> 16) & (WALK_SLOTS - 1)].base + op->val;
			if (!recipe_block(w, v, op->arg & 0xffff, read))
				return 0;
			break;
		}
	}
	return 1;
}

static __always_inline struct known_recipe *recipe_of(__u32 group, __u32 way)
{
	__u32 i = (group - 1) * RECIPE_WAYS + (way & (RECIPE_WAYS - 1));

	return bpf_map_lookup_elem(&recipes, &i);
}

/*
 * The chain of a task of group @group by one of its recipes, the last one that
 * held on this thread first; *@chain is its id and the keys are read anew.
 * False: it has to be walked.
 */
static __always_inline bool recipe_follow(struct thread *t, struct walk_state *w, __u32 group,
					  __u32 *chain)
{
	__u8 *last = &t->last_recipe[group & (LAST_RECIPES - 1)];
	struct known_recipe *k;
	__u32 way;
	int i, n;

	if (!group)
		return false;
	for (n = 0; n < RECIPE_WAYS; n++) {
		way = *last + n;
		k = recipe_of(group, way);
		if (!k || !k->ready || !recipe_holds(w, &k->recipe))
			continue;
		*last = way;
		w->chain.nr_keys = 0;
		w->recipe.nr_leaves = 0;
		for (i = 0; i < WALK_MAX_KEYS; i++) {
			if (i >= k->recipe.nr_leaves)
				break;
			w->way.block = k->recipe.leaves[i].block & (WALK_SLOTS - 1);
			walk_leaf_key(w, w->blocks[w->way.block & (WALK_SLOTS - 1)].base +
					 k->recipe.leaves[i].off, k->recipe.leaves[i].leaf);
		}
		*chain = k->chain;
		return true;
	}
	w->nr_blocks = w->nr_blocks ? 1 : 0;
	return false;
}

/* Remember the walk just done, if it can be told again and there is room. */
static __always_inline void recipe_learn(struct walk_state *w, __u32 group, __u32 chain)
{
	struct known_recipe *first, *k;
	int n, same = 0;

	if (w->no_recipe || w->way.cut || !chain || !group)
		return;
	first = recipe_of(group, 0);
	if (!first || __sync_val_compare_and_swap(&first->busy, 0, 1))
		return;
	for (n = 0; n < RECIPE_WAYS; n++) {
		k = recipe_of(group, n);
		if (!k)
			break;
		if (k->ready) {
			/* Threads that come to it together learn it together. Some have two. */
			same += k->chain == chain;
			if (same == 2)
				break;
			continue;
		}
		/* too large for the copy that the compiler makes of an assignment */
		bpf_probe_read_kernel(&k->recipe, sizeof(k->recipe), &w->recipe);
		k->chain = chain;
		barrier();	/* x86-64 keeps the order of stores */
		k->ready = 1;
		break;
	}
	first->busy = 0;
}

#endif /* DWELL_RECIPE_BPF_H */
