/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The await-chain walk in the kernel: its tables as maps, its reads by blocks, and the
 * ids of chains. It runs when a poll has returned Pending, on the thread that polled;
 * it reads the target's memory and never writes to it. walk_step.h describes where the
 * walk goes.
 */
#ifndef DWELL_WALK_BPF_H
#define DWELL_WALK_BPF_H

#include "block.bpf.h"

/* The tables, sized and filled by the recorder from the image model. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk_type);
} walk_types SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk_variant);
} walk_variants SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk_arc);
} walk_arcs SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk_leaf);
} walk_leaves SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk_cell);
} walk_cells SEC(".maps") __weak;

/* Vtable address at link time → type. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u32);
} walk_vtables SEC(".maps") __weak;

/* Hash of a chain's tokens → its id. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u32);
} chains SEC(".maps") __weak;

/* Link-time address of a poll function's probe; same index as walk_cells. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} poll_sites SEC(".maps") __weak;

__u32 next_chain __weak;
/*
 * Some task waits for something that its future does not tell: from now on, epoll's
 * events include the tasks whose wakers are registered with the descriptor.
 */
bool wakers_wanted __weak;
__u64 load_bias __weak;		/* run-time minus link-time address */
bool load_bias_known __weak;

/* ---- the functions that walk_step.h requires ---- */

static __always_inline const struct walk_type *walk_type_at(struct walk_state *w, __u32 i)
{
	return bpf_map_lookup_elem(&walk_types, &i);
}

static __always_inline const struct walk_variant *walk_variant_at(struct walk_state *w, __u32 i)
{
	return bpf_map_lookup_elem(&walk_variants, &i);
}

static __always_inline const struct walk_arc *walk_arc_at(struct walk_state *w, __u32 i)
{
	return bpf_map_lookup_elem(&walk_arcs, &i);
}

static __always_inline const struct walk_leaf *walk_leaf_at(struct walk_state *w, __u32 i)
{
	return bpf_map_lookup_elem(&walk_leaves, &i);
}

static __always_inline __u32 walk_vtable_at(struct walk_state *w, __u64 addr)
{
	__u64 vaddr = addr - load_bias;
	__u32 *type = bpf_map_lookup_elem(&walk_vtables, &vaddr);

	return type ? *type : WALK_NONE;
}

static __always_inline void walk_nearby(struct walk_state *w, __u64 addr, __u64 at, __u32 width,
					__u64 limit)
{
	if (walk_at(w, at, width) < 0)
		walk_part(w, at - addr < WALK_SLOT - 8 ? addr : at, limit);
}

static __always_inline void walk_key_push(struct walk_state *w, __u64 addr, __u32 leaf)
{
	__u32 n = w->recipe.nr_leaves;

	w->recipe.leaves[n & (WALK_MAX_KEYS - 1)].leaf = leaf;
	w->recipe.leaves[n & (WALK_MAX_KEYS - 1)].block = w->way.block;
	w->recipe.leaves[n & (WALK_MAX_KEYS - 1)].off =
		addr - w->blocks[w->way.block & (WALK_SLOTS - 1)].base;
	w->recipe.nr_leaves = n + 1;
}

static __always_inline void walk_visit(struct walk_state *w, __u64 addr, __u32 type, __u32 variant)
{
}

/* A recipe is only possible if the task's header has been read as the first block. */
static __always_inline void walk_begin(struct walk_state *w)
{
	w->no_recipe = w->nr_blocks != 1;
	w->recipe.nr_ops = 0;
	w->recipe.nr_leaves = 0;
}

static __always_inline void walk_stray(struct walk_state *w)
{
	w->no_recipe = 1;
}

#define WALK_FN __noinline	/* verified by itself: see GLOBAL_FN */
#include "walk_step.h"

/* Read the beginning of the task at @header as the first block, as long as the cell says. */
static __always_inline void walk_window(struct walk_state *w, __u64 header,
					const struct walk_cell *cell)
{
	__u32 len = cell->window;

	w->nr_blocks = 0;
	if (!len)
		return;
	if (len > WALK_WINDOW)
		len = WALK_WINDOW;
	if (!bpf_probe_read_user(w->win, len, (void *)header)) {
		w->blocks[0].base = header;
		w->blocks[0].len = len;
		w->nr_blocks = 1;
	}
}

/* ---- chains ---- */

/* The id of the chain just walked; 0: none. A new chain is defined by an event. */
__noinline int walk_intern(struct thread *t, struct walk_state *w, __u64 ts, __u32 tid, __u32 fn)
{
	__u32 slot, id, *known;
	struct raw_chain *def;
	__u64 hash;

	if (!t || !w)
		return 0;
	hash = w->chain.hash;
	slot = hash & (THREAD_CHAINS - 1);
	if (t->chains[slot].hash == hash)
		return t->chains[slot].id;
	known = bpf_map_lookup_elem(&chains, &hash);
	if (known) {
		id = *known;
		goto remember;
	}
	id = __sync_fetch_and_add(&next_chain, 1) + 1;
	if (bpf_map_update_elem(&chains, &hash, &id, BPF_NOEXIST)) {
		known = bpf_map_lookup_elem(&chains, &hash);
		if (!known) {
			count_loss(LOSS_CHAIN_MAP);
			return 0;
		}
		id = *known;
		goto remember;
	}
	def = event_reserve(sizeof(*def), ts, tid, RAW_CHAIN);
	if (!def) {
		/* Not defined: the next program that meets this chain tries again. */
		bpf_map_delete_elem(&chains, &hash);
		return 0;
	}
	def->hdr.nr = w->chain.nr_tokens;
	def->chain = id;
	def->fn = fn;
	__builtin_memcpy(def->tokens, w->chain.tokens, sizeof(def->tokens));
	event_submit(def);
remember:
	t->chains[slot].hash = hash;
	t->chains[slot].id = id;
	return id;
}

#endif /* DWELL_WALK_BPF_H */
