/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Remembered walks. A recipe holds what a walk depended on and the chain that it led
 * to. If everything that it depended on still has the same values, the walk can be
 * skipped.
 */
#ifndef DWELL_RECIPE_BPF_H
#define DWELL_RECIPE_BPF_H

#include "walk.bpf.h"

/*
 * Recipes are grouped by type of task. A recipe is written once, so a reader on another
 * CPU sees a complete one or none.
 */
struct known_recipe {
	__u32		ready;
	__u32		busy;	/* of the group's first: the group is being extended */
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

/* Read a block, unless the previous recipe has read it already. */
__noinline int recipe_block(struct walk_state *w, __u64 addr, __u64 len, __u32 read)
{
	struct walk_block *b;
	__u32 n;

	if (!w)
		return false;
	n = w->nr_blocks;
	b = &w->blocks[n & (WALK_SLOTS - 1)];
	if (n < read && b->base == addr && b->len == len) {
		w->nr_blocks = n + 1;
		return true;
	}
	return walk_block(w, addr, len);
}

/* Has what @op names the same value? @read: blocks that the previous recipe has read. */
__noinline int recipe_op_holds(struct walk_state *w, const struct recipe_op *op, __u32 read)
{
	__u32 block;
	__u64 v;

	if (!w || !op)
		return 0;
	block = op->arg;
	v = load_word(&w->win[op->off & (WALK_SLOTS * WALK_SLOT - 1)], op->width);
	switch (op->kind) {
	case RECIPE_IS:
		return v == op->val;
	case RECIPE_BEYOND:
		return v - op->val >= op->arg;
	case RECIPE_POINTS:
		return v - w->blocks[block & (WALK_SLOTS - 1)].base == op->val;
	case RECIPE_LOAD:
		return recipe_block(w, v, op->arg, read);
	default:
		v = w->blocks[(block >> 16) & (WALK_SLOTS - 1)].base + op->val;
		return recipe_block(w, v, op->arg & 0xffff, read);
	}
}

/*
 * Does everything that @r depends on have the same values? The task's block has been
 * read; so have the blocks of the recipe that was tried before.
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
		if (i >= r->nr_ops)
			break;
		if (!recipe_op_holds(w, &r->ops[i], read))
			return 0;
	}
	return 1;
}

static __always_inline struct known_recipe *recipe_of(__u32 group, __u32 way)
{
	__u32 i = (group - 1) * RECIPE_WAYS + (way & (RECIPE_WAYS - 1));

	return bpf_map_lookup_elem(&recipes, &i);
}

/*
 * Find the chain of a task of group @group by one of its recipes, beginning with the
 * one that matched last on this thread. Returns its id; the keys are read again. 0: no
 * recipe matches, the task has to be walked.
 */
__noinline int recipe_follow(struct thread *t, struct walk_state *w, __u32 group)
{
	struct known_recipe *k;
	__u8 *last;
	__u32 way;
	int i, n;

	if (!t || !w || !group)
		return 0;
	last = &t->last_recipe[group & (LAST_RECIPES - 1)];
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
		return k->chain;
	}
	w->nr_blocks = w->nr_blocks ? 1 : 0;
	return 0;
}

/* Remember the current walk, if it is repeatable and the group has room. */
__noinline int recipe_learn(struct walk_state *w, __u32 group, __u32 chain)
{
	struct known_recipe *first, *k;
	int n, same = 0;

	if (!w || w->no_recipe || w->way.truncated || !chain || !group)
		return 0;
	first = recipe_of(group, 0);
	if (!first || __sync_val_compare_and_swap(&first->busy, 0, 1))
		return 0;
	for (n = 0; n < RECIPE_WAYS; n++) {
		k = recipe_of(group, n);
		if (!k)
			break;
		if (k->ready) {
			/*
			 * Several threads may add the same walk at the same time; a chain gets
			 * two recipes at most.
			 */
			same += k->chain == chain;
			if (same == 2)
				break;
			continue;
		}
		/* too large for an assignment, which the compiler would do on the stack */
		bpf_probe_read_kernel(&k->recipe, sizeof(k->recipe), &w->recipe);
		k->chain = chain;
		barrier();	/* enough on x86-64, which keeps stores in order */
		k->ready = 1;
		break;
	}
	first->busy = 0;
	return 0;
}

#endif /* DWELL_RECIPE_BPF_H */
