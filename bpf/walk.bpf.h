/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The await-chain walk: from a task's header to the leaves that it waits for,
 * through the tables of walk.h. Runs at the end of a poll that returned
 * Pending, on the thread that polled; reads the target's memory, never writes.
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

/* Link-time address of a poll function's probe site, by the same index as walk_cells. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} poll_sites SEC(".maps") __weak;

__u32 next_chain __weak;
/*
 * Some task waits for what its future does not tell: from now on epoll's
 * events have to say whose wakers are registered with a descriptor.
 */
bool wakers_wanted __weak;
__u64 load_bias __weak;		/* run-time minus link-time address */
bool load_bias_known __weak;

/*
 * Functions that are not static are verified once, each by itself, and not once
 * for every path that leads to them: loading takes milliseconds, not seconds.
 * They return int because older verifiers want a scalar.
 */

static __always_inline void walk_token(struct walk_state *w, __u32 token)
{
	__u32 n = w->nr_tokens;

	if (n < WALK_MAX_TOKENS) {
		w->tokens[n & (WALK_MAX_TOKENS - 1)] = token;
		w->nr_tokens = n + 1;
		/* FNV-like; a multiply per token is all it costs. */
		w->hash = (w->hash ^ token) * 0x9e3779b97f4a7c15ull;
		w->hash ^= w->hash >> 29;
	}
}

static __always_inline void walk_push(struct walk_state *w, __u64 addr, __u64 limit, __u32 type,
				      __u32 mode)
{
	struct walk_todo *t;

	if (w->nr_todo >= WALK_MAX_TODO) {
		/* What is missing cannot be put in its place: the walk ends here. */
		w->cut = 1;
		return;
	}
	t = &w->todo[w->nr_todo & (WALK_MAX_TODO - 1)];
	t->addr = addr;
	t->limit = limit;
	t->type = type;
	t->block = w->block;
	t->mode = mode;
	w->nr_todo++;
}

/* A gap, or what stands for nothing, in place of a subtree. */
static __always_inline void walk_push_gap(struct walk_state *w, __u32 gap)
{
	walk_push(w, 0, 0, gap, WALK_ARC_PTR);
}

/* Append the leaf's key, 0 if it cannot be read, so that keys stay in order. */
__noinline int walk_leaf_key(struct walk_state *w, __u64 addr, __u32 index)
{
	struct walk_leaf *leaf = bpf_map_lookup_elem(&walk_leaves, &index);
	__u64 key = 0, dir = 0, v;
	__u64 at = addr;
	__u32 n;
	int i;

	if (!w || !leaf)
		return 0;
	n = w->nr_keys;
	if (n >= WALK_MAX_KEYS)
		return 0;
	w->nr_keys = n + 1;
	w->recipe.leaves[n & (WALK_MAX_KEYS - 1)].leaf = index;
	w->recipe.leaves[n & (WALK_MAX_KEYS - 1)].block = w->block;
	w->recipe.leaves[n & (WALK_MAX_KEYS - 1)].off =
		addr - w->blocks[w->block & (WALK_SLOTS - 1)].base;
	w->recipe.nr_leaves = n + 1;
	for (i = 0; i < WALK_MAX_HOPS; i++) {
		at += leaf->hop[i];
		if (i >= leaf->nr_hops)
			break;
		if (walk_read(w, at, 8, &v) || !v)
			goto out;
		at = v;
	}
	if (leaf->key == WALK_KEY_DEADLINE) {
		__u64 sec, nsec;

		if (walk_read(w, at, 8, &sec) || walk_read(w, at + 8, 4, &nsec))
			goto out;
		key = sec * 1000000000ull + nsec;
		goto out;
	}
	key = at;
	if (leaf->key == WALK_KEY_IO) {
		dir = leaf->dir;
		if (!dir && leaf->dir_width &&
		    !walk_read(w, addr + leaf->dir_off, leaf->dir_width, &v))
			dir = v;
		/* tokio's Interest: READABLE 1, WRITABLE 2, and others above */
		key = (key & ~3ull) | (dir & 3);
	}
out:
	w->keys[n & (WALK_MAX_KEYS - 1)] = key;
	return 0;
}

/* Where an arc at address @next leads: address, limit and type of the next future. */
__noinline int walk_follow(struct walk_state *w, __u64 next, __u64 limit, __u32 mode, __u32 type)
{
	__u32 *found, size, block;
	struct walk_type *t;
	__u64 to;

	if (!w)
		return 0;
	if (mode == WALK_ARC_INLINE) {
		walk_push(w, next, limit, type, WALK_ARC_INLINE);
		return 0;
	}
	block = w->block;
	if (mode == WALK_ARC_DYN) {
		if (walk_decide(w, next + 8, 8, 0, ~0ull, &to))
			goto fault;
		to -= load_bias;
		found = bpf_map_lookup_elem(&walk_vtables, &to);
		if (!found) {
			walk_push_gap(w, WALK_GAP_VTABLE);
			return 0;
		}
		type = *found;
	} else if (mode == WALK_ARC_PTR2) {
		if (walk_pointer(w, next, 8, &next))
			goto fault;
	}
	t = bpf_map_lookup_elem(&walk_types, &type);
	size = t ? t->size : 0;
	if (!next)
		to = 0;
	else if (walk_pointer(w, next, size, &to))
		goto fault;
	if (!to)
		walk_push_gap(w, WALK_GAP_NULL);
	else
		walk_push(w, to, to + size, type, WALK_ARC_PTR);
	w->block = block;
	return 0;
fault:
	w->no_recipe = 1;
	w->block = block;
	walk_push_gap(w, WALK_GAP_FAULT);
	return 0;
}

/* Where arc @a to one element of a slice or list leads. */
__noinline int walk_element(struct walk_state *w, __u64 addr, __u32 arc)
{
	struct walk_arc *a = bpf_map_lookup_elem(&walk_arcs, &arc);
	__u32 index, type;
	__u64 at, len;
	struct walk_type *t;
	int i;

	if (!w || !a)
		return 0;
	w->no_recipe = 1;
	index = a->index & (WALK_ARC_REST - 1);
	type = a->type;
	if (walk_read(w, addr + a->off, 8, &at))
		goto fault;
	if (a->mode == WALK_ARC_SLICE) {
		if (walk_read(w, addr + a->off + 8, 8, &len))
			goto fault;
		if (index >= len) {
			walk_push_gap(w, WALK_ABSENT);
			return 0;
		}
		at += (__u64)index * a->item;
	} else {
		for (i = 0; i < WALK_MAX_BRANCHES; i++) {
			if (i >= index || !at)
				break;
			if (walk_read(w, at + a->next, 8, &at))
				goto fault;
		}
		if (!at) {
			walk_push_gap(w, WALK_ABSENT);
			return 0;
		}
		at += a->item;
	}
	if (a->index & WALK_ARC_REST) {
		walk_push_gap(w, WALK_GAP_MORE);
		return 0;
	}
	t = bpf_map_lookup_elem(&walk_types, &type);
	walk_push(w, at, at + (t ? t->size : 0), type, WALK_ARC_PTR);
	return 0;
fault:
	walk_push_gap(w, WALK_GAP_FAULT);
	return 0;
}

/* One type of the chain: take it off the list, append its token, list its arcs. */
__noinline int walk_step(struct walk_state *w)
{
	struct walk_todo *todo;
	struct walk_variant *v;
	struct walk_type *t;
	__u64 addr, limit, disc = 0;
	__u32 type, index, n, mode;

	if (!w)
		return 1;
	n = w->nr_todo;
	if (!n)
		return 1;
	if (w->cut || w->nr_tokens >= WALK_MAX_TOKENS - 1 || w->nr_steps >= WALK_MAX_STEPS) {
		w->no_recipe = 1;
		walk_token(w, WALK_GAP_DEPTH);
		return 1;
	}
	w->nr_steps++;
	n--;
	w->nr_todo = n;
	todo = &w->todo[n & (WALK_MAX_TODO - 1)];
	addr = todo->addr;
	limit = todo->limit;
	type = todo->type;
	mode = todo->mode;
	w->block = todo->block;

	if (WALK_IS_GAP(type)) {
		wakers_wanted = true;
		walk_token(w, type);
		return 0;
	}
	t = bpf_map_lookup_elem(&walk_types, &type);
	if (!t) {
		walk_token(w, WALK_GAP_LAYOUT);
		return 0;
	}
	index = t->first_variant;
	if (t->disc_width) {
		__u64 at = addr + t->disc_off;

		if (at + t->disc_width > limit) {
			walk_token(w, WALK_GAP_LAYOUT);
			return 0;
		}
		if (walk_at(w, at, t->disc_width) < 0)
			walk_part(w, t->disc_off < WALK_SLOT - 8 ? addr : at, limit);
		if (walk_decide(w, at, t->disc_width, t->disc_base, t->nr_variants, &disc)) {
			w->no_recipe = 1;
			walk_token(w, WALK_GAP_FAULT);
			return 0;
		}
		disc -= t->disc_base;
		if (disc < t->nr_variants) {
			index += disc;
		} else if (t->default_variant != WALK_NONE) {
			index = t->default_variant;
		} else {
			walk_token(w, WALK_GAP_STATE);
			return 0;
		}
	}
	v = bpf_map_lookup_elem(&walk_variants, &index);
	if (!v || (v->flags & WALK_VARIANT_HOLE)) {
		walk_token(w, WALK_GAP_STATE);
		return 0;
	}
	if (!walk_silent(t, v, mode))
		walk_token(w, index);
	if (v->nr_arcs == 0) {
		if ((t->flags & WALK_TYPE_OPAQUE) || (v->flags & WALK_VARIANT_DONE))
			wakers_wanted = true;
		if (t->leaf != WALK_NONE && !(v->flags & WALK_VARIANT_DONE))
			walk_leaf_key(w, addr, t->leaf);
		return 0;
	}
	if (v->nr_arcs == 1 && v->arc_mode < WALK_ARC_SLICE) {
		walk_follow(w, addr + v->arc_off, limit, v->arc_mode, v->arc_type);
	} else {
		__u32 first = v->first_arc, nr = v->nr_arcs;
		int i;

		/* In reverse, so that the first branch is taken off first. */
		if (nr > WALK_MAX_BRANCHES)
			nr = WALK_MAX_BRANCHES;
		for (i = WALK_MAX_BRANCHES - 1; i >= 0; i--) {
			__u32 at = first + i;
			struct walk_arc *a;

			if (i >= nr)
				continue;
			a = bpf_map_lookup_elem(&walk_arcs, &at);
			if (!a)
				continue;
			if (a->mode >= WALK_ARC_SLICE)
				walk_element(w, addr, at);
			else
				walk_follow(w, addr + a->off, limit, a->mode, a->type);
		}
	}
	return 0;
}

/*
 * Walk the chain of the task at @task. The header is in the window already
 * where the cell says so. @moved: it is being polled again, its memory is in
 * transition. Afterwards w->tokens, w->keys and w->hash hold the answer.
 */
static __noinline void walk_task(struct walk_state *w, __u64 task, const struct walk_cell *cell,
				 bool moved)
{
	__u64 stage;
	int i;

	w->nr_tokens = 0;
	w->nr_todo = 0;
	w->nr_steps = 0;
	w->cut = 0;
	w->no_recipe = w->nr_blocks != 1;
	w->block = 0;
	w->recipe.nr_ops = 0;
	w->recipe.nr_leaves = 0;
	w->nr_keys = 0;
	w->hash = 0x51ed270b27b4f3cfull;

	if (moved) {
		w->no_recipe = 1;
		walk_token(w, WALK_GAP_MOVED);
		return;
	}
	if (cell->root_type == WALK_NONE) {
		walk_token(w, WALK_GAP_LAYOUT);
		return;
	}
	if (cell->stage_width) {
		if (walk_decide(w, task + cell->stage_off, cell->stage_width,
				cell->stage_running, 1, &stage)) {
			w->no_recipe = 1;
			walk_token(w, WALK_GAP_FAULT);
			return;
		}
		if (stage != cell->stage_running) {
			walk_token(w, WALK_GAP_STAGE);
			return;
		}
	}
	walk_push(w, task + cell->future_off, task + cell->size, cell->root_type, WALK_ARC_PTR);
	for (i = 0; i <= WALK_MAX_STEPS; i++)
		if (walk_step(w))
			break;
}

/* The id of the chain just walked; defines it in the stream if it is new. */
static __always_inline __u32 walk_intern(struct thread *t, struct walk_state *w, __u64 ts,
					 __u32 tid, __u32 fn)
{
	__u64 hash = w->hash;
	__u32 slot = hash & (THREAD_CHAINS - 1), id, *known;
	struct raw_chain *def;

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
		/* Not defined: the next one to meet it shall try again. */
		bpf_map_delete_elem(&chains, &hash);
		return 0;
	}
	def->hdr.nr = w->nr_tokens;
	def->chain = id;
	def->fn = fn;
	__builtin_memcpy(def->tokens, w->tokens, sizeof(def->tokens));
	event_submit(def);
remember:
	t->chains[slot].hash = hash;
	t->chains[slot].id = id;
	return id;
}

#endif /* DWELL_WALK_BPF_H */
