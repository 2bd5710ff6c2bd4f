/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of a walk, and how a walk reads the target's memory. Reads are made in
 * whole blocks, because the cost is in the call, not in the bytes. Every read that the
 * walk depends on is noted in a recipe; if a later walk finds the same values, it need
 * not walk. This file must not know where a walk goes.
 */
#ifndef DWELL_BLOCK_BPF_H
#define DWELL_BLOCK_BPF_H

#include "maps.bpf.h"

/*
 * Blocks of the target's memory, read into slots of one buffer. The first block, the
 * beginning of the task, has two slots; each later one has one slot and was reached
 * through a pointer.
 */
#define WALK_SLOT	1024
#define WALK_SLOTS	8
#define WALK_BLOCKS	(WALK_SLOTS - 1)

struct walk_block {
	__u64	base;
	__u32	len;
	__u32	pad;
};

/*
 * A recipe: what a walk that stayed within blocks depended on. As long as the
 * discriminants and vtable pointers that it read have the same values, it leads to the
 * same chain.
 */
#define RECIPE_OPS	64

enum recipe_kind {
	RECIPE_IS,		/* the word equals val */
	RECIPE_BEYOND,		/* the word is none of the arg values from val on */
	RECIPE_POINTS,		/* the word minus the base of block arg is val */
	RECIPE_LOAD,		/* the word points to the next block, arg bytes long */
	RECIPE_LOAD_PART,	/* the next block is at val in block arg >> 16 */
};

struct recipe_op {
	__u16	off;		/* of the word, in the buffer */
	__u8	width;
	__u8	kind;
	__u32	arg;
	__u64	val;
};

struct recipe {
	__u32			nr_ops;
	__u32			nr_leaves;
	struct recipe_op	ops[RECIPE_OPS];
	struct {
		__u32	leaf;
		__u32	block;
		__u64	off;			/* relative to the block's base */
	}			leaves[WALK_MAX_KEYS];
};

struct walk_state {
	__u32			busy;		/* in use by a program */
	__u32			nr_blocks;
	__u32			no_recipe;	/* the walk depends on more than the blocks */
	struct walk_chain	chain;
	struct walk_way		way;
	struct walk_block	blocks[WALK_SLOTS];
	struct recipe		recipe;		/* of the current walk */
	__u8			win[WALK_SLOTS * WALK_SLOT + 8];
};

/*
 * Buffers for walks, which are too large for the stack and for per-thread state. The
 * second buffer of a CPU is for a probe that preempts another one in its walk.
 */
#define WALKS	2

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WALKS);
	__type(key, __u32);
	__type(value, struct walk_state);
} walks SEC(".maps") __weak;

static __always_inline struct walk_state *walk_take(__u32 i)
{
	struct walk_state *w = bpf_map_lookup_elem(&walks, &i);

	return w && !__sync_val_compare_and_swap(&w->busy, 0, 1) ? w : NULL;
}

/* NULL: all are in use. Not a loop, because Linux 6.12's verifier cannot bound it. */
static __always_inline struct walk_state *walk_get(void)
{
	struct walk_state *w = walk_take(0);

	return w ? w : walk_take(1);
}

static __always_inline void walk_put(struct walk_state *w)
{
	barrier();
	w->busy = 0;
}

/* ---- reading ---- */

/* In assembly, because the compiler would load byte by byte. */
static __always_inline __u64 load_word(const __u8 *p, __u32 width)
{
	__u64 v;

	asm volatile("%0 = *(u64 *)(%1 + 0)" : "=r"(v) : "r"(p));
	return width < 8 ? v & ((1ull << (8 * (width & 7))) - 1) : v;
}

/* Offset in the buffer of the @width bytes at @addr; -1: they are in no block. */
__noinline int walk_at(struct walk_state *w, __u64 addr, __u32 width)
{
	__u32 n;
	int i;

	if (!w)
		return -1;
	/* most often in the latest block */
	n = w->nr_blocks;
	for (i = 0; i < WALK_BLOCKS; i++) {
		struct walk_block *b;
		__u64 off;

		if (!n)
			break;
		n--;
		b = &w->blocks[n & (WALK_SLOTS - 1)];
		off = addr - b->base;
		if (off < b->len && off + width <= b->len)
			return (n ? (n + 1) * WALK_SLOT : 0) + off;
	}
	return -1;
}

static __always_inline int walk_far(__u64 addr, __u32 width, __u64 *val)
{
	__u64 v = 0;

	if (width == 1 ? bpf_probe_read_user(&v, 1, (void *)addr) :
	    width == 2 ? bpf_probe_read_user(&v, 2, (void *)addr) :
	    width == 4 ? bpf_probe_read_user(&v, 4, (void *)addr) :
			 bpf_probe_read_user(&v, 8, (void *)addr))
		return -1;
	*val = v;
	return 0;
}

/* Read @width (1, 2, 4, 8) bytes at @addr, from a block if one contains them. */
static __always_inline int walk_read(struct walk_state *w, __u64 addr, __u32 width, __u64 *val)
{
	int at = walk_at(w, addr, width);

	if (at < 0)
		return walk_far(addr, width, val);
	/* win has 8 bytes of slack: the masked offset + 8 stays inside. */
	*val = load_word(&w->win[at & (WALK_SLOTS * WALK_SLOT - 1)], width);
	return 0;
}

/* Read @len bytes at @addr as the next block. False: no slot is free, or the read failed. */
static __always_inline bool walk_block(struct walk_state *w, __u64 addr, __u64 len)
{
	__u32 n = w->nr_blocks;
	__u32 slot = n + 1;

	if (n < 1 || n >= WALK_BLOCKS || !len)
		return false;
	if (len > WALK_SLOT)
		len = WALK_SLOT;
	asm volatile("" : "+r"(slot), "+r"(len));
	slot &= WALK_SLOTS - 1;
	len &= 2 * WALK_SLOT - 1;
	n &= WALK_SLOTS - 1;
	w->blocks[n].len = 0;
	if (len > WALK_SLOT ||
	    bpf_probe_read_user(&w->win[slot * WALK_SLOT], len, (void *)addr))
		return false;
	w->blocks[n].base = addr;
	w->blocks[n].len = len;
	w->nr_blocks = n + 1;
	return true;
}

/* ---- recipes: noting what the walk depends on ---- */

static __always_inline void recipe_add(struct walk_state *w, enum recipe_kind kind, int at,
				       __u32 width, __u32 arg, __u64 val)
{
	__u32 n = w->recipe.nr_ops;
	struct recipe_op *op;

	if (n >= RECIPE_OPS || at < 0) {
		w->no_recipe = 1;
		return;
	}
	op = &w->recipe.ops[n & (RECIPE_OPS - 1)];
	op->off = at;
	op->width = width;
	op->kind = kind;
	op->arg = arg;
	op->val = val;
	w->recipe.nr_ops = n + 1;
}

/*
 * Read a word that decides where the walk goes: which of the @nr values from @first on
 * it is, or none of them.
 */
static __always_inline int walk_decide(struct walk_state *w, __u64 addr, __u32 width, __u64 first,
				       __u64 nr, __u64 *val)
{
	int at = walk_at(w, addr, width);

	if (at < 0) {
		w->no_recipe = 1;
		return walk_far(addr, width, val);
	}
	*val = load_word(&w->win[at & (WALK_SLOTS * WALK_SLOT - 1)], width);
	if (*val - first < nr)
		recipe_add(w, RECIPE_IS, at, width, 0, *val);
	else
		recipe_add(w, RECIPE_BEYOND, at, width, nr, first);
	return 0;
}

/*
 * Follow the pointer at @addr to @len bytes; they become a block, unless a block
 * contains them already. w->way.block is the index of that block. *@to is the pointer,
 * 0 if null. -1: the pointer could not be read.
 */
__noinline int walk_pointer(struct walk_state *w, __u64 addr, __u32 len, __u64 *to)
{
	__u64 v, base;
	int at, i;

	if (!w || !to)
		return -1;
	at = walk_at(w, addr, 8);
	if (walk_read(w, addr, 8, &v)) {
		w->no_recipe = 1;
		return -1;
	}
	*to = v;
	if (!v) {
		recipe_add(w, RECIPE_IS, at, 8, 0, 0);
		return 0;
	}
	for (i = 0; i < WALK_BLOCKS; i++) {
		if (i >= w->nr_blocks)
			break;
		base = w->blocks[i].base;
		if (v - base < w->blocks[i].len) {
			w->way.block = i;
			recipe_add(w, RECIPE_POINTS, at, 8, i, v - base);
			return 0;
		}
	}
	if (len > WALK_SLOT)
		len = WALK_SLOT;
	if (!walk_block(w, v, len)) {
		w->no_recipe = 1;
		return 0;
	}
	w->way.block = w->nr_blocks - 1;
	recipe_add(w, RECIPE_LOAD, at, 8, len, 0);
	return 0;
}

/*
 * Read [@addr, @limit), a part of block w->way.block that was not read with it, as far
 * as a slot has room.
 */
static __always_inline void walk_part(struct walk_state *w, __u64 addr, __u64 limit)
{
	__u64 base = w->blocks[w->way.block & (WALK_SLOTS - 1)].base, len = limit - addr;

	if (len > WALK_SLOT)
		len = WALK_SLOT;
	if (walk_block(w, addr, len))
		recipe_add(w, RECIPE_LOAD_PART, 0, 8, w->way.block << 16 | len, addr - base);
}

#endif /* DWELL_BLOCK_BPF_H */
